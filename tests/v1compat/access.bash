# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Access rules on passive addresses. Each row of a table is one server with one rule, a peer it must
# refuse, and then one it must serve.
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
