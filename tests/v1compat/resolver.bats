#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Name resolution, against a name server that tells what it was asked: ai-*, res-*, and what is tried
# in which order. The network of the tests has a resolv.conf of its own.
load net

DNSD=$CATENA_TOOLS/dnsd

prepare_file() {
    cd "$BATS_FILE_TMPDIR"
    # What glibc counts as an address of the host: one of version 4 beyond 127, and ::2.
    nsenter $NET_USER -n -t "$NETPID" ip addr add 10.7.0.1/32 dev lo
    mkdir etc
    printf 'nameserver 127.0.0.1\nsearch near.test far.test\n' >etc/resolv.conf
    echo 'hosts: files dns' >etc/nsswitch.conf
    printf '127.0.0.1 filed.test\n::1 filed6.test\n' >etc/hosts
    cat >inside <<'END'
#!/bin/sh
for f in "$ETC"/*; do
    [ ! -e "/etc/${f##*/}" ] || mount --bind "$f" "/etc/${f##*/}" || exit
done
exec "$@"
END
    chmod +x inside
    export ETC=$BATS_FILE_TMPDIR/etc
}

prepare_test() {
    unset LOCALDOMAIN RES_OPTIONS
    NET+=(unshare -m "$BATS_FILE_TMPDIR/inside")
    "${NET[@]}" true || skip "mount namespaces are not permitted here"
    names 127.0.0.1:53 four.test=127.0.0.1 six.test=::1 both.test=::1 both.test=127.0.0.1 \
        many.test=127.0.0.3 many.test=127.0.0.2 many.test=127.0.0.1 cut.test=cut \
        cut.test=127.0.0.1 gone.test=silent single=127.0.0.1 host.near.test=127.0.0.1 \
        deep.host.far.test=127.0.0.1 group.test=224.1.2.3 group6.test=ff02::2:1
}

# names <address:port> <records...>: a name server.
names() {
    start dnsd "${NET[@]}" "$DNSD" "$@" </dev/null
    wait_for 5 file_has dnsd.out '^ready'
}

# asked: the questions since the last time, in one line; those of a pair in either order.
asked() {
    local n
    n=$(cat seen 2>/dev/null || echo 1)
    tail -n +$((n + 1)) dnsd.out | sort | paste -sd';'
    wc -l <dnsd.out >seen
}

# look <program> <address>: connects to where nobody listens; the addresses tried, in one line.
look() {
    "${NET[@]}" timeout "$LIMIT" "$1" -d -d -d ${SWITCH:-} -u /dev/null "$2" >look.out 2>look.err || :
    sed -n 's/.*opening connection to AF=[0-9]* \(.*\):[0-9]*$/\1/p' look.err | paste -sd' '
}

ONE6='[0000:0000:0000:0000:0000:0000:0000:0001]'
MAPPED='[0000:0000:0000:0000:0000:ffff:7f00:0001]'

@test "the hosts file goes first, numbers are never asked for" {
    same 127.0.0.1 "$(look "$OURS" TCP4:filed.test:1)"
    same 127.0.0.1 "$(look "$OURS" TCP4:127.1:1)"
    same "$ONE6" "$(look "$OURS" TCP6:[::1]:1)"
    same '' "$(asked)"
}

@test "one version, both, several addresses" {
    need_net6
    same 127.0.0.1 "$(look "$OURS" TCP4:both.test:1)"
    same 'udp both.test A rd' "$(asked)"
    same "$ONE6" "$(look "$OURS" TCP6:both.test:1)"
    same 'udp both.test AAAA rd' "$(asked)"
    same "127.0.0.1 $ONE6" "$(look "$OURS" TCP:both.test:1)"
    same 'udp both.test A rd;udp both.test AAAA rd' "$(asked)"
    same "$ONE6" "$(look "$OURS" TCP:both.test:1,pf=ip6)"
    same "127.0.0.1" "$(look "$OURS" TCP6:both.test:1,pf=ip4)"
    same 'udp both.test A rd;udp both.test AAAA rd' "$(asked)"
    # each address is tried, and only at the end it is an error
    same 3 "$(look "$OURS" TCP4:many.test:1 | wc -w)"
    same 2 "$(grep -c ' N .*trying the next address' look.err)"
    same 1 "$(grep -c ' E .*refused' look.err)"
    # a name with addresses of the wrong version only
    same '' "$(look "$OURS" TCP4:six.test:1)"
    has "$(<look.err)" ' E .*cannot resolve "six.test": '
}

@test "which version is preferred: -4, -6, -0, SOCAT_PREFERRED_RESOLVE_IP" {
    need_net6
    same "127.0.0.1 $ONE6" "$(SWITCH=-4 look "$OURS" TCP:both.test:1)"
    same "$ONE6 127.0.0.1" "$(SWITCH=-6 look "$OURS" TCP:both.test:1)"
    same "127.0.0.1 $ONE6" "$(SOCAT_PREFERRED_RESOLVE_IP=4 look "$OURS" TCP:both.test:1)"
    same "$ONE6 127.0.0.1" "$(SOCAT_PREFERRED_RESOLVE_IP=6 look "$OURS" TCP:both.test:1)"
    same "127.0.0.1 $ONE6" "$(SWITCH=-4 SOCAT_PREFERRED_RESOLVE_IP=6 look "$OURS" TCP:both.test:1)"
    same 2 "$(SWITCH=-0 look "$OURS" TCP:both.test:1 | wc -w)"
    same 2 "$(SOCAT_PREFERRED_RESOLVE_IP=0 look "$OURS" TCP:both.test:1 | wc -w)"
    # the family of bind leaves one
    same "$ONE6" "$(look "$OURS" 'TCP:both.test:1,bind=[::2]')"
    same 127.0.0.1 "$(look "$OURS" TCP:both.test:1,bind=127.0.0.2)"
    same 127.0.0.1 "$(look "$OURS" TCP:both.test:1,bind=four.test)"
}

@test "ai-v4mapped, ai-all" {
    need_net6
    same '' "$(look "$OURS" TCP6:127.0.0.1:1,ai-v4mapped=0)"
    has "$(<look.err)" 'Address family for hostname not supported'
    for address in TCP6:127.0.0.1:1 TCP6:127.0.0.1:1,ai-v4mapped TCP:127.0.0.1:1,pf=ip6; do
        same "$MAPPED" "$(look "$OURS" "$address")"
    done
    same '' "$(look "$OURS" TCP6:four.test:1)"
    same "$MAPPED" "$(look "$OURS" TCP6:four.test:1,ai-v4mapped)"
    same "$MAPPED" "$(look "$OURS" TCP6:four.test:1,v4mapped=1)"
    same '' "$(look "$OURS" TCP6:four.test:1,ai-v4mapped=0)"
    same "$ONE6" "$(look "$OURS" TCP6:both.test:1,ai-v4mapped)"
    same "$ONE6 $MAPPED" "$(look "$OURS" TCP6:both.test:1,ai-v4mapped,ai-all)"
    same "$ONE6" "$(look "$OURS" TCP6:both.test:1,ai-all)"
}

@test "ai-addrconfig: versions the host has no address of" {
    need_net6
    "${NET[@]}" ip -6 addr del ::2/128 dev lo
    "${NET[@]}" ip -6 addr del ::3/128 dev lo
    same 127.0.0.1 "$(look "$OURS" TCP:both.test:1)"
    same 'udp both.test A rd' "$(asked)"
    same "127.0.0.1 $ONE6" "$(look "$OURS" TCP:both.test:1,ai-addrconfig=0)"
    same 'udp both.test A rd;udp both.test AAAA rd' "$(asked)"
    # a version that is told is not subject to it, unless that is told too
    same "$ONE6" "$(look "$OURS" TCP6:both.test:1)"
    same '' "$(look "$OURS" TCP6:both.test:1,addrconfig)"
    "${NET[@]}" ip -6 addr add ::2/128 dev lo nodad
    "${NET[@]}" ip -6 addr add ::3/128 dev lo nodad
}

@test "ai-passive: what no name means" {
    listens() {
        "${NET[@]}" timeout "$LIMIT" "$OURS" -d -d -u "$1,accept-timeout=0.01" - 2>look.err
        sed -n 's/.*listening on AF=[0-9]* \(.*\):[0-9]*$/\1/p' look.err
    }
    same 0.0.0.0 "$(listens TCP4-L:0)"
    same 0.0.0.0 "$(listens TCP4-L:0,ai-passive)"
    same 127.0.0.1 "$(listens TCP4-L:0,ai-passive=0)"
    same "$ONE6" "$(listens TCP6-L:0,passive=0)"
    same 127.0.0.3 "$(listens TCP4-L:0,passive=0,bind=127.0.0.3)"
}

@test "bind by name" {
    need_net6
    listens() {
        "${NET[@]}" timeout "$LIMIT" "$1" -d -d -u "$2,accept-timeout=0.1" - 2>look.err || :
        sed -n 's/.*listening on AF=[0-9]* \(.*\):[0-9]*$/\1/p' look.err
    }
    for program in "$OURS" "$REF_SOCAT"; do
        same 127.0.0.1 "$(listens "$program" TCP4-L:0,bind=both.test)"
        same "$ONE6" "$(listens "$program" TCP6-L:0,bind=both.test)"
        same "$ONE6" "$(listens "$program" TCP6-L:0,bind=six.test)"
        same '' "$(listens "$program" TCP4-L:0,bind=nosuch.test)"
        has "$(<look.err)" ' E '
    done
    same 127.0.0.1 "$(listens "$OURS" TCP-L:0,bind=both.test)"
    same "$ONE6" "$(SOCAT_DEFAULT_LISTEN_IP=6 listens "$OURS" TCP-L:0,bind=both.test)"
    same "$ONE6" "$(listens "$OURS" TCP-L:0,bind=six.test)"
}

@test "res-nsaddr" {
    for option in res-nsaddr dns nameserver nsaddr; do
        kill "$(<dnsd.pid)"
        wait_for 5 is_gone "$(<dnsd.pid)"
        rm -f seen
        names 127.0.0.2:5300 other.test=127.0.0.3
        same 127.0.0.3 "$(look "$OURS" "TCP4:other.test:1,$option=127.0.0.2:5300")"
        same 'udp other.test A rd' "$(asked)"
    done
    same 127.0.0.1 "$(look "$OURS" TCP4:filed.test:1,nsaddr=127.0.0.2:5300)"
    same '' "$(look "$OURS" TCP4:four.test:1,nsaddr=127.0.0.2:5300)"
    has "$(<look.err)" ' E .*cannot resolve "four.test"'
    # the server by its name, which the hosts file knows
    kill "$(<dnsd.pid)"
    wait_for 5 is_gone "$(<dnsd.pid)"
    names 127.0.0.1:5300 other.test=127.0.0.3
    same 127.0.0.3 "$(look "$OURS" TCP4:other.test:1,nsaddr=filed.test:5300)"
    kill "$(<dnsd.pid)"
    wait_for 5 is_gone "$(<dnsd.pid)"
    names 127.0.0.2:5300 other.test=127.0.0.3
    # datagrams, bind and DTLS resolve the same way
    same 127.0.0.3 "$(look "$OURS" UDP4:other.test:1,nsaddr=127.0.0.2:5300)"
    same 127.0.0.1 "$(look "$OURS" TCP4:127.0.0.1:1,bind=other.test,nsaddr=127.0.0.2:5300)"
    for wrong in '' [::1] nosuch 127.0.0.1:99999 127.0.0.1:x 1.2.3; do
        look "$OURS" "TCP4:four.test:1,nsaddr=$wrong"
        has "$(<look.err)" ' E '
    done
}

@test "targets that a socks or proxy client resolves itself" {
    kill "$(<dnsd.pid)"
    wait_for 5 is_gone "$(<dnsd.pid)"
    names 127.0.0.2:5300 other.test=127.0.0.3
    while read -r bytes target request; do
        start server "${NET[@]}" "$REF_SOCAT" -d -d -u "TCP4-L:0,readbytes=$bytes" CREATE:got </dev/null
        wait_for 5 file_has server.err 'listening on'
        port=$(sed -n 's/.*listening on .*://p' server.err)
        "${NET[@]}" timeout "$LIMIT" "$OURS" - "$target=$port,nsaddr=127.0.0.2:5300" </dev/null || :
        finish server
        same "$request" "$(od -An -c got | tr -d ' \n')"
    done <<'ROWS'
10 SOCKS4:127.0.0.1:other.test:80,socksuser=u,socksport 004001\0P177\0\0003u\0
25 PROXY:127.0.0.1:other.test:80,proxy-resolve,proxyport CONNECT127.0.0.3:80HTTP
ROWS
}

@test "res-nsaddr on the port that is usual" {
    kill "$(<dnsd.pid)"
    wait_for 5 is_gone "$(<dnsd.pid)"
    names 127.0.0.3:53 other.test=127.0.0.2
    same 127.0.0.2 "$(look "$OURS" TCP4:other.test:1,nsaddr=127.0.0.3)"
}

# bits <address options> <questions>: of both programs.
bits() {
    echo "# $1"
    look "$OURS" "TCP4:$1" >/dev/null
    same "$2" "$(asked)"
    look "$REF_SOCAT" "TCP4:$1" >/dev/null
    same "$2" "$(asked)"
}

@test "res-usevc, res-igntc, res-recurse" {
    bits four.test:1 'udp four.test A rd'
    bits four.test:1,res-usevc 'tcp connection;tcp four.test A rd'
    bits four.test:1,res-usevc=0 'udp four.test A rd'
    bits four.test:1,res-recurse=0 'udp four.test A -'
    bits four.test:1,recurse 'udp four.test A rd'
    bits cut.test:1 'tcp connection;tcp cut.test A rd;udp cut.test A rd'
    bits cut.test:1,res-igntc 'udp cut.test A rd'
}

@test "res-defnames, res-dnsrch" {
    bits host:1 'udp host.near.test A rd'
    bits single:1,res-defnames=0,res-dnsrch=0 'udp single A rd'
    bits host:1,res-defnames=0,res-dnsrch=0 'udp host A rd'
    bits nosuch.host:1,dnsrch=0 'udp nosuch.host A rd'
    bits deep.host:1 'udp deep.host A rd;udp deep.host.far.test A rd;udp deep.host.near.test A rd'
    same 127.0.0.1 "$(look "$OURS" TCP4:deep.host:1)"
    same '' "$(look "$OURS" TCP4:deep.host:1,res-dnsrch=0)"
}

@test "res-stayopen: one connection for all questions" {
    bits nosuch.host:1,usevc 'tcp connection;tcp connection;tcp connection;tcp nosuch.host A rd;tcp nosuch.host.far.test A rd;tcp nosuch.host.near.test A rd'
    bits nosuch.host:1,usevc,stayopen 'tcp connection;tcp nosuch.host A rd;tcp nosuch.host.far.test A rd;tcp nosuch.host.near.test A rd'
}

@test "res-retrans, res-retry: how often and how long somebody silent is asked" {
    begin=${EPOCHREALTIME/./}
    same '' "$(look "$OURS" TCP4:gone.test:1,dnsrch=0,res-retrans=1,res-retry=2)"
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    has "$(<look.err)" ' E .*cannot resolve "gone.test": '
    same 'udp gone.test A rd;udp gone.test A rd' "$(asked)"
    ((took >= 1900))
    same '' "$(look "$OURS" TCP4:gone.test:1,dnsrch=0,retrans=1,res-maxretry=1)"
    same 'udp gone.test A rd' "$(asked)"
}

@test "a signal ends the wait for a name server" {
    start client "${NET[@]}" "$OURS" - TCP4:gone.test:1 </dev/null
    wait_for 5 file_has dnsd.out 'gone.test'
    kill "$(<client.pid)"
    finish client 143
}

@test "a signal ends the wait for the names in options of multicasts" {
    for option in ip-add-membership=gone.test:lo ip-multicast-if=gone.test \
        ip-add-source-membership=232.1.1.1:127.0.0.1:gone.test; do
        before=$(questions A)
        start client "${NET[@]}" "$OURS" -u "UDP4-RECV:$P,$option" - </dev/null
        wait_for 5 more_questions A
        begin=${EPOCHREALTIME/./}
        kill "$(<client.pid)"
        finish client 143
        ((${EPOCHREALTIME/./} - begin < 4000000)) # the resolver takes 5 s
    done
    for option in ipv6-join-group=gone.test:lo 'ipv6-join-source-group=[ff02::2:1]:lo:gone.test'; do
        before=$(questions AAAA)
        start client "${NET[@]}" "$OURS" -u "UDP6-RECV:$P,$option" - </dev/null
        wait_for 5 more_questions AAAA
        kill "$(<client.pid)"
        finish client 143
    done
}
questions() { grep -c "gone.test $1 " dnsd.out || :; }
more_questions() { [ "$(questions "$1")" -gt "$before" ]; }

@test "the names in options of multicasts are found as others are" {
    net_serve "$OURS" -u "UDP4-RECV:$P,ip-add-membership=group.test:lo" -
    grep -q 030201E0 "/proc/$NETPID/net/igmp"
    net_stop
    next_port
    net_serve "$OURS" -u "UDP4-RECV:$P,ip-add-membership=other.test:127.0.0.1,res-nsaddr=127.0.0.2:5300" - || :
    has "$(<server.err)" ' E .*cannot resolve "other.test"'
    need_net6
    next_port
    net_serve "$OURS" -u "UDP6-RECV:$P,ipv6-join-group=group6.test:lo" -
    grep -q ff020000000000000000000000020001 "/proc/$NETPID/net/igmp6"
    net_stop
}

@test "res-aaonly, res-primary, res-debug are taken" {
    for option in res-aaonly res-primary aaonly primary res-debug; do
        same 127.0.0.1 "$(look "$OURS" "TCP4:four.test:1,$option")"
    done
    same 127.0.0.1 "$(look "$OURS" "TCP4:four.test:1,res-aaonly")"
    has "$(<look.err)" ' N options res-aaonly and res-primary have no effect'
}
