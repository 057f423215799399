#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets to many: broadcast and multicast in both versions, over UDP, UDP-Lite, raw IP and generic
# sockets, with answers.
load net

prepare_file() {
    # A link whose other end is in the same network: what is sent to all comes back on loopback of
    # the sender.
    nsenter $NET_USER -n -t "$NETPID" sh -c '
        ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
        ip addr add 10.9.0.1/24 broadcast 10.9.0.255 dev v0 && ip addr add 10.9.0.2/24 dev v0 &&
        ip route add 224.0.0.0/4 dev v0; ip -6 addr add fd09::1/64 dev v0 nodad'
}

# everybody <receiver program> <receiver> <sender program> <sender>: two receivers get the packet,
# if "reuseaddr" lets two be there; @P is the port, @R a raw protocol, @H the port in hex.
got_it() { # <receiver program> <receiver> <sender program> <sender>
    next_port
    HEX=$(printf %04x "$P")
    RAW=$((P % 50 + 200))
    case $2 in IP4* | IP6*) P=$RAW ;; esac
    echo "# $1 $2, $3 $4"
    rm -f got
    net_serve "$1" -u "$(fill "$2")" create:got
    "${NET[@]}" timeout "$LIMIT" "$3" -u - "$(fill "$4")" <<<all
    wait_for 5 test -s got
    same all "$(<got)"
    net_stop
}
fill() { sed "s|@P|$P|g; s|@H|$HEX|g" <<<"$1"; }

# walk [both]: rows of receiver and sender.
walk() {
    local receiver sender
    while read -r receiver sender; do
        got_it "$OURS" "$receiver" "$OURS" "$sender"
        [ "${1:-}" = both ] || continue
        got_it "$OURS" "$receiver" "$REF_SOCAT" "$sender"
        got_it "$REF_SOCAT" "$receiver" "$OURS" "$sender"
    done
}

@test "broadcast: UDP" {
    walk both <<'END'
UDP4-RECV:@P UDP4-DATAGRAM:10.9.0.255:@P,broadcast
UDP4-RECV:@P,bind=10.9.0.255 UDP4-DATAGRAM:10.9.0.255:@P,so-broadcast,bind=10.9.0.2
UDP4-RECV:@P UDP4-DATAGRAM:255.255.255.255:@P,broadcast,bind=10.9.0.1,so-bindtodevice=v0
UDP4-DATAGRAM:10.9.0.255:@P,broadcast,bind=:@P,range=10.9.0.0/24 UDP4-DATAGRAM:10.9.0.255:@P,broadcast,bind=10.9.0.2
UDP4-RECVFROM:@P UDP4-SENDTO:10.9.0.255:@P,broadcast
END
}

@test "broadcast: UDP-Lite, generic, raw" {
    walk <<'END'
SOCKET-RECV:2:2:17:x@Hx00000000x0000000000000000 SOCKET-DATAGRAM:2:2:17:x@Hx0a0900ffx0000000000000000,broadcast
SOCKET-RECVFROM:2:2:17:x@Hx00000000x0000000000000000 SOCKET-SENDTO:2:2:17:x@Hx0a0900ffx0000000000000000,broadcast
END
    [ ! -e "/proc/$NETPID/net/udplite" ] || walk <<'END'
UDPLITE4-RECV:@P UDPLITE4-DATAGRAM:10.9.0.255:@P,broadcast
END
    [ "$(id -u)" != 0 ] || walk both <<'END'
IP4-RECV:@P IP4-DATAGRAM:10.9.0.255:@P,broadcast,bind=10.9.0.2
IP4-RECV:@P IP4-SENDTO:10.9.0.255:@P,broadcast,bind=10.9.0.2
END
}

@test "broadcast: not without the option" {
    for program in "$OURS" "$REF_SOCAT"; do
        fails "${NET[@]}" "$program" -u - "UDP4-DATAGRAM:10.9.0.255:$P" <<<no 2>log
        has "$(<log)" ' E .*Permission denied'
    done
}

@test "multicast: version 4" {
    walk both <<'END'
UDP4-RECV:@P,ip-add-membership=224.255.0.1:10.9.0.1 UDP4-DATAGRAM:224.255.0.1:@P
UDP4-RECV:@P,add-membership=224.255.0.1:v0 UDP4-SENDTO:224.255.0.1:@P,ip-multicast-if=10.9.0.1
UDP4-RECV:@P,membership=224.255.0.1:10.9.0.1:v0,reuseaddr UDP4-DATAGRAM:224.255.0.1:@P,multicast-if=10.9.0.1,ip-multicast-ttl=3
UDP4-DATAGRAM:224.255.0.1:@P,bind=:@P,ip-add-membership=224.255.0.1:10.9.0.1 UDP4-DATAGRAM:224.255.0.1:@P,ip-multicast-loop=1
END
    walk <<'END'
SOCKET-RECV:2:2:17:x@Hx00000000x0000000000000000,setsockopt=0:35:xe0ff0001x0a090001 UDP4-DATAGRAM:224.255.0.1:@P
UDP4-RECV:@P,ip-add-source-membership=232.1.0.1:10.9.0.1:10.9.0.2 UDP4-DATAGRAM:232.1.0.1:@P,bind=10.9.0.2
END
    [ ! -e "/proc/$NETPID/net/udplite" ] || walk <<'END'
UDPLITE4-RECV:@P,ip-add-membership=224.255.0.1:10.9.0.1 UDPLITE4-DATAGRAM:224.255.0.1:@P
END
    [ "$(id -u)" != 0 ] || walk both <<'END'
IP4-RECV:@P,ip-add-membership=224.255.0.1:10.9.0.1 IP4-DATAGRAM:224.255.0.1:@P,bind=10.9.0.2
END
}

@test "multicast: version 6" {
    need_net6
    walk both <<'END'
UDP6-RECV:@P,ipv6-join-group=[ff02::1234]:v0 UDP6-DATAGRAM:[ff02::1234%v0]:@P
UDP6-RECV:@P,join-group=[ff02::1234]:v0 UDP6-SENDTO:[ff02::1234%v0]:@P
END
    walk <<'END'
UDP6-RECV:@P,ipv6-join-group=[ff02::1234]:v0 UDP6-DATAGRAM:[ff02::1234%v0]:@P,ipv6-multicast-loop
UDP6-RECV:@P,ipv6-join-source-group=[ff32::1234]:v0:[fd09::1] UDP6-DATAGRAM:[ff32::1234%v0]:@P,bind=[fd09::1]
END
    [ ! -e "/proc/$NETPID/net/udplite" ] || walk <<'END'
UDPLITE6-RECV:@P,ipv6-join-group=[ff02::1234]:v0 UDPLITE6-DATAGRAM:[ff02::1234%v0]:@P
END
    [ "$(id -u)" != 0 ] || walk <<'END'
IP6-RECV:@P,ipv6-join-group=[ff02::1234]:v0 IP6-DATAGRAM:[ff02::1234%v0]:@P
END
}

@test "multicast: no packet without a membership, none from another source, none with loop off" {
    next_port
    net_serve "$OURS" -u "UDP4-RECV:$P,bind=224.255.0.2,ip-add-membership=224.255.0.2:10.9.0.1" create:got
    for wrong in "224.255.0.1:$P" "224.255.0.2:$P,ip-multicast-loop=0"; do
        "${NET[@]}" "$OURS" -u - "UDP4-DATAGRAM:$wrong" <<<no
    done
    "${NET[@]}" "$OURS" -u - "UDP4-DATAGRAM:224.255.0.2:$P" <<<yes
    wait_for 5 test -s got
    same yes "$(<got)"
    net_stop
    next_port
    rm got
    net_serve "$OURS" -u "UDP4-RECV:$P,source-membership=232.1.0.1:10.9.0.1:10.9.0.2" create:got
    "${NET[@]}" "$OURS" -u - "UDP4-DATAGRAM:232.1.0.1:$P,bind=10.9.0.1" <<<no
    "${NET[@]}" "$OURS" -u - "UDP4-DATAGRAM:232.1.0.1:$P,bind=10.9.0.2" <<<yes
    wait_for 5 test -s got
    same yes "$(<got)"
    net_stop
}

@test "who is asked by broadcast or multicast answers to the one who asked" {
    for to in 10.9.0.255:@P,broadcast 224.255.0.1:@P; do
        for program in "$OURS" "$REF_SOCAT"; do
            next_port
            echo "# $program $to"
            net_serve "$OURS" "UDP4-RECVFROM:$P,fork,ip-add-membership=224.255.0.1:10.9.0.1" \
                'system:read q; echo answer to \$q'
            same 'answer to all' "$("${NET[@]}" timeout "$LIMIT" "$program" -t 9 - \
                "UDP4-DATAGRAM:$(fill "$to"),readbytes=14" <<<all)"
            net_stop
        done
    done
}
