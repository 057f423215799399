# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A network of its own for each file: loopback with second and third addresses in both versions, and
# nobody else's ports. It is held by a process; "${NET[@]}" in front of a command runs it inside. Ports
# are never used twice: next_port.
load common

# Second addresses, which are somebody else's for access rules.
export OTHER4=127.0.0.2 OTHER6='[::2]'

setup_file() {
    [ -x "$REF_SOCAT" ] || skip "no reference: set REF_SOCAT"
    socat_link >/dev/null
    net_up
    if declare -F prepare_file >/dev/null; then prepare_file; fi
}

teardown_file() {
    [ -z "${NETPID:-}" ] || kill "$NETPID" 2>/dev/null || :
}

# Root makes a network; others in a user namespace of their own, where that is permitted.
net_up() {
    local user=
    NET_USER=
    if [ "$(id -u)" != 0 ]; then
        user=-Ur
        NET_USER="-U --preserve-credentials"
    fi
    # shellcheck disable=SC2086
    unshare $user -n true 2>/dev/null || skip "network namespaces are not permitted here"
    mkfifo "$BATS_FILE_TMPDIR/net.ready"
    # shellcheck disable=SC2086
    unshare $user -n sh -c '
        ip link set lo up && ip addr add 127.0.0.2/8 dev lo && ip addr add 127.0.0.3/8 dev lo
        ip -6 addr add ::2/128 dev lo nodad; ip -6 addr add ::3/128 dev lo nodad
        echo ready >"$1"; exec sleep 1000' sh "$BATS_FILE_TMPDIR/net.ready" \
        </dev/null >/dev/null 2>&1 3>&- &
    NETPID=$!
    export NETPID NET_USER
    read -r _ <"$BATS_FILE_TMPDIR/net.ready"
}

prepare() {
    OURS=$BATS_FILE_TMPDIR/ours/socat
    # shellcheck disable=SC2206
    NET=(nsenter $NET_USER -n -t "$NETPID")
    next_port
    if declare -F prepare_test >/dev/null; then prepare_test; fi
}

# A port that nobody has used; tests of a file run one after the other, in a network of their own.
next_port() {
    local file=$BATS_FILE_TMPDIR/port
    P=$(($(cat "$file" 2>/dev/null || echo 20000) + 1))
    echo "$P" >"$file"
}

need_net6() { grep -q . "/proc/$NETPID/net/if_inet6" || skip "no IPv6 here"; }

# net_bound <port or raw protocol>: somebody listens there, or receives packets.
net_bound() {
    grep -qi ":$(printf %04X "$1") [0-9A-F]*:[0-9A-F]* 0[7A] " \
        "/proc/$NETPID/net/"{tcp,udp,udplite,raw}{,6} 2>/dev/null
}

# net_serve <program> <arguments...>: started as "server", when something is bound to $P.
net_serve() {
    start server "${NET[@]}" "$@" </dev/null
    wait_for 5 net_bound "$P" || {
        echo "not bound to $P"
        cat server.err
        return 1
    }
}

net_stop() {
    kill "$(<server.pid)" 2>/dev/null || :
    wait_for 2 is_gone "$(<server.pid)" && return
    kill -KILL "$(<server.pid)" 2>/dev/null || : # the reference may miss a signal that comes early
    wait_for 5 is_gone "$(<server.pid)"
}
