#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What one connection of a listener meets does not stand in the way of the others, nor of what comes
# behind it: the same with fork and with thread.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

# The processes that serve connections of that listener.
serving() {
    local children
    children=$(pgrep -P "$(<server.pid)") || :
    echo "${children:-$(<server.pid)}"
}

# stopped <command...>: while nobody looks, so that all that comes is found at once.
stopped() {
    local pids status=0
    pids=$(serving)
    # shellcheck disable=SC2086
    kill -STOP $pids
    "$@" || status=$?
    # shellcheck disable=SC2086
    kill -CONT $pids
    return $status
}

echoes() { # <text>: an echo in good time
    same "$1" "$(echo "$1" | timeout "$LIMIT" "$CATENA_BIN" -t 5 - "tcp:127.0.0.1:$port")"
}

@test "packets of others in front of the answer" {
    packets=$CATENA_TOOLS/packets
    for how in fork thread; do
        for way in udp-sendto udp; do
            echo "# $how $way"
            rm -f go
            start peer "$packets" at recv until:go send:answer until:never </dev/null
            wait_for 10 file_has peer.out '^port'
            own=$(free_port)
            start_listener server "tcp-listen:0,bind=127.0.0.1,$how" \
                "$way:127.0.0.1:$(sed -n 's/^port //p' peer.out),bind=127.0.0.1:$own,reuseaddr"
            start client "$PEER" connect "$port" send:question recv:6 </dev/null
            wait_for 10 file_has peer.out '^8$'
            stopped in_front
            finish client
            has "$(<client.out)" answer
            kill "$(<server.pid)" "$(<peer.pid)"
            wait_for 10 is_gone "$(<server.pid)"
        done
    done
}
in_front() {
    # those of others are not even delivered to a connected socket
    "$packets" to "$own" many:100 2>/dev/null || :
    local n
    n=$(queued)
    touch go
    wait_for 10 queued_more_than "$n"
}
queued() { ss -Huan "sport = :$own" | awk '{n += $2} END {print n + 0}'; }
queued_more_than() { [ "$(queued)" -gt "$1" ]; }

@test "empty datagrams in front of a record of DTLS" {
    for how in fork thread; do
        echo "# $how"
        start_listener server "dtls-listen:0,bind=127.0.0.1,$how,cert=$BATS_FILE_TMPDIR/certs/server.pem,verify=0" pipe
        start net "$CATENA_TOOLS/packets" relay "$port" void:c1- </dev/null
        wait_for 10 file_has net.out '^port'
        mkfifo words
        exec 8<>words
        start client "$CATENA_BIN" - "dtls:127.0.0.1:$(sed -n 's/^port //p' net.out),verify=0" <words
        echo one >&8
        wait_for 10 file_has client.out one
        stopped says_two
        wait_for 10 file_has client.out two
        exec 8>&-
        kill "$(<client.pid)" "$(<server.pid)" "$(<net.pid)"
        rm words
    done
}
says_two() {
    local n
    n=$(grep -c '^c' net.out)
    echo two >&8
    wait_for 10 more_than "$n"
}
more_than() { [ "$(grep -c '^c' net.out)" -gt "$1" ]; }

@test "a close that waits (linger) is nobody else's" {
    # the first connection is never read, the others are echoes
    printf '#!/bin/sh\nmkdir first 2>/dev/null && exec sleep 1000\nexec cat\n' >serve
    chmod +x serve
    start_listener backend tcp-listen:0,bind=127.0.0.1,rcvbuf=4096,fork exec:./serve
    start_listener server tcp-listen:0,bind=127.0.0.1,thread "tcp:127.0.0.1:$port,linger=1000"
    # all that the first one sends is taken, but not all of it by the backend
    start stuck "$PEER" connect "$port" gen:1000000 drained "until:$T/go" reset </dev/null
    wait_for 10 test -e first
    start others "$PEER" hold "$port" 4 </dev/null
    wait_for 10 file_has others.out 4
    touch go
    finish stuck
    wait_for 10 file_has server.err 'reset by peer'
    for n in 1 2 3 4; do echoes "$n"; done
    kill "$(<others.pid)" "$(<server.pid)" "$(<backend.pid)"
}

@test "a raw dump into a FIFO that nobody reads stops its own connection alone" {
    for switch in -r -R; do
        # shellcheck disable=SC2016 # the name is expanded for each connection
        start_listener server $switch 'dump-$SOCAT_PEERPORT' tcp-listen:0,bind=127.0.0.1,thread pipe
        local own
        own=$(free_port)
        mkfifo "dump-$own"
        exec 7<>"dump-$own"
        start stuck "$CATENA_BIN" -u open:/dev/zero "tcp:127.0.0.1:$port,sourceport=$own" </dev/null
        wait_for 10 stands "$own"
        for n in 1 2 3 4; do echoes "$n"; done
        kill "$(<stuck.pid)"
        exec 7>&-
        kill "$(<server.pid)"
        wait_for 10 is_gone "$(<server.pid)"
        rm -f dump-*
    done
}
# What it sends is not taken any more.
stands() {
    local a b
    a=$(ss -Htn "sport = :$1" | awk '{print $3}')
    sleep 0.1
    b=$(ss -Htn "sport = :$1" | awk '{print $3}')
    [ "$a" = "$b" ] && [ "${a:-0}" -gt 0 ]
}
