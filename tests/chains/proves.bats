#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who connects to ^openssl-server proves who he is before anything behind it is opened or started.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    C=$BATS_FILE_TMPDIR/certs
    server="^openssl-server,cert=$C/server.pem,cafile=$C/ca.crt"
    good="openssl,cafile=$C/ca.crt,commonname=localhost,cert=$C/client.pem"
    stranger="openssl,cafile=$C/ca.crt,commonname=localhost"
    printf '#!/bin/sh\ntouch ran\nexec "$@"\n' >ran.sh
    chmod +x ran.sh
}

# asks <question>: the answer that a client who may come gets. Its question is there at once.
asks() {
    (echo "$1" && $BRIEFLY) | timeout "$LIMIT" "$CATENA_BIN" -t 5 - "$good|tcp:127.0.0.1:$port"
}

# denied <arguments...>: a client who is told that he may not come.
denied() {
    run catena "$@"
    same 1 "$status"
}

# Nobody has been served as long as this stands, whoever waits behind it.
handshaking() { [ -n "$(ss -Htn state established "sport = :$port")" ]; }

# guards <listener's options> <what is behind>: a silent client, one without a certificate, one with a
# wrong one, one that talks no TLS, then one who may come.
guards() {
    rm -f ran
    start_listener backend tcp-listen:0,bind=127.0.0.1,fork 'exec:./ran.sh cat'
    start_listener server "tcp-listen:0,bind=127.0.0.1$1" "$server${2//@/$port}"
    start silent "$PEER" connect "$port" "until:$T/never" </dev/null
    wait_for 10 handshaking
    if [ -n "$1" ]; then
        denied -t 5 - "$stranger|tcp:127.0.0.1:$port" </dev/null
        denied -t 5 - "$stranger,cert=$C/self.pem|tcp:127.0.0.1:$port" </dev/null
        catena -t 0.2 - "tcp:127.0.0.1:$port" <<<'GET / HTTP/1.0' >other || :
    else
        $BRIEFLY # a quiet period: there is no other sign that nothing is opened
    fi
    [ ! -e ran ]
    if [ -z "$1" ]; then
        kill "$(<silent.pid)" "$(<server.pid)" 2>/dev/null || :
        return
    fi
    same hello "$(asks hello)"
    [ -e ran ]
    same again "$(asks again)"
    kill "$(<server.pid)" "$(<backend.pid)" "$(<silent.pid)"
}

@test "programs and connections behind it: fork" {
    guards ,fork '|exec:./ran.sh cat'
    guards ,fork '|system:touch ran; cat'
    guards ,fork '|nop|exec:./ran.sh cat'
    guards ,fork '|gzip|gunzip|exec:./ran.sh cat'
    guards ,fork '|exec:./ran.sh cat,pty,raw,echo=0'
    guards ,fork '|tcp:127.0.0.1:@'
}
@test "programs and connections behind it: thread" {
    guards ,thread '|exec:./ran.sh cat'
    guards ,thread '|nop|exec:./ran.sh cat'
    guards ,thread '|tcp:127.0.0.1:@'
}
@test "programs and connections behind it: one connection alone" {
    guards '' '|exec:./ran.sh cat'
    guards '' '|tcp:127.0.0.1:@'
}
@test "one session within the other" {
    start_listener server tcp-listen:0,bind=127.0.0.1,fork "$server|$server|exec:./ran.sh cat"
    denied -t 1 - "$good|$stranger|tcp:127.0.0.1:$port" <<<x
    [ ! -e ran ] # the outer one is held first
    same hello "$(good="$good|$good" asks hello)"
    [ -e ran ]
}
@test "a program between the session and what is behind it" {
    start_listener server tcp-listen:0,bind=127.0.0.1,fork "$server|exec1:./ran.sh cat%exec1:./ran.sh cat|pipe"
    denied -t 1 - "$stranger|tcp:127.0.0.1:$port" <<<x
    [ ! -e ran ]
    same hello "$(asks hello)"
}
@test "the same on the left, and as an address of version 1" {
    start_listener server "openssl-server,cert=$C/server.pem,cafile=$C/ca.crt|tcp-listen:0,bind=127.0.0.1,fork" \
        'exec:./ran.sh cat'
    denied -t 1 - "$stranger|tcp:127.0.0.1:$port" <<<x
    [ ! -e ran ]
    same hello "$(asks hello)"
    rm ran
    start_listener v1 "openssl-listen:0,bind=127.0.0.1,fork,cert=$C/server.pem,cafile=$C/ca.crt" \
        'exec:./ran.sh cat'
    denied -t 1 - "$stranger|tcp:127.0.0.1:$port" <<<x
    [ ! -e ran ]
    same hello "$(asks hello)"
}

# Much that comes in the same breath as the end of the handshake, and a server that speaks first.
@test "nothing of what comes with the handshake is lost, and either side may speak first" {
    seq 1 50000 >in
    for how in ,fork ,thread ''; do
        for behind in '|exec:./ran.sh cat' '|nop|pipe' '|exec1:cat%exec1:cat|pipe'; do
            echo "# $how $behind"
            start_listener server -t 5 "tcp-listen:0,bind=127.0.0.1$how" "$server$behind"
            timeout "$LIMIT" "$CATENA_BIN" -t 5 - "$good|tcp:127.0.0.1:$port" <in | cmp - in
            kill "$(<server.pid)" 2>/dev/null || :
        done
        start_listener server -t 5 "tcp-listen:0,bind=127.0.0.1$how" "$server|system:echo welcome; cat"
        same welcome "$( ($BRIEFLY) | timeout "$LIMIT" "$CATENA_BIN" -t 5 - "$good|tcp:127.0.0.1:$port")"
        kill "$(<server.pid)" 2>/dev/null || :
    done
}

@test "an address behind it that fails is an error of its connection alone, and is tried again if it says so" {
    late=$(free_port)
    start_listener server tcp-listen:0,bind=127.0.0.1,fork "$server|tcp:127.0.0.1:$late"
    asks hello && return 1
    wait_for 10 file_has server.err 'refused'
    start backend "$CATENA_BIN" "tcp-listen:$late,bind=127.0.0.1,fork" pipe </dev/null
    wait_for 10 port_listens "$late"
    same hello "$(asks hello)"
    kill "$(<server.pid)" "$(<backend.pid)"
    late=$(free_port)
    start_listener server tcp-listen:0,bind=127.0.0.1,fork "$server|tcp:127.0.0.1:$late,retry=200,interval=0.05"
    start client "$CATENA_BIN" -t 5 "system:echo hello; $BRIEFLY; cat >got,pipes" "$good|tcp:127.0.0.1:$port" </dev/null
    wait_for 10 file_has server.err 'refused'
    start backend "$CATENA_BIN" "tcp-listen:$late,bind=127.0.0.1,fork" pipe </dev/null
    wait_for 10 file_has got hello
    kill "$(<server.pid)" "$(<backend.pid)"
}

# What a session says while it shakes hands, and a dialog behind it, passes codecs in whatever place.
@test "a dialog over TLS, with codecs below and above it: fork, thread, and in the right chain of either" {
    prepare
    start_listener backend tcp-listen:0,bind=127.0.0.1,fork exec:cat
    backend=$port
    for links in 'openssl|gzip' 'openssl|lz4' 'gzip|zstd|openssl' 'gzip|openssl|lz4'; do
        for concurrency in fork thread; do
            start_listener server "socks-server|${links/openssl/openssl-server,cert=$C/server.pem,verify=0}|tcp-l:0,bind=127.0.0.1,$concurrency" \
                'tcp:{targethost}:{targetport}'
            client="socks5:127.0.0.1:$backend|${links/openssl/$stranger}|tcp:127.0.0.1:$port"
            same $'here\nlater' "$( (echo here; $BRIEFLY; echo later) | timeout "$LIMIT" "$CATENA_BIN" - "$client")"
            start_listener front "tcp-l:0,bind=127.0.0.1,$concurrency" "$client"
            same $'through\ntoo' "$( (echo through; $BRIEFLY; echo too) | timeout "$LIMIT" "$CATENA_BIN" - "tcp:127.0.0.1:$port")"
            kill "$(<server.pid)" "$(<front.pid)"
        done
    done
    kill "$(<backend.pid)"
}
