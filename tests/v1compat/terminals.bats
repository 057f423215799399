#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# PTY and what its options do, terminals as files, terminal settings of programs.
load common

prepare() {
    OURS=$(socat_link)
    echo hello >in
}

# terminal <name> <options>: a PTY under the name tty, an echo behind it.
terminal() {
    start "$1" "$OURS" -d -d "PTY,link=$T/tty$2" "${3:-PIPE}" </dev/null
    wait_for 5 file_has "$1.err" 'PTY is /dev/pts/[0-9]*'
    wait_for 5 test -e tty
    device=$(sed -n 's/.*PTY is \(.*\)$/\1/p' "$1.err")
}

gone() {
    kill -TERM "$(<"$1.pid")"
    finish "$1" 143
    [ ! -L tty ]
}

@test "a terminal under a name, one client after the other" {
    terminal pty ,rawer
    same "$device" "$(readlink -f tty)"
    [ -c tty ]
    same hello "$("$OURS" -t 5 - "OPEN:tty,rawer,readbytes=6" <in)"
    same hello "$("$REF_SOCAT" -t 5 - "./tty,rawer,readbytes=6" <in)"
    gone pty
}

@test "link: what is in the way" {
    ln -s nothing tty
    terminal pty ,rawer
    gone pty
    echo old >tty
    terminal pty ,rawer
    gone pty
    mkdir tty
    for program in "$REF_SOCAT" "$OURS"; do
        run timeout 5 "$program" -T 0.1 "PTY,link=$T/tty" PIPE
        same 1 "$status"
        has "$output" ' E '
    done
    [ -d tty ]
    run timeout 5 "$OURS" -T 0.1 "PTY,link=$T/no/where" PIPE
    same 1 "$status"
    has "$output" ' E '
}

@test "link: stays with unlink-close=0, goes at a normal end" {
    start pty "$OURS" -T 0.2 "PTY,link=$T/tty" PIPE
    finish pty
    [ ! -L tty ]
    start pty "$OURS" -T 0.2 "PTY,link=$T/tty,unlink-close=0" PIPE
    finish pty
    [ -L tty ]
}

# settings <options>: what stty shows of the slave.
settings() {
    local which program
    for which in ref ours; do
        program=$REF_SOCAT
        [ $which = ref ] || program=$OURS
        rm -f tty
        start $which "$program" -d -d "PTY,link=$T/tty$1" PIPE </dev/null
        wait_for 5 file_has $which.err 'starting data transfer'
        stty -F "$T/tty" -a >"$which.settings"
        stty -F "$T/tty" size >>"$which.settings"
        kill "$pid"
        wait "$pid" || :
    done
    diff ref.settings ours.settings || {
        echo "# PTY$1"
        return 1
    }
}

@test "settings of the terminal are the reference's" {
    each settings <<'ROWS'
,echo=0
,echo=1
,icanon=0
,icanon=0,min=3,time=5
,isig=0,ixon=0,ixoff=1,ixany=1
,opost=0
,onlcr=0,ocrnl=1,onocr,onlret
,icrnl=0,inlcr=1,igncr=1
,istrip=1,inpck=1,ignbrk,brkint=0,parmrk
,b9600
,b19200
,cs8,parenb=0
,cstopb=1
,parenb=1,parodd=1
,hupcl=1,clocal=1
,crtscts=1
,echoe=0,echok=0,echonl=1,echoctl=0,echoke=0
,iexten=0,noflsh=1,tostop=1
,vintr=1,vquit=2,verase=8,vkill=21
,intr=3,quit=28,erase=127,kill=21,eof=4,eol=0,start=17,stop=19,susp=26
,iuclc=1,olcuc=1,xcase=1
,nl0,cr0,tab0,bs0,vt0,ff0
,tab3,ff1,vt1,bs1,cr3,nl1
,raw
,raw,echo=0
,cfmakeraw
,sane
,sane,echo=0
ROWS
    # where the reference loses the speed
    terminal pty ,rawer
    has "$(stty -F tty -a)" ' -icanon'
    has "$(stty -F tty -a)" ' -echo '
    has "$(stty -F tty -a)" '-opost '
    has "$(stty -F tty -a)" 'speed 38400 baud'
    gone pty
}

@test "window size, flag words" {
    terminal pty ,winsz=100:40
    same '40 100' "$(stty -F tty size)"
    gone pty
    terminal pty ,tiocswinsz=132:50,rawer
    same '50 132' "$(stty -F tty size)"
    gone pty
    same '24 80' "$("$OURS" -u 'SYSTEM:stty size <&1,pty,raw,winsz=80:24' -)"
    terminal pty ,termios-setflags=3:0
    has "$(stty -F tty -a)" ' -echo '
    has "$(stty -F tty -a)" ' -icanon'
    gone pty
    run "$OURS" PTY,winsz=80 PIPE
    same 1 "$status"
    has "$output" ' E .*2 '
    run "$OURS" -T 0.1 - PIPE,winsz=80:24 </dev/null
    same 1 "$status"
}

@test "wait-slave: opening goes on when somebody opens the terminal; its end is the end" {
    for option in wait-slave waitslave pty-wait-slave; do
        terminal pty ",rawer,$option,pty-interval=0.02" "CREATE:made"'%OPEN:/dev/null,ignoreeof'
        [ ! -e made ]
        exec 7<>tty
        wait_for 5 file_has pty.err 'starting data transfer'
        echo data >&7
        wait_for 5 file_has made data
        exec 7>&-
        finish pty
        [ ! -L tty ]
        rm made
    done
    terminal pty ",wait-slave"
    kill -TERM "$(<pty.pid)"
    finish pty 143
    [ ! -L tty ]
}

@test "without wait-slave clients come and go" {
    terminal pty ,rawer
    for _ in 1 2 3; do
        exec 7<>tty
        exec 7>&-
    done
    same hello "$("$OURS" -t 5 - "OPEN:tty,rawer,readbytes=6" <in)"
    kill -0 "$(<pty.pid)"
    gone pty
}

@test "two terminals back to back" {
    start pty "$OURS" -d -d "PTY,link=$T/left,rawer" "PTY,link=$T/right,rawer" </dev/null
    wait_for 5 file_has pty.err 'starting data transfer'
    start reader "$OURS" -u OPEN:left,readbytes=6 - </dev/null
    "$OURS" -u - OPEN:right <in
    finish reader
    same hello "$(<reader.out)"
    kill -TERM "$(<pty.pid)"
    finish pty 143
    [ ! -L left ]
    [ ! -L right ]
}

@test "programs on a terminal" {
    each both <<'ROWS'
-u 'SYSTEM:tty <&1 >/dev/null && echo yes',pty,setsid,ctty -
-u 'SYSTEM:test -t 1 && echo yes',pty -
-u 'SYSTEM:stty -F /dev/stdout -a',pty,sane,echo=0 -
-u 'SYSTEM:stty -F /dev/stdout -a',pty,b9600,cstopb -
-u 'SYSTEM:printf a\\\\tb\\\\n',pty,tab3 -
-u 'SYSTEM:echo abc',pty,olcuc -
-u 'SYSTEM:echo abc',pty,opost=0 -
-u 'SYSTEM:echo x >/dev/tty',pty,setsid,ctty -
ROWS
    start run "$OURS" -d -d - "EXEC:cat,pty,rawer,link=$T/tty" <in
    wait_for 5 file_has run.err 'PTY is'
    finish run
    same hello "$(<run.out)"
    [ ! -L tty ]
}

@test "signals from the keyboard of a program's terminal" {
    cat >traps.sh <<'SH'
#!/bin/sh
trap 'echo caught; exit 0' INT
echo ready
while :; do sleep 0.02; done
SH
    chmod +x traps.sh
    start_peer peer line 'send:\x03' line eof
    timeout 20 "$OURS" -t 5 "TCP4:127.0.0.1:$port" EXEC:./traps.sh,pty,setsid,ctty,echo=0,isig
    finish peer
    has "$(<peer.out)" caught
}

@test "end of file from the keyboard" {
    printf 'hello\n\004' >in
    STATUS=0 ours_alone -t 5 - EXEC:'wc -c',pty,setsid,ctty,echo=0
    same 6 "$(tr -dc 0-9 <ours.out)"
}

@test "terminal settings are given back" {
    terminal pty ''
    before=$(stty -F tty -g)
    "$OURS" -T 0.1 -u OPEN:tty,rawer - </dev/null
    same "$before" "$(stty -F tty -g)"
    start run "$OURS" -d -d -u OPEN:tty,rawer - </dev/null
    wait_for 5 file_has run.err 'starting data transfer'
    [ "$before" != "$(stty -F tty -g)" ]
    kill -TERM "$(<run.pid)"
    finish run 143
    same "$before" "$(stty -F tty -g)"
    gone pty
}

@test "noctty: a terminal opened by a session leader without one" {
    terminal pty ,rawer
    for keyword in OPEN GOPEN; do
        # o-noctty keeps it from becoming the controlling terminal: field 7 of stat stays 0
        setsid "$OURS" -d -d -u "$keyword:tty,rawer,o-noctty" - </dev/null >x.out 2>x.err &
        wait_for 5 file_has x.err 'starting data transfer'
        p=$(sed -n 's/.*\[\([0-9]*\)\] N starting.*/\1/p' x.err)
        same 0 "$(sed 's/.*) //' "/proc/$p/stat" | cut -d' ' -f5)"
        kill "$p"
        : >x.err
    done
    setsid "$OURS" -d -d -u "OPEN:tty,rawer,o-noctty=0" - </dev/null >x.out 2>x.err &
    wait_for 5 file_has x.err 'starting data transfer'
    p=$(sed -n 's/.*\[\([0-9]*\)\] N starting.*/\1/p' x.err)
    [ "$(sed 's/.*) //' "/proc/$p/stat" | cut -d' ' -f5)" != 0 ]
    kill "$p"
    gone pty
}

@test "sitout-eio: a program that closes and reopens its terminal" {
    command='SYSTEM:name=\$(readlink /proc/\$\$/fd/1); exec >&-; exec </dev/null; for n in 1 2 3 4 5; do sleep 0.02; done; echo back >\$name'
    same back "$(timeout 20 "$OURS" -u "$command,pty,raw,sitout-eio=1" - 2>eio.err | tr -d '\r')"
}
