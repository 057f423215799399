#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# catena -n: the plan in print, and nothing opened.
load ../helpers

# No mistake: status 0, or 1 where something is not there.
planned() { same "$(grep -c '^not there by now:' <<<"$output")" "$status"; }

undated() { sed 's/^[0-9/]* [0-9:]* catena\[[0-9]*\]//' <<<"$1"; }

plan() {
    run catena -n "$@" </dev/null
    echo "$output"
    planned
    local long
    long=$(catena --dry-run "$@" </dev/null 2>&1) || :
    same "$(undated "$output")" "$(undated "$long")"
}

@test "the talk's chain of four links" {
    plan - 'socks:targethost.customer.com:22|openssl,cafile=customer.cert|proxy-connect:sockd.customer.com:443|tcp:proxy.domain.com:8080'
    for word in targethost.customer.com customer.cert sockd.customer.com proxy.domain.com; do
        has "$output" "$word"
    done
    # One engine, for TLS; the others are a dialog and then gone.
    same 2 "$(grep -c -i 'dialog at open time' <<<"$output")"
    has "$output" engine
}

@test "the talk's other examples" {
    plan STDIO 'SSL|PROXY:target:443|TCP:proxy:8080'
    plan - 'gzip|ssl,cafile=x|proxy:server:9000|tcp6:proxy:8080'
    plan 'openssl-server|tcp-listen:443,fork' exec:myscript
    plan tcp-listen:443,fork '^openssl-server|exec:myscript'
    plan -u stdin 'gzip|stdout'
    plan -U 'gzip|stdout' stdin
    plan stdio 'gzip%gunzip|pipe'
    plan 'gzip%^gzip|stdio' pipe
    plan 1%0 pipe
    plan ssl-l:443,reuseaddr,fork,cert=server.pem,verify=0 exec:'/usr/sbin/sshd -i'
    plan - 'ssl,verify=0|proxy-connect:server.home.at:443|tcp:proxy:8080'
}

@test "nothing is opened" {
    plan -u open:a,creat 'nop|create:b'
    [ ! -e a ]
    [ ! -e b ]
    plan -u 'exec:"touch c"' 'exec1:"touch d"|create:e'
    [ ! -e c ]
    [ ! -e d ]
    [ ! -e e ]
    taken=$(free_port)
    start holder "$CATENA_BIN" "tcp-listen:$taken" pipe </dev/null
    wait_for 5 port_listens "$taken"
    plan "tcp-listen:$taken" pipe
}

@test "mistakes are found" {
    run catena -n - 'openssl,verfy=0|tcp:localhost:80'
    same 1 "$status"
    has "$output" verfy
}

@test "v1's combined forms show the chain they are" {
    plan - openssl:host:443,verify=0,mss=1400
    has "$output" 'verify'
    has "$output" 'tcp-maxseg=1400'
    plan - proxy:server:host:22,proxyport=3128
    has "$output" 3128
}

@test "what fuses and what does not" {
    plan - 'nop|pipe'
    fused=$output
    plan --unfused - 'nop|pipe'
    [ "$fused" != "$output" ]
}

refused() { # <address>: a mistake in it is found without opening anything, and shown
    run catena -n - "$1" </dev/null
    echo "$1: $output"
    same 1 "$status"
    has "$output" ' E second address'
    has "$output" '^ *^'
}

@test "parameters and options that cannot mean anything are mistakes" {
    each refused <<'ROWS'
tcp-listen:1,range=bogus
tcp-listen:1,range=10.0.0.0/99
openssl-listen:1,range=bogus
tcp-listen:1,bind=:80
tcp:host:1,bind=:77777
tcp:host:80,pf=xx
exec:cat,commtype=foo
exec:cat,leftin=99999999
'exec:cat,rightin=99999999|pipe'
exec:cat,pf=xx
exec:cat,pipes,socktype=2
fd:abc
fd:1:x
accept-fd:x
accept-fd:3,range=bogus
socket-connect:x:0:x00
socket-connect:2:0:zz
socket-sendto:2:2:0:x00,bind=zz
socket-listen:2:0:x00,range=127.0.0.1/8
tun:bad
tun:10.0.0.1/24,tun-type=tup
tun:10.0.0.1/24,tun-name=0123456789abcdef
vsock:a:1
vsock-listen:1,bind=x
udp:localhost:99999
udp-recv:99999
udplite-sendto:localhost:99999
sctp:localhost:99999
dccp-listen:99999
ip-sendto:localhost:300
unix-listen:x,bind=y
unix-recv:x,bind=y
unix:x,bind=y,unix-bind-tempname=zXXXXXX
unix:x,unix-bind-tempname=z
ROWS
    long=$(printf '%200s' '' | tr ' ' x)
    for address in "unix:$long" "unix-listen:$long" "unix-sendto:x,bind=$long" "abstract:$long"; do
        refused "$address"
    done
}

accepted() { # <address>
    run catena -n - "$1" </dev/null
    echo "$1: $output"
    planned
}

@test "what has to be looked up first is none" {
    each accepted <<'ROWS'
tcp-listen:http,range=some.host/24
tcp-listen:1,range=[::1]/128
tcp-listen:1,range=10.0.0.0:255.0.0.0,bind=some.host
tcp:host:service,bind=:ftp
tcp:host:80,pf=0x2
udp:localhost:domain
ip-sendto:localhost:icmp
fd:0x1
exec:cat,nofork
exec:cat,socktype=2,pf=0x1
socket-listen:2:0:x0050x7f000001,range=x00007f000000:x0000ff000000
vsock:2:12,bind=:77
tun:10.0.0.1/24,tun-type=TAP
unix:x,unix-bind-tempname
tcp:h:nosuchservice
'socks4:h:nosuchservice|pipe'
'socks5:h:nosuchservice|pipe'
proxy:p:h:nosuchservice
ip-sendto:h:nosuchprotocol
exec:/nonexistent/program
'exec1:nosuchprogram%exec1:nosuchprogram|pipe'
openssl-listen:1,cert=/nonexistent
'openssl,cafile=/nonexistent,commonname=x|pipe'
open:/nonexistent/file
ROWS
}

missed() { # <words> <address>
    run catena -n - "$2"
    same 1 "$status"
    same 1 "$(grep -A9 '^not there by now:' <<<"$output" | grep -c '^  ')"
    has "$output" "^  second address.*$1"
}

@test "what is not there by now is shown, with status 1" {
    each missed <<'ROWS'
'"nosuchservice" is no known service' tcp:h:nosuchservice
'"nosuchservice" is no known service' udp-l:nosuchservice
'"nosuchservice".*known TCP service' 'socks4:h:nosuchservice|pipe'
'"nosuchservice".*known TCP service' proxy:p:h:nosuchservice
'"nosuchprotocol"' ip-sendto:h:nosuchprotocol
'"/nonexistent/program": no such file' exec:/nonexistent/program
'"nosuchprogram": no such file' 'nop|exec:nosuchprogram -x'
'"openssl-certificate": "/nonexistent": no such file' openssl-listen:1,cert=/nonexistent
'"/nonexistent"' openssl:h:1,cafile=/nonexistent
'"/nonexistent"' 'proxy:h:1,proxyauthfile=/nonexistent|tcp:p:1'
ROWS
    for address in exec:cat exec:nosuchprogram,chroot=/jail tcp:h:http; do # in a jail: who knows
        accepted "$address"
        has_not "$output" 'not there'
    done
}

@test "so are names that nobody has; in earnest they are mistakes" {
    for option in user=nosuchuser su=nosuchuser group=nosuchgroup; do
        missed 'option .*no such .*nosuch' "open:x,$option"
    done
    missed nosuchservice tcp:h:1,sourceport=nosuchservice
    run catena - open:x,creat,user=nosuchuser </dev/null
    same 1 "$status"
    [ ! -e x ]
    for address in 'socks4:127.0.0.1:nosuchservice|pipe' 'proxy:127.0.0.1:nosuchservice|pipe' \
        ip-sendto:127.0.0.1:nosuchprotocol tcp:127.0.0.1:nosuchservice; do
        run catena - "$address" </dev/null
        same 1 "$status"
        has "$output" ' E .*nosuch'
    done
}

@test "the words of a program" {
    plan - 'EXEC:"ls -l \"a b\" c"'
    has "$output" '^      executes: ls, as \[ls\] \[-l\] \[a b\] \[c\]$'
    plan - 'EXEC:cat -u,dash'
    has "$output" '^      executes: cat, as \[-cat\] \[-u\]$'
    plan - 'SYSTEM:echo "a  b" | cat'
    has "$output" '^      executes: /bin/sh, as \[sh\] \[-c\] \[echo a  b | cat\]$'
    plan - 'exec1:gzip -9%exec1:gunzip|pipe'
    has "$output" '^      executes: gzip, as \[gzip\] \[-9\]$'
    has "$output" '^      executes: gunzip, as \[gunzip\]$'
}

@test "both halves of a dual are opened, the one that is read first" {
    plan 'create:out%open:in' 'gzip%gunzip|tcp:h:1'
    order=$(sed -n '/^opening order/,$p' <<<"$output")
    has "$order" '1\. open:in'
    has "$order" '2\. create:out'
    has "$order" 'gzip % gunzip'
    plan -u 'create:out%open:in' stdout
    has_not "$(sed -n '/^opening order/,$p' <<<"$output")" create
}

@test "planning reads none of the system's databases" {
    command -v strace >/dev/null || skip "needs strace"
    # ld.so and OpenSSL read their own; what is wrong on purpose is planned to the end, but no further
    for address in 'tcp:h:http,bogus' 'open:x,user=root,group=root,bogus' 'socks5:h:http,bogus|pipe' \
        'proxy:p:h:http,proxyauth=a|nop,bogus' ip-sendto:h:icmp,bogus 'tcp:h:1,sourceport=http,bogus'; do
        run strace -f -o trace -e trace=openat,open,socket,connect "$CATENA_BIN" - "$address"
        same 1 "$status"
        has_not "$(<trace)" 'etc/\(passwd\|group\|services\|protocols\|nsswitch\|resolv\|hosts\)\|socket('
    done
}

@test "who connected proves who he is before what is behind is opened" {
    order() { # <expected> <arguments...>
        plan "${@:2}"
        same "$1" "$(sed -n '/^opening order/,/^[^ ]/s/^  [0-9]*\. \([^:( ]*\).*/\1/p' <<<"$output" | paste -sd' ')"
    }
    order 'tcp-listen openssl-server tcp-connect' tcp-listen:1,fork '^openssl-server,cert=x|tcp:a:1'
    order 'tcp-listen openssl-server exec gzip' tcp-listen:1,fork '^openssl-server,cert=x|gzip|exec:cat'
    order 'tcp-listen openssl-server exec' tcp-listen:1 'nop|^openssl-server,cert=x|exec:cat'
    order 'tcp-listen tcp-connect openssl-client' tcp-listen:1,fork 'openssl,verify=0|tcp:a:1'
    order 'tcp-listen openssl-server exec' 'openssl-server,cert=x|tcp-listen:1' exec:cat
    has_not "$output" ' W '
    order 'tcp-listen exec openssl-server gzip' tcp-listen:1 'gzip|^openssl-server,cert=x|exec:cat'
    has "$output" ' W .*"openssl-server": what is behind it is opened before'
}

@test "proxies that cut the answer off are warned of" {
    plan - 'proxy:h:22|tcp:p:8080'
    has "$output" 'W second address, link 1 "proxy": many proxies .* shut-none of second address, link 2 "tcp" '
    plan 'socks5:h:22|tcp:p:1080' -
    has "$output" 'W .*many proxies'
    for address in 'openssl,commonname=h|proxy:h:22|tcp:p:8080' 'proxy:h:22|tcp:p:8080,shut-none'; do
        plan - "$address"
        has_not "$output" 'many proxies'
    done
    plan -u - 'proxy:h:22|tcp:p:8080'
    has_not "$output" 'many proxies'
}
