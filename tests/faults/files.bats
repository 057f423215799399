#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of files, pipes and standard descriptors: no space, no permission, nobody reading,
# nothing open.
load matrix

full='[Nn]o space left on device'
wide=10000000 # more than any pipe and buffer holds

# A small file system of the test's own, in a mount namespace.
on_small_disk() { # <function>
    [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || skip "needs root: mounts a small file system"
    export -f "$1" catena same has matches
    unshare -m timeout "$LIMIT" bash -ec 'mkdir small; mount -t tmpfs -o size=128k none small; '"$1"
}

@test "no space from the first byte on" {
    for way in create:/dev/full open:/dev/full open:/dev/full,append gopen:/dev/full \
        'nop|open:/dev/full' 'gzip|open:/dev/full' 'exec1:cat|open:/dev/full' \
        "system:'exec cat >/dev/full'"; do
        try 1 "$full" -u "open:$IN" "$way"
        try 1 "$full" --unfused -u "open:$IN" "$way"
    done
    well
}

@test "standard output has no space" {
    for left in "open:$IN" "nop|open:$IN" "exec:cat $IN"; do
        cells=$((cells + 1))
        run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -u "$1" - >/dev/full' - "$left"
        same 1 "$status"
        has "$output" " E .*$full"
    done
    well
}

fills_up() {
    for to in create:small/a 'nop|create:small/b' 'exec1:cat|create:small/c'; do
        status=0
        catena -u "open:$IN" "$to" 2>log || status=$?
        same 1 "$status"
        has "$(<log)" ' E .*no space left on device'
        written="small/${to##*/}"
        cmp -n "$(stat -c %s "$written")" "$written" "$IN"
        same 131072 "$(stat -c %s "$written")"
        rm "$written"
    done
}
@test "the disk fills up on the way: all that fits is there" {
    on_small_disk fills_up
    cells=3
    well
}

read_only() {
    mount -o remount,ro small
    for to in create:small/a open:small/a,creat,wronly gopen:small/a unix-listen:small/a \
        pipe:small/a; do
        status=0
        catena -u "open:$IN" "$to" 2>log || status=$?
        same 1 "$status"
        has "$(<log)" ' E .*small/a.*read-only file system'
    done
}
@test "a read-only file system" {
    on_small_disk read_only
    cells=5
    well
}

@test "the limit of a file's size (RLIMIT_FSIZE): no death by SIGXFSZ" {
    cells=$((cells + 1))
    run bash -c 'ulimit -f 64; timeout "$LIMIT" "$CATENA_BIN" -u "open:$IN" create:out'
    same 1 "$status"
    has "$output" ' E .*file too large'
    same 65536 "$(stat -c %s out)"
    cmp -n 65536 out "$IN"
    well
}

@test "files that cannot be read or written" {
    mkdir directory
    try 1 ' E .*"open".*is a directory' -u open:directory create:out
    try 1 ' E .*directory.*is a directory' -u "open:$IN" create:directory
    try 1 ' E .*gone.*no such file' -u open:gone create:out
    try 1 ' E .*/dev/nothing.*no such' -u open:/dev/nothing/x create:out
    ln -s loop loop
    try 1 ' E .*loop.*too many levels' -u open:loop create:out
    well
}

@test "a reader of standard output that goes away: no death by SIGPIPE, one line" {
    for left in "open:$BIG" "nop|open:$BIG" "exec:cat $BIG" "gzip|gunzip|open:$BIG"; do
        cells=$((cells + 1))
        # shellcheck disable=SC2016
        bash -c '{ timeout "$LIMIT" "$CATENA_BIN" -u "$1" - 2>err; echo $? >status; } | head -c 1000 >out' - "$left"
        same 1 "$(<status)"
        has "$(<err)" ' E .*broken pipe'
        bytes=1000 delivered out
    done
    well
}

@test "a reader of a fifo that goes away" {
    mkfifo fifo
    for to in open:fifo,wronly gopen:fifo pipe:fifo 'nop|open:fifo,wronly'; do
        cells=$((cells + 1))
        start run "$CATENA_BIN" -u "open:$BIG" "$to" </dev/null
        head -c 1000 <fifo >out
        # pipe: keeps a reading side of its own
        if [ "$to" = pipe:fifo ]; then kill "$pid" && finish run 143 && continue; fi
        finish run 1
        has "$(<run.err)" ' E .*broken pipe'
        bytes=1000 delivered out
    done
    well
}

@test "writers of a fifo that come one after the other" {
    mkfifo fifo
    cells=$((cells + 1))
    start run "$CATENA_BIN" -u open:fifo,rdonly create:out </dev/null
    head -c 1000 "$IN" >fifo
    finish run
    bytes=1000 delivered out
    well
}

@test "standard descriptors that are closed" {
    cells=$((cells + 3))
    run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -u - create:out <&-'
    same 1 "$status"
    has "$output" ' E .*bad file descriptor'
    run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -u "open:$IN" - >&-'
    same 1 "$status"
    has "$output" ' E .*bad file descriptor'
    # What is opened in their place must not be taken for them: errors do not land in the data.
    run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -d -d -d -d -u "open:$IN" create:out <&- >&- 2>&-'
    same 0 "$status"
    bytes=$N delivered out
    well
}

@test "a log that cannot be written does not stop the run" {
    cells=$((cells + 3))
    run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -d -d -d -d -u "open:$IN" create:out 2>/dev/full'
    same 0 "$status"
    bytes=$N delivered out
    run bash -c 'timeout "$LIMIT" "$CATENA_BIN" -d -d -d -d -u "open:$IN" create:out 2>&1 >/dev/null | head -c 100 >/dev/null; exit ${PIPESTATUS[0]}'
    same 0 "$status"
    bytes=$N delivered out
    # A dump that was asked for and is not there is a failure, but in version 1.
    local want=1
    for name in "$CATENA_BIN" "$(socat_link)"; do
        run bash -c 'timeout "$LIMIT" "$0" -v -u "open:$IN" create:out 2>&1 >/dev/null | head -c 100 >/dev/null; exit ${PIPESTATUS[0]}' "$name"
        same $want "$status"
        bytes=$N delivered out
        want=0
    done
    run catena -d -d -lf /dev/full -u "open:$IN" create:out
    same 0 "$status"
    bytes=$N delivered out
    well
}
