#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Not bytes and texts, but who is whose parent, what comes before what and how far apart, which way a
# descriptor goes, whose a thing is that several share.
load common

prepare() {
    OURS=$(socat_link)
    printf 'one\ntwo\n' >in
}

# Part of what goes in.
quiet() { sleep "$1"; }

@test "nofork: SYSTEM calls its shell, the others become their program" {
    each both <<'ROWS'
- 'SYSTEM:cat /proc/$PPID/comm; cat',nofork
- 'SYSTEM:exit 3',nofork
- SYSTEM:cat,nofork
- EXEC:cat,nofork
STDIN!!STDOUT SYSTEM:cat,nofork
STDIN!!STDOUT EXEC:cat,nofork
-u - SYSTEM:cat,nofork
- EXEC:false,nofork
ROWS
    STATUS=137 ours_alone - 'SYSTEM:kill -9 $$',nofork # the reference says 0
    printf 'echo $$\nexec tail -f /dev/null\n' >id.sh
    start program "$OURS" - 'EXEC:sh id.sh,nofork' </dev/null
    wait_for 5 file_has program.out .
    same "$pid" "$(<program.out)"
    kill "$pid"
    finish program 143
}

@test "nofork: whoever ends the run ends the shell" {
    printf 'trap "echo told >told; exit" TERM; echo ready; while :; do sleep 0.02; done\n' >loop.sh
    start run "$OURS" - 'SYSTEM:exec sh loop.sh,nofork' </dev/null
    wait_for 5 file_has run.out ready
    kill "$pid"
    finish run 143
    wait_for 5 test -e told
    assert_nothing_left
}

# The keyboard's signals are the program's, as with system(3).
@test "nofork: SIGINT does not end who called the shell" {
    start run "$OURS" - 'SYSTEM:echo ready; while ! test -e go; do sleep 0.02; done; echo done',nofork </dev/null
    wait_for 5 file_has run.out ready
    kill -INT "$pid"
    touch go
    finish run
    has "$(<run.out)" done
}

@test "a descriptor goes the way it was opened" {
    for program in "$OURS" "$CATENA_BIN"; do
        rm -f out
        (echo early; quiet 0.8; echo late) | timeout "$LIMIT" "$program" FD:0 FD:1 >out
        same "$(printf 'early\nlate')" "$(<out)"
        same "$(<in)" "$(timeout "$LIMIT" "$program" - FD:3 3<in </dev/null)"
    done
    run timeout "$LIMIT" "$OURS" FD:0 FD:3 <in 3<in
    same 1 "$status"
    has "$output" ' E .*nothing can flow'
}

@test "-s: what is no terminal stays in use all the same" {
    each both <<'ROWS'
-s -u ../in,b9600 -
-s -u - GOPEN:out,raw
ROWS
}

@test "an option for terminals makes no file, and is not for files" {
    for address in ./ttyS9,b9600 OPEN:./ttyS9,creat,raw GOPEN:./ttyS9,echo=0; do
        run timeout "$LIMIT" "$OURS" -u /dev/null "$address"
        same 1 "$status"
        has "$output" ' E .*/ttyS9".*No such file'
        [ ! -e ttyS9 ]
    done
    run timeout "$LIMIT" "$OURS" -u ./in,b9600 -
    same 1 "$status"
    has "$output" ' E .*in" is a regular file'
}

@test "max-children is for those who serve many" {
    both_fail -u TCP4-LISTEN:0,max-children=2 -
    run timeout "$LIMIT" "$OURS" -n TCP4-LISTEN:0,max-children=2,fork -
    same 0 "$status"
    run timeout "$LIMIT" "$CATENA_BIN" -n TCP4-LISTEN:0,max-children=2,thread -
    same 0 "$status"
}

# A terminal opened by a session leader without one becomes its own.
@test "GOPEN takes a terminal as the reference does" {
    start pty "$OURS" "PTY,link=$T/tty,rawer" PIPE </dev/null
    wait_for 5 test -e tty
    taken() { # <program> <option>
        start user setsid "$1" -u "GOPEN:$T/tty$2" 'SYSTEM:ps -o tty= -p $PPID; exec tail -f /dev/null' </dev/null
        wait_for 5 file_has user.out .
        kill "$pid"
        wait_for 5 is_gone "$pid" || kill -KILL "$pid"
        sed 's,pts/.*,a terminal,' user.out
    }
    for option in '' ,noctty ,noctty=0; do
        same "$(taken "$REF_SOCAT" "$option")" "$(taken "$OURS" "$option")"
    done
    has "$(taken "$OURS" '')" terminal
    has "$(taken "$CATENA_BIN" '')" '?'
    kill "$(<pty.pid)"
}

# Microseconds of the log lines with that text, as the steps between them in tenths of seconds.
steps() {
    awk -v text="$2" '$0 ~ text { split($2, t, ":"); now = t[1] * 3600 + t[2] * 60 + t[3]
        if (before) print int((now - before) * 10 + 0.5); before = now }' "$1"
}

@test "interval: children of a client that forks" {
    queue=/catena-relations-$$
    "$CATENA_BIN" -u /dev/null "posixmq-send:$queue" || skip "no message queues here"
    start sender "$OURS" -lu -d -d -U "POSIXMQ-SEND:$queue,fork,interval=0.3" EXEC:true </dev/null
    parent=$pid
    several() { [ "$(grep -c "\[$parent\] N forked off" sender.err)" -ge 4 ]; }
    wait_for 10 several
    kill "$parent"
    finish sender 143
    for step in $(steps sender.err "\\[$parent\\] N forked off" | head -3); do
        ((step >= 3))
    done
    "$CATENA_BIN" -u /dev/null "posixmq-send:$queue,unlink-close"
}

@test "interval: catena's own name keeps it between connections that succeed" {
    start_listener server tcp4-listen:0,bind=127.0.0.1,fork system:true
    start client "$CATENA_BIN" -lu -d -d -u "tcp4:127.0.0.1:$port,fork,forever,interval=0.3" - </dev/null
    parent=$pid
    several() { [ "$(grep -c "\[$parent\] N forked off" client.err)" -ge 3 ]; }
    wait_for 10 several
    kill "$parent"
    finish client 143
    for step in $(steps client.err "\\[$parent\\] N forked off" | head -2); do
        ((step >= 3))
    done
}

@test "-d -d -d -d: the system calls of opening, relaying and closing" {
    start_peer peer recv:4 send:ok eof
    printf 'abc\n' >data
    "$OURS" -d -d -d -d -t 5 - "TCP4:127.0.0.1:$port,nodelay" <data >got 2>log
    for line in 'D socket(2, 1, 6)$' 'I socket(2, 1, 6) -> [0-9]*$' \
        'D setsockopt([0-9]*, 6, 1, {0x1}, 4)$' "D connect([0-9]*, {AF=2 127.0.0.1:$port}, 16)$" \
        'D poll({' 'D read(' ' -> 4$' 'D send(' 'I shutdown([0-9]*, 1) -> 0$' 'I close([0-9]*) -> 0$'; do
        has "$(<log)" "$line"
    done
    has_not "$(<log)" 'write(2,' # of its own log it does not tell
    "$OURS" -d -d -d -d -u SYSTEM:'echo x; echo err >&2',stderr - >got 2>log
    same "$(printf 'x\nerr')" "$(<got)"
    for line in 'I socketpair(1, 1, 0, {[0-9]*,[0-9]*}) -> 0$' 'D execvp(".*sh", ' 'D fork() -> [1-9]'; do
        has "$(<log)" "$line"
    done
    start_listener server -d -d -d tcp4-listen:0,bind=127.0.0.1,fork pipe
    echo a | "$OURS" - "TCP4:127.0.0.1:$port"
    for line in 'D listen([0-9]*, 5) -> 0$' 'I accept([0-9]*, {AF=2 127.0.0.1:[0-9]*}) -> [0-9]*$' \
        "D bind([0-9]*, {AF=2 127.0.0.1:$port}, 16)$"; do
        wait_for 5 file_has server.err "$line"
    done
    "$OURS" -d -d -u ./data - >got 2>log
    has_not "$(<log)" '[DI] [a-z_]*(.*) ->'
}
