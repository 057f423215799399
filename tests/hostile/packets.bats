#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets that bring descriptors: they leave nothing behind.
load ../faults/matrix

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
    seen='dropping packet from AF=1 "friend"' taker x 'stall' unix-sendto:other,bind=sock
}
