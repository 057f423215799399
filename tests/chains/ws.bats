#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# WebSocket: ourselves both ways, in every place of a chain; other requests; and peers that do not wait.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    C=$BATS_FILE_TMPDIR/certs
    peer=$top/tests/tools/ws_peer.py
    peers=0
    late="system:cat; $QUIET; echo late" # behind a quiet second
}

# wsl <second address> [<options>]: a server for many; its port is then in $port.
wsl() { start_listener server "ws-l:0,bind=127.0.0.1,${how:-fork}${2:+,$2}" "$1"; }
ended() { ! kill "$(<server.pid)" 2>/dev/null || is_gone "$(<server.pid)"; }
gone() { wait_for 5 ended; }
# serve <what>: a peer of another hand; its port is then in $port, what it tells in $told.
serve() {
    peers=$((peers + 1)) told=peer$peers.out
    start "peer$peers" timeout "$LIMIT" python3 "$peer" serve "$1" </dev/null
    wait_for 10 file_has "$told" '^port'
    port=$(sed -n 's/^port //p' "$told")
}
ask() { curl -s -m "$LIMIT" -o out -w '%{http_code}' "$@" "http://127.0.0.1:$port${path-/}"; }

# late <second address>: the answer to a question that is behind a quiet second itself.
late() { (echo q; $QUIET) | catena "${@:2}" - "$1" | paste -sd' '; }
late_are() { for f in late.*; do same 'q late' "$(<"$f")"; done; }

# Planned, over socket pairs, over TLS; a process or a thread for each: all at the same time.
@test "a late answer arrives" {
    stls="openssl-server,cert=$C/server.pem,verify=0" tls="openssl,cafile=$C/ca.crt"
    n=0
    while read -r server client; do
        for how in fork thread; do
            start_listener "server$n" "${server//HOW/$how}" "$late"
            for way in '' -cS; do
                # shellcheck disable=SC2086
                late "${client//PORT/$port}" $way >late.$n &
                waits+=($!) n=$((n + 1))
            done
        done
    done <<ROWS
ws-l:0,bind=127.0.0.1,HOW ws:localhost:PORT
wss-l:0/x,bind=127.0.0.1,HOW,cert=$C/server.pem,verify=0 wss:localhost:PORT/x,cafile=$C/ca.crt
ws-server|$stls|tcp-l:0,bind=127.0.0.1,HOW ws,deflate|$tls|tcp:localhost:PORT
ROWS
    wait "${waits[@]}"
    same 12 $n
    late_are
}

@test "a late answer arrives, with the server in the right chain, and from the client" {
    start_listener one tcp-l:0,bind=127.0.0.1,fork "^ws-server,deflate|$late"
    start_listener two tcp-l:0,bind=127.0.0.1 '^ws-server|system:echo first; exec 1>&-; cat >got,pipes'
    two=$port one=$(sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' one.err)
    start client "$CATENA_BIN" "system:cat >first; $QUIET; echo late" "ws|tcp:127.0.0.1:$two" </dev/null
    same 'q late' "$(late "ws,deflate|tcp:127.0.0.1:$one")"
    finish client
    finish two
    same late "$(<got)"
    same first "$(<first)"
    same 0 "$(grep -c ' [EW] ' one.err two.err client.err | grep -cv ':0$')"
}

@test "-u, -U, both names, -cS and --unfused" {
    head -c 300000 /dev/urandom >in
    start_listener server ws-l:0,bind=127.0.0.1,fork system:'cat - in'
    for way in '' -cS -cp --unfused; do
        # shellcheck disable=SC2086
        cat in in | cmp - <(catena $way - "ws:localhost:$port" <in)
    done
    cat in in | cmp - <(socat_ours -t 5 - "ws:localhost:$port" <in)
    gone
    for how in '-u ws-l:0,bind=127.0.0.1 create:got|-u open:in ws:localhost:' '-U create:got ws-l:0,bind=127.0.0.1|-U ws:localhost: open:in' \
        '-u open:in ws-l:0,bind=127.0.0.1|-u ws:localhost: create:got' '-U ws-l:0,bind=127.0.0.1 open:in|-u ws,deflate|tcp:localhost: create:got'; do
        echo "# $how"
        # shellcheck disable=SC2086
        start_listener server ${how%%|*}
        client=${how#*|}
        # shellcheck disable=SC2086
        catena ${client//localhost:/localhost:$port}
        finish server
        cmp in got
        has_not "$(<server.err)" ' [EW] '
        rm got
    done
}

@test "64 MiB both ways at once cost no memory" {
    N=67108864
    start_peer right "duplex:$N:2:$N:1"
    start_listener server ws-l:0,bind=127.0.0.1 "tcp:127.0.0.1:$port"
    server=$pid
    start_peer left "duplex:$N:1:$N:2"
    start run "$CATENA_BIN" "tcp:127.0.0.1:$(sed -n 's/^port //p' left.out)" "ws:127.0.0.1:$(sed -n 's/.*listening on.*:\([0-9]*\)$/\1/p' server.err)" </dev/null
    until is_gone "$server"; do
        peak=$(peak_kib "$server" 2>/dev/null) && [ -n "$peak" ] && most=$peak
        sleep 0.02
    done
    for p in left right run server; do finish $p; done
    echo "peak: $most KiB"
    [ -n "${CATENA_SANITIZE:-}" ] || [ "$most" -lt 30000 ]
}

@test "what a client asked for is known to programs, and to what is opened then" {
    start_listener there ws-l:0,bind=127.0.0.1,fork 'system:echo $SOCAT_WSURI'
    there=$port
    wsl "ws:{wsuri},origin={wsorigin}|tcp:127.0.0.1:$there"
    same /a/b?c "$(catena - "ws:127.0.0.1:$port/a/b?c,origin=http://o" </dev/null)"
    gone
    wsl 'system:echo $SOCAT_WSURI $SOCAT_WSORIGIN $SOCAT_WSSUBPROTOCOL' subprotocol=b
    same '/c http://o b' "$(catena - "ws:127.0.0.1:$port,uri=/c,origin=http://o,subprotocol=a b,header=A: x" </dev/null)"
    serve 'request close:1000'
    catena - "ws:127.0.0.1:$port/p?q,host=h.example,header=X-A: one,header=X-B: two,auth=u:p,deflate" </dev/null
    for want in 'GET /p?q HTTP/1.1' 'Host: h.example' 'X-A: one' 'X-B: two' 'Authorization: Basic dTpw' permessage-deflate; do
        has "$(<"$told")" "$want"
    done
}

@test "records stay records, empty ones too, as binary and as text" {
    packets() { timeout -k 5 "$LIMIT" "$CATENA_TOOLS/packets" "$@"; }
    start receiver "$CATENA_TOOLS/packets" at recv:5 </dev/null
    wait_for 10 file_has receiver.out '^port'
    there=$(sed -n 's/^port //p' receiver.out)
    wsl "udp:127.0.0.1:$there" deflate
    P=$(free_port)
    start client "$CATENA_BIN" "udp-l:$P,null-eof=0" "ws:127.0.0.1:$port,deflate" </dev/null
    bound() { [ -n "$(ss -Hanu "sport = :$P")" ]; }
    wait_for 5 bound
    packets to "$P" fill:20 empty fill:20000 fill:1 fill:60000
    finish receiver
    same '20 0 20000 1 60000' "$(grep -v port receiver.out | paste -sd' ')"
    kill "$(<client.pid)"
    serve 'say:eins recv close:1000'
    (printf 'zw\303'; $BRIEFLY; printf '\266lf') | catena - "ws:127.0.0.1:$port,text" >got
    same eins "$(<got)"
    finish "${told%.out}"
    has "$(grep -v port "$told" | paste -sd' ')" '81 zw 81 ölf 88 03e8'
}

@test "other requests get a page, or are told; nothing is opened for them" {
    echo '<p>hello' >page.html
    wsl 'system:touch opened; cat' "static=page.html,auth=u:p,uri=/ws"
    same 401 "$(ask)"
    same 401 "$(ask -u u:q)"
    same 405 "$(ask -u u:p -X PUT)"
    same 200 "$(ask -u u:p)"
    cmp out page.html
    has "$(curl -s -m 5 -I -u u:p "http://127.0.0.1:$port/x")" 'Content-Type: text/html'
    [ ! -e opened ]
    has_not "$(grep -v 'right user and password\|another method\|that is for no WebSocket; it was told' server.err)" ' E '
    run catena - "ws:127.0.0.1:$port/ws,auth=u:q" </dev/null
    same 1 "$status"
    has "$output" 'refused the WebSocket: 401 Unauthorized (the credentials were sent)'
    run catena - "ws:127.0.0.1:$port/other,auth=u:p" </dev/null
    has "$output" '404 Not Found'
    echo u:p >pw
    same hi "$(catena - "ws:127.0.0.1:$port/ws,auth-file=pw" <<<hi)"
    gone
    how=thread wsl 'system:cat' "static=page.html,origin=http://*.example"
    same 200 "$(ask)"
    run catena - "ws:127.0.0.1:$port,origin=http://evil" </dev/null
    has "$output" '403 Forbidden'
    same hi "$(catena - "ws:127.0.0.1:$port,origin=http://a.example" <<<hi)"
    gone
    start_listener server ws-l:0,bind=127.0.0.1,static=page.html pipe
    same 200 "$(ask)"
    finish server 0 # a page is no failure
    wsl pipe
    same 426 "$(ask)"
}

@test "peers that do not wait: what may be lost is said" {
    serve hasty
    run catena - "ws:127.0.0.1:$port" <<<hello
    same 0 "$status"
    has "$output" ' W .*the peer has answered Close; if it had more to say that is lost'
    serve 'say:a recv'
    start client "$CATENA_BIN" -d -d system:"$BRIEFLY; echo b; exec cat" "ws:127.0.0.1:$port,half-close=0" </dev/null
    wait_for 5 file_has "$told" '82 b'
    kill "$(<client.pid)"
    serve goes
    run catena "system:$BRIEFLY; echo late" "ws:127.0.0.1:$port"
    same 1 "$status"
    has "$output" 'without waiting for what was still to be said to it\|writing 5 bytes failed\|nobody reads'
    serve 'say:x recv'
    run catena - "ws:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" 'without Close (truncated)'
    serve close:1011
    run catena - "ws:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" 'broke off with the code 1011'
    for code in 1000 1001 4000; do
        serve "say:x close:$code recv"
        same x "$(catena - "ws:127.0.0.1:$port" </dev/null)"
    done
}

@test "what is cut here is said there: Close 1011" {
    serve recv
    head -c 1000 /dev/zero | gzip | head -c 20 >cut.gz
    run catena open:cut.gz "gunzip|ws:127.0.0.1:$port"
    same 1 "$status"
    finish "${told%.out}"
    has "$(<"$told")" '88 03f3'
}

@test "a peer that is silent: handshakes end in time, pings are answered in time or all is over" {
    start_peer silent "until:$T/never"
    run catena - "ws:127.0.0.1:$port,handshake-timeout=0.3" </dev/null
    same 1 "$status"
    has "$output" 'in time (0.3 seconds'
    wsl pipe handshake-timeout=0.3
    start client "$PEER" connect "$port" 'send:GET / HTTP/1.1\r\n' eof </dev/null
    finish client
    serve 'mute'
    run catena - "ws:127.0.0.1:$port,ping=0.2,pong-timeout=0.3" < <($QUIET; $QUIET)
    same 1 "$status"
    has "$output" 'has not answered a ping for 0.3 s'
    serve 'recv'
    ($QUIET) | catena - "ws:127.0.0.1:$port,ping=0.2,pong-timeout=5" || :
    has "$(<"$told")" '^89 '
}

@test "mistakes of the command line" {
    each catena_fails <<'ROWS'
'max-size=0: a message may have' - 'ws,max-size=0|tcp:h:1'
'a header is' - 'ws,header=x|tcp:h:1'
'characters that cannot stand there' - 'ws:/a b|tcp:h:1'
'text and binary exclude' - 'ws,text,binary|tcp:h:1'
'the name of a subprotocol' - 'ws,subprotocol=a/b|tcp:h:1'
'deflate=10: from 1' - 'ws,deflate=10|tcp:h:1'
'option "static" is not for this' - ws:h:1,static=x
'auth is <user>:<password>' - ws:h:1,auth=x
ROWS
    has "$(catena -n - 'ws-server|tcp:h:1' 2>&1)" 'is the client meant?'
}
catena_fails() {
    local want=$1
    shift
    run catena "$@"
    same 1 "$status"
    has "$output" "$want"
}
