#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of a network that fails: the peer lives in a network namespace of its own behind a
# pair of interfaces, which are cut.
load matrix

unplug() { ip -n far link set other down; }

serve() { # [<switches>...] <second address>: a listener on the far side, at port 4000
    start far ip netns exec far "$CATENA_BIN" -d -d "${@:1:$#-1}" \
        tcp-listen:4000,bind=10.9.9.2,fork "${!#}" </dev/null
    wait_for 10 file_has far.err 'listening on'
}

vanish_idle() {
    serve "system:'cat $IN; exec sleep 1000'"
    n=0
    for links in '' 'nop|' 'gzip|gunzip|' 'exec1:cat%exec1:cat|'; do
        n=$((n + 1))
        start "run$n" "$CATENA_BIN" "open:/dev/null,ignoreeof!!create:out$n" \
            "${links}tcp:10.9.9.2:4000,keepalive,keepidle=1,keepintvl=1,keepcnt=1" </dev/null
    done
    for n in 1 2 3 4; do wait_for 5 size_is "out$n" "$(stat -c %s "$IN")"; done
    unplug
    for n in 1 2 3 4; do
        finish "run$n" 1
        has "$(<"run$n.err")" ' E .*tcp.*connection timed out'
        cmp "out$n" "$IN"
    done
}
@test "the peer vanishes while idle: keepalive finds out, and all that came is there" {
    in_network vanish_idle
    cells=$((cells + 3))
    well
}

vanish_sending() { # TCP_USER_TIMEOUT is 18
    serve -u create:got
    start run "$CATENA_BIN" -u open:/dev/zero "tcp:10.9.9.2:4000,setsockopt-int=6:18:700" </dev/null
    wait_for 5 test -s got
    unplug
    finish run 1
    has "$(<run.err)" ' E .*tcp.*connection timed out'
}
@test "the peer vanishes while we send: the user timeout ends it" {
    in_network vanish_sending
    well
}

vanish_taking() {
    serve -U open:/dev/zero
    start run "$CATENA_BIN" -T 0.5 -u tcp:10.9.9.2:4000 create:out </dev/null
    wait_for 5 test -s out
    unplug
    finish run 0
    start run "$CATENA_BIN" -T 0.5 -u open:/dev/zero tcp:10.9.9.2:4000,connect-timeout=0.4 </dev/null
    finish run 1
    has "$(<run.err)" ' E .*tcp.*10.9.9.2:4000.*timed out\|no route\|unreachable'
}
@test "the peer vanishes while it sends, and is still away: -T, connect-timeout" {
    in_network vanish_taking
    cells=$((cells + 1))
    well
}

comes_back() {
    serve -U "open:$BIG"
    start run "$CATENA_BIN" -u tcp:10.9.9.2:4000 create:out </dev/null
    wait_for 5 test -s out
    unplug
    # It stays away until nothing more comes.
    still() { before=$after after=$(stat -c %s out) && [ "$before" = "$after" ]; }
    after=
    wait_for 5 still
    ip -n far link set other up
    finish run 0
    cmp out "$BIG"
}
@test "the network comes back in time: nothing is lost" {
    in_network comes_back
    well
}

away() {
    ip link set near down
    status=0
    catena - tcp:10.9.9.2:4000 </dev/null 2>log || status=$?
    same 1 "$status"
    has "$(<log)" ' E .*10.9.9.2:4000.*network is unreachable'
    ip addr flush dev near
    status=0
    catena - udp-sendto:10.9.9.2:4000 <<<hello 2>log || status=$?
    same 1 "$status"
    has "$(<log)" ' E .*network is unreachable'
}
@test "no network at all" {
    in_network away
    cells=$((cells + 1))
    well
}

tls_vanish() {
    serve "^openssl-server,cert=$CERTS/server.pem,verify=0|system:'cat $IN; exec sleep 1000'"
    start run "$CATENA_BIN" -u "openssl,verify=0|tcp:10.9.9.2:4000,keepalive,keepidle=1,keepintvl=1,keepcnt=1" create:out </dev/null
    wait_for 5 size_is out "$(stat -c %s "$IN")"
    unplug
    finish run 1
    has "$(<run.err)" ' E .*tcp.*connection timed out'
    cmp out "$IN"
}
@test "the peer of a TLS stream vanishes: all that came is there" {
    in_network tls_vanish
    well
}
