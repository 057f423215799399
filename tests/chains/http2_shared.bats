#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# One connection to a proxy that speaks HTTP/2, for all the lines of a listener.
load ../helpers
load nghttpx

prepare() { printf 'hello\n' >hello; }

TLS=openssl,commonname=localhost,cafile=certs/ca.crt
# shared <target's port> [<option...>]: the listener; its port is in $at. Where $tls is set it speaks TLS with the proxy.
shared() {
    start_listener shared -t 0.5 "tcp-l:0,bind=127.0.0.1,backlog=300,thread" \
        "proxy:127.0.0.1:$1,http-version=2,share${2:-}|${tls:+$TLS|}tcp:127.0.0.1:$proxy" && at=$port
}
target() { start_listener "${1:-target}" "tcp-listen:0,bind=127.0.0.1,backlog=300,fork${2:-}" pipe && target=$port; }
opened() { same "$1" "$(grep -c 'connection to the proxy is open' "${2:-shared}.err")"; }
had_opened() { [ "$(grep -c 'connection to the proxy is open' shared.err)" = "$1" ]; }
ended() { file_has shared.err 'connection that is shared has ended'; }
# A client that stays: what is written to it goes there, what comes is in <name>.out.
stay() {
    mkfifo "$1.in"
    start "$1" "$CATENA_BIN" - "tcp:127.0.0.1:$at" <>"$1.in"
}
say() { echo "$2" >"$1.in" && wait_for 10 file_has "$1.out" "$2"; }
leave() { kill "$(<"$1.pid")" && finish "$1" 143; }

@test "shared: one connection for all, whatever comes when" {
    make_certs certs
    behind
    proxy=$(free_port)
    tls_front nghttpx
    target
    tls=1 shared "$target"
    stay first
    say first one
    (echo hello; $BRIEFLY; echo again; $BRIEFLY) | catena -t 0.1 - "tcp:127.0.0.1:$at" >second.out
    same "hello again" "$(paste -sd' ' second.out)"
    stay third
    say third three
    $BRIEFLY
    say first four
    opened 1
    # each goes where it wants
    start_peer right check:3000000:1 "send:done\n" gen:3000000:2 shut eof
    start_listener socks -t 0.5 "socks-server|tcp-l:0,bind=127.0.0.1,backlog=300,thread" \
        "proxy:{targethost}:{targetport},http-version=2,share|$TLS|tcp:127.0.0.1:$proxy" && socks=$port
    port=$(sed -n 's/^port //p' right.out)
    start over "$CATENA_BIN" - "socks4:127.0.0.1:$port|tcp:127.0.0.1:$socks" < <("$PEER" gen 3000000 1)
    finish right
    finish over
    head -n 1 over.out | grep -q '^done$'
    tail -c +6 over.out | cmp - <("$PEER" gen 3000000 2)
    same hello "$(catena -t 0.3 - "socks4:127.0.0.1:$target|tcp:127.0.0.1:$socks" <hello)"
    run catena - "socks4:127.0.0.1:1|tcp:127.0.0.1:$socks" <hello
    same 1 "$status"
    start_peer right "send:only this\n" shut eof
    same 'only this' "$(catena -U - "socks4:127.0.0.1:$port|tcp:127.0.0.1:$socks" </dev/null)"
    opened 1 socks
    file_has socks.err 'the proxy refused 127.0.0.1:1: 502'
    # who listens no more still serves those who are there
    kill "$(<shared.pid)"
    say first five
    leave third
    say first six
    leave first
    finish shared 143
    has "$(<shared.err)" 'N a connection that is shared has ended$'
    has_not "$(<shared.err)" ' E '
}

@test "shared: two hundred at once, one of which reads nothing for long" {
    behind
    proxy=$(free_port)
    plain_front nghttpx
    target target ,readbytes=1048576
    ulimit -n 4096
    shared "$target"
    start echoes timeout "$LIMIT" python3 "$top/tests/tools/echoes.py" "$at" 200 1048576
    finish echoes
    same "all but one: 199 of 199 200 of 200" "$(paste -sd' ' echoes.out)"
    opened 2 # the proxy takes no more than a hundred at a time
    (($(peak_kib "$(<shared.pid)") < 200000 * SLOWER))
    has_not "$(<shared.err)" ' [EW] '
    end_front nghttpx # while streams are being closed on both sides
    kill "$(<shared.pid)"
    finish shared 143
}

@test "shared: no more at a time than the proxy takes; an idle one is closed; what goes wrong is one line's" {
    behind
    proxy=$(free_port)
    plain_front nghttpx --frontend-http2-max-concurrent-streams=2
    target
    shared "$target" =1
    for i in {1..11}; do stay "c$i"; done
    for i in {1..11}; do say "c$i" "hello $i"; done
    for i in {11..1}; do say "c$i" "again $i"; done
    opened 6
    for i in {1..11}; do leave "c$i"; done
    wait_for 10 eval '[ "$(grep -c "connection that is shared has ended$" shared.err)" = 6 ]'
    same '' "$(ss -Htn state established "dport = :$proxy")"
    stay six
    say six 'hello 6'
    opened 7
    has_not "$(<shared.err)" ' E '
    end_front nghttpx
    wait_for 10 file_has shared.err 'E .*link 1 "proxy": the proxy closed the connection before the end of the stream'
    same '' "$(catena - "tcp:127.0.0.1:$at" <hello)"
    wait_for 10 file_has shared.err 'E [0-9.:]* second address, link 2 "tcp": .*onnection refused'
    # it comes back
    plain_front again
    stay seven
    say seven 'hello 7'
    # a line that is refused is the only one
    start_listener nowhere -t 0.5 "socks-server|tcp-l:0,bind=127.0.0.1,thread" \
        "proxy:{targethost}:{targetport},http-version=2,share|tcp:127.0.0.1:$proxy" && at=$port
    run catena -t 0.5 - "socks4:127.0.0.1:1|tcp:127.0.0.1:$at" <hello
    same 1 "$status"
    same hello "$(catena -t 0.5 - "socks4:127.0.0.1:$target|tcp:127.0.0.1:$at" <hello)"
    opened 1 nowhere
}

@test "shared: a proxy that leaves is left, with those whom it serves still served" {
    make_certs certs
    behind
    proxy=$(free_port)
    tls_front old
    target
    tls=1 shared "$target"
    stay first
    say first one
    kill -QUIT "$(<old.pid)"
    wait_for 10 eval '[ -z "$(ss -Hltn "sport = :$proxy")" ]'
    tls_front new
    say first two
    stay second
    say second three
    say first four
    opened 2
    has_not "$(<shared.err)" ' E '
}

@test "shared: who we are is said once for each, and known to the next" {
    cat >asks <<'SH'
#!/bin/sh
while IFS= read -r line; do
    line=${line%?}
    case $line in
    [Pp]roxy-[Aa]uthorization:*) said=${line#*: } ;;
    '')
        echo "${said:-nothing}" | sed 's/response.*qop/qop/' >>told
        case ${said:-} in *nonce=\"n\"*) printf 'HTTP/1.1 200 OK\r\n\r\n'; exec cat ;; esac
        printf 'HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=r, nonce=n, qop=auth\r\nContent-Length: 0\r\n\r\n'
        ;;
    esac
done
SH
    chmod +x asks
    start_listener asks tcp-l:0,bind=127.0.0.1,fork exec:./asks && behind=$port
    proxy=$(free_port)
    plain_front nghttpx
    shared 1 ,proxyauth=joe:pw,proxy-auth-scheme=any
    for i in 1 2; do same hello "$(catena -t 0.5 - "tcp:127.0.0.1:$at" <hello)"; done
    digest='Digest username="joe", realm="r", nonce="n", uri="127.0.0.1:1", qop=auth, nc=0000000'
    same "nothing ${digest}1 ${digest}2" "$(paste -sd' ' told)"
    opened 1
    shared 1
    same '' "$(catena -t 0.5 - "tcp:127.0.0.1:$at" <hello)"
    file_has shared.err '407; give proxy-authorization (it offers Digest)'
}

@test "shared: who asks for too much at the same moment, and is refused, and goes" {
    local round
    make_certs certs
    behind auth=joe:secret
    proxy=$(free_port)
    tls=yes
    tls_front nghttpx --frontend-http2-max-concurrent-streams=1
    target
    for round in 1 2 3 4; do
        shared "$target" "=1,proxyauth=joe:wrong"
        timeout "$LIMIT" python3 "$top/tests/tools/echoes.py" "$at" 16 1000 >/dev/null 2>&1 || :
        same '' "$(catena -t 1 - "tcp:127.0.0.1:$at" <hello)" # the listener is there
        same '' "$(grep -v 407 shared.err | grep ' E ' || :)"
        kill "$(<shared.pid)"
        finish shared 143
    done
}

# makes <message> <address...>: no plan.
makes_no_plan() {
    run catena -n "${@:2}"
    same 1 "$status"
    has "$output" "$1"
}

@test "shared: where it cannot be, and where it does nothing" {
    H=proxy:a:1,http-version=2,share
    makes_no_plan 'in HTTP/1 each tunnel has a connection of its own' tcp-l:1,thread 'proxy:a:1,share|tcp:b:1'
    makes_no_plan '"fork" each connection has a process of its own, and nothing to be shared; use "thread"' tcp-l:1,fork "$H|tcp:b:1"
    makes_no_plan 'is for the second address' "$H|tcp-l:1,thread" -
    makes_no_plan 'reversed, it talks to who connects' tcp-l:1,thread "^$H|pipe"
    makes_no_plan 'option "readbytes" is about each connection' tcp-l:1,thread "$H|tcp:b:1,readbytes=5"
    makes_no_plan 'nobody who is opened before tells that' tcp-l:1,thread "$H|tcp:{peeraddr}:1"
    has "$(catena -n tcp-l:1,thread "$H|openssl|tcp:127.0.0.1:1")" 'where it ends is shared'
    has "$(catena --explain tcp-l:1,thread "$H|tcp:127.0.0.1:1")" 'All connections share what is behind'
    catena -n=json tcp-l:1,thread "$H|tcp:127.0.0.1:1" | python3 -c 'import json, sys; json.load(sys.stdin)["shared"]["line"]'
    has "$(catena -n=dot tcp-l:1,thread "$H|tcp:127.0.0.1:1")" 'label="shared"'
    has_not "$(catena -n - "$H|tcp:127.0.0.1:1")" shared
}
