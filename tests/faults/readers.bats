#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A reader that goes while nothing is written: seen at once, and the run ends as a write would end it.
load ../helpers

# left <status> <arguments...>: its standard output is a pipe that is closed in a quiet time; peer is
# what talks to it.
left() {
    local wanted=$1 reader=${reader:-true}
    shift
    echo "# $*"
    { "${bin:-$CATENA_BIN}" "$@" <>in 2>err || echo $? >status; echo done >over; } | $reader >/dev/null &
    local line=$!
    wait_for 5 test -e over || return 1
    wait "$line" || :
    same "$wanted" "$(cat status 2>/dev/null || echo 0)"
    rm -f over status
    [ -z "${server:-}" ] || kill "$server"
    server=
}

prepare() { mkfifo in; }
quiet_peer() {
    start_peer server "$@" until:never
    server=$(<server.pid)
}

@test "of standard output: -u, -U, both ways, both names" {
    for bin in "$CATENA_BIN" "$(socat_link)"; do
        left 1 -u - stdout
        has "$(<err)" ' E .*[Bb]roken pipe'
        left 1 -U stdout -
        for way in '-u @ stdout' '-U stdout @' '@ -' '- @'; do
            quiet_peer
            # shellcheck disable=SC2086
            left 1 ${way/@/tcp:127.0.0.1:$port}
        done
    done
}

@test "after data, on every way that it takes" {
    for n in 1000 4000000; do
        reader="head -c $n"
        quiet_peer gen:$n
        left 1 -u "tcp:127.0.0.1:$port" stdout
        quiet_peer gen:$n
        left 1 "tcp:127.0.0.1:$port" -
        quiet_peer gen:$n
        left 1 -u "tcp:127.0.0.1:$port" 'nop|stdout'
        quiet_peer gen:$n
        left 1 --unfused -u "tcp:127.0.0.1:$port" 'nop|stdout'
    done
}

@test "of standard output, when standard input has long ended: an error each time" {
    head -c 3000000 /dev/urandom >big
    for _ in 1 2 3 4 5 6; do
        for from in 'exec:cat big,pty,raw' 'exec:cat big' 'system:cat big 2>/dev/null; exit 1,pipes'; do
            { status=0; catena - "$from" </dev/null 2>err || status=$?; echo "$status" >status; } | head -c 1 >/dev/null
            same 1 "$(<status)"
            has "$(<err)" ' E '
        done
    done
}

@test "cool-write takes it for a normal end" {
    quiet_peer
    left 0 -u "tcp:127.0.0.1:$port" stdout,cool-write
}

@test "of a connection" {
    start_peer server until:go reset
    start run "$CATENA_BIN" -d -d -u - "tcp:127.0.0.1:$port" <>in
    wait_for 5 file_has run.err 'starting data transfer'
    touch go
    finish run 1
    has "$(<run.err)" ' E .*[Cc]onnection reset by peer'
    start server "$PEER" listen unix:s </dev/null
    wait_for 5 unix_listens s
    run catena -u - unix:s <>in
    same 1 "$status"
    has "$output" ' E .*[Bb]roken pipe'
}

@test "of a program: its status counts" {
    for how in '' ,pipes ,pty; do
        run catena -u - "exec:true$how" <>in
        same 0 "$status"
    done
    for how in '' ,pipes; do
        run catena -u - "system:exit 3$how" <>in
        same 1 "$status"
    done
    run catena -u - 'exec1:true|create:out' <>in
    same 0 "$status"
    # who only has closed its input goes on
    run catena - "system:'exec <&-; sleep 0.7; echo late',pipes" <>in
    same late "$output"
}

# calm <pid>: it sleeps.
calm() {
    local before
    before=$(cut -d' ' -f14,15 <"/proc/$1/stat")
    sleep 0.3
    local after
    after=$(cut -d' ' -f14,15 <"/proc/$1/stat")
    ((${after% *} + ${after#* } - ${before% *} - ${before#* } < 10))
}

@test "readers that may come back: a FIFO's, a terminal's" {
    mkfifo fifo
    start run "$CATENA_BIN" -u - open:fifo,wronly,nonblock=0 <>in
    run=$pid
    exec 7<fifo
    echo one >in
    read -r line <&7
    same one "$line"
    exec 7<&-
    calm "$run"
    exec 7<fifo
    echo two >in
    read -r line <&7
    same two "$line"
    exec 7<&-
    kill "$run"
    finish run 143
    start run "$CATENA_BIN" -u - "pty,raw,link=$T/tty" <>in
    wait_for 5 test -e tty
    exec 8<tty
    exec 8<&-
    calm "$pid"
    kill "$pid"
    finish run 143
}

@test "packets have no reader that goes" {
    start run "$CATENA_BIN" -u - "udp:127.0.0.1:$(free_port)" <>in
    wait_for 5 file_has run.err . || :
    echo x >in
    calm "$pid"
    kill "$pid"
    wait "$pid" || :
}
