#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Targets in the file system that are missing, denied, orphaned or of another kind than the address
# wants: status 1, an E line with the reason, nothing left behind.
load common

prepare() {
    OURS=$(socat_link)
    [ ! -d /tmp/catena-none ]
}

# What there is in each directory: every kind of entry, and links to them.
prepare_case() {
    echo content >file
    mkdir dir
    mkfifo fifo
    ln -s nothing dangling
    ln -s loop loop
    ln -s file link
    ln -s dir dirlink
    cp "$T/orphan" . -a 2>/dev/null || :
}

# A socket that nobody listens on any more.
make_orphan() {
    "$REF_SOCAT" "UNIX-LISTEN:$T/orphan,unlink-close=0,accept-timeout=0.01" - </dev/null 2>/dev/null || :
    [ -S "$T/orphan" ]
}

# reason <text> <arguments...>: both fail, and ours says why.
reason() {
    local text=$1
    shift
    both_fail "$@"
    has "$(<"$T/ours.err")" " E .*$text"
    has_not "$(<"$T/ours.err")" INTERNAL
}

@test "missing" {
    echo x >in
    each reason <<'ROWS'
'No such file or directory' - OPEN:none
'No such file or directory' -u OPEN:none -
'No such file or directory' -u - OPEN:none
'No such file or directory' -u - FILE:dir/none
'No such file or directory' -u GOPEN:none/none -
'No such file or directory' -u GOPEN:dir/none/none -
'No such file or directory' -u - GOPEN:none/none
'No such file or directory' -u - CREATE:none/none
'No such file or directory' - ./none/none
'No such file or directory' - UNIX-CONNECT:none
'No such file or directory' - UNIX-CLIENT:none
'No such file or directory' -u - UNIX-SENDTO:none
'No such file or directory' - UNIX-CONNECT:dir/none
'No such file or directory' - UNIX-LISTEN:none/none
'No such file or directory' -u UNIX-RECV:none/none -
'No such file or directory' - UNIX-RECVFROM:none/none
'No such file or directory' - PIPE:none/none
'No such file or directory' -u - OPEN:dangling
'No such file or directory' - UNIX-CONNECT:dangling
'No such file or directory' - 'OPEN:'
ROWS
}

@test "missing, and created: GOPEN" {
    each both <<'ROWS'
-u GOPEN:none -
-u ./none -
-u - GOPEN:none
-U - GOPEN:dir/none
- GOPEN:none
- ./none,mode=600
-u - GOPEN:dangling
ROWS
}

@test "a directory" {
    echo x >in
    each reason <<'ROWS'
'directory' -u - OPEN:dir
'directory' -u OPEN:dir -
'directory' -u - CREATE:dir
'directory' -u - GOPEN:dir
'directory' -u ./dir -
'directory' - ./dir
'directory' - dir/
'directory' -u - CREATE:dirlink
'directory' - OPEN:dirlink
'Connection refused' - UNIX-CONNECT:dir
'Connection refused' - UNIX-CLIENT:dir
'Connection refused' -u - UNIX-SENDTO:dir
'' - UNIX-LISTEN:dir
'' -u UNIX-RECV:dir -
'' - UNIX-RECVFROM:dir
'' - PIPE:dir
ROWS
}

@test "of another kind" {
    echo x >in
    each reason <<'ROWS'
'Connection refused' - UNIX-CONNECT:file
'Connection refused' - UNIX-CLIENT:file
'Connection refused' -u - UNIX-SENDTO:file
'Connection refused' - UNIX-CONNECT:fifo
'Connection refused' - UNIX-CONNECT:link
'' - UNIX-LISTEN:file
'' - UNIX-LISTEN:fifo
'' - UNIX-LISTEN:link
'' - UNIX-LISTEN:dangling
'' -u UNIX-RECV:file -
'' - UNIX-RECVFROM:file
'Not a directory' -u OPEN:file/x -
'Not a directory' -u - CREATE:file/x
'Not a directory' -u - GOPEN:file/x
'Not a directory' - UNIX-CONNECT:file/x
'Not a directory' - UNIX-LISTEN:file/x
'Not a directory' - PIPE:file/x
'levels of symbolic links' -u OPEN:loop -
'levels of symbolic links' -u - CREATE:loop
'levels of symbolic links' - UNIX-CONNECT:loop
ROWS
}

@test "orphaned sockets" {
    echo x >in
    make_orphan
    each reason <<'ROWS'
'Connection refused' - UNIX-CONNECT:orphan
'Connection refused' - UNIX-CLIENT:orphan
'Connection refused' -u - UNIX-SENDTO:orphan
'' - UNIX-LISTEN:orphan
'' -u UNIX-RECV:orphan -
'' - UNIX-RECVFROM:orphan
'Connection refused' - GOPEN:orphan
'Connection refused' - ./orphan
'No such device or address' -u OPEN:orphan -
'No such device or address' -u - OPEN:orphan
ROWS
    reason '' -u - CREATE:orphan
    reason '' - PIPE:orphan
}

@test "sockets of another type" {
    start listener "$REF_SOCAT" -d -d "UNIX-LISTEN:$T/stream,fork" PIPE </dev/null
    start receiver "$REF_SOCAT" -d -d -u "UNIX-RECV:$T/packets" CREATE:received </dev/null
    wait_for 5 unix_listens "$T/stream"
    wait_for 5 test -S packets
    echo hello >in
    reason 'wrong type' -u - "UNIX-SENDTO:$T/stream"
    reason 'wrong type' - "UNIX-CONNECT:$T/packets"
    both - "UNIX-CLIENT:$T/stream"
    same hello "$(<ours.out)"
    both - "GOPEN:$T/stream"
    both -u - "UNIX-CLIENT:$T/packets"
    both -u - "GOPEN:$T/packets"
    wait_for 5 file_has received hello
}

@test "denied" {
    [ "$(id -u)" = 0 ] || skip "needs root, to be somebody else"
    public_dir
    cp "$CATENA_BIN" "$public/socat"
    mkdir "$public/closed" "$public/open"
    echo secret >"$public/closed/file"
    echo secret >"$public/open/file"
    chmod 700 "$public/closed"
    chmod 600 "$public/open/file"
    mkfifo -m 600 "$public/open/fifo"
    start listener "$REF_SOCAT" -d -d "UNIX-LISTEN:$public/open/socket,mode=600,fork" PIPE </dev/null
    wait_for 5 unix_listens "$public/open/socket"
    while read -r direction; do
        for program in "$REF_SOCAT" "$public/socat"; do
            run setpriv --reuid=65534 --regid=65534 --clear-groups timeout 10 "$program" $direction </dev/null
            echo "# $program $direction: $output"
            same 1 "$status"
            has "$output" ' E .*Permission denied'
        done
    done <<ROWS
-u OPEN:$public/closed/file -
-u OPEN:$public/open/file -
-u GOPEN:$public/open/file -
-u - OPEN:$public/open/file
-u - GOPEN:$public/open/file
-u - CREATE:$public/open/file
-u - CREATE:$public/open/new
-u - OPEN:$public/open/new,creat
-u - GOPEN:$public/open/new
-u OPEN:$public/open/fifo,nonblock -
- UNIX-CONNECT:$public/open/socket
- UNIX-CLIENT:$public/open/socket
- GOPEN:$public/open/socket
- UNIX-CONNECT:$public/closed/socket
- UNIX-LISTEN:$public/open/new
-u UNIX-RECV:$public/open/new -
- UNIX-RECVFROM:$public/open/new
- PIPE:$public/open/new
ROWS

    [ ! -e "$public/open/new" ]
}

@test "too long for a socket or a file" {
    name=$(head -c 120 /dev/zero | tr '\0' n)
    long=$(head -c 300 /dev/zero | tr '\0' n)
    for address in "UNIX-CONNECT:$name" "UNIX-LISTEN:$name" "UNIX-RECVFROM:$name" "OPEN:$long" \
        "CREATE:$long" "PIPE:$long" "GOPEN:$long" "UNIX-CONNECT:$long"; do
        run timeout 10 "$OURS" - "$address" </dev/null
        same 1 "$status"
        has "$output" ' E '
    done
    same '' "$(find . -name 'nnn*')"
}

@test "retry waits for a target that comes later" {
    for address in UNIX-CONNECT:late UNIX-CLIENT:late; do
        start client "$OURS" -d -d -t 5 - "$address,retry=200,interval=0.05" <<<hello
        wait_for 5 file_has client.err ' N .*No such file'
        start server "$REF_SOCAT" UNIX-LISTEN:late PIPE
        finish client
        same hello "$(<client.out)"
        finish server
    done
}

@test "a device that is full, one that is not there" {
    echo x >in
    each reason <<'ROWS'
'No space left on device' -u - OPEN:/dev/full
'No space left on device' -u - GOPEN:/dev/full
'No such file or directory' - OPEN:/dev/nothing
ROWS
}
