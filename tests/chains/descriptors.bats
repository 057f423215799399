#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Descriptors: what we have open is close-on-exec, whatever is open; a program has those that were
# meant for it and no other.
bats_require_minimum_version 1.5.0
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    mkfifo in
    fds="$CATENA_TOOLS/fds $T/fds"
    relay=$top/tests/tools/relay.sh
}

# all_cloexec <pid>: but for those that were given, by this shell or whoever started it.
all_cloexec() {
    local info fd flags count=0
    for info in "/proc/$1/fdinfo"/*; do
        fd=${info##*/}
        [ "$fd" -gt 2 ] || continue
        [ "$(readlink "/proc/$1/fd/$fd")" != "$(readlink "/proc/$$/fd/$fd")" ] || continue
        flags=$(sed -n 's/^flags:[^0-9]*//p' "$info")
        count=$((count + 1))
        ((0$flags & 02000000)) || {
            echo "$fd is $(readlink "${info/fdinfo/fd}")"
            return 1
        }
    done
    ((count > 0))
}

# running <catena arguments...>: looks at a process that relays, and at its children.
running() {
    local child
    rm -f box.log
    start box "$CATENA_BIN" -d -d -d -lf box.log "$@" 3>&- <>in
    wait_for 10 file_has box.log 'starting data transfer\|listening on\|receiving on\|waiting for'
    all_cloexec "$pid"
    kill "$pid"
    finish box 143
}

@test "everything we have open is close-on-exec" {
    : >data
    running - pipe
    running - 'gzip|^gzip|pipe'
    running -L lock -r right -R left - pipe
    running - exec:cat
    running - exec:cat,pipes
    running - exec:cat,pty
    running - exec:cat,socktype=5
    running - "exec:'sh $relay'|pipe"
    for letter in S p P Y; do
        running "-c$letter" - "exec:'sh $relay'|pipe"
    done
    running - pty,link=tty
    running - socketpair
    running - stall
    running - open:data,o-rdwr,ignoreeof
    running -u open:data,ignoreeof stdout
    running tcp-listen:0,bind=127.0.0.1 pipe
    running tcp-listen:0,bind=127.0.0.1,fork pipe
    running tcp-listen:0,bind=127.0.0.1,thread pipe
    running unix-listen:sock,fork pipe
    running udp-listen:0,bind=127.0.0.1,fork pipe
    running -u udp-recvfrom:0,bind=127.0.0.1,fork stdout
    running -u udp-recv:0,bind=127.0.0.1 stdout
    running - udp-datagram:127.0.0.1:9
    running openssl-listen:0,bind=127.0.0.1,cert="$certs/server.pem",verify=0,fork pipe
}

@test "connections are close-on-exec, in the process itself, in children, in threads" {
    start_listener echo "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,verify=0" pipe
    tls=$port
    running - "openssl:localhost:$tls,cafile=$certs/ca.crt"
    running - "gzip|^gzip|openssl,cafile=$certs/ca.crt|tcp:localhost:$tls"
    for how in fork thread; do
        start_listener server "tcp-listen:0,bind=127.0.0.1,$how" "openssl:localhost:$tls,cafile=$certs/ca.crt"
        server=$pid
        start client "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>in
        echo hello >in
        wait_for 10 file_has client.out hello
        all_cloexec "$server"
        for child in $(pgrep -P "$server"); do all_cloexec "$child"; done
        kill "$(<client.pid)"
        finish client 143
        kill "$server"
        finish server 143
    done
}

# passes <descriptors> <catena arguments...>: the program has these and no other.
passes() {
    rm -f fds
    catena -lf log -r right -R left -t 0.2 "${@:2}" </dev/null >/dev/null 2>&1 || :
    same "$1" "$(<fds)"
    rm -f lock
}

@test "a program at the end has its three descriptors" {
    for option in '' ,pipes ,pty ,stderr ,socktype=5 ,openpty; do
        passes '0 1 2 ' - "exec:'$fds cat'$option"
        passes '0 1 2 ' - "system:'exec $fds cat'$option"
    done
    passes '0 1 2 ' -u - "exec:'$fds cat'"
    passes '0 1 2 ' -L lock - "exec:'$fds cat'"
    passes '0 1 2 ' - "gzip|^gzip|exec:'$fds cat'"
    passes '0 1 2 3 4 ' - "exec:'$fds cat',fdin=3,fdout=4"
}

@test "a program in the middle has its five" {
    passes '0 1 2 3 4 ' - "exec:'$fds sh $relay'|pipe"
    passes '0 1 2 3 4 ' - "gzip|exec:'$fds sh $relay'|gzip|pipe"
    for letter in S p P Y; do
        passes '0 1 2 3 4 ' "-c$letter" - "exec:'$fds sh $relay'|pipe"
    done
    for type in socketpairs pipes ptys socketpair tcp; do
        passes '0 1 2 3 4 ' - "exec:'$fds sh $relay',commtype=$type|pipe"
    done
    passes '0 1 2 ' - "exec1:'$fds cat'%nop|pipe"
}

@test "a program behind listeners and TLS, beside others" {
    for address in tcp-listen:0,bind=127.0.0.1,fork tcp-listen:0,bind=127.0.0.1,thread \
        "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0,fork"; do
        rm -f fds
        start_listener server "$address" "exec:'$fds cat'"
        client=tcp:127.0.0.1:$port
        [ "${address#openssl}" = "$address" ] || client="openssl:localhost:$port,cafile=$certs/ca.crt"
        for i in 1 2 3; do same hello "$(catena - "$client" <<<hello)"; done
        same '0 1 2 0 1 2 0 1 2 ' "$(<fds)"
        kill "$(<server.pid)"
        finish server 143
    done
}

@test "a descriptor that was not open at the start is nobody's, ours least of all" {
    for n in 3 4 5 6 7 8 9; do
        status=0
        timeout "$LIMIT" "$CATENA_BIN" -u "fd:$n" - </dev/null >out 2>log 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- ||
            status=$?
        same 1 "$status"
        has "$(<log)" " E .*file descriptor $n: bad file descriptor"
    done
    # One that was, and that an option has closed for programs, serves the next connection too.
    start server "$CATENA_BIN" -d -d -U fd:8,cloexec tcp-listen:0,bind=127.0.0.1 </dev/null 8>got
    wait_for 10 file_has server.err 'listening on'
    kill "$(<server.pid)"
    finish server 143
}
