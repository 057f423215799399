#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TUN, INTERFACE and network namespaces; all of it in namespaces of the test's own.
load common
load dgram

until_true() { until "$@" 2>/dev/null; do sleep 0.02; done; }
shows() { "${@:2}" | grep -q -e "$1"; } # shows <pattern> <command...>
packet_sockets() { [ "$(grep -c ' 0003 ' /proc/net/packet)" = "$1" ]; }
in_own_network() {
    export -f until_true shows packet_sockets fails "$1"
    [ -c /dev/net/tun ] || skip "no /dev/net/tun"
    own_network timeout "$LIMIT" bash -ec '"$@"' own "$@"
}
bytes() { od -An -tx1 -v | tr -d ' \n'; }

attributes() {
    "$1" "tun:10.77.0.1/24,tun-name=dgt1,$2" pipe 2>tun.err &
    tun=$!
    until_true ip link show dev dgt1
    until_true shows 'inet 10.77' ip -o addr show dev dgt1
    until_true shows '[<,]UP[,>]' ip link show dev dgt1
    ip -o link show dev dgt1 >link
    ip -o -4 addr show dev dgt1 >addr
    kill $tun
    wait $tun || :
    fails ip link show dev dgt1 2>/dev/null
}
@test "tun: name, address, flags, type" {
    for o in iff-up iff-up,tun-type=tap iff-up,iff-no-pi up,multicast=0 iff-promisc,up; do
        for p in "$REF_SOCAT" "$OURS"; do
            in_own_network attributes "$p" "$o"
            sed -n 's/.*<\(.*\)> mtu \([0-9]*\).* link.\([a-z]*\).*/\1 \2 \3/p' link | sed 's/,LOWER_UP//' >"link.${p//\//_}"
            sed -n 's/.*inet \([0-9.\/]*\).*/\1/p' addr >"addr.${p//\//_}"
        done
        cmp "link.${REF_SOCAT//\//_}" "link.${OURS//\//_}"
        cmp "addr.${REF_SOCAT//\//_}" "addr.${OURS//\//_}"
    done
}

@test "tun: interface-mtu" {
    in_own_network attributes "$OURS" up,interface-mtu=1300
    has "$(<link)" 'mtu 1300'
}

tunnel() {
    ip netns add dgA
    ip netns add dgB
    "$1" --experimental "tun:10.78.0.1/24,up,netns=dgA,$3" udp-datagram:127.0.0.1:12061,bind=127.0.0.1:12060 &
    one=$!
    "$1" --experimental "tun:10.78.0.2/24,up,netns=dgB,$3" udp-datagram:127.0.0.1:12060,bind=127.0.0.1:12061 &
    two=$!
    until_true shows 'inet 10.78' ip netns exec dgA ip -4 addr
    until_true shows 'inet 10.78' ip netns exec dgB ip -4 addr
    seq 1 30000 >in
    ip netns exec dgB "$2" -u tcp-listen:5000 create:got &
    until_true shows :1388 ip netns exec dgB cat /proc/net/tcp
    ip netns exec dgA "$2" -u open:in tcp:10.78.0.2:5000
    wait $!
    kill $one $two
}
@test "tunnels between two namespaces over UDP" {
    for o in tun-type=tun tun-type=tap tun-type=tun,iff-no-pi; do
        in_own_network tunnel "$OURS" "$REF_SOCAT" "$o"
        cmp in got
        rm got
    done
}

netns() {
    ip netns add dgA
    ip -n dgA link set lo up
    "$1" --experimental tcp-listen:5000,netns=dgA,bind=127.0.0.1 pipe &
    until_true shows :1388 ip netns exec dgA cat /proc/net/tcp
    fails grep :1388 /proc/net/tcp
    "$1" --experimental -t 5 - tcp:127.0.0.1:5000,netns=dgA <<<hello >out
    wait $!
    "$1" --experimental -u udp-recv:5001,netns=dgA create:got &
    until_true shows :1389 ip netns exec dgA cat /proc/net/udp
    "$1" --experimental -u - udp-sendto:127.0.0.1:5001,netns=dgA <<<packet
    until_true test -s got
    "$1" --experimental -u "exec:cat /proc/self/net/udp,netns=dgA" create:theirs
    "$1" -u "exec:cat /proc/self/net/udp" create:others
    "$1" --experimental -u /dev/null "exec1:cat /proc/self/net/udp,netns=dgA|create:inner"
    kill $!
    fails "$1" --experimental -u - udp-sendto:127.0.0.1:5001,netns=nosuch </dev/null
    for address in exec:true,netns=dgA udp-sendto:127.0.0.1:5001,netns=dgA; do
        "$1" -u /dev/null "$address" 2>>warned
        "$1" --experimental -u /dev/null "$address" 2>>silent
    done
}
@test "netns" {
    in_own_network netns "$OURS"
    same hello "$(<out)"
    same packet "$(<got)"
    has "$(<theirs)" :1389 # a program is in its own, too
    has "$(<inner)" :1389  # and so is one in a chain
    has_not "$(<others)" :1389
    same 2 "$(grep -c ' W option "netns" is experimental' warned)"
    same "" "$(<silent)"
}

veth() {
    ip link add v0 type veth peer name v1
    sysctl -qw net.ipv6.conf.v0.disable_ipv6=1 net.ipv6.conf.v1.disable_ipv6=1 2>/dev/null || :
    ip link set v0 up
    ip link set v1 up
}
frames() {
    veth
    "$1" -u interface:v1,iff-promisc create:got &
    until_true shows PROMISC ip link show dev v1
    until_true grep -q ' 0003 ' /proc/net/packet
    printf '\377\377\377\377\377\377\002\0\0\0\0\1\210\265hello' | "$2" -u - interface:v0
    until_true test -s got
    kill $!
}
@test "interface: frames" {
    need_root "packet sockets"
    export -f veth
    in_own_network frames "$OURS" "$OURS"
    same ffffffffffff02000000000188b568656c6c6f "$(bytes <got)"
    rm got
    in_own_network frames "$OURS" "$REF_SOCAT"
    same ffffffffffff02000000000188b568656c6c6f "$(bytes <got)"
}

own_packets() {
    veth
    "$1" -u interface:v0 create:got &
    until_true packet_sockets 1
    printf '\377\377\377\377\377\377\002\0\0\0\0\1\210\265out' | "$1" -u - interface:v0
    printf '\377\377\377\377\377\377\002\0\0\0\0\2\210\265in' | "$1" -u - interface:v1
    until_true test -s got
    kill $!
}
@test "interface: what is sent from here is not shown" {
    need_root "packet sockets"
    export -f veth
    in_own_network own_packets "$OURS"
    same ffffffffffff02000000000288b5696e "$(bytes <got)"
}

vlan() {
    veth
    "$1" -u interface:v1,retrieve-vlan create:tagged &
    "$1" -u interface:v1 create:bare &
    until_true packet_sockets 2
    printf '\377\377\377\377\377\377\002\0\0\0\0\1\201\0\0\5\210\265vlan5' | "$1" -u - interface:v0
    until_true test -s tagged
    until_true test -s bare
    kill %1 %2
}
@test "interface: retrieve-vlan" {
    need_root "packet sockets"
    export -f veth
    in_own_network vlan "$OURS"
    same ffffffffffff0200000000018100000588b5766c616e35 "$(bytes <tagged)"
    same ffffffffffff02000000000188b5766c616e35 "$(bytes <bare)"
}

@test "what is wrong is said" {
    need_root "tunnels"
    both_fail - interface:nosuch0
    has "$(<ours.err)" 'No such device'
    both_fail - tun:10.0.0.1/99
    both_fail - tun:x/24
    STATUS=1 ours_alone - tun:10.0.0.1/24,tun-type=what
    STATUS=1 ours_alone - "tun:10.0.0.1/24,tun-name=muchtoolonganame0"
    both_fail - tun:10.0.0.1/24,tun-device=/dev/null
}
