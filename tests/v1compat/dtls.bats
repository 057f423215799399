#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# DTLS between ours, the reference and openssl(1).
# bats file_tags=thread
load common

setup_file() {
    [ -x "$REF_SOCAT" ] || skip "no reference: set REF_SOCAT"
    socat_link >/dev/null
    make_certs "$BATS_FILE_TMPDIR/certs"
}

prepare() {
    OURS=$BATS_FILE_TMPDIR/ours/socat
    ln -s "$BATS_FILE_TMPDIR"/certs/* .
    P=$("$PEER" freeport)
    seq 1 500 >in
}

pairs() {
    "$1" "$OURS" "$OURS"
    "$1" "$OURS" "$REF_SOCAT"
    "$1" "$REF_SOCAT" "$OURS"
}

udp_bound() { [ -n "$(ss -Hlun "sport = :$1")" ]; }

# serve <program> <arguments...>: a server, when it can be reached.
serve() {
    start server "$@" </dev/null
    wait_for 5 udp_bound "$P" || {
        cat server.err
        return 1
    }
}

stop() {
    end "$(<server.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<server.pid)"
}

# What is echoed until all of <in> is back: the end of a client's input does not end the echo.
ask() { timeout "$LIMIT" "$@" <in >out; cmp in out; }

echoes() {
    serve "$1" "openssl-dtls-server:$P,pf=ip4,cert=server.pem,verify=0" pipe
    ask "$2" -t 1 - "openssl-dtls-client:127.0.0.1:$P,cafile=ca.crt"
    stop
}
@test "an echo, the server's certificate verified" { pairs echoes; }

mutual() {
    serve "$1" "dtls-l:$P,pf=ip4,cert=server.pem,cafile=ca.crt,cn=client.example" pipe
    ask "$2" -t 1 - "dtls:localhost:$P,pf=ip4,cafile=ca.crt,cert=client.pem"
    stop
}
@test "certificates on both sides" {
    mutual "$OURS" "$OURS"
    mutual "$OURS" "$REF_SOCAT"
}

@test "all keywords" {
    for server in DTLS-L DTLS-LISTEN DTLS-SERVER OPENSSL-DTLS-LISTEN OPENSSL-DTLS-SERVER; do
        serve "$OURS" "$server:$P,pf=ip4,cert=server.pem,verify=0" pipe
        ask "$OURS" -t 0.5 - "dtls:127.0.0.1:$P,verify=0"
        stop
    done
    serve "$OURS" "dtls-server:$P,pf=ip4,cert=server.pem,verify=0,fork" pipe
    for client in DTLS DTLS-C DTLS-CLIENT DTLS-CONNECT OPENSSL-DTLS-CLIENT OPENSSL-DTLS-CONNECT; do
        ask "$OURS" -t 0.5 - "$client:127.0.0.1:$P,verify=0"
    done
    stop
}

@test "openssl s_server" {
    mkfifo hold
    exec 8<>hold
    start server openssl s_server -dtls -accept "127.0.0.1:$P" -cert server.crt -key server.key \
        -quiet <hold
    wait_for 5 udp_bound "$P"
    echo from_us | catena -t 0.5 -u - "dtls:127.0.0.1:$P,cafile=ca.crt"
    wait_for 5 file_has server.out from_us
    stop
}

@test "openssl s_client" {
    mkfifo keys
    exec 8<>keys
    serve "$CATENA_BIN" "dtls-server:$P,pf=ip4,cert=server.pem,cafile=ca.crt" pipe
    start client openssl s_client -dtls -connect "127.0.0.1:$P" -cert client.crt \
        -key client.key -CAfile ca.crt -verify_return_error -quiet <keys
    echo from_openssl >&8
    wait_for 5 file_has client.out from_openssl
    kill "$(<client.pid)"
    stop
}

@test "goodbye is the end of file, both ways" {
    serve "$OURS" -u "dtls-l:$P,pf=ip4,cert=server.pem,verify=0" create:got
    "$OURS" -u open:in "dtls:127.0.0.1:$P,cafile=ca.crt"
    finish server
    cmp in got
    serve "$OURS" -U "dtls-l:$P,pf=ip4,cert=server.pem,verify=0" open:in
    "$OURS" -u "dtls:127.0.0.1:$P,cafile=ca.crt" create:back
    finish server
    cmp in back
    serve "$REF_SOCAT" -U "openssl-dtls-server:$P,pf=ip4,cert=server.pem,verify=0" open:in
    "$OURS" -u "dtls:127.0.0.1:$P,cafile=ca.crt" create:back2
    stop
    cmp in back2
}

@test "one block is one record; larger ones are split, small buffers lose nothing" {
    head -c 60000 /dev/urandom >in
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0" pipe
    ask "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt"
    stop
    head -c 10000 /dev/urandom >in
    serve "$OURS" -b 700 "dtls-l:$P,pf=ip4,cert=server.pem,verify=0" pipe
    ask "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt"
    stop
    serve "$OURS" -x -u -b 5000 "dtls-l:$P,pf=ip4,cert=server.pem,verify=0" create:got
    "$OURS" -b 3 -u text:abcdef "dtls:127.0.0.1:$P,cafile=ca.crt"
    finish server
    same abcdef "$(<got)"
    same 2 "$(grep -c 'length=3' server.err)"
}

@test "a certificate that is not trusted, or for somebody else" {
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=other.pem,verify=0,fork" pipe
    run "$OURS" - "dtls:127.0.0.1:$P,cafile=ca.crt" </dev/null
    same 1 "$status"
    has "$output" 'is not for "127.0.0.1"'
    run "$OURS" - "dtls:127.0.0.1:$P,cafile=self.crt" </dev/null
    same 1 "$status"
    has "$output" 'not trusted'
    ask "$OURS" -t 0.5 - "dtls:127.0.0.1:$P,cafile=ca.crt,commonname=other.example"
    ask "$OURS" -t 0.5 - "dtls:127.0.0.1:$P,verify=0"
    stop
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,cafile=ca.crt,fork" pipe
    run "$OURS" -t 0.5 - "dtls:127.0.0.1:$P,cafile=ca.crt,cert=self.pem" <in
    [ "$output" != "$(<in)" ]
    ask "$OURS" -t 0.5 - "dtls:127.0.0.1:$P,cafile=ca.crt,cert=client.pem"
    stop
}

@test "fork: several clients at a time, a silent one in their midst" {
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0,fork" pipe
    start silent "$OURS" -u stall "udp:127.0.0.1:$P" </dev/null
    echo nonsense | "$OURS" -u - "udp:127.0.0.1:$P"
    for i in 1 2 3; do
        start "client$i" "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt" <in
    done
    for i in 1 2 3; do
        finish "client$i"
        cmp in "client$i.out"
    done
    kill "$(<silent.pid)"
    stop
}

# invented <port>: what the server says to a ClientHello with a cookie that it has not given.
invented() {
    python3 - "$1" <<'END'
import socket, struct, sys
def block(size, data): return len(data).to_bytes(size, 'big') + data
def extension(kind, data): return struct.pack('!H', kind) + block(2, data)
extensions = (extension(10, block(2, b'\0\x17\0\x1d')) + extension(11, block(1, b'\0')) +
              extension(13, block(2, b'\4\3\5\3\6\3\x08\4\4\1')))
body = (b'\xfe\xfd' + b'r' * 32 + block(1, b'') + block(1, b'c' * 32) +
        block(2, b'\xc0\x2b\xc0\x2c\xc0\x23') + block(1, b'\0') + block(2, extensions))
hello = b'\1' + len(body).to_bytes(3, 'big') + b'\0\0' + b'\0' * 3 + block(3, body)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.sendto(b'\x16\xfe\xff' + b'\0' * 8 + block(2, hello), ('127.0.0.1', int(sys.argv[1])))
answer = s.recv(10000)
print('record', answer[0], 'message', answer[13])
END
}
@test "a cookie that was not given makes no session, and is that client's matter alone" {
    command -v python3 >/dev/null || skip "needs python3"
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0,fork" pipe
    said=$(invented "$P")
    has "$said" '^record'
    has_not "$said" 'record 22 message 2' # a ServerHello
    ask "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt"
    stop
}

@test "thread: the same in one process" {
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0,thread" exec:cat
    for i in 1 2 3; do
        start "client$i" "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt" <in
    done
    for i in 1 2 3; do
        finish "client$i"
        cmp in "client$i.out"
    done
    stop
}

@test "a silent server: connect-timeout, so-rcvtimeo" {
    serve "$OURS" -u "udp-recv:$P,pf=ip4" create:got
    run "$OURS" - "dtls:127.0.0.1:$P,verify=0,connect-timeout=0.3" </dev/null
    same 1 "$status"
    has "$output" 'took too long'
    run "$OURS" - "dtls:127.0.0.1:$P,verify=0,so-rcvtimeo=0.3" </dev/null
    same 1 "$status"
    [ -s got ]
    stop
    run "$OURS" - "dtls:127.0.0.1:$P,verify=0" </dev/null
    same 1 "$status"
    has "$output" 'refused'
}

@test "retry until the server is there" {
    start client "$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt,retry=200,interval=0.05" <in
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,verify=0,fork" pipe
    finish client
    cmp in client.out
    stop
}

@test "what is learnt, and versions" {
    serve "$OURS" "dtls-l:$P,pf=ip4,cert=server.pem,cafile=ca.crt" \
        'system:echo \$SOCAT_OPENSSL_PROTO_VERSION \$SOCAT_OPENSSL_X509_COMMONNAME \$SOCAT_PEERADDR'
    same 'DTLSv1.2 client.example 127.0.0.1' \
        "$("$OURS" -t 1 - "dtls:127.0.0.1:$P,cafile=ca.crt,cert=client.pem,min-version=DTLS1.2" </dev/null)"
    stop
    run "$OURS" - "dtls:127.0.0.1:$P,verify=0,min-version=TLS1.2" </dev/null
    same 1 "$status"
    has "$output" 'DTLS1.0 or DTLS1.2'
    run "$OURS" - "dtls:127.0.0.1:$P,verify=0,max-version=DTLS1.0" </dev/null
    same 1 "$status"
    has "$output" 'below the lowest'
}

@test "in a chain: codecs over DTLS" {
    serve "$CATENA_BIN" "gzip|dtls-l:$P,pf=ip4,cert=server.pem,verify=0" pipe
    ask "$CATENA_BIN" -t 1 - "gzip|dtls:127.0.0.1:$P,cafile=ca.crt"
    stop
}

narrow() {
    ip link set lo mtu 1000
    ip link set lo up
    "$1" -u dtls-l:5000,pf=ip4,cert=large.pem,verify=0 create:got &
    until grep -q ":$(printf %04X 5000) " /proc/net/udp; do kill -0 $!; sleep 0.02; done
    echo hello | "$1" -t 5 -u - dtls:127.0.0.1:5000,verify=0
    until [ -s got ]; do kill -0 $! || break; sleep 0.02; done
    wait $!
    awk '/^Ip: / && !n { n = split($0, name) } /^Ip: / { for (i = 2; i <= n; i++) value[name[i]] = $i }
         END { print value["FragCreates"], value["FragFails"] }' /proc/net/snmp
}
@test "the handshake fits into the packets of a narrow link" {
    [ "$(id -u)" = 0 ] || skip "needs root: makes a network namespace"
    unshare -n true 2>/dev/null || skip "network namespaces are not permitted here"
    # Large by what it says: finding a large key takes a minute on some days.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext "subjectAltName=$(printf ',DNS:host%s.example.org' {1..150} | cut -c2-)" \
        -keyout large.key -out large.crt 2>/dev/null
    cat large.crt large.key >large.pem
    export -f narrow
    unshare -n timeout "$LIMIT" bash -ec 'narrow "$@"' narrow "$OURS" >made
    same hello "$(<got)"
    same '0 0' "$(<made)"
}
