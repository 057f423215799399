#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# catena -n: the plan in print, and nothing opened.
load ../helpers

plan() { # <arguments...>
    run catena -n "$@" </dev/null
    echo "$output"
    same 0 "$status"
    local long
    long=$(catena --dry-run "$@" </dev/null 2>/dev/null)
    same "$output" "$long"
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
    [ ! -e a ] && [ ! -e b ]
    plan -u 'exec:"touch c"' 'exec1:"touch d"|create:e'
    [ ! -e c ] && [ ! -e d ] && [ ! -e e ]
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
