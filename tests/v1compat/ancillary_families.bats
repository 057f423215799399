#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Ancillary messages on every address that receives packets: each row asks for one of them, and
# compares what is logged, and what a program gets where there is one.
load net

# Rows: option of the receiver, of the sender, and what is logged (";" between lines, sorted).
rows4='ip-recvttl ttl=53 IP_TTL: ttl=53
recvttl ttl=1 IP_TTL: ttl=1
ip-recvtos tos=8 IP_TOS: tos=8
ip-recvopts ip-options=x01000000 IP_OPTIONS: options=x01000000
ip-pktinfo ttl=9 IP_PKTINFO: dstaddr=127.0.0.1;IP_PKTINFO: if=lo;IP_PKTINFO: locaddr=127.0.0.1
ip-recvttl,ip-recvtos ttl=3,tos=4 IP_TOS: tos=4;IP_TTL: ttl=3
so-timestamp ttl=9 SCM_TIMESTAMP: timestamp=DATE'
ONE6='[0000:0000:0000:0000:0000:0000:0000:0001]'
rows6="ipv6-recvhoplimit ipv6-unicast-hops=35 IPV6_HOPLIMIT: hoplimit=35
ipv6-recvtclass ipv6-tclass=0xaa IPV6_TCLASS: tclass=x000000aa
ipv6-recvpktinfo ipv6-unicast-hops=9 IPV6_PKTINFO: dstaddr=$ONE6;IPV6_PKTINFO: if=lo
so-timestamp ipv6-unicast-hops=9 SCM_TIMESTAMP: timestamp=DATE"

dated() { sed 's/=[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]\{8\} [0-9]\{4\}, [0-9]\{6\} usecs/=DATE/'; }

# Names of the variables for what is logged.
variables() {
    sed -e 's/SCM_TIMESTAMP: timestamp/TIMESTAMP/' -e 's/IP_PKTINFO: if/IP_IF/' -e 's/IP_PKTINFO: /IP_/' \
        -e 's/IPV6_PKTINFO: /IPV6_/' -e 's/^\(IP[V6]*_[A-Z]*\): [a-z]*=/\1=/' \
        -e 's/^\([A-Z0-9_]*\)\([a-z]*\)=/SOCAT_\1\U\2\E=/' | sort
}

# walk <version> <receiver, with @P and options @O> <sender> [both]: "both" has the reference do it
# too, as far as it does. The program's variables are looked at for RECVFROM.
walk() {
    local rows=$rows4 row option how line program
    [ "$1" = 4 ] || { need_net6; rows=$rows6; }
    while read -r option how line; do
        for program in "$OURS" ${4:+"$REF_SOCAT"}; do
            # it writes that one as the bytes lie in memory
            [ "$program $option" != "$REF_SOCAT ipv6-recvtclass" ] || continue
            next_port
            [[ $2 != IP* ]] || P=$((P % 50 + 200))
            echo "# $program $2, $option, $how"
            receive "$program" "$(fill "$2" "$option")" "$(fill "$3" "$how")"
            same "$line" "$(sed -n 's/.* I ancillary message: //p' server.err | dated | sort | paste -sd';')"
            [[ $2 == *RECVFROM* ]] || continue
            diff <(tr ';' '\n' <<<"$line" | variables) <(dated <got | sort)
        done
    done <<<"$rows"
}
fill() { sed "s|@P|$P|g; s|@O|$2|g; s|@H|$(printf %04x "$P")|g" <<<"$1"; }

# receive <program> <receiver> <sender>
receive() {
    rm -f got
    if [[ $2 == *RECVFROM* ]]; then
        net_serve "$1" -d -d -d "$2" 'system:cat >/dev/null; env | grep -e ^SOCAT_IP -e ^SOCAT_TIMESTAMP >got.new; mv got.new got'
    elif [[ $2 == *SENDTO* ]]; then # which is not for reading only
        net_serve "$1" -d -d -d "$2" 'system:head -c 1 >got'
    else
        net_serve "$1" -d -d -d -u "$2" create:got
    fi
    "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:x "$3"
    wait_for 5 test -s got
    net_stop
}

@test "UDP4-RECVFROM" { walk 4 UDP4-RECVFROM:@P,@O UDP4-SENDTO:127.0.0.1:@P,@O both; }
@test "UDP4-RECV" { walk 4 UDP4-RECV:@P,@O UDP4-SENDTO:127.0.0.1:@P,@O both; }
@test "UDP4-DATAGRAM" { walk 4 UDP4-DATAGRAM:127.0.0.1:9,bind=:@P,@O UDP4-SENDTO:127.0.0.1:@P,@O both; }
@test "UDP4-SENDTO" { walk 4 UDP4-SENDTO:127.0.0.1:9,bind=:@P,@O UDP4-SENDTO:127.0.0.1:@P,sp=9,@O; }
@test "UDP4-LISTEN" { walk 4 UDP4-LISTEN:@P,@O UDP4-SENDTO:127.0.0.1:@P,@O; }
@test "UDP6-RECVFROM" { walk 6 UDP6-RECVFROM:@P,@O 'UDP6-SENDTO:[::1]:@P,@O' both; }
@test "UDP6-RECV" { walk 6 UDP6-RECV:@P,@O 'UDP6-SENDTO:[::1]:@P,@O' both; }
@test "UDP6-DATAGRAM" { walk 6 'UDP6-DATAGRAM:[::1]:9,bind=:@P,@O' 'UDP6-SENDTO:[::1]:@P,@O'; }
@test "UDP-Lite" {
    [ -e "/proc/$NETPID/net/udplite" ] || skip "this kernel has no UDP-Lite"
    walk 4 UDPLITE4-RECVFROM:@P,@O UDPLITE4-SENDTO:127.0.0.1:@P,@O
    walk 6 UDPLITE6-RECV:@P,@O 'UDPLITE6-SENDTO:[::1]:@P,@O'
}
need_raw() { [ "$(id -u)" = 0 ] || skip "needs root: raw sockets"; }
@test "IP4-RECVFROM" { need_raw; walk 4 IP4-RECVFROM:@P,@O IP4-SENDTO:127.0.0.1:@P,@O both; }
@test "IP4-RECV" { need_raw; walk 4 IP4-RECV:@P,@O IP4-SENDTO:127.0.0.1:@P,@O both; }
@test "IP4-DATAGRAM" { need_raw; walk 4 IP4-DATAGRAM:127.0.0.1:@P,@O IP4-SENDTO:127.0.0.1:@P,@O; }
@test "IP6-RECVFROM" { need_raw; walk 6 IP6-RECVFROM:@P,@O 'IP6-SENDTO:[::1]:@P,@O' both; }
@test "IP6-RECV" { need_raw; walk 6 IP6-RECV:@P,@O 'IP6-SENDTO:[::1]:@P,@O' both; }
@test "IP6-DATAGRAM" { need_raw; walk 6 'IP6-DATAGRAM:[::1]:@P,@O' 'IP6-SENDTO:[::1]:@P,@O'; }
