#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of what the system gives out: descriptors, processes, memory. A run that does not
# get what it needs ends with an error line; a listener loses a connection and goes on.
load matrix

# limited <ulimit arguments> <arguments...>: status and output; never a signal's end or a hang.
limited() {
    local limit=$1
    shift
    status=0 cells=$((cells + 1))
    (within "$limit" timeout -k 5 "$LIMIT" "$CATENA_BIN" "$@") </dev/null >out 2>log || status=$?
    last="ulimit $limit: $*"
    case $status in
    0) ;;
    1) file_has log ' E ' || failed "fails without an error line" ;;
    127) file_has log 'error while loading\|cannot allocate TLS' || failed ;; # it did not even get that far
    *) failed ;;
    esac
}

failed() {
    failures+=("$last")
    echo "--- FAILED: $last: status $status; $*"
    cat log
}

lines() {
    printf '%s\0' pipe exec:cat 'exec1:cat%exec1:cat|pipe' 'gzip|gunzip|pipe' pty,raw socketpair \
        "openssl,verify=0|^openssl-server,cert=$CERTS/server.pem,verify=0|pipe" \
        'system:cat,pipes' 'nop|tcp-listen:0,bind=127.0.0.1,accept-timeout=0.05'
}

@test "few descriptors: each number of them" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers open files of their own"
    lines >lines
    for n in 3 4 5 6 7 8 9 10 11 12 14 16 18 20 24; do
        while IFS= read -r -d '' line <&7; do
            limited "-n $n" -T 0.05 open:/dev/null "$line"
            if [ "$status" = 1 ]; then
                file_has log '[Tt]oo many open files' || failed "the reason is not told"
            fi
        done 7<lines
    done
    same 0 "$status" # the last number is enough
    well
}

@test "little memory: no crash" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want all the address space"
    lines >lines
    for k in 3000 6000 7000 8000 9000 10000 11000 12000 14000 20000 40000; do
        while IFS= read -r -d '' line <&7; do
            limited "-v $k" -T 0.05 open:/dev/null "$line"
        done 7<lines
    done
    for k in 6000 8000 10000; do limited "-v $k" -b 1000000000 open:/dev/null pipe; done
    limited "-v 100000" -b 1000000000 open:/dev/null pipe
    same 1 "$status"
    has "$(<log)" ' E .*memory'
    well
}

@test "little memory: gzip goes on with fewer threads" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want all the address space"
    local k few=0
    head -c 3000000 "$BIG" >big
    for k in 5000 7000 9000 12000 16000; do
        limited "-v $k" -u open:big 'gzip,threads=64,level=1|create:out.gz'
        if [ "$status" = 0 ]; then
            gzip -d <out.gz | cmp - big || failed "and is not whole"
        fi
        ! file_has log ' W gzip compresses with [0-9]* of 64 threads: ' || few=$((few + (1 - status)))
    done
    [ "$few" -ge 3 ]
    well
}

@test "few threads: gzip does what they cannot" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "a preloaded library and a sanitizer's own do not get on"
    local n flush
    head -c 2000000 "$BIG" >big
    for n in 0 1 3; do
        for flush in idle always never; do
            (head -c 300000 big && sleep 0.1 && tail -c +300001 big) |
                LD_PRELOAD=$CATENA_TOOLS/threads.so THREADS_MOST=$n \
                    catena -u - "gzip,threads=4,level=1,flush=$flush|create:out.gz" 2>log
            has "$(<log)" " W gzip compresses with $n of 4 threads: cannot start a thread"
            gzip -d <out.gz | cmp - big
        done
    done
}

serve() { # <ulimit arguments> <listening address> <second address> [<switches>...]
    start server within "$1" "$CATENA_BIN" -d -d "${@:4}" "$2" "$3" </dev/null
    wait_for 10 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
    server=$pid
}

served() { [ "$(catena -t 2 - "tcp:127.0.0.1:$port" <<<hello)" = hello ]; }

@test "a listener that runs out of descriptors serves again when there are some" {
    for how in fork thread; do
        for second in pipe 'gzip|gunzip|pipe' exec:cat; do
            cells=$((cells + 1)) last="$how, $second"
            serve "-n 24" "tcp-listen:0,bind=127.0.0.1,backlog=64,$how" "$second"
            served
            start crowd "$PEER" hold "$port" 40 </dev/null
            [ "$how" = fork ] || wait_for 10 file_has server.err 'too many open files'
            wait_for 5 file_has crowd.out 40
            kill "$(<crowd.pid)"
            wait_for 10 served
            kill "$server"
            finish server 143
        done
    done
    well
}

@test "a listener that may not fork or start threads goes on listening" {
    [ "$(id -u)" = 0 ] || skip "needs root: becomes a user of its own"
    command -v setpriv >/dev/null || skip "needs setpriv"
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers start threads of their own"
    public_dir
    cp "$CATENA_BIN" "$public/catena"
    for how in fork thread; do
        cells=$((cells + 1))
        user=$((100000 + $$ % 100000 + cells))
        start server setpriv --reuid=$user --clear-groups \
            bash -c 'ulimit -u 2; exec "$0" "$@"' "$public/catena" -d -d \
            "tcp-listen:0,bind=127.0.0.1,$how" pipe </dev/null
        server=$pid
        wait_for 10 file_has server.err 'listening on'
        port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
        wait_for 10 served
        start crowd "$PEER" hold "$port" 5 </dev/null
        # A connection does not cost a thread each time, but always a process.
        [ $how = thread ] || wait_for 10 file_has server.err ' W .*resource temporarily unavailable'
        wait_for 10 file_has crowd.out 5
        kill "$(<crowd.pid)"
        wait_for 10 served
        kill "$server"
        finish server 143
    done
    well
}

@test "a program of a connection that cannot be started costs that connection only" {
    cells=$((cells + 2))
    for how in fork thread; do
        start_listener server "tcp-listen:0,bind=127.0.0.1,$how" "system:'exec $T/late'"
        same '' "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
        printf '#!/bin/sh\nexec cat\n' >late && chmod 755 late
        served
        rm late
        kill "$(<server.pid)"
        finish server 143
    done
    well
}

@test "a listener that runs out of memory loses connections, and serves again when there is some" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want all the address space"
    for second in pipe 'gzip|gunzip|pipe'; do
        # Each process has its own: one connection is too much, until more is allowed.
        for limit in -v -d; do
            cells=$((cells + 1))
            serve "-S $limit 60000" tcp-listen:0,bind=127.0.0.1,fork "$second" -b 50000000
            same '' "$(catena -d0 -t 2 - "tcp:127.0.0.1:$port" <<<hello)"
            wait_for 5 file_has server.err ' E .*memory'
            has_not "$(<server.err)" 'exited on signal'
            prlimit --pid "$server" --as=unlimited --data=unlimited
            wait_for 10 served
            kill "$server"
            finish server 143
        done
        # One process for all: many are too much, one is not.
        cells=$((cells + 1))
        serve "-v 60000" tcp-listen:0,bind=127.0.0.1,backlog=64,thread "$second" -b 2000000
        served
        start crowd "$PEER" hold "$port" 40 1000000 </dev/null
        wait_for 10 file_has server.err ' E .*memory'
        wait_for 10 file_has crowd.out 40
        kill "$(<crowd.pid)"
        wait_for 10 served
        kill "$server"
        finish server 143
    done
    well
}

# memory_group <bytes>: a control group with so much memory, of the one or the other version; its
# directory is then in $group. Its limit is in $group/$most.
memory_group() {
    local root
    [ "$(id -u)" = 0 ] || skip "needs root: makes a control group"
    for root in $(awk '$3 == "cgroup2" || $3 == "cgroup" && $4 ~ /memory/ { print $2 }' /proc/mounts); do
        group=$root/catena-test-$$
        mkdir "$group" 2>/dev/null || continue
        for most in memory.max memory.limit_in_bytes; do
            if [ -e "$group/$most" ] && echo "$1" >"$group/$most"; then
                echo "$group" >"$BATS_FILE_TMPDIR/group"
                return
            fi
        done
        rmdir "$group"
    done
    skip "no control group for memory can be made here"
}
teardown_file() { [ ! -e "$BATS_FILE_TMPDIR/group" ] || rmdir "$(<"$BATS_FILE_TMPDIR/group")"; }
grouped() { echo "$BASHPID" >"$group/cgroup.procs" && exec "$@"; }

@test "a child that the system kills for its memory is that connection's matter" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want more memory"
    memory_group 10000000
    cells=1
    start server grouped "$CATENA_BIN" -d -d -b 16000000 -U tcp-listen:0,bind=127.0.0.1,fork \
        "open:$BIG" </dev/null
    server=$pid
    wait_for 10 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
    catena -u "tcp:127.0.0.1:$port" create:out 2>log || :
    wait_for 5 file_has server.err ' W .*exited on signal 9'
    [ "$(stat -c %s out)" -lt "$M" ]
    echo 1000000000 >"$group/$most"
    catena -u "tcp:127.0.0.1:$port" create:out
    cmp out "$BIG"
    kill "$server"
    finish server 143
    well
}

# Packets have no connection that would wait until there is a descriptor for it.
@test "packet sockets in threads that run out of descriptors serve again when there are some" {
    start sink "$CATENA_BIN" unix-listen:sink,thread,backlog=128 stall </dev/null
    wait_for 10 unix_listens sink
    for line in udp-listen udp-recvfrom; do
        for n in 25 26; do # with one of them it is the listener that meets the end
            cells=$((cells + 1)) last="$line, $n"
            start server bash -c "ulimit -n $n"'; exec "$0" "$@"' "$CATENA_BIN" -d -d -T 1 \
                "$line:0,bind=127.0.0.1,thread" unix-connect:sink </dev/null
            server=$pid
            wait_for 10 file_has server.err 'listening on\|receiving on'
            port=$(sed -n 's/.*\(listening\|receiving\) on AF=2 .*:\([0-9]*\)$/\2/p' server.err | head -n 1)
            for _ in {1..12}; do catena -u - "udp-sendto:127.0.0.1:$port" <<<x; done
            wait_for 10 file_has server.err 'too many open files'
            wait_for 20 packet_served || failed "nobody is served any more"
            kill "$server"
            finish server 143
        done
    done
    kill "$(<sink.pid)"
    well
}
packet_served() { # the server tells whom it serves
    local sp
    sp=$("$PEER" freeport)
    catena -u - "udp-sendto:127.0.0.1:$port,sp=$sp" <<<hello
    wait_for 1 file_has server.err "\(accepting UDP connection\|receiving packet\) from AF=2 127.0.0.1:$sp\$"
}

@test "an option that cannot be applied to a connection costs that connection only" {
    for how in fork thread; do
        cells=$((cells + 1))
        start_listener server "tcp-listen:0,bind=127.0.0.1,$how,setsockopt-connected=6:999:1" pipe
        for i in 1 2; do
            same '' "$(catena -t 2 - "tcp:127.0.0.1:$port" <<<hello 2>/dev/null)"
            wait_for 5 told $i
        done
        kill "$(<server.pid)"
        finish server 143
        start_listener server "udp-listen:0,bind=127.0.0.1,$how,setsockopt-connected=6:999:1" pipe
        for i in 1 2; do
            catena -u - "udp-sendto:127.0.0.1:$port" <<<hello
            wait_for 5 told $i
        done
        kill "$(<server.pid)"
        finish server 143
    done
    start_listener server "tcp-listen:0,bind=127.0.0.1,setsockopt-connected=6:999:1" pipe
    catena -t 2 - "tcp:127.0.0.1:$port" <<<hello || :
    finish server 1
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$CERTS/server.pem,verify=0,fork,setsockopt-connected=6:999:1" pipe
    catena -t 2 - "tcp:127.0.0.1:$port" <<<hello || :
    wait_for 5 told 1
    kill "$(<server.pid)"
    finish server 143
    well
}
told() { [ "$(grep -c ' W .*setsockopt.*; still listening' server.err)" = "$1" ]; }
