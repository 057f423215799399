#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Peers that connect and then say nothing, or not enough: handshake-timeout ends the connection,
# wherever the handshake or dialog is held, and whoever has waited for it.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    own="cert=$BATS_FILE_TMPDIR/certs/server.pem,verify=0,handshake-timeout=0.4"
    late='handshake: the peer took too long (0\.4 seconds; handshake-timeout='
}

# silent <steps...>: a client that does them and then nothing, until it has been left.
silent() { timeout -k 5 "$LIMIT" "$PEER" connect "$port" "$@" eof; }

# Each in a directory of its own, at the same time; a row that fails shows itself.
together() { # <command> <arguments...>, one each line
    local rows row n=0 started=() status=0
    mapfile -t rows
    for row in "${rows[@]}"; do
        [[ $row =~ [^[:space:]] ]] || continue
        n=$((n + 1))
        (
            set -e
            T=$(mktemp -d "$T/row.XXXXXX")
            cd "$T"
            eval "$row"
        ) >"$n.log" 2>&1 3>&- &
        started+=("$!:$n:$row")
    done
    for row in "${started[@]}"; do
        wait "${row%%:*}" && continue
        status=1
        n=${row#*:}
        echo "# row: ${n#*:}"
        cat "${n%%:*}.log"
    done
    return "$status"
}

# service <first> <second>: three silent clients of it, which it survives, and a good one.
service() {
    local i
    start_listener server "$@"
    for i in 1 2 3; do start "silent$i" silent; done
    same hello "$(catena -t 5 - "openssl,verify=0|tcp:127.0.0.1:$port" <<<hello)"
    for i in 1 2 3; do finish "silent$i"; done
    wait_for 5 said_thrice
    kill "$(<"$T/server.pid")"
    finish server 143
}
said_thrice() { [ "$(grep -c " E .*openssl.*$late" server.err)" = 3 ]; }

@test "a TLS server: in front of the listener, on the other side, and among other links" {
    own=${own/=0.4/=1.5} late=${late/0*4/1\\.5} # the good one is to make it on any machine
    for mode in fork thread; do
        together <<ROWS
            service "openssl-server,$own|tcp-listen:0,bind=127.0.0.1,$mode" pipe
            service "openssl-listen:0,bind=127.0.0.1,$mode,$own" pipe
            service tcp-listen:0,bind=127.0.0.1,$mode "^openssl-server,$own|pipe"
            service tcp-listen:0,bind=127.0.0.1,$mode "^openssl-server,$own|gzip|gunzip|pipe"
            service tcp-listen:0,bind=127.0.0.1,$mode "nop|exec1:cat%exec1:cat|^openssl-server,$own|exec1:cat%exec1:cat|pipe"
            service "nop|openssl-server,$own|tcp-listen:0,bind=127.0.0.1,$mode" "gzip|gunzip|exec:cat"
ROWS
    done
    assert_nothing_left
}

@test "a TLS server for one client: status 1" {
    together <<ROWS
        one_client "openssl-server,$own|tcp-listen:0,bind=127.0.0.1" pipe
        one_client tcp-listen:0,bind=127.0.0.1 "^openssl-server,$own|pipe"
        one_client tcp-listen:0,bind=127.0.0.1 "^openssl-server,$own|gzip|system:cat"
        one_client tcp-listen:0,bind=127.0.0.1 "exec1:cat%exec1:cat|^openssl-server,$own|gzip|gunzip|pipe"
ROWS
}

one_client() {
    start_listener server "$@"
    # half of a record's header, a byte at a time: that is not an answer
    silent drip 'send:\x16\x03\x03'
    finish server 1
    has "$(<server.err)" " E .*openssl.*$late"
}

# A byte now and then does not prolong it.
@test "a TLS client that dribbles" {
    start_listener server tcp-listen:0,bind=127.0.0.1 "^openssl-server,$own|pipe"
    timeout -k 5 "$LIMIT" "$PEER" connect "$port" 'send:\x16\x03\x01\x20\0\x01' dribble:x || :
    finish server 1
    has "$(<server.err)" " E .*openssl.*$late"
}

@test "handshake-timeout=0 waits" {
    start_listener server tcp-listen:0,bind=127.0.0.1 "^openssl-server,${own/=0.4/=0}|pipe"
    start client "$PEER" connect "$port" "until:$T/go" </dev/null
    start_listener other tcp-listen:0,bind=127.0.0.1 "^openssl-server,$own|pipe"
    silent
    finish other 1
    is_gone "$(<server.pid)" && return 1
    touch go
    finish server 1
    has "$(<server.err)" 'closed the connection during the TLS handshake'
}

# The other way round: a server that takes the connection and says nothing.
client() {
    start_peer server "until:$T/never"
    run catena "${@//PORT/$port}" </dev/null
    same 1 "$status"
    has "$output" ' E .*the peer took too long (0\.4 seconds; handshake-timeout='
    kill "$(<server.pid)"
}

@test "clients of silent servers and proxies" {
    together <<'ROWS'
        client - openssl:127.0.0.1:PORT,verify=0,handshake-timeout=.4
        client - "openssl,verify=0,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client "openssl,verify=0,handshake-timeout=0.4|tcp:127.0.0.1:PORT" -
        client tcp:127.0.0.1:PORT "^openssl,commonname=,handshake-timeout=0.4|pipe"
        client - "gzip|openssl,verify=0,handshake-timeout=0.4|nop|tcp:127.0.0.1:PORT"
        client - proxy:127.0.0.1:x:1,proxyport=PORT,handshake-timeout=0.4
        client - "proxy:x:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client - "proxy:x:1,handshake-timeout=0.4|gzip|tcp:127.0.0.1:PORT"
        client "proxy:x:1,handshake-timeout=0.4|gzip|tcp:127.0.0.1:PORT" -
        client tcp:127.0.0.1:PORT "^proxy:x:1,handshake-timeout=0.4|pipe"
        client - "exec1:cat%exec1:cat|proxy:x:1,handshake-timeout=0.4|exec1:cat%exec1:cat|tcp:127.0.0.1:PORT"
        client - socks4:127.0.0.1:127.0.0.1:1,socksport=PORT,handshake-timeout=0.4
        client - "socks4:127.0.0.1:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client - "socks4a:x:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client - "socks5:x:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client - socks5:127.0.0.1:PORT:x:1,handshake-timeout=0.4
        client - "socks5-listen:x:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
        client - "openssl,verify=0|proxy:x:1,handshake-timeout=0.4|tcp:127.0.0.1:PORT"
ROWS
}

@test "the deadline is one of its own for each attempt" {
    start_listener server tcp-listen:0,bind=127.0.0.1,fork stall
    run catena -d -d - "openssl,verify=0,handshake-timeout=0.3,retry=2,interval=0.01|tcp:127.0.0.1:$port" </dev/null
    same 1 "$status"
    same 3 "$(grep -c 'the peer took too long (0.3 seconds' <<<"$output")"
}

@test "DTLS: silent servers, and clients that go after their first word" {
    local hello server
    start server "$CATENA_BIN" -d -d -u udp-recv:0,bind=127.0.0.1 create:hello
    wait_for 10 file_has server.err 'starting data transfer'
    port=$(sed -n 's/.* bound to AF=2 127.0.0.1:\([0-9]*\)$/\1/p' server.err)
    run catena - "dtls:127.0.0.1:$port,verify=0,handshake-timeout=0.4" </dev/null
    same 1 "$status"
    has "$output" ' E .*handshake: the peer took too long (0\.4 seconds'
    run catena - "dtls:127.0.0.1:$port,verify=0,connect-timeout=60,handshake-timeout=0.4" </dev/null
    same 1 "$status"
    kill "$(<server.pid)"
    for server in "dtls-listen:0,bind=127.0.0.1,fork" "dtls-listen:0,bind=127.0.0.1,thread" \
        dtls-listen:0,bind=127.0.0.1; do
        echo "# $server"
        start_listener server "$server,$own" pipe
        (cat hello && sleep 1.5) | catena -u - "udp-sendto:127.0.0.1:$port"
        wait_for 5 file_has server.err ' E .*handshake: the peer took too long (0\.4 seconds'
        if [[ $server == *fork || $server == *thread ]]; then
            same hello "$(catena -t 5 - "dtls:127.0.0.1:$port,verify=0" <<<hello)"
            kill "$(<server.pid)"
        else
            finish server 1
        fi
    done
}
