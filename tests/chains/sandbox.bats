#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --sandbox: every class of line does the same confined as it does otherwise, and really is confined.
# What a confined process can do at all is in tests/unit/test_sandbox.c.
bats_require_minimum_version 1.5.0
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    case ${CATENA_SANITIZE:-} in
    *address*) export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 ;; # its search starts a process
    *thread*) skip "the sanitizer itself needs more than relaying does" ;;
    esac
    needs_sandbox
    certs=$BATS_FILE_TMPDIR/certs
    seq 20000 >data
}

boxed() { catena --sandbox "$@"; }

# is_confined <pid>: every thread of it
is_confined() {
    local task
    for task in "/proc/$1/task"/*; do
        grep -q '^Seccomp:[^0-9]*2$' "$task/status" && grep -q '^NoNewPrivs:[^0-9]*1$' "$task/status" ||
            return 1
    done
}

# same_boxed <catena arguments...>: with data as input, the same comes out with and without.
same_boxed() {
    local plain=0 status=0
    catena "$@" <data >plain.out || plain=$?
    boxed "$@" <data >boxed.out 2>boxed.err || status=$?
    cat boxed.err
    same "$plain" "$status"
    same_files plain.out boxed.out
}

@test "a process under --sandbox shows as confined, with all its threads" {
    mkfifo in
    start box "$CATENA_BIN" --sandbox -d -d - '^gzip|gzip|pipe' <>in
    wait_for 10 file_has box.err 'confined: no more'
    is_confined "$pid"
    (($(threads_of "$pid") > 1))
    kill "$pid"
    finish box 143
    start free "$CATENA_BIN" -d -d - pipe <>in
    wait_for 10 file_has free.err 'starting data transfer'
    run ! is_confined "$pid"
}

@test "the threads of gzip, which start when there is much to do" {
    seq 300000 >data
    same_boxed -u - 'gzip,threads=2|^gzip|stdout'
    same_boxed - 'gzip,threads=2|pipe'
}

@test "files, pipes, codecs, one-way, dumps" {
    same_boxed - pipe
    same_boxed -u - stdout
    same_boxed -b 100 - pipe
    same_boxed - 'gzip|pipe'
    same_boxed - '^gzip|gzip|pipe'
    same_boxed - 'gzip%nop|nop|pipe'
    same_boxed -u - 'gzip|^gzip|stdout'
    same_boxed -U stdout -
    same_boxed open:data!!stdout pipe
    same_boxed -u open:data,seek=1000 stdout
    same_boxed -t 1 - socketpair
    same_boxed -t 0.5 - pipe,readbytes=10
    same_boxed -u -,crnl stdout
    for switch in -v -x; do
        boxed "$switch" - pipe <data >boxed.out 2>dump
        catena "$switch" - pipe <data >plain.out 2>plain.dump
        same_files boxed.out plain.out
        same "$(grep -vc '^[<>]' plain.dump)" "$(grep -vc '^[<>]' dump)"
    done
    boxed -r raw.right -R raw.left - pipe <data >out
    same_files data raw.right
    same_files data raw.left
}

@test "a file that is written, a full disk, a broken pipe" {
    boxed -u - create:new <data
    same_files data new
    run -1 boxed -u - open:/dev/full <data
    has "$output" 'no space left'
    run ! bash -o pipefail -c '"$1" --sandbox -u "open:/dev/zero" stdout | head -c 10 >/dev/null' - "$CATENA_BIN"
}

@test "programs: their ends, statuses and signals" {
    same_boxed - exec:cat
    same_boxed - 'system:"tr 0-9 a-j"'
    same_boxed - 'shell:cat'
    same_boxed - exec:cat,pipes
    same_boxed - 'exec:"head -n 20000",pty,rawer' # it ends by itself: a pty has no half close
    same_boxed -u - 'exec:wc'
    same_boxed -U - 'exec:"seq 100"'
    same_boxed - "exec:'sh -c \"exit 3\"'"
    same_boxed - "exec:'sh $top/tests/tools/relay.sh'|pipe"
    # one that does not end by itself is told to: that signal is permitted
    SECONDS=0
    boxed -t 0.1 - 'exec:"sleep 1000"' </dev/null
    assert_nothing_left
    mkfifo in
    cat >hup.sh <<'SH'
trap 'echo got; kill $!; exit 0' HUP
tail -f /dev/null &
echo ready
wait
SH
    start box "$CATENA_BIN" --sandbox -d -d - "exec:'sh hup.sh',sighup" <>in
    wait_for 10 file_has box.out ready
    kill -HUP "$pid"
    finish box
    has "$(<box.out)" got
    assert_nothing_left
}

@test "TCP, both ends, and a forking listener whose children are confined" {
    start_listener server --sandbox tcp-listen:0,bind=127.0.0.1,fork,reuseaddr pipe
    parent=$pid
    for i in 1 2 3; do
        boxed - "tcp:127.0.0.1:$port" <data >out
        same_files data out
    done
    mkfifo in
    start client "$CATENA_BIN" --sandbox - "tcp:127.0.0.1:$port" <>in
    echo hello >in
    wait_for 10 file_has client.out hello
    child=$(pgrep -P "$parent" | head -n 1)
    is_confined "$child"
    run ! is_confined "$parent"
    kill "$(<client.pid)"
    finish client 143
    boxed - "tcp:127.0.0.1:$port" <data >out # the listener still accepts
    same_files data out
    kill "$parent"
    finish server 143
    assert_nothing_left
}

@test "programs and name look-ups for each connection of a forking listener" {
    start_listener echo tcp-listen:0,bind=127.0.0.1,fork pipe
    start_listener server --sandbox tcp-listen:0,bind=127.0.0.1,fork "tcp:localhost:$port"
    same hello "$(boxed - "tcp:127.0.0.1:$port" <<<hello)"
    same again "$(boxed - "tcp:127.0.0.1:$port" <<<again)"
    start_listener programs --sandbox tcp-listen:0,bind=127.0.0.1,fork 'exec:"tr a-z A-Z"'
    same HELLO "$(boxed - "tcp:127.0.0.1:$port" <<<hello)"
    same AGAIN "$(boxed - "tcp:127.0.0.1:$port" <<<again)"
}

@test "UDP and UNIX sockets, which are removed" {
    start receiver "$CATENA_BIN" --sandbox -d -d -u -T 5 udp-recv:0,bind=127.0.0.1 stdout </dev/null
    wait_for 10 file_has receiver.err 'confined'
    local at
    at=$(ss -Hlunp "sport != :0" | sed -n "s/.*127\.0\.0\.1:\([0-9]*\) .*pid=$pid,.*/\1/p")
    echo packet | boxed -u - "udp-sendto:127.0.0.1:$at"
    wait_for 10 file_has receiver.out packet
    kill "$pid"
    start server "$CATENA_BIN" --sandbox -d -d unix-listen:sock pipe </dev/null
    wait_for 10 file_has server.err 'listening on'
    same hello "$(boxed - unix:sock <<<hello)"
    finish server
    [ ! -e sock ]
    start server "$CATENA_BIN" --sandbox -d -d -u unix-recv:dsock stdout </dev/null
    wait_for 10 file_has server.err confined
    echo dgram | boxed -u - unix-sendto:dsock
    wait_for 10 file_has server.out dgram
    kill "$(<server.pid)"
    finish server 143
    [ ! -e dsock ]
    local name=catena-$$-$RANDOM
    start server "$CATENA_BIN" --sandbox -d -d -u "abstract-recv:$name" stdout </dev/null
    wait_for 10 file_has server.err confined
    echo dgram | boxed -u - "abstract-sendto:$name"
    wait_for 10 file_has server.out dgram
}

@test "TLS, alone and in chains, with certificates looked up" {
    start_listener server --sandbox tcp-listen:0,bind=127.0.0.1,fork "^openssl-server,cert=$certs/server.pem,verify=0|pipe"
    boxed - "openssl:localhost:$port,cafile=$certs/ca.crt" <data >out
    same_files data out
    boxed - "gzip|^gzip|openssl,cafile=$certs/ca.crt|tcp:localhost:$port" <data >out
    same_files data out
    mkdir ca
    cp "$certs/ca.crt" ca/ca.pem
    openssl rehash ca
    boxed - "openssl:localhost:$port,capath=ca" <data >out
    same_files data out
    run -1 boxed - "openssl:localhost:$port,cafile=$certs/self.crt" </dev/null
    start_listener server2 --sandbox "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,verify=0" exec:cat
    boxed - "openssl:localhost:$port,cafile=$certs/ca.crt" <data >out
    same_files data out
}

@test "through socks and HTTP proxies" {
    start_listener target --sandbox tcp-listen:0,bind=127.0.0.1,fork pipe
    target=$port
    start_peer proxy line line "send:HTTP/1.0 200 OK\r\n\r\nhello" shut eof
    same hello "$(boxed - "proxy:a:1|tcp:127.0.0.1:$port" </dev/null)"
    socks=$(free_port)
    start micro microsocks -i 127.0.0.1 -p "$socks" </dev/null
    wait_for 5 port_listens "$socks"
    mkfifo in # most proxies close both directions when one ends: so it stays open
    start client "$CATENA_BIN" --sandbox - "socks5:127.0.0.1:$target|tcp:127.0.0.1:$socks" <>in
    echo hello >in
    wait_for 10 file_has client.out hello
    kill "$pid"
    finish client 143
}

@test "terminals: a PTY with a link, its removal; settings put back" {
    start box "$CATENA_BIN" --sandbox -d -d pty,link=tty,rawer,pty-wait-slave exec:cat </dev/null
    wait_for 10 test -e tty
    mkfifo in
    start user "$CATENA_BIN" - open:tty,rawer <>in
    echo hello >in
    wait_for 10 file_has user.out hello
    kill "$pid"
    finish user 143
    wait_for 10 is_gone "$(<box.pid)"
    [ ! -e tty ]
    cat >run.sh <<'SH'
stty -g >before
"$CATENA_BIN" --sandbox -,raw,echo=0 system:'echo hello'
echo $? >status
stty -g >after
SH
    catena -t 5 /dev/null "exec:'sh run.sh',pty,setsid,ctty" || :
    wait_for 10 test -s after
    same 0 "$(<status)"
    same "$(<before)" "$(<after)"
}

@test "READLINE" {
    cat >run.sh <<'SH'
"$CATENA_BIN" --sandbox -d -d -lf log readline 'system:cat >got'
echo $? >status
SH
    mkfifo keys
    exec 8<>keys
    INPUTRC=/dev/null TERM=xterm start term "$CATENA_BIN" -t 5 - \
        "exec:'sh run.sh',pty,setsid,ctty,stderr" <keys
    wait_for 10 file_has log confined
    printf 'wrld\001h\005\010\010\010orld\r\t\t' >&8 # completing opens directories: not now
    wait_for 10 file_has got .
    printf '\025\004' >&8
    wait_for 10 test -s status
    same 0 "$(<status)"
    same hworld "$(head -n 1 got)"
}

@test "locks, logs, statistics, SIGUSR1, SIGTERM, timeouts" {
    mkfifo in
    start box "$CATENA_BIN" --sandbox -L lock -lf log -d -d -d --statistics - pipe <>in
    wait_for 10 file_has log confined
    [ -e lock ]
    echo hello >in
    wait_for 10 file_has box.out hello
    kill -USR1 "$pid"
    wait_for 10 file_has log 'left to right: 1 packet, 6 bytes in '
    kill "$pid"
    finish box 143
    has "$(<log)" 'exiting on signal 15'
    [ ! -e lock ]
    same_boxed -T 0.2 - socketpair
    start box "$CATENA_BIN" --sandbox -ly -d -d - pipe <>in # there may be no daemon
    echo hello >in
    wait_for 10 file_has box.out hello
    kill "$pid"
    finish box 143
}

@test "message queues, removed at the end" {
    local name=/catena-$$-$RANDOM
    catena -u /dev/null "posixmq-send:$name,unlink-close" || skip "no message queues here"
    start box "$CATENA_BIN" --sandbox -d -d -u "posixmq-read:$name,unlink-close" stdout </dev/null
    wait_for 10 file_has box.err confined
    echo message | boxed -u - "posixmq-send:$name,unlink-close=0"
    wait_for 10 file_has box.out message
    kill "$pid"
    finish box 143
    run -1 catena -u "posixmq-read:$name,o-creat=0" stdout
    has "$output" 'no such file'
}

@test "what needs more is refused, with the way out" {
    run -1 boxed tcp-listen:0,bind=127.0.0.1,thread pipe
    has "$output" 'option "thread" does not go with --sandbox.*use "fork"'
    has "$output" '^ *\^~'
    run -1 boxed - exec:cat,nofork
    has "$output" 'option "nofork" does not go with --sandbox.*leave out'
    run -1 boxed readline,history-file=h pipe
    has "$output" 'option "history-file" does not go with --sandbox.*leave it out'
    run -1 boxed -u udp-recv:0,tcpwrap=x stdout
    has "$output" 'option "tcpwrappers" does not go with --sandbox.*use "range"'
    run -0 boxed -n -u udp-recvfrom:0,fork,tcpwrap=x stdout
    run -0 boxed -n -u udp-recv:0,range=127.0.0.0/8 stdout
    run -0 boxed -n tcp-listen:0,fork,tcpwrap=x pipe
    run -0 boxed -n tcp-listen:0,fork exec:cat
    has "$output" '3. (--sandbox'
    run -0 boxed -n - 'tcp:localhost:1,retry=3'
    run -0 boxed -n tcp-listen:0,thread=0 pipe
}

@test "retries and name look-ups come before" {
    at=$(free_port)
    start box "$CATENA_BIN" --sandbox -d -d - "tcp:localhost:$at,retry=100,interval=0.1" <data
    wait_for 10 file_has box.err 'refused'
    start echo "$CATENA_BIN" "tcp-listen:$at,bind=127.0.0.1" pipe </dev/null
    finish box
    same_files data box.out
}

@test "under the name socat, too" {
    same hello "$(socat_ours --sandbox - pipe <<<hello)"
    has "$(catena -hh)" '--sandbox'
}

@test "nothing a peer sent is looked at before: engines of a chain start confined" {
    printf '\037\213garbage, which is no gzip' >bad.gz
    SOCAT_TRANSFER_WAIT=0.3 run boxed -d -d -u 'gzip|open:bad.gz' 'gzip|create:out.gz'
    same 1 "$status"
    has "$output" ' E .*gzip'
    same confined "$(grep -o 'confined\|E first' <<<"$output" | head -n 1)"
}
