#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What takes its time: retry and interval, connect-timeout, accept-timeout, and -T.
load net

prepare_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    # A host that takes packets and never says anything.
    nsenter $NET_USER -n -t "$NETPID" sh -c '
        ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
        ip addr add 10.9.0.1/24 dev v0 && ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:99 dev v0 &&
        ip -6 addr add fd09::1/64 dev v0 nodad &&
        ip neigh add fd09::2 lladdr 02:00:00:00:00:99 dev v0' || :
}
prepare_test() {
    C=$BATS_FILE_TMPDIR/certs/server.pem
    echo hello >in
}

in_net() { timeout -k 5 "$LIMIT" "${NET[@]}" "$@"; }
in4() { printf 'x%04xx%sx0000000000000000' "$1" "${2:-7f000001}"; }

# passed_ms: since "begin" was taken.
begin() { BEGIN=${EPOCHREALTIME/./}; }
passed_ms() { echo $(((${EPOCHREALTIME/./} - BEGIN) / 1000)); }

@test "accept-timeout: W, and status 0, on every listener" {
    need_net6
    for address in TCP4-LISTEN:0 TCP6-LISTEN:0 UNIX-LISTEN:s ABSTRACT-LISTEN:s UDP4-LISTEN:0 \
        UDP6-LISTEN:0 "OPENSSL-LISTEN:0,cert=$C" "OPENSSL-DTLS-SERVER:0,cert=$C" \
        "SOCKET-LISTEN:2:6:$(in4 "$P")" TCP4-LISTEN:0,fork; do
        echo "# $address"
        begin
        in_net "$OURS" "$address,accept-timeout=0.1" pipe 2>log
        has "$(<log)" ' W accept: Connection timed out$'
        has_not "$(<log)" ' E '
        (($(passed_ms) >= 100))
        [ ! -e s ]
    done
    in_net "$REF_SOCAT" TCP4-LISTEN:0,accept-timeout=0.1 pipe # and so has the reference
}

@test "accept-timeout=0: no limit" {
    for program in "$OURS" "$REF_SOCAT"; do
        next_port
        net_serve "$program" "TCP-LISTEN:$P,accept-timeout=0" PIPE
        same hello "$("${NET[@]}" "$OURS" -t 5 - "TCP:127.0.0.1:$P" <<<hello)"
        finish server
        next_port
    done
    net_serve "$OURS" "UDP-LISTEN:$P,accept-timeout=0" PIPE
    same hello "$("${NET[@]}" "$OURS" -t 1 - "UDP:127.0.0.1:$P" <<<hello)"
    net_stop
}

@test "accept-timeout does not end what has been accepted" {
    net_serve "$OURS" -d -d -T 2.2 "TCP4-LISTEN:$P,accept-timeout=2" pipe
    in_net "$OURS" -u "TCP4:127.0.0.1:$P" - # which ends when the server does
    finish server
    has "$(<server.err)" 'inactivity timeout'
    has_not "$(<server.err)" ' [EW] '
    next_port
    # a refused one is none: the time goes on
    start server "${NET[@]}" "$OURS" -d -d \
        "TCP4-LISTEN:$P,reuseaddr,accept-timeout=0.5,range=127.0.0.2/32" pipe </dev/null
    wait_for 5 file_has server.err 'listening on'
    in_net "$OURS" - "TCP4:127.0.0.1:$P" </dev/null || :
    finish server
    has "$(<server.err)" 'accept: Connection timed out'
}

@test "connect-timeout" {
    need_net6
    in_net ping -c 1 -W 1 10.9.0.2 >/dev/null 2>&1 && skip "no silent host here"
    for address in TCP4:10.9.0.2:9 'TCP6:[fd09::2]:9' TCP:10.9.0.2:9 OPENSSL:10.9.0.2:9,verify=0 \
        SOCKS4:10.9.0.2:10.1.2.3:80,socksuser=x SOCKS4A:10.9.0.2:host:80,socksuser=x \
        SOCKS5:10.9.0.2:host:80 PROXY:10.9.0.2:host:80 "SOCKET-CONNECT:2:6:$(in4 9 0a090002)"; do
        echo "# $address"
        begin
        in_net "$OURS" - "$address,connect-timeout=0.1" </dev/null 2>log && return 1
        has "$(<log)" ' E .*Connection timed out'
        (($(passed_ms) >= 100))
    done
    fails in_net "$REF_SOCAT" - TCP4:10.9.0.2:9,connect-timeout=0.1 </dev/null 2>log
    has "$(<log)" ' E .*Connection timed out'
    # who answers is not disturbed
    net_serve "$OURS" "TCP4-LISTEN:$P" pipe
    in_net "$OURS" -d -d -T 0.3 stall "TCP4:127.0.0.1:$P,connect-timeout=0.2" 2>log
    has "$(<log)" 'inactivity timeout'
    has_not "$(<log)" ' [EW] '
    finish server
}

@test "connect-timeout: several attempts" {
    fails in_net "$OURS" -d -d - TCP4:10.9.0.2:9,connect-timeout=0.05,retry=2,interval=0.01 </dev/null 2>log
    same 3 "$(grep -c 'opening connection to AF=2 10.9.0.2:9' log)"
    same 1 "$(grep -c ' E ' log)"
}

# attempts <address> <how one looks>: with retry=3 there are four, and then an error.
attempts() {
    echo "# $1"
    begin
    fails in_net "$OURS" -d -d "$1,retry=3,interval=0.05" - </dev/null 2>log
    same 4 "$(grep -c -e "$2" log)"
    same 1 "$(grep -c ' E ' log)"
    (($(passed_ms) >= 150))
}

@test "retry and interval: how many attempts there are" {
    attempts "TCP4:127.0.0.1:$P" ' opening connection to AF=2 127'
    attempts "TCP6:[::1]:$P" ' opening connection to AF=10 '
    attempts "OPENSSL:127.0.0.1:$P,verify=0" ' opening connection to AF=2 127'
    attempts "SOCKS4:127.0.0.1:10.1.2.3:80,socksuser=x,socksport=$P" 'opening connection to AF=2 127'
    attempts "SOCKS5:127.0.0.1:host:80,socksport=$P" 'opening connection to AF=2 127'
    attempts "PROXY:127.0.0.1:host:80,proxyport=$P" 'opening connection to AF=2 127'
    attempts UNIX-CONNECT:nosuch 'opening connection to '
    attempts ABSTRACT-CONNECT:nosuch 'opening connection to '
    attempts "SOCKET-CONNECT:2:6:$(in4 "$P")" 'opening connection to '
    start other "${NET[@]}" "$OURS" "TCP4-LISTEN:$P" pipe </dev/null
    wait_for 5 net_bound "$P"
    attempts "TCP4-LISTEN:$P" 'Address already in use'
    attempts "OPENSSL-LISTEN:$P,pf=ip4,cert=$C" 'Address already in use'
    kill "$(<other.pid)"
}

# later <client> <server> <seen>: the server comes when the client has found nobody.
later() {
    echo "# $*"
    start client "${NET[@]}" "$OURS" -d -d -t 5 - "$1,retry=500,interval=0.02" <in
    wait_for 5 file_has client.err 'refused\|No such file'
    start server "${NET[@]}" "$OURS" "$2" pipe </dev/null
    finish client
    cmp in client.out
    has_not "$(<client.err)" ' [EW] '
    net_stop
    next_port
}

@test "retry until somebody is there" {
    need_net6
    later "TCP4:127.0.0.1:$P" "TCP4-LISTEN:$P"
    later "TCP6:[::1]:$P" "TCP6-LISTEN:$P"
    later "OPENSSL:127.0.0.1:$P,verify=0" "OPENSSL-LISTEN:$P,pf=ip4,cert=$C,verify=0"
    later UNIX:s UNIX-LISTEN:s
    later ABSTRACT:s ABSTRACT-LISTEN:s
    later "TCP4:127.0.0.1:$P,forever" "TCP4-LISTEN:$P"
    later "SOCKET-CONNECT:2:6:$(in4 "$P")" "TCP4-LISTEN:$P"
}

@test "retry: of the second address, and of a client that forks" {
    start client "${NET[@]}" "$OURS" -d -d -t 5 UNIX-LISTEN:a \
        "TCP4:127.0.0.1:$P,forever,interval=0.02" </dev/null
    wait_for 5 file_has client.err 'listening on'
    start asks "$OURS" -t 5 - UNIX:a <in
    start server "${NET[@]}" "$OURS" "TCP4-LISTEN:$P" pipe </dev/null # at once found and closed again
    finish asks
    cmp in asks.out
    next_port
    start loops "${NET[@]}" "$OURS" "TCP4:127.0.0.1:$P,fork,max-children=1,forever,interval=0.02" \
        'system:echo once more' </dev/null
    for _ in 1 2; do
        same 'once more' "$(in_net "$OURS" -t 5 "TCP4-LISTEN:$P,reuseaddr" - </dev/null)"
    done
    kill "$(<loops.pid)"
}

@test "-T: ends what is idle, with status 0" {
    net_serve "$OURS" TCP4-LISTEN:"$P",fork pipe
    mkfifo hold
    exec 7<>hold
    for pair in 'pipe pipe' 'stall stall' "- TCP4:127.0.0.1:$P" '- system:cat' '- exec:cat,pipes' \
        'pty -' "- UDP4:127.0.0.1:$P" '- SOCKETPAIR' '-u UNIX-RECV:u -' '-u UDP4-RECV:0 -'; do
        echo "# $pair"
        begin
        # shellcheck disable=SC2086
        in_net "$OURS" -d -d -T 0.1 $pair <hold >/dev/null 2>log
        has "$(<log)" 'inactivity timeout'
        has_not "$(<log)" ' [EW] '
        (($(passed_ms) >= 100))
    done
    exec 7>&-
    net_stop
}

# Numbers, slowly: each comes long before the time is over, and all together take longer than it.
slowly() {
    local i
    mkfifo "$1"
    for i in 1 2 3 4 5 6 7 8; do
        read -rt 0.25 <>"$1" || :
        echo "$i"
    done
}

@test "-T: begins anew with each block, in either direction" {
    start there timeout "$LIMIT" "$OURS" -T 1.8 - pipe < <(slowly one)
    net_serve "$OURS" -u "TCP4-LISTEN:$P" create:got
    start back timeout "$LIMIT" "${NET[@]}" "$OURS" -T 1.8 "TCP4:127.0.0.1:$P" - < <(slowly two)
    finish there
    same 8 "$(tail -n 1 there.out)"
    wait_for 10 file_has got 8
}

@test "-T: numbers" {
    for number in 0 0.0; do in_net "$OURS" -T "$number" pipe pipe; done
    net_serve "$OURS" -T -1 "TCP4-LISTEN:$P" pipe # none at all
    same hello "$(in_net "$OURS" -t 5 - "TCP4:127.0.0.1:$P" <in)"
    for number in x 1s ''; do STATUS=1 ours_alone -T "$number" pipe pipe; done
}

@test "-T: longer than anything runs is not at once, and hides no other deadline" {
    for number in 1e10 1e300 inf; do
        echo one >file
        start reader "$OURS" -t "$number" -T "$number" -u open:file,ignoreeof - </dev/null
        wait_for 10 file_has reader.out one
        echo two >>file
        wait_for 10 file_has reader.out two
        kill "$pid"
        wait_for 5 is_gone "$pid"
    done
}

@test "-T: in each child of a server that forks" {
    net_serve "$OURS" -d -d -T 0.2 "TCP4-LISTEN:$P,fork" pipe
    for _ in 1 2; do
        # the server's child ends it
        in_net "$OURS" -u "TCP4:127.0.0.1:$P" - >out
        same '' "$(<out)"
    done
    same 2 "$(grep -c 'inactivity timeout' server.err)"
    kill -0 "$(<server.pid)" # who waits for clients is not idle
    net_stop
}
