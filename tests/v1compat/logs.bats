#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts read: log lines, dumps, help, version, lock files, statistics.
load common

prepare() {
    printf 'hello\n\377x\033"\\end\tq\r' >in
    OURS=$BATS_FILE_TMPDIR/ours/socat
    stamp='[0-9]\{4\}/[0-9][0-9]/[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
}

err() { # <arguments>: standard error of ours
    one ours "$@"
    cat "$T/ours.err"
}

# Headers of dumps carry the time; lines of two programs are alike without.
without_times() { sed 's,\([<>]\) [0-9/]\{10\} [0-9:.]*  length,\1 TIME  length,' "$1"; }

dumps() { # <arguments>: the same dump from both
    one ref "$@"
    one ours "$@"
    diff <(without_times ref.err) <(without_times ours.err)
}

@test "shape of a line" {
    has "$(err -u nothing -)" "^$stamp socat\[[0-9]*\] E "
    has "$(err -d -d -d -d - pipe)" "^$stamp socat\[[0-9]*\] [NID] "
    has "$(err -lu -u nothing -)" '^[0-9/]* [0-9:]*\.[0-9]\{6\} socat\[[0-9]*\] E '
    has "$(err -lpother -u nothing -)" "^$stamp other\[[0-9]*\] E "
    has "$(HOSTNAME=box err -lh -u nothing -)" "^$stamp box socat\[[0-9]*\] E "
}

@test "levels" {
    same '' "$(err - pipe)"
    same '' "$(err -d0 - pipe)"
    same '' "$(err -d1 - pipe)"
    has "$(err -d -d - pipe)" ' N starting data transfer loop with FDs \[[0-9]*,[0-9]*\] and \[[0-9]*,[0-9]*\]'
    has "$(err -dd - pipe)" ' N starting data transfer loop'
    has "$(err -d2 - pipe)" ' N socket 1 (fd [0-9]*) is at EOF'
    same 1 "$(err -d3 - pipe | grep -c 'socket 1 .* is at EOF')"
    has_not "$(err -d3 - pipe)" ' [WE] '
}

@test "-lf" {
    one ours -lf log -u nothing -
    same '' "$(<ours.err)"
    has "$(<ours/log)" "^$stamp socat\[[0-9]*\] E "
    one ours -lflog -u nothing -
    same 2 "$(grep -c ' E ' ours/log)"
    one ours -lf /nothing/here - pipe
    same 1 "$status"
}

@test "texts that are looked for" {
    has "$(err -u nosuch:1:2 -)" ' E unknown device/address "nosuch"'
    has "$(err -u stdio:a:b:c:d:e:f:g -)" ' E '
    has_not "$(err -u stdio:a:b:c:d:e:f:g -)" 'unknown device'
    has "$(err -u - create:out,seek=x)" 'missing numerical value'
    has "$(err -u - create:out,seek=1x)" 'trailing garbage'
    has "$(err -b 9223372036854775808 - pipe)" ' E buffer size option (-b) to big'
    has "$(err -d -d -u tcp-listen:0,bind=127.0.0.1,accept-timeout=0.1 -)" ' N listening on AF=2 127.0.0.1:[0-9]*$'
    has "$(err -d -d - tcp:127.0.0.1:1)" ' N opening connection to AF=2 127.0.0.1:1'
    has "$(err -d -d -T 0.1 pty /dev/null)" ' N PTY is /dev/'
    has "$(err -u 'system:exit 3' -)" ' W waitpid(): child [0-9]* exited with status 3'
    has "$(err -u 'system:kill -9 \$\$' -)" ' W waitpid(): child [0-9]* exited on signal 9'
}

# told <address> <notice>: what a passive address says, and with four -d the call before it.
told() {
    local address=$1 family
    shift
    family=$(sed 's/.*\(AF=[0-9]*\).*/\1/' <<<"$*")
    start run "$OURS" -dddd -u "$address" - </dev/null
    wait_for 5 file_has run.err " N $*\$"
    has "$(<run.err)" " D bind([0-9]*, {$family [^,]*}, [0-9]*)"
    kill "$pid"
    finish run 143
}

@test "passive addresses tell where they are, the port at the end" {
    each told <<'ROWS'
TCP-LISTEN:0 'listening on AF=2 0.0.0.0:[1-9][0-9]*'
TCP4-LISTEN:0,fork 'listening on AF=2 0.0.0.0:[1-9][0-9]*'
TCP4-LISTEN:0,bind=127.0.0.1 'listening on AF=2 127.0.0.1:[1-9][0-9]*'
UDP4-LISTEN:0 'listening on AF=2 0.0.0.0:[1-9][0-9]*'
SOCKET-LISTEN:2:6:x0000x7f000001x0000000000000000 'listening on AF=2 127.0.0.1:[1-9][0-9]*'
UNIX-LISTEN:s 'listening on AF=1 "s"'
"ABSTRACT-LISTEN:$T/s" 'listening on AF=1 "\\0.*/s"'
UDP-RECV:0 '.* bound to AF=2 0.0.0.0:[1-9][0-9]*'
UDP4-RECVFROM:0 '.* bound to AF=2 0.0.0.0:[1-9][0-9]*'
UDP4-RECVFROM:0,fork '.* bound to AF=2 0.0.0.0:[1-9][0-9]*'
UDP4-RECV:0,bind=127.0.0.1 '.* bound to AF=2 127.0.0.1:[1-9][0-9]*'
SOCKET-RECV:2:2:17:x0000x7f000001x0000000000000000 '.* bound to AF=2 127.0.0.1:[1-9][0-9]*'
SOCKET-RECVFROM:2:2:17:x0000x7f000001x0000000000000000 '.* bound to AF=2 127.0.0.1:[1-9][0-9]*'
UNIX-RECV:s '.* bound to AF=1 "s"'
UNIX-RECVFROM:s '.* bound to AF=1 "s"'
UDP4-DATAGRAM:127.0.0.1:9,bind=127.0.0.1:0 'successfully prepared local socket AF=2 127.0.0.1:[1-9][0-9]*'
ROWS
    grep -qs ' lo$' /proc/net/if_inet6 || skip "no IPv6 here"
    each told <<'ROWS'
TCP6-LISTEN:0 'listening on AF=10 \[0000:.*\]:[1-9][0-9]*'
UDP6-LISTEN:0,bind=[::1] 'listening on AF=10 \[0000:.*:0001\]:[1-9][0-9]*'
UDP6-RECV:0 '.* bound to AF=10 \[0000:.*\]:[1-9][0-9]*'
UDP6-RECVFROM:0 '.* bound to AF=10 \[0000:.*\]:[1-9][0-9]*'
ROWS
}

@test "-v" { dumps -v - /dev/null; }
@test "-x" { dumps -x - /dev/null; }
@test "-v -x" { dumps -v -x - /dev/null; }
@test "-x -v" { dumps -x -v - /dev/null; }
@test "dumps of both directions" {
    one ours -v - pipe
    has "$(tr -d '\0' <ours.err)" '^> [0-9/]* [0-9:]*\.[0-9]\{6\}  length=17 from=0 to=16'
    grep -a -q '< .*length=17 from=0 to=16' ours.err
}
@test "dumps of long data" {
    "$PEER" gen 3000 >in
    for b in 16 100 8192; do
        dumps -v -x -b$b -u - /dev/null
        dumps -x -b$b -u - /dev/null
        dumps -v -b$b -u - /dev/null
    done
}
@test "dumps and line ends" { dumps -v - /dev/null,crnl; }
@test "dumps once, at the border of the two chains" {
    start run "$CATENA_BIN" -v - 'gzip|gunzip|pipe' <in
    finish run
    same 1 "$(grep -a -c '^> ' run.err)"
    has "$(tr -d '\0' <run.err)" 'length=17 '
}

@test "-r and -R" {
    echo hello >in
    one ours -r left -R right - 'exec:tr a-z A-Z'
    same hello "$(<ours/left)"
    same HELLO "$(<ours/right)"
    one ours -r left -R right - 'exec:tr a-z A-Z'
    same 2 "$(wc -l <ours/left)"
    one ours -r 'raw-$PROGNAME-$$-$NOSUCH' - pipe
    ls ours | grep -q '^raw-socat-[0-9]*-$'
}

@test "-V" {
    one ours -V
    same 0 "$status"
    same '' "$(<ours.err)"
    version=$(sed -n 2p ours.out | grep -o ' [0-9][0-9]*\.[0-9][0-9]*\.[0-9][^ ]*' | tail -n 1 | tr -d ' ')
    echo "version: $version"
    [ -n "$version" ]
    [ "${version%.*}" != 1.7 ]
    [ "$version" != 1.8.0.0 ]
    same 2 "$(grep -n '^socat version [0-9.]*' ours.out | cut -d: -f1)" # and under its own name:
    same "catena version $version" "$("$CATENA_BIN" -V | sed -n 2p)"
    has "$(<ours.out)" '^  #define WITH_TCP 1$'
    has "$(<ours.out)" '^  #define WITH_OPENSSL 1$'
}

@test "-h, -hh, -hhh" {
    for h in -h '-?' -hh '-??' -hhh '-???'; do
        one ours $h
        same 0 "$status"
        same '' "$(<ours.err)"
        has "$(<ours.out)" '^   address-head:'
        has "$(<ours.out)" '^   opts:'
        has "$(<ours.out)" ' TCP4-'
    done
    sed -n '/^   address-head:/,/^   opts:/p' ours.out | sed '1d;$d;s/^[ \t]*//;s/[: ].*//' |
        grep -v '^<' >names
    LC_ALL=C sort -c names
    sed '1,/opt:/d' ours.out | awk '{print $1}' >options
    LC_ALL=C sort -c options
    has "$(<options)" '^reuseaddr$'
    has "$(sed '1,/opt:/d' ours.out)" '^[[:space:]]*dash.*phase=PREEXEC'
}

@test "-L" {
    prepare_case() { :; }
    both -L lock - pipe
    [ ! -e ours/lock ]
    prepare_case() { echo 1 >lock; }
    both_fail -L lock - pipe
    has "$(<ours.err)" ' E could not obtain lock "lock"'
    [ -e ours/lock ]
}

@test "-L while it runs: pid, and removed at a signal" {
    mkfifo hold
    start server "$OURS" -L lock - pipe <>hold
    wait_for 5 test -s lock
    same "$(<server.pid)" "$(<lock)"
    same 644 "$(stat -c %a lock)"
    kill "$(<server.pid)"
    finish server 143
    [ ! -e lock ]
}

@test "-W waits" {
    echo 1 >lock
    start waiter "$OURS" -d -d -W lock - pipe <in
    wait_for 5 file_has waiter.err 'waiting for lock "lock"'
    rm lock
    finish waiter
    cmp waiter.out in
}

@test "--statistics" {
    one ours --statistics - pipe
    same 2 "$(grep -c 'STATISTICS' ours.err)"
    has "$(<ours.err)" ' I STATISTICS: left to right: .*17 byte(s)'
    has "$(<ours.err)" ' I STATISTICS: right to left: .*17 byte(s)'
}

@test "USR1 prints them, the program lives on" {
    mkfifo hold
    start run "$OURS" -d -d - pipe <>hold
    wait_for 5 file_has run.err 'starting data transfer loop'
    kill -USR1 "$(<run.pid)"
    wait_for 5 file_has run.err STATISTICS
    echo hello >hold
    wait_for 5 file_has run.out hello
    kill "$(<run.pid)"
    finish run 143
}

@test "USR1 before the transfer: there is nothing to print yet, at any level" {
    for switch in -d0 -d4; do
        start run "$OURS" $switch -lf log TCP4-L:0,fork,bind=127.0.0.1 pipe </dev/null
        wait_for 5 eval '[ -n "$(ss -Hltnp | grep "pid=$(<run.pid),")" ]'
        for n in 1 2; do
            kill -USR1 "$(<run.pid)"
            wait_for 5 eval "[ \"\$(grep -c ' W .*statistics not available' log)\" = $n ]"
        done
        kill "$(<run.pid)"
        finish run 143
        rm log
    done
}

@test "-S" {
    mkfifo hold
    start run "$OURS" -d -d -S0x1000 - pipe <>hold
    wait_for 5 file_has run.err "starting data transfer loop"
    kill -USR2 "$(<run.pid)"
    finish run 140
    has "$(<run.err)" ' E exiting on signal 12'
}

@test "-D shows the descriptors" {
    one ours -D - pipe
    has "$(<ours.err)" '^ *FD  *type'
}
