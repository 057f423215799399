#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP and UNIX sockets: either program as client and as server, and their options.
load common

prepare() {
    seq 1 3000 >in
    OURS=$BATS_FILE_TMPDIR/ours/socat
}

# Each pair of programs: pairs <function>, which gets server and client as arguments.
pairs() {
    "$1" "$OURS" "$OURS"
    "$1" "$OURS" "$REF_SOCAT"
    "$1" "$REF_SOCAT" "$OURS"
}

# listen <program> <arguments...>: its port is in $port.
listen() {
    start server "$1" -d -d -d -d -lf "$T/server.log" "${@:2}" </dev/null
    wait_for 5 file_has server.log 'listening on' || {
        cat server.log
        return 1
    }
    port=$(sed -n 's/.*N listening on .*:\([0-9]*\)$/\1/p' server.log)
}

tcp_echo() {
    listen "$1" tcp-listen:0,bind=127.0.0.1 pipe
    "$2" -t 5 - "tcp:127.0.0.1:$port" <in | cmp - in
    finish server
    rm server.log
}
@test "tcp" { pairs tcp_echo; }

tcp4() {
    listen "$1" TCP4-LISTEN:0,bind=127.0.0.1 exec:cat
    "$2" -t 5 - "TCP4:127.0.0.1:$port" <in | cmp - in
    finish server
    rm server.log
}
@test "tcp4" { pairs tcp4; }

tcp6() {
    listen "$1" 'TCP6-LISTEN:0,bind=[::1]' pipe
    "$2" -t 5 - "TCP6:[::1]:$port" <in | cmp - in
    wait_for 5 is_gone "$(<server.pid)"
    rm server.log
}
@test "tcp6" {
    [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "no IPv6 here"
    pairs tcp6
}

one_way() {
    listen "$1" -u tcp-listen:0,bind=127.0.0.1 create:got
    "$2" -u - "tcp:127.0.0.1:$port" <in
    finish server
    cmp got in
    rm server.log
    listen "$1" -U tcp-listen:0,bind=127.0.0.1 open:in
    "$2" -u "tcp:127.0.0.1:$port" - </dev/null | cmp - in
    finish server
    rm server.log
}
@test "tcp, one way" { pairs one_way; }

half_close() {
    listen "$1" tcp-listen:0,bind=127.0.0.1 'exec:wc -l'
    same 3000 "$("$2" -t 5 - "tcp:127.0.0.1:$port" <in | tr -d ' ')"
    finish server
    rm server.log
}
@test "half close: the answer comes behind the end of the question" { pairs half_close; }

unix_echo() {
    start server "$1" unix-listen:sock pipe </dev/null
    wait_for 5 unix_listens sock
    "$2" -t 5 - unix-connect:sock <in | cmp - in
    finish server
    [ ! -e sock ]
    start server "$1" UNIX-L:sock,fork,unlink-early pipe </dev/null
    wait_for 5 unix_listens sock
    "$2" -t 5 - UNIX:sock <in | cmp - in
    "$2" -t 5 - ./sock <in | cmp - in
    kill "$(<server.pid)"
    finish server 143
    [ ! -e sock ]
}
@test "unix" { pairs unix_echo; }

@test "unix: attributes and removal of the socket" {
    for options in mode=600 perm=0640 umask=077 mode=666,unlink-close=0 user=nobody group=nogroup; do
        for which in ref ours; do
            p=$REF_SOCAT
            [ $which = ref ] || p=$OURS
            start server "$p" "unix-listen:sock,$options" pipe </dev/null
            wait_for 5 unix_listens sock
            # Attributes follow the creation.
            wait_for 5 listens sock
            stat -c '%a %U %G' sock >"$which.stat"
            kill "$(<server.pid)"
            finish server 143
            ls sock >"$which.left" 2>/dev/null || :
            rm -f sock
        done
        diff ref.stat ours.stat
        diff ref.left ours.left
    done
}
listens() { grep -q "$1\$" <(awk '$4 == "00010000" { print $NF }' /proc/net/unix); }

@test "unix: an existing file is never removed" {
    echo precious >file
    run "$OURS" unix-listen:file pipe </dev/null
    same 1 "$status"
    same precious "$(<file)"
    run "$OURS" -u - unix-connect:file </dev/null
    same 1 "$status"
    same precious "$(<file)"
}

@test "unix: targets that are wrong" {
    mkdir dir
    echo x >file
    "$OURS" unix-listen:orphan,unlink-close=0 /dev/null </dev/null &
    wait_for 5 test -S orphan
    kill $!
    wait $! || :
    prepare_case() { mkdir dir && echo x >file; }
    for target in nothing dir file /nothing/here; do
        both_fail - "unix:$target"
        both_fail - "unix-connect:$target"
        both_fail -u - "open:$target/x"
    done
    [ ! -e orphan ] || both_fail - "unix:$T/orphan"
    both_fail unix-listen:dir pipe
    both_fail unix-listen:/nothing/here pipe
}

@test "a port in use, a host that is none, a port that is none" {
    listen "$OURS" tcp-listen:0,bind=127.0.0.1 pipe
    both_fail "tcp-listen:$port,bind=127.0.0.1" pipe
    both_fail - tcp:127.0.0.1:nosuchservice
    both_fail - tcp:nosuchhost.invalid:80
    both_fail - 'tcp:127.0.0.1'
    both_fail - 'tcp:127.0.0.1:1:2'
    kill "$(<server.pid)"
}

# port_row <as given> <port | no>: which port a listener takes it for; ours, since the reference
# reads octal and hexadecimal numbers and overlooks what follows a number.
port_row() {
    if [ "$2" = no ]; then
        STATUS=1 ours_alone "TCP4-L:$1,bind=127.0.0.1" pipe
        has "$(<ours.err)" ' E .*port\|service'
    else
        STATUS=0 ours_alone -d -d "TCP4-L:$1,bind=127.0.0.1,accept-timeout=0.01" pipe
        has "$(<ours.err)" " N listening on AF=2 127.0.0.1:$2\$"
    fi
}
@test "how a port may be written" {
    p=$(free_port)
    each port_row <<ROWS
$p $p
0$p $p
" $p" $p
${p}x no
"$p " no
0x$(printf %x "$p") no
1e3 no
65536 no
4294967297 no
-1 no
'' no
nosuchservice no
ROWS
}

# reused <which> <address> <0 | 1>: SO_REUSEADDR, which a connection has from its listener.
reused() {
    local program
    program=$(dirname "$CATENA_BIN")/filan
    start server "$1" -d -d "$2" "SYSTEM:'$program -i 0 >&2',nofork" </dev/null
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9]*\)$/\1/p' server.err)
    "$OURS" -u /dev/null "TCP4:127.0.0.1:$port"
    finish server
    has "$(<server.err)" "[[:space:]]REUSEADDR=$3[[:space:]]"
}
@test "SO_REUSEADDR: who has it, and how it is switched off" {
    any=x0000x7f000001x0000000000000000
    each reused "'$OURS'" <<ROWS
TCP4-L:0 1
TCP4-L:0,reuseaddr 1
TCP4-L:0,so-reuseaddr=1 1
TCP4-L:0,reuseaddr=0 0
TCP4-L:0,reuseaddr= 0
TCP4-L:0,so-reuseaddr= 0
SOCKET-LISTEN:2:6:$any 1
SOCKET-LISTEN:2:6:$any,reuseaddr= 0
ROWS
    each reused "'$REF_SOCAT'" <<'ROWS'
TCP4-L:0,reuseaddr 1
TCP4-L:0,reuseaddr=0 0
ROWS
}

@test "bind, sourceport, and what the program on the other side learns" {
    learns() {
        listen "$1" tcp-listen:0,bind=127.0.0.1 \
            'system:echo \$SOCAT_PEERADDR \$SOCAT_SOCKADDR \$SOCAT_SOCKPORT; [ -n \"\$SOCAT_PEERPORT\" ]; echo \$?'
        out=$("$2" -t 5 - "tcp:127.0.0.1:$port,bind=127.0.0.3" </dev/null | paste -sd' ')
        same "127.0.0.3 127.0.0.1 $port 0" "$out"
        finish server
        rm server.log
    }
    pairs learns
    listen "$OURS" tcp-listen:0,bind=127.0.0.1 'system:echo \$SOCAT_PEERPORT'
    p=$("$PEER" freeport)
    same "$p" "$("$OURS" -t 5 - "tcp:127.0.0.1:$port,sourceport=$p" </dev/null)"
}

@test "socket options are taken" {
    for options in keepalive nodelay,keepidle=5,keepintvl=3,keepcnt=2 rcvbuf=20000,sndbuf=20000 \
        linger=1 tos=16 ttl=9 mss=1000 reuseaddr priority=3 cork \
        setsockopt=6:1:i1 sockopt=1:9:i1 o-nonblock cloexec shut-down end-close connect-timeout=2 \
        interval=1,retry=2 crnl bind=127.0.0.1; do
        listen "$OURS" tcp-listen:0,bind=127.0.0.1 pipe
        "$OURS" -t 5 - "tcp:127.0.0.1:$port,$options" <in >out
        [ "$options" = crnl ] || cmp out in
        finish server
        rm server.log
    done
}

@test "the same set on the accepted socket" {
    for options in keepalive,nodelay reuseaddr=0 backlog=3 rcvbuf=20000 setsockopt=6:1:i1 \
        accept-timeout=5 max-children=1,fork range=127.0.0.0/8 range=127.0.0.1:255.0.0.0; do
        listen "$OURS" "tcp-listen:0,bind=127.0.0.1,$options" pipe
        "$REF_SOCAT" -t 5 - "tcp:127.0.0.1:$port" <in | cmp - in
        kill "$(<server.pid)" 2>/dev/null || :
        wait_for 5 is_gone "$(<server.pid)"
        rm server.log
    done
}

@test "accept-timeout ends with status 0" {
    both tcp-listen:0,bind=127.0.0.1,accept-timeout=0.2 pipe
    has "$(<ours.err)" ' W accept: Connection timed out'
}

@test "retry and interval: a server that comes later" {
    late() {
        p=$("$PEER" freeport)
        start client "$2" -t 5 - "tcp:127.0.0.1:$p,retry=100,interval=0.05" <in
        start server "$1" "tcp-listen:$p,bind=127.0.0.1,reuseaddr" pipe </dev/null
        finish client
        cmp client.out in
        finish server
    }
    pairs late
}

@test "forever on a listener that has to wait for its port" {
    listen "$OURS" tcp-listen:0,bind=127.0.0.1 pipe
    p=$port
    start second "$OURS" "tcp-listen:$p,bind=127.0.0.1,forever,interval=0.05" pipe </dev/null
    "$OURS" -t 5 - "tcp:127.0.0.1:$p" <in | cmp - in
    finish server
    wait_for 5 port_listens "$p"
    "$OURS" -t 5 - "tcp:127.0.0.1:$p" <in | cmp - in
    finish second
}

@test "fork in client and server" {
    forking() {
        listen "$1" tcp-listen:0,bind=127.0.0.1,fork pipe
        for i in 1 2 3; do same "$i" "$("$2" -t 5 - "tcp:127.0.0.1:$port" <<<"$i")"; done
        kill "$(<server.pid)"
        finish server 143
        rm server.log
    }
    pairs forking
}

@test "SOCAT_DEFAULT_LISTEN_IP, -4, -6, pf" {
    [ -e /proc/net/if_inet6 ] || skip "no IPv6 here"
    family() { # <arguments>: the AF of the listener
        start server "$OURS" -d -d -d -lf family.log "$@" pipe </dev/null
        wait_for 5 file_has family.log 'listening on'
        sed -n 's/.*listening on AF=\([0-9]*\) .*/\1/p' family.log
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
        rm family.log
    }
    same 2 "$(family tcp-listen:0)"
    same 10 "$(family -6 tcp-listen:0)"
    same 2 "$(family -4 tcp-listen:0)"
    same 10 "$(family tcp-listen:0,pf=ip6)"
    same 10 "$(SOCAT_DEFAULT_LISTEN_IP=6 family tcp-listen:0)"
    same 2 "$(SOCAT_DEFAULT_LISTEN_IP=6 family -4 tcp-listen:0)"
}

# What is open already, or is a program's, takes what a socket of ours takes; what it cannot take, or
# what comes too late for it, is an error on both.
@test "socket options of descriptors that we did not make" {
    exec 8<>/dev/udp/127.0.0.1/9
    : >in
    STATUS=0 abreast both <<'ROWS'
-u /dev/null 8,rcvbuf=10000
-u /dev/null 8,keepalive
-u /dev/null 8,ttl=9,tos=4
-u /dev/null EXEC:cat,rcvbuf=10000,sndbuf=10000
-u /dev/null EXEC:cat,reuseaddr
-u /dev/null EXEC:cat,setsockopt-listen=1:9:i1
-u /dev/null EXEC:cat,so-type=5,pf=1
ROWS
    abreast both_fail <<'ROWS'
-u /dev/null 8,nodelay
-u /dev/null 8,bind=:7
-u /dev/null 8,pf=ip4
-u /dev/null 8,so-type=1
-u - EXEC:cat,reuseport
-u - EXEC:cat,bind=x
-u - EXEC:cat,pipes,rcvbuf=1000
-u - EXEC:cat,pty,rcvbuf=1000
-u - EXEC:cat,pipes,so-type=2
-u /dev/null,rcvbuf=1000 -
-u STDIN,rcvbuf=1000 -
-u GOPEN:/dev/null,bind=x -
ROWS
    exec 8>&-
}

@test "-g: an option of another group acts or is refused, never ignored" {
    printf 'abc\n' >in
    both_fail -g - PIPE,so-rcvbuf=1000
    both_fail -g - PIPE,nodelay
    both_fail -g - PIPE,ttl=5
    both_fail -g - PIPE,fork
    both_fail -g - PIPE,bind=x
    both_fail -g - PIPE,range=1.2.3.4/8
    both_fail -g - EXEC:cat,nodelay
    both_fail -g - EXEC:cat,echo=0
    both_fail -g - EXEC:cat,backlog=3
    both_fail -g - EXEC:cat,unlink-early
    both_fail -g - EXEC:cat,iff-up
    both_fail -g - EXEC:cat,verify=0
    STATUS=0 both -g - PIPE,retry=2
    STATUS=0 both -g - PIPE,append=0
    # where they mean something: a socket in the place of a file
    start listener "$REF_SOCAT" "UNIX-LISTEN:$T/there" PIPE
    wait_for 5 unix_listens "$T/there"
    STATUS=0 ours_alone -g - "GOPEN:$T/there,rcvbuf=5000"
    same abc "$(<ours.out)"
}
