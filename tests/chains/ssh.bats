#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The talk's example: ssh through TLS through an HTTP proxy, with a real sshd behind it.
load ../helpers

prepare() {
    case $(getent passwd "$(id -u)" | cut -d: -f7) in
    '' | */nologin | */false) skip "needs a user who may log in" ;;
    esac
    make_certs "$T/certs"
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f user
    cat >sshd_config <<CONF
HostKey $T/host
AuthorizedKeysFile $T/user.pub
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin yes
PrintMotd no
CONF
    if [ "$(id -u)" = 0 ]; then mkdir -p -m 755 /run/sshd; fi
}

proxy() {
    proxy=$(free_port)
    printf 'Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\n' "$proxy" >tiny.conf
    start tiny tinyproxy -d -c "$T/tiny.conf" </dev/null
    wait_for 5 port_listens "$proxy"
}

server() { # <arguments of catena>
    start_listener server "$@"
    server=$port
}

ssh_config() { # <ProxyCommand>
    cat >ssh_config <<CONF
Host server.home.at
    HostName 127.0.0.1
    Port $server
    User $(id -un)
    IdentityFile $T/user
    IdentitiesOnly yes
    UserKnownHostsFile $T/known
    StrictHostKeyChecking accept-new
    BatchMode yes
    LogLevel ERROR
    ProxyCommand $1
CONF
}

through() { timeout -k 5 "$LIMIT" ssh -F ssh_config server.home.at "$@" 3>&-; }

@test "ssh, as printed in the talk" {
    server ssl-l:0,bind=127.0.0.1,reuseaddr,fork,cert=certs/server.pem,verify=0 \
        exec:"/usr/sbin/sshd -i -f $T/sshd_config"
    proxy
    ssh_config "$CATENA_BIN - 'ssl,verify=0|proxy-connect:%h:%p|tcp:127.0.0.1:$proxy'"
    same hello "$(through echo hello </dev/null)"
    "$PEER" gen 3000000 5 >in
    through cat <in >out
    same_files in out
    run through 'exit 42' </dev/null
    same 42 "$status"
}

@test "ssh with verification and compression, server as a chain" {
    server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork \
        "^openssl-server,cert=certs/server.pem,verify=0|gunzip|exec:'/usr/sbin/sshd -i -f $T/sshd_config'"
    proxy
    ssh_config "$CATENA_BIN - 'gzip|ssl,cafile=$T/certs/ca.crt|proxy-connect:%h:%p|tcp:127.0.0.1:$proxy'"
    same hello "$(through echo hello </dev/null)"
    "$PEER" gen 3000000 5 >in
    through cat <in >out
    same_files in out
}
