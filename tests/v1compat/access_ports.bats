#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may come in by port, and by the tables of tcpwrap: sourceport, lowport, tcpwrap and what goes
# with it, on every passive address.
load access

ports() {
    version "$1"
    rows "$2" sourceport=@ '' sourceport=@
    rows "$2" lowport '' lowport
}
@test "sourceport, lowport: streams, IPv4" { ports 4 "$streams"; }
@test "sourceport, lowport: streams, IPv6" { ports 6 "$streams"; }
@test "sourceport, lowport: UDP over IPv4" { ports 4 "$udps"; }
@test "sourceport: DATAGRAM without bind uses it, as a sender does" {
    version 4
    net_serve "$OURS" "UDP4-RECVFROM:$P,fork" 'system:cat >/dev/null; echo \$SOCAT_PEERPORT'
    for address in DATAGRAM SENDTO; do
        same "$Q" "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 9 - "UDP4-$address:$H:$P,sp=$Q,readbytes=6" <<<x)"
    done
    net_stop
}
@test "sourceport, lowport: UDP over IPv6" { ports 6 "$udps"; }
@test "sourceport, lowport: UDP-Lite over IPv4" { need_udplite; ports 4 "$lites"; }
@test "sourceport, lowport: UDP-Lite over IPv6" { need_udplite; ports 6 "$lites"; }
@test "sourceport, lowport: DTLS" { ports 4 DTLS; ports 6 DTLS; }

# What the tables are called, and which of them are needed.
@test "tcpwrap: ways to name the tables" {
    need_wrap
    version 4
    rows ref:TCP "tcpwrap=wrapped,tcpwrap-etc=$T/etc" bind="$H" bind="$OTHER"
    rows TCP "tcpwrap=wrapped,allow-table=$T/allow,deny-table=$T/deny" bind="$H" bind="$OTHER"
    # an option of its own wins over the directory
    echo "wrapped: $H" >etc/hosts.allow
    rows ref:TCP "tcpwrap=wrapped,tcpwrap-etc=$T/etc,hosts-allow=$T/allow" bind="$H" bind="$OTHER"
    # without a name: that of the program
    echo "socat: $OTHER" >allow
    rows ref:TCP "tcpwrap,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
    # what no table names may come in; rules for others say nothing
    : >allow
    echo "socat: $H" >deny
    rows TCP "hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
    echo "other: ALL" >allow
    rows ref:TCP "tcpwrap,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
}

@test "tcpwrap and range: both must let a peer in" {
    need_wrap
    version 4
    rule="tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny,range=127.0.0.2/31"
    rows TCP "$rule" bind=127.0.0.3 bind="$OTHER"
    rows UDP-RECV "$rule" bind=127.0.0.3 bind="$OTHER"
    rows TCP "range=$OTHER4/32,${rule%,range*}" bind="$H" bind="$OTHER"
}

wrapped() {
    need_wrap
    version "$1"
    rows "$2" "tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny" bind="$H" bind="$OTHER"
}
@test "tcpwrap: streams, IPv4" { wrapped 4 "$streams"; }
@test "tcpwrap: streams, IPv6" { wrapped 6 "$streams"; }
@test "tcpwrap: UDP over IPv4" { wrapped 4 "$udps"; }
@test "tcpwrap: UDP over IPv6" { wrapped 6 "$udps"; }
@test "tcpwrap: UDP-Lite" { need_udplite; wrapped 4 "$lites"; wrapped 6 "$lites"; }
@test "tcpwrap: raw IP" { need_raw; wrapped 4 "$raws"; wrapped 6 "$raws"; }
@test "tcpwrap: DTLS" { wrapped 4 DTLS; wrapped 6 DTLS; }

# A listening socket as descriptor 3: the same rules as for one of our own.
@test "ACCEPT-FD" {
    command -v python3 >/dev/null || skip "needs python3"
    cat >passes.py <<'END'
import os, socket, sys
s = socket.socket(); s.bind(('', int(sys.argv[1]))); s.listen(9)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])
END
    version 4
    for rule in "range=$OTHER4/32" sourceport=40000 lowport \
        "tcpwrap=wrapped,hosts-allow=$T/allow,hosts-deny=$T/deny"; do
        good=bind=$OTHER4
        case $rule in *port*) good=$rule ;; esac
        echo "# $rule"
        rm -f got
        net_serve python3 passes.py "$P" "$OURS" -d -d -u "ACCEPT-FD:3,$rule" open:got,creat,append
        refused TCP ''
        wait_for 5 file_has server.err ' W refusing connection from .*'"$(log_of "$rule")"
        "${NET[@]}" timeout "$LIMIT" "$OURS" -u text:yes "$(client_of TCP "$good")"
        finish server
        same yes "$(<got)"
        next_port
    done
}
