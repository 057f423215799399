#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets stay packets, each direction by itself, whatever their size; or their loss is told.
load ../helpers

prepare() { P=$("$PEER" freeport); }

packets() { timeout -k 5 "$LIMIT" "$CATENA_TOOLS/packets" "$@"; }
bound() { [ -n "$(ss -Hlun "sport = :$1")" ] || grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 " /proc/net/udplite; }
unix_there() { grep -q " $1\$" /proc/net/unix; }
# both <function>: under both names.
both() {
    "$1" catena "${@:2}"
    "$1" socat_ours "${@:2}"
}
# receiver <steps...>: a UDP peer; its port is then in $port, what it got in receiver.out.
receiver() {
    start receiver "$CATENA_TOOLS/packets" at "$@" </dev/null
    wait_for 10 file_has receiver.out '^\(port\|ready\)'
    port=$(sed -n 's/^port //p' receiver.out)
}
# quit <name>: a listener with threads lets its connections go on at the first signal.
tell_to_end() { is_gone "$1" || ! kill "$1" 2>/dev/null || is_gone "$1"; }
quit() { wait_for 5 tell_to_end "$(<"$1.pid")"; }
sizes() { grep -v '^\(port\|ready\)' receiver.out | paste -sd' '; }

# --- dual addresses ------------------------------------------------------------------------------

write_half() {
    head -c 20000 /dev/urandom >in
    receiver recv:3
    "$1" -t 0.3 open:in,rdonly "${2//PORT/$port}"
    finish receiver
    same "8192 8192 3616" "$(sizes)"
    receiver recv:3
    "$1" -t 0.3 "${2//PORT/$port}" open:in,rdonly
    finish receiver
    same "8192 8192 3616" "$(sizes)"
}
@test "the write half of a dual makes packets of a stream" {
    both write_half 'pipe!!udp-sendto:127.0.0.1:PORT'
    both write_half 'open:/dev/null!!udp:127.0.0.1:PORT'
    write_half catena 'udp-datagram:127.0.0.1:PORT%open:/dev/null'
}

@test "the write half of a dual takes packets as they are" {
    receiver recv:3
    start relay "$CATENA_BIN" -t 0.2 "unix-recv:$T/s!!open:/dev/null,wronly" \
        "open:/dev/null!!udp-sendto:127.0.0.1:$port" </dev/null
    wait_for 5 unix_there "$T/s"
    packets to "unix:$T/s" fill:10 fill:20000 fill:30
    finish receiver
    same "10 20000 30" "$(sizes)"
}

@test "an error of the write half names the write half, and both sizes" {
    head -c 100000 /dev/zero >in
    run catena -t 0.3 -b 70000 open:in "open:/dev/null!!udp-sendto:127.0.0.1:$P"
    same 1 "$status"
    has "$output" '"udp-sendto": writing 70000 bytes where a message has at most 65507 failed'
    run catena -t 0.3 -b 70000 "open:/dev/null!!udp-sendto:127.0.0.1:$P" open:in
    has "$output" 'first address "udp-sendto": writing 70000 bytes'
}

@test "a half that stalls takes nothing, and nothing is missed" {
    same "" "$(catena -t 0.2 -T 0.5 text:lost 'text:hello!!stall' 2>&1 | grep -v hello || :)"
}

@test "the read half of a dual ends when its one message has been read" {
    mountpoint -q /dev/mqueue || skip "no POSIX message queues to be seen"
    start out "$CATENA_BIN" -t 1 "posixmq-recv:/records$$,unlink-close!!open:/dev/null,wronly" \
        'open:/dev/null!!create:got' </dev/null
    wait_for 5 test -e "/dev/mqueue/records$$"
    "$CATENA_BIN" -u text:hello "posixmq-send:/records$$"
    finish out
    same hello "$(<got)"
}

@test "a program in the place of the process finds its client's packet in the socket" {
    for how in '' ,fork; do
        start server "$CATENA_BIN" "udp-listen:$P$how" exec:cat,nofork </dev/null
        wait_for 5 bound "$P"
        same 5 "$(packets to "$P" fill:5 recv)"
        quit server
        for left in $(marked); do kill "$left" 2>/dev/null || :; done
        wait_for 5 nothing_left
    done
}

# --- long messages -------------------------------------------------------------------------------

long_unix() {
    start out "$1" -u -d -d -d "$2:$T/s${3:-}" open:got,creat,append </dev/null
    wait_for 5 unix_there "$T/s"
    packets to "unix:$T/s" fill:70000 fill:200000 fill:5
    wait_for 5 size_is got 270005
    quit out
    same "70000 200000 5" "$(sed -n 's/.*received packet with \([0-9]*\) .*/\1/p' out.err | paste -sd' ')"
    rm -f got s
}
@test "UNIX packets are as long as the kernel lets them be" {
    long_unix "$CATENA_BIN" unix-recv
    long_unix "$(socat_link)" unix-recv
}

@test "and stay whole on their way to another socket" {
    for how in '' ,fork ,thread; do
        here=$T/here${how#,}
        receiver "unix:$T/there" recv:1
        start relay "$CATENA_BIN" "unix-recvfrom:$here$how" "unix-sendto:$T/there,sndbuf=400000" </dev/null
        wait_for 5 unix_there "$here"
        packets to "unix:$here" fill:150000
        finish receiver
        same 150000 "$(sizes)"
        quit relay
        rm -f there
    done
}

@test "messages of a seqpacket connection, too" {
    head -c 180000 /dev/urandom >in
    start out "$CATENA_BIN" -u "unix-listen:$T/s,so-type=5" create:got </dev/null
    wait_for 5 unix_there "$T/s"
    "$CATENA_BIN" -u -b 180000 open:in "unix:$T/s,so-type=5,sndbuf=400000"
    finish out
    cmp in got
}

@test "what is too long for where it goes is dropped with both sizes, and what follows passes; v1 ends" {
    receiver recv:1
    for name in "$CATENA_BIN" "$(socat_link)"; do
        start relay "$name" -u "unix-recv:$T/s" "udp-sendto:127.0.0.1:$port" </dev/null
        wait_for 5 unix_there "$T/s"
        [ "$name" = "$CATENA_BIN" ] || break
        packets to "unix:$T/s" fill:100000 fill:20
        finish receiver
        has "$(<relay.err)" ' W .*"udp-sendto": a packet of 100000 bytes has been dropped where a message has at most 65507'
        quit relay
    done
    packets to "unix:$T/s" fill:100000
    finish relay 1
    has "$(<relay.err)" ' E '
}

cut_off() {
    start out "$1" -u -b 1000 "udp-recv:$P" create:got </dev/null
    wait_for 5 bound "$P"
    packets to "$P" fill:3000 fill:20 fill:4000
    wait_for 5 size_is got 2020
    has "$(<out.err)" ' W .*3000 bytes has been cut to 1000.*-b'
    same 1 "$(grep -c ' W .*cut to' out.err)"
    quit out
    rm got
}
@test "-b cuts packets, as in v1, and says so" {
    cut_off "$CATENA_BIN"
    cut_off "$(socat_link)"
}

@test "under its own name what -b cuts off is lost" {
    start out "$CATENA_BIN" -u -b 1000 "udp-recvfrom:$P" create:got </dev/null
    wait_for 5 bound "$P"
    packets to "$P" fill:3000
    finish out 1
    has "$(<out.err)" '2000 bytes could not be delivered'
    start out "$(socat_link)" -u -b 1000 "udp-recvfrom:$P" create:got </dev/null
    wait_for 5 bound "$P"
    packets to "$P" fill:3000
    finish out
}

# --- clients that come together ------------------------------------------------------------------

# On a busy machine the system does not keep a thousand at once for us, nor this many where it gives packets little room.
many() { [ "$(</proc/sys/net/core/rmem_max)" -ge 1000000 ] && echo 500 || echo 200; }

together() {
    P=$("$PEER" freeport) # children of the server before still hold the other one
    start server "$CATENA_BIN" -T 5 "$1:$P,$2" pipe </dev/null
    wait_for 5 bound "$P"
    same "$4" "$(packets clients "$3$P" "$4")"
    quit server
    has_not "$(<server.err)" ' [EF] \|lost'
}
@test "each of many clients at once is answered" {
    together udp-listen fork '' 20
    together udp-listen thread '' 20
    together udp-listen thread '' "$(many)"
    together udp-listen fork '' "$(many)"
}

@test "so are those of UDP-Lite, and of a listener bound to one address" {
    "$CATENA_BIN" -h | grep -qi udplite && [ -e /proc/net/udplite ] || skip "no UDP-Lite"
    together udplite4-listen fork lite: 50
    together udp4-listen "thread,bind=127.0.0.1" '' 50
    together udp6-listen "fork,ipv6only=0" '' 50
}

@test "packets that the system has dropped are told of" {
    start server "$CATENA_BIN" -T 5 "udp-listen:$P,fork,rcvbuf=4000" pipe </dev/null
    wait_for 5 bound "$P"
    kill -STOP "$(<server.pid)"
    start flood "$CATENA_TOOLS/packets" to "$P" fill:1000 fill:1000 fill:1000 fill:1000 fill:1000 \
        fill:1000 fill:1000 fill:1000 fill:1000 fill:1000 </dev/null
    finish flood
    kill -CONT "$(<server.pid)"
    wait_for 5 file_has server.err ' W [0-9]* packets were lost: .*rcvbuf='
}

@test "many DTLS clients at once" {
    make_certs .
    for how in fork thread; do
        start server "$CATENA_BIN" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0,$how" pipe </dev/null
        wait_for 5 bound "$P"
        for i in {1..20}; do
            start "c$i" "$CATENA_BIN" -t 10 "text:client $i!!open:c$i.got,creat,wronly" \
                "dtls:127.0.0.1:$P,cafile=ca.crt" </dev/null
        done
        for i in {1..20}; do wait_for 15 size_is "c$i.got" "$(printf 'client %s' "$i" | wc -c)"; done
        quit server
        for i in {1..20}; do
            same "client $i" "$(<"c$i.got")"
            kill "$(<"c$i.pid")" 2>/dev/null || :
            wait_for 5 is_gone "$(<"c$i.pid")"
            rm "c$i.got"
        done
    done
}

# --- a receiver that has no room -----------------------------------------------------------------

@test "packets for a UNIX socket that is full wait, and all arrive" {
    for how in '' ,thread; do
        start relay "$CATENA_BIN" "udp-listen:$P$how" "unix-sendto:$T/full" </dev/null
        receiver "unix:$T/full" until:go recv:60
        wait_for 5 bound "$P"
        # shellcheck disable=SC2046
        packets to "$P" $(printf 'fill:%s ' {1..60})
        touch go
        finish receiver
        same "$(printf '%s ' {1..60})" "$(sizes) "
        quit relay
        rm -f go full
    done
}

# --- packets over TLS ----------------------------------------------------------------------------

# over_tls <options of the server>: eighty packets, which fit any receive buffer, there and back.
over_tls() {
    q=$("$PEER" freeport)
    # shellcheck disable=SC2046
    receiver recv:80 $(printf "fill:%s " {1..80})
    start_listener server -T 5 "openssl-listen:0,cert=server.pem,verify=0$1" "udp:127.0.0.1:$port,rcvbuf=400000"
    start client "$CATENA_BIN" -T 5 "udp-listen:$q,rcvbuf=400000" \
        "openssl:127.0.0.1:$port,cafile=ca.crt" </dev/null
    wait_for 5 bound "$q"
    # shellcheck disable=SC2046
    start sender "$CATENA_TOOLS/packets" to "$q" $(printf 'fill:%s ' {1001..1080}) recv:80 </dev/null
    finish sender
    finish receiver
    same "$(printf '%s ' {1001..1080})" "$(sizes) "
    same "$(printf '%s ' {1..80})" "$(paste -sd' ' sender.out) "
    quit server
    quit client
}
@test "one packet is one TLS record, and the other way round" {
    make_certs .
    over_tls ''
    over_tls ,fork
    over_tls ,thread
}

@test "also those that come with the end of the handshake, and before a dump" {
    make_certs .
    printf 'fill:%s\n' {1..40} >steps
    receiver recv:40
    start_listener server -x -u -T 5 'openssl-listen:0,cert=server.pem,verify=0' "udp-sendto:127.0.0.1:$port"
    start client "$CATENA_BIN" -u -T 2 "unix-recv:$T/s" "openssl:127.0.0.1:$port,cafile=ca.crt" </dev/null
    wait_for 5 unix_there "$T/s"
    # shellcheck disable=SC2046
    packets to "unix:$T/s" $(<steps)
    finish receiver
    same "$(printf '%s ' {1..40})" "$(sizes) "
}

@test "a packet that no TLS record can hold is told of" {
    make_certs .
    start_listener server -u 'openssl-listen:0,cert=server.pem,verify=0' create:got
    start client "$CATENA_BIN" -u "unix-recvfrom:$T/s" "openssl:127.0.0.1:$port,cafile=ca.crt" </dev/null
    wait_for 5 unix_there "$T/s"
    packets to "unix:$T/s" fill:20000
    finish client
    finish server
    size_is got 20000
    has "$(<client.err)" ' W .*20000 bytes becomes several TLS records of up to 16384'
    rm -f got s
    start_listener server -u 'openssl-dtls-server:0,pf=ip4,bind=127.0.0.1,cert=server.pem,verify=0' create:got
    start client "$CATENA_BIN" -u "unix-recvfrom:$T/s" "openssl-dtls-client:127.0.0.1:$port,cafile=ca.crt" </dev/null
    wait_for 5 unix_there "$T/s"
    packets to "unix:$T/s" fill:20000
    finish client
    has "$(<client.err)" ' W .*20000 bytes becomes several DTLS records of up to 16384'
}
