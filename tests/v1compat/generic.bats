#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Sockets made of numbers: SOCKET-*; ACCEPT-FD, SOCKETPAIR; families that the kernel may lack.
load common
load dgram

# A struct sockaddr_in without its family: in <port> <address in hex>
in4() { printf 'x%04xx%sx0000000000000000' "$1" "${2:-7f000001}"; }

stream() {
    serve "port_listens $P" "$1" "socket-listen:2:6:$(in4 "$P")" pipe
    seq 1 3000 >in
    "$2" -t 5 - "socket-connect:2:6:$(in4 "$P")" <in | cmp - in
    finish server
    serve "port_listens $P" "$1" "socket-listen:2:6:$(in4 "$P")",reuseaddr pipe
    "$2" -t 5 - "socket-connect:2:6:$(in4 "$P"),bind=$(in4 0 7f000003)" <in | cmp - in
    finish server
}
@test "connect and listen" { pairs stream; }

stream_unix() {
    serve "unix_accepts $T/s" "$1" "socket-listen:1:0:\\\"$T/s\\\\0\\\"" pipe
    same hello "$("$2" -t 5 - "socket-connect:1:0:\\\"$T/s\\\\0\\\"" <<<hello)"
    finish server
    rm -f s
}
@test "connect and listen, UNIX" { pairs stream_unix; }

single() {
    serve "udp_bound $P" "$1" "socket-recvfrom:2:2:17:$(in4 "$P")" 'system:cat'
    same hello "$("$2" -t 0.5 - "socket-sendto:2:2:17:$(in4 "$P")" <<<hello)"
    kill "$(<server.pid)" 2>/dev/null || : # the reference does not end by itself
    wait_for 5 is_gone "$(<server.pid)"
}
@test "sendto and recvfrom" { pairs single; }

many() {
    serve "udp_bound $P" "$1" "socket-recvfrom:2:2:17:$(in4 "$P"),fork" 'system:cat'
    for i in 1 2 3; do same "$i" "$("$2" -t 0.5 - "sendto:2:2:17:$(in4 "$P")" <<<"$i")"; done
    stop
}
@test "recvfrom with fork" { # the reference leaves all packets to the first child
    many "$OURS" "$OURS"
    many "$OURS" "$REF_SOCAT"
}

merge() {
    serve "udp_bound $P" "$1" -d -d -u "socket-recv:2:2:17:$(in4 "$P"),range=$(in4 0 7f000002):x0000xffffffffx0000000000000000" create:got
    "$2" -u - "socket-sendto:2:2:17:$(in4 "$P")" <<<no
    wait_for 5 file_has server.err ' W '
    "$2" -u - "socket-sendto:2:2:17:$(in4 "$P"),bind=$(in4 0 7f000002)" <<<yes
    wait_for 5 size_is got 4
    "$2" -u - "socket-datagram:2:2:17:$(in4 "$P"),bind=$(in4 0 7f000002)" <<<too
    wait_for 5 size_is got 8
    same "yes too" "$(paste -sd' ' got)"
    has "$(<server.err)" ' W refusing .*due to range option'
    stop
}
@test "recv, datagram, range" { pairs merge; }

refused_stream() {
    serve "port_listens $P" "$1" -d -d "socket-listen:2:6:$(in4 "$P"),reuseaddr,fork,range=$(in4 0 7f000002):x0000xffffffffx0000000000000000" pipe
    same '' "$("$2" -t 1 - "socket-connect:2:6:$(in4 "$P")" </dev/null 2>/dev/null)"
    same yes "$("$2" -t 1 - "socket-connect:2:6:$(in4 "$P"),bind=$(in4 0 7f000002)" <<<yes)"
    has "$(<server.err)" ' W refusing connection .*due to range option'
    stop
}
@test "range on listen" { pairs refused_stream; }

@test "setsockopt at every stage" {
    for o in setsockopt=1:9:i1 setsockopt-int=1:9:1 setsockopt-bin=1:9:x01000000 sockopt-sock=1:9:i1 \
        setsockopt-connected=1:9:i1 setsockopt-listen=1:9:i1; do
        serve "port_listens $P" "$OURS" "socket-listen:2:6:$(in4 "$P"),$o" pipe
        same hello "$("$OURS" -t 5 - "socket-connect:2:6:$(in4 "$P"),$o" <<<hello)"
        finish server
    done
}

@test "wrong numbers and data" {
    # which crash the reference
    STATUS=1 ours_alone - socket-connect:2:6:z
    STATUS=1 ours_alone - socket-connect:2:6:x123
    both_fail - socket-connect:2:6
    both_fail - "socket-connect:9999:6:$(in4 "$P")"
    STATUS=1 ours_alone - "socket-connect:two:6:$(in4 "$P")"
    STATUS=1 ours_alone -u "socket-recv:2:2:17:$(in4 "$P"),range=x12:x1234" -
}

# --- ACCEPT-FD ---

# accepting <name> <arguments...>: with a listening socket as descriptor 3 of the program.
accepting() {
    local name=$1
    shift
    cat >passes.py <<'END'
import os, socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(9)
print('port', s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], sys.argv[1:])
END
    start "$name" python3 passes.py "$OURS" -d -d "$@" </dev/null
    wait_for 5 file_has "$name.err" 'listening on AF=2'
    port=$(sed -n 's/^port //p' "$name.out")
}

@test "accept-fd" {
    command -v python3 >/dev/null || skip "needs python3"
    accepting server accept-fd:3 pipe
    has "$(<server.err)" " N listening on AF=2 127.0.0.1:$port\$"
    same hello "$("$REF_SOCAT" -t 5 - "tcp:127.0.0.1:$port" <<<hello)"
    finish server
}

@test "accept-fd with fork and range" {
    command -v python3 >/dev/null || skip "needs python3"
    accepting server accept:3,fork,range=127.0.0.2/32 'system:ls /proc/self/fd | wc -l; cat'
    same '' "$("$REF_SOCAT" -t 1 - "tcp:127.0.0.1:$port" </dev/null 2>/dev/null)"
    for i in 1 2; do
        same "4 $i" "$("$REF_SOCAT" -t 5 - "tcp:127.0.0.1:$port,bind=127.0.0.2" <<<"$i" | paste -sd' ')"
    done
    has "$(<server.err)" ' W refusing connection from AF=2 127.0.0.1:'
    stop
}

@test "accept-fd: options act on the connections" {
    command -v python3 >/dev/null || skip "needs python3"
    accepting server accept-fd:3,tcp-nodelay,ip-tos=16,linger=3,keepalive,tcp-keepidle=77 \
        "system:exec $(dirname "$CATENA_BIN")/filan -i 0,nofork"
    "$REF_SOCAT" -u "tcp:127.0.0.1:$port" - | tr '\t' '\n' >seen
    for item in TCP_NODELAY=1 IP_TOS=16 'LINGER={1,3}' KEEPALIVE=1 TCP_KEEPIDLE=77; do
        grep -qxF "$item" seen || { echo "no $item" && cat seen && return 1; }
    done
    finish server
    for option in bind=127.0.0.1 pf=ip6 so-type=2; do
        python3 passes.py "$OURS" "accept-fd:3,$option" pipe </dev/null >out 2>err && return 1
        has "$(<err)" ' E .*no socket is made here'
    done
}

@test "accept-fd: the socket is given back as it was" {
    command -v python3 >/dev/null || skip "needs python3"
    python3 - "$OURS" <<'END'
import os, signal, socket, subprocess, sys
for option, mode in ('', True), (',fork', True), (',fork', False):
    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(9); s.setblocking(mode)
    address = f'accept-fd:{s.fileno()}{option},tcp-nodelay'
    p = subprocess.Popen([sys.argv[1], address, 'pipe'], pass_fds=[s.fileno()])
    c = socket.create_connection(s.getsockname(), 10)
    c.sendall(b'hello'); assert c.recv(5) == b'hello'; c.close()
    if option:
        p.send_signal(signal.SIGTERM)
    p.wait(20)
    assert os.get_blocking(s.fileno()) == mode, address
    assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0, address
END
}

@test "accept-fd: what does not listen" {
    for fd in 0 77 x; do STATUS=1 ours_alone "accept-fd:$fd" -; done
}

# --- SOCKETPAIR ---

@test "socketpair" {
    seq 1 1000 >in
    for o in '' ,socktype=1 ,socktype=5 ,socktype=2; do
        [ "$("$OURS" -t 0.3 - "socketpair$o" <in | cksum)" = "$(cksum <in)" ]
    done
    "$OURS" -b 3 -x -t 0.3 - socketpair <<<abcdefg 2>log >out
    same "3 3 2" "$(grep '<' log | sed -n 's/.*length=\([0-9]*\) .*/\1/p' | paste -sd' ')"
}

# --- what the kernel lacks ---

@test "SCTP, DCCP, VSOCK: planned everywhere, opened or explained" {
    for a in sctp:127.0.0.1:1 sctp4-connect:127.0.0.1:1 'sctp6:[::1]:1' sctp-l:0 sctp4-listen:0 \
        dccp:127.0.0.1:1 dccp4-l:0 'dccp6:[::1]:1' vsock:1:1 vsock-l:99; do
        "$OURS" -n - "$a" >/dev/null
    done
    for a in sctp:127.0.0.1:1 dccp:127.0.0.1:1; do
        STATUS=1 ours_alone - "$a"
        has "$(<ours.err)" ' E .*\(not supported\|refused\)'
    done
    : >in
    STATUS=1 both -u - sctp:127.0.0.1:1
    STATUS=1 ours_alone - vsock:x:1
    STATUS=1 ours_alone - vsock:1:99999999999
}

sctp() {
    serve "true" "$OURS" -d -d sctp-listen:0,bind=127.0.0.1 pipe
    wait_for 5 file_has server.err 'listening on\|not supported'
    ! grep -q 'not supported' server.err || skip "this kernel has no $1"
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' server.err)
    same hello "$("$OURS" -t 1 - "sctp:127.0.0.1:$port" <<<hello)"
    finish server
}
@test "SCTP" { sctp SCTP; }

@test "VSOCK log lines" {
    start server "$OURS" -d -d vsock-listen:23456 pipe </dev/null
    wait_for 5 file_has server.err 'listening on\| E '
    ! grep -q 'not supported' server.err || skip "this kernel has no VSOCK"
    has "$(<server.err)" ' N listening on AF=40 cid:4294967295 port:23456'
    stop
}
