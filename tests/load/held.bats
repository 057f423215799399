#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many TLS clients of a listener with thread at the same time: each costs a little memory and no thread,
# neither while it is held nor while it has not shaken hands. LOAD_HELD connections need twice as many
# descriptors (ulimit -n) and some; where there are less, as many are held as fit, and the test says so.
load ../helpers

AT_ONCE=${LOAD_AT_ONCE:-100}
HELD=${LOAD_HELD:-300}
LIMIT=$((LIMIT + HELD / 50))
export BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT + 4 * LIMIT))

prepare() {
    make_certs certs
    MANY=$CATENA_TOOLS/many
    local most=$((($(ulimit -Hn) - 200) / 2))
    if [ "$HELD" -gt "$most" ]; then
        echo "# ulimit -n $(ulimit -Hn) is too little for $HELD connections: $most are held" >&3
        HELD=$most
    fi
    ulimit -n "$(ulimit -Hn)"
}

inputs=()
pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
few=$(($(nproc) + 4))

# hold <name> <pid> <port> <count>: that many clients, held until release <name>; `grown` is what the server
# has grown by, in KiB.
hold() {
    local before
    before=$(pss "$2")
    mkfifo "$1.in"
    exec {input}<>"$1.in"
    inputs+=("$input")
    start "$1" timeout "$LIMIT" "$MANY" hold "$3" "$4" "$AT_ONCE" <"$1.in"
    wait_for "$LIMIT" file_has "$1.out" held
    has "$(<"$1.out")" "held $4 of $4"
    grown=$(($(pss "$2") - before))
}
# memory <name> <pid> <port>: what HELD connections grow it by, all of which are well when they are used
# afterwards. The first few do not count: with them come threads, and what is made once.
memory() {
    local first=$((HELD / 6 + 1)) part
    hold "$1-first" "$2" "$3" "$first"
    hold "$1" "$2" "$3" $((HELD - first))
    grown=$((grown * HELD / (HELD - first)))
    threads=$(threads_of "$2")
    for input in "${inputs[@]}"; do echo >&"$input"; done
    for part in "$1-first $first" "$1 $((HELD - first))"; do
        wait_for "$LIMIT" file_has "${part% *}.out" well
        has "$(<"${part% *}.out")" "well ${part#* } of"
    done
    for input in "${inputs[@]}"; do echo >&"$input"; done
    finish "$1-first"
    finish "$1"
    for input in "${inputs[@]}"; do exec {input}>&-; done
    inputs=()
}

@test "are held, and used one after the other" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers take memory of their own"
    start bare "$MANY" serve certs/server.pem
    wait_for 5 file_has bare.out .
    memory bare "$(<bare.pid)" "$(<bare.out)"
    local bare=$grown
    start echo "$MANY" serve plain echo.sock
    wait_for 5 file_has echo.out .
    start_listener server "openssl-server,cert=certs/server.pem,verify=0|tcp-listen:0,bind=127.0.0.1,backlog=4096,thread" unix:echo.sock
    memory held "$(<server.pid)" "$port"
    echo "$HELD connections, $threads threads, $grown KiB; the bare loop takes $bare KiB"
    [ "$threads" -le "$few" ]
    # 4 MiB: what handshakes at the same time have left to the next ones
    [ "$grown" -le $((bare * 3 / 2 + 4096)) ]
}

# Who says nothing, or not enough, waits for handshake-timeout, and nobody waits for him.
@test "have not shaken hands" {
    local silent=$((HELD < 2000 ? HELD : 2000))
    start_listener server "openssl-server,cert=certs/server.pem,verify=0,handshake-timeout=$(((3 + silent / 400) * SLOWER))|tcp-listen:0,bind=127.0.0.1,backlog=4096,thread" pipe
    start silent "$PEER" hold "$port" "$silent" </dev/null
    wait_for "$LIMIT" file_has silent.out "$silent"
    wait_for "$LIMIT" holds_descriptors "$silent"
    threads=$(threads_of "$(<server.pid)")
    echo "$silent silent clients, $threads threads"
    [ "$threads" -le "$few" ]
    output=$(echo hello | catena - "openssl:127.0.0.1:$port,verify=0")
    [ "$output" = hello ]
    wait_for "$LIMIT" holds_no_more_than 20
    [ "$(grep -c 'handshake: the peer took too long' server.err)" = "$silent" ]
    kill "$(<silent.pid)" "$(<server.pid)"
    finish server 143
}

@test "whose TLS server says nothing" {
    local silent=$((HELD < 2000 ? HELD : 2000))
    start_listener mute "tcp-listen:0,bind=127.0.0.1,backlog=4096,thread" stall
    start_listener server "tcp-listen:0,bind=127.0.0.1,backlog=4096,thread" \
        "openssl:127.0.0.1:$port,verify=0,handshake-timeout=$(((3 + silent / 400) * SLOWER))"
    start clients "$PEER" hold "$port" "$silent" </dev/null
    wait_for "$LIMIT" holds_descriptors $((2 * silent))
    threads=$(threads_of "$(<server.pid)")
    echo "$silent clients, $threads threads"
    [ "$threads" -le "$few" ]
    wait_for "$LIMIT" holds_no_more_than 20
    [ "$(grep -c 'handshake: the peer took too long' server.err)" = "$silent" ]
    kill "$(<clients.pid)" "$(<server.pid)" "$(<mute.pid)"
    finish server 143
}

# As with those that relay: a signal ends nobody, a second one all.
@test "have not shaken hands when signals come" {
    start_listener server "openssl-server,cert=certs/server.pem,verify=0|tcp-listen:0,bind=127.0.0.1,backlog=4096,thread" pipe
    start silent "$PEER" hold "$port" 50 </dev/null
    wait_for "$LIMIT" holds_descriptors 50
    mkfifo late.in
    exec {input}<>late.in
    start late "$CATENA_BIN" STDIO "openssl:127.0.0.1:$port,verify=0" <late.in
    echo hello >&"$input"
    wait_for "$LIMIT" file_has late.out hello
    kill "$(<server.pid)"
    wait_for "$LIMIT" file_has server.err 'still at work: 51'
    echo again >&"$input"
    wait_for "$LIMIT" file_has late.out again
    kill "$(<server.pid)"
    finish server 143
    kill "$(<silent.pid)"
    finish late 1
    exec {input}>&-
    lacks Sanitizer server.err
}
holds_descriptors() { [ "$(open_fds "$(<server.pid)")" -gt "$1" ]; }
holds_no_more_than() { [ "$(open_fds "$(<server.pid)")" -le "$1" ]; }
