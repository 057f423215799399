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

# asks <minor version>: a proxy that wants Digest, and closes the connection if it speaks HTTP/1.0; what it is told is in
# `told`. Behind it is an echo.
asks() {
    cat >asks <<SH
#!/bin/sh
while IFS= read -r line; do
    line=\${line%?}
    case \$line in
    Proxy-authorization:*) said=\${line#*: } ;;
    '')
        echo "\${said:-nothing}" | sed 's/response.*qop/qop/' >>told
        case \${said:-} in *nonce=\"n\"*) printf 'HTTP/1.1 200 OK\r\n\r\n'; exec cat ;; esac
        printf 'HTTP/1.$1 407 Who\r\nProxy-Authenticate: Digest realm=r, nonce=n, qop=auth\r\nContent-Length: 0\r\n\r\n'
        [ $1 = 1 ] || exit 0
        ;;
    esac
done
SH
    chmod +x asks
    : >told
    start_listener "asks$1" tcp-l:0,bind=127.0.0.1,fork exec:./asks && proxy=$port
}
digest() { echo "Digest username=\"joe\", realm=\"r\", nonce=\"n\", uri=\"a:1\", qop=auth, nc=$1"; }

@test "proxy: what it asks for is answered, on the same connection or a new one, alone and for many" {
    for minor in 0 1; do
        asks $minor
        same hello "$(catena - "proxy:a:1,proxyauth=joe:pw,proxy-auth-scheme=digest|tcp:127.0.0.1:$proxy" <hello)"
        same "nothing $(digest 00000001)" "$(paste -sd' ' told)"
        : >told
        same hello "$(catena "proxy:a:1,proxyauth=joe:pw|tcp:127.0.0.1:$proxy" - <hello)"
        same "Basic am9lOnB3 $(digest 00000001)" "$(paste -sd' ' told)"
        : >told
        same hello "$(echo hello | socat_ours -t 5 - "proxy:127.0.0.1:a:1,proxyport=$proxy,proxyauth=joe:pw")"
        same "Basic am9lOnB3 $(digest 00000001)" "$(paste -sd' ' told)"
        : >told
        start_listener threads tcp-l:0,bind=127.0.0.1,thread "proxy:a:1,proxyauth=joe:pw,proxy-auth-scheme=any|nop|tcp:127.0.0.1:$proxy"
        for i in 1 2 3; do same hello "$(catena - "tcp:127.0.0.1:$port" <hello)"; done
        same "nothing $(digest 00000001) $(digest 00000002) $(digest 00000003)" "$(paste -sd' ' told)"
        kill "$(<threads.pid)"
    done
    # where what is asked over cannot be opened anew, that is said
    asks 0
    run catena "tcp:127.0.0.1:$proxy" "^proxy:a:1,proxyauth=joe:pw|pipe"
    same 1 "$status"
    has "$output" 'wants Digest, and another connection for it'
}

@test "proxy: a helper speaks for us, and is gone afterwards" {
    cat >helper <<'SH'
#!/bin/sh
while read -r word token; do
    case $word in
    YR) echo "YR TlRMTVNTUAAB" ;;
    TT) [ "$token" = dHlwZTI= ] && echo "KK dHlwZTM=" || echo "BH what is $token" ;;
    esac
done
echo ended >>ended
SH
    chmod +x helper
    N='Content-Length: 0\r\nProxy-Authenticate: NTLM'
    start_peer server line line line line "send:HTTP/1.1 407 Who\r\n$N\r\n\r\n" line line line line line \
        "send:HTTP/1.1 407 Who\r\n$N dHlwZTI=\r\n\r\n" line line line line line 'send:HTTP/1.1 200 OK\r\n\r\nwell\n' line shut eof
    same well "$(catena - "proxy:a:1,proxy-auth-helper=./helper|tcp:127.0.0.1:$port" <hello)"
    finish server
    same "NTLM TlRMTVNTUAAB NTLM dHlwZTM=" "$(sed -n 's/Proxy-authorization: \(.*\)\r$/\1/p' server.out | paste -sd' ')"
    same ended "$(<ended)"
    # one that says nothing has no more time than the dialog, and one that does not end is ended
    start_peer server line line line line "send:HTTP/1.1 407 Who\r\n$N\r\n\r\n" eof
    run catena - "proxy:a:1,handshake-timeout=0.3,proxy-auth-helper='trap : TERM; tail -f /dev/null; tail -f /dev/null'|tcp:127.0.0.1:$port"
    same 1 "$status"
    has "$output" 'the helper does not answer in time'
    assert_nothing_left
    run catena - "proxy:a:1,proxy-auth-scheme=ntlm|pipe"
    has "$output" 'the scheme NTLM is spoken by a program: proxy-auth-helper names it'
}

# alike <VAR=value...> <host> <port>: does curl go to that proxy, and do we? (Nobody listens there.) @ stands for it.
alike() {
    local host=${*: -2:1} number=${*: -1} vars=("${@:1:$#-2}") scheme=https ours=directly theirs=directly
    [ "$number" != 80 ] || scheme=http
    vars=("${vars[@]//@/127.0.0.1:$nobody}") vars=("${vars[@]//:127.0.0.1/@127.0.0.1}")
    if env "${vars[@]}" curl -sS -m 2 --resolve "*:$number:127.0.0.2" "$scheme://$host:$number/" 2>&1 | grep -q "port $nobody "; then
        theirs=proxied
    fi
    if env "${vars[@]}" "$CATENA_BIN" -n - "proxy-from-env:$host:$number" | grep -q "^  tcp-connect:127.0.0.1:$nobody\$"; then
        ours=proxied
    fi
    same "$host:$number $theirs" "$host:$number $ours"
    echo "$ours" >>ways
}

@test "the proxy of the environment is chosen as curl does" {
    nobody=$(free_port)
    each alike <<'ROWS'
http_proxy=@ a.example 80
http_proxy=http://@/ a.example 443
https_proxy=http://@ a.example 443
https_proxy=@ a.example 80
HTTPS_PROXY=@ a.example 443
ALL_PROXY=http://joe:pw%40%2e:@ a.example 80
all_proxy=@ http_proxy= a.example 80
all_proxy=http://192.0.2.1:1 http_proxy=@ a.example 80
all_proxy=@ no_proxy=example a.example 80
all_proxy=@ no_proxy=.example a.example 80
all_proxy=@ no_proxy=A.EXAMPLE a.example 80
all_proxy=@ no_proxy=ample a.example 80
all_proxy=@ no_proxy='b.example, a.example' a.example 443
all_proxy=@ no_proxy=a.example:80 a.example 80
all_proxy=@ no_proxy='*' a.example 80
all_proxy=@ no_proxy='b,*' a.example 80
all_proxy=@ no_proxy=a.example. a.example 80
all_proxy=@ no_proxy=a.example a.example. 80
all_proxy=@ no_proxy=b.a.example a.example 80
all_proxy=@ no_proxy= NO_PROXY=a.example a.example 80
all_proxy=@ no_proxy=b NO_PROXY=a.example a.example 80
all_proxy=@ no_proxy=127.0.0.3 127.0.0.3 80
all_proxy=@ no_proxy=0.3 127.0.0.3 80
all_proxy=@ no_proxy=127.0.0.0/30 127.0.0.3 80
all_proxy=@ no_proxy=127.0.0.0/31 127.0.0.3 80
all_proxy=@ no_proxy=::1 [::1] 80
all_proxy=@ no_proxy=[::2] [::1] 80
socks5h_proxy=@ a.example 80
ROWS
    same 28 "$(wc -l <ways)"
    # what curl has nothing for
    all_proxy=127.0.0.1:$nobody catena -n - proxy-from-env:a:1 | grep "^  tcp-connect:127.0.0.1:$nobody"
    HTTP_PROXY=@ REQUEST_METHOD=GET catena -n - proxy-from-env:a:80 | grep '^  tcp-connect:a:80$'
    HTTP_PROXY=p:1 catena -n - proxy-from-env:a:80 | grep '^  tcp-connect:p:1$'
    all_proxy=p:1 no_proxy=::/120 catena -n - proxy-from-env:[::1]:80 | grep -F '  tcp-connect:[::1]:80'
    ftp_proxy=p:1 catena -n - proxy-from-env:a:80,proxy-for=ftp | grep '^  tcp-connect:p:1$'
    all_proxy=p catena -n tcp-l:1 'proxy-from-env:{peeraddr}:{peerport}' | grep '^  tcp-connect:p:1080$'
    all_proxy=p no_proxy=b fails catena -n tcp-l:1 'proxy-from-env:{peeraddr}:1'
    https_proxy=p fails catena -n tcp-l:1 'proxy-from-env:a:{peerport}'
    https_proxy=p catena -n tcp-l:1 'proxy-from-env:a:{peerport},proxy-for=https' | grep '^  tcp-connect:p:1080$'
    for wrong in http://u:p@ p:0 p:x '[::1' '[::1]1' gopher://p 'http://a%0ab@c'; do
        all_proxy=$wrong run catena -n - proxy-from-env:a:1
        same 1 "$status"
        has "$output" 'all_proxy names'
        has_not "$output" 'u:p'
    done
}

@test "every kind of proxy that the environment can name" {
    make_certs certs
    target
    T2='tcp:{targethost}:{targetport}'
    start_listener servers -d "socks-server,auth=joe:p@w|tcp-l:0,bind=127.0.0.1,thread" "$T2" && socks=$port
    start_listener old "socks-server|tcp-l:0,bind=127.0.0.1,thread" "$T2" && old=$port
    start_listener http "proxy-server,auth=joe:p@w|tcp-l:0,bind=127.0.0.1,fork" "$T2" && http=$port
    start_listener tls "proxy-server,auth=joe:p@w|openssl-listen:0,bind=127.0.0.1,cert=certs/server.pem,verify=0,thread" "$T2" && tls=$port
    export no_proxy=10.0.0.0/8
    for all_proxy in "http://joe:p%40w@127.0.0.1:$http" "https://joe:p%40w@localhost:$tls" "socks4a://127.0.0.1:$old" \
        "socks4://127.0.0.1:$old" "socks5://joe:p%40w@127.0.0.1:$socks" "socks5h://joe:p%40w@127.0.0.1:$socks"; do
        export all_proxy
        same hello "$(catena -t 5 - "proxy-from-env:localhost:$target,cafile=certs/ca.crt,pf=ip4" <hello)"
        same hello "$(no_proxy=localhost catena - "proxy-from-env:localhost:$target,pf=ip4" <hello)"
    done
    # which are not asked for it otherwise
    same "localhost 127.0.0.1" "$(sed -n 's/.*wants \([^:]*\):.*/\1/p' servers.err | sort -ru | paste -sd' ')"
}

# http2 [<options of its server>]: nghttpx, which speaks HTTP/2, in front of a server of ours; its port is in $proxy.
http2() {
    start_listener behind "proxy-server,${1:-open}|tcp-l:0,bind=127.0.0.1,thread" 'tcp:{targethost}:{targetport}'
    behind=$port proxy=$(free_port)
    start nghttpx nghttpx --conf=/dev/null -s --workers=1 -f "127.0.0.1,$proxy;no-tls" -b "127.0.0.1,$behind" --frontend-http2-read-timeout=60 </dev/null
    wait_for 10 port_listens "$proxy"
}

@test "proxy: HTTP/2, both ways and each, in every way of serving" {
    http2
    H="proxy:127.0.0.1:TARGET,http-version=2|tcp:127.0.0.1:$proxy"
    for way in '' nop; do
        start_peer right check:3000000:1 "send:done\n" gen:3000000:2 shut eof
        start run "$CATENA_BIN" - "${way:+$way|}${H/TARGET/$port}" < <("$PEER" gen 3000000 1)
        finish right
        finish run
        head -n 1 run.out | grep -q '^done$'
        tail -c +6 run.out | cmp - <("$PEER" gen 3000000 2)
    done
    make_certs certs
    start_listener tls openssl-listen:0,bind=127.0.0.1,cert=certs/server.pem,verify=0,fork "tcp:127.0.0.1:$proxy" && tls=$port
    for way in fork thread; do
        start_peer right check:3000000:1 "send:done\n" gen:3000000:2 shut eof
        start_listener tls$way "tcp-l:0,bind=127.0.0.1,$way" \
            "proxy:127.0.0.1:$port,http-version=2|openssl,commonname=localhost,cafile=certs/ca.crt|tcp:127.0.0.1:$tls"
        start over "$CATENA_BIN" - "tcp:127.0.0.1:$port" < <("$PEER" gen 3000000 1)
        finish right
        finish over
        same_files over.out run.out
    done
    target
    ask() { (echo hello; $BRIEFLY) | catena -t 0.1 "$@"; }
    for way in fork thread; do
        start_listener $way "tcp-l:0,bind=127.0.0.1,$way" "${H/TARGET/$target}"
        for i in 1 2 3; do start $way.$i ask - "tcp:127.0.0.1:$port"; done
    done
    start left ask "${H/TARGET/$target}" -
    start whole ask - "proxy:127.0.0.1:127.0.0.1:$target,proxyport=$proxy,http-version=2"
    for one in {fork,thread}.{1,2,3} left whole; do
        finish $one
        same hello "$(<$one.out)"
    done
    start_peer right "send:only this\n" shut eof
    same 'only this' "$(catena -U - "${H/TARGET/$port}" </dev/null)"
    refused "${H/TARGET/1}" 'the proxy refused 127.0.0.1:1: 502'
    start_peer right "send:half of\n" until:never
    start broken "$CATENA_BIN" - "${H/TARGET/$port}" </dev/null
    wait_for 5 file_has broken.out 'half of'
    kill -KILL "$(<nghttpx.pid)" "$(pgrep -P "$(<nghttpx.pid)")" # its worker, too
    finish broken 1
    has "$(<broken.err)" 'the proxy closed the connection before the end of the stream'
    has "$(catena -n - "${H/TARGET/1}")" '^  proxy-http2:127.0.0.1:1$'
}

@test "proxy: HTTP/2, who we are, and proxies that speak nothing of the kind" {
    http2 auth=joe:secret
    start_peer right "send:well\n" shut eof
    same well "$(catena - "proxy:127.0.0.1:$port,http-version=2,proxyauth=joe:secret,proxy-auth-scheme=any|tcp:127.0.0.1:$proxy" <hello)"
    refused "proxy:127.0.0.1:1,http-version=2|tcp:127.0.0.1:$proxy" '407; give proxy-authorization (it offers Basic)'
    refused "proxy:127.0.0.1:1,http-version=2,proxyauth=joe:no|tcp:127.0.0.1:$proxy" '407 (the credentials were sent; it offers Basic)'
    refused "proxy:127.0.0.1:1,http-version=2,proxy-auth-helper=x|tcp:127.0.0.1:$proxy" 'proxy-auth-helper is for HTTP/1'
    refused "proxy:127.0.0.1:1,http-version=2,ignorecr|tcp:127.0.0.1:$proxy" 'ignorecr is for HTTP/1'
    start_peer server line 'send:HTTP/1.1 400 Bad Request\r\n\r\n' eof
    refused "proxy:127.0.0.1:1,http-version=2|tcp:127.0.0.1:$port" 'speaks HTTP/1, and no HTTP/2'
    start_peer server line 'send:220 mail\r\n' eof
    refused "proxy:127.0.0.1:1,http-version=2|tcp:127.0.0.1:$port" 'what the proxy says is no HTTP/2'
    start_peer server sum
    refused "proxy:127.0.0.1:1,http-version=2,handshake-timeout=0.3|tcp:127.0.0.1:$port" 'no answer from the peer in time'
}
