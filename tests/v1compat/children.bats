#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# EXEC, SYSTEM and SHELL: how the program is joined, what it inherits, how its end is told.
load common

prepare() {
    OURS=$(socat_link)
    printf 'one\ntwo\nthree\n' >"$T/in"
    cat >"$T/ids.sh" <<'SH'
#!/bin/sh
# What is known of this process in relation to itself: group leader, session leader.
set -- $(ps -o pid=,pgid=,sid= -p $$)
[ "$1" = "$2" ] && echo leads its group
[ "$1" = "$3" ] && echo leads its session
test -t 0 && echo has a terminal
(: </dev/tty) 2>/dev/null && echo has a controlling terminal
:
SH
    chmod +x "$T/ids.sh"
}

ours() { timeout -k 5 "$LIMIT" "$OURS" "$@"; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

@test "joined by a socketpair or pipes: an echo" {
    each both <<'ROWS'
- EXEC:cat
- EXEC:/bin/cat
- EXEC:cat,socktype=1
- EXEC:cat,socktype=5
- EXEC:cat,type=1
- SYSTEM:cat
- 'EXEC:sh -c cat'
EXEC:cat -
ROWS
    # with pipes the reference notices the program's end only after -t
    abreast both -t 1 <<'ROWS'
- EXEC:cat,pipes
- SYSTEM:cat,pipes
- SYSTEM:'exec cat',pipes
SYSTEM:cat,pipes -
- EXEC:sort,pipes
- 'EXEC:tac',pipes
- SYSTEM:'cat >x; sleep 0.02; cat x; rm x',pipes
- SYSTEM:'cat <&3 >&4',fdin=3,fdout=4,pipes
- "EXEC:'sh -c \"cat <&3 >&4\"',fdin=3,fdout=4,pipes"
- SYSTEM:'cat <&1 >&0',fdin=1,fdout=0,pipes
ROWS
}

@test "joined by a terminal, or packets: no half close, -t ends it" {
    abreast both -t 1 <<'ROWS'
- EXEC:cat,socktype=2
- EXEC:cat,pty,rawer
- EXEC:cat,pty,raw,echo=0
- SYSTEM:cat,pty,rawer
- SYSTEM:cat,pty,cfmakeraw,setsid,ctty
- EXEC:cat,ptmx,rawer
- EXEC:cat,openpty,rawer
- EXEC:cat,pty
- EXEC:cat,pty,echo=0
- EXEC:cat,pty,echo=0,opost=0
- SYSTEM:'cat <&3 >&4',fdin=3,fdout=4,pty,rawer
ROWS
}

@test "joined in one direction only" {
    each both <<'ROWS'
-u - 'EXEC:dd of=out status=none'
-u - SYSTEM:'cat >out'
-u - SYSTEM:'cat >out',pipes
-u 'EXEC:echo hello' -
-u 'EXEC:echo hello',pipes -
-u 'SYSTEM:echo hello',pty,raw -
-U - 'EXEC:echo hello'
-U - 'SYSTEM:echo hello',pipes
-U SYSTEM:'cat >out' -
-u SYSTEM:'seq 1 20000' SYSTEM:'cat >out',pipes
-u 'EXEC:seq 1 20000',pipes 'EXEC:dd of=out status=none'
-u SYSTEM:'sleep 0.02; echo late' -
ROWS
}

@test "a terminal's own line discipline" {
    each both <<'ROWS'
-u 'EXEC:echo hello',pty -
-u 'EXEC:echo hello',pty,opost=0 -
-u 'EXEC:echo hello',pty,onlcr=0 -
-u 'SYSTEM:stty size <&1',pty -
-u 'SYSTEM:stty -F /dev/stdout -a',pty,echo=0 -
-u 'SYSTEM:stty -F /dev/stdout -a',pty,isig=0,icanon=0,vmin=3 -
-u 'SYSTEM:test -t 1 && echo yes',pty -
-u 'SYSTEM:test -t 1 || echo no' -
-u 'SYSTEM:test -t 1 || echo no',pipes -
ROWS
}

@test "what kind of descriptors the program gets" {
    : >"$T/in"
    each both <<'ROWS'
-U - 'SYSTEM:readlink /proc/\$\$/fd/1 | cut -c1-4'
- 'SYSTEM:readlink /proc/\$\$/fd/0 /proc/\$\$/fd/1 | cut -c1-4'
- 'SYSTEM:test /proc/\$\$/fd/0 -ef /proc/\$\$/fd/1 && echo same'
-U - 'SYSTEM:readlink /proc/\$\$/fd/1 | cut -c1-4',pipes
-U - 'SYSTEM:readlink /proc/\$\$/fd/1 | cut -d/ -f1-3',pty,raw
ROWS
    STATUS=0 ours_alone - 'SYSTEM:test /proc/\$\$/fd/0 -ef /proc/\$\$/fd/1 || echo different',pipes
    same different "$(<ours.out)"
}

@test "fdin, fdout: the program talks on other numbers" {
    each both <<'ROWS'
- SYSTEM:'cat <&3 >&4',fdin=3,fdout=4
- SYSTEM:'cat <&4 >&3',fdin=4,fdout=3
- "EXEC:'sh -c \"cat <&3 >&4\"',fdin=3,fdout=4"
- SYSTEM:'cat <&5',fdin=5
- SYSTEM:'cat >&5',fdout=5
- SYSTEM:'cat <&1 >&0',fdin=1,fdout=0
-u - SYSTEM:'cat <&7 >out',fdin=7
-u SYSTEM:'echo hello >&7',fdout=7 -
-u SYSTEM:'echo hello >&7',fdout=7,pipes -
-u SYSTEM:'echo hello >&2',fdout=2 -
ROWS
    STATUS=0 ours_alone - SYSTEM:'cat <&9 >&9',fdin=9,fdout=9
    cmp ours.out in
}

@test "stderr" {
    each both <<'ROWS'
-u 'SYSTEM:echo a >&2',stderr -
-u 'SYSTEM:echo a; echo b >&2',stderr -
-u 'SYSTEM:echo a; echo b >&2',stderr,pipes -
-u 'EXEC:sh -c "echo b >&2"',stderr -
-u 'SYSTEM:echo a >&2',stderr,pty,raw -
-u 'SYSTEM:echo a >&2; echo b >&5',stderr,fdout=5 -
- 'SYSTEM:cat; echo b >&2',stderr
ROWS
    one ours -u 'SYSTEM:echo a >&2' -
    same '' "$(<ours.out)"
    same a "$(<ours.err)"
}

@test "what the program writes at its end of file arrives" {
    each both <<'ROWS'
- EXEC:sort
- 'EXEC:wc -l'
- SYSTEM:'sort; echo end'
- SYSTEM:'cat >x; sleep 0.02; cat x; rm x'
- SYSTEM:'exec cat >/dev/null'
- 'SYSTEM:cat | sort | tr a-z A-Z'
- 'SYSTEM:head -n 1; cat >/dev/null'
'EXEC:echo from the left' 'SYSTEM:cat >out'
'EXEC:seq 1 3,end-close!!-' EXEC:tac
ROWS
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork 'SYSTEM:sort; echo end'
    same 'a b end' "$(printf 'b\na\n' | ours -t 5 - "TCP4:127.0.0.1:$port" | paste -sd' ')"
}

@test "much data, in both directions" {
    seq 1 200000 >"$T/in"
    each both <<'ROWS'
- EXEC:cat
- SYSTEM:cat
-b 100 - EXEC:cat
-u - SYSTEM:'md5sum >out'
-u 'EXEC:seq 1 100000' -
ROWS
    ours_alone - EXEC:cat,pipes
    cmp ours.out in
    head -n 3000 in >few
    mv few in
    abreast both -t 1 <<'ROWS'
- EXEC:cat,pty,rawer
- EXEC:cat,pipes
ROWS
}

@test "the program's end is the run's status" {
    for command in 'exit 0' true 'echo x'; do
        STATUS=0 both -u "SYSTEM:$command" -
        STATUS=0 both -u "SYSTEM:$command,pipes" -
        STATUS=0 both -u "SYSTEM:$command,pty" -
    done
    for command in 'exit 1' 'exit 2' 'exit 127' 'exit 255' false 'echo x; exit 3' \
        'kill -9 \$\$' 'kill -SEGV \$\$' ./none; do
        for option in '' ,pipes ,pty; do
            STATUS=1 ours_alone -u "SYSTEM:$command$option" -
            STATUS=1 ours_alone -U - "EXEC:'sh -c \"$command\"'$option"
            has "$(<ours.err)" ' W waitpid(): child [0-9]* exited \(with status\|on signal\) [0-9]*$'
        done
    done
}

@test "what a failing command of SYSTEM returned with is told" {
    while read -r raw command; do
        STATUS=1 ours_alone -u "SYSTEM:$command" -
        has "$(<ours.err)" " W system(\"$command\") returned with status $raw\$"
        same 1 "$(grep -c returned ours.err)"
    done <<'ROWS'
256 exit 1
768 exit 3
65280 exit 255
32512 ./none
ROWS
    STATUS=1 ours_alone -u "EXEC:'sh -c \"exit 3\"'" -
    has_not "$(<ours.err)" returned
    STATUS=0 ours_alone -u 'SYSTEM:exit 0' -
    has_not "$(<ours.err)" returned
}

@test "programs that cannot be started" {
    mkdir "$T/dir"
    : >"$T/plain"
    each both_alike_failure <<ROWS
/nothing/here
$T/dir
$T/plain
nosuchprogram
ROWS
    STATUS=1 ours_alone - EXEC:
    has "$(<ours.err)" ' E '
    has_not "$(<ours.err)" 'execvp("", '
}
both_alike_failure() {
    STATUS=1 ours_alone - "EXEC:$1"
    has "$(<ours.err)" ' E .*execvp("'"$1"'"'
    STATUS=1 ours_alone - "EXEC:$1,pipes"
    STATUS=1 ours_alone - "EXEC:$1,pty"
}

@test "long command lines stay whole" {
    for n in 500 1000 4000 20000; do
        word=$(head -c $n /dev/zero | tr '\0' x)
        STATUS=0 ours_alone -u "EXEC:printf %s $word" -
        same "$word" "$(<ours.out)"
        STATUS=0 ours_alone -u "SYSTEM:printf %s $word" -
        same "$word" "$(<ours.out)"
    done
    words=$(seq -s' ' 1 2000)
    STATUS=0 ours_alone -u "EXEC:echo $words" -
    same "$words" "$(<ours.out)"
}

@test "session, process group, controlling terminal" {
    while read -r option; do
        both -u "EXEC:$T/ids.sh$option" -
        both -u "EXEC:setsid -w $T/ids.sh$option" -
    done <<'ROWS'

,setsid
,setpgid=0
,pipes,setsid
,pty
,pty,setsid
,pty,setsid,ctty
,pty,ctty,setsid,rawer
ROWS
}

@test "dash, login: the name begins with a dash" {
    each both <<'ROWS'
-u 'EXEC:sh -c "echo \$0"',dash -
-u 'EXEC:cat /proc/self/cmdline',dash -
-u 'EXEC:cat /proc/self/cmdline',login -
-u 'EXEC:/bin/cat /proc/self/cmdline',login -
-u 'EXEC:/bin/cat /proc/self/cmdline' -
-u 'EXEC:cat /proc/self/cmdline',dash=0 -
-u 'EXEC:cat /proc/self/cmdline',dash=1,pipes -
ROWS
}

@test "path: where the program is looked for, and its own PATH" {
    mkdir "$T/bin"
    printf '#!/bin/sh\necho mine\n' >"$T/bin/myprogram"
    chmod +x "$T/bin/myprogram"
    both -u "EXEC:myprogram,path=$T/bin" -
    same mine "$(<ours.out)"
    both -u "SYSTEM:myprogram,path=$T/bin" -
    both -u "SYSTEM:echo \\\$PATH,path=/usr/bin:/bin" -
    STATUS=1 ours_alone -u "EXEC:cat /dev/null,path=$T/bin" -
    STATUS=1 ours_alone -u EXEC:myprogram -
}

@test "user, groups" {
    need_root
    each both <<'ROWS'
-u 'EXEC:id -u',su=nobody -
-u 'EXEC:id -G',su=nobody -
-u 'EXEC:id',su-d=nobody -
-u 'EXEC:id',substuser=daemon -
-u 'EXEC:id -u',setuid=nobody -
-u 'EXEC:id -u',setuid=65534 -
-u 'EXEC:id -g',setgid=nogroup -
-u 'EXEC:id -g',setgid=7 -
-u 'SYSTEM:id -u; id -g',setgid=7,setuid=8 -
-u 'SYSTEM:cat /etc/shadow 2>/dev/null || echo no',su=nobody -
ROWS
    both_fail -u EXEC:id,su=nosuchuser -
    both_fail -u EXEC:id,setgid=nosuchgroup -
}

# A root directory with one program in it.
make_jail() {
    mkdir -p "$T/jail/bin" "$T/jail/tmp" "$T/jail/${T%/*}" # the last one for a sanitizer's report
    cp /bin/cat "$T/jail/bin"
    local library
    for library in $(ldd /bin/cat | grep -o '/[^ ]*'); do
        mkdir -p "$T/jail${library%/*}"
        cp "$library" "$T/jail$library"
    done
    echo jailed >"$T/jail/tmp/file"
    chmod -R a+rX "$T/jail"
}

@test "chroot, chroot-early" {
    need_root
    make_jail
    both -u "EXEC:/bin/cat /tmp/file,chroot=$T/jail" -
    same jailed "$(<ours.out)"
    both - "EXEC:/bin/cat,chroot=$T/jail"
    both - "EXEC:/bin/cat,chroot=$T/jail,su-d=nobody"
    both -u "EXEC:/bin/cat /tmp/file,chroot=$T/jail,setuid=65534" -
    STATUS=1 ours_alone -u "EXEC:/bin/ls /,chroot=$T/jail" -
    STATUS=1 ours_alone -u "EXEC:/bin/cat /tmp/file,chroot=$T/nothing" -
    start_listener server "TCP-LISTEN:0,bind=127.0.0.1,reuseaddr,fork" \
        "EXEC:/bin/cat,chroot=$T/jail,su-d=nobody,pty,ctty,setsid,raw,echo=0"
    same hello "$(ours -t 0.3 - "TCP4:127.0.0.1:$port" <<<hello)"
}

@test "chroot-early of an address: opened inside, and no way back out" {
    need_root
    make_jail
    mkdir -p "$T/tmp" && echo free >"$T/tmp/file" && echo free >"$T/file"
    cd "$T"
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # its search needs /proc
    both -u "OPEN:tmp/file,chroot-early=$T/jail" -
    same jailed "$(<ours.out)"
    same jailed "$(ours -u "OPEN:file,chroot-early=$T/jail,chdir=/tmp" - </dev/null)"
    # The second address is opened where the first has left the process.
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,"chroot-early=$T/jail,chdir=tmp" OPEN:file
    run ours -u "TCP4:127.0.0.1:$port" - </dev/null
    same '' "$output"
    finish server 1
    has "$(<server.err)" 'open("file".*No such file'
}

@test "what acts before opening acts once, not at each attempt" {
    need_root
    make_jail
    for option in su-e=nobody setuid-early=65534 "chroot-early=$T/jail"; do
        STATUS=1 both -d -d - "TCP4:127.0.0.1:1,$option,retry=2,interval=0.01"
        same 3 "$(grep -c 'Connection refused' ours.err)"
    done
    # A directory that the user cannot enter is none to come back to.
    mkdir -m 700 "$T/private"
    cd "$T/private"
    same "$(</etc/passwd)" "$(ours -u OPEN:etc/passwd,su-e=nobody,chdir=/ - </dev/null)"
    run "$CATENA_BIN" -n - TCP:localhost:1,netns=some,su-e=nobody
    same 1 "$status"
    has "$output" 'substuser-early'
}

@test "umask and directory" {
    both -u 'SYSTEM:umask' -
    for mask in 0000 0777 0027; do
        same "$mask" "$(ours -u "SYSTEM:umask,umask=$mask" -)"
        same "$mask" "$(ours -u "EXEC:sh -c umask,umask=$mask" -)"
    done
    mkdir "$T/there"
    for option in chdir cd; do
        same "$T/there" "$(ours -u "SYSTEM:pwd,$option=$T/there" -)"
        same "$T/there" "$(ours -u "EXEC:pwd,$option=$T/there" - | head -n 1)"
    done
    # in the address alone
    ours -u "SYSTEM:umask; echo x,umask=0,chdir=$T/there" CREATE:made
    same 644 "$(umask 022 && stat -c %a made)"
}

@test "the environment" {
    each both <<'ROWS'
-u 'SYSTEM:env | grep -c ^SOCAT_VERSION=' -
-u 'SYSTEM:env | grep -c ^SOCAT_PID=' -
-u 'SYSTEM:env | grep -c ^SOCAT_PPID=' -
-lpabc -u 'SYSTEM:env | grep -c ^ABC_P*PID=' -
-u 'SYSTEM:test \$SOCAT_PID = \$SOCAT_PPID && echo equal' -
ROWS
    FOO='bar baz' both -u 'SYSTEM:echo "\$FOO"' -
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork \
        'SYSTEM:echo \$SOCAT_PPID \$SOCAT_PID \$SOCAT_PEERADDR \$SOCAT_SOCKADDR \$SOCAT_SOCKPORT'
    read -r ppid own peer sock sockport <<<"$(ours -u "TCP4:127.0.0.1:$port" -)"
    same "$(<server.pid)" "$ppid"
    [ "$own" != "$ppid" ]
    same "127.0.0.1 127.0.0.1 $port" "$peer $sock $sockport"
}

@test "SHELL" {
    export SHELL=/bin/sh
    same 'one two three' "$(ours -t 5 - SHELL:cat <in | paste -sd' ')"
    same 'one two three' "$(ours -t 5 - SHELL:cat,pipes <in | paste -sd' ')"
    same 'hello /bin/sh' "$(ours -u 'SHELL:echo hello \$SHELL' -)"
    same 6 "$(echo 'echo $((2*3))' | ours -t 5 - SHELL)"
    same sh "$(ours -u 'SHELL:echo \$0' -)"
    same -sh "$(ours -u 'SHELL:echo \$0,login' -)"
    same /bin/bash "$(SHELL=/bin/false ours -u 'SHELL:echo \$SHELL,shell=/bin/bash' -)"
    STATUS=1 ours_alone -u 'SHELL:exit 3' -
    has_not "$(<ours.err)" returned
    STATUS=1 ours_alone -u 'SHELL:a:b' -
    run env -u SHELL "$OURS" - SHELL:cat
    same 1 "$status"
    has "$output" ' E .*SHELL variable undefined'
}

@test "colons and too many parameters" {
    STATUS=1 ours_alone -u SYSTEM:a:b -
    STATUS=1 ours_alone -u EXEC:a:b -
    both -u 'SYSTEM:echo a\:b' -
    both -u 'SYSTEM:"echo a:b"' -
    both -u "EXEC:'echo a:b,c'" -
}

@test "nofork: the program in our place" {
    each both <<'ROWS'
- EXEC:cat,nofork
- SYSTEM:cat,nofork
- 'SYSTEM:echo x; cat',nofork
-u - SYSTEM:'cat >out',nofork
-U - 'EXEC:echo hello',nofork
stdio EXEC:'tr a-z A-Z',nofork
open:/dev/null EXEC:'cat',nofork
- 'EXEC:sh -c "exit 7"',nofork
- 'EXEC:sh -c "exit 0"',nofork
- 'EXEC:cat /proc/self/cmdline',nofork,login
- EXEC:/nothing/here,nofork
- EXEC:cat,nofork,fdin=0,fdout=1
ROWS
    same hello "$(ours - 'SYSTEM:echo hello >&5',nofork,fdout=5)"
    STATUS=1 ours_alone EXEC:cat,nofork -
    has "$(<ours.err)" 'nofork'
    STATUS=1 ours_alone - 'EXEC:cat,nofork!!-'
    has "$(<ours.err)" 'nofork'
    start server "$OURS" -d -d TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:cat,nofork </dev/null
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9]*\)$/\1/p' server.err | head -n 1)
    for i in 1 2 3; do same "$i" "$(ours -t 5 - "TCP4:127.0.0.1:$port" <<<"$i")"; done
    same 0 "$(zombies "$(<server.pid)")"
}

# what a program sees of the descriptors: 0, 1, 2, and the one ls itself opens
sees() {
    local seen
    seen=$(timeout 20 "$OURS" "$@" </dev/null 2>/dev/null | sort -n | paste -sd' ')
    same '0 1 2 3' "$seen"
}

@test "no descriptor of ours reaches the program" {
    each sees <<ROWS
-u 'EXEC:ls -1 /proc/self/fd' -
-u 'EXEC:ls -1 /proc/self/fd,pipes' -
-u 'EXEC:ls -1 /proc/self/fd,pty,raw' -
- 'EXEC:ls -1 /proc/self/fd,socktype=2'
- 'EXEC:ls -1 /proc/self/fd'
- 'EXEC:ls -1 /proc/self/fd,pipes'
- 'EXEC:ls -1 /proc/self/fd,nofork'
- 'SYSTEM:ls -1 /proc/self/fd'
- 'SYSTEM:exec ls -1 /proc/self/fd,nofork'
-lf $T/log -d -d -d -d -u 'EXEC:ls -1 /proc/self/fd' -
-r $T/raw1 -R $T/raw2 -u 'EXEC:ls -1 /proc/self/fd' -
-r $T/raw1 -R $T/raw2 - 'EXEC:ls -1 /proc/self/fd'
-ly -u 'EXEC:ls -1 /proc/self/fd' -
-L $T/lock -u 'EXEC:ls -1 /proc/self/fd' -
-v -u 'EXEC:ls -1 /proc/self/fd' -
--statistics -u 'EXEC:ls -1 /proc/self/fd' -
-u 'SYSTEM:ls -1 /proc/self/fd' 'SYSTEM:cat'!!-
ROWS
    ours -u 'EXEC:ls -1 /proc/self/fd' 'SYSTEM:cat; ls /proc/self/fd' >both </dev/null || :
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork 'EXEC:ls -1 /proc/self/fd'
    sees -u "TCP4:127.0.0.1:$port" -
    sees -u "TCP4:127.0.0.1:$port" -
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork 'EXEC:ls -1 /proc/self/fd,nofork'
    sees -u "TCP4:127.0.0.1:$port" -
}

# traps <signal>: a program that notes this signal and ends then, or when it is left alone.
traps() {
    cat >traps.sh <<SH
#!/bin/sh
trap 'echo $1 >caught; exit 0' $1
echo >ready
n=0
while [ \$((n += 1)) -lt ${2:-500} ]; do sleep 0.02; done
echo >done
SH
    chmod +x traps.sh
    rm -f caught ready done
}

# handed <signal> <options>: we hand it on and do not end by it.
handed() {
    traps "$1"
    start run "$OURS" -d -d - "EXEC:./traps.sh,pipes$2" <>hold
    wait_for 5 test -e ready
    wait_for 5 file_has run.err 'starting data transfer loop'
    kill -s "$1" "$pid"
    wait_for 5 file_has caught "$1"
    finish run
    assert_nothing_left
}

@test "sighup, sigint, sigquit are handed on" {
    mkfifo hold
    handed HUP ,sighup
    handed INT ,sigint
    handed QUIT ,sigquit
    handed INT ,sighup,sigint,sigquit
}

@test "not asked for, signals end us and the program" {
    mkfifo hold
    for name in HUP INT QUIT TERM; do
        traps TERM
        start run "$OURS" - EXEC:./traps.sh <>hold
        wait_for 5 test -e ready
        kill -s "$name" "$pid"
        finish run $((128 + $(kill -l "$name")))
        assert_nothing_left
    done
}

@test "the program is asked to end when the other side has ended" {
    for options in '' ,pipes ,pty ,socktype=2; do
        traps TERM
        mkfifo hold
        exec 7<>hold
        start run "$OURS" -t 0.1 - "EXEC:./traps.sh$options" <hold 7>&-
        wait_for 5 test -e ready
        exec 7>&-
        finish run
        wait_for 5 file_has caught TERM
        assert_nothing_left
        rm hold
    done
}

@test "a program is asked to end before its terminal goes, so that it does not complain" {
    mkfifo hold
    for _ in 1 2 3 4 5 6; do
        for options in '' ,rawer; do
            "$OURS" -T 0.05 - "EXEC:cat,pty$options" <>hold >out 2>err
            same '' "$(<err)"
        done
    done
    wait_for 5 nothing_left
}

@test "end-close: the program is left alone" {
    traps TERM 20
    mkfifo hold
    exec 7<>hold
    start run "$OURS" -t 0.1 - EXEC:./traps.sh,end-close <hold 7>&-
    wait_for 5 test -e ready
    exec 7>&-
    finish run
    wait_for 5 test -e done
    [ ! -e caught ]
}

@test "a program that ends leaves no zombie" {
    mkfifo hold
    start run "$OURS" -d -d PIPE 'SYSTEM:exec >&- <&-; exit 0,pipes' <>hold
    finish run
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:true
    server=$(<server.pid)
    for _ in 1 2 3 4 5; do ours - "TCP4:127.0.0.1:$port" </dev/null; done
    no_child() { [ -z "$(pgrep -P "$server")" ]; }
    wait_for 5 no_child
}
