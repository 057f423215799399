#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# WebSocket: ourselves both ways, in every place of a chain; other requests; and peers that do not wait.
load ../helpers

# One peer of another hand for all, which does what it is asked for: ws:...$W/<name>/<steps>; what it has to tell is
# in $D/<name>.told.
setup_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    cd "$BATS_FILE_TMPDIR" || return
    python3 "$top/tests/tools/ws_peer.py" . >peer.out 2>peer.log 3>&- </dev/null &
    echo $! >peer.pid
    wait_for 10 file_has peer.out '^port'
}
teardown_file() { kill "$(<"$BATS_FILE_TMPDIR/peer.pid")"; }

prepare() {
    D=$BATS_FILE_TMPDIR C=$BATS_FILE_TMPDIR/certs
    W=127.0.0.1:$(sed -n 's/^port //p' "$D/peer.out")
    late="system:cat; $QUIET; echo late" # behind a quiet second
}
told() { wait_for 5 file_has "$D/$1.told" "$2" || { cat "$D/$1.told"; return 1; }; }

# wsl <second address> [<options>]: a server for many; its port is then in $port.
wsl() { start_listener server "ws-l:0,bind=127.0.0.1,${how:-fork}${2:+,$2}" "$1"; }
ended() { ! kill "$(<server.pid)" 2>/dev/null || is_gone "$(<server.pid)"; }
gone() { wait_for 5 ended; }
ask() { curl -s -m "$LIMIT" -o out -w '%{http_code}' "$@" "http://127.0.0.1:$port${path-/}"; }

# late <second address>: the answer to a question that is behind a quiet second itself.
late() { (echo q; $QUIET) | catena "${@:2}" - "$1" | paste -sd' '; }
late_are() { for f in late.*; do same 'q late' "$(<"$f")"; done; }

# Planned, over socket pairs, over TLS; a process or a thread for each: all at the same time.
@test "late answers arrive, and late questions" {
    start_listener two tcp-l:0,bind=127.0.0.1 "^ws-server|system:echo first; exec 1>&-; cat >got,pipes"
    start client "$CATENA_BIN" "system:cat >first; $QUIET; echo question" "ws|tcp:127.0.0.1:$port" </dev/null
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
    start_listener one tcp-l:0,bind=127.0.0.1,fork "^ws-server,deflate|$late"
    same 'q late' "$(late "ws,deflate|tcp:127.0.0.1:$port")"
    wait "${waits[@]}"
    same 12 $n
    late_are
    finish client
    finish two
    same question "$(<got)"
    same first "$(<first)"
    has_not "$(cat one.err two.err client.err server*.err)" ' [EW] '
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
    catena - "ws:$W/asked/request+close=1000?q,host=h.example,header=X-A: one,header=X-B: two,auth=u:p,deflate" </dev/null
    for want in 'GET /asked/request+close=1000?q HTTP/1.1' 'Host: h.example' 'X-A: one' 'X-B: two' 'Authorization: Basic dTpw' permessage-deflate; do
        has "$(<"$D/asked.told")" "$want"
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
    bound() { [ -n "$(ss -Hlun "sport = :$P")" ]; }
    wait_for 5 bound
    packets to "$P" fill:20 empty fill:20000 fill:1 fill:60000
    finish receiver
    same '20 0 20000 1 60000' "$(grep -v port receiver.out | paste -sd' ')"
    kill "$(<client.pid)"
    (printf 'zw\303'; wait_for 10 file_has "$D/text.told" zw; printf '\266lf') | catena - "ws:$W/text/say=eins+recv+close=1000,text" >got
    same eins "$(<got)"
    same '81 zw 81 ölf 88 03e8' "$(paste -sd' ' "$D/text.told")"
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
    run catena - "ws:$W/hasty/hasty" <<<hello
    same 0 "$status"
    has "$output" ' W .*the peer has answered Close; if it had more to say that is lost'
    start client "$CATENA_BIN" system:"$BRIEFLY; echo b; exec cat" "ws:$W/held/say=a+recv,half-close=0" </dev/null
    told held '82 b'
    kill "$(<client.pid)"
    each breaks_off <<'ROWS'
goes 'without waiting for what was still to be said to it' "system:$BRIEFLY; echo late"
say=x+recv 'without Close (truncated)' -
close=1011+recv 'broke off with the code 1011' -
ROWS
    for code in 1000 1001 4000; do
        same x "$(catena - "ws:$W/$code/say=x+close=$code+recv" </dev/null)"
    done
}
breaks_off() { # <steps> <what is said> <first address>
    run catena "$3" "ws:$W/breaks/$1"
    same 1 "$status"
    has "$output" "$2"
}

@test "what is cut here is said there: Close 1011" {
    head -c 1000 /dev/zero | gzip | head -c 20 >cut.gz
    run catena open:cut.gz "gunzip|ws:$W/cut/recv"
    same 1 "$status"
    told cut '88 03f3'
    for how in fork thread; do # what fails behind a client who has been let in
        wsl "tcp:127.0.0.1:$(free_port)"
        run catena - "ws:127.0.0.1:$port" </dev/null
        same 1 "$status"
        has "$output" 'broke off with the code 1011'
        gone
    done
}

@test "a peer that is silent: handshakes end in time, pings are answered in time or all is over" {
    start_peer silent "until:$T/never"
    start first "$CATENA_BIN" - "ws:127.0.0.1:$port,handshake-timeout=0.3" </dev/null
    wsl pipe handshake-timeout=0.3
    start client "$PEER" connect "$port" 'send:GET / HTTP/1.1\r\n' eof </dev/null
    start mute "$CATENA_BIN" - "ws:$W/mute/mute,ping=0.2,pong-timeout=0.3" < <($QUIET; $QUIET)
    ($QUIET) | catena - "ws:$W/pinged/recv+close=1000,ping=0.2,pong-timeout=5"
    told pinged '^89 '
    finish client
    wait_for 5 file_has mute.err 'has not answered a ping for 0.3 s'
    finish first 1
    has "$(<first.err)" 'took too long (0.3 seconds'
}

# cut_off <options of both>: the server dies while we send without end, with a frame under way.
cut_off() {
    start_listener dies "ws-l:0,bind=127.0.0.1$1" 'exec:sleep 60'
    start cut "$CATENA_BIN" -u open:/dev/zero "ws:127.0.0.1:$port$1" </dev/null
    wait_for 5 backed_up "$port"
    kill -9 "$(<dies.pid)"
    finish dies 137
    finish cut 1
    has "$(<cut.err)" ' E .*writing .*\(reset by peer\|broken pipe\)'
}
backed_up() { ss -Htn state established "dport = :$1" | awk '$2 > 0 { full = 1 } END { exit !full }'; }

@test "a server that dies, or wants nothing more, while it is sent to without end" {
    cut_off ''
    cut_off ,deflate
    start_listener full -t 0.3 ws-l:0,bind=127.0.0.1 'exec:sleep 0.1'
    run timeout "$LIMIT" "$CATENA_BIN" -u open:/dev/zero "ws:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" ' E .*writing .*\(reset by peer\|broken pipe\)'
    finish full
}

# Its size is judged by what it becomes, which is not there yet when a left chain shakes hands.
@test "a large message right behind the handshake" {
    prepare
    for how in '' --unfused; do
        same 3000000 "$(catena -u $how "ws:$W/large/large=3000000+close=1000+recv" - | wc -c)"
        same 3000000 "$(catena -U $how - "ws:$W/large/large=3000000+close=1000+recv" | wc -c)"
    done
    start_listener front tcp-l:0,bind=127.0.0.1,thread "ws:$W/large/large=3000000+close=1000+recv"
    same 3000000 "$(catena -u "tcp:127.0.0.1:$port" - | wc -c)"
    kill "$(<front.pid)"
}

@test "mistakes of the command line" {
    each catena_fails <<'ROWS'
'max-size "0" is no number from 1 to' - 'ws,max-size=0|tcp:h:1'
'ws://host:port/uri is ws:host:port/uri here' - ws://h:1/
'a header is' - 'ws,header=x|tcp:h:1'
'an uri has neither blanks' - 'ws:/a b|tcp:h:1'
'text and binary exclude' - 'ws,text,binary|tcp:h:1'
'the name of a subprotocol' - 'ws,subprotocol=a/b|tcp:h:1'
'deflate "10" is no number from 0 to 9' - 'ws,deflate=10|tcp:h:1'
'option "static" is not for this' - ws:h:1,static=x
'auth: it is <user>:<password>' - ws:h:1,auth=x
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
