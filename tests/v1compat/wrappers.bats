#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Scripts that start the program several times and read its log lines to find their way, and more
# examples of the first version's manual, with peers made here.
load ../helpers

prepare() { S=$(socat_link); }

socat() { timeout -k 5 "$LIMIT" "$S" "$@"; }

# A wrapper as scripts write it: starts the program, prints the port from its log and goes on.
make_wrapper() {
    cat >listen.sh <<'SH'
#!/bin/sh
# listen.sh <log> <address> <address>
log=$1
shift
"$SOCAT" -d -d "$@" 2>"$log" </dev/null >/dev/null 3>&- &
n=0
until port=$(sed -n 's/.* N listening on .*:\([0-9]*\)$/\1/p' "$log" | head -n 1) && [ "$port" ]; do
    [ $((n += 1)) -lt 250 ] || exit 1
    sleep 0.02
done
echo "$port"
SH
    chmod +x listen.sh
    export SOCAT=$S
}

@test "a chain of three programs: TLS through a forwarder" {
    make_certs certs
    make_wrapper
    server=$(./listen.sh server.log OPENSSL-LISTEN:0,bind=127.0.0.1,fork,cert=certs/server.pem,verify=0 PIPE 3>&-)
    middle=$(./listen.sh middle.log TCP4-LISTEN:0,bind=127.0.0.1,fork "TCP4:127.0.0.1:$server" 3>&-)
    front=$(./listen.sh front.log TCP4-LISTEN:0,bind=127.0.0.1,fork \
        "OPENSSL:localhost:$middle,pf=ip4,cafile=certs/ca.crt" 3>&-)
    for i in 1 2 3; do same "hello $i" "$(socat -t 5 - "TCP4:127.0.0.1:$front" <<<"hello $i")"; done
}

@test "a program nested in a program's address" {
    same hello "$(socat -t 5 - "EXEC:$S - PIPE" <<<hello)"
    same HELLO "$(socat -t 5 - "EXEC:'$S - \"EXEC:tr a-z A-Z\"'" <<<hello)"
    same HELLO "$(socat -t 5 - "SYSTEM:'\"$S\" STDIN\\!\\!STDOUT \"SYSTEM:tr a-z A-Z\"'" <<<hello)"
}

@test "mux: many clients, one connection" {
    make_wrapper
    start_peer server line line line 'touch:all' eof
    target=$port
    start merge "$S" -d -d -u "UNIX-RECV:$T/merge" "TCP4:127.0.0.1:$target" </dev/null
    wait_for 5 test -S merge
    front=$(./listen.sh front.log -u TCP4-LISTEN:0,bind=127.0.0.1,fork "UNIX-SENDTO:$T/merge" 3>&-)
    for i in 1 2 3; do socat -u - "TCP4:127.0.0.1:$front" <<<"client $i"; done
    wait_for 5 test -e all
    has "$(<server.out)" 'client 1'
    has "$(<server.out)" 'client 3'
    kill -TERM "$(<merge.pid)"
    finish merge 143
    [ ! -e merge ]
}

@test "broker: what one client says, all hear" {
    make_wrapper
    group=239.255.7.$((RANDOM % 250 + 1))
    p=$(free_port)
    member="UDP4-DATAGRAM:$group:$p,bind=:$p,reuseaddr,ip-add-membership=$group:127.0.0.1"
    member="$member,ip-multicast-if=127.0.0.1,ip-multicast-loop"
    front=$(./listen.sh front.log TCP4-LISTEN:0,bind=127.0.0.1,fork "$member" 3>&-)
    mkfifo hold
    exec 7<>hold
    for i in 1 2 3; do start "client$i" "$S" - "TCP4:127.0.0.1:$front" <hold 7>&-; done
    three() { [ "$(grep -c 'starting data transfer' front.log)" = 3 ]; }
    wait_for 5 three || {
        cat front.log
        return 1
    }
    echo news >hold
    for i in 1 2 3; do wait_for 5 file_has "client$i.out" news; done
    exec 7>&-
}

@test "a mail script on 3 and 4" {
    cat >mail.sh <<'SH'
#!/bin/sh
read -r greeting <&3
echo "HELO me" >&4
read -r answer <&3
echo "$greeting/$answer" | tr -d '\r' >answers
echo "QUIT" >&4
SH
    chmod +x mail.sh
    start_peer server 'send:220 hello\r\n' line 'send:250 ok\r\n' line shut eof
    socat -t 5 'EXEC:./mail.sh target@domain.com,fdin=3,fdout=4' "TCP4:127.0.0.1:$port,crnl,bind=127.0.0.1"
    finish server
    same '220 hello/250 ok' "$(<answers)"
    has "$(<server.out)" $'HELO me\r'
}

@test "a sandboxed script behind access control" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    mkdir -p jail/bin
    cp /bin/cat jail/bin
    for library in $(ldd /bin/cat | grep -o '/[^ ]*'); do
        mkdir -p "jail${library%/*}"
        cp "$library" "jail$library"
    done
    echo 'script: 127.0.0.1' >hosts.allow
    echo 'ALL: ALL' >hosts.deny
    start_listener server "TCP4-LISTEN:0,bind=127.0.0.1,fork,tcpwrap=script,allow-table=$T/hosts.allow,deny-table=$T/hosts.deny" \
        "EXEC:/bin/cat,chroot=$T/jail,su-d=nobody,pty,stderr,rawer"
    same hello "$(socat -t 0.5 - "TCP4:127.0.0.1:$port" <<<hello)"
}

@test "a terminal with an escape character" {
    start modem "$S" -d -d "PTY,link=$T/modem,rawer" 'SYSTEM:sed -u s/at/AT/' </dev/null
    wait_for 5 test -e modem
    start run "$S" -t 5 -,escape=0x0f "$T/modem,rawer,crnl,readbytes=4" < <(printf 'at\n\017lost')
    finish run
    same AT "$(<run.out)"
    kill -TERM "$(<modem.pid)"
}

@test "X11 style: a UNIX socket to a host behind SOCKS4, to one behind a proxy" {
    start_peer socks recv:18 'send:\x00\x5a\x00\x00\x00\x00\x00\x00' line 'send:answer\n' shut eof
    start front "$S" -d -d "UNIX-LISTEN:$T/X1,fork" \
        "SOCKS4:127.0.0.1:10.1.2.3:6001,socksport=$port,socksuser=somebody_" </dev/null
    wait_for 5 unix_listens "$T/X1"
    same answer "$(socat -t 5 - "UNIX-CONNECT:$T/X1" <<<hello)"
    start_peer proxy line line line 'send:HTTP/1.0 200 OK\r\n\r\nSSH-2.0\n' line shut eof
    start_listener front TCP4-LISTEN:0,bind=127.0.0.1,fork \
        "PROXY:127.0.0.1:www.domain.org:22,proxyport=$port,proxyauth=hugo:s3cr3t"
    same SSH-2.0 "$(socat -t 5 - "TCP4:127.0.0.1:$port" <<<hello)"
}

@test "what a program finds on its descriptors" {
    filan=$(dirname "$CATENA_BIN")/filan
    start_listener server tcp4-l:0,bind=127.0.0.1,reuseaddr,fork "system:'\"$filan\" -i 0 -s >&2',nofork"
    socat - "tcp4:127.0.0.1:$port" </dev/null
    wait_for 5 file_has server.err '^tcp 127.0.0.1:'
}

@test "a remote terminal through a shell instead of ssh" {
    start modem "$S" -d -d "PTY,link=$T/remote,rawer" 'SYSTEM:tr a-z A-Z' </dev/null
    wait_for 5 test -e remote
    start near "$S" -d -d "PTY,link=$T/vmodem0,rawer,wait-slave,pty-interval=0.02" \
        "EXEC:'sh -c \"$S - $T/remote,nonblock,rawer\"'" </dev/null
    wait_for 5 test -e vmodem0
    kill "$(<near.pid)"
    finish near 143
    [ ! -L vmodem0 ]
    kill "$(<modem.pid)"
}

@test "a password for a program that reads it from its terminal" {
    cat >login.sh <<'SH'
#!/bin/sh
printf 'Password: ' >/dev/tty
read -r word </dev/tty
[ "$word" = PASSWORD ] && echo welcome
read -r command && $command
SH
    chmod +x login.sh
    out=$(printf 'PASSWORD\nid -u\n' | socat -t 10 - EXEC:./login.sh,pty,setsid,ctty)
    has "$out" welcome
    has "$out" "^$(id -u)"
}
