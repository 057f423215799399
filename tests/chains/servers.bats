#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# SOCKS-SERVER and PROXY-SERVER: real clients, every way of serving many, what a client is told, and who may go where.
load ../helpers

TARGET='tcp:{targethost}:{targetport}'

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { C=$BATS_FILE_TMPDIR/certs; }

# The server that clients want to reach: one answer, or an echo. It is then at $target.
web() {
    printf '#!/bin/sh\nread -r x\nprintf "HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n"\n' >web
    chmod +x web
    start_listener web tcp-l:0,bind=127.0.0.1,fork exec:./web && target=$port
}
echoes() { start_listener echoes tcp-l:0,bind=127.0.0.1,fork pipe && target=$port; }

get() { curl -sS -m "$LIMIT" "$@"; } # <curl arguments...>
via() { get -x "$1://$2127.0.0.1:$port" "http://${3:-127.0.0.1}:$target/"; } # <scheme> <user:password@> [<host>]
told() { # <pattern> <command...>: that fails, saying so
    run "${@:2}"
    [ "$status" != 0 ]
    has "$output" "$1"
}
# ask <bytes as for printf>: what a client of bare bytes gets, in hexadecimal. Its last bytes follow the request at once.
ask() { (printf "$1" && $BRIEFLY) | catena -t 5 - "tcp:127.0.0.1:$port" | od -An -v -tx1 | tr -d ' \n'; }
port_bytes() { printf '\\x%02x\\x%02x' $((target / 256)) $((target % 256)); }

@test "socks: curl speaks 4, 4a, 5 and 5 with names, and the next one comes: fork, thread, reverse" {
    web
    for way in fork thread reverse; do
        case $way in
        reverse) start_listener "$way" tcp-l:0,bind=127.0.0.1,thread "^socks-server|$TARGET" ;;
        *) start_listener "$way" "socks-server|tcp-l:0,bind=127.0.0.1,$way" "$TARGET" ;;
        esac
        for scheme in socks4 socks4a socks5 socks5h; do same hello "$(via $scheme '')"; done
        same hello "$(via socks4a '' localhost)"
        same hello "$(via socks5h '' localhost)"
        kill "$(<$way.pid)"
    done
}

@test "socks: one connection alone, behind TLS, and through other links" {
    echoes
    start_listener alone "socks-server|tcp-l:0,bind=127.0.0.1" "$TARGET"
    same hello "$(echo hello | catena -t 5 - "socks5:127.0.0.1:$target|tcp:127.0.0.1:$port")"
    finish alone
    for way in fork thread; do
        start_listener tls "socks-server|openssl-server,cert=$C/server.pem,cafile=$C/ca.crt|tcp-l:0,$way" "$TARGET"
        for client in socks4 socks4a socks5; do
            same hello "$(echo hello | catena -t 5 - "$client:127.0.0.1:$target|openssl,cafile=$C/ca.crt,commonname=localhost,cert=$C/client.pem|tcp:127.0.0.1:$port")"
        done
        kill "$(<tls.pid)"
    done
    start_listener links "tap:tapped|gzip|socks-server|nop|tcp-l:0,bind=127.0.0.1,fork" "$TARGET"
    seq 10000 >in
    catena -t 5 - "gzip|socks5:127.0.0.1:$target|tcp:127.0.0.1:$port" <in | cmp - in
    start_listener exit "socks-server|tcp-l:0,bind=127.0.0.1,thread" "socks5:{targethost}:{targetport}|tcp:127.0.0.1:$port"
    catena -t 5 - "gzip|socks4a:localhost:$target|tcp:127.0.0.1:$port" <in | cmp - in
}

@test "socks: ncat, and what curl is told of failures" {
    echoes
    start_listener server "socks-server,deny=10.0.0.0/8|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    for type in socks4 socks5; do
        same hello "$(echo hello | timeout "$LIMIT" ncat --proxy "127.0.0.1:$port" --proxy-type $type 127.0.0.1 "$target")"
    done
    target=$(free_port)
    told '(5)' via socks5 ''
    told '(91)' via socks4 ''
    told '(4)' via socks5h '' no.such.invalid
    told '(2)' via socks5 '' 10.1.2.3
    told 'refused' catena - "socks5:127.0.0.1:$target|tcp:127.0.0.1:$port"
    told 'not allowed' catena - "socks5:10.1.2.3:$target|tcp:127.0.0.1:$port"
    kill "$(<server.pid)"
    start_listener strict "socks-server|tcp-l:0,bind=127.0.0.1,thread" "openssl,cafile=$C/ca.crt,commonname=other|$TARGET"
    start_listener tls tcp-l:0,bind=127.0.0.1,fork "^openssl-server,cert=$C/server.pem,verify=0|pipe"
    target=$port port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' strict.err)
    told '(2)' via socks5 ''
}

@test "logging in: auth, auth-file, hashes; nobody else, and nothing of it is shown" {
    web
    printf 'joe:s3cret\nann:%s\n' "$(openssl passwd -6 pa:ss)" >users
    chmod 600 users
    start_listener socks "socks-server,auth-file=users|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same hello "$(via socks5 joe:s3cret@)"
    same hello "$(via socks5 ann:pa%3ass@)"
    told 'User was rejected' via socks5 joe:wrong@
    told 'User was rejected' via socks5 ann:%246%24@
    told 'No authentication method' via socks5 ''
    told '(91)' via socks4 ''
    has "$(<socks.err)" 'user "joe" and the password do not belong together'
    kill "$(<socks.pid)"
    has_not "$(<socks.err)" 's3cret\|wrong'
    start_listener one "socks-server,auth=joe:s3cret|tcp-l:0,bind=127.0.0.1,fork" 'system:read x; echo "$SOCAT_TARGETUSER $SOCAT_TARGETHOST"'
    tr '\0' '\n' <"/proc/$(<one.pid)/cmdline" >args
    has_not "$(<args)" s3cret
    same 'joe where.example' "$(echo x | catena -t 5 - "socks5:where.example:80,socksuser=joe,sockspass=s3cret|tcp:127.0.0.1:$port")"
    chmod 666 users
    told 'anybody may change this file' catena "socks-server,auth-file=users|tcp-l:0,bind=127.0.0.1" "$TARGET"
    told 'users.*No such file\|users.*no such file' catena "socks-server,auth-file=no/users|tcp-l:0,bind=127.0.0.1" "$TARGET"
    chmod 644 users
    start_listener read "socks-server,auth-file=users|tcp-l:0,bind=127.0.0.1" "$TARGET"
    has "$(<read.err)" ' W .*anybody may read it'
}

# listens <peer's host> <what is to be waited for>: a client that has the server listen; its port is then in $bound.
listens() {
    start client "$CATENA_BIN" -d -d -d "exec:./both" "socks5-listen:$1:0|tcp:127.0.0.1:$port" </dev/null
    wait_for 10 file_has client.err "$2"
    bound=$(sed -n "s/.*SOCKS5 server's address is 127.0.0.1:\([0-9]*\)$/\1/p" client.err)
}

@test "socks: BIND waits for one connection, from the host that was named" {
    echoes
    printf '#!/bin/sh\necho to the peer\nexec cat >&2\n' >both
    chmod +x both
    for way in fork thread; do
        start_listener server "socks-server,commands=connect bind|tcp-l:0,bind=127.0.0.1,$way" 'tcp-target:{targethost}:{targetport}:{command}'
        same hello "$(via_echo)"
        listens 127.0.0.1 "server's address is"
        same 'to the peer' "$(echo to the client | catena -t 5 - "tcp:127.0.0.1:$bound" | head -n 1)"
        finish client
        has "$(<client.err)" "^to the client$"
        has "$(<client.err)" "client is 127.0.0.1:"
        listens 192.0.2.1 "server's address is"
        told . catena -t 1 - "tcp:127.0.0.1:$bound" || :
        wait_for 10 file_has server.err 'refusing connection from'
        kill "$(<client.pid)" "$(<server.pid)"
    done
    start_listener only "socks-server,commands=bind|tcp-l:0,bind=127.0.0.1,thread" tcp-l:0,bind=127.0.0.1
    listens 0.0.0.0 "server's address is"
    same 'to the peer' "$(echo to the client | catena -t 5 - "tcp:127.0.0.1:$bound" | head -n 1)"
    told 'command not supported' catena - "socks5:127.0.0.1:$target|tcp:127.0.0.1:$port"
    start_listener none "socks-server,commands=bind|tcp-l:0,bind=127.0.0.1" "tcp:127.0.0.1:$target"
    told 'command not supported' catena - "socks5-listen:0.0.0.0:0|tcp:127.0.0.1:$port"
    told 'neither connect nor bind' catena -n - tcp-target:a:1:fly
}
via_echo() { echo hello | catena -t 5 - "socks5:127.0.0.1:$target|tcp:127.0.0.1:$port"; }

# A network where each address fails in its own way; packets to 198.51.100.0/24 get lost.
failing_network='ip link set lo up; ip route add 198.51.100.0/24 dev lo
ip route add unreachable 192.0.2.0/24; ip route add prohibit 203.0.113.0/24'

@test "each way to fail has a reply of its own, of SOCKS and of HTTP" {
    [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null || skip "needs root: a network of its own"
    for kind in socks proxy; do
        start "$kind" unshare -n bash -ec "$failing_network; exec \"\$0\" \"\$@\"" "$CATENA_BIN" -d -d \
            "$kind-server,open,deny=10.0.0.0/8|unix-l:$kind.sock,thread" 'tcp:{targethost}:{targetport},connect-timeout=0.3' </dev/null
        wait_for 10 file_has "$kind.err" "listening on"
    done
    replies() { # <host> <port> <reply of SOCKS5> <status of HTTP>
        printf '\5\1\0\5\1\0\3%b%s%b' "\\x$(printf %02x ${#1})" "$1" "\\x$(printf %02x $(($2 / 256)))\\x$(printf %02x $(($2 % 256)))" |
            catena -t 5 - unix:socks.sock | od -An -v -tx1 | tr -d ' \n' >reply
        same "050005$(printf %02x "$3")" "$(head -c 8 reply)"
        printf 'CONNECT %s:%s HTTP/1.1\r\nHost: x\r\n\r\n' "$1" "$2" | catena -t 5 - unix:proxy.sock >reply
        same "HTTP/1.1 $4" "$(head -c 12 reply)"
    }
    each replies <<'ROWS'
127.0.0.1       1     5 502 # refused
192.0.2.1       80    4 502 # no way to the host
233.252.0.1     80    3 502 # ... nor to its network
203.0.113.1     80    2 403 # not permitted by the system
10.1.2.3        443   2 403 # nor by us
198.51.100.7    65535 6 504 # no answer in time
ROWS
}

@test "an open proxy is refused in the plan, unless it is meant" {
    each plan <<'ROWS'
        no  'socks-server|tcp-l:1,fork'                        'whoever reaches .*tcp-l.* would be connected to anything'
        no  'socks-server|tcp-l:1,bind=0.0.0.0'                open
        no  'socks-server,deny=10.0.0.0/8|tcp6-l:1'            open
        no  'proxy-server|tcp4-l:1'                            open
        no  'socks-server|openssl-server,cert=x,verify=0|tcp-l:1' open
        no  'socks-server|sctp-l:1'                            open
        no  'socks-server|vsock-l:1'                           open
        no  'socks-server|accept-fd:3'                         open
        yes "socks-server|openssl-server,cert=$C/server.pem|tcp-l:1"
        yes 'socks-server|tcp-l:1,bind=127.0.0.1'
        yes 'socks-server|tcp-l:1,bind=localhost'
        yes 'socks-server|tcp-l:1,bind=127.1'
        yes 'socks-server|tcp6-l:1,bind=[::ffff:127.0.0.1]'
        no  'socks-server|tcp6-l:1,bind=[::ffff:10.0.0.1]'     open
        no  'socks-server|tcp-l:1,range=0.0.0.0/0'             'or a narrower range or'
        no  'socks-server|tcp6-l:1,range=[::]/0'               'or a narrower range or'
        no  'socks-server|proxy-protocol-server,from=any|tcp-l:1,range=10.0.0.0/8' 'or from=<proxies>'
        yes 'socks-server|proxy-protocol-server|tcp-l:1,range=10.0.0.0/8'
        yes 'socks-server|tcp6-l:1,bind=[::1]'
        yes 'socks-server|tcp-l:1,range=10.0.0.0/8'
        yes 'socks-server,allow=*.example|tcp-l:1'
        yes 'socks-server,auth=a:b|tcp-l:1'
        yes 'proxy-server,open|tcp-l:1'
        yes 'socks-server|unix-l:x'
        yes 'socks-server|-'
ROWS
    told 'whoever reaches' catena -n tcp-l:1 "^socks-server|$TARGET"
    told 'nobody who is opened before tells' catena -n 'tcp-l:1,bind=127.0.0.1' "$TARGET"
    told 'commands: "fly" is none of: connect bind' catena -n 'socks-server,commands=fly|-' "$TARGET"
    told 'deny: "10[.][*]" is no whole address.* like 10.0.0.0/8' catena -n 'socks-server,deny=10.*|-' "$TARGET"
    told 'allow: "a/b" is not' catena -n 'socks-server,allow=a/b|-' "$TARGET"
}
plan() { # <yes|no> <left> [<pattern>]
    run catena -n "$2" "$TARGET"
    if [ "$1" = yes ]; then same 0 "$status"; else
        same 1 "$status"
        has "$output" "$3"
    fi
}

@test "socks: what is sent behind the request reaches the target, in every way of serving" {
    echoes
    for way in fork thread; do
        start_listener server "socks-server|tcp-l:0,bind=127.0.0.1,$way" "$TARGET"
        five=$(ask "\\5\\1\\0\\5\\1\\0\\1\\x7f\\0\\0\\1$(port_bytes)early")
        [[ $five =~ ^05000500000.*6561726c79$ ]]
        four=$(ask "\\4\\1$(port_bytes)\\0\\0\\0\\1me\\0localhost\\0early")
        [[ $four =~ ^005a.*6561726c79$ ]]
        kill "$(<server.pid)"
    done
}

# Many who say nothing, or a byte at a time, hold up nobody, and not for ever.
@test "slow and silent clients: others are served, and their time ends" {
    web
    for server in socks-server proxy-server; do
        start_listener server "$server,handshake-timeout=1|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
        for i in 1 2 3 4 5 6 7 8; do start "silent$i" "$PEER" connect "$port" eof </dev/null; done
        start slow "$PEER" connect "$port" drip 'send:\5\4\0\1\2\3\5\1\0\3\x20' eof </dev/null
        scheme=socks5h
        [ $server = socks-server ] || scheme=http
        same hello "$(via $scheme '')"
        for i in 1 2 3 4 5 6 7 8; do finish "silent$i"; done
        has "$(<server.err)" 'the peer took too long (1 seconds'
        kill "$(<server.pid)" "$(<slow.pid)" 2>/dev/null || :
    done
}

# A web server that keeps connections, at $target and $other: it tells what it was asked.
kept_web() {
    cat >web.py <<'PY'
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def say(self, text):
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        self.say('%s|%s\n' % (self.requestline, '|'.join('%s: %s' % h for h in self.headers.items())))
    def do_POST(self):
        n = 0
        if self.headers.get('Transfer-Encoding') == 'chunked':
            size = 1
            while size:
                size = int(self.rfile.readline().split(b';')[0], 16)
                n += len(self.rfile.read(size))
                self.rfile.readline()
        else:
            n = len(self.rfile.read(int(self.headers['Content-Length'])))
        self.say('%d\n' % n)
    def log_message(self, *args): pass
servers = [http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) for i in range(2)]
for s in servers: s.daemon_threads = True
threading.Thread(target=servers[1].serve_forever, daemon=True).start()
print(servers[0].server_port, servers[1].server_port, flush=True)
servers[0].serve_forever()
PY
    start kept python3 web.py </dev/null
    wait_for 10 test -s kept.out
    read -r target other <kept.out
}

# What a listener asks of the system: option 9 of TCP, TCP_DEFER_ACCEPT.
defers() { start_listener "$1" -d -d "${@:2}" && kill "$pid" && sed -n 's/.*setsockopt([0-9]*, 6, 9, {\(0x[01]\)}, 4) -> 0$/\1/p' "$1.err" | tr '\n' ' '; }

@test "who says nothing is not accepted for a second, where the first word is his" {
    same '0x1 ' "$(defers socks "socks-server|tcp-l:0,bind=127.0.0.1,thread" "$TARGET")"
    same '0x1 ' "$(defers reverse tcp-l:0,bind=127.0.0.1,fork "^proxy-server|$TARGET")"
    same '0x1 0x0 ' "$(defers option "proxy-server|tcp-l:0,bind=127.0.0.1,defer-accept=0" "$TARGET")"
    same '' "$(defers plain tcp-l:0,bind=127.0.0.1,fork pipe)"
    same '' "$(defers client tcp-l:0,bind=127.0.0.1,fork socks5:a:1:b:1)"
    start_listener server "socks-server,handshake-timeout=0.2|tcp-l:0,bind=127.0.0.1" "$TARGET"
    start silent "$PEER" connect "$port" eof </dev/null
    finish silent
    finish server 1
    has "$(<server.err)" 'the peer took too long (0.2 seconds'
}

@test "proxy: requests and tunnels, and a connection is kept where its target stays: fork, thread, reverse" {
    kept_web
    for way in fork thread reverse; do
        case $way in
        reverse) start_listener "$way" tcp-l:0,bind=127.0.0.1,thread "^proxy-server|$TARGET" ;;
        *) start_listener "$way" "proxy-server|tcp-l:0,bind=127.0.0.1,$way" "$TARGET" ;;
        esac
        same "GET /a?b HTTP/1.1|Host: 127.0.0.1:$target|Accept: */*|Via: 1.1 catena" \
            "$(get -A '' -x "http://127.0.0.1:$port" "http://127.0.0.1:$target/a?b")"
        same "GET /t HTTP/1.1|Host: 127.0.0.1:$target|Accept: */*" \
            "$(get -A '' -p -x "http://127.0.0.1:$port" "http://127.0.0.1:$target/t")"
        u=http://127.0.0.1:$target/
        same '100111' "$(get -o x -o x -o x -o x -o x -o x -w '%{num_connects}' -x "http://127.0.0.1:$port" "$u" "$u" "$u" \
            "http://127.0.0.1:$other/" "http://localhost:$other/" "$u")"
        kill "$(<$way.pid)"
    done
    start_listener alone "proxy-server|tcp-l:0,bind=127.0.0.1" "$TARGET"
    has "$(get -0 -x "http://127.0.0.1:$port" "http://127.0.0.1:$target/old")" '^GET /old HTTP/1.0|.*Connection: close$'
    finish alone
}

@test "proxy: bodies pass, with a length and in chunks" {
    kept_web
    head -c 2000000 /dev/urandom >big
    for more in '' ,thread; do
        start_listener proxy "proxy-server|tcp-l:0,bind=127.0.0.1,${more:-,fork}" "$TARGET"
        u=http://127.0.0.1:$target/
        same $'2000000\n2000000' "$(get -x "http://127.0.0.1:$port" --data-binary @big "$u" "$u")"
        same $'2000000\n2000000' "$(get -x "http://127.0.0.1:$port" -H 'Transfer-Encoding: chunked' --data-binary @big "$u" "$u")"
        kill "$(<proxy.pid)"
    done
}

@test "proxy: logging in, and what clients are told" {
    web
    start_listener proxy "proxy-server,auth=joe:s3cret,realm=Our proxy,deny=10.0.0.0/8|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    p=http://127.0.0.1:$port u=http://127.0.0.1:$target/
    same hello "$(get -x "$p" -U joe:s3cret "$u")"
    same hello "$(get -x "$p" -U joe:s3cret -p "$u")"
    same hello "$(get -x "$p" -U joe:s3cret --proxy-anyauth "$u")"
    same hello "$(get -x "$p" -U joe:s3cret --proxy-anyauth -p "$u")"
    code() { get -o said -w '%{http_code}' "$@"; }
    same 407 "$(code -x "$p" "$u")"
    same 'This proxy wants a user and a password.' "$(<said)"
    same 407 "$(code -x "$p" -U joe:wrong "$u")"
    same 403 "$(code -x "$p" -U joe:s3cret http://10.1.2.3/)"
    same 502 "$(code -x "$p" -U joe:s3cret http://no.such.invalid/)"
    same 'There is no such name.' "$(<said)"
    same 502 "$(code -x "$p" -U joe:s3cret "http://127.0.0.1:$(free_port)/")"
    same 400 "$(code "$p/x")"
    has "$( (printf 'CONNECT $(a):1 HTTP/1.1\r\nProxy-Authorization: Basic am9lOnMzY3JldA==\r\n\r\n' && $BRIEFLY) |
        catena -t 5 - "tcp:127.0.0.1:$port")" '^HTTP/1.1 400 '
    told 407 get -p -x "$p" "$u"
    told 502 get -p -x "$p" -U joe:s3cret "http://127.0.0.1:$(free_port)/"
    told 'give proxy-authorization' catena - "proxy:127.0.0.1:$target|tcp:127.0.0.1:$port"
    has "$(get -i -x "$p" "$u")" 'Proxy-Authenticate: Basic realm="Our proxy"'
    kill "$(<proxy.pid)"
    has_not "$(<proxy.err)" 's3cret\|wrong'
    # who asks the proxy itself gets no further
    start_listener itself "proxy-server,open|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same 200 "$(code -X OPTIONS -H 'Max-Forwards: 0' -d body -x "http://127.0.0.1:$port" http://no.such.invalid/)"
    same 405 "$(code -X TRACE -H 'Max-Forwards: 0' -x "http://127.0.0.1:$port" http://no.such.invalid/)"
    same 502 "$(code -X OPTIONS -H 'Max-Forwards: 1' -x "http://127.0.0.1:$port" http://no.such.invalid/)"
    same 400 "$(code -X TRACE -H 'Max-Forwards: x' -x "http://127.0.0.1:$port" http://no.such.invalid/)"
    start_listener tunnels "proxy-server,commands=connect|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same 405 "$(code -x "http://127.0.0.1:$port" "$u")"
    same hello "$(get -p -x "http://127.0.0.1:$port" "$u")"
}

@test "proxy: ncat, our own client, behind TLS, and what is behind the request" {
    echoes
    start_listener proxy "proxy-server,auth=joe:s3cret|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same hello "$(echo hello | timeout "$LIMIT" ncat --proxy "127.0.0.1:$port" --proxy-type http --proxy-auth joe:s3cret 127.0.0.1 "$target")"
    same hello "$(echo hello | catena -t 5 - "proxy:127.0.0.1:$target,proxyauth=joe:s3cret|tcp:127.0.0.1:$port")"
    kill "$(<proxy.pid)"
    for way in fork thread; do
        start_listener tls "proxy-server|openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,$way" "$TARGET"
        same hello "$(echo hello | catena -t 5 - "proxy:127.0.0.1:$target|openssl,cafile=$C/ca.crt,commonname=localhost|tcp:127.0.0.1:$port")"
        kill "$(<tls.pid)"
        start_listener plain "proxy-server|tcp-l:0,bind=127.0.0.1,$way" "$TARGET"
        has "$(ask "CONNECT 127.0.0.1:$target HTTP/1.0\r\n\r\nearly")" '0d0a0d0a6561726c79$'
        kill "$(<plain.pid)"
    done
    web
    start_listener tls "proxy-server|openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same hello "$(get --proxy-insecure -x "https://127.0.0.1:$port" "http://127.0.0.1:$target/")"
    same hello "$(get --proxy-insecure -p -x "https://127.0.0.1:$port" "http://127.0.0.1:$target/")"
}

# The chain of clients that began it all, and its counterpart.
@test "SOCKS through TLS through CONNECT, by one server: what the innermost wants is opened" {
    echoes
    for way in fork thread; do
        start_listener all "socks-server|openssl-server,cert=$C/server.pem,verify=0|proxy-server|tcp-l:0,bind=127.0.0.1,$way" "$TARGET"
        same hello "$(echo hello | catena -t 5 - "socks5:127.0.0.1:$target|openssl,cafile=$C/ca.crt,commonname=localhost|proxy:sockd.corp:443|tcp:127.0.0.1:$port")"
        told 'refused' catena - "socks5:127.0.0.1:$(free_port)|openssl,cafile=$C/ca.crt,commonname=localhost|proxy:sockd.corp:443|tcp:127.0.0.1:$port"
        kill "$(<all.pid)"
    done
}

@test "hostile clients: floods are cut off, in little memory, and the next one is served" {
    web
    start_listener socks "socks-server|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    start_listener proxy "proxy-server|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    proxy=$port
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' socks.err | head -n 1)
    each flood "$port" <<'ROWS'
        '\5' 
        '\4\1\0\x50\0\0\0\1' x
        '\4\1\0\x50\0\0\0\1\0' y
        '' '\0'
ROWS
    each flood "$proxy" <<'ROWS'
        '' x
        'GET http://a/ HTTP/1.1\r\n' 'A: b\r\n'
        'GET http://a/ HTTP/1.1\r\nA: ' b
        'CONNECT ' '\0'
ROWS
    same hello "$(via socks5h '')"
    port=$proxy
    same hello "$(via http '')"
    for name in socks proxy; do [ "$(peak_kib "$(<$name.pid)")" -lt $((40000 * SLOWER)) ]; done
}
flood() { # <port> <bytes first> <then again and again>
    start flood "$PEER" connect "$1" ${2:+"send:$2"} "flood:${3:-\5}" </dev/null
    wait_for 10 is_gone "$(<flood.pid)"
}

@test "proxy: a request that is cut short is no whole one" {
    for body in 'Content-Length: 10\r\n\r\nabc' 'Transfer-Encoding: chunked\r\n\r\n5\r\nab' 'X: y'; do
        start_listener server 'proxy-server|tcp-l:0,bind=127.0.0.1' 'system:cat >got'
        printf "POST http://h/x HTTP/1.1\r\nContent-Length: 0\r\n\r\nPOST http://h/x HTTP/1.1\r\n$body" |
            catena - "tcp:127.0.0.1:$port" || :
        finish server 1
        has "$(<server.err)" " E .*proxy-server.*the client's stream ends within"
    done
}
