#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# DTLS as a link of a chain: a session over any address of packets.
# bats file_tags=thread
load ../helpers

prepare() {
    make_certs .
    S="cert=$T/server.pem,verify=0"
    C="cafile=$T/ca.crt"
    seq 1 3000 >in
}
bound() { [ -n "$(ss -Hlun "sport = :$1")" ]; }
unix_there() { grep -q " $1\$" /proc/net/unix; }
packets() { timeout -k 5 "$LIMIT" "$CATENA_TOOLS/packets" "$@"; }
back_to() { cmp -n "$(size "$1")" "$1" "$2"; }
size() { stat -c %s "$1"; }
# network <port> <rules...>: its own port is then in $port.
network() {
    start net "$CATENA_TOOLS/packets" relay "$@" </dev/null
    wait_for 10 file_has net.out '^port'
    port=$(sed -n 's/^port //p' net.out)
}

@test "spelt as two links it is what one address is" {
    for how in '' ,fork ,thread; do
        start_listener server "dtls-server,$S|udp-listen:0,bind=127.0.0.1$how" pipe
        catena -t 2 - "dtls,$C|udp:127.0.0.1:$port" <in >out
        cmp in out
        [ -z "$how" ] || kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
    done
    start_listener server "dtls-l:0,bind=127.0.0.1,$S" pipe
    run catena - "dtls,$C,commonname=other.example|udp:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" 'is not for "other.example"'
    one=$(catena -n - "dtls:127.0.0.1:5000,$C")
    same "$one" "$(catena -n - "dtls,$C|udp:127.0.0.1:5000")"
    has "$one" 'wire side right'
}

@test "over UNIX sockets, and with a tap on its wire" {
    head -c 300000 /dev/urandom >in
    for wire in '' '|tap:seen,format=raw'; do
        rm -f s c
        start server "$CATENA_BIN" -u "dtls-server,$S$wire|unix-sendto:$T/c,bind=$T/s" create:got </dev/null
        wait_for 5 unix_there "$T/s"
        catena -u open:in "dtls,$C,commonname=localhost$wire|unix-sendto:$T/s,bind=$T/c"
        finish server
        cmp in got
    done
    [ "$(size seen)" -gt 600000 ]
}

@test "packets stay packets, whatever -b says about the wire" {
    start receiver "$CATENA_TOOLS/packets" at recv:4 </dev/null
    wait_for 10 file_has receiver.out '^port'
    to=$(sed -n 's/^port //p' receiver.out)
    start_listener server -u -T 5 "dtls-server,$S|tap:t,format=raw|udp-listen:0,bind=127.0.0.1" "udp-sendto:127.0.0.1:$to"
    start client "$CATENA_BIN" -u "unix-recv:$T/r" "dtls,$C|udp:127.0.0.1:$port" </dev/null
    wait_for 5 unix_there "$T/r"
    packets to "unix:$T/r" fill:10 fill:9000 fill:16000 fill:1
    finish receiver
    same '10 9000 16000 1' "$(grep -v '^\(port\|ready\)' receiver.out | paste -sd' ')"
    kill "$(<client.pid)"
    wait_for 5 is_gone "$(<client.pid)"
    start_listener server -b 90 "dtls-server,$S|tap:t,format=raw|udp-listen:0,bind=127.0.0.1" pipe
    catena -b 70 -t 2 - "dtls,$C|tap:u,format=raw|udp:127.0.0.1:$port" <in >out
    cmp in out
}

@test "a record that no packet can carry is an error, with both sizes" {
    start server "$CATENA_BIN" -u "dtls-server,$S|unix-sendto:$T/c,bind=$T/s" create:got </dev/null
    wait_for 5 unix_there "$T/s"
    head -c 16000 /dev/zero >in
    run catena -b 16000 -u open:in "dtls,$C,cn=localhost|unix-sendto:$T/s,bind=$T/c,sndbuf=4608"
    same 1 "$status"
    has "$output" ' E .*writing 160[0-9]* bytes where a message has at most 9[0-9]* failed'
    kill "$(<server.pid)"
}

@test "a wire of bytes is told of: there are no records in it" {
    run catena -n - 'dtls,verify=0|tcp:localhost:5000'
    has "$output" '"dtls".*packets.*"tcp".*stream'
    run catena -n - 'dtls,verify=0|openssl,verify=0|tcp:localhost:5000'
    has_not "$output" 'stream'
    run catena -n - 'dtls,verify=0|udp:localhost:5000'
    has_not "$output" 'stream'
}

@test "empty packets end nothing" {
    for how in '' ,fork ,thread; do
        start_listener server "dtls-l:0,bind=127.0.0.1,$S$how" pipe
        network "$port" void:c1- void:s1-
        catena -t 2 - "dtls:127.0.0.1:$port,$C" <in >out
        cmp in out
        kill "$(<net.pid)" "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
        rm net.pid
    done
}

# guess <port> <our port>: says hello with a made-up cookie.
guess() {
    python3 - "$@" <<'END'
import socket, struct, sys
def block(size, data): return len(data).to_bytes(size, 'big') + data
def extension(kind, data): return struct.pack('!H', kind) + block(2, data)
extensions = extension(10, block(2, b'\0\x17\0\x1d')) + extension(13, block(2, b'\4\3\5\3\6\3'))
body = (b'\xfe\xfd' + b'r' * 32 + block(1, b'') + block(1, b'c' * 32) +
        block(2, b'\xc0\x2b\xc0\x2c') + block(1, b'\0') + block(2, extensions))
hello = b'\1' + len(body).to_bytes(3, 'big') + b'\0\0' + b'\0' * 3 + block(3, body)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.bind(('127.0.0.1', int(sys.argv[2])))
for i in range(3):
    s.sendto(b'\x16\xfe\xff' + b'\0' * 8 + block(2, hello), ('127.0.0.1', int(sys.argv[1])))
    print('message', s.recv(10000)[13])
END
}
@test "a made-up cookie ends nobody's handshake" {
    command -v python3 >/dev/null || skip "needs python3"
    for how in '' ,fork ,thread; do
        start_listener server "dtls-l:0,bind=127.0.0.1,$S$how" pipe
        q=$("$PEER" freeport)
        same 'message 3 message 3 message 3' "$(guess "$port" "$q" | paste -sd' ')" # HelloVerifyRequest
        catena -t 2 - "dtls:127.0.0.1:$port,$C,bind=127.0.0.1:$q" <in >out
        cmp in out
        kill "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
        has_not "$(<server.err)" ' E '
    done
}

@test "how long a silent server is waited for, whoever has the option" {
    start silent "$CATENA_BIN" -d -d -u udp-recv:0,bind=127.0.0.1 create:got </dev/null
    wait_for 5 file_has silent.err 'bound to'
    port=$(sed -n 's/.*bound to AF=2 .*:\([0-9]*\)$/\1/p' silent.err)
    for both in "dtls,$C,handshake-timeout=0.3|udp:127.0.0.1:$port" "dtls,$C|udp:127.0.0.1:$port,connect-timeout=0.3" \
        "dtls:127.0.0.1:$port,$C,so-rcvtimeo=0.3" "dtls:127.0.0.1:$port,$C,connect-timeout=20,handshake-timeout=0.3"; do
        run catena - "$both" </dev/null
        same 1 "$status"
        has "$output" 'handshake: the peer took too long (0.3 seconds'
    done
    [ -s got ] # and again after a second, while it opens
    size got >first
    run catena - "dtls:127.0.0.1:$port,$C,handshake-timeout=1.5" </dev/null
    same 1 "$status"
    [ "$(size got)" -ge $(($(<first) / 4 * 6)) ]
    kill "$(<silent.pid)"
}

@test "a goodbye that gets lost behind another layer: the packets have no end that would come" {
    start_listener server "gzip|dtls-l:0,bind=127.0.0.1,$S" pipe
    network "$port" drop:s6-
    timeout 20 "$CATENA_BIN" - "gzip|dtls:127.0.0.1:$port,$C" <in >out
    kill "$(<net.pid)" "$(<server.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<server.pid)"
}
