#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS against openssl(1) and against ourselves: verification, names, spellings, client certificates.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() { certs=$BATS_FILE_TMPDIR/certs; }

# s_server <name> <arguments...>: an openssl s_server; its port is in $port.
s_server() {
    local name=$1
    shift
    port=$(free_port)
    start "$name" openssl s_server -accept "127.0.0.1:$port" -naccept 1 "$@"
    wait_for 5 port_listens "$port"
}

our_server() { # <options of openssl-server>: an echo
    start_listener server tcp-listen:0,bind=127.0.0.1,fork "^openssl-server,$1|pipe"
}

hello() { # <address>: says hello to an echo
    run catena - "$1" <<<hello
}

refused_with() { # <pattern>
    same 1 "$status"
    has "$output" " E .*$1"
    has_not "$output" '^hello'
}

@test "client against s_server, chain and combined" {
    for address in "openssl,cafile=$certs/ca.crt|tcp:localhost:PORT" \
        "openssl:localhost:PORT,cafile=$certs/ca.crt" \
        "SSL:localhost:PORT,cafile=$certs/ca.crt"; do
        s_server server -cert "$certs/server.pem" -rev -quiet </dev/null
        hello "${address/PORT/$port}"
        same 0 "$status"
        same olleh "$output"
        kill "$(<server.pid)" || :
    done
}

@test "s_client against our servers, chain and combined" {
    for address in tcp-listen:0,bind=127.0.0.1 "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0"; do
        chain=pipe
        [ "${address#tcp}" = "$address" ] || chain="^openssl-server,cert=$certs/server.pem,verify=0|pipe"
        start_listener server "$address" "$chain"
        mkfifo in.$port
        start client openssl s_client -connect "127.0.0.1:$port" -CAfile "$certs/ca.crt" \
            -verify_return_error -verify_ip 127.0.0.1 -quiet <>in.$port
        echo hello >in.$port
        wait_for 10 file_has client.out '^hello$'
        kill "$(<client.pid)"
        wait_for 5 is_gone "$(<server.pid)"
    done
}

@test "the documents' TLS servers take clients without a certificate" {
    cp "$certs/server.pem" server.pem
    grep -ho "tcp-listen:443,.*openssl-server.*tcp:localhost:80'" "$top"/README.md "$top"/man/catena.1 "$top"/man/catena-addresses.7 >examples
    same 3 "$(wc -l <examples)"
    while read -r line; do
        line=${line//\'/}
        line=${line/:443,/:0,bind=127.0.0.1,}
        second=${line#* }
        start_listener server "${line%% *}" "${second/tcp:localhost:80/pipe}"
        hello "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
        same hello "$output"
        kill "$pid"
        finish server 143
    done <examples
}

@test "openssl-server as the reverse side of the left chain" {
    start_listener server "openssl-server,cert=$certs/server.pem,verify=0|tcp-listen:0,bind=127.0.0.1" pipe
    hello "openssl,cafile=$certs/ca.crt|tcp:127.0.0.1:$port"
    same 0 "$status"
    same hello "$output"
    finish server
}

@test "Debian's socat as peer, both ways" {
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" pipe
    same hello "$(socat_ref -t 5 - "openssl:localhost:$port,cafile=$certs/ca.crt,pf=ip4" <<<hello)"
    finish server
    start ref "$REF_SOCAT" -d -d "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" pipe \
        </dev/null
    wait_for 5 file_has ref.err 'listening on'
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' ref.err)
    hello "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
    same hello "$output"
}

@test "big transfers to and from openssl(1)" {
    # Figures only: s_client takes lines that begin with Q or R for itself.
    seq 1 1000000 | head -c 5000000 >in
    # From s_client, which sends its input and then close_notify.
    start_listener server -u "openssl-server,cert=$certs/server.pem,verify=0|tcp-listen:0,bind=127.0.0.1" create:out
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -quiet -no_ign_eof <in >/dev/null 2>&1 || :
    finish server
    same_files in out
    # To s_server, which prints what it gets.
    port=$(free_port)
    start s openssl s_server -accept "127.0.0.1:$port" -naccept 1 -cert "$certs/server.pem" -quiet <>/dev/zero
    wait_for 5 port_listens "$port"
    catena -u open:in "openssl,cafile=$certs/ca.crt|tcp:127.0.0.1:$port"
    wait_for 10 size_is s.out 5000000
    same_files in s.out
}

@test "verification is on: a certificate nobody signed" {
    our_server "cert=$certs/self.pem,verify=0"
    for address in "openssl|tcp:localhost:$port" "openssl:localhost:$port" \
        "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"; do
        hello "$address"
        refused_with 'certificate'
    done
    hello "openssl,verify=0|tcp:localhost:$port"
    same hello "$output"
    hello "openssl,cafile=$certs/self.crt|tcp:localhost:$port"
    same hello "$output"
}

@test "the name has to be that of the certificate" {
    our_server "cert=$certs/other.pem,verify=0"
    hello "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
    refused_with 'localhost'
    hello "openssl:localhost:$port,cafile=$certs/ca.crt"
    refused_with 'localhost'
    hello "openssl,cafile=$certs/ca.crt,commonname=other.example|tcp:localhost:$port"
    same hello "$output"
    hello "openssl:localhost:$port,cafile=$certs/ca.crt,cn=other.example"
    same hello "$output"
    hello "openssl,cafile=$certs/ca.crt,commonname=|tcp:localhost:$port"
    same hello "$output"
}

@test "the name is that of the host the wire leads to" {
    our_server "cert=$certs/server.pem,verify=0"
    hello "openssl,cafile=$certs/ca.crt|tcp:127.0.0.1:$port"
    same hello "$output"
    hello "openssl,cafile=$certs/ca.crt|nop|tcp:localhost:$port"
    same hello "$output"
    # No name known: verification of it must not be skipped silently.
    hello "openssl,cafile=$certs/ca.crt|exec:'$CATENA_BIN - tcp:127.0.0.1:$port'"
    same 1 "$status"
    hello "openssl,cafile=$certs/ca.crt,commonname=localhost|exec:'$CATENA_BIN - tcp:127.0.0.1:$port'"
    same hello "$output"
}

@test "client certificates" {
    our_server "cert=$certs/server.pem,cafile=$certs/ca.crt"
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/client.pem|tcp:localhost:$port"
    same hello "$output"
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/client.crt,key=$certs/client.key|tcp:localhost:$port"
    same hello "$output"
    hello "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
    same 1 "$status"
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/self.pem|tcp:localhost:$port"
    same 1 "$status"
}

@test "commonname on a server checks the client" {
    our_server "cert=$certs/server.pem,cafile=$certs/ca.crt,commonname=client.example"
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/client.pem|tcp:localhost:$port"
    same hello "$output"
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/other.pem|tcp:localhost:$port"
    same 1 "$status"
}

@test "SNI is sent, can be chosen and be left out" {
    sni() {
        [ -e hold ] || mkfifo hold
        port=$(free_port)
        start sni openssl s_server -accept "127.0.0.1:$port" -naccept 1 -cert "$certs/server.pem" \
            -servername localhost -cert2 "$certs/other.pem" <>hold
        wait_for 5 port_listens "$port"
        catena -t 0.2 - "openssl,verify=0$1|tcp:$2:$port" <<<hello >/dev/null
        wait_for 5 is_gone "$(<sni.pid)"
        grep -o 'Hostname in TLS extension: .*' sni.out sni.err || :
    }
    has "$(sni '' localhost)" localhost
    has "$(sni ,snihost=www.example localhost)" www.example
    same '' "$(sni ,no-sni localhost)"
    same '' "$(sni '' 127.0.0.1)"
}

@test "old protocol versions are refused, chosen ones kept" {
    s_server old -cert "$certs/server.pem" -tls1_1 -cipher 'ALL:@SECLEVEL=0' -quiet </dev/null
    hello "openssl,verify=0|tcp:localhost:$port"
    same 1 "$status"
    our_server "cert=$certs/server.pem,verify=0,min-proto-version=TLS1.3"
    hello "openssl,verify=0,openssl-max-proto-version=TLS1.2|tcp:localhost:$port"
    same 1 "$status"
    hello "openssl,verify=0,openssl-min-proto-version=TLS1.3|tcp:localhost:$port"
    same hello "$output"
}

@test "the smallest blocks: nothing is lost, nor is the goodbye" {
    for size in 1 10 23; do
        start_listener server -b "$size" -u \
            "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" create:out
        run catena -b "$size" -u - "openssl:localhost:$port,cafile=$certs/ca.crt" <<<hello
        same 0 "$status"
        same '' "$output"
        finish server
        same hello "$(<out)"
    done
}

# SIGTERM is what the run itself looks after now.
has_begun() { grep -q '^SigBlk:.*[4-7c-f]...$' "/proc/$1/status"; }

@test "files that make us wait: FIFOs are read, and a signal ends the wait" {
    mkfifo fifo ca
    start feeder sh -c "cat $certs/server.pem >fifo; cat $certs/ca.crt >ca"
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=fifo,verify=0" pipe
    same hello "$(catena - "openssl:localhost:$port,cafile=ca" <<<hello)"
    finish server
    finish feeder
    for option in cert=fifo "cert=$certs/server.crt,key=fifo" "cert=$certs/server.pem,dhparam=fifo" \
        "cert=$certs/server.pem,cafile=fifo" \
        "cert=$certs/server.pem,cafile=$certs/ca.crt,crlfile=fifo"; do
        echo "# $option"
        start server "$CATENA_BIN" "openssl-listen:0,bind=127.0.0.1,$option" pipe </dev/null
        wait_for 10 has_begun "$pid"
        kill -TERM "$pid"
        finish server 143
    done
}

@test "a peer that speaks no TLS is an error" {
    start_peer plain 'send:220 mail.example ESMTP\r\n' eof
    hello "openssl,verify=0|tcp:localhost:$port"
    refused_with 'openssl'
    start_peer silent shut eof
    hello "openssl,verify=0|tcp:localhost:$port"
    same 1 "$status"
}

@test "a client that speaks no TLS does not end a forking server" {
    our_server "cert=$certs/server.pem,verify=0"
    catena -t 1 - "tcp:127.0.0.1:$port" <<<'GET / HTTP/1.0' >/dev/null || :
    hello "openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
    same hello "$output"
}

@test "missing files are said before anything is opened" {
    run catena - "openssl,cafile=$T/nothing.crt|tcp:127.0.0.1:1" </dev/null
    same 1 "$status"
    has "$output" 'nothing.crt'
    has_not "$output" refused
    run catena "openssl-listen:0,cert=$T/nothing.pem" pipe
    same 1 "$status"
    has "$output" 'nothing.pem'
}

@test "a program learns who the peer is" {
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,cafile=$certs/ca.crt" \
        'system:"cat >/dev/null; echo \$CATENA_OPENSSL_X509_COMMONNAME \$SOCAT_OPENSSL_X509_COMMONNAME"'
    hello "openssl,cafile=$certs/ca.crt,cert=$certs/client.pem|tcp:localhost:$port"
    has "$output" client.example
}

@test "what was verified, and what was not, is told" {
    start_listener server openssl-listen:0,bind=127.0.0.1,fork,cert="$certs/server.pem",cafile="$certs/ca.crt" pipe
    for row in 'verify=0 the peer.s certificate was not verified' \
        "cafile=$certs/ca.crt certificate is trusted and for \"localhost\""; do
        run catena -d -d - "openssl,cert=$certs/client.pem,${row%% *}|tcp:localhost:$port" <<<hello
        same 0 "$status"
        has "$output" "${row#* }"
        same 1 "$(grep -c 'peer.s certificate' <<<"$output")"
    done
    wait_for 5 file_has server.err "the peer's certificate is trusted, its name was not verified"
}

@test "TLS in TLS" {
    our_server "cert=$certs/server.pem,verify=0|^openssl-server,cert=$certs/other.pem,verify=0"
    hello "openssl,cafile=$certs/ca.crt,cn=other.example|openssl,cafile=$certs/ca.crt|tcp:localhost:$port"
    same hello "$output"
}

# What has not reached a client that has said goodbye and gone are tickets, an answer that it did not wait for, and our goodbye.
@test "who says goodbye and goes before the answer has lost nothing" {
    for how in fork thread; do
        start_listener server "openssl-listen:0,bind=127.0.0.1,$how,cert=$certs/server.pem,verify=0" system:'cat >/dev/null; echo late'
        timeout "$LIMIT" python3 "$BATS_TEST_DIRNAME/../tools/leaver.py" "$port" 3
        wait_for 10 eval '[ "$(grep -c "connection with .* ended" server.err)" = 3 ]'
        same '' "$(grep ' E ' server.err || :)"
        kill "$(<server.pid)"
        finish server 143
    done
}
