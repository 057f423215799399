#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What a program learns from its environment: addresses of both ends on every family, what packets
# bring along, and what certificates say.
load net

prepare_file() {
    mkdir -p "$BATS_FILE_TMPDIR/certs"
    cd "$BATS_FILE_TMPDIR/certs"
    # Every field, in an order that is not the alphabet's.
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key \
            -out ca.crt -subj '/C=XY/O=Issuers/CN=issuer'
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr \
            -subj '/C=XY/CN=leaf.example/O=Leaf Ltd/OU=Tests/L=Lunar Base/ST=Low'
        openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out leaf.crt \
            -extfile <(echo subjectAltName=DNS:leaf.example,DNS:other.example,IP:127.0.0.1)
    } 2>certs.log
    cat leaf.crt leaf.key >leaf.pem
}

prepare_test() {
    echo >x
    Q=$((P + 20000))
    CERTS=$BATS_FILE_TMPDIR/certs
}

ONCE='env >show.new; mv show.new show'
SHOW="$ONCE; cat >/dev/null"
ZEROES=0000:0000:0000:0000:0000:0000:0000:

# told <server program> <server> <client>: what the server's program shows.
told() {
    rm -f show
    next_port_of_row
    echo "# $1 $2, $3"
    case $2 in
    UNIX* | ABSTRACT* | SOCKET-*:1:*)
        start server "${NET[@]}" "$1" -d -d "$(fill "$2")" "system:$SHOW" </dev/null
        wait_for 5 file_has server.err 'listening on\|receiving on'
        ;;
    *) net_serve "$1" -d -d "$(fill "$2")" "system:$SHOW" ;;
    esac
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:x "$(fill "$3")"
    wait_for 5 test -e show
    shown=$(shown)
    net_stop
    rm -f a b
}
# The addresses that a program has learnt, in order; what is not set is "-".
shown() {
    local name value all=
    for name in PEERADDR PEERPORT SOCKADDR SOCKPORT; do
        value=$(sed -n "s/^SOCAT_$name=//p" show)
        all="$all${all:+ }${value:--}"
    done
    echo "$all"
}
next_port_of_row() {
    next_port
    Q=$((P + 20000))
    HEX=$(printf %04x "$P")
    RAW=$((P % 50 + 200))
}
fill() { sed "s|@P|$P|g; s|@Q|$Q|g; s|@H|$HEX|g; s|@R|$RAW|g; s|@T|$T|g; s|@C|$CERTS|g" <<<"$1"; }

# walk [ref]: rows of server, client, and what is shown (of the reference too if told so).
walk() {
    local server client expected
    while read -r server client expected; do
        expected=${expected//:::/$ZEROES}
        told "$OURS" "$server" "$client"
        same "$(fill "$expected")" "$shown"
        [ "${1:-}" = ref ] || continue
        told "$REF_SOCAT" "$server" "$client"
        same "$(fill "$expected")" "$shown"
    done
}

@test "addresses: TCP" {
    need_net6
    walk ref <<'END'
TCP4-LISTEN:@P,reuseaddr TCP4:127.0.0.1:@P,bind=127.0.0.2,sp=@Q 127.0.0.2 @Q 127.0.0.1 @P
TCP4-LISTEN:@P,reuseaddr,bind=127.0.0.3 TCP4:127.0.0.3:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.3 @P
TCP4-LISTEN:@P,reuseaddr,fork TCP4:127.0.0.1:@P,sp=@Q 127.0.0.1 @Q 127.0.0.1 @P
TCP6-LISTEN:@P,reuseaddr TCP6:[::1]:@P,bind=[::2]:@Q [:::0002] @Q [:::0001] @P
TCP6-LISTEN:@P,reuseaddr,fork TCP6:[::1]:@P,sp=@Q [:::0001] @Q [:::0001] @P
END
    # an IPv4 peer of an IPv6 socket
    told "$OURS" TCP6-LISTEN:@P,ipv6-v6only=0 TCP4:127.0.0.1:@P,sp=@Q
    same "$(fill '[0000:0000:0000:0000:0000:ffff:7f00:0001] @Q [0000:0000:0000:0000:0000:ffff:7f00:0001] @P')" "$shown"
}

@test "addresses: UDP" {
    need_net6
    walk <<'END'
UDP4-LISTEN:@P UDP4:127.0.0.1:@P,sp=@Q 127.0.0.1 @Q 127.0.0.1 @P
UDP4-LISTEN:@P,fork,bind=127.0.0.3 UDP4:127.0.0.3:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.3 @P
UDP6-LISTEN:@P UDP6:[::1]:@P,sp=@Q [:::0001] @Q [:::0001] @P
UDP6-LISTEN:@P,fork UDP6:[::1]:@P,sp=@Q [:::0001] @Q [:::0001] @P
UDP4-RECVFROM:@P,bind=127.0.0.1 UDP4-SENDTO:127.0.0.1:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.1 @P
UDP4-RECVFROM:@P,fork,bind=127.0.0.1 UDP4-SENDTO:127.0.0.1:@P,sp=@Q 127.0.0.1 @Q 127.0.0.1 @P
UDP6-RECVFROM:@P,bind=[::1] UDP6-SENDTO:[::1]:@P,bind=[::2]:@Q [:::0002] @Q [:::0001] @P
UDP6-RECVFROM:@P,fork,bind=[::1] UDP6-SENDTO:[::1]:@P,sp=@Q [:::0001] @Q [:::0001] @P
END
}

@test "addresses: UDP-Lite" {
    [ -e "/proc/$NETPID/net/udplite" ] || skip "this kernel has no UDP-Lite"
    need_net6
    walk <<'END'
UDPLITE4-LISTEN:@P UDPLITE4:127.0.0.1:@P,sp=@Q 127.0.0.1 @Q 127.0.0.1 @P
UDPLITE6-LISTEN:@P UDPLITE6:[::1]:@P,sp=@Q [:::0001] @Q [:::0001] @P
UDPLITE4-RECVFROM:@P,bind=127.0.0.1 UDPLITE4-SENDTO:127.0.0.1:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.1 @P
UDPLITE6-RECVFROM:@P,bind=[::1] UDPLITE6-SENDTO:[::1]:@P,bind=[::2]:@Q [:::0002] @Q [:::0001] @P
END
}

@test "addresses: raw IP" {
    [ "$(id -u)" = 0 ] || skip "needs root: raw sockets"
    need_net6
    net_bound_raw() { net_bound "$RAW"; }
    while read -r server client expected; do
        next_port_of_row
        rm -f show
        echo "# $server $client"
        start server "${NET[@]}" "$OURS" -d -d "$(fill "$server")" "system:$SHOW" </dev/null
        wait_for 5 net_bound_raw
        "${NET[@]}" "$OURS" -u text:x "$(fill "$client")"
        wait_for 5 test -e show
        same "${expected//:::/$ZEROES}" "$(shown)"
        net_stop
    done <<'END'
IP4-RECVFROM:@R,bind=127.0.0.1 IP4-SENDTO:127.0.0.1:@R,bind=127.0.0.2 127.0.0.2 - 127.0.0.1 -
IP6-RECVFROM:@R,bind=[::1] IP6-SENDTO:[::1]:@R,bind=[::2] [:::0002] - [:::0001] -
END
}

@test "addresses: TLS, DTLS" {
    walk ref <<'END'
OPENSSL-LISTEN:@P,pf=ip4,reuseaddr,cert=@C/leaf.pem,verify=0 OPENSSL:127.0.0.1:@P,verify=0,sp=@Q,bind=127.0.0.2 127.0.0.2 @Q 127.0.0.1 @P
OPENSSL-LISTEN:@P,pf=ip6,reuseaddr,cert=@C/leaf.pem,verify=0 OPENSSL:[::1]:@P,verify=0,sp=@Q [:::0001] @Q [:::0001] @P
END
    walk <<'END'
OPENSSL-DTLS-SERVER:@P,pf=ip4,cert=@C/leaf.pem,verify=0 OPENSSL-DTLS-CLIENT:127.0.0.1:@P,verify=0,sp=@Q 127.0.0.1 @Q 127.0.0.1 @P
OPENSSL-DTLS-SERVER:@P,pf=ip6,cert=@C/leaf.pem,verify=0 OPENSSL-DTLS-CLIENT:[::1]:@P,verify=0,sp=@Q [:::0001] @Q [:::0001] @P
END
}

@test "addresses: UNIX domain" {
    walk ref <<'END'
UNIX-LISTEN:@T/a UNIX:@T/a,bind=@T/b @T/b - @T/a -
UNIX-LISTEN:@T/a,fork UNIX:@T/a,bind=@T/b @T/b - @T/a -
END
    # the older reference does not tell the own address of a packet
    walk <<'END'
UNIX-RECVFROM:@T/a UNIX-SENDTO:@T/a,bind=@T/b @T/b - @T/a -
UNIX-RECVFROM:@T/a,fork UNIX-SENDTO:@T/a,bind=@T/b @T/b - @T/a -
ABSTRACT-LISTEN:@T/a ABSTRACT:@T/a,bind=@T/b \0@T/b - \0@T/a -
ABSTRACT-RECVFROM:@T/a ABSTRACT-SENDTO:@T/a,bind=@T/b \0@T/b - \0@T/a -
END
}

@test "addresses: generic sockets" {
    walk ref <<'END'
SOCKET-LISTEN:2:6:x@Hx7f000001x0000000000000000,reuseaddr TCP4:127.0.0.1:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.1 @P
END
    walk <<'END'
SOCKET-RECVFROM:2:2:17:x@Hx7f000001x0000000000000000 UDP4-SENDTO:127.0.0.1:@P,bind=127.0.0.2:@Q 127.0.0.2 @Q 127.0.0.1 @P
END
}

# The program of a client knows the ends of its connection too.
@test "addresses: of clients" {
    for server in TCP4-LISTEN UDP4-LISTEN TCP6-LISTEN; do
        next_port_of_row
        host=127.0.0.1 expected=127.0.0.1
        case $server in *6*) host='[::1]' expected="[${ZEROES}0001]" ;; esac
        echo "# $server"
        net_serve "$OURS" "$server:$P" pipe
        "${NET[@]}" timeout "$LIMIT" "$OURS" "${server%-LISTEN}:$host:$P,sp=$Q" "system:$ONCE" </dev/null
        same "$expected $P $expected $Q" "$(shown)"
        net_stop
        rm show
    done
}

@test "processes and version" {
    vars='echo \$SOCAT_PID \$SOCAT_PPID \$SOCAT_VERSION; cat >/dev/null'
    net_serve "$OURS" "TCP4-LISTEN:$P,fork" "system:$vars"
    read -r child parent version \
        < <("${NET[@]}" timeout "$LIMIT" "$OURS" -t 5 - "TCP4:127.0.0.1:$P" </dev/null)
    same "$(<server.pid)" "$parent"
    [ "$child" != "$parent" ]
    has "$version" '^[1-9][0-9]*\.[0-9]'
    net_stop
    net_serve "$OURS" -lp other "UDP4-RECVFROM:$P,fork,bind=127.0.0.1" \
        'system:cat >/dev/null; echo \$OTHER_PEERADDR \$OTHER_SOCKADDR \$OTHER_PPID \$SOCAT_PEERADDR'
    same "127.0.0.1 127.0.0.1 $(<server.pid)" \
        "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 5 - "UDP4-SENDTO:127.0.0.1:$P,readbytes=$((20 + $(wc -c <server.pid)))" <<<x | sed 's/ *$//')"
    net_stop
}

# --- certificates ---

FIELDS='env | grep ^SOCAT_OPENSSL_X509 | grep -v SUBJECTALT | sort >show.new; mv show.new show'
facts() {
    cat <<'END'
SOCAT_OPENSSL_X509V3_DNS=leaf.example // other.example
SOCAT_OPENSSL_X509_COMMONNAME=leaf.example
SOCAT_OPENSSL_X509_COUNTRYNAME=XY
SOCAT_OPENSSL_X509_ISSUER=C = XY, O = Issuers, CN = issuer
SOCAT_OPENSSL_X509_LOCALITYNAME=Lunar Base
SOCAT_OPENSSL_X509_ORGANIZATIONALUNITNAME=Tests
SOCAT_OPENSSL_X509_ORGANIZATIONNAME=Leaf Ltd
SOCAT_OPENSSL_X509_STATEORPROVINCENAME=Low
SOCAT_OPENSSL_X509_SUBJECT=C = XY, CN = leaf.example, O = Leaf Ltd, OU = Tests, L = Lunar Base, ST = Low
END
}

# fields <server program> <client program> <who shows> <version>
fields() {
    local host=127.0.0.1 mine
    next_port
    [ "$4" = 4 ] || host='[::1]'
    if [ "$3" = server ]; then
        net_serve "$1" "OPENSSL-LISTEN:$P,pf=ip$4,reuseaddr,cert=$CERTS/leaf.pem,cafile=$CERTS/ca.crt,verify=1" \
            "system:$FIELDS; cat >/dev/null"
        "${NET[@]}" timeout "$LIMIT" "$2" -u open:x \
            "OPENSSL:$host:$P,cafile=$CERTS/ca.crt,cert=$CERTS/leaf.pem,cn=leaf.example"
    else
        net_serve "$1" -u "OPENSSL-LISTEN:$P,pf=ip$4,reuseaddr,cert=$CERTS/leaf.pem,verify=0" /dev/null
        "${NET[@]}" timeout "$LIMIT" "$2" "OPENSSL:$host:$P,cafile=$CERTS/ca.crt,cn=leaf.example" "system:$FIELDS" </dev/null 2>client.err
    fi
    wait_for 5 test -e show
    echo "# $*"
    mine=$2
    [ "$3" = client ] || mine=$1
    # The older reference does not know all of them.
    if [ "$mine" = "$OURS" ]; then
        diff <(facts) show
    else
        diff <(facts | grep -v -e V3_DNS -e STATE) <(grep -v -e V3_DNS -e STATE show)
    fi
    rm show
    net_stop
}

@test "certificate of the client, IPv4" { pairs_of server 4; }
@test "certificate of the client, IPv6" { need_net6; pairs_of server 6; }
@test "certificate of the server, IPv4" { pairs_of client 4; }
@test "certificate of the server, IPv6" { need_net6; pairs_of client 6; }
pairs_of() {
    fields "$OURS" "$OURS" "$@"
    fields "$OURS" "$REF_SOCAT" "$@"
    fields "$REF_SOCAT" "$OURS" "$@"
}

@test "certificate: DTLS, fork, a field that is missing" {
    net_serve "$OURS" "DTLS-L:$P,pf=ip4,fork,cert=$CERTS/leaf.pem,cafile=$CERTS/ca.crt" "system:$FIELDS"
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:x \
        "DTLS:127.0.0.1:$P,cafile=$CERTS/ca.crt,cert=$CERTS/leaf.pem"
    wait_for 5 test -e show
    diff <(facts) show
    net_stop
    next_port
    net_serve "$OURS" "OPENSSL-LISTEN:$P,pf=ip4,cert=$CERTS/leaf.pem,verify=0" pipe
    "${NET[@]}" timeout "$LIMIT" "$OURS" "OPENSSL:127.0.0.1:$P,cafile=$CERTS/ca.crt" \
        'system:echo \$SOCAT_OPENSSL_CIPHER \$SOCAT_OPENSSL_PROTO_VERSION \${SOCAT_OPENSSL_X509_INITIALS-none} >show' </dev/null
    has "$(<show)" '^TLS_.* TLSv1.3 none$'
    net_stop
}
