#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# THROTTLE, DELAY, PACE: everything comes, so much later, the end behind it, and no clock of ours takes that for
# silence. NETEM, for packets. Times are lower bounds.
load ../helpers

HANG="sleep 20" # longer than any of these tests
prepare() { head -c 3000 /dev/urandom >in; }

# lasts <ms> <command...>: at least.
lasts() {
    local least=$1 from=${EPOCHREALTIME/[.,]/} took
    shift
    "$@"
    took=$(((${EPOCHREALTIME/[.,]/} - from) / 1000))
    ((took >= least)) || {
        echo "$took ms, not $least: $*"
        return 1
    }
}
# there <ms> <arguments...>: what is in "in" gets to the file OUT, one way.
there() {
    local out=$BASHPID.out
    set -- "${@//OUT/$out}"
    lasts "$1" catena "${@:2}" && cmp in "$out"
}
# back <ms> <arguments...>: there and back.
back() {
    lasts "$1" catena "${@:2}" <in >"$BASHPID.out" && cmp in "$BASHPID.out"
}
# Rows side by side: they wait most of the time.
all() {
    local row pids=()
    while read -r row; do
        [ -n "$row" ] || continue
        eval "$row" >"row.${#pids[@]}" 2>&1 &
        pids+=($!)
    done
    for i in "${!pids[@]}"; do
        wait "${pids[i]}" || {
            cat "row.$i"
            return 1
        }
        [ ! -s "row.$i" ] || {
            cat "row.$i"
            return 1
        }
    done
}

# 3000 bytes at 4 k: 410 of them at once, the rest takes 632 ms.
@test "neither -t nor -T takes for silence what is only delayed, and the end comes last" {
    for way in '' -cS; do
        all <<END
there 630 $way -T 0.2 -u open:in 'throttle:4k|create:OUT'
there 630 $way -T 0.2 -u 'throttle:4k|open:in' create:OUT
there 500 $way -T 0.2 -u open:in 'delay:0.5|gzip|gunzip|create:OUT'
there 600 $way -T 0.2 -u open:in 'gzip|delay:300ms|gunzip|delay:300ms|create:OUT'
there 300 $way -T 0.2 -u open:in 'pace:100000|create:OUT'
there 630 $way -T 0.2 -U create:OUT 'throttle:4k|open:in'
back 600 $way -t 0.2 - 'delay:0.3|exec:cat'
back 600 $way -t 0.2 -T 0.2 - 'gzip|delay:0.3|gunzip|exec:cat'
back 630 $way -t 0.2 - 'throttle:1G,to-left=4k|exec:cat'
back 630 $way -t 0.2 - 'throttle,to-right=4k|exec:cat'
back 630 $way -t 0.2 'throttle,to-left=4k|-' exec:cat
back 930 $way -t 0.2 'delay:0.3%nop|-' '^throttle,to-left=4k|exec:cat'
back 400 $way -t 0.2 - '^delay,to-left=0.4|exec:cat'
back 300 $way -t 0.2 - 'pace:1000000,line-delay=1ms%pace:100000|exec:cat'
END
    done
}

# The clocks still run down where it is the peer who is silent.
@test "a silent peer is one behind a delay, too" {
    for way in '' -cS; do
        start silent "$CATENA_BIN" $way -T 0.2 - "throttle:1k|delay:10ms|exec:$HANG" < <(echo x && $HANG)
        finish silent
        lasts 200 catena $way -t 0.2 - "delay:10ms|exec:$HANG" <in
    done
}

@test "what had been accepted when another failed is given out in its time" {
    head -c 100 in | gzip >good.gz
    echo nonsense >>good.gz
    for way in '' -cS; do
        fails catena $way -u - 'gunzip|delay:0.3|create:out' < <(cat good.gz && $HANG) 2>err
        has "$(<err)" gunzip
        cmp <(head -c 100 in) out
    done
}

# held <links>: there is something in it when a signal comes.
held() {
    for way in '' -cS; do
        start run "$CATENA_BIN" -d -d $way - "$1|tap:seen|exec:cat" <in
        wait_for 5 file_has run.err 'starting data transfer'
        lasts 0 end "$pid"
        finish run 143
    done
}
@test "a signal ends it at once" {
    LIMIT=5
    held throttle:1
    held delay:60
    held pace:1
}

# bats test_tags=thread
@test "clients of a listener, each at its own pace" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork 'throttle:4k|delay:10ms|exec:cat'
    server=$pid
    local rows=''
    for _ in {1..12}; do rows+="back 630 - tcp:127.0.0.1:$port"$'\n'; done
    all <<<"$rows"
    end "$server"
    finish server 143
}

# A reader that takes nothing: no more is read than the buffer has room for.
@test "a delay has bounded memory" {
    start_listener server -u tcp-listen:0,bind=127.0.0.1,reuseaddr 'delay:60,buffer=100k|open:/dev/null'
    head -c 20000000 /dev/zero >zeros
    start client "$CATENA_BIN" -u open:zeros "tcp:127.0.0.1:$port" </dev/null
    wait_for 10 quiet "$port"
    [ -n "${CATENA_SANITIZE:-}" ] || (($(peak_kib "$(<server.pid)") < 20000))
    end "$(<server.pid)"
    finish server 143
    finish client 1
}
# Nothing moves there any more.
quiet() {
    full=$(ss -Htn "sport = :$1" | awk '{print $2}')
    $BRIEFLY
    [ -n "$full" ] && ((full > 100000)) && [ "$full" = "$(ss -Htn "sport = :$1" | awk '{print $2}')" ]
}

# ---- packets ----

sums() { # <way> <netem's options>
    catena $1 -u open:lines "^lines|netem,$2|lines|-" 2>"$BASHPID.err" | tee last | cksum
}
@test "packets are lost, doubled, exchanged, spoilt, and the same again with the same seed" {
    seq 1 2000 >lines
    one=$(sums '' seed=3,loss=10,duplicate=5,reorder=5,corrupt=1)
    n=$(wc -l <last)
    ((n > 1800 && n < 2000))
    same "$one" "$(sums --unfused seed=3,loss=10,duplicate=5,reorder=5,corrupt=1)"
    same "$one" "$(sums -cS seed=3,loss=10,duplicate=5,reorder=5,corrupt=1)"
    [ "$one" != "$(sums '' seed=4,loss=10,duplicate=5,reorder=5,corrupt=1)" ]
    sums '' duplicate=100 >/dev/null
    same 4000 "$(wc -l <last)"
    sums -cS reorder=100 >/dev/null
    cmp <(seq 1 2000 | sed -n 'h;n;p;x;p') last
    # what chance has given can be had again
    catena -d -d -d -u open:lines '^lines|netem,loss=50|lines|-' >one 2>err
    seed=$(sed -n 's/.*netem.*: to the right: seed=//p' err)
    catena -u open:lines "^lines|netem,loss=50,seed=$seed|lines|-" | cmp one -
}

@test "over UDP, delayed and throttled packets stay packets, empty ones too" {
    start server "$CATENA_TOOLS/packets" at echo </dev/null
    wait_for 10 file_has server.out '^port'
    port=$(sed -n 's/^port //p' server.out)
    for way in '' -cS; do
        start relay "$CATENA_BIN" -d -d $way -T 20 udp-listen:0,bind=127.0.0.1,null-eof=0 \
            "netem,duplicate=100|delay:50ms|throttle:100k|pace:10000000|udp:127.0.0.1:$port,null-eof=0" </dev/null
        wait_for 10 file_has relay.err 'listening on'
        via=$(sed -n 's/.*listening on AF=2 .*:\([0-9]*\)$/\1/p' relay.err)
        same '10 10 10 10 3000 3000 3000 3000 0 0 0 0' \
            "$(timeout 20 "$CATENA_TOOLS/packets" to "$via" fill:10 recv:4 fill:3000 recv:4 empty recv:4 | grep -v ready | paste -sd' ')"
        kill "$pid"
        finish relay 143
    done
    kill "$(<server.pid)"
    wait_for 5 is_gone "$(<server.pid)"
}

@test "what cannot be is an error of the plan that says why" {
    refused() {
        run catena -n - "$2"
        same 1 "$status"
        has "$output" "$1"
    }
    each refused <<'END'
'how fast.*throttle:<rate>' 'throttle|pipe'
'"fast" is no rate: bytes a second' 'throttle:fast|pipe'
'"0" is no number of bytes' 'throttle:1k,burst=0|pipe'
'"200" is no time from 0 to 60 s' 'delay:200|pipe'
'how late' 'delay,jitter=1ms|pipe'
'"9600x" is no baud rate' 'pace:9600x|pipe'
'bits=0' 'pace:9600,bits=0|pipe'
'to it from the right is a stream of bytes, which has no packets' 'netem,loss=5|pipe'
'"101" is no percentage' 'netem,loss=101|pipe'
'what is to happen' 'netem|pipe'
END
    catena -n -u udp-recv:1 'netem,loss=5|stdout' >plan
    catena -n 'netem,loss=1|udp-l:1' 'netem,loss=1%nop|lines|pipe' >plan
    run catena -n tcp-l:1 'netem,loss=5|udp:localhost:1'
    has "$output" 'from the left is a stream'
}

@test "in a sandbox" {
    needs_sandbox
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want more than relaying does"
    catena --sandbox - 'throttle:1M|delay:1ms,jitter=1ms|pace:1000000|pipe' <in | cmp - in
    same 0 "$(catena --sandbox -u open:in '^length16|netem,loss=100|lines|-' 2>/dev/null | wc -c)"
}
