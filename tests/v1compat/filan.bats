#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# filan, alone and beside the reference's where that is installed.
load ../helpers

prepare() {
    FILAN=$(dirname "$CATENA_BIN")/filan
    REF_FILAN=${REF_FILAN:-$(dirname "$REF_SOCAT")/filan}
    echo 0123456789 >file
    ln -s file link
    mkfifo fifo
}

filan() { timeout -k 5 "$LIMIT" "$FILAN" "$@"; }
ref() { timeout -k 5 "$LIMIT" "$REF_FILAN" "$@"; }
need_ref() { [ -x "$REF_FILAN" ] || skip "no reference: set REF_FILAN"; }

# The header and what it names. The reference glues the next item to the last column.
# Without the access time, which looking changes.
columns() { cut -f1-11,13-18 | sed 's/\([0-9]\)[A-Za-z].*$/\1/'; }
# KEY=value items, one a line.
items() { tr '\t' '\n' | grep -o '[A-Z0-9_]*=[^ ]*$' | sed 's/^0//'; }
# What the reference shows wrong, or what changes between two looks.
steady() { grep -vE '^(BINDTODEVICE|ATTACH_FILTER|TCP_QUICKACK|TCPI_[A-Z]*)='; }

# same_items <fd>: the reference's items are among ours.
same_items() {
    local missing
    missing=$(ref -i "$1" | items | steady | grep -vxFf <(filan -i "$1" | items) || :)
    [ -z "$missing" ] || {
        echo "not shown: $missing"
        filan -i "$1"
        return 1
    }
}

@test "columns are the reference's" {
    need_ref
    exec 5<file 6<>file 7>>file 8</ 9</dev/null
    for fd in 5 6 7 8 9; do
        same "$(ref -i $fd | columns)" "$(filan -i $fd | columns)"
    done
    ref -n 10 -o ref </dev/null >/dev/null
    filan -n 10 -o ours </dev/null >/dev/null
    same "$(columns <ref)" "$(columns <ours)"
    for path in file link fifo / /dev/null; do
        same "$(ref -f $path | cut -f2-11,13,14)" "$(filan -f $path | cut -f2-11,13,14)"
        same "$(ref -L -f $path | cut -f2-11,13,14 | wc -l)" "$(filan -L -f $path | cut -f2-11,13,14 | wc -l)"
    done
    same "$(ref -r -i 5 | cut -f1-7)" "$(filan -r -i 5 | cut -f1-7)"
}

@test "items are the reference's: TCP, UDP, UNIX, terminal" {
    need_ref
    start_peer peer eof
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    same_items 5
    exec 6<>/dev/udp/127.0.0.1/9
    same_items 6
    "$CATENA_BIN" -u "exec:$REF_FILAN -i1" - | items | steady >ref.items
    "$CATENA_BIN" -u "exec:$FILAN -i1" - | items >ours.items
    same "" "$(grep -v PEERCRED ref.items | grep -vxFf ours.items || :)"
    "$CATENA_BIN" -u "exec:$REF_FILAN -i1,pty,ctty,setsid" - | tr -d '\r' | grep -o 'IFLAGS.*31\]=..' >ref.tty
    "$CATENA_BIN" -u "exec:$FILAN -i1,pty,ctty,setsid" - | tr -d '\r' | grep -o 'IFLAGS.*31\]=..' >ours.tty
    same_files ref.tty ours.tty
}

@test "brief form of what is no socket" {
    need_ref
    exec 5<file 6</dev/null 7</ 8<>fifo
    same "$(ref -s -n 3 <file)" "$(filan -s -n 3 <file)"
    for fd in 5 6 7 8; do
        same "$(ref -s -i $fd)" "$(filan -s -i $fd)"
        same "$(ref -S -i $fd)" "$(filan -S -i $fd)"
    done
    same "$(ref -s -n 9 <&- 3>&- 4>&-)" "$(filan -s -n 9 <&- 3>&- 4>&-)"
    same "$(ref -s -i0 -n3 <file)" "$(filan -s -i0 -n3 <file)"
    same "$(ref -s -n0 <file)" "$(filan -s -n0 <file)"
    same "$(ref -n 0 <file | columns)" "$(filan -n 0 <file | columns)"
    same "$(filan -s -n 3 <file)" "$(filan -W -s -n 3 <file)"
    same "$(ref -s -f fifo)" "$(filan -s -f fifo)"
}

@test "brief form of sockets" {
    start_peer peer eof
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    has "$(filan -s -i5)" "^tcp 127.0.0.1:[0-9]* 127.0.0.1:$port\$"
    has "$(filan -S -i5)" "^tcp 127.0.0.1:[0-9]*-127.0.0.1:$port (stream) *\$"
    has "$(filan -s -n6)" '^ *5 tcp 127'
    exec 6<>/dev/udp/127.0.0.1/9
    has "$(filan -s -i6)" '^udp 127.0.0.1:[0-9]* 127.0.0.1:9$'
    has "$(filan -S -i6)" '^udp 127.0.0.1:[0-9]*-127.0.0.1:9 (dgram) *$'
    has "$(catena -u "exec:$FILAN -s -i1" -)" '^unix <anon>$'
    has "$(catena -u "exec:$FILAN -S -i1" -)" '^unix <anon>-<anon> stream *$'
}

@test "an executed program has 0, 1, 2 and no more" {
    same "0 1 2" "$(catena -r raw -v -u "exec:$FILAN -s -n 64" - 2>/dev/null 3>&- |
        awk '$1 < 10 {print $1}' | paste -sd' ')"
    same "0 1 2" "$(catena -u "exec:$FILAN -s -n 10,pty,ctty,setsid" - 3>&- |
        awk '{print $1}' | paste -sd' ')"
}

# accepted <options>: what filan says of the connection that a listener with these has accepted.
accepted() {
    start_listener server "tcp4-listen:0,bind=127.0.0.1$1" "exec:$FILAN -i0,nofork"
    catena -u "tcp4:127.0.0.1:$port" -
    finish server
}

@test "options of sockets: what the address has set, and that listeners reuse their address" {
    accepted ,keepalive >out
    has "$(sed -n 2p out)" '^ *0: socket[[:space:]]'
    has "$(<out)" '[[:space:]]KEEPALIVE=1[[:space:]]'
    has "$(<out)" '[[:space:]]REUSEADDR=1[[:space:]]'
    has "$(accepted ,reuseaddr)" '[[:space:]]REUSEADDR=1[[:space:]]'
    has "$(accepted ,reuseaddr=0)" '[[:space:]]REUSEADDR=0[[:space:]]'
    has "$(accepted ,so-reuseaddr=)" '[[:space:]]REUSEADDR=0[[:space:]]'
    has "$(accepted '')" '[[:space:]]KEEPALIVE=0[[:space:]]'
}

@test "pipes tell their size, files their offset, both who waits" {
    has "$(: | filan -i0)" '[[:space:]]F_GETPIPE_SZ=65536[[:space:]]'
    exec 5<file
    read -r -n 3 <&5
    has "$(filan -i5)" '[[:space:]]OFFSET=[0-9]'
    has "$(filan -i5)" 'poll: IN,OUT,; FIONREAD='
    echo abcd | (wait_for 5 test -p /dev/stdin && filan -i0) >out
    has "$(<out)" 'poll: .*IN,.*; FIONREAD=5'
}

@test "locks" {
    exec 5<>file
    flock 5
    has "$(filan -i5)" '[[:space:]]LOCK={FLOCK,ADVISORY,WRITE,[0-9]*,0,EOF}'
    flock -u 5
    has_not "$(filan -i5)" 'LOCK='
}

@test "terminals" {
    catena -u "system:stty cols 101 rows 32 <&1; $FILAN -i1,pty,ctty,setsid" - | tr -d '\r' >out
    has "$(tail -n 1 out)" '^terminal window size: 101x32 terminal window pixels: [0-9]*x[0-9]*$'
    has "$(<out)" 'MODES={.*icanon.*}'
    has "$(<out)" '	/dev/pts/[0-9]* 	IFLAGS='
    has "$(catena -u "exec:$FILAN -s -n3,pty,ctty,setsid" -)" '^ *1 tty /dev/pts/'
}

@test "entries of the file system" {
    has "$(filan -f link)" ': symlink	.*LINKTARGET=file$'
    has "$(filan -L -f link)" ': file	'
    has_not "$(filan -L -f link)" LINKTARGET
    type() { filan -f "$1" | awk 'NR == 2 {print $2}'; }
    same "file dir pipe symlink chrdev" "$(type file) $(type /) $(type fifo) $(type link) $(type /dev/null)"
    if mknod block b 7 99 2>/dev/null; then # for root, where devices may be made
        same blkdev "$(type block)"
    fi
    start unix "$CATENA_BIN" unix-listen:s - </dev/null
    wait_for 10 test -S s
    same socket "$(type s)"
    same "socket s" "$(filan -s -f s)"
    same "symlink link" "$(filan -s -f link)"
    same "file link" "$(filan -s -L -f link)"
    status=0
    filan -f none 2>err || status=$?
    same 1 $status
    has "$(<err)" ' filan\[[0-9]*\] E stat("none"): No such file'
}

@test "names cannot act on a terminal" {
    bad=$(printf 'a\033[31m\nb')
    echo x >"$bad"
    same 'file a\x1b[31m\x0ab' "$(filan -s -f "$bad")"
    exec 5<"$bad"
    same "file $T/a\\x1b[31m\\x0ab" "$(filan -s -i5)"
}

@test "descriptors without a name, or that have lost it" {
    # the same line but for what each of them has of its own: inode, times, and the items behind
    essence() { cut -f1,2,4-11,15,16 <"$1" | grep -v '^ *FD'; }
    odd() { timeout -k 5 "$LIMIT" "$CATENA_TOOLS/odd" 20 "$@" N; }
    odd "$FILAN" -i >ours
    same 11 "$(grep -c '^ *[23][0-9]: ' ours)"
    if [ -x "$REF_FILAN" ]; then
        odd "$REF_FILAN" -i >ref
        same "$(essence ref)" "$(essence ours)"
    fi
    same "undef anon_inode:[eventfd]
undef anon_inode:[eventpoll]
undef anon_inode:[timerfd]
undef anon_inode:inotify
undef anon_inode:[signalfd]
file /memfd:memory (deleted)
file /etc/passwd
dir /
file $T/deleted (deleted)
pipe 
unix <anon>" "$(odd "$FILAN" -s -i)"
}

@test "closed descriptors" {
    same "" "$(filan -i 99)"
    same "" "$(filan -s -i 99)"
    filan -n 3 -o+2 <&- >&- 2>out
    same "  FD 2:" "$(cut -c1-4 out | paste -sd' ' | sed 's/   2/2:/')"
    filan -s -n3 -o+5 5>out <&- >&- 2>&-
    same "" "$(<out)"
}

@test "output, waiting" {
    filan -s -i0 -o out <file
    same "file $T/file" "$(<out)"
    same "file $T/file" "$(filan -s -i0 -o stderr <file 2>&1 >/dev/null)"
    same "file $T/file" "$(filan -s -i0 -o+5 <file 5>&1 >/dev/null)"
    same "file $T/file" "$(filan -T 0.05 -s -i0 <file)"
    has "$(filan -d4 -s -i0 <file 2>&1)" ' D checking file descriptor 0$'
}

@test "help and wrong options" {
    has "$(filan -h)" '^ *-?|-h '
    same "$(filan -h)" "$(filan '-?')"
    has "$(filan -V)" '^filan of catena [0-9]'
    for wrong in -x "-i" "-i x" "-n -1" "-T x" "surplus" "-o /none/x" "-o +99"; do
        status=0
        # shellcheck disable=SC2086 # several words
        filan $wrong >out 2>err || status=$?
        same "$wrong 1" "$wrong $status"
        has "$(<err)" ' filan\[[0-9]*\] E '
    done
}
