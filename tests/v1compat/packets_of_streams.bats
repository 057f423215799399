#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Streams into packets, and the end of a run that packets cannot end.
load common
load dgram

cut_stream() {
    serve "udp_bound $P" "$1" -u -x "udp-recv:$P,rcvbuf=400000" create:got
    head -c 20000 /dev/urandom >in
    "$2" -u open:in "udp-sendto:127.0.0.1:$P"
    wait_for 5 size_is got 20000
    cmp in got
    stop
    same "8192 8192 3616" "$(sed -n 's/.*length=\([0-9]*\) .*/\1/p' server.err | paste -sd' ')"
}
@test "a stream becomes packets of 8192 bytes" { pairs cut_stream; }

@test "more than a packet can hold, to every kind of packet socket" {
    head -c 150000 /dev/urandom >in
    serve "unix_bound $T/a" "$OURS" -u "unix-recv:$T/a" create:got
    "$OURS" -u open:in "unix-sendto:$T/a"
    wait_for 5 size_is got 150000
    cmp in got
    stop
    "$OURS" -t 0.3 - socketpair <in | cmp - in
    serve "udp_bound $P" "$OURS" -u "udp-listen:$P,rcvbuf=400000" create:got2
    "$OURS" -u open:in "udp:127.0.0.1:$P"
    finish server
    cmp in got2
}

@test "behind a codec, too" {
    head -c 100000 /dev/urandom >in
    serve "udp_bound $P" "$CATENA_BIN" -u "udp-listen:$P,rcvbuf=400000" 'gunzip|create:got'
    "$CATENA_BIN" -u open:in "gzip|udp:127.0.0.1:$P"
    finish server
    cmp in got
}

@test "without -t nobody waits for an end that packets do not have" {
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,fork" 'system:cat'
    same hello "$(timeout 10 "$CATENA_BIN" - "udp-sendto:127.0.0.1:$P" <<<hello)"
    same hello "$(timeout 10 "$CATENA_BIN" - socketpair <<<hello)"
    stop
}
