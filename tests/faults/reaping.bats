#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# As process 1 of a container, or as a subreaper, the program gets children that it has not started.
# All are collected, and nobody's status is taken away.
load ../helpers

# Runs its arguments in its place as the process to which orphans below it go.
cat_subreaper='
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])'
subreaper() { exec python3 -c "$cat_subreaper" "$@"; }

adopts() { # <program> <arguments...>
    start server subreaper "$1" -d -d "${@:2}" </dev/null
    server=$pid
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
}

childless() { [ -z "$(pgrep -P "$1")" ]; }

# Five clients that leave early, each program leaves two orphans.
leavers() { # <program> <options>
    adopts "$1" "tcp-listen:0,bind=127.0.0.1,$2" "system:'(sleep 0.3 & sleep 0.5 &) ; echo hi; sleep 0.4; echo late'"
    for i in 1 2 3 4 5; do timeout "$LIMIT" "$PEER" connect "$port" send:x line; done >clients
    same 'hi hi hi hi hi' "$(paste -sd' ' clients)"
    wait_for 10 childless "$server"
    timeout "$LIMIT" "$PEER" connect "$port" shut line >client
    same hi "$(<client)"
    kill "$server"
    finish server 143
    wait_for 10 nothing_left
}

@test "fork" { leavers "$CATENA_BIN" fork; }
@test "thread" { leavers "$CATENA_BIN" thread; }
@test "fork, under the name socat" { leavers "$(socat_link)" fork; }
@test "fork, max-children" { leavers "$CATENA_BIN" fork,max-children=2; }

@test "as process 1 of a container" {
    unshare -rpf --mount-proc true 2>/dev/null || skip "no new namespaces here"
    printf '#!/bin/sh\nsleep 0.3\necho x\nsleep 0.3\n' >prog.sh
    chmod +x prog.sh
    start_inside() { unshare -rpf --mount-proc --kill-child "$CATENA_BIN" -d -d "$@"; }
    start outer start_inside unix-listen:s,fork exec:./prog.sh </dev/null
    wait_for 5 unix_listens s
    inner=$(pgrep -P "$(pgrep -P "$pid" || echo "$pid")" | head -n 1)
    inner=${inner:-$(pgrep -P "$pid")}
    for i in 1 2 3 4 5; do timeout "$LIMIT" "$PEER" connect unix:s send:x line; done >clients
    wait_for 10 childless "$inner"
    same 5 "$(wc -l <clients)"
    kill "$inner"
    finish outer 143
}

@test "a run that lasts" {
    mkfifo in
    for second in "system:'(sleep 0.1 & sleep 0.2 &) ; exec cat'" \
        "system1:'(sleep 0.1 & sleep 0.2 &) ; exec cat'%nop|exec:cat"; do
        start run subreaper "$CATENA_BIN" - "$second" <>in
        run=$pid
        echo one >in
        wait_for 5 file_has run.out one
        wait_for 5 only_programs
        same 0 "$(zombies "$run")"
        kill "$run"
        finish run 143
        assert_nothing_left
    done
}
only_programs() { ! ps --ppid "$run" -o comm= | grep -q sleep; }

@test "the status of a program is nobody else's" {
    for second in "system:'(sleep 0.1 &) ; sleep 0.3; exit 3'" "system:'(sleep 0.1 &) ; exit 3'" \
        "system:'sleep 0.3; exit 3',pty" "system:'exit 3'"; do
        for i in 1 2 3; do
            run subreaper "$CATENA_BIN" -U - "$second" </dev/null
            same 1 "$status"
            has "$output" ' W .*exited with status 3 \[E-PROGRAM\]$'
        done
    done
    adopts "$CATENA_BIN" tcp-listen:0,bind=127.0.0.1,thread "system:'(sleep 0.1 &) ; sleep 0.2; exit 5'"
    for i in 1 2 3 4; do start "c$i" "$PEER" connect "$port" eof </dev/null; done
    wait_for 5 all_failed
    kill "$server"
    finish server 143
}
all_failed() { [ "$(grep -c ' W .*exited with status 5 \[E-PROGRAM\]$' server.err)" = 4 ]; }

@test "children from before an exec" {
    start server sh -c "sleep 0.2 & true & exec '$CATENA_BIN' -d -d tcp-listen:0,bind=127.0.0.1,fork pipe" </dev/null
    wait_for 5 file_has server.err 'listening on'
    wait_for 5 childless "$pid"
    kill "$pid"
    finish server 143
}
