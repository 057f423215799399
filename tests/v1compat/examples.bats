#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the manual of the first version and the talk about the second show, as far as it needs no
# more than this machine: the same address types and options, other hosts, ports and files.
load ../helpers

prepare() { S=$(socat_link); }

socat() { timeout -k 5 "$LIMIT" "$S" "$@"; }

echo_server() { start_listener "${1:-server}" "tcp4-listen:0,bind=127.0.0.1,reuseaddr,fork" "${2:-pipe}"; }

@test "netcat: client, and a server with a program" {
    start_listener server tcp-l:0,reuseaddr exec:/bin/cat,nofork
    same hello "$(socat - "tcp4:127.0.0.1:$port" <<<hello)"
    finish server
}

@test "port forwarder, with and without fork" {
    echo_server
    start_listener forward TCP4-LISTEN:0,bind=127.0.0.1,reuseaddr,fork,range=127.0.0.0/8 \
        "TCP4:127.0.0.1:$port,bind=127.0.0.1"
    same one "$(socat - "tcp4:127.0.0.1:$port" <<<one)"
    same two "$(socat - "tcp4:127.0.0.1:$port,crnl" <<<two)"
}

@test "dual addresses: stdin!!stdout and stdout%stdin" {
    same hello "$(socat 'stdin!!stdout' pipe <<<hello)"
    same hello "$(socat 'stdout%stdin' pipe <<<hello)"
    same hello "$(socat 1%0 pipe <<<hello)"
    same hello "$(socat '0!!1' pipe <<<hello)"
}

@test "a program that talks on 3 and 4" {
    same hello "$(socat - "EXEC:'sh -c \"cat <&3 >&4\"',fdin=3,fdout=4" <<<hello)"
}

@test "a program on a terminal of its own" {
    same hello "$(socat -u EXEC:'echo hello',pty,setsid,ctty - | tr -d '\r')"
}

@test "message collector" {
    start_listener server -u TCP4-LISTEN:0,bind=127.0.0.1,reuseaddr,fork OPEN:in.log,creat,append
    socat -u - "tcp4:127.0.0.1:$port" <<<one
    wait_for 5 file_has in.log one
    socat -u - "tcp4:127.0.0.1:$port" <<<two
    wait_for 5 file_has in.log two
    same 'one two' "$(paste -sd' ' in.log)"
}

@test "merger of streams: end-close" {
    start_listener target -u tcp4-l:0,bind=127.0.0.1 create:merged
    start_listener merger -U "TCP:127.0.0.1:$port,end-close" TCP4-L:0,bind=127.0.0.1,reuseaddr,fork
    socat -u - "tcp4:127.0.0.1:$port" <<<one
    wait_for 5 file_has merged one
    socat -u - "tcp4:127.0.0.1:$port" <<<two
    wait_for 5 file_has merged two
}

@test "sparse file, binary editor" {
    echo | socat -u - file:big,create,largefile,seek=100000000000
    same 100000000001 "$(stat -c %s big)"
    printf 0123456789 >binary
    printf 'abcd' | socat -u - file:binary,seek=0x00000002
    same 01abcd6789 "$(<binary)"
}

@test "tail -f" {
    echo old >log
    start tail "$S" -d -d -u ./log,seek-end=0,ignoreeof -
    wait_for 5 file_has tail.err 'starting data transfer loop'
    echo new >>log
    wait_for 5 file_has tail.out new
    same new "$(<tail.out)"
}

@test "terminal under a name" {
    echo_server
    start modem "$S" -d -d "PTY,link=vmodem0,rawer,wait-slave" "tcp4:127.0.0.1:$port"
    wait_for 5 test -e vmodem0
    same hello "$(socat -t 5 - ./vmodem0,rawer,readbytes=6 <<<hello)"
    kill "$(<modem.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<modem.pid)"
    [ ! -e vmodem0 ]
    [ ! -L vmodem0 ]
}

@test "a server for a device, one client at a time: waitlock" {
    start device "$S" -d -d PTY,link=modem,rawer exec:cat
    wait_for 5 test -e modem
    start_listener server tcp-l:0,bind=127.0.0.1,reuseaddr,fork ./modem,rawer,waitlock=modem.lock
    mkfifo hold
    start one "$S" - "tcp:127.0.0.1:$port" <>hold
    echo one >hold
    wait_for 5 file_has one.out one
    test -e modem.lock
    start two "$S" -t 20 - "tcp:127.0.0.1:$port,readbytes=4" <<<two
    wait_for 5 eval '[ "$(grep -c "accepting connection" server.err)" = 2 ]'
    same "" "$(<two.out)"
    kill "$(<one.pid)"
    finish one 143
    finish two
    same two "$(<two.out)"
    kill "$(<server.pid)" "$(<device.pid)"
}

@test "a friendly firewall: a client that connects outwards again and again" {
    make_certs certs
    start_listener web tcp-l:0,bind=127.0.0.1,fork 'system:read line; echo answer to \$line'
    web=$port
    outer=$(free_port)
    start_listener double -T 9 tcp-l:0,bind=127.0.0.1,reuseaddr,fork \
        "ssl-l:$outer,bind=127.0.0.1,reuseaddr,retry=200,interval=0.05,cert=certs/server.pem,cafile=certs/ca.crt"
    start inner "$S" "ssl:localhost:$outer,pf=ip4,fork,max-children=1,forever,intervall=0.05,cert=certs/client.pem,cafile=certs/ca.crt,verify" \
        "tcp4:127.0.0.1:$web" </dev/null
    for i in 1 2; do same "answer to $i" "$(socat -t 9 - "tcp4:127.0.0.1:$port,readbytes=12" <<<$i)"; done
    kill "$(<inner.pid)"
    finish inner 143
}

@test "flood protection: readbytes" {
    echo_server server 'system:seq 1 100000 2>/dev/null'
    same 1000 "$(socat -u "tcp4:127.0.0.1:$port,readbytes=1000" - | wc -c | tr -d ' ')"
}

@test "broadcast with addresses by name and by bytes" {
    p=$(free_port)
    hex=$(printf '%04x' "$p")
    echo date >in
    same date "$(socat -T 0.2 - \
        "UDP4-DATAGRAM:127.255.255.255:$p,sp=$p,broadcast,range=127.0.0.0/8" <in)"
    zero=x0000000000000000
    same date "$(socat -T 0.2 - "SOCKET-DATAGRAM:2:2:17:x${hex}x7fffffff$zero,bind=x${hex}x00000000$zero,setsockopt-int=1:6:1,range=x0000x7f000000$zero:x0000xff000000$zero" <in)"
}

@test "HTTP echo server" {
    start_listener server -T 2 TCP4-L:0,bind=127.0.0.1,reuseaddr,fork,crlf \
        SYSTEM:"echo \"\\\"HTTP/1.0 200 OK\\\nserver:\$SOCAT_SOCKADDR:\$SOCAT_SOCKPORT\\\n\\\"\"; cat"
    socat - "tcp4:127.0.0.1:$port" <<<GET >reply
    has "$(<reply)" $'^HTTP/1.0 200 OK\r$'
    has "$(<reply)" $"^server:127.0.0.1:$port"
    has "$(<reply)" '^GET'
}

@test "the environment of a packet" {
    start server "$S" -d -d UDP4-RECVFROM:0,bind=127.0.0.1,so-broadcast,so-timestamp,ip-pktinfo,ip-recverr,ip-recvopts,ip-recvtos,ip-recvttl'!!-' SYSTEM:'cat >/dev/null; export' </dev/null
    wait_for 5 file_has server.err 'bound to AF=2 '
    port=$(sed -n 's/.*bound to AF=2 .*:\([0-9]*\)$/\1/p' server.err | head -n 1)
    socat -u - "udp4-sendto:127.0.0.1:$port" <<<x
    finish server
    for name in IP_DSTADDR IP_IF IP_TTL IP_TOS PEERADDR TIMESTAMP; do
        has "$(<server.out)" "SOCAT_$name="
    done
}

@test "TLS server that wants a certificate" {
    make_certs certs
    start_listener server OPENSSL-LISTEN:0,bind=127.0.0.1,reuseaddr,pf=ip4,fork,cert=certs/server.pem,cafile=certs/ca.crt PIPE
    same hello "$(socat - "OPENSSL:localhost:$port,pf=ip4,cafile=certs/ca.crt,cert=certs/client.pem" <<<hello)"
    same hello "$(socat - "ssl,cafile=certs/ca.crt,cert=certs/client.pem,commonname=localhost|tcp4:127.0.0.1:$port" <<<hello)"
}

@test "tests of the talk: marks of a chain" {
    same 'abc><' "$(socat - 'test|pipe' <<<abc | tr -d '\n')"
    same 'abc>' "$(socat -u - 'testuni|stdout' <<<abc | tr -d '\n')"
    same abc "$(socat - 'gzip%^gzip|pipe' <<<abc)"
}

@test "VSOCK and network devices that are not there: an error, no hang" {
    run socat - VSOCK-CONNECT:31:4321,bind:5555 </dev/null
    same 1 "$status"
    run socat PTY,link=ppp,rawer INTERFACE:nosuch0 </dev/null
    same 1 "$status"
    [ ! -L ppp ]
}
