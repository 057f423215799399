#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Files, pipes, programs, duals, directions, exit status.
load common

prepare() { seq 1 5000 >in; }

@test "echo through a pipe" { both - pipe; }
@test "echo through an echo" { both - echo; }
@test "exec and system" {
    both - exec:cat
    both - system:cat
    both - exec:cat,pipes
    both - 'system:sort -r'
    both - 'exec:wc -l'
    both - 'exec:tr 1-9 a-i,pipes'
    both -u - 'system:cat >out'
    both -U - 'system:seq 1 100000'
    both -u "exec:seq 1 10" -
    both -u 'system:seq 1 10; echo x >&2,stderr' -
}
@test "pty" {
    echo abc >"$T/in"
    both - 'exec:cat,pty,raw,echo=0'
    both -u 'system:test -t 1 && echo yes,pty,ctty,setsid,raw' -
}
@test "-u and -U" {
    both -u - create:out
    both -U create:out -
    both -u stdin stdout
    both -U stdout stdin
}
@test "create: new and old files" {
    prepare_case() { echo old old old >out; }
    both -u - create:out
    both -u - open:out
    both -u - open:out,trunc
    both -u - open:out,append
    both -u - open:out,excl,creat
    both -u - gopen:out
    both -u - out2/none
    both -u - ./out
    both -u out -
    both -u ./out -
    both -u open:out -
    both -u gopen:out -
    both -u file:out,rdonly -
    both out -
}
@test "seek, truncate, size" {
    prepare_case() { echo 0123456789 >out; }
    echo ab >"$T/in"
    both -u - open:out,seek=4
    both -u - open:out,seek-end=-3
    both -u open:out,seek=4 -
    both -u - open:out,ftruncate=5
    both -u - open:out,ftruncate=2,seek=1
    both -u - open:out,lseek=0x4
    both -u open:out,readbytes=4 -
    both -u open:out,bytes=4 -
}
@test "permissions" {
    for o in mode=600 mode=0640 perm=444 umask=077 umask=0022 mode=777,umask=0; do
        both -u - create:out,$o
        both -u - open:out,creat,$o
        both -u - gopen:out,$o
    done
}
@test "unlink options" {
    prepare_case() { echo old >out; }
    both -u - create:out,unlink-early
    both -u - open:out,unlink-close
    both -u - open:out,unlink
    both -u - open:out,unlink-late
    both -u open:out,unlink-close -
}
@test "line ends" {
    printf 'a\r\nb\nc\rd' >"$T/in"
    both -u - -,cr
    both -u - -,crnl
    both -u -,cr -
    both -u -,crnl -
    both -,crnl pipe
    both - pipe,cr
}
@test "escape" {
    printf 'abc\035def' >"$T/in"
    both -u -,escape=29 -
    both -,escape=0x1d pipe
    both -,escape=98 pipe
}
@test "duals" {
    both stdin!!stdout pipe
    both 0!!1 pipe
    both - 'exec:echo hello!!create:out'
    both 'open:/dev/null!!create:out' 'exec:echo hello'
    both -u 'stdin!!stdout' create:out
}
@test "block size" {
    for b in 1 2 511 512 8192 65536 0x400 010; do both -b $b - exec:cat; done
    head -c 100 "$T/in" >"$T/x" && mv "$T/x" "$T/in"
    both -b1 - pipe
}
@test "exit status" {
    STATUS=0 both - pipe
    STATUS=0 both -u /dev/null /dev/null
    both_fail -u nothing -
    both_fail -u - /nothing/here
    STATUS=1 ours_alone - exec:/nothing/here
    both_fail -u - open:/dev/full
    both_fail - tcp:127.0.0.1:1
    both_fail - unix:nothing
    both_fail -
    both_fail - pipe pipe
    both_fail -u - create:/
    both_fail -u open:. -
    STATUS=1 both -q
    both_fail -u - create:out,nosuchoption
    both_fail -u - create:out,cork
    both_fail -u - create:out,mode=x
    both_fail -u - create:out,user=nosuchuser
    STATUS=1 both -vx - pipe
}
@test "exit status of programs" {
    for n in 1 2 77 255; do
        echo "exit $n" >"exit$n"
        STATUS=1 ours_alone "exec:sh $PWD/exit$n" -
    done
    STATUS=1 ours_alone -u "system:exit 3" -
    STATUS=1 ours_alone 'system:kill -9 \$\$' -
}
@test "signals" {
    for s in TERM INT HUP QUIT ILL; do
        for which in ref ours; do
            p=$REF_SOCAT
            [ $which = ref ] || p=$BATS_FILE_TMPDIR/ours/socat
            mkfifo "hold$which$s"
            start $which "$p" -d -d -d - pipe <>"hold$which$s"
            wait_for 5 file_has $which.err 'starting data transfer loop'
            kill -$s "$(<$which.pid)"
            st=0
            wait "$(<$which.pid)" || st=$?
            eval "$which=$st"
        done
        same "$ref" "$ours"
        same $((128 + $(kill -l $s))) "$ours"
    done
}
@test "timeouts" {
    mkfifo hold
    for which in "$REF_SOCAT" "$BATS_FILE_TMPDIR/ours/socat"; do
        start idle "$which" -T 0.2 - pipe <>hold
        finish idle
        start idle "$which" -T.2 pipe pipe </dev/null
        finish idle
    done
}
@test "under -s work goes on" {
    both -s -u - create:out,user=nosuchuser
}
@test "statistics of nothing: two empty inputs" {
    : >"$T/in"
    STATUS=0 both - /dev/null
    STATUS=0 both - exec:true
    [ ! -s "$T/ours.err" ]
}
@test "the environment of programs" {
    : >"$T/in"
    both -u 'system:env | grep -c ^SOCAT_VERSION=' -
    both -lpxyz -u 'system:env | grep ^XYZ_ | sed s/=.*//' -
    both -u 'system:echo \$FOO' -
}
