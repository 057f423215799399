# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of packet sockets share.

prepare() {
    OURS=$BATS_FILE_TMPDIR/ours/socat
    P=$("$PEER" freeport)
}

# Each pair of programs: pairs <function> [<arguments>], which get server and client in front.
pairs() {
    "$1" "$OURS" "$OURS" "${@:2}"
    "$1" "$OURS" "$REF_SOCAT" "${@:2}"
    "$1" "$REF_SOCAT" "$OURS" "${@:2}"
}

# With nobody at its other end: children of an earlier server may have that port, too.
udp_bound() { [ -n "$(ss -Hlun "sport = :$1")" ]; }
udplite_bound() { grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 " /proc/net/udplite /proc/net/udplite6; }
raw_bound() { grep -qi ":$(printf %04X "$1") " /proc/net/raw /proc/net/raw6; }
# Connected or bound is the same in /proc/net/unix: only the name tells.
unix_bound() { grep -q " @\?$1\$" /proc/net/unix; }
# In the file system or abstract.
unix_accepts() { awk '$4 == "00010000" { print $NF }' /proc/net/unix | grep -q "^@\?$1\(@.*\)\?\$"; }

# serve <how to see it> <program> <arguments...>: the server, when it can be reached.
serve() {
    local seen=$1
    shift
    start server "$@" </dev/null
    # shellcheck disable=SC2086
    wait_for 5 $seen || {
        cat server.err
        return 1
    }
}

# The server is told to end, and does.
stop() {
    end "$(<server.pid)"
    finish server 143
}

# own_network <function>: in a network namespace of its own that has loopback and nothing else.
own_network() {
    [ "$(id -u)" = 0 ] || skip "needs root: makes a network namespace"
    unshare -n -m true 2>/dev/null || skip "network and mount namespaces are not permitted here"
    # shellcheck disable=SC2016
    unshare -n -m bash -ec '
        mkdir -p /run && mount -t tmpfs none /run
        ip link set lo up
        cd "$1"; shift
        source "$1"; shift
        "$@"' own "$T" "$BATS_TEST_DIRNAME/dgram.bash" "$@"
}

need_root() { [ "$(id -u)" = 0 ] || skip "needs root: $1"; }
need_ip6() { [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "no IPv6 here"; }
