#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Records over streams: packets in frames, to peers that were written from the standards by another hand, and
# between two of ours.
# bats file_tags=thread
load ../helpers

prepare() {
    P=$(free_port)
    frames=$top/tests/tools/frames.py
}

frames() { timeout -k 5 "$LIMIT" python3 "$frames" "$@"; }
packets() { timeout -k 5 "$LIMIT" "$CATENA_TOOLS/packets" "$@"; }
bound() { [ -n "$(ss -Hlun "sport = :$1")" ]; }
need_python() { command -v python3 >/dev/null || skip "needs python3"; }

# receiver <steps...>: a UDP peer; its port is then in $port, the sizes of what it got are in receiver.out.
receiver() {
    start receiver "$CATENA_TOOLS/packets" at "$@" </dev/null
    wait_for 10 file_has receiver.out '^port'
    port=$(sed -n 's/^port //p' receiver.out)
}
sizes() { grep -v '^port' receiver.out | paste -sd' '; }

# stop <name>: with threads a first signal ends the accepting alone
tell_to_end() { is_gone "$1" || ! kill "$1" 2>/dev/null || is_gone "$1"; }
stop() { wait_for 5 tell_to_end "$(<"$1.pid")"; }

# --- each format, to a peer of another hand --------------------------------------------------------

# to_peer <format>: in both chains, alone and for many, each link by itself.
to_peer() {
    need_python
    { cat && cat <<'ROWS'; } | timeout -k 5 $((3 * LIMIT)) python3 "$frames" try "$CATENA_BIN" "$1"
UDP FRAMES|PEER
^FRAMES|UDP PEER
-cS UDP nop|FRAMES|nop|PEER
UDP,thread FRAMES|PEER
ROWS
}
# everywhere <format>: each direction by its own half, too, and other joints.
everywhere() {
    to_peer "$1" <<'ROWS'
UDP tap:/dev/null|FRAMES%^FRAMES|tap:/dev/null|PEER
PEER ^FRAMES|UDP
FRAMES|PEER UDP
-cp tap:/dev/null|^FRAMES|UDP PEER
--unfused UDP nop|FRAMES|nop|PEER
UDP,fork FRAMES|PEER
ROWS
}
# Their rows have threads already:
# bats test_tags=single
@test "lines" { to_peer lines </dev/null; }
# bats test_tags=single
@test "netstring" { to_peer netstring </dev/null; }
# bats test_tags=single
@test "length16" { everywhere length16; }
# bats test_tags=single
@test "length32" { to_peer length32 </dev/null; }
# bats test_tags=single
@test "varint" { to_peer varint </dev/null; }
# bats test_tags=single
@test "slip" { to_peer slip </dev/null; }
# bats test_tags=single
@test "hdlc" { everywhere hdlc; }
# bats test_tags=single
@test "cobs" { to_peer cobs </dev/null; }

@test "dig is answered by a server that is asked over TCP" {
    command -v dig >/dev/null || skip "needs dig"
    dns=$(free_port)
    start dns "$CATENA_TOOLS/dnsd" "127.0.0.1:$dns" one.example=192.0.2.1 two.example=2001:db8::2 </dev/null
    wait_for 5 file_has dns.out ready
    start relay "$CATENA_BIN" "udp-listen:$P,fork" "length16|tcp:127.0.0.1:$dns" </dev/null
    wait_for 5 bound "$P"
    same 192.0.2.1 "$(dig +short +tries=1 @127.0.0.1 -p "$P" one.example A)"
    same 2001:db8::2 "$(dig +short +tries=1 @127.0.0.1 -p "$P" two.example AAAA)"
    has "$(dig +tries=1 @127.0.0.1 -p "$P" three.example A)" 'status: NXDOMAIN'
    has "$(<dns.out)" '^tcp one.example'
    stop relay
}

@test "so it is by dnsmasq" {
    command -v dig dnsmasq >/dev/null || skip "needs dig and dnsmasq"
    dns=$(free_port)
    start dns dnsmasq -k -p "$dns" -a 127.0.0.1 --bind-interfaces -R -h -C /dev/null -x "$T/dnsmasq.pid" -u "$(id -un)" \
        --address=/one.example/192.0.2.1 --txt-record=long.example,"$(printf '%0200d' 1)","$(printf '%0200d' 2)" </dev/null
    wait_for 5 port_listens "$dns"
    start relay "$CATENA_BIN" "udp-listen:$P,fork" "length16|tcp:127.0.0.1:$dns" </dev/null
    wait_for 5 bound "$P"
    same 192.0.2.1 "$(dig +short +tries=1 @127.0.0.1 -p "$P" one.example A)"
    has "$(dig +short +tries=1 @127.0.0.1 -p "$P" long.example TXT)" '00001" "00*2"$'
    stop relay
}

# --- boundaries ----------------------------------------------------------------------------------

# through <switch> <links of the client> <links of the server>
through() {
    receiver recv:6 send:back empty
    start_listener server $1 tcp-listen:0,bind=127.0.0.1 "$3|udp:127.0.0.1:$port,null-eof=0"
    start client "$CATENA_BIN" $1 "udp-listen:$P,null-eof=0" "$2|tcp:127.0.0.1:$port" </dev/null
    wait_for 5 bound "$P"
    same "4 0" "$(packets to "$P" send:a empty empty fill:30000 fill:2 fill:60000 recv:2 | paste -sd' ')"
    finish receiver
    same "1 0 0 30000 2 60000" "$(sizes)"
    stop client
    stop server
    P=$(free_port)
}
@test "packets stay what they are, empty ones as well, through other links and between threads" {
    make_certs .
    for how in '' -cS -cp --unfused; do
        through "$how" length16 '^length16'
        through "$how" 'tap:/dev/null|netstring|gzip' '^gzip|^netstring|tap:/dev/null'
        through "$how" 'hdlc|openssl,verify=0' '^openssl-server,cert=server.pem,verify=0|^hdlc'
    done
}

@test "records of one format become records of another" {
    same '3:one,0:,5:three,' "$(printf 'one\n\nthree\n' | catena -u - '^lines|netstring|-')"
    same '3:one,0:,5:three,' "$(printf 'one\n\nthree\n' | catena -cS -u - '^lines|netstring|-')"
    same '3:one,0:,5:three,' "$(printf 'one\n\nthree\n' | catena --unfused -u - '^lines|cobs|^cobs|tap:/dev/null|netstring|-')"
    printf 'one\n\nthree\n' >in
    same '3:one,0:,5:three,' "$(catena -U create:out '^netstring|length32|^length32|lines|open:in'; cat out)"
}

@test "an empty packet is the end of a connection, as ever, unless null-eof=0 says that it is none" {
    start_peer peer sum
    start relay "$CATENA_BIN" "udp-listen:$P" "length16|tcp:127.0.0.1:$port" </dev/null
    wait_for 5 bound "$P"
    packets to "$P" send:abc empty
    finish relay
    has "$(<peer.out)" '^5 '
}

@test "packets of anybody that are empty are kept" {
    start_peer peer recv:13
    start relay "$CATENA_BIN" -u "udp-recv:$P" "netstring|tcp:127.0.0.1:$port" </dev/null
    wait_for 5 bound "$P"
    packets to "$P" send:abc empty send:d
    finish peer
    has "$(<peer.out)" '3:abc,0:,1:d,'
    stop relay
}

# --- ends ----------------------------------------------------------------------------------------

@test "the answer that comes a quiet second after the end of the question arrives" {
    for how in '' -cS; do
        start_listener server $how tcp-listen:0,bind=127.0.0.1,fork "^netstring|system:'cat; $QUIET; echo answer; $QUIET'"
        same 'question5:answer' "$( (printf question; $QUIET) | catena $how - "netstring|tcp:127.0.0.1:$port" |
            tr -d '\n' | sed 's/answer/5:answer/')"
        end "$(<server.pid)"
        wait_for 5 nothing_left
        start_listener server $how tcp-listen:0,bind=127.0.0.1,fork "^lines|system:'cat; $QUIET; echo answer; $QUIET'"
        same 'question
answer' "$( (echo question; $QUIET) | catena $how "lines|tcp:127.0.0.1:$port" "lines|-")"
        end "$(<server.pid)"
        wait_for 5 nothing_left
    done
}

@test "a frame that the end cuts is an error, and what is missing is told" {
    each is_cut <<'ROWS'
netstring '5:hello,3:ab' 'within a record: 2 of 6 bytes are missing'
netstring '5:hello,3' 'within the length of a record, of which 1 byte is there'
length16 '\0\1a\0' 'within the length of a record: 1 of 2 bytes are missing'
length16 '\0\1a\0\5b' 'within a record: 4 of 7 bytes are missing'
length32 '\0\0\0\1a\0\0\0\5b' 'within a record: 4 of 9 bytes are missing'
varint '\1a\5b' 'within a record: 4 of 6 bytes are missing'
lines 'a\nb' 'within a line: behind its 1 bytes the line end (1 byte) is missing'
slip '\300a\300b' 'within a frame: behind 1 byte of a record its end'
hdlc '~} } ~b' 'within a frame: behind 1 byte'
cobs '\2a\0\2b' 'within a frame: behind 1 byte'
ROWS
}
is_cut() {
    receiver recv
    # shellcheck disable=SC2059
    printf "$2" >in
    for how in '' -cS; do
        run catena $how -u open:in "^$1|udp-sendto:127.0.0.1:$port"
        same 1 "$status"
        has "$output" " E .*second address, link 1 \"$1\": the stream ends $3"
    done
    stop receiver
}

@test "an end between two frames is one" {
    for row in 'netstring 5:hello,' 'length16 \0\1a' 'lines a\n' 'slip \300a\300' 'cobs \2a\0' 'hdlc ~} } ~'; do
        # shellcheck disable=SC2059
        printf "${row#* }" >in
        same "" "$(catena -u open:in "^${row%% *}|open:/dev/null" 2>&1)"
    done
}

@test "a packet that is too large is dropped, with a warning, and nothing else is" {
    start relay "$CATENA_BIN" -u "udp-recv:$P" 'length16,max-size=100|create:out' </dev/null
    wait_for 5 bound "$P"
    packets to "$P" fill:100 fill:101 fill:99 fill:102 fill:1
    wait_for 5 size_is out 206
    kill "$(<relay.pid)"
    finish relay 143
    has "$(<relay.err)" ' W a packet of 101 bytes has been dropped: a record may have 100 (option max-size)'
    same 1 "$(grep -c ' W .*dropped' relay.err)"
    start relay "$CATENA_BIN" -u "udp-recv:$P" "create:got" </dev/null
    wait_for 5 bound "$P"
    { printf '70000:' && head -c 70000 /dev/zero && echo -n ,5:hello,; } >in
    catena -u open:in "^netstring|udp:127.0.0.1:$P" 2>log
    has "$(<log)" ' W .*"udp": a packet of 70000 bytes has been dropped where a message has at most 65507'
    wait_for 5 size_is got 5
    kill "$(<relay.pid)"
}

@test "what is too large is an error that names both sizes" {
    printf '5:hello,2000000:' >in
    run catena -u open:in '^netstring|create:out'
    same 1 "$status"
    has "$output" 'a record of at least 2000000 bytes came, where one may have 1048576 (option max-size)'
    { printf '70000:' && head -c 70000 /dev/zero && echo -n ,; } >in
    run catena -u open:in '^netstring|length16|create:out2'
    same 1 "$status"
    has "$output" ' E .*"length16": a record of 70000 bytes came, where one may have 65535'
    same hello "$(<out)"
    run catena -n - 'length16,max-size=70000|-'
    has "$output" 'max-size=70000: a record may have from 1 to 65535 bytes here'
}

@test "a large record is one" {
    for how in '' -cS; do
        head -c 3000000 /dev/urandom >in
        "$CATENA_BIN" -u $how open:in "netstring,max-size=4000000|^netstring|create:out"
        cmp in out
        start sink "$CATENA_BIN" -u $how "unix-recv:$T/sink" create:got </dev/null
        wait_for 5 grep -q "$T/sink" /proc/net/unix
        { echo -n 150000: && head -c 150000 in && echo -n ,; } >frame
        catena -u $how open:frame "^netstring,max-size=200000|tap:/dev/null|unix-sendto:$T/sink,sndbuf=400000"
        wait_for 5 size_is got 150000
        cmp <(head -c 150000 in) got
        stop sink
        rm -f sink
    done
}

@test "a peer that sends a frame without an end costs no memory" {
    start_peer peer "flood:xxxxxxxxxxxxxxxx" eof
    run catena -u "tcp:127.0.0.1:$port" '^lines|open:/dev/null'
    same 1 "$status"
    has "$output" 'a record of at least [0-9]* bytes came, where one may have 1048576'
}

@test "frames whose checksum is wrong are dropped, with a warning, and the rest goes on" {
    printf 'noise~12345x789\156\220~123456789\156\220~' >in
    run catena -u open:in '^hdlc|lines|-'
    same 0 "$status"
    has "$output" ' W .*hdlc: a frame of 5 bytes has been dropped: its checksum is wrong'
    has "$output" '^123456789$'
}

# much <links> [<switches>]: 64 MiB each way at once.
much() {
    local n=67108864 pl
    start_peer left "duplex:$n:1:$n:2"
    pl=$port
    start_peer right "duplex:$n:2:$n:1"
    start run "$CATENA_BIN" "${@:2}" "tcp:127.0.0.1:$pl" "$1|tcp:127.0.0.1:$port" </dev/null
    finish left
    finish right
    finish run
    same "" "$(<run.err)"
}
@test "64 MiB both ways at once" {
    much 'length16|cobs|^cobs|^length16'
    much 'netstring|slip|^slip|^netstring' -cS
}

# --- what is said --------------------------------------------------------------------------------

@test "the plan names frames as the remedy, shows them, and misses no boundaries behind them" {
    run catena -n -u "udp-recv:$P" tcp:h:1
    has "$output" ' W .*boundaries of packets.*through frames (length16, netstring'
    run catena -n "udp-listen:$P" 'length16|gzip|openssl|tcp:h:1'
    has "$output" 'records of up to 65535 bytes'
    has_not "$output" 'boundaries'
    run catena -n -u "udp-recv:$P" 'length16|^length16|tcp:h:1'
    has "$output" 'packets: their boundaries end here'
    run catena -n -u "udp-recv:$P" 'nop|gzip|length16|tcp:h:1'
    has "$output" ' W .*"gzip": the boundaries of packets'
}

# --- a network through it ------------------------------------------------------------------------

# What the kernel has given to one end has come out of the other; what a full queue of it dropped is not ours.
counted() { sed -n "s/^ *tun0: *//p" "$1" | tr -s " " | cut -d" " -f"$2"; }
all_arrived() {
    ip netns exec far cat /proc/net/dev >far.dev
    cat /proc/net/dev >near.dev
    [ "$(counted near.dev 10)" = "$(counted far.dev 2)" ] && [ "$(counted near.dev 2)" = "$(counted far.dev 10)" ]
}
tunnel() { # between two namespaces, over TLS over TCP
    ip netns exec far "$CATENA_BIN" -d -d tcp-listen:4000,bind=10.9.9.2 \
        '^openssl-server,cert=server.pem,verify=0|^length16|tun:10.8.8.2/24,up' 2>far.err &
    wait_for 10 file_has far.err 'listening on'
    "$CATENA_BIN" -d -d tun:10.8.8.1/24,up "length16|openssl,verify=0|tcp:10.9.9.2:4000" 2>near.err &
    relay=$!
    wait_for 10 ping -q -c 1 -W 1 10.8.8.2
    has "$(ping -q -f -c 1000 -s 1000 10.8.8.2)" '1000 received, 0% packet loss'
    has "$(ping -q -i 0.01 -c 100 -s 1472 -M do 10.8.8.2)" '100 received, 0% packet loss'
    ip netns exec far python3 "$1" echo 10.8.8.2 5000 >echo.out &
    wait_for 5 file_has echo.out ready
    same well "$(timeout "$LIMIT" python3 "$1" burst 10.8.8.2 5000 3000)"
    if command -v iperf3 >/dev/null; then
        ip netns exec far iperf3 -s -1 --forceflush >iperf.log &
        wait_for 5 file_has iperf.log 'listening'
        timeout "$LIMIT" iperf3 -c 10.8.8.2 -n 30M >iperf.out
    fi
    wait_for 5 all_arrived
    kill -TERM $relay
    has_not "$(cat near.err far.err)" ' [EF] \|could not be delivered'
}
# Nothing in it listens for many:
# bats test_tags=single
@test "a tunnel carries pings and packets, none of them merged, cut or lost" {
    [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ] && command -v ping python3 >/dev/null || skip "needs root, TUN and ping"
    unshare -n -m ip link add near type veth peer name other 2>/dev/null || skip "no namespaces, or no virtual cables"
    make_certs .
    export HELPERS="$BATS_TEST_DIRNAME/../helpers.bash" T
    # shellcheck disable=SC2016
    unshare -n -m timeout -k 5 "$((2 * LIMIT))" bash -ec '
        source "$HELPERS"
        cd "$T" && mount -t tmpfs none /run && ip netns add far
        ip link add near type veth peer name other netns far
        ip addr add 10.9.9.1/24 dev near && ip link set near up
        ip -n far addr add 10.9.9.2/24 dev other && ip -n far link set other up
        trap "ip netns pids far | xargs -r kill 2>/dev/null || :; kill \$(jobs -p) 2>/dev/null || :" EXIT
        eval "$1"
        tunnel "$2"' own "$(declare -f tunnel counted all_arrived)" "$frames"
}
