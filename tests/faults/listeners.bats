#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Signals to listeners with fork and thread that have connections at work, and the pace of clients that
# fork.
load ../helpers

serve() { # <fork|thread>[,options] <second address>
    start_listener server "tcp-listen:0,bind=127.0.0.1,$1" "$2"
    server=$(<server.pid)
}

# goes_on <option> <signal> <second address>: two clients at work when the listener gets it.
goes_on() {
    echo "# $*"
    serve "$1" "$3"
    rm -f in1 in2
    for i in 1 2; do
        mkfifo "in$i"
        start "c$i" "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>"in$i"
        echo one >"in$i"
        wait_for 5 file_has "c$i.out" one
    done
    kill "-$2" "$server"
    ended=$((128 + $(kill -l "$2")))
    [ "$1" = thread ] || finish server "$ended"
    wait_for 5 refuses
    sleep 0.3
    for i in 1 2; do
        echo two >"in$i"
        wait_for 5 file_has "c$i.out" two
    done
}
refuses() { ! port_listens "$port"; }

leave() { # <clients...>
    for i; do
        kill "$(<"c$i.pid")"
        finish "c$i" 143
    done
}

@test "fork: a signal to the listener ends nobody's connection" {
    goes_on fork TERM pipe
    leave 1 2
    assert_nothing_left
}

@test "thread: nor does a signal to it, which then waits for them" {
    for second in pipe exec:cat 'nop|gzip|gunzip|pipe'; do
        goes_on thread TERM "$second"
        leave 1
        ! is_gone "$server" || false
        leave 2
        finish server 143
        assert_nothing_left
    done
    for signal in INT HUP QUIT; do
        goes_on thread $signal pipe
        leave 1 2
        finish server "$ended"
    done
    serve thread pipe # nobody there
    kill "$server"
    finish server 143
}

@test "thread: a second signal ends all" {
    for second in pipe exec:cat 'nop|gzip|gunzip|pipe'; do
        goes_on thread TERM "$second"
        kill "$server"
        finish server 143
        leave 1 2
        assert_nothing_left
    done
}

@test "thread: the place of a listener that waits for its connections is free" {
    start server "$CATENA_BIN" unix-listen:s,thread pipe </dev/null
    wait_for 5 unix_listens s
    mkfifo in
    start client "$CATENA_BIN" - unix:s <>in
    echo one >in
    wait_for 5 file_has client.out one
    kill "$(<server.pid)"
    wait_for 5 test ! -e s
    start second "$CATENA_BIN" unix-listen:s,thread pipe </dev/null
    wait_for 5 unix_listens s
    kill "$(<client.pid)"
    finish client 143
    finish server 143
    [ -S s ]
    kill "$(<second.pid)"
    finish second 143
}

@test "thread: a key of the terminal is for all, as with fork" {
    command -v script >/dev/null || skip "no script(1)"
    mkfifo in keys
    start terminal script -qec "exec $CATENA_BIN -d -d -lf server.err tcp-listen:0,bind=127.0.0.1,thread pipe" /dev/null <>keys
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
    start client "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>in
    echo one >in
    wait_for 5 file_has client.out one
    printf '\3' >keys
    finish terminal 130
    kill "$(<client.pid)"
    finish client 143
}

# A client that forks: how many connections within about a second.
connections() { # <program> <options>
    serve fork pipe
    start client "$1" "tcp:127.0.0.1:$port,fork,$2" exec:true </dev/null
    wait_for 10 file_has server.err accepting
    sleep 0.8
    kill "$(<client.pid)"
    finish client 143
    n=$(grep -c accepting server.err)
    kill "$server"
    finish server 143
}

@test "interval lies between the connections of a client that forks" {
    connections "$CATENA_BIN" forever,interval=60
    same 1 "$n"
    connections "$CATENA_BIN" interval=0.1
    ((n > 1 && n < 12))
    connections "$(socat_link)" forever,interval=60,max-children=4
    ((n > 1))
}

# Some of the clients are connected, some stand in the queue, the rest wait in connect().
queued() { # <listener> <client>
    start_listener server "$1,fork,max-children=1,backlog=1" pipe
    server=$(<server.pid)
    for i in 1 2 3 4 5 6; do
        start "c$i" "$CATENA_BIN" -d -d "${2/PORT/$port},forever,interval=60" pipe </dev/null
    done
    wait_for 5 file_has server.err accepting
    for i in 1 2 3 4 5 6; do
        wait_for 5 file_has "c$i.err" 'opening connection'
    done
    leave 1 2 3 4 5 6
    kill "$server"
    finish server 143
}

@test "a client that would try again ends by a signal, wherever it waits" {
    queued tcp-listen:0,bind=127.0.0.1 tcp:127.0.0.1:PORT
    queued unix-listen:s unix-connect:s
}
