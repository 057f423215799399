#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may come in by address: range on every passive address, in all its forms.
load access

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
