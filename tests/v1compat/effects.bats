#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What an option makes the program call: the same on the reference and on ours, seen by strace. A row is
# the calls to look at, the option, and the rest of the command line, in which ADDR is followed by it.
load common

prepare() {
    command -v strace >/dev/null || skip "needs strace"
    strace -o /dev/null true 2>/dev/null || skip "strace is not permitted here"
    echo hello >"$T/in"
}

# calls <program> <calls> <arguments...>: the calls, without what differs from run to run.
calls() (
    rm -rf "$T/work"
    mkdir "$T/work" && cd "$T/work" || return
    printf 'some text' >file
    timeout -k 5 "$LIMIT" strace -f -o ../trace -e trace="$2" "$1" -T 0.2 "${@:3}" <"$T/in" >/dev/null 2>&1 || :
    sed -E 's/^[0-9]+ +//; s/\|?(SOCK|O)_(CLOEXEC|NONBLOCK)//g; s/^([a-z0-9]+)\([0-9]+,/\1(FD,/
        s/^l?chown\("[^"]*", (.*)/chown(\1/; s/^fchown\(FD, /chown(/
        s/^(unlink|symlink)\((.*)"[^"]*\/([^"\/]*")/\1(\2"\3/
        s/^symlink\("[0-9]+"/symlink("PTS"/; s/0x[0-9a-f]{6,}/ADDR/g; s/l_len=9223372036854775807/l_len=0/; s/\) += /) = /; s/= [0-9]+$/= N/
        /^(\+\+\+|---)|resumed|unfinished|sin_port/d' ../trace | sort
)

# effect <calls> <option> <left> <right>: the calls that the option adds are the reference's, and some.
# The address with the option begins with "@".
effect() {
    local look=$1 option=$2 program seen=()
    shift 2
    for program in "$REF_SOCAT" "$BATS_FILE_TMPDIR/ours/socat"; do
        calls "$program" "$look" -u "${@#@}" >without
        calls "$program" "$look" -u "$(with "$1")" "$(with "$2")" >with
        seen+=("$(comm -13 without with)")
    done
    [ -n "${seen[0]}" ] || {
        echo "the reference does nothing"
        return 1
    }
    same "${seen[0]}" "${seen[1]}"
}

with() {
    [[ $1 == @* ]] && echo "${1#@},$option" || echo "$1"
}

@test "files" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "a sanitizer opens files of its own"
    each effect <<'ROWS'
openat append - @OPEN:file
openat trunc - @GOPEN:file
openat excl - @OPEN:new,creat
openat nofollow - @OPEN:file
openat sync - @OPEN:file
openat dsync - @OPEN:file
openat rdwr - @OPEN:file
openat noctty - @GOPEN:file
openat directory @OPEN:. -
fchmod perm-late=600 - @OPEN:file
lseek seek=3 - @OPEN:file
lseek seek-cur=2 - @OPEN:file
lseek seek-end=1 - @OPEN:file
ftruncate ftruncate=2 - @OPEN:file
flock flock-ex-nb - @OPEN:file
fcntl f-setlk - @OPEN:file
unlink unlink-late - @OPEN:file
unlink unlink-close - @OPEN:file
mknodat perm=600 PIPE @PIPE:fifo,nonblock
ROWS
}

@test "pipes without a name" {
    each effect <<'ROWS'
fchmod perm=600 @EXEC:true,pipes -
fchmod perm-late=640 @EXEC:true,pipes -
ROWS
}

@test "root: owners, users, roots" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    each effect <<'ROWS'
chown,lchown,fchown user-late=1 - @OPEN:file
chown,lchown,fchown user=1 - @OPEN:file
chown,lchown,fchown group-late=1 - @OPEN:file
chown,lchown,fchown user-early=1 - @OPEN:file
chroot chroot=/tmp - @OPEN:file
setuid setuid=65534 - @OPEN:file
setgid setgid=65534 - @OPEN:file
setgroups,setgid,setuid su=nobody - @OPEN:file
ROWS
}

@test "processes" {
    each effect <<'ROWS'
setsid setsid @EXEC:true -
setpgid setpgid=0 @EXEC:true -
dup2 stderr @EXEC:true -
ROWS
}

@test "terminals" {
    each effect <<'ROWS'
symlink link=tty @PTY -
chmod,fchmod perm-late=640 @PTY -
ROWS
}

@test "sockets: a client" {
    start_listener server tcp4-listen:0,bind=127.0.0.1,fork pipe
    each effect <<ROWS
setsockopt so-keepalive - @TCP4:127.0.0.1:$port
setsockopt nodelay - @TCP4:127.0.0.1:$port
setsockopt linger=1 - @TCP4:127.0.0.1:$port
setsockopt rcvbuf=5000 - @TCP4:127.0.0.1:$port
setsockopt sndbuf-late=5000 - @TCP4:127.0.0.1:$port
setsockopt mss=1000 - @TCP4:127.0.0.1:$port
setsockopt priority=3 - @TCP4:127.0.0.1:$port
setsockopt tos=16 - @TCP4:127.0.0.1:$port
setsockopt ttl=9 - @TCP4:127.0.0.1:$port
setsockopt mtudiscover=0 - @TCP4:127.0.0.1:$port
setsockopt setsockopt=1:9:i1 - @TCP4:127.0.0.1:$port
setsockopt setsockopt-int=1:9:1 - @TCP4:127.0.0.1:$port
ioctl fiosetown=1 - @TCP4:127.0.0.1:$port
ROWS
}

@test "sockets: who waits" {
    each effect <<'ROWS'
setsockopt rcvbuf=5000 @TCP4-LISTEN:0,accept-timeout=0.1 -
setsockopt reuseport @TCP4-LISTEN:0,accept-timeout=0.1 -
setsockopt ip-freebind @TCP4-LISTEN:0,accept-timeout=0.1 -
listen backlog=9 @TCP4-LISTEN:0,accept-timeout=0.1 -
setsockopt broadcast @UDP4-RECV:0 -
setsockopt ip-pktinfo @UDP4-RECV:0 -
setsockopt so-timestamp @UDP4-RECV:0 -
ROWS
}

@test "interface: the socket that pf, type and prototype say" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    each effect <<'ROWS'
socket pf=29,type=3,prototype=1 @INTERFACE:lo,readbytes=1 -
socket type=2 @INTERFACE:lo,readbytes=1 -
socket prototype=8 @INTERFACE:lo,readbytes=1 -
ROWS
}

# What could not act where it stands is an error on both.
@test "options that could do nothing are refused" {
    start server "$CATENA_BIN" unix-listen:"$T/server.sock",fork pipe </dev/null
    wait_for 5 unix_listens "$T/server.sock"
    each both_fail <<ROWS
- PIPE,trunc
- PIPE,excl
- PIPE,unlink-early
- PIPE,perm-early=600
- UNIX:$T/server.sock,perm=600
- UNIX:$T/server.sock,user=0
- UNIX:$T/server.sock,unlink-early
- UNIX:$T/server.sock,unlink-late
-u EXEC:true,wait-slave -
-u TCP4-LISTEN:0,max-children=2 -
-u /dev/null EXEC:cat,fdout=1
-U - EXEC:true,fdin=0
ROWS
    # the reference finds this out only when somebody has come
    STATUS=1 ours_alone -u TCP4-LISTEN:0,connect-timeout=1 -
    STATUS=1 ours_alone -u UDP4-LISTEN:0,backlog=3 -
}
