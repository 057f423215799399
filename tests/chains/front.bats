#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What stands in front of servers: PROXY headers there and back, and clients who are led by what they say first.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    C=$BATS_FILE_TMPDIR/certs
    printf '#!/bin/sh\nread -r x\nenv | sed -n "s/^SOCAT_//p" | tr "\\n" " "\necho "said:$x"\n' >show
    chmod +x show
}
# waits <text>: sends it, and no more; what comes then, until the end or up to its first line
waits() {
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    printf %s "$1" >&5
    IFS= read -r -t "$LIMIT" answer <&5 || :
    exec 5>&-
    printf %s "$answer"
}
talk() { catena -t 5 - "$@"; } # <chain>
# front <name> <chain> [<left chain>]: a proxy of that right chain, at $port.
front() { start_listener "$1" "${3:-tcp-l:0,bind=127.0.0.1,thread}" "$2"; }
fact() { sed -n "s/.*\b$1=\([^ ]*\) .*/\1/p" <<<"$output"; }

@test "the client is the peer behind a proxy: version 1 and 2, fork, thread, alone and reverse" {
    for way in fork thread alone reverse; do
        case $way in
        alone) start_listener server 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1' exec:./show ;;
        reverse) start_listener server tcp-l:0,bind=127.0.0.1,fork '^proxy-protocol-server|exec:./show' ;;
        *) start_listener server "proxy-protocol-server|tcp-l:0,bind=127.0.0.1,$way" exec:./show ;;
        esac
        server=$port
        front proxy "proxy-protocol|tcp:127.0.0.1:$server"
        for version in 1 2; do
            [ $version = 1 ] || front two "proxy-protocol,version=2|tcp:127.0.0.1:$server" || return
            output=$(echo hello | talk "tcp:127.0.0.1:$port,bind=127.0.0.3:0")
            has "$output" 'said:hello'
            same "127.0.0.3 127.0.0.1 127.0.0.1 $port" "$(fact PEERADDR) $(fact PROXYADDR) $(fact SOCKADDR) $(fact SOCKPORT)"
            [ "$(fact PEERPORT)" != "$(fact PROXYPORT)" ]
            [ $way != alone ] || break
        done
        [ $way = alone ] || [ $way = reverse ] || has "$(<server.err)" "connection with 127.0.0.3:[0-9]* ended"
        kill "$(<proxy.pid)" "$(<server.pid)" 2>/dev/null || :
    done
}

@test "what is known of the client's TLS goes along, and through a second proxy; in TLS and before it; UDP and UNIX clients" {
    start_listener server "proxy-protocol-server|unix-l:sock,fork" exec:./show || [ -S sock ]
    start_listener two "proxy-protocol-server|tcp-l:0,bind=127.0.0.1,thread" "proxy-protocol,tls,authority,unique-id=c-{uniqueid},crc32c|unix:sock"
    front one "proxy-protocol,tls,authority,unique-id=17|tcp:127.0.0.1:$port" \
        "openssl-server,cert=$C/server.pem,cafile=$C/ca.crt|tcp-l:0,bind=127.0.0.1,thread"
    output=$(echo hello | talk "openssl,cafile=$C/ca.crt,cert=$C/client.pem,commonname=localhost|tcp:127.0.0.1:$port,bind=127.0.0.4:0")
    same '127.0.0.4 <anon> localhost TLSv1.3 client.example c-17' \
        "$(fact PEERADDR) $(fact PROXYADDR) $(fact SNI) $(fact OPENSSL_PROTO_VERSION) $(fact OPENSSL_X509_COMMONNAME) $(fact UNIQUEID)"
    start_listener inside "proxy-protocol-server|openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,thread" exec:./show
    front outer "proxy-protocol|openssl,cafile=$C/ca.crt,commonname=localhost|tcp:127.0.0.1:$port"
    has "$(echo hello | talk "tcp:127.0.0.1:$port,bind=127.0.0.6:0")" 'PEERADDR=127.0.0.6 '
    start_listener before "openssl-server,cert=$C/server.pem,verify=0|proxy-protocol-server|tcp-l:0,bind=127.0.0.1,fork" exec:./show
    front outer "openssl,cafile=$C/ca.crt,commonname=localhost|proxy-protocol,version=2|tcp:127.0.0.1:$port"
    has "$(echo hello | talk "tcp:127.0.0.1:$port,bind=127.0.0.7:0")" 'PEERADDR=127.0.0.7 '
    start_listener udp udp-l:0,bind=127.0.0.1,fork "proxy-protocol,version=2|unix:sock"
    has "$(echo hello | catena -T 1 - "udp:127.0.0.1:$port,bind=127.0.0.5:0")" 'PEERADDR=127.0.0.5 '
    start unix "$CATENA_BIN" unix-l:own,thread "proxy-protocol,version=2|unix:sock"
    wait_for 10 unix_listens own
    has "$(echo hello | talk unix:own)" "SOCKADDR=.*own "
}

@test "curl; who speaks for himself; range, tcpwrap and names of files mean the client" {
    printf '#!/bin/sh\nread -r x\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\n%%s:%%s\\n" "$SOCAT_PEERADDR" "$SOCAT_PEERPORT"\n' >web
    chmod +x web
    start_listener web 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1,fork' exec:./web
    has "$(curl -sS -m "$LIMIT" --haproxy-protocol --interface 127.0.0.9 "http://127.0.0.1:$port/")" '^127.0.0.9:[0-9]*$'
    local='PEERADDR=127.0.0.1 '
    start_listener server 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1,fork' exec:./show
    for header in proxy-protocol proxy-protocol,version=2 proxy-protocol,unknown; do
        has "$(echo hello | talk "$header|tcp:127.0.0.1:$port")" "$local"
    done
    printf 'rules: 127.0.0.6\n' >allow
    printf 'ALL: ALL\n' >deny
    start_listener range -u 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1,thread,range=127.0.0.6/32' 'creat:{peeraddr}'
    front one "proxy-protocol|tcp:127.0.0.1:$port" && one=$port
    start_listener wrap "proxy-protocol-server|tcp-l:0,bind=127.0.0.1,fork,tcpwrap=rules,allow-table=$PWD/allow,deny-table=$PWD/deny" exec:./show
    front two "proxy-protocol,version=2|tcp:127.0.0.1:$port"
    for from in 127.0.0.6 127.0.0.7; do
        echo "from $from" | catena -u - "tcp:127.0.0.1:$one,bind=$from:0"
        output=$output$(echo hello | talk "tcp:127.0.0.1:$port,bind=$from:0" || :)
    done
    wait_for 10 file_has range.err 'refusing connection from 127.0.0.7:[0-9]* due to range option'
    wait_for 10 file_has 127.0.0.6 'from 127.0.0.6'
    [ ! -e 127.0.0.7 ]
    wait_for 10 file_has wrap.err 'refusing connection from 127.0.0.7:[0-9]* due to tcpwrapper option'
    has "$output" 'PEERADDR=127.0.0.6'
    has_not "$output" '127.0.0.7'
}

@test "nobody gets in without a header, in time, from a proxy that is believed" {
    for way in fork thread; do
        start_listener server "proxy-protocol-server,handshake-timeout=0.2|tcp-l:0,bind=127.0.0.1,$way" 'system:touch served'
        same '' "$(waits 'PROXY TCP4 127.0.0.1' || :)"
        wait_for 10 file_has server.err 'the peer took too long (0.2 seconds'
        same '' "$(echo GET / | talk "tcp:127.0.0.1:$port" || :)"
        wait_for 10 file_has server.err 'does not begin with a PROXY header, which is needed here'
        kill "$(<server.pid)"
        start_listener strict "proxy-protocol-server,from=10.0.0.0/8|tcp-l:0,bind=127.0.0.1,$way" 'system:touch served'
        same '' "$(printf 'PROXY UNKNOWN\r\n' | talk "tcp:127.0.0.1:$port" || :)"
        wait_for 10 file_has strict.err '127.0.0.1 may not say who its clients are'
        kill "$(<strict.pid)"
    done
    [ ! -e served ]
}

# tls <name> <chain...>: a TLS server whose answer is its name
tls() { start_listener "$1" openssl-listen:0,bind=127.0.0.1,fork,cert="$C/server.pem",verify=0 "system:read x; echo $1 \$SOCAT_SNI \$x"; }
ask() { echo hello | talk "openssl,cafile=$C/ca.crt,commonname=localhost,snihost=$1|tcp:127.0.0.1:$port"; } # <name>
told() { wait_for 10 file_has "$@"; }

@test "sni-peek: fork, thread, alone, reverse; who is behind it gets all that was looked at" {
    tls behind
    behind=$port
    for way in fork thread alone reverse; do
        case $way in
        alone) start_listener server 'sni-peek,allow=local*|tcp-l:0,bind=127.0.0.1' "tcp:{sni}:$behind" ;;
        reverse) start_listener server tcp-l:0,bind=127.0.0.1,thread "^sni-peek,allow=local*|tcp:{sni}:$behind" ;;
        *) start_listener server "sni-peek,allow=local*|tcp-l:0,bind=127.0.0.1,$way" "tcp:{sni}:$behind" ;;
        esac
        same 'behind localhost hello' "$(ask localhost)"
        [ $way != alone ] || continue
        same '' "$(ask elsewhere || :)"
        told server.err 'the server "elsewhere" may not be reached'
        same '' "$(echo GET / | talk "tcp:127.0.0.1:$port" || :)"
        told server.err 'does not speak TLS: it begins with byte 0x47'
        kill "$(<server.pid)"
    done
    start_listener facts 'sni-peek,open,no-sni=none.example|tcp-l:0,bind=127.0.0.1,fork' 'system:echo "$SOCAT_SNI $SOCAT_ALPN $SOCAT_PROTO" >>facts'
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -servername Some.Example -alpn h2,http/1.1 </dev/null >/dev/null 2>&1 || :
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -noservername </dev/null >/dev/null 2>&1 || :
    wait_for 10 file_has facts none.example
    same 'some.example h2,http/1.1 tls none.example tls' "$(paste -sd' ' facts)"
}

@test "a map leads by name to hosts and chains: fork, thread, all engines apart, TLS on either side of the choice" {
    tls one
    one=$port
    tls two
    cat >map <<END
# names
localhost      127.0.0.1:$one
*.plain.test   ^openssl-server,cert=$C/server.pem,verify=0|exec:cat
*.two.test     gzip|gunzip|tcp:127.0.0.1:$port
gone.test      127.0.0.1:$(free_port)
*              system:cat >/dev/null; exit 3
END
    seq 100000 >in
    for way in fork thread 'thread --unfused'; do
        # shellcheck disable=SC2046
        start_listener server $(cut -s -d' ' -f2 <<<"$way") "sni-peek,no-tls=what.ever,to=map|tcp-l:0,bind=127.0.0.1,${way% *}" route
        same 'one localhost hello' "$(ask localhost)"
        same hello "$(ask a.plain.test)"
        same 'two A.Two.Test hello' "$(ask A.Two.Test)"
        talk "openssl,cafile=$C/ca.crt,commonname=localhost,snihost=b.plain.test|tcp:127.0.0.1:$port" <in | cmp - in
        same '' "$(ask gone.test || :)"
        told server.err 'connection refused'
        same '' "$(echo plain | talk "tcp:127.0.0.1:$port" || :)"
        same 'one localhost hello' "$(ask localhost)"
        kill "$(<server.pid)"
    done
    printf 'localhost exec:cat\n' >hosts
    start_listener hosts "openssl-server,cert=$C/server.pem,verify=0|sni-peek,to=hosts|tcp-l:0,bind=127.0.0.1,thread" route
    same hello "$(ask localhost)"
    same '' "$(ask other || :)"
    told hosts.err 'no line of hosts says where "other" leads'
    has "$(catena -n 'sni-peek,no-tls=x,to=map|tcp-l:0,bind=127.0.0.1,fork' route)" '^  \*.two.test: gzip|gunzip|tcp$'
    printf 'a 127.0.0.1:1\nb tcp:x:1,nosuch\n' >bad
    fails catena 'sni-peek,to=bad|tcp-l:0' route 2>err
    has "$(<err)" 'bad, line 2: second address "tcp": unknown option "nosuch"'
    fails catena 'sni-peek,to=.|tcp-l:0' route 2>err
    has "$(<err)" 'the map "." is a directory'
    # nor do secrets of the map get into a message
    for line in 'a CHAIN' 'a CHAIN,nosuch' 'a_$ CHAIN' 'CHAIN' 'a gzip CHAIN'; do
        echo "${line/CHAIN/proxy:h:80,proxyauth=joe:s3cret|tcp:127.0.0.1:1}" >bad
        for how in -n --explain -n=json -d; do
            catena $how 'sni-peek,to=bad|tcp-l:0,accept-timeout=0.01' route >err 2>&1 || :
            has_not "$(<err)" s3cret
            [ $how = -d ] || has "$(<err)" 'proxyauth=\*'
        done
    done
    catena -n 'proxy-server,auth=:' - >err 2>&1 || :
    has "$(<err)" 'E first address "proxy-server": this'
}

@test "sniff: every kind of client on one port, those who wait for the server among them" {
    printf '#!/bin/sh\nread -r x\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\nweb\\n"\n' >web
    chmod +x web
    cat >map <<END
http   exec:./web
tls    ^openssl-server,cert=$C/server.pem,verify=0|exec:./web
ssh    system:echo SSH-2.0-here; cat
socks  ^socks-server,allow=127.0.0.1|exec:./web
other  exec:cat
END
    for way in fork thread; do
        start_listener server "sniff,to=map|proxy-protocol-server|tcp-l:0,bind=127.0.0.1,$way" route
        start_listener front tcp-l:0,bind=127.0.0.1,thread "proxy-protocol|tcp:127.0.0.1:$port"
        same web "$(curl -sS -m "$LIMIT" "http://127.0.0.1:$port/")"
        same web "$(curl -sS -m "$LIMIT" --cacert "$C/ca.crt" "https://127.0.0.1:$port/")"
        same web "$(curl -sS -m "$LIMIT" -x "socks5://127.0.0.1:$port" http://127.0.0.1:80/)"
        same 'SSH-2.0-here SSH-2.0-me' "$(echo SSH-2.0-me | talk "tcp:127.0.0.1:$port" | paste -sd' ')"
        same what "$(echo what | talk "tcp:127.0.0.1:$port")"
        start_listener silent "sniff,on-timeout=ssh,sniff-timeout=0.1,to=map|tcp-l:0,bind=127.0.0.1,$way" route
        same SSH-2.0-here "$(waits '')"
        same SS "$( (printf SS; $BRIEFLY; echo) | talk "tcp:127.0.0.1:$port")"
        kill "$(<server.pid)" "$(<front.pid)" "$(<silent.pid)"
    done
    start_listener facts 'sniff|tcp-l:0,bind=127.0.0.1' 'system:cat; echo "$SOCAT_PROTO"'
    same 'GET / http' "$(echo GET / | talk "tcp:127.0.0.1:$port" | paste -sd' ')"
}
