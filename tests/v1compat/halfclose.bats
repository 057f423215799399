#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Half close: an answer that is made only when the question has ended gets back, through every type
# of address that can tell its end.
# bats file_tags=thread
load net

prepare_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare_test() {
    C=$BATS_FILE_TMPDIR/certs/server.pem
    seq 1 3000 >in
    SUM=$(cksum <in)
}
in4() { printf 'x%04xx%sx0000000000000000' "$1" "${2:-7f000001}"; }

# through <server> <client>: either may be the reference, when "ref" is given too.
through() {
    local -a pairs=("$OURS $OURS")
    local pair server client
    [ "${3:-}" != ref ] || pairs+=("$OURS $REF_SOCAT" "$REF_SOCAT $OURS")
    for pair in "${pairs[@]}"; do
        read -r server client <<<"$pair"
        echo "# $server $1, $client $2"
        case $1 in
        UNIX* | ABSTRACT*)
            start server "${NET[@]}" "$server" -d -d -t 9 "$1" system:cksum </dev/null
            wait_for 5 file_has server.err 'listening on'
            ;;
        *) net_serve "$server" -t 9 "${1//@/$P}" system:cksum ;;
        esac
        same "$SUM" "$("${NET[@]}" timeout "$LIMIT" "$client" -t 9 - "${2//@/$P}" <in)"
        net_stop
        rm -f s
        next_port
    done
}

@test "TCP" {
    through TCP4-LISTEN:@ TCP4:127.0.0.1:@ ref
    need_net6
    through TCP6-LISTEN:@ 'TCP6:[::1]:@' ref
}
@test "UNIX domain" {
    through UNIX-LISTEN:s UNIX-CONNECT:s ref
    through UNIX-LISTEN:s UNIX-CLIENT:s ref
    through ABSTRACT-LISTEN:s ABSTRACT-CONNECT:s ref
}
@test "TLS" {
    through "OPENSSL-LISTEN:@,pf=ip4,cert=$C,verify=0" OPENSSL:127.0.0.1:@,verify=0
    through "OPENSSL-LISTEN:@,pf=ip4,cert=$C,verify=0,max-version=TLS1.2" OPENSSL:127.0.0.1:@,verify=0
}
@test "generic sockets" {
    through "SOCKET-LISTEN:2:6:$(in4 "$P")" "SOCKET-CONNECT:2:6:$(in4 "$P")"
    through "SOCKET-LISTEN:2:6:$(in4 "$P")" TCP4:127.0.0.1:@
}
@test "UDP: an empty packet is the end" {
    seq 1 300 >in
    SUM=$(cksum <in)
    through UDP4-LISTEN:@ UDP4:127.0.0.1:@
    through UDP4-LISTEN:@ UDP4:127.0.0.1:@,shut-null
    need_net6
    through UDP6-LISTEN:@ 'UDP6:[::1]:@'
}
@test "DTLS: its goodbye ends both directions, so there is no answer" {
    seq 1 300 >in
    net_serve "$OURS" "DTLS-L:$P,bind=127.0.0.1,cert=$C,verify=0" 'system:cksum >sum'
    # The end of input says it; the end of the run, which -t would put off, is not needed for it.
    "${NET[@]}" timeout "$LIMIT" "$OURS" -t 100 - "DTLS:127.0.0.1:$P,verify=0" <in
    wait_for 5 test -s sum
    same "$(cksum <in)" "$(<sum)"
}

# What can be the far end of standard input itself.
@test "programs" {
    for address in system:cksum exec:cksum shell:cksum exec:cksum,pipes system:cksum,pipes \
        system:cksum,commtype=socketpair exec:cksum,socktype=1 system:cksum,stderr shell:cksum,pipes \
        system:cksum,commtype=tcp system:cksum,nofork; do
        echo "# $address"
        same "$SUM" "$(SHELL=/bin/sh timeout "$LIMIT" "$OURS" -t 9 - "$address" <in)"
    done
    for address in system:cksum exec:cksum; do
        same "$SUM" "$(timeout "$LIMIT" "$REF_SOCAT" -t 9 - "$address" <in)"
    done
}

@test "proxies" {
    while read -r address said; do
        echo "# $address"
        start proxy "${NET[@]}" "$PEER" listen $said sum 'send:answer\n' shut </dev/null
        wait_for 5 file_has proxy.out '^port'
        port=$(sed -n 's/^port //p' proxy.out)
        same answer "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 9 - "${address//@/$port}" <in)"
        finish proxy
    done <<'END'
SOCKS4:127.0.0.1:10.1.2.3:80,socksuser=joe,socksport=@ recv:12 send:\0\x5a\0\0\0\0\0\0
SOCKS4A:127.0.0.1:host:80,socksuser=joe,socksport=@ recv:17 send:\0\x5a\0\0\0\0\0\0
SOCKS5:127.0.0.1:@:host:80 recv:3 send:\x05\0 recv:11 send:\x05\0\0\x01\0\0\0\0\0\0
PROXY:127.0.0.1:host:80,proxyport=@ line line send:HTTP/1.0\x20200\x20OK\r\n\r\n
END
}

@test "shut-none, shut-down, shut-close, end-close" {
    through TCP4-LISTEN:@ TCP4:127.0.0.1:@,shut-down ref
    # without a shutdown the other side hears of no end, until all is closed
    net_serve "$OURS" -t 9 "TCP4-LISTEN:$P" 'system:cksum >sum'
    same '' "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 0.1 - "TCP4:127.0.0.1:$P,shut-none" <in)"
    wait_for 5 test -s sum
    same "$SUM" "$(<sum)"
}

@test "the other way round: the server ends first, the client goes on" {
    for program in "$OURS" "$REF_SOCAT"; do
        net_serve "$program" -t 9 "TCP4-LISTEN:$P" 'system:echo begin; exec >&-; cksum >sum'
        same begin "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 9 "TCP4:127.0.0.1:$P" \
            'system:read x; echo $x >&2; cat in' 2>&1 </dev/null)"
        wait_for 5 test -s sum
        same "$SUM" "$(<sum)"
        rm sum
        net_stop
        next_port
    done
}
