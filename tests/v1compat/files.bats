#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Files: how they are opened, where reading and writing begin, what ends them.
load common

prepare() {
    OURS=$(socat_link)
    echo abc >in
}
prepare_case() {
    echo 0123456789 >old
    : >empty
    ln -s old link
    mkfifo fifo
}

@test "flags of open(2)" {
    each both <<'ROWS'
-u - OPEN:old
-u - OPEN:old,wronly
-u - OPEN:old,o-wronly=1
-u - OPEN:old,rdwr
-u OPEN:old,rdonly -
-u OPEN:old,o-rdwr -
-u - OPEN:old,append
-u - OPEN:old,o-append=1
-u - OPEN:old,append=0
-u - OPEN:old,trunc
-u - OPEN:old,o-trunc=0
-u - OPEN:old,creat,trunc
-u - OPEN:new,creat
-u - OPEN:new,create
-u - OPEN:new,o-creat,excl
-u - OPEN:old,nofollow
-u - OPEN:link
-u - OPEN:old,sync
-u - OPEN:old,dsync
-u - OPEN:old,rsync
-u - OPEN:old,nonblock
-u - OPEN:old,ndelay,append
-u - OPEN:old,largefile
-u - OPEN:old,noctty
-u OPEN:old,noatime -
-u - GOPEN:old
-u - GOPEN:old,trunc
-u - GOPEN:new,excl
-u - old,append
-u - ./old,trunc
ROWS
    each both_fail <<'ROWS'
-u - OPEN:old,creat,excl
-u - OPEN:link,nofollow
-u - OPEN:link,o-nofollow
-u - OPEN:old,directory
-u - OPEN:new
-u - GOPEN:link,nofollow
-u - OPEN:old,rdonly
-u OPEN:old,wronly -
-u - CREATE:new,append=x
-u - OPEN:old,nosuchflag
ROWS
}

@test "GOPEN appends, append=0 does not" {
    STATUS=0 ours_alone -u - GOPEN:old
    same '0123456789 abc' "$(paste -sd' ' ours/old)"
    rm -rf ours
    STATUS=0 ours_alone -u - GOPEN:old,append=0
    same 'abc 456789' "$(paste -sd' ' ours/old)"
}

@test "keywords and how a path is recognised" {
    each both <<'ROWS'
-u OPEN:old -
-u FILE:old -
-u open:./old -
-u GOPEN:old -
-u gopen:./old -
-u ./old -
-u $PWD/../old -
-u - CREATE:new
-u - CREAT:new
-u - create:./new
-u old -
-u - new
-U CREATE:new -
-U - OPEN:old
-u OPEN:empty -
-u OPEN:empty CREATE:new
-u OPEN:old CREATE:new
-u /dev/null CREATE:new
-u - /dev/null
ROWS
}

@test "where it begins, how long it is" {
    each both <<'ROWS'
-u OPEN:old,seek=3 -
-u OPEN:old,lseek=3 -
-u OPEN:old,seek-set=3 -
-u OPEN:old,seek-cur=3 -
-u OPEN:old,seek-end=-3 -
-u OPEN:old,seek=0x5 -
-u OPEN:old,seek=010 -
-u OPEN:old,seek=100 -
-u OPEN:old,seek-end=0 -
-u OPEN:old,seek=2,seek-cur=2 -
-u - OPEN:old,seek=3
-u - OPEN:old,seek-end=-3
-u - OPEN:old,seek=20
-u - OPEN:old,ftruncate=0
-u - OPEN:old,ftruncate=5
-u - OPEN:old,ftruncate=20
-u - OPEN:old,truncate=7
-u - OPEN:old,ftruncate=5,seek-end=0
-u - OPEN:old,ftruncate32=3
-u - OPEN:old,ftruncate64=3
-u - CREATE:new,seek=4
-u - GOPEN:old,seek=0
ROWS
    each both_fail <<'ROWS'
-u OPEN:old,seek=-1 -
-u OPEN:old,seek=x -
-u OPEN:old,seek= -
-u OPEN:old,seek=1k -
-u - OPEN:old,ftruncate=-1
-u OPEN:old,ftruncate=3 -
ROWS
}

@test "readbytes" {
    seq 1 3000 >in
    each both <<'ROWS'
-u -,readbytes=0 -
-u -,readbytes=1 -
-u -,bytes=10 -
-u -,readbytes=8192 -
-u -,readbytes=8193 -
-u -,readbytes=100000 -
-u OPEN:old,readbytes=4 -
-u OPEN:old,readbytes=0x4 -
-u -b 3 -,readbytes=10 -
-,readbytes=5 PIPE
- PIPE,readbytes=5
-,readbytes=5 EXEC:cat
-u EXEC:'seq 1 100',readbytes=20 -
-u OPEN:old,seek=2,readbytes=3 -
ROWS
    # the rest stays for whoever reads next
    rest=$({ "$OURS" -u -,readbytes=4 - && cat; } <in | head -n 5 | paste -sd' ')
    same '1 2 3 4 5' "$rest"
}

@test "escape" {
    printf 'abc\033def\n' >in
    each both <<'ROWS'
-u -,escape=27 -
-u -,escape=0x1b -
-u -,escape=033 -
-,escape=27 PIPE
-,escape=97 PIPE
-,escape=120 PIPE
- PIPE,escape=27
-,escape=27 EXEC:cat
-,escape=10 PIPE
-u -,escape=27,ignoreeof -
-b 2 -,escape=27 PIPE
-b 1 -,escape=27 PIPE
ROWS
}

@test "ignoreeof looks again however busy the other direction is" {
    echo start >log
    start run "$OURS" -d -d 'OPEN:log,rdonly,ignoreeof!!OPEN:/dev/null,wronly' \
        'OPEN:/dev/zero,rdonly!!CREATE:copy' </dev/null
    wait_for 5 file_has copy start
    echo appended >>log
    wait_for 5 file_has copy appended
    kill -TERM "$pid"
    finish run 143
}

@test "ignoreeof: what is appended comes, -T or readbytes ends it" {
    for source in ./log; do
        echo old >log
        start tail "$OURS" -d -d -u "$source,ignoreeof" - </dev/null
        wait_for 5 file_has tail.out old
        echo new >>log
        wait_for 5 file_has tail.out new
        kill -TERM "$pid"
        finish tail 143
    done
    echo old >log
    start tail "$OURS" -d -d -u "OPEN:log,seek-end=0,ignoreeof,readbytes=4" - </dev/null
    wait_for 5 file_has tail.err 'starting data transfer'
    echo newer >>log
    finish tail
    same newe "$(<tail.out)"
    STATUS=0 ours_alone -T 0.2 -u OPEN:old,ignoreeof -
    same 0123456789 "$(<ours.out)"
    # several files, one after the other: a collector
    : >log
    start tail "$OURS" -d -d -u "OPEN:log,ignoreeof" CREATE:copy </dev/null
    wait_for 5 file_has tail.err 'starting data transfer'
    for i in 1 2 3; do
        echo "$i" >>log
        wait_for 5 file_has copy "$i"
    done
}

@test "cool-write: a reader that goes away is a normal end" {
    for options in '' ,cool-write ,coolwrite=1 ,cool-write=0; do
        { timeout 20 "$OURS" -u SYSTEM:'yes 2>/dev/null',pipes,end-close "-$options" 2>cool.err || echo $? >failed; } |
            head -n 1 >/dev/null
        case $options in
        ,cool-write | ,coolwrite=1) [ ! -e failed ] && has_not "$(<cool.err)" ' E ' ;;
        *) same 1 "$(<failed)" && has "$(<cool.err)" ' E .*Broken pipe' ;;
        esac
        rm -f failed
    done
}

@test "block size" {
    seq 1 2000 >in
    each both <<'ROWS'
-b 1 -u OPEN:old -
-b1 -u OPEN:old -
-b 7 -u - CREATE:new
-b 8191 -u - -
-b 0x10 - PIPE
-b 010 - PIPE
-b 1000000 - PIPE
-b 65537 -u - EXEC:cat
ROWS
    for b in x '' -1 1k 9223372036854775808 9999999999999999999999; do
        run "$OURS" -b "$b" - - </dev/null
        same 1 "$status"
        has "$output" ' E '
    done
}

@test "locks on files" {
    # the lock is held from opening to the end
    for option in flock-ex flock flock-nb flock-ex-nb f-setlk f-setlk-wr setlk; do
        : >locked
        start holder "$OURS" -d -d -u STALL "OPEN:locked,$option" </dev/null
        wait_for 5 file_has holder.err 'starting data transfer'
        for program in "$REF_SOCAT" "$OURS"; do
            other=${option/flock-ex/flock-ex-nb}
            other=${other/-nb-nb/-nb}
            [ "$option" != flock ] || other=flock-nb
            run timeout 5 "$program" -u /dev/null "OPEN:locked,$other"
            echo "$option $other: $output"
            same 1 "$status"
        done
        kill -TERM "$(<holder.pid)"
        finish holder 143
        STATUS=0 ours_alone -u /dev/null "OPEN:$T/locked,$option"
    done
    # shared ones go together
    start sharer "$OURS" -d -d -u "OPEN:locked,flock-sh" STALL </dev/null
    wait_for 5 file_has sharer.err 'starting data transfer'
    STATUS=0 ours_alone -u "OPEN:$T/locked,flock-sh-nb" -
    kill -TERM "$(<sharer.pid)"
    finish sharer 143
    # waiting ones wait
    : >locked
    start holder "$OURS" -d -d -u STALL "OPEN:locked,flock-ex" </dev/null
    wait_for 5 file_has holder.err 'starting data transfer'
    start waiter "$OURS" -d -d -u ./in OPEN:locked,flock-ex,append </dev/null
    wait_for 5 file_has waiter.err 'opening'
    [ ! -s locked ]
    kill -TERM "$(<holder.pid)"
    finish waiter
    same abc "$(<locked)"
}

@test "lock files of addresses: waitlock, lockfile" {
    run "$OURS" -hhh
    has "$output" 'f-setlkw'
    start holder "$OURS" -d -d -L held -u STALL CREATE:x </dev/null
    wait_for 5 test -s held
    for program in "$REF_SOCAT" "$OURS"; do
        run timeout 5 "$program" -L held -u /dev/null -
        same 1 "$status"
    done
    start waiter "$OURS" -d -d -W held -u ./in - </dev/null
    wait_for 5 file_has waiter.err 'waiting for lock'
    kill -TERM "$(<holder.pid)"
    finish waiter
    same abc "$(<waiter.out)"
    [ ! -e held ]
    # Those of addresses: there as long as the run, in the way of another, not of a further attempt.
    for program in "$REF_SOCAT" "$OURS"; do
        : >in-the-way
        has "$("$program" -u OPEN:/dev/null,lockfile=held "SYSTEM:cat; ls held")" '^held$'
        [ ! -e held ]
        run timeout 5 "$program" -u OPEN:in,lockfile=in-the-way -
        same 1 "$status"
        has "$output" 'could not obtain lock "in-the-way"'
    done
    run "$OURS" -d -d -u "TCP4:127.0.0.1:$("$PEER" freeport),lockfile=held,retry=2,interval=0.01" -
    same 1 "$status"
    same 3 "$(grep -c 'Connection refused' <<<"$output")"
    has_not "$output" 'lock'
    start waiter "$OURS" -d -d -u OPEN:in,waitlock=in-the-way - </dev/null
    wait_for 5 file_has waiter.err 'waiting for lock'
    rm in-the-way
    finish waiter
    same abc "$(<waiter.out)"
}

@test "attributes of ext file systems are set, or refused with the reason" {
    : >"$T/flags"
    lsattr "$T/flags" >/dev/null 2>&1 || skip "no such attributes on this file system"
    for option in ext2-noatime=1 fs-noatime fs-nodump ext3-sync; do
        run "$OURS" -u /dev/null "OPEN:$T/flags,$option"
        [ "$status" = 0 ] || has "$output" ' E .*FS_IOC'
    done
}

@test "named pipes as files" {
    for options in '' ,rdwr; do
        mkfifo pipe
        start reader "$OURS" -d -d -u "OPEN:pipe" - </dev/null
        STATUS=0 ours_alone -u - "OPEN:$T/pipe$options"
        finish reader
        same abc "$(<reader.out)"
        rm pipe
    done
    mkfifo pipe
    start reader "$OURS" -d -d -u GOPEN:pipe - </dev/null
    "$REF_SOCAT" -u - GOPEN:pipe <in
    finish reader
    same abc "$(<reader.out)"
    # opening waits for the other end, and a signal ends that
    start reader "$OURS" -d -d -u OPEN:pipe - </dev/null
    wait_for 5 file_has reader.err opening
    kill -TERM "$pid"
    finish reader 143
}

@test "device files" {
    each both <<'ROWS'
-u /dev/zero,readbytes=100 -
-u - /dev/null
-u OPEN:/dev/null -
- /dev/null
/dev/null PIPE
-u /dev/zero,readbytes=10 CREATE:new
ROWS
}

@test "line ends in files" {
    printf 'a\r\nb\nc\rd' >in
    each both <<'ROWS'
-u - CREATE:new,cr
-u - CREATE:new,crnl
-u - CREATE:new,crlf
-u -,cr CREATE:new
-u -,crnl CREATE:new
- EXEC:cat,crnl
ROWS
}
