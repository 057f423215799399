#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# HTTP and SOCKS proxies: real ones from Debian, and peers that answer byte by byte or wrongly.
load ../v1compat/common

setup_file() { socat_link >/dev/null; }
prepare() { printf 'hello\n' >hello; }

target() { start_listener target tcp-listen:0,bind=127.0.0.1,fork pipe && target=$port; }

# through <address> [<steps>]: a question and its answer, and only then the end, since most proxies close both
# directions when one ends.
through() {
    [ $# -gt 1 ] || set -- "$1" line shut eof
    start_peer client "send:hello\n" "${@:2}"
    run catena "tcp:127.0.0.1:$port" "$1" </dev/null
    same "0" "$status$output"
    finish client
    same hello "$(tail -n 1 client.out)"
}

refused() { # <address> <pattern>
    run catena - "$1" <hello
    same 1 "$status"
    has "$output" "$2"
}

tiny() { # <more configuration>: tinyproxy; its port is in $proxy
    proxy=$(free_port)
    cat >tiny.conf <<CONF
Port $proxy
Listen 127.0.0.1
Timeout 60
MaxClients 20
Allow 127.0.0.1
LogLevel Connect
$1
CONF
    start tiny tinyproxy -d -c "$T/tiny.conf" </dev/null
    wait_for 5 port_listens "$proxy"
}

micro() { # <arguments>
    proxy=$(free_port)
    start micro microsocks -i 127.0.0.1 -p "$proxy" "$@" </dev/null
    wait_for 5 port_listens "$proxy"
}

dante() {
    proxy=$(free_port)
    cat >dante.conf <<CONF
logoutput: stderr
internal: 127.0.0.1 port = $proxy
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
CONF
    start dante danted -f "$T/dante.conf" -p "$T/dante.pid.file" </dev/null
    wait_for 5 port_listens "$proxy" || {
        cat dante.out dante.err
        skip "danted does not start here"
    }
}

@test "tinyproxy" {
    target
    tiny
    through "proxy:127.0.0.1:$target|tcp:127.0.0.1:$proxy"
    through "proxy-connect:localhost:$target|tcp:127.0.0.1:$proxy"
    through "proxy:127.0.0.1:127.0.0.1:$target,proxyport=$proxy"
    through "^nop|proxy:127.0.0.1:$target|tcp:127.0.0.1:$proxy"
    refused "proxy:127.0.0.1:1|tcp:127.0.0.1:$proxy" ' E .*50[0-9]'
}

@test "tinyproxy with a password" {
    target
    tiny 'BasicAuth joe secret'
    through "proxy:127.0.0.1:$target,proxyauth=joe:secret|tcp:127.0.0.1:$proxy"
    through "proxy:127.0.0.1:127.0.0.1:$target,proxyport=$proxy,proxyauth=joe:secret"
    printf 'joe:secret\n' >auth
    through "proxy:127.0.0.1:$target,proxy-authorization-file=auth|tcp:127.0.0.1:$proxy"
    refused "proxy:127.0.0.1:$target|tcp:127.0.0.1:$proxy" ' E .*40[17]'
    refused "proxy:127.0.0.1:$target,proxyauth=joe:wrong|tcp:127.0.0.1:$proxy" ' E .*40[17]'
}

@test "big transfer through tinyproxy" {
    start_peer right check:5000000:1 "send:done\n" gen:5000000:2 eof
    t=$port
    tiny
    start_peer left gen:5000000:1 line check:5000000:2 shut eof
    start run "$CATENA_BIN" "tcp:127.0.0.1:$port" "proxy:127.0.0.1:$t|tcp:127.0.0.1:$proxy" </dev/null
    finish left
    finish right
    finish run
}

@test "microsocks" {
    target
    micro
    through "socks5:127.0.0.1:$target|tcp:127.0.0.1:$proxy"
    # microsocks takes the first address of a name, and the target listens on version 4
    name=localhost
    getent ahosts localhost | head -n 1 | grep -q '^127' || name=127.0.0.1
    through "socks5:$name:$target|tcp:127.0.0.1:$proxy"
    through "socks5-connect:127.0.0.1:$proxy:$name:$target"
    through "socks5:127.0.0.1:$name:$target,socksport=$proxy"
    refused "socks5:127.0.0.1:1|tcp:127.0.0.1:$proxy" 'refused'
}

@test "microsocks with a password" {
    target
    micro -u joe -P secret
    through "socks5:127.0.0.1:$target,socksuser=joe,sockspass=secret|tcp:127.0.0.1:$proxy"
    through "socks5:127.0.0.1:$target,socks5-username=joe,socks5-password=secret|tcp:127.0.0.1:$proxy"
    through "socks5:127.0.0.1:$proxy:127.0.0.1:$target,socksuser=joe,sockspass=secret"
    refused "socks5:127.0.0.1:$target|tcp:127.0.0.1:$proxy" ' E '
    refused "socks5:127.0.0.1:$target,socksuser=joe,sockspass=wrong|tcp:127.0.0.1:$proxy" ' E '
}

@test "dante: socks4, socks4a, socks5" {
    target
    dante
    through "socks4:127.0.0.1:$target|tcp:127.0.0.1:$proxy"
    through "socks4:127.0.0.1:127.0.0.1:$target,socksport=$proxy"
    through "socks5:127.0.0.1:$target|tcp:127.0.0.1:$proxy"
    through "socks5:localhost:$target|tcp:127.0.0.1:$proxy"
    refused "socks4:127.0.0.1:1|tcp:127.0.0.1:$proxy" ' E '
    # dante knows no 4A: the pure form is covered below.
}

@test "socks4: what is sent, an answer byte by byte" {
    start_peer server recv:12 drip 'send:\x00\x5a\x01\x02\x03\x04\x05\x06welcome\n' line shut eof
    run catena - "socks4:10.1.2.3:80,socksuser=joe|tcp:127.0.0.1:$port" <hello
    same 0 "$status"
    same welcome "$output"
    finish server
    tail -c +"$(($(head -n 1 server.out | wc -c) + 1))" server.out | head -c 12 >sent
    printf '\4\1\0\120\12\1\2\3joe\0' | cmp - sent
}

@test "socks4a: what is sent" {
    start_peer server recv:28 'send:\0\x5a\0\0\0\0\0\0' echo shut
    run catena - "socks4a:www.example.org:80,socksuser=joe|tcp:127.0.0.1:$port" <hello
    same 0 "$status"
    same hello "$output"
    tail -c +"$(($(head -n 1 server.out | wc -c) + 1))" server.out | head -c 28 >sent
    printf '\4\1\0\120\0\0\0\1joe\0www.example.org\0' | cmp - sent
}

@test "socks4: a refusal" {
    start_peer server recv:12 'send:\0\x5b\0\0\0\0\0\0' eof
    refused "socks4:10.1.2.3:80,socksuser=joe|tcp:127.0.0.1:$port" ' E '
    start_peer server recv:12 'send:\0\x5a\0' shut eof
    refused "socks4:10.1.2.3:80,socksuser=joe|tcp:127.0.0.1:$port" ' E '
}

@test "socks5: byte by byte, with data right behind the answer" {
    start_peer server recv:3 drip 'send:\x05\0' recv:22 \
        'send:\x05\0\0\x03\x04host\0\x50early\n' line shut eof
    run catena - "socks5:www.example.org:80|tcp:127.0.0.1:$port" <hello
    same 0 "$status"
    same early "$output"
    finish server
}

@test "socks5: answers that are wrong" {
    for answer in '\x04\0' '\x05\xff' '\x05\x02' '\x05' ''; do
        start_peer server recv:3 "send:$answer" shut eof
        refused "socks5:www.example.org:80|tcp:127.0.0.1:$port" ' E '
    done
}

@test "proxy: what is sent, answers byte by byte" {
    start_peer server line line drip 'send:HTTP/1.0 200 fine\r\nX-Y: z\r\n\r\nearly\n' line shut eof
    run catena - "proxy:www.example.org:443|tcp:127.0.0.1:$port" <hello
    same 0 "$status"
    same early "$output"
    finish server
    same "$(printf 'CONNECT www.example.org:443 HTTP/1.0\r')" "$(sed -n 2p server.out)"
    same "$(printf '\r')" "$(sed -n 3p server.out)"
}

@test "proxy: answers that are wrong" {
    for answer in 'HTTP/1.0 404 no\r\n\r\n' 'nonsense\r\n\r\n' 'HTTP/1.0 200 cut' ''; do
        start_peer server line line "send:$answer" shut eof
        refused "proxy:www.example.org:443|tcp:127.0.0.1:$port" ' E '
    done
}

@test "proxy: an endless answer is bounded" {
    start_peer server line line 'send:HTTP/1.0 200 ' gen:10000000
    refused "proxy:www.example.org:443|tcp:127.0.0.1:$port" ' E '
}

@test "control characters in an answer do not reach the terminal" {
    start_peer server line line 'send:HTTP/1.0 500 \x1b[31mred\x07\r\n\r\n' eof
    refused "proxy:www.example.org:443|tcp:127.0.0.1:$port" ' E .*500'
    has_not "$output" $'\e'
    has_not "$output" $'\a'
}

@test "one proxy behind the other" {
    target
    micro
    socks=$proxy
    tiny
    through "socks5:127.0.0.1:$target|proxy:127.0.0.1:$socks|tcp:127.0.0.1:$proxy"
    through "proxy:127.0.0.1:$target|socks5:127.0.0.1:$proxy|tcp:127.0.0.1:$socks"
}

@test "the talk's chain of four: socks through TLS through a proxy" {
    make_certs "$T/certs" || return
    # The server ends first: tinyproxy would cut off its goodbye.
    start_listener target tcp-listen:0,bind=127.0.0.1,fork "exec:head -n 1"
    target=$port
    micro
    socks=$proxy
    start_listener sockd "openssl-listen:0,bind=127.0.0.1,fork,cert=certs/server.pem,verify=0" \
        "tcp:127.0.0.1:$socks"
    sockd=$port
    tiny
    through "socks5:127.0.0.1:$target|openssl,cafile=certs/ca.crt|proxy-connect:localhost:$sockd|tcp:127.0.0.1:$proxy" line eof shut
}

@test "the same chain as nested scripts, each opening what the next one uses" {
    make_certs "$T/certs" || return
    start_listener target tcp-listen:0,bind=127.0.0.1,fork "exec:head -n 1"
    target=$port
    micro
    start_listener sockd "openssl-listen:0,bind=127.0.0.1,fork,cert=$T/certs/server.pem,verify=0" \
        "tcp:127.0.0.1:$proxy"
    sockd=$port
    tiny
    script() { printf '#!/bin/sh\nexec "%s" - "%s"\n' "$CATENA_BIN" "$2" >"$1" && chmod +x "$1"; }
    script by-proxy "proxy-connect:localhost:$sockd|tcp:127.0.0.1:$proxy"
    script by-tls "openssl,cafile=$T/certs/ca.crt,commonname=localhost|exec:$T/by-proxy"
    script by-socks "socks5:127.0.0.1:$target|exec:$T/by-tls"
    through "exec:$T/by-socks" line eof shut
    through "socks5:127.0.0.1:$target|exec:$T/by-tls" line eof shut
}

# An early end, and an answer that comes a quiet second later, through proxies that take half a close for a whole one.
@test "TLS through proxies that cannot half-close: an early end and a late answer" {
    make_certs "$T/certs" || return
    C=$T/certs
    start_listener tls -t 5 "openssl-listen:0,bind=127.0.0.1,fork,cert=$C/server.pem,verify=0" \
        "SYSTEM:wc -l; $QUIET; echo late"
    server=$port
    start_listener nested -t 5 tcp-listen:0,bind=127.0.0.1,fork \
        "^openssl-server,cert=$C/server.pem,verify=0|^openssl-server,cert=$C/server.pem,verify=0|SYSTEM:wc -l; $QUIET; echo late"
    nested=$port
    tiny
    http=$proxy
    micro
    early_end() { # <name> <target> <sessions>
        local name=$CATENA_BIN p
        [ "$1" = catena ] || name=$(socat_link)
        for p in "proxy:127.0.0.1:$2|tcp:127.0.0.1:$http" "socks5:127.0.0.1:$2|tcp:127.0.0.1:$proxy"; do
            same '3 late ' "$(seq 3 | timeout "$LIMIT" "$name" -t 5 - "$3|$p" | tr -s '\n ' '  ')"
        done
    }
    o="openssl,cafile=$C/ca.crt,commonname=localhost"
    for name in socat catena; do
        for version in TLS1.2 TLS1.3; do
            echo "$name $server '$o,min-version=$version,max-version=$version'"
            echo "$name $server 'nop|$o,min-version=$version,max-version=$version'"
            echo "$name $nested '$o|$o,min-version=$version,max-version=$version'"
        done
        echo "$name $server 'gzip|gunzip|$o'"
        echo "$name $server 'exec1:cat%exec1:cat|$o'"
    done | abreast early_end
}

@test "... one way, and with the session's server on the proxied side" {
    make_certs "$T/certs" || return
    C=$T/certs
    tiny
    http=$proxy
    micro
    # what goes one way arrives whole, and nobody complains
    for p in "proxy:127.0.0.1:@|tcp:127.0.0.1:$http" "socks5:127.0.0.1:@|tcp:127.0.0.1:$proxy"; do
        start_listener sink "openssl-listen:0,bind=127.0.0.1,cert=$C/server.pem,verify=0" 'SYSTEM:cat >got'
        seq 1 50000 | catena -u - "openssl,cafile=$C/ca.crt,commonname=localhost|${p/@/$port}"
        finish sink
        seq 1 50000 | cmp - got
        # the client behind the proxy is the session's server, and its peer ends first
        start_listener asks -t 5 tcp-listen:0,bind=127.0.0.1 \
            "^openssl,cafile=$C/ca.crt,commonname=localhost|SYSTEM:seq 3; exec >&-; cat >got,pipes"
        catena "SYSTEM:wc -l; $QUIET; echo late" "openssl-server,cert=$C/server.pem,verify=0|${p/@/$port}"
        finish asks
        same '3 late ' "$(tr -s '\n ' '  ' <got)"
    done
}

@test "a plain line through such a proxy: shut-none and -t keep the answer" {
    start_peer server line 'until:go' 'send:late\n' shut
    tiny
    start run "$CATENA_BIN" -t 3 - "proxy:127.0.0.1:$port|tcp:127.0.0.1:$proxy,shut-none" <hello
    wait_for 10 file_has server.out hello
    touch go
    finish run
    same late "$(<run.out)"
}

@test "retry reopens the link and all to its right" {
    micro
    late=$(free_port)
    start_peer client "send:hello\n" line shut eof
    start run "$CATENA_BIN" -d -d "tcp:127.0.0.1:$port" \
        "socks5:127.0.0.1:$late,retry=200,interval=0.05|tcp:127.0.0.1:$proxy" </dev/null
    # Only now the target comes up.
    wait_for 5 file_has run.err "refused"
    start late "$CATENA_BIN" "tcp-listen:$late,bind=127.0.0.1" pipe </dev/null
    finish client
    finish run
    same hello "$(tail -n 1 client.out)"
}

@test "a proxy behind a socks server, with an engine for each of them" {
    target
    tiny
    behind=$proxy
    micro
    for way in '' --unfused; do
        start_peer client "send:hello\n" line shut eof
        # shellcheck disable=SC2086
        run catena $way "tcp:127.0.0.1:$port" \
            "proxy:127.0.0.1:$target|socks5:127.0.0.1:$behind|tcp:127.0.0.1:$proxy" </dev/null
        same 0 "$status"
        finish client
        same hello "$(tail -n 1 client.out)"
    done
}
