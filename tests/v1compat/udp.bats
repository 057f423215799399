#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP: either program as client and as server; boundaries, ends, access, facts.
# bats file_tags=thread
load common
load dgram

connected() { # server client V host
    serve "udp_bound $P" "$1" -t 2 "udp$3-listen:$P,bind=$4" pipe
    same hello "$("$2" -t 5 - "udp$3:$4:$P,readbytes=6" <<<hello)"
    kill "$(<server.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<server.pid)"
}
@test "connect and listen" { pairs connected '' 127.0.0.1; }
@test "connect and listen over IPv4" { pairs connected 4 127.0.0.1; }
@test "connect and listen over IPv6" { need_ip6; pairs connected 6 '[::1]'; }

single() {
    serve "udp_bound $P" "$1" "udp$3-recvfrom:$P" 'system:cat'
    same hello "$("$2" -t 5 - "udp$3-sendto:$4:$P,readbytes=6" <<<hello)"
    wait_for 5 is_gone "$(<server.pid)"
}
@test "sendto and recvfrom" { pairs single '' 127.0.0.1; }
@test "sendto and recvfrom over IPv4" { pairs single 4 127.0.0.1; }
@test "sendto and recvfrom over IPv6" { need_ip6; pairs single 6 '[::1]'; }

many() {
    serve "udp_bound $P" "$1" "udp-recvfrom:$P,fork" 'system:cat'
    for i in 1 2 3; do same "$i" "$("$2" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=2" <<<"$i")"; done
    stop
}
@test "recvfrom with fork" { pairs many; }

merge() {
    serve "udp_bound $P" "$1" -u "udp-recv:$P" "create:got"
    "$2" -u - "udp-sendto:127.0.0.1:$P" <<<one
    wait_for 5 size_is got 4
    "$2" -u - "udp-datagram:127.0.0.1:$P" <<<two
    wait_for 5 size_is got 8
    "$2" -u - "udp:127.0.0.1:$P" <<<six
    wait_for 5 size_is got 12
    same "one two six" "$(paste -sd' ' got)"
    stop
}
@test "recv takes everybody's packets" { pairs merge; }

when_told() {
    wait_for 5 test -e go
    echo "$@"
}
symmetric() {
    local q
    q=$("$PEER" freeport)
    start a "$1" -t 1 - "udp-datagram:127.0.0.1:$q,bind=127.0.0.1:$P" < <(when_told from a)
    wait_for 5 udp_bound "$P"
    start b "$2" -t 1 - "udp-datagram:127.0.0.1:$P,bind=127.0.0.1:$q" < <(when_told from b)
    wait_for 5 udp_bound "$q"
    touch go
    finish a
    finish b
    same "from b" "$(<a.out)"
    same "from a" "$(<b.out)"
    rm go
}
@test "datagram on both sides" { pairs symmetric; }

boundaries() {
    serve "udp_bound $P" "$1" -u -x "udp-recv:$P" "create:got"
    printf 'abcdefgh' >in
    "$2" -u -b 3 open:in "udp-sendto:127.0.0.1:$P"
    wait_for 5 size_is got 8
    stop
    same "3 3 2" "$(sed -n 's/.*length=\([0-9]*\) .*/\1/p' server.err | paste -sd' ')"
}
@test "packets keep their boundaries" { pairs boundaries; }

cut_to_block() {
    serve "udp_bound $P" "$1" -u -b 4 "udp-recv:$P" "create:got"
    "$2" -u - "udp-sendto:127.0.0.1:$P" <<<abcdefgh
    "$2" -u - "udp-sendto:127.0.0.1:$P" <<<123
    wait_for 5 size_is got 8
    same "abcd123" "$(<got)"
    stop
}
@test "a packet longer than -b is cut" { pairs cut_to_block; }

# blocks of a given size: for one run of its own
# bats test_tags=single
@test "the largest packet goes through a relay whole" {
    serve "udp_bound $P" "$OURS" -u -x "udp-recv:$P,rcvbuf=200000" create:got
    q=$("$PEER" freeport)
    start relay "$OURS" -u "udp-recv:$q,rcvbuf=200000" \
        "udp-sendto:127.0.0.1:$P,sndbuf=200000" </dev/null
    wait_for 5 udp_bound "$q"
    head -c 65507 /dev/urandom >in
    "$OURS" -u -b 65507 open:in "udp-sendto:127.0.0.1:$q,sndbuf=200000"
    wait_for 5 size_is got 65507
    cmp in got
    kill "$(<relay.pid)"
    stop
    same 1 "$(grep -c length=65507 server.err)"
}

@test "an empty packet ends a connected one" {
    serve "udp_bound $P" "$OURS" "udp-listen:$P" 'system:cat >got; echo end >&2'
    echo hello | "$OURS" -t 0.2 - "udp:127.0.0.1:$P"
    finish server
    same hello "$(<got)"
}

@test "an empty packet is dropped elsewhere, unless null-eof" {
    for which in "$OURS" "$REF_SOCAT"; do
        serve "udp_bound $P" "$which" -u "udp-recv:$P" create:got
        "$OURS" -u - "udp-sendto:127.0.0.1:$P,shut-null" <<<one
        wait_for 5 size_is got 4
        "$OURS" -u - "udp-sendto:127.0.0.1:$P,shut-null" <<<two
        wait_for 5 size_is got 8
        stop
        serve "udp_bound $P" "$which" -u "udp-recv:$P,null-eof" create:got
        "$OURS" -u - "udp-sendto:127.0.0.1:$P,shut-null" <<<one
        finish server
        same one "$(<got)"
    done
}

@test "shut-none: no empty packet" {
    serve "udp_bound $P" "$OURS" -T 0.5 -d -d "udp-listen:$P" pipe
    echo hello | "$OURS" -t 0.2 - "udp:127.0.0.1:$P,shut-none"
    finish server
    has "$(<server.err)" 'inactivity timeout'
}

ranged() {
    serve "udp_bound $P" "$1" -d -d -u "udp-recv:$P,$3" create:got
    "$2" -u - "udp-sendto:127.0.0.1:$P,bind=127.0.0.1" <<<no
    wait_for 5 file_has server.err ' W '
    "$2" -u - "udp-sendto:127.0.0.1:$P,bind=127.0.0.2" <<<yes
    wait_for 5 size_is got 4
    same yes "$(<got)"
    has "$(<server.err)" ' W refusing .*127.0.0.1:[0-9]* due to range option'
    stop
}
@test "range on recv" {
    pairs ranged range=127.0.0.2/32
    pairs ranged range=127.0.0.2:255.255.255.255
}

# The reference takes an empty packet that follows at once for another client.
quiet_for() { [ "$1" != "$REF_SOCAT" ] || [ "$2" = "$REF_SOCAT" ] || echo ,shut-none; }

ranged_listen() {
    local q
    q=$(quiet_for "$1" "$2")
    serve "udp_bound $P" "$1" -d -d "udp-listen:$P,fork,range=127.0.0.2/32" pipe
    same '' "$("$2" -t 0.3 - "udp:127.0.0.1:$P,bind=127.0.0.1$q" <<<no 2>/dev/null)"
    same yes "$("$2" -t 5 - "udp:127.0.0.1:$P,bind=127.0.0.2$q,readbytes=4" <<<yes)"
    has "$(<server.err)" ' W refusing .*127.0.0.1:[0-9]* due to range option'
    stop
}
@test "range on listen" { pairs ranged_listen; }

@test "range, sourceport and lowport on recvfrom" {
    q=$("$PEER" freeport)
    for rule in range=127.0.0.2/32 "sourceport=$q" lowport; do
        [ "$rule" != lowport ] || [ "$(id -u)" = 0 ] || continue
        serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,fork,$rule" pipe
        case $rule in
        range*) good=bind=127.0.0.2 ;;
        lowport) good=lowport ;;
        *) good=$rule ;;
        esac
        same '' "$("$OURS" -t 0.2 - "udp-sendto:127.0.0.1:$P" <<<no)"
        same yes "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,$good,readbytes=4" <<<yes)"
        has "$(<server.err)" ' W refusing packet from'
        stop
    done
}

@test "tcpwrap" {
    ldconfig -p 2>/dev/null | grep -q libwrap.so.0 || skip "no libwrap here"
    echo 'wrapped: 127.0.0.2' >hosts.allow
    echo 'ALL: ALL' >hosts.deny
    serve "udp_bound $P" "$OURS" -u "udp-recv:$P,tcpwrap=wrapped,tcpwrap-etc=$T" create:got
    "$OURS" -u - "udp-sendto:127.0.0.1:$P,bind=127.0.0.1" <<<no
    "$OURS" -u - "udp-sendto:127.0.0.1:$P,bind=127.0.0.2" <<<yes
    wait_for 5 size_is got 4
    same yes "$(<got)"
    has "$(<server.err)" ' W refusing packet from .*tcpwrap'
    stop
}

strangers() {
    local q
    rm -f got
    q=$("$PEER" freeport)
    start client "$2" -d -d -d -t 0.5 "udp-sendto:127.0.0.1:$P,bind=127.0.0.1:$q" \
        'system:cat >got' </dev/null
    wait_for 5 udp_bound "$q"
    "$1" -u - "udp-sendto:127.0.0.1:$q" <<<stranger
    "$1" -u - "udp-sendto:127.0.0.1:$q,sp=$P" <<<friend
    wait_for 5 file_has got friend
    kill "$(<client.pid)"
    wait_for 5 is_gone "$(<client.pid)"
    same friend "$(<got)"
}
@test "packets of strangers are dropped" { pairs strangers; }

@test "listen with fork: a socket and a child for each client" {
    each() {
        local q
        q=$(quiet_for "$1" "$2")
        serve "udp_bound $P" "$1" -T 3 "udp-listen:$P,bind=127.0.0.1,fork" \
            'system:echo \$SOCAT_SOCKADDR \$SOCAT_SOCKPORT; cat'
        for i in 1 2 3; do
            same "127.0.0.1 $P;$i" \
                "$("$2" -t 0.5 - "udp:127.0.0.1:$P$q" <<<"$i" | paste -sd';')"
        done
        stop
    }
    pairs each
}

@test "listen with fork: what a client sends at once arrives whole" {
    serve "udp_bound $P" "$OURS" "udp-listen:$P,fork,rcvbuf=400000" 'system:cat >>got.\$SOCAT_PEERPORT'
    for sp in "$("$PEER" freeport)" "$("$PEER" freeport)"; do
        head -c 40000 /dev/urandom >in
        "$OURS" -u -b 1000 open:in "udp:127.0.0.1:$P,sp=$sp"
        wait_for 5 size_is "got.$sp" 40000
        cmp in "got.$sp"
    done
    stop
}

@test "listen and recvfrom in threads" {
    serve "udp_bound $P" "$OURS" "udp-listen:$P,thread" pipe
    for i in 1 2 3; do same "$i" "$("$OURS" -t 5 - "udp:127.0.0.1:$P,readbytes=2" <<<"$i")"; done
    stop
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,thread" 'system:cat'
    for i in 1 2 3; do same "$i" "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=2" <<<"$i")"; done
    stop
}

@test "no descriptor is lost with fork" {
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,fork" 'system:cat'
    same 0 "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=2" <<<0)"
    before=$(open_fds "$(<server.pid)")
    for i in 1 2 3; do same "$i" "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=2" <<<"$i")"; done
    same "$before" "$(open_fds "$(<server.pid)")"
    wait_for 5 test "$(zombies "$(<server.pid)")" = 0
    stop
    serve "udp_bound $P" "$OURS" "udp-listen:$P,fork" pipe
    same 0 "$("$OURS" -t 5 - "udp:127.0.0.1:$P,readbytes=2" <<<0)"
    before=$(open_fds "$(<server.pid)")
    for i in 1 2 3; do same "$i" "$("$OURS" -t 5 - "udp:127.0.0.1:$P,readbytes=2" <<<"$i")"; done
    same "$before" "$(open_fds "$(<server.pid)")"
    stop
}

@test "what the program of recvfrom learns" {
    learns() {
        q=$("$PEER" freeport)
        serve "udp_bound $P" "$1" "udp-recvfrom:$P" 'system:cat >/dev/null; echo \$SOCAT_PEERADDR \$SOCAT_PEERPORT'
        same "127.0.0.1 $q" "$("$2" -t 0.5 - "udp-sendto:127.0.0.1:$P,sp=$q" <<<x)"
        wait_for 5 is_gone "$(<server.pid)"
    }
    pairs learns
}

@test "nobody there" {
    printf 'abcdef' >in
    for p in "$OURS" "$REF_SOCAT"; do
        start client "$p" -u -b 2 open:in "udp:127.0.0.1:$P" </dev/null
        finish client 1
        has "$(<client.err)" ' E .*Connection refused'
    done
    # without a connection nobody is told
    both -u - "udp-sendto:127.0.0.1:$P"
}

@test "log lines with the address, port 0 as well" {
    for a in udp-recv:0 udp-recvfrom:0 udp4-recv:0,bind=127.0.0.1; do
        start server "$OURS" -d -d -u "$a" /dev/null </dev/null
        wait_for 5 file_has server.err ' N .*bound to AF=2 [0-9.]*:[1-9][0-9]*$'
        stop
    done
    start server "$OURS" -d -d udp-listen:0 /dev/null </dev/null
    wait_for 5 file_has server.err ' N listening on AF=2 0.0.0.0:[1-9][0-9]*$'
    stop
    "$OURS" -d -d -u - "udp:127.0.0.1:$P" </dev/null 2>log
    has "$(<log)" " N opening connection to AF=2 127.0.0.1:$P"
}

@test "accept-timeout on listen" {
    ours_alone "udp-listen:$P,accept-timeout=0.2" pipe
    has "$(<ours.err)" ' W accept: Connection timed out'
}

@test "options of packet sockets" {
    for o in ttl=9 tos=16 broadcast rcvbuf=20000 sndbuf=20000 so-timestamp ip-recvttl ip-pktinfo \
        ip-recverr ip-recvopts reuseaddr so-reuseport bind=127.0.0.1 bind=127.0.0.1:0 priority=3 \
        setsockopt-int=1:6:1 mtudiscover=0 pf=ip4; do
        serve "udp_bound $P" "$OURS" "udp-recvfrom:$P" 'system:cat'
        same x "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,$o,readbytes=2" <<<x)"
        finish server
    done
    for o in ttl=9 broadcast rcvbuf=20000 ip-recverr reuseaddr=0 so-reuseport bind=127.0.0.1 \
        setsockopt-int=1:6:1 pf=ip4 null-eof; do
        serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,$o" 'system:cat'
        same x "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=2" <<<x)"
        finish server
    done
}

@test "an error that an answer brings back does not end the server" {
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P,fork,ip-recverr" 'system:cat; echo late'
    for i in 1 2 3; do "$OURS" -u - "udp-sendto:127.0.0.1:$P" <<<"$i"; done
    same "4;late" "$("$OURS" -t 5 - "udp-sendto:127.0.0.1:$P,readbytes=7" <<<4 | paste -sd';')"
    stop
}

@test "v1's dual addresses with packets" {
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P!!create:got" 'system:cat; echo done'
    "$OURS" -u - "udp-sendto:127.0.0.1:$P" <<<hello
    finish server
    same "hello;done" "$(paste -sd';' got)"
}

@test "recvfrom and nofork: a packet that has been read is not lost in silence" {
    serve "udp_bound $P" "$OURS" "udp-recvfrom:$P" exec:cat,nofork
    "$OURS" -u - "udp-sendto:127.0.0.1:$P" <<<hello
    finish server 1
    has "$(<server.err)" ' E .*nofork: 6 bytes have already been read'
}

@test "wrong parameters" {
    both_fail - udp:127.0.0.1
    both_fail - udp-sendto:127.0.0.1:nosuchservice
    both_fail - udp4-sendto:[::1]:1
    both_fail -u udp-recv:1:2 -
    both_fail -u "udp-recv:1,range=1" -
}

multicast() {
    ip addr add 10.9.0.1/24 dev lo
    ip route add 224.0.0.0/4 dev lo
    "$1" -u udp4-recv:6666,ip-add-membership=224.255.0.1:127.0.0.1 create:got &
    until grep -qi 0100FFE0 /proc/net/igmp; do sleep 0.02; done
    until grep -q :1A0A /proc/net/udp; do sleep 0.02; done
    echo group | "$2" -u - udp4-datagram:224.255.0.1:6666,ip-multicast-if=127.0.0.1
    until [ -s got ]; do sleep 0.02; done
    kill $!
    [ "$1" != "$REF_SOCAT" ] || return 0 # knows no sources
    "$1" -u udp4-recv:6668,ip-add-source-membership=232.1.0.1:127.0.0.1:10.9.0.1 create:got2 &
    until grep -qi 0xe8010001 /proc/net/mcfilter; do sleep 0.02; done
    echo other | "$2" -u - udp4-datagram:232.1.0.1:6668,bind=127.0.0.1,ip-multicast-if=127.0.0.1
    echo source | "$2" -u - udp4-datagram:232.1.0.1:6668,bind=10.9.0.1,ip-multicast-if=127.0.0.1
    until [ -s got2 ]; do sleep 0.02; done
    kill $!
}
@test "multicast" {
    export -f multicast
    pairs multicast_in
}
multicast_in() {
    own_network timeout "$LIMIT" bash -ec 'multicast "$@"' multicast "$@"
    same group "$(<got)"
    [ "$1" = "$REF_SOCAT" ] || same source "$(<got2)"
    rm -f got got2
}

multicast6() {
    ip link add v0 type veth peer name v1
    ip link set v0 up
    ip link set v1 up
    ip addr add fe80::1/64 dev v0 nodad
    for group in 'ipv6-join-group=[ff02::2:1]:v0' 'ipv6-join-source-group=[ff02::2:1]:v0:[fe80::1]'; do
        "$1" -u "udp6-recv:6667,$group" create:got &
        until grep -q ff020000000000000000000000020001 /proc/net/igmp6; do sleep 0.02; done
        until grep -q :1A0B /proc/net/udp6; do sleep 0.02; done
        echo group | "$1" -u - 'udp6-datagram:[ff02::2:1%v0]:6667'
        until [ -s got ]; do sleep 0.02; done
        kill $!
        wait $! || :
        cat got >>all
    done
}
any_interface() {
    ip link add v0 type veth peer name v1
    ip link set v0 up
    ip link set v1 up
    "$1" -u 'udp6-recv:6667,ipv6-join-group=[ff02::2:1]:0' create:got &
    until grep -q :1A0B /proc/net/udp6; do kill -0 $!; sleep 0.02; done
    "$1" -u 'udp6-recv:6668,ipv6-join-source-group=[ff02::2:2]:nosuch:[fe80::1]' - 2>log && return 1
    grep -q 'no interface has the name or index "nosuch"' log
    kill $!
}
@test "multicast over IPv6, on whatever interface" {
    need_ip6
    export -f any_interface
    own_network timeout "$LIMIT" bash -ec 'any_interface "$@"' any_interface "$OURS"
}

@test "multicast over IPv6" {
    need_ip6
    export -f multicast6
    own_network timeout "$LIMIT" bash -ec 'multicast6 "$@"' multicast6 "$OURS"
    same "group group" "$(paste -sd' ' all)"
}

broadcast() {
    ip link add v0 type veth peer name v1
    ip addr add 10.8.0.1/24 broadcast 10.8.0.255 dev v0
    ip link set v0 up
    ip link set v1 up
    "$1" -u udp4-recv:6669 create:got &
    until grep -q :1A0D /proc/net/udp; do sleep 0.02; done
    fails "$2" -u - udp4-datagram:10.8.0.255:6669 <<<no
    echo all | "$2" -u - udp4-datagram:10.8.0.255:6669,broadcast
    until [ -s got ]; do sleep 0.02; done
    kill $!
}
broadcast_in() {
    own_network timeout "$LIMIT" bash -ec 'broadcast "$@"' broadcast "$@"
    same all "$(<got)"
    rm got
}
@test "broadcast" {
    export -f broadcast fails
    pairs broadcast_in
}
