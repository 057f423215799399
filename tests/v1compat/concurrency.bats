#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# fork: many connections, bounded ones, what children leave behind, what a parent outlives.
load ../helpers

prepare() { S=$(socat_link); }

socat() { timeout -k 5 "$LIMIT" "$S" "$@"; }
no_child() { [ -z "$(pgrep -P "$1")" ]; }
children_are() { [ "$(pgrep -c -P "$1")" = "$2" ]; }
fds_are() { [ "$(open_fds "$1")" = "$2" ]; }

# listen <name> <address...>: on any kind of listener; how to reach it is in $to.
listen_as() {
    local name=$1 kind=$2
    shift 2
    case $kind in
    tcp4) start_listener "$name" "TCP4-LISTEN:0,bind=127.0.0.1,$1" "$2" && to=TCP4:127.0.0.1:$port ;;
    tcp6) start_listener "$name" "TCP6-LISTEN:0,bind=[::1],$1" "$2" && to="TCP6:[::1]:$port" ;;
    generic) start_listener "$name" "SOCKET-LISTEN:2:6:x0000x7f000001x0000000000000000,$1" "$2" &&
        to=TCP4:127.0.0.1:$port ;;
    unix)
        rm -f sock
        start "$name" "$S" -d -d "UNIX-LISTEN:sock,$1" "$2" </dev/null
        to=UNIX:sock
        wait_for 5 file_has "$name.err" 'listening on'
        ;;
    abstract)
        start "$name" "$S" -d -d "ABSTRACT-LISTEN:$T,$1" "$2" </dev/null
        to=ABSTRACT:$T
        wait_for 5 file_has "$name.err" 'listening on'
        ;;
    esac
}

kinds="tcp4 tcp6 unix abstract generic"

@test "one after the other: no zombie, no descriptor more than before" {
    for kind in $kinds; do
        listen_as "server_$kind" "$kind" fork PIPE
        server=$(<"server_$kind.pid")
        same 0 "$(socat -t 5 - "$to" <<<0)"
        wait_for 5 no_child "$server"
        before=$(open_fds "$server")
        for i in 1 2 3 4 5 6; do same "$i" "$(socat -t 5 - "$to" <<<"$i")"; done
        wait_for 5 no_child "$server"
        wait_for 5 fds_are "$server" "$before"
        same 0 "$(zombies "$server")"
        kill "$server"
        finish "server_$kind" 143
    done
}

@test "all at once" {
    for kind in tcp4 unix; do
        listen_as "server_$kind" "$kind" fork 'SYSTEM:read line; echo \$line \$line'
        server=$(<"server_$kind.pid")
        for i in $(seq 20); do start "client$i" "$S" -t 10 - "$to" <<<"$i"; done
        for i in $(seq 20); do
            finish "client$i"
            same "$i $i" "$(<"client$i.out")"
        done
        wait_for 5 no_child "$server"
        kill "$server"
        finish "server_$kind" 143
    done
}

@test "a child has only its own connection" {
    listen_as server tcp4 fork PIPE
    server=$(<server.pid)
    mkfifo hold
    exec 7<>hold
    for i in 1 2 3; do
        start "client$i" "$S" - "$to" <hold 7>&-
        wait_for 5 children_are "$server" "$i"
    done
    counts=$(for child in $(pgrep -P "$server"); do open_fds "$child"; done | sort -u)
    echo "descriptors: $counts"
    same 1 "$(wc -l <<<"$counts" | tr -d ' ')"
    for child in $(pgrep -P "$server"); do
        # no child holds the listening socket
        same 1 "$(find "/proc/$child/fd" -lname 'socket:*' | wc -l | tr -d ' ')"
    done
    exec 7>&-
}

@test "max-children: later ones wait in the queue" {
    for kind in tcp4 unix; do
        mkfifo "hold_$kind"
        exec 7<>"hold_$kind"
        listen_as "server_$kind" "$kind" fork,max-children=2 PIPE
        server=$(<"server_$kind.pid")
        start a "$S" - "$to" <"hold_$kind" 7>&-
        start b "$S" - "$to" <"hold_$kind" 7>&-
        wait_for 5 children_are "$server" 2
        start late "$S" -t 10 - "$to" <<<late 7>&-
        wait_for 5 file_has "server_$kind.err" 'maxchildren are active, waiting'
        same 2 "$(pgrep -c -P "$server")"
        [ ! -s late.out ]
        kill "$(<a.pid)"
        finish late
        same late "$(<late.out)"
        exec 7>&-
        kill "$server"
        finish "server_$kind" 143
    done
}

@test "max-children=1: one after the other" {
    listen_as server tcp4 fork,max-children=1 'SYSTEM:echo x >>active; wc -l <active; rm active'
    begin=$EPOCHREALTIME
    for i in $(seq 8); do start "client$i" "$S" -u "$to" - </dev/null; done
    for i in $(seq 8); do
        finish "client$i"
        same 1 "$(tr -d ' ' <"client$i.out")"
    done
    # the next one begins when one ends, not at the next look
    awk -v a="$begin" -v b="$EPOCHREALTIME" -v n="$SLOWER" 'BEGIN { exit !(b - a < 5 * n) }'
}

@test "children that fail do not end the parent" {
    listen_as server tcp4 fork 'SYSTEM:exit 7'
    server=$(<server.pid)
    for _ in 1 2 3; do socat -u "$to" - </dev/null || :; done
    three() { [ "$(grep -c ' W .*child [0-9]* exited with status 1' server.err)" = 3 ]; }
    wait_for 5 three
    kill -0 "$server"
    kill "$server"
    finish server 143
    listen_as server tcp4 fork OPEN:/nothing/here
    socat -u "$to" - </dev/null || :
    wait_for 5 file_has server.err ' E .*no such file'
    socat -u "$to" - </dev/null || :
    kill -0 "$(<server.pid)"
}

# levels_of <options>: what letters the failing child's complaint has.
levels_of() {
    listen_as server tcp4 "fork$1" OPEN:/nothing/here
    socat -u "$to" - </dev/null || :
    ended() { file_has server.err 'no such file'; }
    wait_for 5 ended
    wait_for 5 no_child "$(<server.pid)"
    kill "$(<server.pid)"
    finish server 143
    grep -o '\] [A-Z] .*no such file' server.err | cut -c3
}

@test "children-shutup lowers what children say" {
    same E "$(levels_of '')"
    same W "$(levels_of ,children-shutup)"
    same W "$(levels_of ,children-shutup=1)"
    same N "$(levels_of ,children-shutup=2)"
    same E "$(levels_of ,children-shutup=0)"
}

@test "the listener's end leaves its children alone" {
    mkfifo hold
    exec 7<>hold
    for name in TERM INT HUP; do
        listen_as server tcp4 fork PIPE
        server=$(<server.pid)
        start client "$S" - "$to" <hold 7>&-
        wait_for 5 children_are "$server" 1
        child=$(pgrep -P "$server")
        kill -s "$name" "$server"
        finish server $((128 + $(kill -l "$name")))
        kill -0 "$child"
        echo hello >hold
        wait_for 5 file_has client.out hello
        kill "$(<client.pid)"
        finish client 143
        wait_for 5 is_gone "$child"
    done
}

@test "a child's end is its own" {
    mkfifo hold
    exec 7<>hold
    listen_as server tcp4 fork PIPE
    server=$(<server.pid)
    start client "$S" - "$to" <hold 7>&-
    wait_for 5 children_are "$server" 1
    kill -KILL "$(pgrep -P "$server")"
    finish client
    wait_for 5 file_has server.err ' W .*child [0-9]* exited on signal 9'
    same hello "$(socat -t 5 - "$to" <<<hello)"
}

@test "clients with fork: a child per connection, as many as max-children allows" {
    listen_as target tcp4 fork 'SYSTEM:cat >/dev/null; echo x >>seen'
    start client "$S" -d -d "$to,fork,max-children=2,interval=0.05" 'SYSTEM:echo x; sleep 0.02' </dev/null
    client=$(<client.pid)
    several() { [ "$(wc -l <seen)" -ge 4 ]; }
    wait_for 10 several
    (($(pgrep -c -P "$client") <= 2))
    kill "$client"
    finish client 143
    same 0 "$(zombies "$client")"
}

@test "clients with fork end when nobody is there any more" {
    start client "$S" -d -d "TCP4:127.0.0.1:$(free_port),fork,retry=2,interval=0.05" PIPE </dev/null
    finish client 1
    same 1 "$(grep -c ' E ' client.err)"
}

@test "accept-timeout with fork, no connection" {
    start server "$S" TCP4-LISTEN:0,bind=127.0.0.1,fork,accept-timeout=0.1 PIPE </dev/null
    finish server
    has "$(<server.err)" ' W accept: Connection timed out'
}

@test "the wait after fork, for debuggers" {
    SOCAT_FORK_WAIT=1 start_listener server TCP4-LISTEN:0,bind=127.0.0.1,fork PIPE
    begin=$EPOCHREALTIME
    same hello "$(socat -t 5 - "TCP4:127.0.0.1:$port" <<<hello)"
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a > 0.9) }'
}

@test "fork on the second address: the first is opened once" {
    start_listener server -U "CREATE:$T/merged" TCP4-LISTEN:0,bind=127.0.0.1,fork
    for i in 1 2 3; do socat -u - "TCP4:127.0.0.1:$port" <<<"$i"; done
    wait_for 5 file_has merged 3
    same '1 2 3' "$(sort merged | paste -sd' ')"
}

@test "what waits: SOCAT_MAIN_WAIT, SOCAT_TRANSFER_WAIT" {
    for variable in SOCAT_MAIN_WAIT SOCAT_TRANSFER_WAIT; do
        begin=$EPOCHREALTIME
        env "$variable=1" "$S" /dev/null /dev/null
        awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a > 0.9) }'
        env "$variable=" "$S" /dev/null /dev/null
    done
}
