#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of programs: in a chain (one-way and two-way) and at its end, over every kind of
# descriptor: a program that dies, is killed, stops reading, closes early, never ends, or leaves
# something behind that holds its descriptors.
load matrix

@test "exits with a status: what it wrote is delivered, and the status fails the run" {
    for how in '' ,pipes ,pty,raw ,stderr; do
        try 1 ' exited with status 3' -u "system:'head -c 1000 $IN; exit 3'$how" create:out
        got 1000
    done
    for how in -cS -cp -cs; do
        try 1 ' exited with status 3' $how -u "open:$IN" "system1:'head -c 1000; exit 3'|create:out"
        got 1000
        try 1 ' exited with status 3' $how -u "^system1:'cat; exit 3'|open:$IN" create:out
        got "$N"
    done
    well
}

@test "killed: what it wrote is delivered, and the signal is named" {
    for how in '' ,pipes ,pty,raw; do
        try 1 ' exited on signal 9' -u "system:'head -c 1000 $IN; kill -9 \$\$'$how" create:out
        got 1000
    done
    for how in -cS -cp -cs; do
        try 1 ' exited on signal 9' $how -u "open:$IN" "system1:'head -c 1000; kill -9 \$\$'|create:out"
        got 1000
        try 1 ' exited on signal 11' $how -u "^system1:'head -c 1000; kill -11 \$\$'|open:$IN" create:out
        got 1000
    done
    well
}

@test "cannot be started" {
    try 1 ' E .*nothing-here' - exec:nothing-here
    try 1 ' E .*nothing-here' - exec:nothing-here,pty
    try 1 ' E .*nothing-here' - "exec:$T/nothing-here,pipes"
    try 1 ' E .*nothing-here' -u - "exec1:nothing-here|create:out"
    try 1 ' E .*nothing-here' - "exec:nothing-here|pipe"
    try 1 'exited with 127: command not found' - system:nothing-here
    echo text >plain && chmod 644 plain
    try 1 ' E .*permission denied' - "exec:$T/plain"
    try 1 ' E .*permission denied' -u - "exec1:$T/plain|create:out"
    well
}

@test "stops reading and ends well: a reader that has had enough is no error" {
    for how in '' ,pipes; do
        try 0 'without reading [0-9]* bytes' -d -d -u "open:$BIG" "system:'head -c 1000 >/dev/null'$how"
    done
    try 0 'without reading [0-9]* bytes' -d -d -u "open:$BIG" "system1:'head -c 1000'|create:out"
    got 1000
    well
}

@test "closes its input and goes on writing" {
    for how in '' ,pipes; do
        try 0 '' -u "system:'exec <&-; cat $IN'$how" create:out
        got "$N"
    done
    try 0 '' -u "^system1:'exec <&-; cat $IN'|open:/dev/null" create:out
    got "$N"
    well
}

@test "closes its output and lives on: the run ends, and the program with it" {
    for how in '' ,pipes; do
        try 0 - -d0 -u "system:'cat $IN; exec >&- 2>&-; exec sleep 1000'$how" create:out
        got "$N"
    done
    try 0 - -d0 -u "^system1:'cat; exec >&- 2>&-; exec sleep 1000'|open:$IN" create:out
    got "$N"
    well
}

@test "never reads: -T ends the run and the program" {
    for how in '' ,pipes; do
        try 1 'not be delivered' -T 0.3 -u "open:$BIG" "exec:'sleep 1000'$how"
    done
    try 1 'not be delivered' -T 0.3 -u "open:$BIG" 'exec1:sleep 1000|create:out'
    well
}

@test "ignores SIGTERM: nobody waits for it" {
    for how in '' ,pipes; do
        try 0 - -d0 -T 0.3 pipe "system:'trap \"\" TERM; exec sleep 1000'$how"
    done
    for pid in $(marked); do kill -KILL "$pid"; done
    well
}

# The grandchild holds the descriptors: no end of file comes when the program itself has ended.
@test "leaves a grandchild that holds its descriptors" {
    for how in '' ,pipes; do
        try 0 '' -T 0.3 -u "system:'cat $IN; sleep 1000 & exit 0'$how" create:out
        got "$N"
        for pid in $(marked); do kill "$pid"; done
    done
    try 0 '' -T 0.3 -u "^system1:'cat; sleep 1000 & exit 0'|open:$IN" create:out
    got "$N"
    for pid in $(marked); do kill "$pid"; done
    well
}

@test "a grandchild that lets go of the descriptors is left alone" {
    try 0 '' -u "system:'cat $IN; sleep 1000 </dev/null >/dev/null 2>&1 & echo \$! >grandchild'" create:out
    got "$N"
    kill "$(<grandchild)"
    well
}

terminal() { # <options>: a pseudo terminal into a file
    cells=$((cells + 1)) last="pty,$1"
    rm -f out tty
    start run "$CATENA_BIN" -u "pty,raw,link=$T/tty,$1" create:out </dev/null
    wait_for 5 test -e tty
    head -c 1000 "$IN" >tty
}

comes_back() {
    wait_for 5 size_is out 1000
    exec 8<>tty
    head -c 2000 "$IN" | tail -c 1000 >&8
    wait_for 5 size_is out 2000
    kill "$pid"
    finish run 143
    exec 8>&-
    got 2000
}

@test "a terminal whose other side hangs up" {
    terminal wait-slave,pty-interval=0.01,perm=600
    finish run
    got 1000
    # And one that may come back.
    terminal perm=600
    comes_back
    terminal wait-slave,pty-interval=0.01,sitout-eio=30
    comes_back
    well
}

@test "an end in the middle of a chain of programs ends them all" {
    try 1 'exited on signal 9' -u "open:$BIG" "exec1:cat|system1:'head -c 1000; kill -9 \$\$'|exec1:cat|create:out"
    got 1000
    try 1 'exited with status 5' -u "open:$IN" "exec1:cat|system1:'cat; exit 5'|exec1:cat|create:out"
    got "$N"
    well
}

# The first signal to the program ends what it has started, grandchildren in the way or not.
@test "SIGTERM to the program reaches every program of the line" {
    cells=$((cells + 1))
    start run "$CATENA_BIN" pipe "exec1:cat%exec1:cat|exec:'sleep 1000'" </dev/null
    programs() { [ "$(pgrep -cP "$pid")" = 3 ]; }
    wait_for 5 programs
    kill "$pid"
    finish run 143
    well
}

@test "a terminal whose other side is away (sitout-eio): a signal ends the wait, a client that returns goes on" {
    start run "$CATENA_BIN" -u "pty,raw,link=tty,wait-slave,pty-interval=0.01,sitout-eio=30" create:out </dev/null
    wait_for 5 test -e tty
    printf one >tty
    wait_for 5 size_is out 3
    printf two >tty
    wait_for 5 size_is out 6
    kill "$(<run.pid)"
    finish run 143
    same onetwo "$(<out)"
    cells=1
    well
}

@test "the end of a program that writes packets is their end" {
    for keyword in exec system; do
        try 0 '' -u "$keyword:'head -c 1000 $IN',socktype=2" create:out
        got 1000
    done
    well
}
