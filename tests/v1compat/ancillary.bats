#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Ancillary messages: log lines and variables, which scripts compare literally.
load common
load dgram

# told <server> <address> <client address>: what it logs and what its program learns of a packet.
told() {
    serve "udp_bound $P" "$1" -d -d -d "$2" 'system:cat >/dev/null; env | grep ^SOCAT_ | sort >env.new; mv env.new env.got'
    "$OURS" -u - "$3" <<<x
    wait_for 5 is_gone "$(<server.pid)"
    sed -n 's/.* I ancillary message: //p' server.err | sort >"$4.lines"
    grep -e _IP -e TIMESTAMP env.got >"$4.env" || :
}

# alike <address> <client address> <lines> <variables>: both tell the same, and that is expected.
alike() {
    told "$OURS" "$1" "$2" ours
    told "$REF_SOCAT" "$1" "$2" ref
    same "$3" "$(paste -sd';' ours.lines)"
    same "$4" "$(paste -sd';' ours.env)"
    diff ref.lines ours.lines
    diff ref.env ours.env
}

@test "ip-recvttl" {
    alike "udp4-recvfrom:$P,ip-recvttl" "udp4-sendto:127.0.0.1:$P,ttl=53" 'IP_TTL: ttl=53' SOCAT_IP_TTL=53
}
@test "ip-recvtos" {
    alike "udp4-recvfrom:$P,ip-recvtos" "udp4-sendto:127.0.0.1:$P,tos=8" 'IP_TOS: tos=8' SOCAT_IP_TOS=8
}
@test "ip-recvopts" {
    alike "udp4-recvfrom:$P,ip-recvopts" "udp4-sendto:127.0.0.1:$P,ip-options=x01000000" \
        'IP_OPTIONS: options=x01000000' SOCAT_IP_OPTIONS=x01000000
}
@test "ip-pktinfo" {
    alike "udp4-recvfrom:$P,ip-pktinfo" "udp4-sendto:127.0.0.1:$P" \
        'IP_PKTINFO: dstaddr=127.0.0.1;IP_PKTINFO: if=lo;IP_PKTINFO: locaddr=127.0.0.1' \
        'SOCAT_IP_DSTADDR=127.0.0.1;SOCAT_IP_IF=lo;SOCAT_IP_LOCADDR=127.0.0.1'
}
@test "so-timestamp" {
    for p in "$OURS" "$REF_SOCAT"; do
        told "$p" "udp4-recvfrom:$P,so-timestamp" "udp4-sendto:127.0.0.1:$P" got
        has "$(<got.lines)" \
            '^SCM_TIMESTAMP: timestamp=[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* [0-9]*, [0-9]\{6\} usecs$'
        has "$(<got.env)" '^SOCAT_TIMESTAMP=.*, [0-9]\{6\} usecs$'
    done
}

@test "ipv6-recvpktinfo" {
    need_ip6
    alike "udp6-recvfrom:$P,ipv6-recvpktinfo" "udp6-sendto:[::1]:$P" \
        'IPV6_PKTINFO: dstaddr=[0000:0000:0000:0000:0000:0000:0000:0001];IPV6_PKTINFO: if=lo' \
        'SOCAT_IPV6_DSTADDR=[0000:0000:0000:0000:0000:0000:0000:0001];SOCAT_IPV6_IF=lo'
}
@test "ipv6-recvhoplimit" {
    need_ip6
    alike "udp6-recvfrom:$P,ipv6-recvhoplimit" "udp6-sendto:[::1]:$P,ipv6-unicast-hops=35" \
        'IPV6_HOPLIMIT: hoplimit=35' SOCAT_IPV6_HOPLIMIT=35
}
@test "ipv6-recvtclass" { # the later versions write the number in reading order
    need_ip6
    told "$OURS" "udp6-recvfrom:$P,ipv6-recvtclass" "udp6-sendto:[::1]:$P,ipv6-tclass=0xaa" ours
    same 'IPV6_TCLASS: tclass=x000000aa' "$(<ours.lines)"
    same SOCAT_IPV6_TCLASS=x000000aa "$(<ours.env)"
}

@test "recv: the same for each packet" {
    serve "udp_bound $P" "$OURS" -d -d -d -u "udp4-recv:$P,ip-recvttl" create:got
    "$OURS" -u - "udp4-sendto:127.0.0.1:$P,ttl=11" <<<a
    "$OURS" -u - "udp4-sendto:127.0.0.1:$P,ttl=12" <<<b
    wait_for 5 size_is got 4
    stop
    same "ttl=11 ttl=12" "$(sed -n 's/.*IP_TTL: //p' server.err | paste -sd' ')"
}

@test "recvfrom with fork: each child knows its own" {
    serve "udp_bound $P" "$OURS" "udp4-recvfrom:$P,ip-recvttl,ip-recvopts,fork" 'system:cat >/dev/null; echo \$SOCAT_IP_TTL \$SOCAT_IP_OPTIONS'
    same "11 x01000000" "$("$OURS" -t 0.5 - "udp4-sendto:127.0.0.1:$P,ttl=11,ip-options=x01000000" <<<a)"
    same "12" "$("$OURS" -t 0.5 - "udp4-sendto:127.0.0.1:$P,ttl=12" <<<b | sed 's/ *$//')"
    stop
}

@test "sendto: of the answer" {
    serve "udp_bound $P" "$OURS" "udp4-recvfrom:$P,ttl=44" 'system:cat'
    "$OURS" -d -d -d -t 0.5 - "udp4-sendto:127.0.0.1:$P,ip-recvttl" <<<x 2>log >out
    has "$(<log)" 'ancillary message: IP_TTL: ttl=44'
}

@test "raw IP and UNIX" {
    serve "unix_bound $T/a" "$OURS" -d -d -d -u "unix-recv:$T/a,so-timestamp" create:got
    "$OURS" -u - "unix-sendto:$T/a" <<<x
    wait_for 5 size_is got 2
    has "$(<server.err)" 'ancillary message: SCM_TIMESTAMP: timestamp='
    stop
}

@test "the prefix of -lp" {
    serve "udp_bound $P" "$OURS" -lp other "udp4-recvfrom:$P,ip-recvttl" 'system:cat >/dev/null; echo \$OTHER_IP_TTL'
    same 9 "$("$OURS" -t 0.5 - "udp4-sendto:127.0.0.1:$P,ttl=9" <<<x)"
}
