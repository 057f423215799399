#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: switches, what is refused, where messages go, exit status, raw dumps, locks.
load common

prepare() {
    OURS=$(socat_link)
    echo hello >in
}

ours() { timeout -k 5 "$LIMIT" "$OURS" "$@"; }

@test "switches, attached and apart" {
    each both <<'ROWS'
-u - CREATE:out
-U CREATE:out -
-t1 - PIPE
-t 1 - PIPE
-t0.5 - PIPE
-T1 - PIPE
-T 1 - PIPE
-b100 - PIPE
-b 100 - PIPE
-d -d - PIPE
-dd - PIPE
-ddd - PIPE
-dddd - PIPE
-ls - PIPE
-lu - PIPE
-lpname - PIPE
-lp name - PIPE
-s - PIPE
-g - PIPE
-4 - PIPE
-6 - PIPE
-lf /dev/null - PIPE
-L lock - PIPE
-W lock - PIPE
-Llock - PIPE
-r left -R right - PIPE
-rleft -Rright - PIPE
ROWS
}

@test "switches of the later versions" {
    while read -r switches; do
        # shellcheck disable=SC2086
        same hello "$(ours $switches -t 5 - PIPE <in 2>log)"
    done <<'ROWS'
-0
-d0
-d1
-d2
-d3
-d4
-S0
-S 0
-S0x89de
-S 0x1000
-S 35294
--experimental
--statistics
-D
-cS
-cp
-T -1
--v1
ROWS
}

@test "what is refused" {
    each refused <<'ROWS'
''
-
- - -
- - - -
-q - -
-vx - -
-xv - -
-uU - -
-u -U - -
-U -u - -
-d5 - -
-dx - -
-l - -
-lq - -
-b
-b x - -
-b 12k - -
-b -1 - -
-b 9223372036854775808 - -
-t x - -
-t - -
-T x - -
-t 1s - -
-S x - -
-S
-r
-L
-lf
-lf /nothing/here - -
-lynosuchfacility - -
--nosuch - -
--statistic - -
-- - -
-Vx
-hx
-cZ - -
-c - -
ROWS
}
refused() {
    run ours "$@" </dev/null
    same 1 "$status"
    has "$output" ' E '
}

@test "levels" {
    # each level shows itself and what is worse; a line of each kind can be had without an error
    while read -r letters switches; do
        # shellcheck disable=SC2086
        ours $switches -u OPEN:in EXEC:cat >/dev/null 2>log || :
        seen=$(grep -o '\] [DINWEF] ' log | cut -c3 | sort -u | tr -d '\n')
        [[ $letters == *"$seen"* ]] || {
            echo "$switches: $seen instead of $letters"
            return 1
        }
        case $switches in *-d*) ;; *) same '' "$seen" ;; esac
    done <<'ROWS'
- -ls
- -d0
- -d
- -d1
N -d -d
N -dd
N -d2
IN -d -d -d
IN -ddd
IN -d3
IN -d -dd
DIN -dddd
DIN -d4
DIN -d -d -d -d -d
- -d4 -d0
ROWS
}

@test "shape of the lines" {
    date='[0-9]\{4\}/[0-9][0-9]/[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
    while read -r switches pattern; do
        # shellcheck disable=SC2086
        HOSTNAME=somehost ours -d -d ${switches//+/ } - PIPE <in 2>log >/dev/null
        [ -s log ]
        if grep -v -e "^$date${pattern//_/ }" log; then
            echo "$switches"
            return 1
        fi
    done <<'ROWS'
-ls _socat\[[0-9]*\]_N_
-lu \.[0-9]\{6\}_socat\[[0-9]*\]_N_
-lpname _name\[[0-9]*\]_N_
-lp+two _two\[[0-9]*\]_N_
-lh _somehost_socat\[[0-9]*\]_N_
-lu+-lh \.[0-9]\{6\}_somehost_socat\[[0-9]*\]_N_
-lh+-lpx _somehost_x\[[0-9]*\]_N_
ROWS
    ln -s "$OURS" renamed
    ./renamed -d -d - PIPE <in 2>log >/dev/null
    has "$(<log)" ' renamed\[[0-9]*\] N '
}

@test "-lf: a file, appended to, nothing elsewhere" {
    echo old >log
    ours -d -d -lf log - PIPE <in 2>err >out
    same '' "$(<err)"
    same hello "$(<out)"
    same old "$(head -n 1 log)"
    has "$(<log)" ' N .*starting data transfer loop'
    ours -d -d -lflog2 - PIPE <in
    has "$(<log2)" ' N '
    same 644 "$(umask 022 && ours -lflog3 -d -d - PIPE <in >out && stat -c %a log3)"
    # dumps stay on standard error
    ours -v -lf log4 - PIPE <in >out 2>err
    has "$(<err)" '^> .* length=6 from=0 to=5'
    # programs do not get it
    ours -d -d -lf log5 -u 'EXEC:ls /proc/self/fd' - >out
    same '0 1 2 3' "$(paste -sd' ' out)"
}

# with a /dev of its own, where a receiver plays the log daemon
private_log() {
    [ "$(id -u)" = 0 ] || skip "needs root"
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
    mkdir dev
    for device in null zero ptmx tty full; do cp -a /dev/$device dev; done
    cat >as_daemon.sh <<SH
mount --bind "$T/dev" /dev && mount --bind "$T/dev" "$T/dev" || exit 77
"$OURS" -u UNIX-RECV:/dev/log,unlink-early CREATE:syslog 2>/dev/null &
daemon=\$!
n=0
until [ -S /dev/log ] || [ \$((n += 1)) -gt 200 ]; do sleep 0.02; done
"\$@"
echo \$? >status
n=0
until grep -q 'exiting with status\|xyz' syslog || [ \$((n += 1)) -gt 40 ]; do sleep 0.02; done
kill \$daemon
SH
}

@test "-ly: the system's log" {
    private_log
    unshare -m sh as_daemon.sh "$OURS" -d -d -ly - PIPE <in >out 2>err
    same 0 "$(<status)"
    same '' "$(<err)"
    # daemon is 3, notice 5: 3 * 8 + 5
    has "$(<syslog)" '<29>.* socat\[[0-9]*\]: N .*starting data transfer loop'
    unshare -m sh as_daemon.sh "$OURS" -d -d -lylocal3 -lpname - PIPE <in >out 2>err
    has "$(<syslog)" '<157>.* name\[[0-9]*\]: N '
    unshare -m sh as_daemon.sh "$OURS" -d -d -ly -u OPEN:/nothing/here - <in >out 2>err
    same 1 "$(<status)"
    has "$(<syslog)" '<2[67]>.* socat\[[0-9]*\]: E .*No such file'
}

@test "-lm: standard error until the transfer, then the system's log" {
    private_log
    unshare -m sh as_daemon.sh "$OURS" -d -d -lm - PIPE <in >out 2>err
    same 0 "$(<status)"
    has "$(<err)" 'reading from and writing to stdio'
    has_not "$(<err)" 'at EOF'
    has "$(<syslog)" '<29>.* N .*at EOF'
    unshare -m sh as_daemon.sh "$OURS" -lmuser -u OPEN:/nothing/here - <in >out 2>err
    has "$(<err)" ' E .*No such file'
    # who serves many is done with opening before the first of them comes
    serves() { # <program> <option>
        unshare -m sh as_daemon.sh "$1" -d -d -lm "TCP4-L:0,accept-timeout=0.05,$2" PIPE <in >out 2>err
        same '' "$(<err)"
        has "$(<syslog)" ' N .*listening on AF=2'
        has "$(<syslog)" ' W accept: '
    }
    serves "$REF_SOCAT" fork
    serves "$OURS" fork
    serves "$OURS" thread
}

@test "exit status" {
    while read -r expected arguments; do
        eval "run ours $arguments" </dev/null
        echo "# $arguments: $status $output"
        same "$expected" "$status"
    done <<'ROWS'
0 - PIPE
0 -T 0.1 PIPE PIPE
0 /dev/null /dev/null
0 -u EXEC:true -
0 TCP4-LISTEN:0,accept-timeout=0.05 -
0 -V
0 -h
0 -hhh
0 '-???'
1 - nosuch:x
1 - EXEC:/nothing
1 -u EXEC:false -
1 -u SYSTEM:'exit 77' -
1 - TCP4:127.0.0.1:1
1 - UNIX:nothing
1 -u OPEN:nothing -
1 - TCP4:127.0.0.1:http.x
1 - TCP4:no.such.host.invalid:1
1 - TCP4-LISTEN:99999x
1 - PIPE,nosuch
1 - PIPE,user=nosuchuser
1 - -,crnl=x
ROWS
}

@test "signals: the status, and what -S makes of it" {
    mkfifo hold
    while read -r name switches expected text; do
        start run "$OURS" -d -d "$switches" - PIPE <>hold
        wait_for 5 file_has run.err 'starting data transfer loop'
        kill -s "$name" "$pid"
        echo "# $name $switches"
        finish run "$expected"
        if [ -n "$text" ]; then
            has "$(<run.err)" " $text exiting on signal $((expected - 128))\$"
        else
            has_not "$(<run.err)" 'exiting on signal'
        fi
    done <<'ROWS'
TERM -S0x89de 143 W
TERM -S0 143
INT -S4 130 N
TERM -S4 143
HUP -S2 129 N
QUIT -S0xffff 131 E
ILL -ls 132 E
ABRT -ls 134 E
FPE -ls 136 E
USR2 -ls 140
USR2 -S0x1000 140 E
ALRM -S0x4000 142 E
ROWS
}

@test "end of file is told once for each side" {
    ours -d -d -t 5 - PIPE <in >out 2>log
    same 1 "$(grep -c 'socket 1 (fd [0-9]*) is at EOF' log)"
    same 1 "$(grep -c 'socket 2 (fd [0-9]*) is at EOF' log)"
    ours -d -d -u - CREATE:out <in 2>log
    same 1 "$(grep -c 'is at EOF' log)"
    start_peer peer 'send:x\n' line shut
    ours -d -d -t 5 - "TCP4:127.0.0.1:$port" <in >out 2>log
    same 1 "$(grep -c 'socket 1 (fd [0-9]*) is at EOF' log)"
    same 1 "$(grep -c 'socket 2 (fd [0-9]*) is at EOF' log)"
    finish peer
}

@test "no line at the default level without a cause" {
    each silent <<'ROWS'
- PIPE
- EXEC:cat
- SYSTEM:cat
-u - CREATE:out
-u OPEN:in -
- 'PIPE:fifo'
- -
'stdin!!stdout' PIPE
stdout%stdin PIPE
-u stdin stdout
-u TEXT:x -
- SOCKETPAIR
- SHELL:cat
-T 0.1 - EXEC:cat,pty
-T 0.1 PTY,link=tty -
-T 0.1 - STALL
- UDP4-SENDTO:127.0.0.1:9
-T 0.1 - UDP4-DATAGRAM:127.0.0.1:9
-T 0.1 -u UDP4-RECV:0 -
-T 0.1 -u UNIX-RECV:s -
-u EXEC:'echo x' -
-u - SYSTEM:'cat >/dev/null'
- EXEC:cat,pipes
'OPEN:in!!-' EXEC:cat
ROWS
}
silent() {
    ours -t 0.5 "$@" <in >/dev/null 2>log
    same '' "$(<log)"
}

@test "servers and their clients are as silent" {
    for name in TCP4 UNIX ABSTRACT; do
        [ "$name" != TCP4 ] || where=127.0.0.1:$(free_port)
        [ "$name" = TCP4 ] || where=$T/socket
        start server "$OURS" -t 10 "$name-LISTEN:${where#*:},fork" EXEC:cat </dev/null
        for _ in 1 2 3; do
            same hello "$(ours -t 5 - "$name:$where,retry=200,interval=0.05" <in 2>client.log)"
            same '' "$(<client.log)"
        done
        same '' "$(<server.err)"
        kill "$(<server.pid)"
        finish server 143
    done
}

@test "overlong arguments end with an error, not a crash" {
    for n in 256 1000 5000 100000; do
        word=$(head -c $n /dev/zero | tr '\0' a)
        while read -r address; do
            status=0
            ours -T 0.1 - "${address//@/$word}" </dev/null >/dev/null 2>log || status=$?
            [ "$status" = 1 ] || {
                echo "$n $address: $status"
                return 1
            }
            has "$(<log)" ' E '
        done <<'ROWS'
@
@:1
TCP:@:1
TCP4:127.0.0.1:@
TCP4:[@]:1
UNIX-CONNECT:@
OPEN:@
EXEC:@
PIPE,@
PIPE,@=1
PIPE,user=@
TCP4-LISTEN:0,bind=@
TCP4-LISTEN:0,range=@
SOCKS4:@:b:1
SOCKS4A:127.0.0.1:b:1,socksport=@
PROXY:@:b:1
OPENSSL:@:1
SOCKET-CONNECT:2:6:@
INTERFACE:@
TUN:@
((@
"@
ROWS
    done
}

@test "deeply nested" {
    for n in 10 60; do
        open=$(head -c $n /dev/zero | tr '\0' '(')
        close=$(head -c $n /dev/zero | tr '\0' ')')
        same "$open$close" "$(ours -u "TEXT:$open$close" -)"
        same "$open" "$(ours -u "TEXT:$open" -)" # open, they go on to the end
    done
    open=$(head -c 5000 /dev/zero | tr '\0' '(')
    run ours -u "TEXT:$open" -
    same 1 "$status"
    has "$output" ' E '
}

@test "raw dumps: names with variables, appended, one for each connection" {
    ours -t 5 -r left -R right - 'SYSTEM:tr a-z A-Z' <in >out
    same hello "$(<left)"
    same HELLO "$(<right)"
    ours -t 5 -r left -R right - 'SYSTEM:tr a-z A-Z' <in >out
    same 2 "$(wc -l <left | tr -d ' ')"
    FOO=bar ours -r 'x-$PROGNAME-$FOO-${FOO}-\$-$NONE.' - PIPE <in >out
    [ -e 'x-socat-bar-bar-$-.' ] || {
        ls
        return 1
    }
    ours -lpme -r '$PROGNAME.$$' - PIPE <in >out
    ls | grep -q '^me\.[0-9][0-9]*$'
    ours -r '$TIMESTAMP.$MICROS' - PIPE <in >out
    ls | grep -q '^[0-9]\{8\}T[0-9]\{6\}\.[0-9]\{6\}$'
    start server "$OURS" -d -d -r 'from-$SOCAT_PEERADDR-$SOCAT_PEERPORT' \
        TCP4-LISTEN:0,bind=127.0.0.1,fork PIPE </dev/null
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=2 .*:\([0-9]*\)$/\1/p' server.err | head -n 1)
    local_port=$(free_port)
    same hello "$(ours -t 5 - "TCP4:127.0.0.1:$port,sourceport=$local_port" <in)"
    wait_for 5 test -s "from-127.0.0.1-$local_port"
    same hello "$(<"from-127.0.0.1-$local_port")"
    run ours -r /nothing/here - PIPE <in
    same 1 "$status"
    has "$output" ' E '
}

@test "statistics" {
    ours --statistics -t 5 - 'SYSTEM:cat; echo more' <in >out 2>log
    same 2 "$(grep -c STATISTICS log)"
    has "$(<log)" ' I STATISTICS: left to right: 1 packets(s), 6 byte(s)$'
    has "$(<log)" ' I STATISTICS: right to left: [12] packets(s), 11 byte(s)$'
    ours --statistics -u - CREATE:out <in 2>log
    same 2 "$(grep -c STATISTICS log)"
    has "$(<log)" 'left to right: 1 packets(s), 6 byte(s)$'
    has "$(<log)" 'right to left: 0 packets(s), 0 byte(s)$'
    mkfifo hold
    start run "$OURS" -d0 - PIPE <>hold
    echo hello >hold
    wait_for 5 file_has run.out hello
    kill -USR1 "$pid"
    wait_for 5 file_has run.err 'right to left: 1 packets(s), 6 byte(s)'
    kill -USR1 "$pid"
    four() { [ "$(grep -c STATISTICS run.err)" = 4 ]; }
    wait_for 5 four
    kill -TERM "$pid"
    finish run 143
    # a parent that listens has none yet
    start_listener server TCP4-LISTEN:0,bind=127.0.0.1,fork PIPE
    kill -USR1 "$pid"
    wait_for 5 file_has server.err ' W .*tatistics'
    kill -0 "$pid"
}

@test "statistics: with thread, of all connections, those that have ended and those that go on" {
    for second in PIPE SYSTEM:cat; do # in a hub, in a thread of its own
        start_listener server --statistics TCP4-LISTEN:0,bind=127.0.0.1,thread "$second"
        same hello "$(ours -t 5 - "TCP4:127.0.0.1:$port" <in)"
        mkfifo hold
        exec 7<>hold
        start client "$OURS" - "TCP4:127.0.0.1:$port" <hold 7>&-
        echo hello, too >&7
        wait_for 5 file_has client.out too
        kill -USR1 "$(<server.pid)"
        wait_for 5 file_has server.err ' I STATISTICS: left to right: 2 packets, 17 bytes in [0-9.]* s, [0-9.]* [KMi]*B/s$'
        wait_for 5 file_has server.err ' I STATISTICS: right to left: 2 packets, 17 bytes in '
        exec 7>&-
        kill "$(<server.pid)"
        finish server 143
        same 2 "$(grep -c 'left to right: 2 packets, 17 bytes in' server.err)"
        same 4 "$(grep -c STATISTICS server.err)"
        finish client
        rm hold
    done
}

@test "locks" {
    mkfifo hold
    for switch in -L -W; do
        start run "$OURS" -d -d $switch lock - PIPE <>hold
        wait_for 5 test -s lock
        same "$(<run.pid)" "$(<lock)"
        run timeout 5 "$OURS" -L lock - PIPE </dev/null
        same 1 "$status"
        has "$output" ' E could not obtain lock "lock"'
        for name in TERM; do
            kill -s $name "$(<run.pid)"
            finish run 143
            [ ! -e lock ]
        done
    done
    run ours -L /nothing/here - PIPE </dev/null
    same 1 "$status"
    # an error removes it, too
    run ours -L lock - OPEN:/nothing/here </dev/null
    same 1 "$status"
    [ ! -e lock ]
}

@test "numbers and bytes of options" {
    while read -r text address; do
        run ours - "$address" </dev/null
        echo "# $address: $output"
        same 1 "$status"
        has "$output" " E .*$text"
    done <<'ROWS'
trailing PIPE,readbytes=12x
missing PIPE,readbytes=
missing PIPE,readbytes=x
trailing PIPE,readbytes=1e1
trailing PIPE,readbytes=1k
. OPEN:x,mode=8
. OPEN:x,mode=0x1
. OPEN:x,umask=u+r
no.such.user OPEN:/dev/null,user=nosuchuser
problem SOCKET-CONNECT:2:6:xabc
problem SOCKET-CONNECT:2:6:q1
problem TCP4:127.0.0.1:1,setsockopt-bin=1:2:x1
problem TCP4:127.0.0.1:1,setsockopt=1:2:x123
. TCP4:127.0.0.1:1,setsockopt=1:2
. TCP4:127.0.0.1:1,setsockopt-int=1
. TCP4-LISTEN:0,accept-timeout=1s
. TCP4-LISTEN:0,retry=x
. TCP4-LISTEN:0,max-children=x
ROWS
}

@test "a raw dump that nobody reads does not hold up a signal" {
    mkfifo fifo
    for size in 1 1000000; do # nobody opens it; nobody empties it
        [ "$size" = 1 ] || exec 9<>fifo
        head -c "$size" /dev/zero >in
        start run "$OURS" -d -d -r fifo -u OPEN:in,ignoreeof CREATE:out </dev/null
        if [ "$size" = 1 ]; then
            wait_for 5 grep -q ") S " "/proc/$pid/stat"
        else
            wait_for 5 file_has run.err 'starting data transfer'
            wait_for 5 fifo_is_full
        fi
        kill -TERM "$pid"
        finish run 143
    done
    exec 9<&-
}
# Takes nothing out: what FIONREAD says of it.
fifo_is_full() { python3 -c 'import fcntl,struct,sys; sys.exit(struct.unpack("i", fcntl.ioctl(9, 0x541B, b"1234"))[0] < 65536)'; }

@test "a raw dump into a socket is an error, not something to wait for" {
    start server "$OURS" -d -d UNIX-LISTEN:sock PIPE </dev/null
    wait_for 5 file_has server.err 'listening on'
    run timeout 10 "$OURS" -r sock -u OPEN:/dev/null -
    same 1 "$status"
    has "$output" 'raw dump .*No such device or address'
    kill "$(<server.pid)"
    finish server 143
}
