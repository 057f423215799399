#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# {fact} in parameters and values: what an opened side has learnt decides what is opened next. Alone,
# with fork and with thread, on both sides of a chain, for the first client and for later ones.
# bats file_tags=thread
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() { C=$BATS_FILE_TMPDIR/certs; }

# says <text> <address>: what a client gets that says so and closes when it has the answer.
says() { (echo "$1" && $BRIEFLY) | timeout "$LIMIT" "$CATENA_REAL_BIN" -t 5 - "$2"; }
# The stand-in for catena has no use for clients.
CATENA_REAL_BIN=${CATENA_REAL:-$CATENA_BIN}

# ways <function>: with one connection alone, and with one process or thread for each.
ways() {
    for way in '' ,fork; do
        "$1" "$way"
        [ -z "$way" ] || kill "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
    done
    assert_nothing_left
}
clients() { if [ -z "$1" ]; then echo 1; else echo 1 2 3; fi; }

@test "a file for each client" {
    one() {
        start_listener server -u "tcp-l:0,bind=127.0.0.1$1" "OPEN:$T/in-{peeraddr}-{peerport},creat"
        for i in $(clients "$1"); do
            from=$(free_port)
            says "hello $i" "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr"
            wait_for 5 file_has "in-127.0.0.1-$from" "^hello $i$"
        done
    }
    ways one
}
@test "clients of a UNIX socket have no names, but are processes of users" {
    start server "$CATENA_BIN" "unix-l:$T/s,fork" "system:cat >/dev/null; echo \$SOCAT_PEERADDR \$SOCAT_PEERUID"
    start files "$CATENA_BIN" -u "unix-l:$T/a,fork" "OPEN:$T/{peeraddr}-{peeruid}-{peerpid},creat"
    wait_for 5 unix_listens "$T/s"
    wait_for 5 unix_listens "$T/a"
    same "<anon> $(id -u)" "$(says x "unix:$T/s")"
    for i in 1 2; do
        start client "$CATENA_REAL_BIN" -u - "unix:$T/a" <<<"hello $i"
        wait_for 5 file_has "<anon>-$(id -u)-$(<client.pid)" "^hello $i$"
    done
}
@test "IPv6 addresses, quotes of v1 around the braces, and text around them" {
    start_listener server -u 'tcp6-l:0,bind=[::1],fork' "OPEN:\"$T/{peeraddr}\"'-{sockport}.x',creat"
    says hello "tcp6:[::1]:$port"
    wait_for 5 file_has "[0000:0000:0000:0000:0000:0000:0000:0001]-$port.x" '^hello$'
}
@test "packets: UDP-LISTEN and UDP-RECVFROM" {
    for kind in listen recvfrom; do
        udp=$(free_port)
        start server "$CATENA_BIN" -T 10 -u "udp4-$kind:$udp,bind=127.0.0.1,fork" "OPEN:$T/$kind-{peerport},creat" </dev/null
        wait_for 5 udp_bound
        for i in 1 2 3; do
            from=$(free_port)
            catena -u - "udp4:127.0.0.1:$udp,sourceport=$from,bind=127.0.0.1" <<<"$kind $i"
            wait_for 5 file_has "$kind-$from" "^$kind $i$"
        done
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
    done
}
udp_bound() { [ -n "$(ss -Hlun "sport = :$udp")" ]; }

@test "the own address again: bind={sockaddr}" {
    start_listener target tcp-l:0,bind=127.0.0.1,fork pipe
    target=$port
    one() {
        start_listener server "tcp4-l:0$1" "tcp:127.0.0.1:$target,bind={sockaddr}"
        for i in $(clients "$1"); do
            same hello "$(says hello "tcp:127.0.0.$((i + 4)):$port")"
            file_has target.err "accepting connection from AF=2 127.0.0.$((i + 4)):"
        done
    }
    for way in '' ,fork; do
        one "$way"
        kill "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
    done
}
@test "raw dumps" {
    one() {
        start_listener server -r "$T/to-{peerport}" -R "$T/from-\\{peerport}-{peerport}" \
            "tcp-l:0,bind=127.0.0.1$1" pipe
        for i in $(clients "$1"); do
            from=$(free_port)
            same "hello $i" "$(says "hello $i" "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr")"
            wait_for 5 file_has "to-$from" "^hello $i$"
            wait_for 5 file_has "from-{peerport}-$from" "^hello $i$"
        done
    }
    ways one
}
# bats test_tags=single
@test "a lock file for each client" {
    start_listener server "tcp4-l:0,fork" "pipe,lockfile=$T/lock-{sockaddr}"
    mkfifo hold
    start first "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>hold
    wait_for 5 test -e lock-127.0.0.1
    same hello "$(says hello "tcp:127.0.0.2:$port")"
    same '' "$(says hello "tcp:127.0.0.1:$port")"
    file_has server.err ' E .*could not obtain lock ".*/lock-127.0.0.1": it exists'
    kill "$(<first.pid)"
    wait_for 5 test ! -e lock-127.0.0.1
    same hello "$(says hello "tcp:127.0.0.1:$port")"
}
@test "the link to a terminal" {
    one() {
        start_listener server "tcp-l:0,bind=127.0.0.1$1" "pty,raw,echo=0,link=$T/tty-{peerport}"
        for i in $(clients "$1"); do
            from=$(free_port)
            mkfifo "hold$from"
            start client "$CATENA_REAL_BIN" - "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr" <>"hold$from"
            wait_for 5 test -L "tty-$from"
            echo "hello $i" >"tty-$from"
            wait_for 5 file_has client.out "^hello $i$"
            kill "$(<client.pid)"
            wait_for 5 test ! -L "tty-$from"
        done
    }
    ways one
}

# --- TLS -----------------------------------------------------------------------------------------

@test "the name that a TLS client asks for: on the left, on the right" {
    start_listener backend tcp4-l:0,bind=127.0.0.1,fork pipe
    backend=$port
    front() { # <left> <right>
        start_listener server "$1" "$2"
        for i in $(clients "$way"); do
            same "hello $i" "$(says "hello $i" "openssl,cafile=$C/ca.crt,commonname=localhost,snihost=localhost|tcp:127.0.0.1:$port")"
        done
        kill "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
    }
    for way in '' ,fork; do
        front "openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1$way" "tcp4:{sni}:$backend"
        front "tcp-l:0,bind=127.0.0.1$way" "^openssl-server,cert=$C/server.pem,verify=0|tcp4:{sni}:$backend"
        front "openssl-listen:0,bind=127.0.0.1,cert=$C/server.pem,verify=0$way" "tcp4:{sni}:$backend"
    done
}
@test "a server for each name, and what is no name" {
    for name in a.example b.example; do
        start "$name" "$CATENA_BIN" "unix-l:$T/$name.sock,fork" "system:echo $name; cat"
        wait_for 5 unix_listens "$T/$name.sock"
    done
    start_listener server "tcp-l:0,bind=127.0.0.1,fork" "^openssl-server,cert=$C/server.pem,verify=0|unix:$T/{sni}.sock"
    client="openssl,verify=0,snihost=@|tcp:127.0.0.1:$port"
    for name in a.example b.example a.example; do
        same "$name"$'\nx' "$(says x "${client/@/$name}")"
    done
    for name in 'a/../b.example' ../x 'a|pipe' 'a,fork' 'a b' '\{peeraddr}' '-x' "$(printf 'a\001')" 'a:b' '.x' 'a..b'; do
        same '' "$(says x "openssl,verify=0,snihost=\"${name//\"/}\"|tcp:127.0.0.1:$port")"
    done
    same 11 "$(grep -c ' E .*{sni} is .*, so it cannot stand there' server.err)"
    file_has server.err '(second address, link 1 "openssl-server" said it)'
    same '' "$(says x "openssl,verify=0,no-sni|tcp:127.0.0.1:$port")"
    file_has server.err ' E .*nobody has said what {sni} is, which <filename> needs'
    same $'b.example\nx' "$(says x "${client/@/b.example}")"
    same "$(echo a.example.sock; echo b.example.sock)" "$(ls | grep sock)"
}
@test "whom a TLS client expects, and whom it names, is of each connection" {
    start_listener backend "tcp4-l:0,bind=127.0.0.1,fork" "^openssl-server,cert=$C/server.pem,verify=0|system:cat >/dev/null; echo \$SOCAT_SNI"
    backend=$port
    front() {
        start_listener server "openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,fork" "$1"
        ask() { says x "openssl,verify=0,snihost=$1|tcp:127.0.0.1:$port"; }
        same "$2" "$(ask localhost)"
        same '' "$(ask other.example)"
        same "$2" "$(ask localhost)"
        has "$(<server.err)" ' E .*certificate is not for "other.example", it is for "localhost"'
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
    }
    front "openssl,cafile=$C/ca.crt,commonname={sni}|tcp4:127.0.0.1:$backend" localhost
    front "openssl,cafile=$C/ca.crt,commonname={sni},snihost=x.{sni}|tcp4:127.0.0.1:$backend" x.localhost
    start_listener server "openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,fork" "openssl:{sni}:$backend,cafile=$C/ca.crt,pf=ip4"
    same localhost "$(ask localhost)"
    start_listener server "openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,fork" "openssl,cafile=$C/ca.crt|gzip|gunzip|tcp4:{sni}:$backend"
    same localhost "$(ask localhost)"
}
@test "a certificate for each address, on the left" {
    cp "$C/server.pem" 127.0.0.1.pem && cp "$C/other.pem" 127.0.0.2.pem
    one() {
        start_listener server "openssl-server,cert=$T/{sockaddr}.pem,verify=0|tcp4-l:0$1" pipe
        for i in $(clients "$1"); do
            address=127.0.0.$((2 - i % 2)) name=$([ $((i % 2)) = 1 ] && echo localhost || echo other.example)
            same hello "$(says hello "openssl,cafile=$C/ca.crt,commonname=$name|tcp:$address:$port")"
        done
    }
    ways one
}

# --- chains, environment, retry -------------------------------------------------------------------

@test "dialogs of a proxy, and the nearest on the left" {
    start_peer proxy line line send:'HTTP/1.0 200 OK\r\n\r\n' echo shut
    proxy=$port from=$(free_port)
    start_listener server tcp-l:0,bind=127.0.0.1 "proxy:{peeraddr}:{peerport}|nop|tcp:127.0.0.1:$proxy"
    same hello "$(says hello "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr")"
    wait_for 5 file_has proxy.out "^CONNECT 127.0.0.1:$from HTTP/1.0"
}
@test "the halves of a dual" {
    echo given >given
    start_listener server "tcp-l:0,bind=127.0.0.1,fork" "create:$T/{peerport}.out%open:$T/{sockaddr},rdonly"
    cp given 127.0.0.1
    for i in 1 2; do
        from=$(free_port)
        same given "$(says "hello $i" "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr")"
        wait_for 5 file_has "$from.out" "^hello $i$"
    done
}
@test "another attempt asks again; what cannot stand there is not tried again" {
    start_listener server "tcp-l:0,bind=127.0.0.1,fork" "unix:$T/{sockaddr}.sock,forever,interval=0.1"
    mkfifo hold
    start client "$CATENA_REAL_BIN" - "tcp:127.0.0.1:$port" <>hold
    wait_for 5 file_has server.err 'N .*127.0.0.1.sock'
    start echo "$CATENA_REAL_BIN" "unix-l:$T/127.0.0.1.sock" pipe </dev/null
    echo hello >hold
    wait_for 10 file_has client.out '^hello$'
    start_listener server "unix-l:$T/s,fork" "tcp:{peeraddr}:1,forever" || :
    wait_for 5 unix_listens "$T/s"
    same '' "$(says x "unix:$T/s,bind=$T/c")"
    wait_for 5 file_has server.err 'E .*<host>: {peeraddr} is ".*/c", which is no host name'
}
@test "the environment of programs stays v1's" {
    start_listener backend tcp-l:0,bind=127.0.0.1,fork pipe
    backend=$port from=$(free_port)
    start_listener server -r "$T/raw-\$SOCAT_PEERPORT-{peerport}" tcp-l:0,bind=127.0.0.1,fork "tcp:127.0.0.1:$backend"
    same hello "$(says hello "tcp:127.0.0.1:$port,sourceport=$from,reuseaddr")"
    wait_for 5 file_has "raw-$from-$from" '^hello$'
}

# --- the plan ------------------------------------------------------------------------------------

# bats test_tags=single
@test "a hole that nobody fills, or that cannot stand there, is an error of the plan" {
    wrong() { # <pattern> <arguments>
        run catena -n "${@:2}"
        same 1 "$status"
        has "$output" "$1"
    }
    wrong 'E second address "tcp": {sni} stands for the name .*, but nobody who is opened before tells that' - 'tcp:{sni}:443'
    has "$output" '^        ^~~~~$'
    wrong '{peerport} stands for' 'tcp-l:{peerport}' -
    wrong '<port>: {peeraddr}, something like "192.0.2.1", is no port' tcp-l:1 'tcp:h:{peeraddr}'
    wrong '{sni} stands for' tcp-l:1 'openssl,commonname={sni}|tcp:h:1'
    wrong '{sni} stands for' tcp-l:1 '^openssl-server,cert=/{sni}|tcp:h:1'
    wrong '{sni} stands for' '^openssl-server,cert=/x|tcp-l:1' 'open:/x/{sni}' # it talks to what is opened then
    wrong '{sni} stands for' -r '/x/{sni}' tcp-l:1 -
    for fact in 'so-timestamp {timestamp}' 'ip-recvttl {ip_ttl}' 'ip-pktinfo {ip_dstaddr}' 'ip-recvopts {ip_options}' 'ipv6-recvtclass {ipv6_tclass}'; do
        wrong "which first address \"udp-recvfrom\" tells only with option ${fact% *};" -u udp-recvfrom:1 "open:/x/${fact#* }"
        wrong "tells only with option ${fact% *};" -u "udp-recvfrom:1,${fact% *}=0" "open:/x/${fact#* }"
        wrong "tells only with option ${fact% *};" -u -r "/x/${fact#* }" udp-recvfrom:1,null-eof -
        run catena -n -u "udp-recvfrom:1,${fact% *}" "open:/x/${fact#* }"
        same 0 "$status"
    done
    wrong 'nobody who is opened before tells that' -u tcp-l:1,so-timestamp 'open:/x/{timestamp}'
    wrong '"openssl-listen" tells only without verify=0;' openssl-listen:1,cert=/x,verify=0 'open:/x/{openssl_x509_commonname}'
    run catena -n "openssl-listen:1,cert=$BATS_FILE_TMPDIR/certs/server.pem,cafile=$BATS_FILE_TMPDIR/certs/ca.crt" 'open:/x/{openssl_x509_commonname}'
    same 0 "$status"
    wrong 'port 99999 is too large' "openssl-server,cert=/x|tcp-l:1" 'tcp:{sni}:99999'
    has "$output" '^              ^~~~~$'
    wrong 'does not start with a number' tcp-l:1 'tcp:h:1,forever={peerport}'
    wrong 'option "readbytes"' tcp-l:1 'tcp:h:1,readbytes={peerport}'
    wrong 'unknown option' tcp-l:1 'tcp:h:1,nosuch={peerport}'
}
# bats test_tags=single
@test "what is no hole stays text" {
    for text in 'gopen:/x/{foo}' 'gopen:/x/\{peeraddr}' 'gopen:/x/{peeraddr' 'gopen:/x/{PEERADDR}' 'gopen:/x/{ peeraddr}' 'gopen:/x/{}'; do
        run catena -n tcp-l:1 "$text"
        same 0 "$status"
        has_not "$output" 'told by'
    done
    run catena -n --v1 tcp-l:1 'gopen:/x/{peeraddr}'
    same 0 "$status"
    has_not "$output" 'told by'
    run socat_ours -n - 'gopen:/x/{peeraddr}'
    same 0 "$status"
    start_listener server tcp-l:0,bind=127.0.0.1 'exec:echo {peeraddr} {sni}'
    same '{peeraddr} {sni}' "$(says x "tcp:127.0.0.1:$port" 2>/dev/null || :)"
    for name in socat_ref socat_ours; do
        $name -u - "open:$T/{peeraddr}-$name,creat" <<<x
        [ -e "{peeraddr}-$name" ]
    done
}
# bats test_tags=single
@test "a dry run tells who fills which hole" {
    run catena -n "openssl-server,cert=$C/server.pem,verify=0|tcp-l:1" "openssl,cafile=$C/ca.crt|tcp:{sni}:443,bind={sockaddr}"
    same 0 "$status"
    has "$output" '{sni} in <host>: told by first address, link 1 "openssl-server"'
    has "$output" '{sockaddr} in option "bind": told by first address, link 2 "tcp-l"'
    has "$output" '^  tcp-connect:{sni}:443$'
}

@test "SOCKS5-LISTEN: who has come to the server, and where that listens" {
    start_peer sockd recv:3 'send:\x05\0' recv:10 'send:\x05\0\0\x01\x0a\x09\x08\x07\x1f\x90' \
        'send:\x05\0\0\x01\x0a\x09\x08\x06\x1f\x91' send:hello shut
    catena -u "socks5-listen:10.1.2.3:0|tcp:127.0.0.1:$port" \
        "OPEN:$T/{peeraddr}-{peerport}-{sockaddr}-{sockport},creat"
    has "$(<"$T/10.9.8.6-8081-10.9.8.7-8080")" hello
}
