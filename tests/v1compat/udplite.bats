#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP-Lite, which Debian's socat does not have: like UDP, with checksums over part of a packet.
load common
load dgram

udplite_possible() {
    timeout "$LIMIT" "$OURS" -T 0.1 -u udplite-recv:0 - </dev/null 2>probe || :
    ! grep -q 'not supported' probe || skip "this kernel has no UDP-Lite"
}

@test "connect and listen" {
    udplite_possible
    for v in '' 4; do
        serve "udplite_bound $P" "$OURS" -t 2 "udplite$v-listen:$P,bind=127.0.0.1" pipe
        same hello "$("$OURS" -t 0.5 - "udplite$v:127.0.0.1:$P" <<<hello)"
        finish server
    done
}

@test "over IPv6" {
    udplite_possible
    need_ip6
    serve "udplite_bound $P" "$OURS" -t 2 "udplite6-l:$P" pipe
    same hello "$("$OURS" -t 0.5 - "udplite6-connect:[::1]:$P" <<<hello)"
    finish server
}

@test "sendto, datagram, recvfrom with fork" {
    udplite_possible
    serve "udplite_bound $P" "$OURS" "udplite-recvfrom:$P,fork" 'system:cat'
    same 1 "$("$OURS" -t 0.5 - "udplite-sendto:127.0.0.1:$P" <<<1)"
    same 2 "$("$OURS" -t 0.5 - "udplite4-send:127.0.0.1:$P" <<<2)"
    same 3 "$("$OURS" -t 0.5 - "udplite-dgram:127.0.0.1:$P" <<<3)"
    stop
}

@test "recv, range" {
    udplite_possible
    serve "udplite_bound $P" "$OURS" -u "udplite-recv:$P,range=127.0.0.2/32" create:got
    "$OURS" -u - "udplite-sendto:127.0.0.1:$P" <<<no
    "$OURS" -u - "udplite-sendto:127.0.0.1:$P,bind=127.0.0.2" <<<yes
    wait_for 5 size_is got 4
    same yes "$(<got)"
    stop
}

@test "checksum coverage" {
    udplite_possible
    serve "udplite_bound $P" "$OURS" -u "udplite-recv:$P,udplite-recv-cscov=20" create:got
    "$OURS" -u - "udplite-sendto:127.0.0.1:$P,udplite-send-cscov=8" <<<"covers less than is wanted"
    "$OURS" -u - "udplite-sendto:127.0.0.1:$P,udplite-send-cscov=24" <<<"covers enough of its data"
    wait_for 5 file_has got enough
    same "covers enough of its data" "$(<got)"
    stop
    both_fail_ours - "udp-sendto:127.0.0.1:$P,udplite-send-cscov=8"
}

both_fail_ours() {
    STATUS=1 ours_alone "$@"
    has "$(<ours.err)" ' E '
}
