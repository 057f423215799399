#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TELNET and RFC2217, with their servers and with those of others: data, windows, breaks, serial lines. A pair
# of pseudo terminals stands for a line; its settings are looked at.
load ../helpers

# terminal <rows> <columns> <name>: a user at a terminal ./tty of that size; what he types goes to descriptor 9, what
# he sees is in <name>.out.
terminal() {
    mkfifo keys && exec 9<>keys
    start "$3" "$CATENA_BIN" - pty,rawer,link=tty <keys
    wait_for 5 test -e tty
    stty -F tty rows "$1" cols "$2"
}
# at_terminal <name> <command...>: it is the user's.
at_terminal() {
    start "$1" sh -c 'exec setsid -c "$@" <tty >tty' sh "${@:2}"
}
types() { printf "$1" >&9; }

# line_server <options>: a server of the line ./line, on $port.
line_server() {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^rfc2217-server|pty,link=line,rawer$1"
    server=$pid
}
# What the server has said, and nobody has read.
news_waits() { [ -n "$(ss -Htn "dport = :$port" | awk '$2 > 0')" ]; }
line_is() { [[ $(stty -F "${2:-line}" -a) == *"$1"* ]]; }

@test "data pass as they are, in both chains, planned or not" {
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 400 + b"\r\n\r\0\r\xff\xf0\xff\n" * 999)' >data
    for way in '' --unfused -cS -cp; do
        catena $way - 'telnet|^telnet-server|pipe' <data | cmp - data
        catena $way 'telnet|^telnet-server|-' exec:cat <data | cmp - data
        catena $way -u open:data "telnet|^telnet-server|system:'cat >out'"
        cmp data out
        catena $way -U create:out 'telnet|^telnet-server|exec:cat data'
        cmp data out
    done
    catena --unfused - 'rfc2217|^rfc2217-server|gzip|gunzip|pipe' <data | cmp - data
    # as text, every line end is one
    same "$(printf 'a\r\nb\r\nc\rd' | od -c)" "$(printf 'a\nb\r\nc\rd' | catena - 'telnet,binary=0|^telnet-server|pipe' | od -c)"
    # one-way use, and the other half of a session of its own
    run catena -n - 'telnet%telnet|pipe'
    same 1 "$status"
    assert_nothing_left
}

# bats test_tags=thread
@test "clients of a listener: a big transfer, a late answer, a stalled reader" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server|exec:'$PEER stdio duplex:4000000:2:4000000:1',pipes"
    first=$pid
    for n in 1 2; do
        start "client$n" "$CATENA_BIN" "exec:'$PEER stdio duplex:4000000:1:4000000:2',pipes" "telnet|tcp:127.0.0.1:$port" </dev/null
    done
    finish client1
    finish client2
    start_listener late tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server|system:'cat >/dev/null; $QUIET; echo late'"
    second=$pid
    same late "$(echo question | catena - "telnet|tcp:127.0.0.1:$port")"
    # ... and a program that has said all still hears
    start_listener hears tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server|system:'exec >&-; cat >heard',pipes"
    fourth=$pid
    (echo question; $QUIET; echo more) | catena - "telnet|tcp:127.0.0.1:$port"
    wait_for 5 file_has heard more
    end "$fourth"
    # who takes nothing holds up nobody but himself
    start_listener stalled tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server,wait=0|system:'yes & cat >got'"
    third=$pid
    mkfifo never && exec 8<>never
    (echo there; $QUIET; echo still) | "$CATENA_BIN" - "telnet|tcp:127.0.0.1:$port" >never 3>&- 8>&- &
    wait_for 5 file_has got still
    kill $!
    end "$first"
    end "$second"
    end "$third"
}

@test "a window's size follows the user's, through telnet and without, to programs of ours and of others" {
    printf 'trap "stty size >>$1" WINCH\nstty size >$1\nuntil read quit; do :; done\n' >size.sh
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server|exec:'sh size.sh 1',pty,setsid,ctty"
    server=$pid
    terminal 33 77 screen
    for client in "$CATENA_BIN|-,raw,echo=0|telnet:" "$CATENA_BIN|-cS|-,raw,echo=0|telnet:" inetutils-telnet; do
        IFS='|' read -ra words <<<"${client%:}"
        case $client in
        *:) words[-1]="telnet|tcp:127.0.0.1:$port" ;;
        *) words+=(127.0.0.1 "$port") ;;
        esac
        at_terminal client "${words[@]}"
        wait_for 5 sized '33 77'
        stty -F tty rows 20 cols 132
        wait_for 5 sized '20 132'
        types 'quit\r'
        finish client
        stty -F tty rows 33 cols 77
        rm 1
    done
    # without telnet: here the program is behind the same relay
    at_terminal local "$CATENA_BIN" -,raw,echo=0 "exec:'sh size.sh 1',pty,setsid,ctty"
    wait_for 5 sized '33 77'
    stty -F tty rows 21 cols 90
    wait_for 5 sized '21 90'
    types 'quit\r'
    finish local
    # the predecessor's terminals kept to themselves
    rm -f 1
    at_terminal v1 "$(socat_link)" -,raw,echo=0 "exec:'sh size.sh 1',pty,setsid,ctty"
    wait_for 5 sized '0 0'
    types 'quit\r'
    finish v1
    end "$server"
}
sized() { grep -qx "$1" 1; }

@test "a server of others: telnetd learns the window, the terminal and the user" {
    cat >login <<'EOF'
#!/bin/sh
# telnetd starts it when it knows the terminal, and asks for the window's size then
until [ "$(stty size)" != '0 0' ]; do sleep 0.02; done
stty size >size; echo "$TERM $FOO" >env
read quit
EOF
    chmod +x login
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork,oobinline "exec:'telnetd -E $T/login'"
    server=$pid
    terminal 33 77 screen
    TERM=vt220 at_terminal client "$CATENA_BIN" -,raw,echo=0 "telnet,env=FOO=bar|tcp:127.0.0.1:$port"
    wait_for 5 file_has size '33 77'
    wait_for 5 file_has env vt220
    types 'quit\r'
    finish client
    end "$server"
}

@test "what a client is: facts for what is opened behind, and nobody waits for long" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server|system:'echo \$SOCAT_TERM \$SOCAT_USER'"
    server=$pid
    same 'foo-7 joe' "$(TERM=FOO-7 catena -u "telnet,env=USER=joe,term=Foo-7|tcp:127.0.0.1:$port" - </dev/null)"
    same '' "$(nc -N 127.0.0.1 "$port" </dev/null | tr -cd 'a-z')"
    # who only says no: lines end as everywhere
    start_listener nvt tcp-listen:0,bind=127.0.0.1,reuseaddr,fork '^telnet-server,echo=0,binary=0|exec:cat'
    nvt=$pid
    has "$( (echo hello; $BRIEFLY) | ncat -t 127.0.0.1 "$port" | tr -d '\0-\11\13-\37')" 'hello$'
    start_peer refuses 'recv:9' 'send:\xff\xfc\x00\xff\xfe\x00\xff\xfc\x03caf\xe9\r\n' line shut eof
    start client "$CATENA_BIN" - "recode:utf-8:iso-8859-1|telnet,charset=iso-8859-1|tcp:127.0.0.1:$port" < <(
        wait_for 5 file_has client.out café
        echo grün
    )
    finish client 0
    finish refuses 0
    has "$(<refuses.out)" "gr.n"
    end "$server"
    end "$nvt"
}

@test "a break comes through, as what the program's terminal says that it is" {
    printf 'trap "echo break; exit" INT\necho ready\nwhile :; do sleep 0.02; done\n' >int.sh
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^telnet-server,wait=0,binary=0|exec:'sh int.sh',pty,setsid,ctty,brkint"
    server=$pid
    start client "$PEER" connect "$port" line 'send:\xff\xf3' save:got </dev/null
    finish client
    has "$(tr -d '\r\0' <got)" break
    # ... a user's interrupt is a key
    start_listener keys tcp-listen:0,bind=127.0.0.1,reuseaddr "^telnet-server,wait=0,binary=0|exec:'sh int.sh',pty,setsid,ctty"
    start key "$PEER" connect "$port" line 'send:\xff\xf4\xff\xf2' save:key </dev/null
    finish key
    has "$(tr -d '\r\0' <key)" break
    end "$server"
}

@test "pyserial sets a line of ours, and is told what it has" {
    line_server
    start client /usr/bin/python3 - "$port" 2>&1 <<'END'
import serial, sys, time, os
s = serial.serial_for_url('rfc2217://127.0.0.1:' + sys.argv[1], baudrate=19200, stopbits=2, timeout=5)
line = os.open('line', os.O_RDWR | os.O_NOCTTY)
def stty(): return os.popen('stty -F line -a').read()
assert 'speed 19200' in stty() and ' cstopb' in stty(), stty()
s.baudrate = 115200
s.rtscts = True
assert 'speed 115200' in stty() and ' crtscts' in stty(), stty()
s.write(b'\xff\x00\r\nabc\xff')
got = b''
while len(got) < 8: got += os.read(line, 100)
assert got == b'\xff\x00\r\nabc\xff', got
os.write(line, b'xy\xff\xff\r\n\0z')
assert s.read(8) == b'xy\xff\xff\r\n\0z'
s.dtr = False
s.rts = False
assert s.cts and s.dsr and s.cd and not s.ri
s.send_break(0.05)
assert os.read(line, 9) == b'\0'
s.reset_input_buffer()
s.reset_output_buffer()
try:
    s.parity = 'E' # no pseudo terminal has that
    sys.exit('parity?')
except ValueError: pass
s.close()
print('well')
END
    finish client
    has "$(<client.out)" well
    end "$server"
}

@test "a line far away: settings follow a program's, both ways, through what joins engines" {
    line_server
    for way in '' '--unfused' '-T 60'; do
        start near "$CATENA_BIN" $way pty,link=near,rawer,track-line "ws|^ws-server|gzip|gunzip|rfc2217|tcp:127.0.0.1:$port"
        wait_for 20 test -e near
        wait_for 20 line_is 'speed 38400'
        stty -F near 57600 cstopb crtscts
        wait_for 20 line_is 'speed 57600'
        wait_for 20 line_is ' cstopb'
        stty -F near 1200 -cstopb -crtscts ixon
        wait_for 20 line_is 'speed 1200'
        wait_for 20 line_is ' ixon'
        (timeout 5 head -c 4 <line >got) &
        printf 'hi\377\r' >near
        wait $!
        same "$(printf 'hi\377\r' | od -c)" "$(od -c <got)"
        kill "$(<near.pid)"
        finish near 143
    done
    end "$server"
}

@test "what is set here while news of the line far away is on its way holds at both ends" {
    line_server ,track-line
    start near "$CATENA_BIN" pty,link=near,rawer,track-line "rfc2217|tcp:127.0.0.1:$port"
    wait_for 20 test -e near
    wait_for 20 line_is 'speed 38400'
    for round in 1 2 3; do
        stty -F near 9600 -crtscts -ixon
        wait_for 20 line_is ' -crtscts'
        wait_for 20 line_is 'speed 9600'
        kill -STOP "$(<near.pid)"
        stty -F near 1200 ixon
        stty -F line crtscts
        wait_for 20 news_waits
        kill -CONT "$(<near.pid)"
        wait_for 20 line_is 'speed 1200'
        wait_for 20 line_is ' ixon'
        wait_for 20 line_is ' ixon' near
    done
    kill "$(<near.pid)"
    finish near 143
    end "$server"
}

@test "what a line far away cannot, the program sees" {
    line_server
    start near "$CATENA_BIN" pty,link=near,rawer "rfc2217,baud=9600,parity=even|tcp:127.0.0.1:$port"
    wait_for 20 file_has near.err 'does not set 3, the line has 1'
    kill "$(<near.pid)"
    # -c joins by descriptors, and says so
    run catena -n -cS pty,track-line 'gzip|rfc2217|tcp:localhost:1'
    has "$output" ' W .*does not come through what joins them'
    run catena -n pty,track-line 'gzip|rfc2217|tcp:localhost:1'
    has_not "$output" ' W '
    end "$server"
}

@test "ser2net's line is set, and knows who asks" {
    start wire "$CATENA_BIN" pty,link=far,rawer pty,link=line,rawer
    wait_for 5 test -e far
    wait_for 5 test -e line
    port=$(free_port)
    printf 'connection: &con\n  accepter: telnet(rfc2217),tcp,127.0.0.1,%s\n  connector: serialdev,%s/line,9600n81,local\n' "$port" "$T" >conf.yaml
    start far ser2net -n -c conf.yaml </dev/null
    wait_for 5 port_listens "$port"
    start near "$CATENA_BIN" -d -d pty,link=near,rawer,track-line "rfc2217,signature=me|tcp:127.0.0.1:$port"
    wait_for 5 file_has near.err 'the server is "ser2net'
    stty -F near 57600
    wait_for 5 line_is 'speed 57600'
    (timeout 5 head -c 4 <far >got) &
    printf 'hi\377\r' >near
    wait $!
    same "$(printf 'hi\377\r' | od -c)" "$(od -c <got)"
}

# A pseudo terminal with the lines of a modem.
@test "a serial device: DTR and RTS, breaks, and what the modem says" {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "a preloaded library and a sanitizer's own do not get on"
    start wire "$CATENA_BIN" pty,link=far,rawer pty,link=line,rawer
    wait_for 5 test -e far
    wait_for 5 test -e line
    echo 0x026 >lines # DTR, RTS, CTS
    export SERIAL_LINES=$T/lines SERIAL_LOG=$T/log
    LD_PRELOAD=$CATENA_TOOLS/serial.so start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr '^rfc2217-server|open:line,rawer'
    start client /usr/bin/python3 - "$port" 2>&1 <<'END'
import serial, sys, time, os
def until(what):
    end = time.time() + 5
    while not what():
        assert time.time() < end
        time.sleep(0.02)
s = serial.serial_for_url('rfc2217://127.0.0.1:' + sys.argv[1], timeout=5)
assert s.cts and not s.dsr and not s.cd
s.dtr = False
s.rts = False
s.break_condition = True
s.break_condition = False
s.break_condition = True
open('lines', 'w').write('0x140\n') # DSR and carrier come
until(lambda: s.dsr and s.cd)
s.baudrate = 300
assert 'speed 300 ' in os.popen('stty -F line -a').read()
s.close()
print('well')
END
    finish client
    has "$(<client.out)" well
    finish server
    same 'DTR off,RTS off,break on,break off,break on,break off' "$(paste -sd, log)" # it does not stay so
}

@test "mistakes, and peers that do not know telnet" {
    run catena -n - 'rfc2217,parity=strange|tcp:localhost:1'
    same 1 "$status"
    has "$output" 'parity "strange" is none of none, odd, even, mark, space'
    run catena -n - 'rfc2217,size=9|tcp:localhost:1'
    has "$output" 'size "9" is no number from 5 to 8'
    run catena -n - 'telnet,env=FOO|tcp:localhost:1'
    has "$output" 'env "FOO" is not <name>=<value>'
    start_peer no 'recv:3' 'send:\xff\xfe\x2c' eof
    run catena - "rfc2217|tcp:127.0.0.1:$port" < <($QUIET)
    same 1 "$status"
    has "$output" ' E .*rfc2217.*the server does not do RFC 2217'
    # nor is there one who says nothing of it, and goes
    start_peer silent 'recv:3' 'send:hi' shut sum
    run catena - "rfc2217|tcp:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" ' E .*rfc2217.*without a word about RFC 2217'
    start_peer cut 'recv:3' 'send:abc\xff\xfa\x18\x01' shut sum
    run catena - "telnet|tcp:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" 'abc'
    has "$output" ' E .*the stream ends within a telnet command'
    # what a peer says is escaped
    start_peer lies 'recv:3' 'send:\xff\xfd\x2c\xff\xfa\x2c\x64\x1b[31mred\x00\x07\xff\xf0text' shut 'sum'
    run catena -d -d - "rfc2217|tcp:127.0.0.1:$port" </dev/null
    same 0 "$status"
    has "$output" text
    lacks '\x1b' <(echo "$output")
}
