#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many connections: a process each with fork, a thread each with thread.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() { certs=$BATS_FILE_TMPDIR/certs; }

serve() { # <fork|thread>[,options] <second address>
    start_listener server "tcp-listen:0,bind=127.0.0.1,backlog=256,$1" "$2"
    server=$(<server.pid)
}

alone() { [ -z "$(pgrep -P "$server")" ] && [ "$(threads_of "$server")" -le "$threads" ]; }

# many <option> <second address>: 200 at once, twice; then nothing is left of them.
many() {
    serve "$1" "$2"
    same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    threads=$(($(threads_of "$server") + $(nproc))) # the hubs' start with the first connections
    wait_for 5 alone
    local fds
    fds=$(open_fds "$server")
    for round in 1 2; do
        run timeout "$LIMIT" "$PEER" clients "$port" 200 1000
        same '200 of 200' "$output"
    done
    wait_for 10 alone
    same 0 "$(zombies "$server")"
    wait_for 5 fds_are "$fds"
    kill "$server"
    finish server 143
    assert_nothing_left
}

@test "thread: a program leaves no descriptor behind, whatever joins it" {
    for joint in '' ,pipes ,pty ,socktype=2; do
        serve thread "exec:head -n 1$joint"
        same 0 "$(catena -t 5 - "tcp:127.0.0.1:$port,readbytes=2" <<<0 | tr -d '\r' | head -n 1)"
        threads=99
        wait_for 5 alone
        before=$(open_fds "$server")
        for i in 1 2 3 4; do
            same $i "$(catena -t 5 - "tcp:127.0.0.1:$port,readbytes=2" <<<$i | tr -d '\r' | head -n 1)"
        done
        wait_for 5 alone
        wait_for 5 no_more_fds "$((before + 2))"
        kill "$server"
        finish server 143
    done
}
@test "thread: a pseudo terminal leaves no descriptor behind" {
    start_listener server -t 0.1 tcp-listen:0,bind=127.0.0.1,thread pty,raw
    server=$(<server.pid)
    before=$(($(open_fds "$server") + 3 * $(nproc))) # the hubs'
    for _ in $(seq "$((3 * $(nproc) + 3))"); do catena -u - "tcp:127.0.0.1:$port" <<<x; done
    wait_for 5 no_more_fds "$before"
    kill "$server"
    finish server 143
}
no_more_fds() { [ "$(open_fds "$server")" -le "$1" ]; } # another hub has two

fds_are() { [ "$(open_fds "$server")" = "$1" ]; }

@test "fork, 200 clients" { many fork pipe; }
@test "thread, 200 clients" { many thread pipe; }
@test "fork, 200 clients, a chain" { many fork 'nop|gzip|gunzip|pipe'; }
@test "thread, 200 clients, a chain" { many thread 'nop|gzip|gunzip|pipe'; }
@test "thread, 200 clients, a program each" { many thread exec:cat; }

tls_clients() {
    serve "$1" "^openssl-server,cert=$certs/server.pem,verify=0|pipe"
    for i in 1 2 3 4 5 6 7 8; do
        start "c$i" "$CATENA_BIN" - "openssl,cafile=$certs/ca.crt|tcp:localhost:$port" <<<"hello $i"
    done
    for i in 1 2 3 4 5 6 7 8; do
        finish "c$i"
        same "hello $i" "$(<"c$i.out")"
    done
}
@test "fork, TLS" { tls_clients fork; }
@test "thread, TLS" { tls_clients thread; }

# Four clients that stay; two at once may be served.
limited() {
    serve "$1,max-children=2" "system:'echo here; cat'"
    for i in 1 2 3 4; do
        mkfifo "in$i"
        start "c$i" "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>"in$i"
    done
    served() { [ "$(cat c?.out | grep -c here)" = "$1" ]; }
    wait_for 5 served 2
    if wait_for 1 served 3; then return 1; fi
    for i in 1 2 3 4; do
        if [ -s "c$i.out" ]; then kill "$(<"c$i.pid")"; fi
    done
    wait_for 10 served 4
}
@test "fork, max-children" { limited fork; }
@test "thread, max-children" { limited thread; }

@test "fork, max-children: the end of one makes room at once" {
    serve fork,max-children=1 pipe
    since=$SECONDS
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do # a second each when the end is not noticed
        same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    done
    [ $((SECONDS - since)) -lt 10 ]
}

one_failing() { # a client whose target is away does no harm to the listener
    gone=$(free_port)
    serve "$1" "tcp:127.0.0.1:$gone"
    same '' "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    has "$(<server.err)" ' E .*Connection refused'
    start_target
    same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
}
start_target() {
    start target "$CATENA_BIN" "tcp-listen:$gone,bind=127.0.0.1" pipe </dev/null
    wait_for 5 port_listens "$gone"
}
@test "fork, a failing connection" { one_failing fork; }
@test "thread, a failing connection" { one_failing thread; }

@test "thread is refused where the line changes the process" {
    for second in exec:cat,nofork pipe,chroot=/ pipe,su=nobody; do
        run catena tcp-listen:0,bind=127.0.0.1,thread "$second"
        same 1 "$status"
        has "$output" ' E .*thread'
    done
    run catena tcp-listen:0,bind=127.0.0.1,thread,setsid pipe
    same 1 "$status"
    run catena tcp-listen:0,bind=127.0.0.1,thread,fork pipe
    same 1 "$status"
}

@test "a unix listener with fork removes its socket at the end, its children do not" {
    start server "$CATENA_BIN" -d -d unix-listen:sock,fork pipe </dev/null
    wait_for 5 unix_listens sock
    server=$(<server.pid)
    same one "$(catena - unix-connect:sock <<<one)"
    same two "$(catena - unix:sock <<<two)"
    [ -S sock ]
    kill "$server"
    finish server 143
    [ ! -e sock ]
}

@test "the end of the listener ends nobody's connection" {
    serve fork pipe
    mkfifo in
    start client "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>in
    echo one >in
    wait_for 5 file_has client.out one
    kill "$server"
    finish server 143
    echo two >in
    wait_for 5 file_has client.out two
}

@test "range refuses and goes on" {
    start_listener server "tcp-listen:0,bind=127.0.0.1,fork,range=127.0.0.2/32" pipe
    same '' "$(catena - "tcp:127.0.0.1:$port" <<<no 2>/dev/null || :)"
    has "$(<server.err)" ' W refusing connection'
    same yes "$(catena - "tcp:127.0.0.1:$port,bind=127.0.0.2" <<<yes)"
}

# A connection is taken to have room until there is none: then, and from then on, it is waited for.
@test "thread: a reader that comes late, on either side, gets all of it" {
    start_listener sink -u tcp-l:0,bind=127.0.0.1 'system:sleep 0.7; wc -c >there'
    start_listener source -u 'system:head -c 40000000 /dev/zero' tcp-l:0,bind=127.0.0.1
    from=$port port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' sink.err)
    start_listener to tcp-l:0,bind=127.0.0.1,thread "tcp:127.0.0.1:$port"
    head -c 40000000 /dev/zero | catena -u - "tcp:127.0.0.1:$port"
    start_listener back tcp-l:0,bind=127.0.0.1,thread "tcp:127.0.0.1:$from"
    same 40000000 "$(catena -u "tcp:127.0.0.1:$port" 'system:sleep 0.7; wc -c' | tr -d ' ')"
    finish sink
    same 40000000 "$(tr -d ' ' <there)"
}
