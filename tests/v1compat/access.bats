#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may come in: range, sourceport, lowport and tcpwrap on every passive address. Each row of a
# table is one server with one rule, a peer it must refuse, and then one it must serve.
load net

prepare_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
}

prepare_test() {
    CERT=$BATS_FILE_TMPDIR/certs/server.pem
    Q=$((P + 20000)) # where a DATAGRAM address expects its peer; a source port
    RAW=200
    wrap_tables
}

# Tables of libwrap: the peers with the second addresses, and nobody else.
wrap_tables() {
    mkdir -p etc
    echo "wrapped: $OTHER4 $OTHER6" | tee etc/hosts.allow >allow
    echo 'ALL: ALL' | tee etc/hosts.deny >deny
}

# server_of <type> <rule>, client_of <type> <options>: addresses, ours or the reference's alike.
# V is the version, H its loopback address.
server_of() {
    case $1 in
    TCP) echo "TCP$V-LISTEN:$P,reuseaddr,$2" ;;
    OPENSSL) echo "OPENSSL-LISTEN:$P,pf=ip$V,reuseaddr,cert=$CERT,verify=0,$2" ;;
    DTLS) echo "OPENSSL-DTLS-SERVER:$P,bind=$H,cert=$CERT,verify=0,$2" ;;
    IP-DATAGRAM) echo "IP$V-DATAGRAM:$H:$P,$2" ;;
    *-DATAGRAM) echo "$(proto_of "$1")$V-DATAGRAM:$H:$Q,bind=:$P,$2" ;;
    UDP* | UDPLITE*) echo "$(proto_of "$1")$V-${1#*-}:$P,$2" ;;
    IP-*) echo "IP$V-${1#IP-}:$P,$2" ;;
    esac
}

client_of() {
    case $1 in
    TCP) echo "TCP$V:$H:$P,$2" ;;
    OPENSSL) echo "OPENSSL:$H:$P,verify=0,$2" ;;
    DTLS) echo "OPENSSL-DTLS-CLIENT:$H:$P,verify=0,$2" ;;
    UDP-LISTEN | UDPLITE-LISTEN) echo "$(proto_of "$1")$V-CONNECT:$H:$P,shut-none,$2" ;;
    *) echo "$(proto_of "$1")$V-SENDTO:$H:$P,$2" ;;
    esac
}
proto_of() { echo "${1%%-*}"; }

log_of() {
    case $1 in
    range*) echo 'due to range option' ;;
    *wrap* | *hosts-*) echo 'due to tcpwrapper option' ;;
    lowport*) echo 'due to lowport option' ;;
    sourceport*) echo 'due to wrong sourceport' ;;
    esac
}

# row <server program> <type> <rule> <refused client's options> <served client's options>
row() {
    local program=$1 type=$2 rule=$3 bad=$4 good=$5 said=0
    case $type in IP-*) P=$((RAW += 1)) ;; *) next_port ;; esac
    Q=$((P + 20000))
    rule=${rule//@/$Q} good=${good//@/$Q} bad=${bad//@/$Q}
    echo "# $type$V $rule by ${program##*/}: refused: '$bad', served: '$good'"
    rm -f got
    net_serve "$program" -d -d -u "$(server_of "$type" "$rule")" open:got,creat,append
    refused "$type" "$bad" || said=$?
    [ "$said" != 124 ] # it would mean that the connection stays
    wait_for 5 file_has server.err ' W refusing .*'"$(log_of "$rule")"
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:yes "$(client_of "$type" "$good")"
    wait_for 5 file_has got yes
    same yes "$(<got)"
    net_stop
}

# A stream that is refused is closed: the client need not wait for anything.
refused() {
    case $1 in
    TCP | OPENSSL)
        "${NET[@]}" timeout 10 "$OURS" -t 20 - "$(client_of "$1" "$2")" <<<no >back 2>client.err ||
            return
        [ ! -s back ]
        ;;
    DTLS) # which goes on asking
        "${NET[@]}" timeout 10 "$OURS" -u text:no \
            "$(client_of "$1" "$2"),connect-timeout=0.05" >back 2>&1 || return
        ;;
    *) "${NET[@]}" timeout 10 "$OURS" -u text:no "$(client_of "$1" "$2")" ;;
    esac
}

# rows <types> <rule> <refused> <served>: on our server; "ref:" before a type: on the reference too.
rows() {
    local type
    for type in $1; do
        [ "$type" = "${type#ref:}" ] || row "$REF_SOCAT" "${type#ref:}" "$2" "$3" "$4"
        row "$OURS" "${type#ref:}" "$2" "$3" "$4"
    done
}

version() {
    V=$1
    if [ "$V" = 4 ]; then H=127.0.0.1 OTHER=$OTHER4; else H='[::1]' OTHER=$OTHER6; fi
    [ "$V" = 4 ] || need_net6
}

need_udplite() { [ -e "/proc/$NETPID/net/udplite" ] || skip "this kernel has no UDP-Lite"; }
need_raw() { [ "$(id -u)" = 0 ] || skip "needs root: raw sockets"; }
need_wrap() { ldconfig -p 2>/dev/null | grep -q libwrap.so.0 || skip "no libwrap here"; }

streams='ref:TCP OPENSSL'
udps='ref:UDP-LISTEN ref:UDP-RECV ref:UDP-RECVFROM UDP-DATAGRAM'
lites='UDPLITE-LISTEN UDPLITE-RECV UDPLITE-RECVFROM UDPLITE-DATAGRAM'
raws='IP-RECV IP-RECVFROM IP-DATAGRAM'

range4() {
    version 4
    rows "$1" "range=$OTHER4/32" bind="$H" bind="$OTHER4"
    rows "$1" "range=$OTHER4:255.255.255.255" bind="$H" bind="$OTHER4"
}
range6() {
    version 6
    rows "$1" 'range=[::2]/128' bind="$H" "bind=$OTHER6"
}
@test "range: streams, IPv4" { range4 "$streams"; }
@test "range: streams, IPv6" { range6 "$streams"; }
@test "range: UDP over IPv4" { range4 "$udps"; }
@test "range: UDP over IPv6" { range6 "$udps"; }
@test "range: UDP-Lite over IPv4" { need_udplite; range4 "$lites"; }
@test "range: UDP-Lite over IPv6" { need_udplite; range6 "$lites"; }
@test "range: raw IPv4" { need_raw; range4 "$raws"; }
@test "range: raw IPv6" { need_raw; range6 "$raws"; }
@test "range: DTLS" {
    version 4
    rows DTLS "range=$OTHER4/32" bind="$H" bind="$OTHER4"
    version 6
    rows DTLS 'range=[::2]/128' bind="$H" "bind=$OTHER6"
}

ports() {
    version "$1"
    rows "$2" sourceport=@ '' sourceport=@
    rows "$2" lowport '' lowport
}
@test "sourceport, lowport: streams, IPv4" { ports 4 "$streams"; }
@test "sourceport, lowport: streams, IPv6" { ports 6 "$streams"; }
@test "sourceport, lowport: UDP over IPv4" { ports 4 "$udps"; }
@test "sourceport, lowport: UDP over IPv6" { ports 6 "$udps"; }
@test "sourceport, lowport: UDP-Lite over IPv4" { need_udplite; ports 4 "$lites"; }
@test "sourceport, lowport: UDP-Lite over IPv6" { need_udplite; ports 6 "$lites"; }
@test "sourceport, lowport: DTLS" { ports 4 DTLS; ports 6 DTLS; }

# What the tables are called, and which of them are needed.
@test "tcpwrap: ways to name the tables" {
    need_wrap
    version 4
    rows ref:TCP "tcpwrap=wrapped,tcpwrap-etc=$T/etc" bind="$H" bind="$OTHER"
    rows TCP "tcpwrap=wrapped,allow-table=$T/allow,deny-table=$T/deny" bind="$H" bind="$OTHER"
    # an option of its own wins over the directory
    echo "wrapped: $H" >etc/hosts.allow
    rows ref:TCP "tcpwrap=wrapped,tcpwrap-etc=$T/etc,hosts-allow=$T/allow" bind="$H" bind="$OTHER"
    # without a name: that of the program
    echo "socat: $OTHER" >allow
    rows ref:TCP "tcpwrap,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
    # what no table names may come in; rules for others say nothing
    : >allow
    echo "socat: $H" >deny
    rows TCP "hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
    echo "other: ALL" >allow
    rows ref:TCP "tcpwrap,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
}

@test "tcpwrap and range: both must let a peer in" {
    need_wrap
    version 4
    rule="tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny,range=127.0.0.2/31"
    rows TCP "$rule" bind=127.0.0.3 bind="$OTHER"
    rows UDP-RECV "$rule" bind=127.0.0.3 bind="$OTHER"
    rows TCP "range=$OTHER4/32,${rule%,range*}" bind="$H" bind="$OTHER"
}

wrapped() {
    need_wrap
    version "$1"
    rows "$2" "tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
}
@test "tcpwrap: streams, IPv4" { wrapped 4 "$streams"; }
@test "tcpwrap: streams, IPv6" { wrapped 6 "$streams"; }
@test "tcpwrap: UDP over IPv4" { wrapped 4 "$udps"; }
@test "tcpwrap: UDP over IPv6" { wrapped 6 "$udps"; }
@test "tcpwrap: UDP-Lite" { need_udplite; wrapped 4 "$lites"; wrapped 6 "$lites"; }
@test "tcpwrap: raw IP" { need_raw; wrapped 4 "$raws"; wrapped 6 "$raws"; }
@test "tcpwrap: DTLS" { wrapped 4 DTLS; wrapped 6 DTLS; }

# Sockets made of numbers: an address is what follows the family number.
in4() { printf 'x%04xx%sx0000000000000000' "$1" "${2:-7f000001}"; }
in6() { printf 'x%04xx00000000x000000000000000000000000000000%02xx00000000' "$1" "$2"; }

# generic <server program> <address> <rule> <refused client> <served client>
generic() {
    echo "# $2,$3 by $1: refused $4, served $5"
    rm -f got
    net_serve "$1" -d -d -u "$2,$3" open:got,creat,append
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:no "$4"
    wait_for 5 file_has server.err ' W refusing .*due to range option'
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:yes "$5"
    wait_for 5 file_has got yes
    same yes "$(<got)"
    net_stop
    next_port
}
@test "range: generic sockets, IPv4" {
    rule=range=$(in4 0 7f000002):x0000xffffffffx0000000000000000
    for program in "$REF_SOCAT" "$OURS"; do
        generic "$program" "SOCKET-LISTEN:2:6:$(in4 "$P"),reuseaddr" "$rule" "TCP4:127.0.0.1:$P" \
            "TCP4:127.0.0.1:$P,bind=127.0.0.2"
        generic "$program" "SOCKET-RECV:2:2:17:$(in4 "$P")" "$rule" "UDP4-SENDTO:127.0.0.1:$P" \
            "UDP4-SENDTO:127.0.0.1:$P,bind=127.0.0.2"
        generic "$program" "SOCKET-RECVFROM:2:2:17:$(in4 "$P")" "$rule" "UDP4-SENDTO:127.0.0.1:$P" \
            "UDP4-SENDTO:127.0.0.1:$P,bind=127.0.0.2"
        generic "$program" "SOCKET-DATAGRAM:2:2:17:$(in4 9),bind=$(in4 "$P")" "$rule" \
            "UDP4-SENDTO:127.0.0.1:$P" "UDP4-SENDTO:127.0.0.1:$P,bind=127.0.0.2"
    done
}

@test "range: generic sockets, IPv6" {
    need_net6
    rule=range=$(in6 0 2):x0000x00000000xffffffffffffffffffffffffffffffffx00000000
    for program in "$REF_SOCAT" "$OURS"; do
        generic "$program" "SOCKET-LISTEN:10:6:$(in6 "$P" 1),reuseaddr" "$rule" "TCP6:[::1]:$P" \
            "TCP6:[::1]:$P,bind=[::2]"
        generic "$program" "SOCKET-RECV:10:2:17:$(in6 "$P" 1)" "$rule" "UDP6-SENDTO:[::1]:$P" \
            "UDP6-SENDTO:[::1]:$P,bind=[::2]"
        generic "$program" "SOCKET-RECVFROM:10:2:17:$(in6 "$P" 1)" "$rule" "UDP6-SENDTO:[::1]:$P" \
            "UDP6-SENDTO:[::1]:$P,bind=[::2]"
        generic "$program" "SOCKET-DATAGRAM:10:2:17:$(in6 9 1),bind=$(in6 "$P" 1)" "$rule" \
            "UDP6-SENDTO:[::1]:$P" "UDP6-SENDTO:[::1]:$P,bind=[::2]"
    done
}

# A listening socket as descriptor 3: the same rules as for one of our own.
@test "ACCEPT-FD" {
    command -v python3 >/dev/null || skip "needs python3"
    cat >passes.py <<'END'
import os, socket, sys
s = socket.socket(); s.bind(('', int(sys.argv[1]))); s.listen(9)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])
END
    version 4
    for rule in "range=$OTHER4/32" sourceport=40000 lowport \
        "tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny"; do
        good=bind=$OTHER4
        case $rule in *port*) good=$rule ;; esac
        echo "# $rule"
        rm -f got
        net_serve python3 passes.py "$P" "$OURS" -d -d -u "ACCEPT-FD:3,$rule" open:got,creat,append
        refused TCP ''
        wait_for 5 file_has server.err ' W refusing connection from .*'"$(log_of "$rule")"
        "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:yes "$(client_of TCP "$good")"
        finish server
        same yes "$(<got)"
        next_port
    done
}

# Forms of a range: form <server> <range> <refused client> <served client>
form() {
    echo "# $1,range=$2: refused $3, served $4"
    rm -f got
    net_serve "$OURS" -d -d ${SWITCH:-} -u "${1/@/$P},range=$2" open:got,creat,append
    "${NET[@]}" timeout 10 "$OURS" -u text:no "${3/@/$P}"
    wait_for 5 file_has server.err ' W refusing .*due to range option'
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:yes "${4/@/$P}"
    wait_for 5 file_has got yes
    same yes "$(<got)"
    net_stop
    next_port
}

@test "range: all its forms" {
    need_net6
    c=TCP4:127.0.0.1:@
    while read -r server range bad good; do
        form "$server" "$range" "$bad" "$good"
    done <<END
TCP4-L:@ 127.0.0.2/31 $c $c,bind=127.0.0.3
TCP4-L:@ 127.0.0.2:255.255.255.254 $c $c,bind=127.0.0.3
TCP4-L:@ localhost/32 $c,bind=127.0.0.2 $c
TCP4-L:@,bind=127.0.0.1 127.0.0.0/30 $c,bind=127.0.0.7 $c,bind=127.0.0.3
TCP6-L:@ [::2]/127 TCP6:[::1]:@ TCP6:[::1]:@,bind=[::3]
TCP6-L:@ [::2/127] TCP6:[::1]:@ TCP6:[::1]:@,bind=[::3]
TCP-L:@,pf=ip6 [::2]/128 TCP6:[::1]:@ TCP6:[::1]:@,bind=[::2]
TCP6-L:@,ipv6-v6only=0 [::ffff:127.0.0.2]/128 $c $c,bind=127.0.0.2
TCP6-L:@,ipv6-v6only=0 [::2]/128 $c TCP6:[::1]:@,bind=[::2]
END
    SWITCH=-0
    form TCP-L:@ 127.0.0.2/32 "$c" "$c,bind=127.0.0.2"
    form TCP-L:@ '[::2]/128' TCP6:[::1]:@ 'TCP6:[::1]:@,bind=[::2]'
}

@test "range: what is none" {
    for range in 127.0.0.1 127.0.0.1/33 127.0.0.1/-1 127.0.0.1/x 127.0.0.1: nosuchhost.invalid/8; do
        both_fail -u "TCP4-L:$P,range=$range" -
    done
    for range in '[::1]' '[::1]/129' 127.0.0.0/8 '[::1]/x' '[nonsense]/1'; do
        both_fail -u "TCP6-L:$P,range=$range" -
    done
}

@test "a listener goes on after many refusals, with fork too" {
    version 4
    for program in "$REF_SOCAT" "$OURS"; do
        net_serve "$program" -d -d "TCP4-LISTEN:$P,reuseaddr,fork,range=$OTHER4/32" pipe
        for i in 1 2 3; do
            same '' "$("${NET[@]}" timeout 10 "$OURS" -t 20 - "TCP4:$H:$P" <<<no 2>/dev/null)"
            same "$i" "$("${NET[@]}" timeout 10 "$OURS" -t 20 - "TCP4:$H:$P,bind=$OTHER4" <<<"$i")"
        done
        same 3 "$(grep -c ' W refusing connection from AF=2 127.0.0.1:[0-9]* due to range' server.err)"
        net_stop
        next_port
    done
    net_serve "$OURS" -d -d "UDP4-RECVFROM:$P,fork,range=$OTHER4/32" pipe
    for i in 1 2 3; do
        same '' "$("${NET[@]}" timeout 10 "$OURS" -t 0.05 - "UDP4-SENDTO:$H:$P" <<<no)"
        same "$i" "$("${NET[@]}" timeout 10 "$OURS" -t 9 - "UDP4-SENDTO:$H:$P,readbytes=2,bind=$OTHER4" <<<"$i")"
    done
    same 3 "$(grep -c ' W refusing packet from AF=2 127.0.0.1:[0-9]* due to range' server.err)"
    net_stop
}
