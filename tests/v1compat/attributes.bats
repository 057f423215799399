#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Entries of the file system: the mode and owner they get, when they appear, when they go.
load common

prepare() {
    OURS=$(socat_link)
    umask 022
    : >in
}

need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

kept() { # <options>: on files of every keyword, new ones and old ones
    both -u - "CREATE:entry,$1"
    both -u - "OPEN:entry,creat,$1"
    both -u - "GOPEN:entry,$1"
    both -u - "OPEN:old,$1"
    both -u - "GOPEN:old,$1"
    both -u "OPEN:old,$1" -
}
prepare_case() {
    echo old >old
    chmod 640 old
}

@test "files: mode" {
    each kept <<'ROWS'
mode=600
perm=0640
mode=000
mode=1777
mode=4755
perm-late=751
mode=600,perm-late=622
ROWS
}

@test "files: umask" {
    while read -r options; do
        both -u - "CREATE:entry,$options"
        both -u - "OPEN:entry,creat,$options"
        both -u - "GOPEN:entry,$options"
    done <<'ROWS'
umask=000
umask=077
umask=0777
umask=022
mode=666,umask=0027
mode=777,umask=111
ROWS
    # only while that address is opened
    STATUS=0 ours_alone '/dev/null!!CREATE:one,umask=077' '/dev/null!!CREATE:two'
    same '600 644' "$(cd ours && stat -c %a one two | paste -sd' ')"
}

@test "files: owner and group" {
    need_root
    each kept <<'ROWS'
user=nobody
uid=65534
owner=1234
group=nogroup
gid=4321
user=nobody,group=nogroup
user-late=nobody
group-late=nogroup
user-late=1,gid-l=2
user=nobody,mode=400
ROWS
    each both <<'ROWS'
-u - OPEN:old,user-early=nobody
-u - OPEN:old,perm-early=600,group-early=nogroup
-u OPEN:old,perm-early=604 -
-u - GOPEN:old,user-e=7
ROWS
    both_fail -u - CREATE:entry,user=nosuchuser
    both_fail -u - CREATE:entry,group=nosuchgroup
    both_fail -u - CREATE:entry,mode=0x12
    both_fail -u - CREATE:entry,mode=u+x
    both -u - OPEN:entry,creat,perm-early=600
}

@test "files: removal" {
    each both <<'ROWS'
-u - CREATE:old,unlink-early
-u - CREATE:old,unlink
-u - CREATE:entry,unlink
-u - OPEN:old,unlink-late
-u OPEN:old,unlink-late -
-u - OPEN:old,unlink-close
-u OPEN:old,unlink-close -
-u - OPEN:entry,creat,unlink-close
-u - CREATE:entry,unlink-close
-u - CREATE:entry,unlink-close=0
-u - GOPEN:old,unlink-close
-u - GOPEN:old,unlink-early
ROWS
}

# stays <which> <entry> <address>: what the entry is while the program runs, and what is left of it
# when it is terminated.
stays() {
    local which=$1 entry=$2 program=$REF_SOCAT
    [ "$which" = ref ] || program=$OURS
    mkdir -p "$T/$which"
    (
        cd "$T/$which"
        start "$which" "$program" -d -d "$3" PIPE </dev/null
        wait_for 10 file_has "$T/$which.err" 'listening on\|receiving on\|starting data transfer\|receiving IP' || :
        stat -L -c '%F %a %U %G' "$entry" 2>&1
        kill -TERM "$pid"
        wait "$pid" || echo "status $?"
        [ ! -e "$entry" ] && [ ! -L "$entry" ] || echo left
    )
}

# alive <address>: its entry is the same with both.
alive() {
    local expected actual
    expected=$(stays ref entry "$1")
    actual=$(stays ours entry "$1")
    has "$actual" '^\(socket\|fifo\|character special file\) [0-7]* [^ ]* [^ ]*$' &&
    same "$expected" "$actual" || {
        cat "$T/ref.err" "$T/ours.err"
        return 1
    }
}

@test "sockets: mode, owner, removal at the end" {
    need_root
    abreast alive <<'ROWS'
UNIX-LISTEN:entry
UNIX-LISTEN:entry,fork
UNIX-LISTEN:entry,mode=600
UNIX-LISTEN:entry,perm=0
UNIX-LISTEN:entry,umask=077
UNIX-LISTEN:entry,umask=0
UNIX-LISTEN:entry,umask=0177
UNIX-LISTEN:entry,user=nobody
UNIX-LISTEN:entry,group=nogroup
UNIX-LISTEN:entry,user=nobody,group=nogroup,mode=660
UNIX-LISTEN:entry,user-early=nobody
UNIX-LISTEN:entry,perm-early=611
UNIX-LISTEN:entry,fork,mode=700
UNIX-LISTEN:entry,unlink-close=0
UNIX-LISTEN:entry,unlink-early
UNIX-LISTEN:entry,fork,unlink-close=1
UNIX-RECVFROM:entry
UNIX-RECVFROM:entry,mode=640
UNIX-RECVFROM:entry,umask=027
UNIX-RECVFROM:entry,user=nobody
UNIX-RECVFROM:entry,fork
UNIX-RECVFROM:entry,unlink-close=0
UNIX-RECV:entry!!/dev/null
UNIX-RECV:entry,mode=640!!/dev/null
UNIX-RECV:entry,umask=027!!/dev/null
UNIX-RECV:entry,user=nobody!!/dev/null
UNIX-RECV:entry,unlink-close=0!!/dev/null
ROWS
}

@test "named pipes: mode, owner, removal at the end" {
    need_root
    abreast alive <<'ROWS'
PIPE:entry
PIPE:entry,mode=600
PIPE:entry,mode=622
PIPE:entry,umask=077
PIPE:entry,umask=0
PIPE:entry,user=nobody
PIPE:entry,group=nogroup
PIPE:entry,user=nobody,mode=640
PIPE:entry,unlink-close=0
ROWS
}

is_of() { [ "$(stat -c '%F %U %G %a' "$1")" = "fifo $2" ]; }

@test "named pipes: the owner who is to open the other side is let in" {
    need_root
    for which in "$REF_SOCAT" "$OURS"; do
        start run "$which" -u PIPE:entry,user=nobody,group=nogroup,mode=600 - </dev/null
        wait_for 5 is_of entry 'nobody nogroup 600'
        echo hello >entry
        finish run
        same hello "$(<run.out)"
        rm -f entry
    done
}

@test "terminals: mode, owner, link and its removal" {
    need_root
    abreast alive <<'ROWS'
PTY,link=entry
PTY,link=entry,mode=666
PTY,link=entry,mode=0600
PTY,link=entry,user=nobody
PTY,link=entry,user=nobody,group=nogroup,mode=640
PTY,link=entry,perm-late=644
PTY,link=entry,user-late=nobody
PTY,link=entry,unlink-close=0
PTY,symbolic-link=entry
ROWS
}

@test "entries of both addresses go" {
    for address in 'UNIX-LISTEN:b,fork' PIPE:b PTY,link=b; do
        start run "$OURS" -d -d PIPE:a "$address" </dev/null
        wait_for 5 test -e b
        wait_for 5 file_has run.err 'listening on\|starting data'
        kill -TERM "$pid"
        finish run 143
        [ ! -e a ]
        [ ! -e b ]
        [ ! -L b ]
    done
}

@test "at the end of the transfer they go as well" {
    start run "$OURS" -d -d UNIX-LISTEN:entry PIPE </dev/null
    wait_for 5 unix_listens entry
    same hello "$(socat_ours - UNIX-CONNECT:entry <<<hello)"
    finish run
    [ ! -e entry ]
    start run "$OURS" -d -d -u UNIX-RECVFROM:entry - </dev/null
    wait_for 5 test -S entry
    socat_ours -u - UNIX-SENDTO:entry <<<hello
    finish run
    same hello "$(<run.out)"
    [ ! -e entry ]
    : >in
    STATUS=0 both -t 0.1 - PIPE:entry
    [ ! -e ours/entry ]
}

@test "with fork only the parent removes" {
    start run "$OURS" -d -d UNIX-LISTEN:entry,fork PIPE </dev/null
    parent=$pid
    wait_for 5 unix_listens entry
    for i in 1 2 3; do
        same "$i" "$(socat_ours - UNIX-CONNECT:entry <<<"$i")"
        [ -S entry ]
    done
    # a child that is terminated leaves it, too
    mkfifo hold
    exec 7<>hold
    start client "$OURS" - UNIX-CONNECT:entry <hold 7>&-
    child() { pgrep -P "$parent"; }
    wait_for 5 child
    kill -TERM "$(child)"
    finish client
    [ -S entry ]
    # and when the parent ends, a child that lives on does not matter
    start client "$OURS" - UNIX-CONNECT:entry <hold 7>&-
    wait_for 5 child
    c=$(child)
    kill -TERM "$parent"
    finish run 143
    [ ! -e entry ]
    kill -0 "$c"
    exec 7>&-
    finish client
}

@test "any signal that ends us removes them" {
    for name in HUP INT QUIT TERM; do
        start run "$OURS" -d -d UNIX-LISTEN:entry,fork PTY,link=never </dev/null
        wait_for 5 file_has run.err 'listening on'
        [ -S entry ]
        kill -s "$name" "$pid"
        finish run $((128 + $(kill -l "$name")))
        [ ! -e entry ]
    done
}

@test "clients: bind leaves nothing behind" {
    start server "$OURS" UNIX-LISTEN:server,fork PIPE </dev/null
    wait_for 5 unix_listens server
    for address in UNIX-CONNECT:server,bind=mine UNIX-CLIENT:server,bind=mine; do
        same hello "$(socat_ours - "$address" <<<hello)"
        [ ! -e mine ]
    done
    both_fail - UNIX-CONNECT:nothing,bind=mine
    [ ! -e ours/mine ]
    same kept "$(socat_ours - UNIX-CONNECT:server,bind=mine,unlink-close=0 <<<kept)"
    [ -S mine ]
}

@test "what somebody else has made stays" {
    echo precious >entry
    for address in UNIX-LISTEN:entry UNIX-RECVFROM:entry PIPE:entry UNIX-CONNECT:none,bind=entry; do
        timeout 5 "$OURS" -T 0.1 - "$address" </dev/null || :
        same precious "$(<entry)"
    done
    mkfifo fifo
    STATUS=0 ours_alone -T 0.1 - "PIPE:$T/fifo"
    [ -p fifo ]
    mkdir link
    STATUS=1 ours_alone - "PTY,link=$T/link"
    [ -d link ]
}

@test "what somebody else has put into its place stays" {
    start first "$OURS" -d -d UNIX-LISTEN:entry,fork PIPE </dev/null
    wait_for 5 file_has first.err 'listening on'
    start second "$OURS" -d -d UNIX-LISTEN:entry,fork,unlink-early PIPE </dev/null
    wait_for 5 file_has second.err 'listening on'
    kill -TERM "$(<first.pid)"
    finish first 143
    same hello "$(socat_ours - UNIX-CONNECT:entry <<<hello)"
    kill -TERM "$(<second.pid)"
    finish second 143
    [ ! -e entry ]
    # Made again by another attempt, it is ours again.
    STATUS=1 ours_alone UNIX-CONNECT:none,bind=entry,retry=2,interval=0.01 PIPE
    [ ! -e ours/entry ]
}

@test "inside another root directory nothing of that name is removed" {
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # its search needs /proc
    need_root
    mkdir -p "jail$T"
    echo precious >"jail$T/entry"
    start run "$OURS" -d -d "UNIX-LISTEN:$T/entry,chroot=$T/jail" PIPE </dev/null
    wait_for 5 file_has run.err 'listening on'
    same hello "$(socat_ours - UNIX-CONNECT:entry <<<hello)"
    finish run
    same precious "$(<"jail$T/entry")"
}

@test "relative names, wherever the address was told to be" {
    mkdir there
    start run "$OURS" -d -d UNIX-LISTEN:entry,fork,chdir=there PIPE </dev/null
    wait_for 5 file_has run.err 'listening on'
    [ -S there/entry ]
    [ ! -e entry ]
    kill -TERM "$pid"
    finish run 143
    [ ! -e there/entry ]
    echo x >in
    STATUS=0 ours_alone -u - "CREATE:made,cd=$T/there"
    same x "$(<there/made)"
    STATUS=0 ours_alone -u "OPEN:made,chdir=$T/there" CREATE:copy
    same x "$(<ours/copy)"
    STATUS=1 ours_alone -u - "CREATE:made,chdir=$T/nowhere"
    # What cannot be entered leaves the next try where this one began.
    STATUS=1 ours_alone -d -d -u "TCP:localhost:1,chdir=../there,netns=no/such,retry=2,interval=0.01" -
    same 3 "$(grep -c 'no/such' ours.err)"
}

# bind() takes a while to return, and meanwhile the entry is there.
slow_bind() {
    rm -f entry
    start server strace -f -o trace -e trace=bind -e inject=bind:delay_exit=1000000 "$OURS" "$@" </dev/null
    wait_for 10 test -S entry
}

@test "sockets: another entry that takes their place keeps its mode" {
    command -v strace >/dev/null || skip "needs strace"
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers do not like to be traced"
    OURS=$BATS_FILE_TMPDIR/ours/socat
    echo private >victim
    chmod 600 victim
    slow_bind UNIX-LISTEN:entry,mode=666 pipe
    ln -sf victim entry
    wait_for 10 grep -q 'listening on\| E ' server.err || :
    finish server 1
    has "$(<server.err)" ' E .*chmod("entry", 0666)'
    same 600 "$(stat -c %a victim)"
}

@test "sockets: they never permit more than they are to" {
    command -v strace >/dev/null || skip "needs strace"
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers do not like to be traced"
    OURS=$BATS_FILE_TMPDIR/ours/socat
    umask 022
    slow_bind -u UNIX-RECV:entry,mode=600 -
    same 600 "$(stat -c %a entry)"
    kill "$(pgrep -P "$(<server.pid)")"
    finish server 143
}
