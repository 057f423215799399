#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What clients of proxies can do beyond asking: proving who they are, going where the environment says, HTTP/2.
load ../helpers
load nghttpx

prepare() { printf 'hello\n' >hello; }

target() { start_listener target tcp-listen:0,bind=127.0.0.1,fork pipe && target=$port; }
refused() { # <address> <pattern>
    run catena - "$1" <hello
    same 1 "$status"
    has "$output" "$2"
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

@test "proxy: what one has asked for another one is not told" {
    asks 1
    first=$proxy
    asks 1
    start_listener proxies 'socks-server|tcp-l:0,bind=127.0.0.1,thread' \
        "proxy:a:1,proxyauth=joe:pw,proxy-auth-scheme=any|tcp:127.0.0.1:{targetport}"
    for to in "$first" "$first" "$proxy" "$proxy" "$first"; do
        same hello "$(catena - "socks4:127.0.0.1:$to|tcp:127.0.0.1:$port" <hello)"
    done
    same "nothing $(digest 00000001) $(digest 00000002) nothing $(digest 00000001) $(digest 00000002) $(digest 00000003)" \
        "$(paste -sd' ' told)"
    # who connects to us is not known to be the same
    start_listener reverse tcp-l:0,bind=127.0.0.1,thread "^proxy:a:1,proxyauth=joe:pw,proxy-auth-scheme=any|exec:true"
    : >told
    for i in 1 2; do catena -t 0.2 exec:./asks "tcp:127.0.0.1:$port"; done
    same "nothing $(digest 00000001) nothing $(digest 00000001)" "$(paste -sd' ' told)"
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
    for how in -n --explain -n=json; do
        catena $how - 'proxy:a:1,proxy-auth-helper=x --password=s3cret|tcp:a:1,nosuch' >shown 2>&1 || :
        catena $how - 'proxy:a:1,proxy-auth-helper=x --password=s3cret|tcp:a:1' >>shown 2>&1
        has_not "$(<shown)" s3cret
        has "$(<shown)" 'a:1'
    done
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
https_proxy=http://@ a.example 443
https_proxy=@ a.example 80
all_proxy=@ http_proxy= a.example 80
all_proxy=http://192.0.2.1:1 http_proxy=@ a.example 80
all_proxy=@ no_proxy=example a.example 80
all_proxy=@ no_proxy=A.EXAMPLE a.example 80
all_proxy=@ no_proxy=ample a.example 80
all_proxy=@ no_proxy='b.example, a.example' a.example 443
all_proxy=@ no_proxy=a.example:80 a.example 80
all_proxy=@ no_proxy='*' a.example 80
all_proxy=@ no_proxy='b,*' a.example 80
all_proxy=@ no_proxy=a.example. a.example 80
all_proxy=@ no_proxy=a.example a.example. 80
all_proxy=@ no_proxy= NO_PROXY=a.example a.example 80
all_proxy=@ no_proxy=127.0.0.3 127.0.0.3 80
all_proxy=@ no_proxy=127.0.0.0/30 127.0.0.3 80
all_proxy=@ no_proxy=127.0.0.0/31 127.0.0.3 80
all_proxy=@ no_proxy=[::2] [::1] 80
socks5h_proxy=@ a.example 80
ROWS
    same 20 "$(wc -l <ways)"
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

# http2 [<options of its server>]: nghttpx in front of a server of ours; its port is in $proxy.
http2() { behind "${1:-open}" && proxy=$(free_port) && plain_front nghttpx; }

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
    ask() { (echo hello; wait_for 10 file_has "$1.out" hello) | catena -t 0.1 "${@:2}"; } # <its name> <arguments...>
    for way in fork thread; do
        start_listener $way "tcp-l:0,bind=127.0.0.1,$way" "${H/TARGET/$target}"
        for i in 1 2 3; do start $way.$i ask $way.$i - "tcp:127.0.0.1:$port"; done
    done
    start left ask left "${H/TARGET/$target}" -
    start whole ask whole - "proxy:127.0.0.1:127.0.0.1:$target,proxyport=$proxy,http-version=2"
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
    end_front nghttpx
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
    refused "proxy:127.0.0.1:1,http-version=2,handshake-timeout=0.3|tcp:127.0.0.1:$port" 'the peer took too long'
}

@test "proxy: HTTP/2 behind TLS, which is agreed upon there" {
    make_certs certs
    behind
    TLS=openssl,commonname=localhost,cafile=certs/ca.crt
    proxy=$(free_port) && tls_front both
    start_peer right "send:well\n" shut eof
    H="proxy:127.0.0.1:$port,http-version=2"
    has "$(catena -n - "$H|nop|$TLS|tcp:a:1")" '^      speaks inside: h2$'
    has_not "$(catena -n - "proxy:a:1|$TLS|tcp:a:1")" 'speaks inside'
    has_not "$(catena -n - "$H|gzip|$TLS|tcp:a:1")" 'speaks inside'
    same well "$(catena -d -d - "$H|nop|$TLS|tcp:127.0.0.1:$proxy" <hello 2>log)"
    file_has log 'ALPN h2$'
    # what is said counts more, and what comes of it is told
    refused "$H|$TLS,alpn=http/1.1|tcp:127.0.0.1:$proxy" 'the server chose to speak "http/1.1", but what goes through this session is "h2" (alpn)'
    # one that speaks only the old one says so, or finds nothing in common
    proxy=$(free_port) && tls_front old --npn-list=http/1.1
    refused "$H|$TLS|tcp:127.0.0.1:$proxy" 'the proxy speaks HTTP/1, and no HTTP/2'
    start_listener strict "openssl-listen:0,bind=127.0.0.1,cert=certs/server.pem,verify=0,alpn=http/1.1,thread" pipe
    refused "$H|$TLS|tcp:127.0.0.1:$port" 'the peer speaks none of the protocols offered'
    catena -n -u "$H|$TLS|tcp:a:1" 'create:x.{alpn}' | grep '{alpn} in .*: told by first address, link 2 "openssl"'
    fails catena -n -u "proxy:a:1|$TLS|tcp:a:1" 'create:x.{alpn}'
}
