#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# How programs end, and what comes of it: those that do not read all, those that do not end, those
# that leave others behind.
load ../helpers

# quiet <command...>: input with a quiet time before its end, some of it when nobody reads any more.
quiet() { (printf 'a\nb\n'; sleep 0.4; echo c; sleep 0.2) | "$@"; }

# ended <status> <pattern in what it says, or ""> <arguments...>
ended() {
    local wanted=$1 pattern=$2 status=0
    shift 2
    echo "# catena $*"
    quiet catena -d -d "$@" >out 2>err || status=$?
    cat err
    same "$wanted" "$status"
    [ -z "$pattern" ] || has "$(<err)" "$pattern"
    [ "$wanted" != 0 ] || has_not "$(<err)" ' [EW] '
}

@test "a program that ends well without reading all of its input is no error" {
    ended 0 ' N second address "system": ended with status 0 without reading' - "system:'sleep 0.1; echo hi'"
    same hi "$(<out)"
    ended 0 ' N first address "system": ended with status 0 without reading' "system:'sleep 0.1; echo hi'" -
    same hi "$(<out)"
    ended 0 '' -u - 'exec:true'
    for how in ,pipes ,pty,raw,echo=0 ,commtype=tcp ,commtype=socketpairs; do
        ended 0 '' - "system:'sleep 0.1; echo hi'$how"
        has "$(<out)" hi
        ended 0 '' -u - "system:'sleep 0.1'$how"
    done
    for how in -cS -cs -cp -ct; do
        ended 0 '' $how -u - "exec1:'head -n 1'|stdout"
        same a "$(<out)"
        ended 0 '' $how -U stdout "^exec1:'head -n 1'|stdin"
        same a "$(<out)"
        ended 0 '' $how - "exec1:'head -n 1'%exec1:cat|exec:cat"
    done
    # what stood in front of it is lost with it, and no more of an error
    head -c 3000000 /dev/zero >big
    run catena -d -d -u open:big "system:'sleep 0.1'"
    same 0 "$status"
    has "$output" ' N .*ended with status 0 without reading [0-9]* bytes$'
    run catena -cp -u open:big "nop|system1:cat|system1:'head -c 1000'|create:few"
    same 0 "$status"
    size_is few 1000
    assert_nothing_left
}

@test "one that ends badly, or another that is gone, is one" {
    head -c 3000000 /dev/zero >big
    for how in '' ,pipes; do
        ended 1 ' W .*exited with status 3' - "system:'sleep 0.1; exit 3'$how"
        ended 1 ' W .*exited on signal 9 (SIGKILL, Killed)' - "system:'kill -9 \$\$'$how"
        run catena -u open:big "system:'head -c 1000 >/dev/null; exit 3'$how"
        same 1 "$status"
        has "$output" ' E [0-9]* bytes could not be delivered'
    done
    ended 1 ' W .*exited with status 3' -u - "exec1:'sh -c \"head -n 1; exit 3\"'|stdout"
    start_peer server recv:1 reset
    ended 1 ' E ' - "tcp:127.0.0.1:$port"
    assert_nothing_left
}

@test "under the name socat the levels and the status are v1's" {
    quiet socat_ours - "system:'sleep 0.1; exec <&-; sleep 0.5; echo hi'" >out 2>err
    same hi "$(<out)"
    run socat_ours - "system:'sleep 0.1; echo hi'" <<<ab
    same 0 "$status"
    has "$output" ' W .*Connection reset by peer'
    mkfifo in
    run socat_ours -u - exec:true,pipes <>in
    same 0 "$status"
    head -c 3000000 /dev/zero >big
    for name in socat_ref socat_ours; do
        same hi "$("$name" - "system:'sleep 0.1; echo hi',pipes" <big 2>err || echo "status $?")"
    done
    run socat_ours -u open:big "system:'sleep 0.1'"
    same 1 "$status"
    has "$output" ' E .*Broken pipe'
}

early() { # <fork|thread>: three clients whose requests nobody reads
    start_listener server "tcp-listen:0,bind=127.0.0.1,$1" "system:'echo hi; sleep 0.1'"
    for i in 1 2 3; do
        timeout "$LIMIT" "$PEER" connect "$port" send:request shut line eof >"c$i"
        same hi "$(<"c$i")"
    done
    wait_for 5 unread 3
    has_not "$(<server.err)" ' [EW] '
    kill "$(<server.pid)"
    finish server 143
    assert_nothing_left
}
unread() { [ "$(grep -c ' N .*without reading' server.err)" = "$1" ]; }
@test "fork: a program that does not look at its requests is no error" { early fork; }
@test "thread: a program that does not look at its requests is no error" { early thread; }

@test "statuses in people's words" {
    run catena -u system:./nothing -
    same 1 "$status"
    has "$output" 'second\|first address "system": child [0-9]* exited with 127: command not found \[E-PROGRAM\]$'
    has_not "$output" 32512
    echo text >plain
    run catena -u system:./plain -
    has "$output" 'exited with 126: command cannot be executed \[E-PROGRAM\]$'
    run catena -u "system:'(kill -TERM \$BASHPID; kill -TERM \$\$) ; exit 143'" -
    has "$output" 'exited on signal 15 (SIGTERM, Terminated) \[E-PROGRAM\]$'
    run catena -u "system:'exit 143'" -
    has "$output" 'exited with status 143: its command ended on signal 15 (SIGTERM, Terminated) \[E-PROGRAM\]$'
    run socat_ours -u system:./nothing -
    has "$output" 'returned with status 32512$'
    has "$output" 'waitpid(): child [0-9]* exited with status 127$'
}

# stopped <signal> <arguments...>: nothing of it stays.
stopped() {
    local signal=$1
    shift
    echo "# $signal: $*"
    rm -f up in
    mkfifo in
    start run "$CATENA_BIN" "$@" <>in
    wait_for 5 test -e up
    kill "-$signal" "$(<run.pid)"
    finish run "$((128 + $(kill -l "$signal")))"
    wait_for 5 nothing_left
}

@test "a signal ends all that a program has started" {
    for signal in TERM INT HUP; do
        for how in '' ,pipes ,setsid ,setpgid=0 ,pty ,pty,setsid,ctty; do
            stopped $signal - "system:'>up; sleep 100; true'$how"
        done
        for how in ,setsid ,setpgid; do # of their own group even those without a parent
            stopped $signal - "system:'(sleep 100 &) ; >up; exec cat'$how"
            stopped $signal - "system:'sleep 100 & >up'$how"
        done
        stopped $signal - "system:'(>up; sleep 100; true); true'"
        stopped $signal -u - "system:'>up; sleep 100; true'"
        stopped $signal "system:'>up; sleep 100; true'" -
        stopped $signal -u - "system1:'>up; sleep 100; true'|create:out"
        stopped $signal - "system:'sleep 100; true'|system:'>up; sleep 100; true'|pipe"
    done
}

serving() { # <fork|thread>
    start_listener server "tcp-listen:0,bind=127.0.0.1,$1" "system:'echo \$\$; sleep 100; true'"
    for i in 1 2; do
        mkfifo "in$i"
        start "c$i" "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>"in$i"
        wait_for 5 test -s "c$i.out"
    done
}

childless() { [ -z "$(pgrep -P "$(<server.pid)")" ]; }

@test "a signal to a connection of a listener, too" {
    serving fork
    for child in $(pgrep -P "$(<server.pid)"); do kill "$child"; done
    kill "$(<c1.pid)" "$(<c2.pid)"
    wait_for 5 childless
    kill "$(<server.pid)"
    finish server 143
    assert_nothing_left
}

@test "the second signal to a listener with thread, too" {
    serving thread
    kill "$(<server.pid)"
    wait_for 5 file_has server.err 'connections still at work: 2'
    kill "$(<server.pid)"
    finish server 143
    kill "$(<c1.pid)" "$(<c2.pid)"
    assert_nothing_left
}

@test "who leaves for a parent of its own choice is left alone" {
    mkfifo in
    start run "$CATENA_BIN" - "system:'(setsid sleep 100 & echo \$! >daemon); exec cat'" <>in
    wait_for 5 test -s daemon
    kill "$pid"
    finish run 143
    kill "$(<daemon)"
    assert_nothing_left
}

# left_by_client <options> <shell command>: a client comes, and leaves for good.
left_by_client() {
    rm -f s
    start server "$CATENA_BIN" -d -d "unix-listen:s,$1" "$2" </dev/null
    wait_for 5 unix_listens s
    for i in 1 2; do timeout "$LIMIT" "$PEER" connect unix:s send:x line >"c$i"; done
}
told() { [ "$(grep -c ' N .*nobody talks to it any more; it gets SIGHUP and SIGTERM' server.err)" = "$1" ]; }

@test "a program that ignores its client's end is ended some time later" {
    for how in fork thread; do
        left_by_client $how "system:'trap \"echo >>hups\" HUP; echo x; while :; do sleep 100 & wait \$!; done',end-timeout=0.3"
        wait_for 10 told 2
        wait_for 5 size_is hups 2
        kill "$(<server.pid)"
        finish server 143
        assert_nothing_left
        rm hups
    done
}

@test "until then it may finish its work" {
    for how in fork thread; do
        left_by_client $how "system:'echo x; cat >/dev/null; sleep 0.6; echo >>finished'"
        wait_for 10 size_is finished 2
        kill "$(<server.pid)"
        finish server 143
        assert_nothing_left
        rm finished
    done
}

@test "a run that has failed does not wait for the program's end" {
    start_peer server recv:1 reset
    local before=$SECONDS
    run catena "tcp:127.0.0.1:$port" "system:'echo x; exec sleep 1000'"
    same 1 "$status"
    ((SECONDS - before < 8 * SLOWER))
    assert_nothing_left
}
