#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the first chain has opened once and forked children of the second one share: the end of one of
# them is not the others'. The reference does the same.
load ../v1compat/common

client() { # <text>: what a client gets that says so and ends
    (echo "$1" && $BRIEFLY) | timeout "$LIMIT" "$CATENA_BIN" -t 0.5 - UNIX-CONNECT:"$T/s"
}

# serves <first> [<name>] [<options>]: three clients, one after the other, each with an answer of its own.
serves() {
    local program=$CATENA_BIN n
    [ "${2:-}" != socat ] || program=$(socat_link)
    start server "$program" -d -d -t 1 ${3:-} "$1" "UNIX-LISTEN:$T/s,fork" </dev/null
    wait_for 10 unix_listens "$T/s"
    for n in one two three; do
        same "$n" "$(client $n)"
    done
    has_not "$(<"$T/server.err")" ' E '
    kill "$(<"$T/server.pid")"
}

backend() { # who answers one connection alone, so that nobody can be served by another one
    start backend "$CATENA_BIN" "UNIX-LISTEN:$T/b" EXEC:cat </dev/null
    wait_for 10 unix_listens "$T/b"
}

@test "three clients, one after the other" {
    abreast serves <<'END'
EXEC:cat
EXEC:cat socat
EXEC:cat,end-close
EXEC:cat,end-close socat
EXEC:cat,shut-none socat
EXEC:cat,commtype=tcp
EXEC:cat,pipes
EXEC:cat,pipes,end-close socat
EXEC:cat,pty,raw,echo=0
EXEC:cat,pty,raw,echo=0,end-close socat
SYSTEM:cat,end-close
PIPE
PIPE socat
PIPE:fifo
'PIPE,end-close' socat
'nop|EXEC:cat'
END
}

@test "a connection, however it is said to end" {
    for options in '' ,shut-none ,end-close; do
        for name in socat catena; do
            echo "# $name $options"
            backend
            serves "UNIX-CONNECT:b$options" $name
            kill "$(<backend.pid)" 2>/dev/null || :
            wait_for 10 is_gone "$(<backend.pid)" # before there is another one
            wait_for 10 is_gone "$(<server.pid)"
            rm -f s b
        done
    done
}

@test "one way: each client's words arrive" {
    for first in EXEC:./save,end-close EXEC:./save TCP:127.0.0.1:@,shut-none TCP:127.0.0.1:@ \
        UNIX-CLIENT:b OPEN:got,creat,append PIPE:fifo UDP:127.0.0.1:@; do
        echo "# $first"
        printf '#!/bin/sh\nexec cat >got\n' >save
        chmod +x save
        case $first in
        TCP:*) start_listener sink -u tcp-listen:0,bind=127.0.0.1 creat:got ;;
        UDP:*) start_udp ;;
        UNIX-CLIENT:*)
            start sink "$CATENA_BIN" -u "UNIX-LISTEN:$T/b" creat:got </dev/null
            wait_for 10 unix_listens "$T/b"
            ;;
        PIPE:*) mkfifo fifo && start sink cat fifo >got ;;
        esac
        start server "$(socat_link)" -d -d -t 0.2 -U "${first//@/${port:-}}" "UNIX-LISTEN:$T/s,fork" </dev/null
        wait_for 10 unix_listens "$T/s"
        for n in 1 2 3; do
            echo "$n" | catena -u - UNIX-CONNECT:"$T/s"
            wait_for 5 got_line "$n"
        done
        kill "$(<server.pid)"
        has_not "$(<server.err)" ' E '
        [ ! -e sink.pid ] || kill "$(<sink.pid)" 2>/dev/null || :
        rm -f s b got fifo sink.pid
    done
}
start_udp() {
    port=$(free_port)
    start sink "$CATENA_BIN" -u "udp-recv:$port,bind=127.0.0.1" creat:got </dev/null
    wait_for 10 udp_bound
}
udp_bound() { [ -n "$(ss -Hlun "sport = :$port")" ]; }
got_line() { file_has got "^$1\$" || file_has sink.out "^$1\$"; }

@test "a terminal keeps its settings until the last one has gone" {
    start pair "$CATENA_BIN" PTY,link=far,raw,echo=0 PTY,link=near </dev/null
    wait_for 10 test -e near
    wait_for 10 test -e far
    start server "$(socat_link)" FILE:near,raw,echo=0 "UNIX-LISTEN:$T/s,fork" </dev/null
    wait_for 10 unix_listens "$T/s"
    client one >/dev/null
    wait_for 10 childless "$(<server.pid)"
    has "$(stty -F near -a)" '-icanon'
    kill "$(<server.pid)"
    wait_for 10 is_gone "$(<server.pid)"
    has "$(stty -F near -a)" ' icanon'
}
childless() { [ -z "$(ps --ppid "$1" -o pid=)" ]; }

@test "who waits for the end of the answer gets it, though nobody can tell the program that its input has ended" {
    start server "$CATENA_BIN" EXEC:cat "UNIX-LISTEN:$T/s,fork" </dev/null
    wait_for 10 unix_listens "$T/s"
    for n in one two three; do
        same "$n" "$(catena - UNIX-CONNECT:"$T/s" <<<"$n")" # without -t on either side
    done
    kill "$(<server.pid)"
}
