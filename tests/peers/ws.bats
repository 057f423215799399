#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# WebSocket with programs of others: as servers, as clients, and in between.
load ../helpers

prepare() {
    here=$top/tests/peers
    head -c 3000000 /dev/urandom >in
}

peer() { timeout -k 5 "$((3 * LIMIT))" /usr/bin/python3 "$here/$1.py" "${@:2}"; }
start_python() { # <script> <arguments...>: its port is then in $port
    start python timeout "$((3 * LIMIT))" /usr/bin/python3 "$here/$1.py" "${@:2}" </dev/null
    wait_for 10 file_has python.out '^port'
    port=$(sed -n 's/^port //p' python.out)
}
# both_ways <address>: what goes there comes back, and is whole when we have been quiet for a while.
both_ways() { (cat in; $QUIET) | catena - "$1" | cmp - in; }

@test "python3-websockets, both ways, with compression and without" {
    for deflate in '' deflate; do
        start_python ws_websockets serve $deflate
        both_ways "ws:127.0.0.1:$port,subprotocol=a b${deflate:+,deflate}"
        start_listener server "ws-l:0,bind=127.0.0.1,fork${deflate:+,deflate}" exec:cat
        peer ws_websockets connect "$port" $deflate
        has_not "$(<server.err)" ' [EW] '
    done
}

@test "python3-autobahn: the cases of its test suite, as client and as server" {
    start_listener server ws-l:0,bind=127.0.0.1,fork,deflate exec:cat
    peer ws_autobahn connect "$port" | tee out
    same 44 "$(grep -c 'well$' out)"
    peer ws_autobahn serve "$CATENA_BIN" exec:cat WS,deflate | tee out
    same 44 "$(grep -c 'well$' out)"
}

@test "websockify in front of a server, and its client of TLS" {
    make_certs certs
    start_listener echo tcp-l:0,bind=127.0.0.1,fork exec:cat
    echo=$port port=$(free_port)
    start websockify websockify --cert certs/server.crt --key certs/server.key "127.0.0.1:$port" "127.0.0.1:$echo" </dev/null
    wait_for 10 port_listens "$port"
    both_ways "ws:127.0.0.1:$port,subprotocol=binary"
    both_ways "wss:localhost:$port/websockify,cafile=certs/ca.crt"
}

@test "a browser exchanges 10 MB with a program, and gets its page from where it does" {
    export HOME=$T
    start_listener told -u ws-l:0,bind=127.0.0.1 create:told
    told=$port
    start_listener server "ws-l:0,bind=127.0.0.1,fork,deflate,static=$here/page.html" exec:cat
    start browser chromium --headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-port=0 \
        --user-data-dir="$T/browser" "http://127.0.0.1:$port/?told=$told" </dev/null
    wait_for 60 test -s told
    same '10000006 bytes, 1000, clean true, other, permessage-deflate' "$(<told)"
    finish told
    has_not "$(<server.err)" ' [EW] '
}

# through <port>: to a server behind what listens there, with compression, quietly, and both ways at once.
through() {
    wait_for 10 port_listens "$1"
    (head -c 100000 in; $QUIET; tail -c +100001 in) | catena - "ws:127.0.0.1:$1/a,deflate" | cmp - in
    same "q late" "$( (echo q; $QUIET) | catena - "ws:127.0.0.1:$1/late" | paste -sd' ')"
}
servers() {
    start_listener one ws-l:0,bind=127.0.0.1,fork,deflate 'system:case $SOCAT_WSURI in /late) cat; sleep 1.1; echo late ;; *) exec cat ;; esac'
    between=$(free_port)
}
@test "nginx in between" {
    servers
    cat >nginx.conf <<CONF
daemon off; master_process off; pid $T/nginx.pid; error_log $T/nginx.log;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:$between;
        location / {
            proxy_pass http://127.0.0.1:$port; proxy_http_version 1.1; proxy_temp_path $T; client_body_temp_path $T;
            proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade;
        }
    }
}
CONF
    start nginx nginx -e nginx.log -p "$T" -c "$T/nginx.conf" </dev/null
    through "$between"
}
@test "haproxy in between" {
    servers
    cat >haproxy.cfg <<CONF
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout tunnel 20s
listen between
    bind 127.0.0.1:$between
    server one 127.0.0.1:$port
CONF
    start haproxy haproxy -f haproxy.cfg </dev/null
    through "$between"
}
