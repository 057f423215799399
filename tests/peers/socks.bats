#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# SOCKS and HTTP proxies with programs of others: as clients of ours, as servers for ours, and what people put a
# ProxyCommand into. What is small is in tests/chains (proxies.bats, servers.bats, ssh.bats).
load ../helpers

TARGET='target:{targethost}:{targetport}:{command}'

web() {
    printf '#!/bin/sh\nread -r x\nprintf "HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n"\n' >web
    chmod +x web
    start_listener web tcp-l:0,bind=127.0.0.1,fork exec:./web && target=$port
}
socks_server() { start_listener socks "socks-server,commands=connect bind udp|tcp-l:0,bind=127.0.0.1,${1:-thread}" "$TARGET"; }
get() { timeout -k 5 "$LIMIT" "$@"; }

dante_conf() {
    cat >socks.conf <<CONF
route { from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = $port
  proxyprotocol: $1
  method: none }
CONF
    export SOCKS_CONF=$T/socks.conf SOCKS_AUTOADD_LANROUTES=no
}

@test "dante's client: SOCKS4 and 5, TCP, and UDP to two targets by one socket" {
    web
    tcp=$target
    start_listener echoes udp-l:0,bind=127.0.0.1,fork pipe
    one=$port
    start_listener more udp-l:0,bind=127.0.0.2,fork pipe
    two=$port
    for way in fork thread; do
        socks_server $way
        for version in socks_v4 socks_v5; do
            dante_conf $version
            has "$(get socksify curl -sS "http://127.0.0.1:$tcp/" 2>log)" hello
        done
        get socksify python3 - "$one" "$two" <<'END' >said 2>log
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for host, port in (('127.0.0.1', int(sys.argv[1])), ('127.0.0.2', int(sys.argv[2]))) * 2:
    s.sendto(host.encode(), (host, port))
    assert s.recvfrom(100) == (host.encode(), (host, port))
print('good')
END
        file_has said good
        wait_for 5 file_has socks.err 'to whom they name'
        kill "$(<socks.pid)"
        has_not "$(<socks.err)" ' E '
    done
}

@test "dante's server: our UDP goes through it, and it tells where answers come from" {
    port=$(free_port)
    cat >dante.conf <<CONF
logoutput: stderr
internal: 127.0.0.1 port = $port
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: udpassociate }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: udpreply }
CONF
    proxy=$port
    start dante danted -f "$T/dante.conf" -p "$T/dante.pid.file" </dev/null
    wait_for 5 port_listens "$proxy" || skip "danted does not start here"
    start_listener echoes udp-l:0,bind=127.0.0.1,fork pipe
    for host in 127.0.0.1 localhost; do
        same 'one two ' "$( (echo one && $BRIEFLY && echo two) | catena - "socks5-udp:$host:$port|tcp:127.0.0.1:$proxy" | tr '\n' ' ')"
    done
    start_listener entry udp-l:0,bind=127.0.0.1,thread "socks5-udp:127.0.0.1:$port|tcp:127.0.0.1:$proxy"
    for text in first second; do same $text "$(echo $text | catena - "udp:127.0.0.1:$port")"; done
    run catena - "socks5:127.0.0.1:$port|tcp:127.0.0.1:$proxy" </dev/null
    has "$output" 'not allowed by ruleset'
}

@test "proxychains: through one of ours, and through three of different kinds" {
    web
    start_listener http "proxy-server|tcp-l:0,bind=127.0.0.1,thread" 'tcp:{targethost}:{targetport}'
    http=$port
    socks_server fork
    quiet='quiet_mode\nproxy_dns\ntcp_read_time_out 15000\ntcp_connect_time_out 8000\n'
    for list in "socks4 127.0.0.1 $port" "socks5 127.0.0.1 $port" "http 127.0.0.1 $http" \
        "socks5 127.0.0.1 $port\nhttp 127.0.0.1 $http\nsocks4 127.0.0.1 $port"; do
        printf "strict_chain\n$quiet[ProxyList]\n$list\n" >chains.conf
        has "$(get proxychains4 -q -f chains.conf curl -sS "http://127.0.0.1:$target/")" hello
    done
    has "$(get proxychains4 -q -f chains.conf curl -sS "http://localhost:$target/")" hello
}

# A daemon of our own on a port of its own; its command line for clients is then in $ssh.
sshd_here() {
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f key
    cp key.pub authorized
    port=$(free_port)
    printf 'Port %s\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n' \
        "$port" "$T/host" "$T/authorized" >sshd.conf
    mkdir -p /run/sshd 2>/dev/null || skip "sshd needs /run/sshd"
    start sshd /usr/sbin/sshd -D -e -f "$T/sshd.conf" </dev/null
    wait_for 10 port_listens "$port"
    sshd=$port
    options=(-F none -i "$T/key" -p "$sshd" -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=/dev/null
        -o StrictHostKeyChecking=no -o LogLevel=ERROR)
}

@test "ssh and git by ProxyCommand: SOCKS, HTTP, both over TLS, and servers of others" {
    sshd_here
    make_certs certs
    head -c 3000000 /dev/urandom >in
    git init -q --bare repo.git
    git init -q work
    git -C work -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
    socks_server
    ours=$port micro=$(free_port)
    start_listener http "proxy-server|openssl-server,cert=certs/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,thread" 'tcp:{targethost}:{targetport}'
    tls=$port
    start micro microsocks -i 127.0.0.1 -p "$micro" </dev/null
    wait_for 5 port_listens "$micro"
    n=0
    for chain in "socks5:%h:%p|tcp:127.0.0.1:$ours" "socks4a:%h:%p|tcp:127.0.0.1:$ours" "socks5:%h:%p|tcp:127.0.0.1:$micro" \
        "proxy:%h:%p|openssl,cafile=$T/certs/ca.crt,commonname=localhost|tcp:127.0.0.1:$tls" \
        "socks5:%h:%p|proxy:127.0.0.1:$ours|openssl,cafile=$T/certs/ca.crt,commonname=localhost|tcp:127.0.0.1:$tls"; do
        command="ProxyCommand=$CATENA_BIN - '$chain'"
        get ssh "${options[@]}" -o "$command" "$(id -un)@127.0.0.1" cat <in | cmp - in
        export GIT_SSH_COMMAND="ssh ${options[*]} -o \"$command\""
        get git -C work push -q "ssh://$(id -un)@127.0.0.1:$sshd$T/repo.git" "HEAD:refs/heads/branch$((++n))"
        git -C repo.git rev-parse -q --verify "branch$n"
    done
    # The other way round: ssh itself is the SOCKS server.
    dynamic=$(free_port)
    start dynamic ssh "${options[@]}" -N -D "127.0.0.1:$dynamic" "$(id -un)@127.0.0.1" </dev/null
    wait_for 10 port_listens "$dynamic"
    web
    for client in socks4:127.0.0.1 socks4a:localhost socks5:localhost; do
        has "$(printf 'GET / HTTP/1.0\r\n\r\n' | catena -t 5 - "$client:$target|tcp:127.0.0.1:$dynamic")" hello
    done
}

@test "git and curl over HTTP through ours, and tor as what is behind it, which refuses without a network" {
    git init -q --bare repo.git
    git -C repo.git update-server-info
    start_listener http "proxy-server,auth=joe:s3cret|tcp-l:0,bind=127.0.0.1,thread" 'tcp:{targethost}:{targetport}'
    http=$port
    web=$(free_port)
    start httpd python3 -m http.server --bind 127.0.0.1 "$web"
    wait_for 10 port_listens "$web"
    socks_server
    get git -c "http.proxy=http://joe:s3cret@127.0.0.1:$http" clone -q "http://127.0.0.1:$web/repo.git" one
    get git -c "http.proxy=socks5h://127.0.0.1:$port" clone -q "http://127.0.0.1:$web/repo.git" two
    has "$(get curl -sS -p -x "http://joe:s3cret@127.0.0.1:$http" "http://127.0.0.1:$web/")" repo.git
    : >torrc
    tor=$(free_port)
    start tor tor --SocksPort "127.0.0.1:$tor" --DataDirectory "$T/tor.d" --UseBridges 1 --Bridge 127.0.0.1:1 -f "$T/torrc" </dev/null
    wait_for 10 port_listens "$tor" || skip "tor does not start here"
    for client in socks4a socks5; do
        run catena - "$client:no-such-service.onion:80|tcp:127.0.0.1:$tor" </dev/null
        [ "$status" = 1 ]
        has "$output" 'refused no-such-service.onion:80'
    done
    start_listener exit "proxy-server|tcp-l:0,bind=127.0.0.1,thread" "socks5:{targethost}:{targetport}|tcp:127.0.0.1:$tor"
    run get curl -sS -p -x "http://127.0.0.1:$port" http://no-such-service.onion/
    has "$output" 'response 502'
}
