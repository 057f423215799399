#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Raw IP. A host sees its own packets, so that every test has a network and a protocol to itself;
# sender and receiver have different addresses.
load common
load dgram

raw() { # the inside of a test: its own network
    ip addr add 127.0.0.2/8 dev lo 2>/dev/null || :
    bound() { grep -qi ":$(printf %04X "$1") " /proc/net/raw /proc/net/raw6; }
    until_true() { until "$@" 2>/dev/null; do sleep 0.02; done; }
    "$@"
}
in_own_network() {
    export -f raw fails "$1"
    own_network timeout "$LIMIT" bash -ec 'raw "$@"' raw "$@"
}

single() {
    "$1" "$3-recvfrom:253,bind=$4" 'system:cat' &
    until_true bound 253
    "$2" -t 0.5 - "$3-sendto:$4:253,bind=$5" <<<hello >out
    wait $!
}
single_in() {
    in_own_network single "$@"
    same hello "$(<out)"
}
@test "sendto and recvfrom" { pairs single_in ip 127.0.0.1 127.0.0.2; }
@test "sendto and recvfrom over IPv4" { pairs single_in ip4 127.0.0.1 127.0.0.2; }

recv6() {
    "$1" -u ip6-recv:254 create:got &
    until_true bound 254
    "$2" -u - 'ip6-sendto:[::1]:254' <<<hello
    until_true test -s got
    kill $!
}
@test "sendto and recv over IPv6" {
    need_ip6
    recv6_in() {
        in_own_network recv6 "$@"
        same hello "$(<got)"
        rm got
    }
    pairs recv6_in
}

merge() {
    "$1" -u ip4-recv:253,range=127.0.0.2/32 create:got 2>recv.err &
    until_true bound 253
    echo no | "$2" -u - ip4-sendto:127.0.0.1:253,bind=127.0.0.3
    echo one | "$2" -u - ip4-sendto:127.0.0.1:253,bind=127.0.0.2
    until_true grep -q one got
    echo two | "$2" -u - ip4-datagram:127.0.0.1:253,bind=127.0.0.2
    until_true grep -q two got
    kill $!
}
@test "recv, without headers, with range" {
    merge_in() {
        in_own_network merge "$@"
        same "one two" "$(paste -sd' ' got)"
        has "$(<recv.err)" 'refusing .*127.0.0.3.* due to range option'
        rm got
    }
    merge_in_log() { merge_in "$1" "$2"; }
    merge_in "$OURS" "$OURS"
    merge_in "$OURS" "$REF_SOCAT"
}

forks() {
    "$1" ip4-recvfrom:253,bind=127.0.0.1,fork 'system:echo \$SOCAT_PEERADDR\$SOCAT_PEERPORT; cat' &
    until_true bound 253
    for i in 1 2 3; do echo $i | "$2" -t 0.5 - ip4-sendto:127.0.0.1:253,bind=127.0.0.2; done >out
    kill $!
}
@test "recvfrom with fork" {
    forks_in() {
        in_own_network forks "$@"
        same "127.0.0.2 1 127.0.0.2 2 127.0.0.2 3" "$(paste -sd' ' out)"
    }
    pairs forks_in
}

broadcast() {
    ip link add v0 type veth peer name v1
    ip addr add 10.8.0.1/24 broadcast 10.8.0.255 dev v0
    ip link set v0 up
    ip link set v1 up
    "$1" -u ip4-recv:253 create:got &
    until_true bound 253
    fails "$2" -u - ip4-datagram:10.8.0.255:253 <<<no
    echo all | "$2" -u - ip4-datagram:10.8.0.255:253,broadcast
    until_true test -s got
    kill $!
    "$1" -u ip4-recv:252,ip-add-membership=224.255.0.1:10.8.0.1 create:got2 &
    until_true bound 252
    echo group | "$2" -u - ip4-datagram:224.255.0.1:252,ip-multicast-if=10.8.0.1
    until_true test -s got2
    kill $!
}
@test "broadcast and multicast" {
    broadcast_in() {
        in_own_network broadcast "$@"
        same all "$(<got)"
        same group "$(<got2)"
        rm got got2
    }
    pairs broadcast_in
}

own_header() { # the packet with its header: from 127.0.0.1 to 127.0.0.2, protocol 253
    "$1" -u ip4-recv:253,bind=127.0.0.2 create:got 2>recv.err &
    until_true bound 253
    printf '\x45\0\0\x19\0\0\0\0\x40\xfd\0\0\x7f\0\0\1\x7f\0\0\2with\n' |
        "$2" -u - ip4-sendto:127.0.0.2:255
    until_true test -s got
    kill $!
}
@test "protocol 255: the header is part of the data" {
    own_header_in() {
        in_own_network own_header "$@"
        same with "$(<got)"
        rm got
    }
    pairs own_header_in
}

@test "protocols that are none" {
    for p in nosuchprotocol 256 300 99999 ''; do
        both_fail -u "ip-recv:$p" -
        both_fail -u - "ip4-sendto:127.0.0.1:$p"
    done
    own() { STATUS=1 ours_alone -u - ip-sendto:127.0.0.1:6; }
    [ "$(id -u)" != 0 ] || { : >in && "$OURS" -u - ip-sendto:127.0.0.1:6 </dev/null 2>log; }
    has_not "$(cat log 2>/dev/null)" 'ai_socktype not supported'
}
