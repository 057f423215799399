#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets from where nothing can be sent to, and packets that bring descriptors: none of them ends a
# listener, none leaves anything behind.
# bats file_tags=thread
load ../faults/matrix

# --- senders that nobody can answer ---

# A neighbour whose packets come from an address to which there is no route.
unreachable() {
    ip link set near address 02:00:00:00:00:01
    ip addr add fd00:1::1/64 dev near nodad
    ip -n far link set lo up
    ip -n far addr add fd00:1::2/64 dev other nodad
    ip -n far addr add fd99::5/128 dev other nodad
    ip -n far neigh add fd00:1::1 lladdr 02:00:00:00:00:01 dev other
    for row in udp6-listen:5001,fork udp6-listen:5002,thread \
        "dtls-l:5003,pf=ip6,fork,cert=$CERTS/server.pem,verify=0"; do
        echo "# $row"
        start server "$CATENA_BIN" -d -d "$row" pipe </dev/null
        wait_for 10 file_has server.err 'listening on'
        port=${row#*:} port=${port%%,*}
        echo lost | ip netns exec far "$CATENA_BIN" -u - "udp6-sendto:[fd00:1::1]:$port,bind=[fd99::5]"
        wait_for 10 file_has server.err ' W .*unreachable; still listening'
        client="udp6:[fd00:1::1]:$port"
        [ "$port" != 5003 ] || client="dtls:[fd00:1::1]:$port,verify=0"
        same hello "$(ip netns exec far "$CATENA_BIN" -t 2 - "$client" <<<hello)"
        kill "$(<server.pid)"
        finish server 143
    done
}
@test "a sender to whom there is no route does not end a UDP listener" {
    [ "$(id -u)" = 0 ] || skip "needs root: makes network namespaces"
    [ -e /proc/net/if_inet6 ] || skip "no IPv6 here"
    in_network unreachable
}

# --- descriptors ---

# pass <path> <data> [<own name>]: 50 packets with four descriptors each.
pass() {
    python3 - "$@" <<'END'
import array, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if len(sys.argv) > 3:
    s.bind(sys.argv[3])
for i in range(50):
    s.sendmsg([sys.argv[2].encode()],
              [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 4))], 0, sys.argv[1])
END
}

count_is() { [ "$(grep -c "$2" "$1")" = "$3" ]; }

# taker <data> <arguments...>: a receiver on "sock"; its descriptors before and after.
taker() {
    local data=$1
    shift
    rm -f sock stranger got
    start taker "$CATENA_BIN" -d -d -d "$@" </dev/null
    wait_for 10 test -S sock
    wait_for 10 file_has taker.err 'receiving on\|starting data transfer'
    before=$(open_fds "$pid")
    pass sock "$data" stranger
    catena -u - unix-sendto:sock,bind=friend <<<last
    wait_for 10 grep -q "${seen:-last}" got taker.err
    same "$before" "$(open_fds "$(<taker.pid)")" || {
        echo "# $*"
        return 1
    }
    kill "$(<taker.pid)"
    finish taker 143
}

@test "descriptors that come with packets are closed, whatever becomes of the packet" {
    command -v python3 >/dev/null || skip "needs python3"
    taker '' -u unix-recv:sock create:got
    taker x -u unix-recv:sock create:got
    taker '' -u unix-recvfrom:sock,fork open:got,creat,append
    start other "$CATENA_BIN" -u unix-recv:other /dev/null,ignoreeof </dev/null
    wait_for 10 test -S other
    seen='dropping packet from AF=1 "friend"' taker x 'pipe:idle' unix-sendto:other,bind=sock
}

# --- a service that is confined to a namespace ---

confined() {
    ip -n far link set lo up
    for how in fork thread; do
        start server "$CATENA_BIN" --experimental -d -d \
            "udp4-listen:5005,bind=127.0.0.1,$how,netns=far" pipe </dev/null
        wait_for 10 file_has server.err 'listening on'
        for i in 1 2 3; do
            same "$i" "$(ip netns exec far "$CATENA_BIN" -t 1 - udp4:127.0.0.1:5005 <<<"$i")"
        done
        same '' "$(ss -Hanu 'sport = :5005')" # here, outside of it
        kill "$(<server.pid)"
        finish server 143
    done
}
@test "netns holds for every socket of a UDP listener" { in_network confined; }
