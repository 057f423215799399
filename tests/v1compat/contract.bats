#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts ask of a socat before they use it, and read from it while it runs.
load ../helpers

prepare() { S=$(socat_link); }

socat() { timeout -k 5 "$LIMIT" "$S" "$@"; }

# fails <pattern> <arguments...>: status 1, and an E line with the pattern.
fails() {
    local text=$1
    shift
    run socat "$@" </dev/null
    same 1 "$status"
    has "$output" " E .*$text"
}

keywords() {
    socat -hhh | sed -n '/^   address-head:/,/^   opts:/p' |
        sed '1d;$d;s/^[[:space:]]*//;s/[^A-Z0-9-].*//' | sort -u
}

@test "-V: a line for each feature that scripts ask for" {
    socat -V >version
    for name in STDIO FDNUM FILE CREAT GOPEN TERMIOS PIPE STALL TEXT SOCKETPAIR UNIX \
        ABSTRACT_UNIXSOCKET IP4 IP6 RAWIP GENERICSOCKET INTERFACE TCP UDP SCTP DCCP UDPLITE LISTEN \
        POSIXMQ SOCKS4 SOCKS4A SOCKS5 VSOCK NAMESPACES PROXY SYSTEM SHELL EXEC READLINE TUN PTY \
        OPENSSL LIBWRAP FILAN RETRY STATS; do
        grep -qx "  #define WITH_$name 1" version || {
            echo "$name is missing"
            return 1
        }
    done
    for name in FIPS DEVTESTS; do
        grep -qx "  #undef WITH_$name" version
    done
}

@test "help: switches are found literally" {
    socat -hhh >help
    for p in '^ *-S[ <]' ' -r ' ' -R ' '[[:space:]]-0[[:space:]]' '[[:space:]]-4[[:space:]]' \
        '[[:space:]]-6[[:space:]]' '^ *--experimental[[:space:]<]' '^ *-d0[[:space:]<]'; do
        same 1 "$(grep -c -e "$p" help)"
    done
    for name in TCP UDP SCTP DCCP; do
        grep -q " ${name}4-" <(socat -h)
        grep -q " ${name}6-" <(socat -h)
    done
}

@test "help: fields of the options" {
    socat -hhh | sed '1,/opt:/d' >options
    has "$(<options)" '^ *ip-add-source-membership[[:space:]].*type=IP-MREQ-SOURCE$'
    has "$(<options)" '^ *dash[[:space:]].*phase=PREEXEC'
    has "$(<options)" '^ *udplite-recv-cscov[[:space:]]*groups=UDPLITE[[:space:]]'
    same '' "$(grep -vE '^ *[^[:space:]]+[[:space:]]+(groups=[^[:space:]]+[[:space:]]+phase=[A-Z0-9]+[[:space:]]+type=[^[:space:]]+|is an alias for [^[:space:]]+)$' options)"
    # an address's own option may have the name of another's: then they stand for themselves
    same '' "$(awk '{print $1, $2}' options | sort | uniq -d)"
}

@test "keywords: each is known, refused with too many parameters, and leaves nothing behind" {
    fails 'unknown device/address "nosuch"' nosuch::::::::::::::: -
    mkdir empty && cd empty
    for keyword in $(keywords); do
        [ "$keyword" != - ] || continue
        for arguments in "$keyword::::::::::::::: -" "- $keyword:::::::::::::::"; do
            # shellcheck disable=SC2086 # two words
            fails '' $arguments
            has_not "$output" 'unknown device'
        done
    done
    same '' "$(ls -A)"
}

@test "command line: what is refused, and how" {
    fails 'unknown option "-vx"' -vx - -
    fails 'buffer size option (-b) to big' -b9223372036854775808 - -
    fails 'at most 4294967296' -b9223372036854775807 - -
    fails 'unexpected end' - 'exec:"abc'
    fails 'missing numerical value' - tcp:127.0.0.1:1,mss=abc
    fails 'trailing garbage' - tcp:127.0.0.1:1,mss=12k
    fails 'Address family for hostname not supported' tcp4-l:0,bind=[::1] -
    fails 'unknown protocol family "xx"' tcp-l:0,pf=xx -
    fails 'unknown service' tcp-l:47012x -
    [ "$(id -u)" != 0 ] || fails 'No such device' - interface:nosuch0 # others get no such socket
    fails 'Connection refused' - "tcp4:127.0.0.1:$(free_port)"
    fails 'Address family not supported by protocol' - socket-connect:99:6:x00
    fails 'Invalid argument' - socket-connect:2:6:x
    start_peer holder eof
    fails 'Address already in use' "tcp4-l:$port,bind=127.0.0.1" -
}

@test "two empty inputs end at once; pipes are idle for -T" {
    run socat -d0 exec:true exec:true
    same '0 ' "$status $output"
    run socat -T 0.1 pipe pipe
    same '0 ' "$status $output"
}

@test "a program that fails: W and status 1" {
    run socat -u system:'exit 7' -
    same 1 "$status"
    has "$output" ' W waitpid(): child [0-9]* exited with status 7$'
    run socat -u system:'kill -9 $$' -
    same 1 "$status"
    has "$output" ' W waitpid(): child [0-9]* exited on signal 9$'
}

# What is wrong with these is theirs or the peer's; it is never a crash.
@test "no status but 1 for nonsense" {
    long=$(printf '%5000s' '' | tr ' ' 0)
    for address in ip4-sendto:127.0.0.1:{-1,256,99999,x} udp4:127.0.0.1:{-1,65536,99999999999999999999,x,} \
        socket-connect:{2:6:xg,2:6:x0,2:6:q1,2:-1:x00,x:6:x00,2:6:x$long,2:6:\\\"x,2:99:x00,-1:6:x00} \
        socket-listen:2:6:x00 socket-sendto:2:2:17:x$long tcp4:127.0.0.1:1,bind={:x,[,[::,$long} \
        tcp4:[127.0.0.1:1 tcp4:127.0.0.1]:1 tcp6:[:::::::::::]:1 fd:{-1,99999999999,x}; do
        fails '' - "$address"
    done
    for client in proxy:127.0.0.1:host:80,proxyport=PORT socks4:127.0.0.1:10.0.0.1:80,socksport=PORT \
        socks4a:127.0.0.1:host:80,socksport=PORT socks5:127.0.0.1:PORT:host:80 openssl:127.0.0.1:PORT; do
        start_peer peer recv:1 reset
        fails 'Connection reset by peer' - "${client/PORT/$port}"
        finish peer
    done
}

@test "accept-timeout: W and status 0" {
    run socat tcp4-l:0,bind=127.0.0.1,accept-timeout=0.1 -
    same 0 "$status"
    has "$output" ' W accept: Connection timed out$'
    run catena tcp4-l:0,bind=127.0.0.1,accept-timeout=0.1 -
    same 0 "$status"
    has "$output" ' W accept: nobody came within accept-timeout: connection timed out \[E-TIMEOUT\]$'
}

@test "a receiver that forks has the same descriptors free each time" {
    start server "$S" -t 10 -ddd udp4-recvfrom:0,bind=127.0.0.1,fork exec:cat </dev/null
    wait_for 5 file_has server.err ' N .* bound to AF=2 127.0.0.1:[0-9]*$'
    port=$(sed -n 's/.* bound to AF=2 127.0.0.1:\([0-9]*\)$/\1/p' server.err)
    for word in a b c; do
        same $word "$(socat -t 5 - "udp4-sendto:127.0.0.1:$port,readbytes=2" <<<$word)"
    done
    sed -n 's/.* I \(socketpair(1, 1, 0, {[0-9]*,[0-9]*}) -> 0\)$/\1/p' server.err >pairs
    same 3 "$(wc -l <pairs)"
    same 1 "$(uniq pairs | wc -l)"
}

@test "IP version: switches beat the environment, pf beats all" {
    while read -r environment switch address family; do
        SOCAT_DEFAULT_LISTEN_IP=$environment socat -d -d $switch \
            "$address,accept-timeout=0.01" - </dev/null 2>listen.err
        has "$(<listen.err)" " N listening on AF=$family .*:[0-9]*\$"
    done <<'CASES'
4 -ls tcp-l:0 2
6 -ls tcp-l:0 10
6 -4 tcp-l:0 2
4 -6 tcp-l:0 10
4 -0 tcp-l:0 10
6 -6 tcp-l:0,pf=ip4 2
4 -ls tcp6-l:0,pf=ip4 2
4 -4 tcp-l:0,pf=10 10
4 -ls tcp-l:0,bind=[::1] 10
6 -ls tcp-l:0,bind=127.0.0.1 2
CASES
}

# signal <name> <status> <level>: how the program ends by it, and at which level it says so.
signal() {
    start "$1" "$S" -d -d pipe pipe
    wait_for 5 file_has "$1.err" 'starting data transfer loop'
    kill -s "$1" "$pid"
    finish "$1" "$2"
    has "$(<"$1.err")" " $3 exiting on signal $(($2 - 128))\$"
}

@test "signals: status and level" {
    signal HUP 129 N
    signal INT 130 N
    signal QUIT 131 E
    signal ILL 132 E
    signal TERM 143 W
}

@test "su: the program has the environment of its user" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    entry=$(getent passwd nobody)
    IFS=: read -r _ _ uid _ _ home shell <<<"$entry"
    for su in su su-d substuser; do
        same "$uid nobody nobody $home $shell" \
            "$(socat -u system:'echo $(id -u) $LOGNAME $USER $HOME $SHELL',"$su"=nobody - </dev/null)"
    done
    same "$HOME" "$(socat -u system:'echo $HOME',setuid=nobody - </dev/null)"
    same /bin/sh "$(socat -u shell:'echo $SHELL',su=nobody,shell=/bin/sh - </dev/null)"
}
