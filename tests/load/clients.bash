# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A listener under a storm of clients, and what it holds before and after. Small for "make test";
# LOAD_SEQUENTIAL, LOAD_AT_ONCE and LOAD_SOAK (seconds) make it big: see "make load", "make soak".
load ../helpers

SEQUENTIAL=${LOAD_SEQUENTIAL:-250}
AT_ONCE=${LOAD_AT_ONCE:-100}
SOAK=${LOAD_SOAK:-0}
LIMIT=$((LIMIT + SEQUENTIAL / 10))
export BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT + 10 * LIMIT + SOAK))

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

# Besides its main thread a listener keeps one that leads and the hubs, at most one a processor.
surplus_threads() {
    local n=$(($(threads_of "$server") - 2 - $(nproc)))
    echo $((n > 0 ? n : 0))
}
holdings() {
    echo "$(open_fds "$server") descriptors, $(surplus_threads) surplus threads," \
        "$(pgrep -cP "$server") children, $(zombies "$server") zombies"
}
no_surplus() { [ "$(surplus_threads)" = 0 ]; }
holds() { [ "$(holdings)" = "$1" ]; }
# storm <count> <at once> <bytes> <how many of 100 vanish>: those that stay are served well.
storm() {
    timeout -k 5 "$LIMIT" "$PEER" storm "$port" "$@" >storm.out || {
        cat storm.out
        return 1
    }
}

# round <how many of 100 vanish>...: clients one after the other, and many at once
round() {
    local vanishing
    for vanishing; do
        storm "$SEQUENTIAL" 1 100 "$vanishing"
        storm "$((2 * AT_ONCE))" "$AT_ONCE" 2000 "$vanishing"
    done
}

# under_load <listening address> <second address> [<how many of 100 vanish>...]
under_load() {
    local listen=$1 second=$2 idle blocks bytes before rounds=0 end preload=$CATENA_TOOLS/heap.so
    shift 2
    [ $# -gt 0 ] || set -- 0 30
    [ -z "${CATENA_SANITIZE:-}" ] || preload= # its heap is its own matter
    HEAP_COUNT=$T/heap LD_PRELOAD=$preload start server "$CATENA_BIN" -d0 "$listen" "$second" </dev/null
    server=$pid
    wait_for 10 listening
    port=$(ss -Hltnp | sed -n "s/.*127.0.0.1:\([0-9]*\) .*pid=$server,.*/\1/p")
    crowd "$1"
    stops_growing "$@"
    before=$blocks
    end=$((SECONDS + SOAK))
    while ((SECONDS < end)); do
        round "$@"
        rounds=$((rounds + 1))
    done
    ((rounds == 0)) || stops_growing "$@"
    echo "$rounds rounds; $before blocks of memory, then $blocks with $bytes bytes; $idle"
    # In the long run, too: what threads leave for the next ones depends on how many meet.
    [ $((blocks - before)) -lt 200 ]
    kill "$server"
    finish server 143
    assert_nothing_left
}

# What is made once is made, and room for as many as come; after that a round of clients leaves not
# one block of memory behind, and none has grown (the allocator rounds a little up or down).
stops_growing() {
    local blocks_then bytes_then times
    measure
    for times in 1 2 3 4 5 6 7 8; do
        blocks_then=$blocks bytes_then=$bytes
        round "$@"
        measure
        if [ "$blocks" -le "$blocks_then" ] && [ "$bytes" -lt $((bytes_then + 1024)) ]; then return; fi
    done
    echo "still growing after $times rounds: $blocks_then blocks with $bytes_then bytes, $blocks with $bytes"
    return 1
}

# All clients are gone: blocks and bytes that the listener then has.
measure() {
    wait_for 20 holds "$idle" || { echo "idle: $idle; now: $(holdings)" && return 1; }
    blocks=0 bytes=0
    [ ! -e heap ] || read -r blocks bytes < <(od -An -td8 heap)
}

# More than will come, all at the same time.
crowd() {
    local many=$((AT_ONCE + AT_ONCE / 4))
    start crowd "$PEER" hold "$port" "$many" </dev/null
    wait_for 20 file_has crowd.out "$many"
    [ "$1" = 100 ] || wait_for 20 serves "$many"
    kill "$(<crowd.pid)"
    # What it keeps for the next ones (a pool of threads, say) it may keep from now on.
    wait_for 20 at_rest
}
at_rest() {
    wait_for 20 no_surplus
    idle=$(holdings)
    [ "$(pgrep -cP "$server")" = 0 ] && [ -z "$(ss -Htn state established state close-wait "sport = :$port")" ] &&
        sleep 0.2 && holds "$idle"
}
serves() { [ $(($(pgrep -cP "$server") + $(open_fds "$server"))) -gt "$1" ]; }

listening() { [ -n "$(ss -Hltnp | grep "pid=$server,")" ]; }
