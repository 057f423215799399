#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of datagrams, UDP and UNIX: a peer that is not there or goes away, packets that are
# too large, empty or cut, receivers that take nothing, senders that never stop.
# bats file_tags=thread
load matrix

# at <name> [unix:<path>] <steps...>: a bound socket of the test; its port is then in $port.
at() {
    local name=$1
    shift
    start "$name" "$CATENA_TOOLS/packets" at "$@" </dev/null
    wait_for 10 file_has "$name.out" '^\(port\|ready\)'
    port=$(sed -n 's/^port //p' "$name.out")
}

# to <port>|unix:<path> <steps...>: sends to it, and is done.
to() { "$CATENA_TOOLS/packets" to "$@"; }

# A receiving catena; in $port and $server when it can be reached.
serve() { # <arguments...>
    start server "$CATENA_BIN" -d -d "$@" </dev/null
    server=$pid
    wait_for 10 file_has server.err 'listening on\|receiving on\|bound to' || {
        cat server.err
        return 1
    }
    port=$(sed -n 's/.*\(listening on\|receiving on\|bound to\) AF=[0-9]* .*:\([0-9][0-9]*\)$/\2/p' server.err | head -n 1)
}

stop() { end "$server" && finish server 143; }

# The peers may go.
well_over() { : >over && well; }

# part <what> <command...>: one cell that is more than one command. In here, a function says "|| return" itself.
part() {
    cells=$((cells + 1))
    "${@:2}" || failures+=("$1")
}

@test "nobody is there: where the system tells, the run fails" {
    port=$(free_port)
    for way in udp udp4 udp-connect; do
        try 1 " E .*\"$way\".*connection refused" -u "open:$IN" "$way:127.0.0.1:$port"
        try 1 " E .*\"$way\".*connection refused" -T 5 "open:$IN!!stall" "$way:127.0.0.1:$port"
    done
    # Those that talk to anybody are not told.
    for way in udp-sendto udp-datagram; do
        try 0 '' -u "open:$IN" "$way:127.0.0.1:$port"
    done
    at gone unix:gone recv
    kill "$pid" && finish gone 143
    try 1 ' E .*"unix-sendto".*connection refused' -u "open:$IN" unix-sendto:gone
    try 1 ' E .*"unix-client".*connection refused' -u "open:$IN" unix-client:gone
    try 1 ' E .*"unix-connect".*connection refused' -u "open:$IN" unix-connect:gone,socktype=2
    try 1 ' E .*"unix-sendto".*no such file' -u "open:$IN" unix-sendto:never
    try 1 ' E .*"abstract-sendto".*connection refused' -u "open:$IN" "abstract-sendto:$T/never"
    well
}

heard() { [ "$(grep -c '^[0-9]' "$1.out")" = "$2" ]; } # so many packets have come

leaves() { # <address> <what it then says> [unix:<path>]: the peer takes three packets and goes
    at peer ${3:+"$3"} recv:3
    mkfifo more
    start run "$CATENA_BIN" -u open:more "${1//PORT/$port}" </dev/null
    exec 8>more
    for i in 1 2 3; do
        head -c 100 "$IN" >&8
        wait_for 5 heard peer $i || return # a packet of its own
    done
    finish peer || return
    wait_for 5 ends_fed "$(<run.pid)" || return
    exec 8>&-
    rm more
    finish run 1 || return
    has "$(<run.err)" " E .*$2"
}
ends_fed() { is_gone "$1" || ! head -c 100 "$IN" >&8; }

@test "the peer goes away in between" {
    part udp leaves udp:127.0.0.1:PORT 'connection refused'
    part unix leaves unix-sendto:peer 'connection refused' unix:peer
    well
}

# blocks of a given size: for one run of its own
# bats test_tags=single
@test "too large for a packet" {
    at peer until:over
    for way in udp udp-sendto udp-datagram; do
        try 1 " E .*\"$way\".*message too long" -b 70000 -u "open:$IN" "$way:127.0.0.1:$port"
    done
    try 1 ' E .*"udp".*message too long' -b 70000 -u "open:$IN" "nop|udp:127.0.0.1:$port"
    start deaf "$CATENA_TOOLS/packets" at unix:deaf until:over </dev/null
    wait_for 5 test -S deaf
    try 1 ' E .*"unix-sendto".*message too long' -b 8000000 -u "open:$BIG" unix-sendto:deaf,sndbuf=5000
    # Without -b a stream is cut into packets that fit.
    try 0 '' -u "open:$IN" "udp:127.0.0.1:$port"
    well_over
}

holds() { [ "$(stat -c %s "$1" 2>/dev/null)" = "$2" ]; }

@test "empty packets: nothing for those that hear anybody, the end for those that have a peer" {
    serve -u udp-recv:0,pf=ip4 create:out
    to "$port" empty send:one empty empty send:two
    part udp-recv wait_for 5 holds out 6
    stop
    serve -u udp-recv:0,pf=ip4,null-eof create:out2
    to "$port" send:one empty send:two
    part null-eof finish server
    same one "$(<out2)"
    serve -u udp-listen:0,bind=127.0.0.1 create:out3
    to "$port" send:one empty send:two
    part udp-listen finish server
    same one "$(<out3)"
    serve -u udp-recvfrom:0,pf=ip4 create:out4
    to "$port" empty send:one
    part udp-recvfrom finish server
    same one "$(<out4)"
    at peer recv empty until:over
    try 0 '' "text:hello!!create:out5" "udp:127.0.0.1:$port"
    same '' "$(<out5)"
    well_over
}

@test "longer than what is read: cut, told, and the next one is whole" {
    serve -b 512 -u udp-recv:0,pf=ip4 create:out
    to "$port" fill:512 fill:1000 fill:65000 fill:100
    part udp-recv wait_for 5 holds out $((3 * 512 + 100))
    same 2 "$(grep -c 'has been cut' server.err)"
    stop
    start server "$CATENA_BIN" -d -d -b 512 -u unix-recv:in create:out2 </dev/null
    server=$pid
    wait_for 5 test -S in
    to unix:in fill:512 fill:1000 fill:65000 fill:100
    part unix-recv wait_for 5 holds out2 $((3 * 512 + 100))
    same 2 "$(grep -c 'has been cut' server.err)"
    stop
    well
}

# As many packets as a UNIX socket holds wait in it, and the sender for room.
# blocks of a given size: for one run of its own
# bats test_tags=single
@test "a receiver that takes nothing" {
    start deaf "$CATENA_TOOLS/packets" at unix:deaf until:go recv:5 </dev/null
    wait_for 5 test -S deaf
    try 1 'could not be delivered' -T 0.3 -u "open:$IN" unix-sendto:deaf
    try 0 '' -T 0.3 -u "open:$IN" unix-client:deaf # says so in time: nothing is taken for it
    start run "$CATENA_BIN" -d -d -u open:/dev/zero unix-sendto:deaf </dev/null
    wait_for 10 file_has run.err 'starting data transfer'
    part signal kill "$pid"
    finish run 143
    touch go
    finish deaf
    start slow "$CATENA_TOOLS/packets" at unix:slow until:go2 recv:200 </dev/null
    wait_for 5 test -S slow
    start run "$CATENA_BIN" -b 1000 -u "open:$IN" unix-sendto:slow </dev/null
    touch go2
    part slow finish run
    finish slow
    same 200 "$(grep -c '^1000$' slow.out)"
    # UDP drops what there is no room for, and nobody waits.
    at udp until:over
    try 0 '' -u "open:$BIG" "udp-sendto:127.0.0.1:$port"
    well_over
}

# flooded <sockets>: from now on somebody sends to the server without a pause.
flooded() { start flood "$CATENA_TOOLS/packets" flood "$port" "$1" </dev/null; }
unflooded() { kill "$(<flood.pid)" && finish flood 143; }

# Its end is an empty packet, which comes back, and the system tells that before the answer.
@test "an answer is read although its sender has gone by then" {
    for i in 1 2 3 4 5 6 7 8; do
        serve udp-recvfrom:0,bind=127.0.0.1 pipe
        part "$i" same hello "$(echo hello | "$CATENA_BIN" -t 5 - "udp:127.0.0.1:$port,readbytes=6")"
        finish server
    done
    well
}

@test "a flood: a signal ends its receiver, -T that of others' packets, and rules hold" {
    for address in udp-recv:0,pf=ip4 udp-recvfrom:0,pf=ip4,fork udp-listen:0,pf=ip4 \
        udp-recv:0,pf=ip4,range=10.0.0.0/8 udp-recvfrom:0,pf=ip4,range=10.0.0.0/8 \
        udp-listen:0,pf=ip4,range=10.0.0.0/8,fork; do
        serve -u "$address" open:/dev/null
        flooded 1
        wait_for 5 hears
        part "$address" stop
        unflooded
    done
    # What is refused keeps nothing alive.
    serve -T 0.5 -u udp-recv:0,pf=ip4,range=10.0.0.0/8 create:out
    flooded 1
    part "range, -T" finish server
    unflooded
    same 0 "$(stat -c %s out)"
    well
}
hears() { [ "$(awk '{ print $14 + $15 }' "/proc/$server/stat")" -gt 3 ]; } # ticks of the processor

@test "a flood from many: a listener serves others meanwhile, and has lost nothing afterwards" {
    for how in fork thread; do
        serve -T 1 udp-listen:0,bind=127.0.0.1,$how,max-children=40 pipe
        start flood "$CATENA_TOOLS/packets" flood "$port" 20 </dev/null
        part "$how, meanwhile" wait_for 10 answered
        unflooded
        part "$how, afterwards" wait_for 10 answered
        stop
    done
    well
}
answered() { [ "$(echo hello | timeout 2 "$CATENA_BIN" -t 1 - "udp:127.0.0.1:$port")" = hello ]; }
