#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Which IP version an address has: keyword, pf, -0 -4 -6, SOCAT_DEFAULT_LISTEN_IP, bind, ipv6-v6only.
# Passive addresses are asked by the line they log, and by clients of both versions. What names are
# resolved to is in resolver.bats.
load net

prepare_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare_test() {
    unset SOCAT_DEFAULT_LISTEN_IP SOCAT_PREFERRED_RESOLVE_IP
    need_net6
    C=$BATS_FILE_TMPDIR/certs/server.pem
}

# A row: environment (- none), switch (- none), what the version is decided by (appended to the
# keyword and to the options), expected AF.
rules='- - 2
4 - 2
6 - 10
0 - 10
- -4 2
- -6 10
- -0 10
6 -4 2
4 -6 10
4 -0 10
6 -4,pf=ip6 10
4 -6,pf=ip4 2
- -,pf=ip6 10
- -,pf=ip4 2
6 -,pf=inet 2
4 -,pf=inet6 10
4 -,pf=10 10
6 -,pf=2 2
- -,bind=[::1] 10
- -4,bind=[::1] 10
- -6,bind=127.0.0.1 2
6 -,bind=127.0.0.1 2
- 6 10
- 4 2
6 4 2
- 6,pf=ip4 2
- 4,pf=ip6 10'

# versions <keyword before> <keyword behind the digit, port and options>
versions() {
    local environment how family digit switch options
    while read -r environment how family; do
        switch= digit= options=
        case $how in
        -,*) options=${how#-} ;;
        -[046]*) switch=${how:0:2} options=${how:2} ;;
        [46]*) digit=${how:0:1} options=${how:1} ;;
        esac
        echo "# $1$digit$2$options, switch '$switch', environment '$environment'"
        [ "$environment" = - ] || export SOCAT_DEFAULT_LISTEN_IP=$environment
        # shellcheck disable=SC2086
        start passive "${NET[@]}" "$OURS" -d -d $switch -T 0.01 -u "$1$digit$2$options" - </dev/null
        wait_for 5 file_has passive.err 'listening on\|bound to\|receiving on'
        unset SOCAT_DEFAULT_LISTEN_IP
        kill "$(<passive.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<passive.pid)"
        has "$(<passive.err)" " N .* AF=$family "
        has_not "$(<passive.err)" " E "
    done <<<"$rules"
}

@test "TCP-LISTEN" { versions TCP -LISTEN:0; }
@test "UDP-LISTEN" { versions UDP -LISTEN:0; }
@test "UDP-RECV" { versions UDP -RECV:0; }
@test "UDP-RECVFROM" { versions UDP -RECVFROM:0; }
@test "UDPLITE-RECV" {
    [ -e "/proc/$NETPID/net/udplite" ] || skip "this kernel has no UDP-Lite"
    versions UDPLITE -RECV:0
}
@test "IP-RECV" {
    [ "$(id -u)" = 0 ] || skip "needs root: raw sockets"
    versions IP -RECV:250
}
@test "OPENSSL-LISTEN, DTLS" {
    rules=$(grep -v '^[-06] [46]' <<<"$rules") # these keywords know no version
    versions OPENSSL "-LISTEN:0,cert=$C,verify=0"
    versions OPENSSL "-DTLS-SERVER:0,cert=$C,verify=0"
}

@test "what contradicts" {
    for address in 'TCP4-L:0,bind=[::1]' TCP6-L:0,bind=127.0.0.1 'TCP-L:0,pf=ip4,bind=[::1]' \
        'UDP4-RECV:0,bind=[::1]' UDP6-RECVFROM:0,bind=127.0.0.1; do
        both_fail -u "$address" -
        has "$(<ours.err)" 'Address family for hostname not supported'
    done
    for address in 'TCP4:[::1]:1' TCP6:127.0.0.1:1 'UDP4:[::1]:1' 'TCP4:127.0.0.1:1,bind=[::1]'; do
        both_fail -u - "$address"
    done
    for pf in 4 6 unix local ip xx '' 1 10x; do
        STATUS=1 ours_alone -u "TCP-L:0,pf=$pf" -
        has "$(<ours.err)" " E .*unknown protocol family \"$pf\""
    done
}

# reach <server> <expected for IPv4> <for IPv6>: what clients of both versions get.
reach() {
    local host options=
    local -a server=("${@:1:$#-2}") expected=("${@:$#-1:2}")
    for host in 127.0.0.1 '[::1]'; do
        echo "# ${server[*]}: $host"
        net_serve "${server[@]//@/$P}" pipe
        answer=$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 5 - "TCP:$host:$P" <<<yes 2>client.err) || :
        same "${expected[0]}" "${answer:-no}"
        expected=("${expected[@]:1}")
        net_stop
        next_port
    done
}

@test "who is reached: ipv6-v6only, -0" {
    for program in "$OURS" "$REF_SOCAT"; do
        reach "$program" TCP4-L:@ yes no
        reach "$program" TCP6-L:@,ipv6-v6only no yes
        reach "$program" TCP6-L:@,ipv6-v6only=1 no yes
        reach "$program" TCP6-L:@,ipv6-v6only=0 yes yes
        reach "$program" -6 TCP-L:@,ipv6only=0 yes yes
    done
    reach "$OURS" -0 TCP-L:@ yes yes
    reach "$OURS" -0 TCP-L:@,ipv6-v6only no yes
    reach env SOCAT_DEFAULT_LISTEN_IP=0 "$OURS" TCP-L:@ yes yes
    reach env SOCAT_DEFAULT_LISTEN_IP=6 "$OURS" TCP-L:@,v6only no yes
}

@test "who is reached: datagrams" {
    for row in '4 127.0.0.1' '6 [::1]' '0 127.0.0.1' '0 [::1]'; do
        read -r version host <<<"$row"
        for kind in LISTEN RECVFROM; do
            echo "# $kind -$version $host"
            net_serve "$OURS" "-$version" "UDP-$kind:$P" pipe
            same yes "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 9 - "UDP:$host:$P,readbytes=4" <<<yes)"
            net_stop
            next_port
        done
    done
}

@test "clients: literals and switches" {
    net_serve "$OURS" TCP6-L:"$P",ipv6-v6only=0,fork pipe
    for row in '-4 [::1]' '-6 127.0.0.1' '-0 [::1]' '-0 127.0.0.1' '-4 127.0.0.1' '-6 [::1]'; do
        read -r switch host <<<"$row"
        echo "# $row"
        same yes "$("${NET[@]}" timeout "$LIMIT" "$OURS" "$switch" -t 5 - "TCP:$host:$P" <<<yes)"
    done
    net_stop
}
