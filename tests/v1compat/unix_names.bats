#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Names of UNIX domain sockets: every pair of addresses in the file system and abstract, who binds
# to what, bind-tempname, and what is left behind.
load common
load dgram

# answer <program> <server> <client>: what the client gets from the server's echo.
answer() {
    echo "# $1: $2, $3"
    serve "unix_accepts $T/a" "$1" "$2" 'system:echo \$SOCAT_PEERADDR; cat'
    same "${EXPECTED:-} x" "$("${4:-$OURS}" -t 5 - "$3" <<<x | paste -sd' ' | sed "s|$T/||g")"
    kill "$(<server.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<server.pid)"
    same '' "$(ls -A | grep -x '[ab]\|t......' || :)"
}

@test "streams: every keyword, with and without a name of the client's own" {
    while read -r server client; do
        EXPECTED='<anon>' answer "$OURS" "$server" "$client"
        EXPECTED=b answer "$OURS" "$server" "$client,bind=$T/b"
    done <<END
UNIX-LISTEN:$T/a UNIX-CONNECT:$T/a
UNIX-L:$T/a UNIX:$T/a
UNIX-LISTEN:$T/a,fork LOCAL:$T/a
UNIX-LISTEN:$T/a UNIX-CLIENT:$T/a
UNIX-LISTEN:$T/a,fork GOPEN:$T/a
END
}

@test "bind-tempname: streams" {
    for option in bind-tempname unix-bind-tempname; do
        serve "unix_accepts $T/a" "$OURS" "UNIX-LISTEN:$T/a,fork" 'system:echo \$SOCAT_PEERADDR; cat >/dev/null'
        for address in UNIX-CONNECT UNIX-CLIENT; do
            has "$("$OURS" -t 5 - "$address:$T/a,$option=$T/tXXXXXX" </dev/null)" "^$T/t......\$"
            has "$("$OURS" -t 5 - "$address:$T/a,$option" </dev/null)" '^/tmp/file......$'
        done
        stop
        serve "unix_accepts $T/a" "$OURS" "ABSTRACT-LISTEN:$T/a,fork" 'system:env | grep ^SOCAT_PEERADDR; cat >/dev/null'
        for address in ABSTRACT-CONNECT ABSTRACT-CLIENT; do
            has "$("$OURS" -t 5 - "$address:$T/a,$option=$T/tXXXXXX" </dev/null)" "=.0$T/t......\$"
        done
        stop
    done
    same '' "$(find . -name 't??????')"
}

@test "bind-tempname: packets" {
    for family in UNIX ABSTRACT; do
        for address in SENDTO CLIENT; do
            serve "unix_bound $T/a" "$OURS" "$family-RECVFROM:$T/a,fork" 'system:cat >/dev/null; echo hello'
            same hello "$("$OURS" -t 9 - "$family-$address:$T/a,readbytes=6,bind-tempname=$T/tXXXXXX" <<<x)"
            stop
        done
    done
    same '' "$(find . -name 't??????')"
}

@test "bind-tempname: a name of its own for each child of a server that forks" {
    serve "unix_bound $T/a" "$OURS" "UNIX-RECVFROM:$T/a,fork" 'system:cat >/dev/null; echo \$SOCAT_PEERADDR'
    start front "$OURS" "UNIX-LISTEN:$T/c,fork" "UNIX-SENDTO:$T/a,bind-tempname=$T/tXXXXXX" </dev/null
    wait_for 5 unix_accepts "$T/c"
    for i in 1 2 3; do
        start "asks$i" "$OURS" -t 5 - "UNIX-CONNECT:$T/c,readbytes=$((${#T} + 9))" <<<x
    done
    for i in 1 2 3; do finish "asks$i"; done
    same 3 "$(cat asks?.out | sort -u | wc -l)"
    kill "$(<front.pid)"
    stop
}

@test "bind-tempname: removed at a signal; not together with bind; a pattern without X" {
    serve "unix_accepts $T/a" "$OURS" "UNIX-LISTEN:$T/a,fork" pipe
    start client "$OURS" -d -d pipe "UNIX-CONNECT:$T/a,bind-tempname=$T/tXXXXXX" </dev/null
    wait_for 5 file_has client.err 'starting data transfer'
    same 1 "$(find . -name 't??????' | wc -l)"
    kill "$pid"
    finish client 143
    same 0 "$(find . -name 't??????' | wc -l)"
    STATUS=1
    ours_alone - "UNIX-CONNECT:$T/a,bind=$T/b,bind-tempname=$T/tXXXXXX"
    has "$(<ours.err)" ' E .*exclude each other'
    ours_alone - "UNIX-CONNECT:$T/a,bind-tempname=$T/plain"
    has "$(<ours.err)" ' E .*path pattern is not valid'
    stop
    ours_alone - "UNIX-CONNECT:$T/nosuch,bind-tempname=$T/tXXXXXX"
    same '' "$(find . -name 't??????')"
}

@test "a bound client: its name is there while it runs, and gone then" {
    for program in "$OURS" "$REF_SOCAT"; do
        serve "unix_accepts $T/a" "$program" "UNIX-LISTEN:$T/a,fork" pipe
        start client "$program" -d -d pipe "UNIX-CONNECT:$T/a,bind=$T/b,mode=600" </dev/null
        wait_for 5 file_has client.err 'starting data transfer'
        [ -S b ]
        same 600 "$(stat -c %a b)"
        kill "$pid"
        finish client 143
        [ ! -e b ]
        stop
        [ ! -e a ]
    done
}

@test "unlink and unlink-early remove what is in the way of a socket, nothing else does" {
    for option in unlink unlink-early; do
        : >a
        serve "unix_accepts $T/a" "$OURS" "UNIX-LISTEN:$T/a,$option" pipe
        same yes "$("$OURS" -t 5 - "UNIX-CONNECT:$T/a" <<<yes)"
        finish server
    done
    : >a
    fails "$OURS" "UNIX-LISTEN:$T/a,accept-timeout=0.1" pipe 2>log
    has "$(<log)" 'exists'
    [ -f a ]
}

@test "a listener's bind is refused in words, not with an internal error" {
    run "$OURS" UNIX-LISTEN:"$T/a",bind="$T/b" - </dev/null
    same 1 "$status"
    has "$output" ' E '
    has_not "$output" INTERNAL
    [ ! -e a ]
    [ ! -e b ]
}

@test "abstract names: lengths that are tight or not" {
    for tight in 0 1; do
        start server "$OURS" -d -d "ABSTRACT-LISTEN:$T/a,unix-tightsocklen=$tight,fork" pipe </dev/null
        wait_for 5 file_has server.err 'listening on'
        same yes "$("$OURS" -t 5 - "ABSTRACT:$T/a,unix-tightsocklen=$tight" <<<yes)"
        fails "$OURS" -t 5 - "ABSTRACT:$T/a,unix-tightsocklen=$((1 - tight))" <<<no 2>/dev/null
        same yes "$("$REF_SOCAT" -t 5 - "ABSTRACT-CONNECT:$T/a,unix-tightsocklen=$tight" <<<yes)"
        stop
    done
}

@test "a client takes what the target is: stream, packets in sequence, datagrams" {
    serve "unix_accepts $T/a" "$OURS" "UNIX-LISTEN:$T/a,socktype=5" pipe
    same yes "$("$OURS" -t 5 - "UNIX-CLIENT:$T/a" <<<yes)"
    wait_for 5 is_gone "$(<server.pid)"
    serve "unix_bound $T/a" "$OURS" -u "UNIX-RECV:$T/a" create:got
    "$OURS" -u - "UNIX-CLIENT:$T/a" <<<yes
    wait_for 5 test -s got
    stop
    rm got
    serve "unix_bound $T/a" "$OURS" -u "ABSTRACT-RECV:$T/a" create:got
    "$OURS" -u - "ABSTRACT-CLIENT:$T/a" <<<yes
    wait_for 5 test -s got
    stop
}

@test "a server's attributes while it serves, and removal with fork, only by the parent" {
    for program in "$OURS" "$REF_SOCAT"; do
        serve "unix_accepts $T/a" "$program" -d -d "UNIX-LISTEN:$T/a,fork,mode=640" pipe
        same yes "$("$program" -t 5 - "UNIX-CONNECT:$T/a" <<<yes)"
        wait_for 5 test "$(zombies "$(<server.pid)")" = 0
        [ -S a ]
        stop
        [ ! -e a ]
    done
}
