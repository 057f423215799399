#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# SOCKS and HTTP proxy dialogs byte by byte: what is sent, all forms of what may come back, and the
# forwarders turned round (gender changers).
load common

prepare() {
    OURS=$BATS_FILE_TMPDIR/ours/socat
    H=127.0.0.1
    echo hello >in
    unset LOGNAME USER
}

# dialog <program> <address> <steps...>: a server on $port that does the steps; @ in the address is
# its port. The client's output in client.out, its status in status.
dialog() {
    local program=$1 address=$2
    shift 2
    start_peer server "$@"
    status=0
    timeout "$LIMIT" "$program" ${SWITCHES:-} -t 5 - "${address//@/$port}" <in >client.out \
        2>client.err || status=$?
    sed 1d server.out >got
}

# good, bad: the dialog ended in "answer", or in an error without one.
good() {
    echo "# $2"
    dialog "$@" 'send:answer\n' line shut eof
    finish server
    same 0 "$status"
    same answer "$(<client.out)"
}
bad() {
    echo "# $2 $*"
    dialog "$@"
    same 1 "$status"
    same '' "$(<client.out)"
    has "$(<client.err)" ' E '
}

# sent <bytes as printf takes them>: what the server got first.
sent() {
    # shellcheck disable=SC2059
    printf "$1" >expected
    head -c "$(wc -c <expected)" got | cmp - expected
}

# --- SOCKS4, 4A ---

@test "SOCKS4: the request" {
    for p in "$OURS" "$REF_SOCAT"; do
        good "$p" "SOCKS4:$H:10.1.2.3:80,socksport=@,socksuser=joe" recv:12 'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\0\120\12\1\2\3joe\0'
        good "$p" "SOCKS4:$H:32.98.76.54:32109,socksport=@,socksuser=nobody" recv:15 \
            'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\175\155\40\142\114\66nobody\0'
        good "$p" "SOCKS:$H:localhost:http,pf=ip4,socksport=@,socksuser=" recv:9 'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\0\120\177\0\0\1\0'
        # who is asking
        LOGNAME=ann USER=bob good "$p" "SOCKS4:$H:10.1.2.3:80,socksport=@" recv:12 'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\0\120\12\1\2\3ann\0'
        USER=bob good "$p" "SOCKS4:$H:10.1.2.3:80,socksport=@" recv:12 'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\0\120\12\1\2\3bob\0'
        good "$p" "SOCKS4:$H:10.1.2.3:80,socksport=@" recv:18 'send:\0\x5a\0\0\0\0\0\0'
        sent '\4\1\0\120\12\1\2\3anonymous\0'
    done
}

@test "SOCKS4A: the request" {
    for p in "$OURS" "$REF_SOCAT"; do
        good "$p" "SOCKS4A:$H:www.example.org:80,socksport=@,socksuser=joe" recv:28 \
            'send:\0\x5a\1\2\3\4\5\6'
        sent '\4\1\0\120\0\0\0\1joe\0www.example.org\0'
    done
    good "$OURS" "SOCKS4-CLIENT:$H:10.1.2.3:80,socksport=@,socksuser=joe" recv:12 'send:\0\x5a\0\0\0\0\0\0'
    good "$OURS" "SOCKS4A-CLIENT:$H:a:1,socksport=@,socksuser=joe" drip recv:14 'send:\0\x5a\1\2\3\4\5\6'
    sent '\4\1\0\1\0\0\0\1joe\0a\0'
}

@test "SOCKS4: answers" {
    for answer in '\0\x5b\0\0\0\0\0\0' '\0\x5c\0\0\0\0\0\0' '\0\x5d\0\0\0\0\0\0' '\0\x5e\0\0\0\0\0\0' \
        '\0\0\0\0\0\0\0\0' '\0\x5a\0\0' ''; do
        for p in "$OURS" "$REF_SOCAT"; do
            bad "$p" "SOCKS4:$H:10.1.2.3:80,socksport=@,socksuser=joe" recv:12 "send:$answer" shut
            bad "$p" "SOCKS4A:$H:a:80,socksport=@,socksuser=joe" recv:14 "send:$answer" shut
        done
    done
}

# --- SOCKS5 ---

S5='SOCKS5-CONNECT:127.0.0.1:@'

@test "SOCKS5: each type of address in request and reply" {
    # parameters; bytes of the request; what it looks like; the reply's address
    while read -r target count request reply; do
        good "$OURS" "$S5:$target" recv:3 'send:\x05\0' "recv:$count" "send:\x05\0\0$reply"
        sent '\5\1\0'"$request"
    done <<'END'
10.1.2.3:80 10 \5\1\0\1\12\1\2\3\0\120 \x01\x01\x02\x03\x04\x00\x50
host:80 11 \5\1\0\3\4host\0\120 \x01\x01\x02\x03\x04\x00\x50
host:80 11 \5\1\0\3\4host\0\120 \x03\x0bwww.example\x00\x50
host:80 11 \5\1\0\3\4host\0\120 \x03\x01a\x00\x50
host:80 11 \5\1\0\3\4host\0\120 \x03\x00\x00\x50
host:80 11 \5\1\0\3\4host\0\120 \x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50
[::1]:65535 22 \5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\377\377 \x01\x01\x02\x03\x04\x00\x50
END
    long=$(printf 'x%.0s' {1..255})
    good "$OURS" "$S5:host:80" recv:3 'send:\x05\0' recv:11 "send:\x05\0\0\x03\xff$long\0\x50"
    has "$(SWITCHES=-ddd good "$OURS" "$S5:host:80" recv:3 'send:\x05\0' recv:11 \
        'send:\x05\0\0\x01\x0a\x00\x00\x01\x1f\x90'; cat client.err)" '10\.0\.0\.1:8080'
}

@test "SOCKS5: replies byte by byte" {
    good "$OURS" "$S5:host:80" recv:3 drip 'send:\x05\0' recv:11 'send:\x05\0\0\x03\x04name\0\x50'
    good "$OURS" "$S5:host:80,socksuser=u,sockspass=p" recv:4 drip 'send:\x05\x02' recv:5 \
        'send:\x01\0' recv:11 'send:\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x50'
}

@test "SOCKS5: who is asking" {
    for names in socksuser=joe,sockspass=secret socks5-username=joe,socks5-password=secret; do
        good "$OURS" "$S5:host:80,$names" recv:4 'send:\x05\x02' recv:12 'send:\x01\0' recv:11 \
            'send:\x05\0\0\x01\0\0\0\0\0\0'
        sent '\5\2\0\2\1\3joe\6secret\5\1\0\3\4host\0\120'
        # the server does not want to know
        good "$OURS" "$S5:host:80,$names" recv:4 'send:\x05\0' recv:11 'send:\x05\0\0\x01\0\0\0\0\0\0'
        sent '\5\2\0\2\5\1\0\3\4host\0\120'
    done
    good "$OURS" "$S5:host:80,socksuser=joe" recv:4 'send:\x05\x02' recv:6 'send:\x01\0' recv:11 \
        'send:\x05\0\0\x01\0\0\0\0\0\0'
    sent '\5\2\0\2\1\3joe\0\5\1\0\3\4host\0\120'
    has "$(<client.err)" ' W .*password'
    bad "$OURS" "$S5:host:80,socksuser=joe,sockspass=x" recv:4 'send:\x05\x02' recv:7 'send:\x01\x01' shut
    has "$(<client.err)" 'refused the login of user "joe"'
}

@test "SOCKS5: answers that end it" {
    for answer in '\x04\0' '\x05\xff' '\x05\x02' '\x05\x01' '\x05' ''; do
        bad "$OURS" "$S5:host:80" recv:3 "send:$answer" shut
    done
    while read -r status text; do
        bad "$OURS" "$S5:host:80" recv:3 'send:\x05\0' recv:11 \
            "send:\x05\x0$status\0\x01\0\0\0\0\0\0" shut
        has "$(<client.err)" "$text"
    done <<'END'
1 general SOCKS server failure
2 not allowed
3 [Nn]etwork unreachable
4 [Hh]ost unreachable
5 [Cc]onnection refused
6 TTL expired
7 [Cc]ommand not supported
8 [Aa]ddress type not supported
9 unknown status 9
END
    for reply in '\x04\0\0\x01\0\0\0\0\0\0' '\x05\0\0\x02\0\0\0\0\0\0' '\x05\0\0\x01\0\0' '\x05' \
        '\x05\0\0\x03\xffab' '\x05\0\0\x04\0\0'; do
        bad "$OURS" "$S5:host:80" recv:3 'send:\x05\0' recv:11 "send:$reply" shut
    done
}

@test "SOCKS5: the forms of its address, and the port by default" {
    good "$OURS" "SOCKS5:$H:host:80,socksport=@" recv:3 'send:\x05\0' recv:11 \
        'send:\x05\0\0\x01\0\0\0\0\0\0'
    good "$OURS" "SOCKS5-CONNECT:$H:@:host:http" recv:3 'send:\x05\0' recv:11 \
        'send:\x05\0\0\x01\0\0\0\0\0\0'
    sent '\5\1\0\5\1\0\3\4host\0\120'
    for address in "SOCKS5:$H:host:80" "SOCKS4:$H:10.1.2.3:80"; do
        start client "$OURS" -d -d - "$address,bind=$H" <in
        finish client 1 # whether anybody is there or not
        has "$(<client.err)" 'opening connection to AF=2 127.0.0.1:1080'
    done
}

@test "SOCKS5-LISTEN: a second reply when somebody connects" {
    for keyword in SOCKS5-LISTEN SOCKS5-BIND; do
        SWITCHES=-d\ -d good "$OURS" "$keyword:$H:@:10.1.2.3:0" recv:3 'send:\x05\0' recv:10 \
            'send:\x05\0\0\x01\x0a\x09\x08\x07\x1f\x90' \
            'send:\x05\0\0\x03\x04name\x12\x34'
        sent '\5\1\0\5\2\0\1\12\1\2\3\0\0'
        has "$(<client.err)" ' N listening on remote host, waiting for connection'
        has "$(<client.err)" ' N received connection on remote host'
    done
    bad "$OURS" "SOCKS5-LISTEN:$H:@:10.1.2.3:0" recv:3 'send:\x05\0' recv:10 \
        'send:\x05\0\0\x01\x0a\x09\x08\x07\x1f\x90' shut
    bad "$OURS" "SOCKS5-LISTEN:$H:@:10.1.2.3:0" recv:3 'send:\x05\0' recv:10 \
        'send:\x05\x07\0\x01\0\0\0\0\0\0' shut
    bad "$OURS" "SOCKS5-LISTEN:$H:@:10.1.2.3:0" recv:3 'send:\x05\0' recv:10 \
        'send:\x05\0\0\x01\x0a\x09\x08\x07\x1f\x90' 'send:\x05\x06\0\x01\0\0\0\0\0\0' shut
}

# --- HTTP ---

@test "PROXY: the request" {
    for p in "$OURS" "$REF_SOCAT"; do
        good "$p" "PROXY:$H:host:443,proxyport=@" line line 'send:HTTP/1.0 200 OK\r\n\r\n'
        sent 'CONNECT host:443 HTTP/1.0\r\n\r\n'
        good "$p" "PROXY-CONNECT:$H:10.1.2.3:99,proxyport=@,proxyauth=joe:secret" line line line \
            'send:HTTP/1.0 200 OK\r\n\r\n'
        sent 'CONNECT 10.1.2.3:99 HTTP/1.0\r\nProxy-authorization: Basic am9lOnNlY3JldA==\r\n\r\n'
        good "$p" "PROXY:$H:localhost:443,pf=ip4,proxyport=@,resolve" line line \
            'send:HTTP/1.0 200 OK\r\n\r\n'
        sent 'CONNECT 127.0.0.1:443 HTTP/1.0\r\n\r\n'
        printf 'joe:secret\nmore\n' >auth
    done
    good "$OURS" "PROXY:$H:host:443,proxyport=@,proxyauthfile=auth" line line line \
        'send:HTTP/1.0 200 OK\r\n\r\n'
    sent 'CONNECT host:443 HTTP/1.0\r\nProxy-authorization: Basic am9lOnNlY3JldA==\r\n\r\n'
    good "$OURS" "PROXY:$H:host:443,proxyport=@,http-version=1.1" line line \
        'send:HTTP/1.1 200 OK\r\n\r\n'
    sent 'CONNECT host:443 HTTP/1.1\r\n\r\n'
    good "$OURS" "PROXY:$H:[::1]:https,proxyport=@" line line 'send:HTTP/1.0 200 OK\r\n\r\n'
    sent 'CONNECT [::1]:443 HTTP/1.0\r\n\r\n'
}

@test "PROXY: replies that are good" {
    for p in "$OURS" "$REF_SOCAT"; do
        for reply in 'HTTP/1.1 200 Connection established\r\n\r\n' 'HTTP/1.0 200 OK\r\nA: b\r\nC: d\r\n\r\n' \
            'HTTP/1.0   200 OK\r\n\r\n' 'HTTP/1.1  200   \r\n\r\n'; do
            good "$p" "PROXY:$H:host:443,proxyport=@" line line "send:$reply"
        done
        good "$p" "PROXY:$H:host:443,proxyport=@,ignorecr" line line 'send:HTTP/1.0 200 OK\nA: b\n\n'
        good "$p" "PROXY:$H:host:443,proxyport=@,ignorecr" line line 'send:HTTP/1.0 200 OK\r\n\r\n'
    done
    good "$OURS" "PROXY:$H:host:443,proxyport=@" line line 'send:HTTP/1.0 204 none\r\n\r\n'
    good "$OURS" "PROXY:$H:host:443,proxyport=@" line line drip 'send:HTTP/1.0 200 OK\r\n\r\n'
}

@test "PROXY: replies that are not" {
    for p in "$OURS" "$REF_SOCAT"; do
        for reply in 'HTTP/1.0 407 Proxy Authentication Required\r\n\r\n' 'HTTP/1.0 500 no\r\n\r\n' \
            'HTTP/1.0 100 go on\r\n\r\n' 'nonsense\r\n\r\n' 'HTTP/1.0 200 OK\r\n' ''; do
            bad "$p" "PROXY:$H:host:443,proxyport=@" line line "send:$reply" shut
        done
        bad "$p" "PROXY:$H:host:443,proxyport=@" line line reset
    done
    bad "$OURS" "PROXY:$H:host:443,proxyport=@,proxyauthfile=nosuch" shut
}

# --- both ends, and turned round ---

@test "gender changers: two connections joined, whoever opens them" {
    p1=$(free_port) p2=$(free_port)
    for program in "$OURS" "$REF_SOCAT"; do
        # two who connect meet between two listeners
        start middle "$program" "TCP4-L:$p1,bind=$H,reuseaddr" "TCP4-L:$p2,bind=$H,reuseaddr" </dev/null
        wait_for 5 port_listens "$p1"
        start one "$OURS" -t 5 - "TCP4:$H:$p1" <in
        wait_for 5 port_listens "$p2"
        "$program" -t 5 "TCP4:$H:$p2" 'system:cat >there; echo back' </dev/null
        finish one
        same back "$(<one.out)"
        finish middle
        same hello "$(<there)"
        rm there
        p1=$(free_port) p2=$(free_port)
    done
}

@test "gender changers: a forwarder inside that connects outwards, again and again" {
    p1=$(free_port) p2=$(free_port)
    start service "$OURS" "TCP4-L:$p1,bind=$H,reuseaddr,fork" 'system:tr a-z A-Z' </dev/null
    wait_for 5 port_listens "$p1"
    start outside "$OURS" "TCP4-L:$p2,bind=$H,reuseaddr,fork,max-children=1" \
        UNIX-LISTEN:meet,unlink-early,accept-timeout=20 </dev/null
    start inside "$OURS" "TCP4:$H:$p2,fork,forever,interval=0.02,max-children=1" "TCP4:$H:$p1" </dev/null
    for i in one two; do
        wait_for 5 test -S meet
        same "${i^^}" "$("$OURS" -t 5 - UNIX:meet,retry=50,interval=0.02 <<<"$i")"
    done
    kill "$(<inside.pid)" "$(<outside.pid)" "$(<service.pid)"
}

@test "gender changers: listening through SOCKS5 and PROXY" {
    # the proxy's other side is a server of ours; the client inside connects out through it
    start_peer proxy line line 'send:HTTP/1.0 200 OK\r\n\r\n' echo shut
    p1=$(free_port)
    start changer "$OURS" "TCP4-L:$p1,bind=$H,reuseaddr" "PROXY:$H:far:99,proxyport=$port" </dev/null
    wait_for 5 port_listens "$p1"
    same hello "$("$OURS" -t 5 - "TCP4:$H:$p1" <in)"
    finish changer
    start_peer proxy recv:3 'send:\x05\0' recv:10 'send:\x05\0\0\x01\1\1\1\1\0\1' \
        'send:\x05\0\0\x01\1\1\1\1\0\1' 'send:question\n' line eof
    start changer "$OURS" -t 5 "SOCKS5-LISTEN:$H:$port:0.0.0.0:7" \
        'system:read q; echo answer to $q' </dev/null
    finish proxy
    finish changer
    grep -aq 'answer to question$' proxy.out
}
