#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What messages say: people's words under our own name, v1's under the name socat; whom they are
# about; how each connection ended; and that only what can get better is tried again.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

# --- words ---------------------------------------------------------------------------------------

# says <sentence> <v1's line> <arguments...>: under our name, the sentence and nothing of C, then its code, with
# -d -d the call between them in brackets; under the name socat v1's line at once behind the level.
says() {
    local sentence=$1 line=$2
    shift 2
    run catena "$@" </dev/null
    same 1 "$status"
    has "$output" " E .*\"[a-z-]*\": $sentence \[E-[A-Z-]*\]\$"
    run catena -d -d "$@" </dev/null
    has "$output" " E .*\"[a-z-]*\": $sentence \[$line\] \[E-[A-Z-]*\]\$"
    run socat_ours "$@" </dev/null
    same 1 "$status"
    has "$output" " E $line\$"
}

@test "failures to open, in people's words and in v1's" {
    port=$(free_port)
    start_peer taken recv:eof
    taken=$port
    port=$(free_port)
    mkdir directory
    : >file
    each says <<'ROWS'
"cannot connect to 127.0.0.1:$port: connection refused" "connect([0-9]*, AF=2 127.0.0.1:$port, 16): Connection refused" - tcp:127.0.0.1:$port
"cannot connect to 127.0.0.1:$port: connection refused" "connect([0-9]*, AF=2 127.0.0.1:$port, 16): Connection refused" - proxy:127.0.0.1:h:80,proxyport=$port
"cannot connect to \"gone\": no such file or directory" "connect([0-9]*, AF=1 \"gone\", .*): No such file or directory" - unix-connect:gone
"cannot listen on 192.0.2.1:$port: cannot assign requested address (no interface .*)" "bind([0-9]*, {AF=2 192.0.2.1:$port}, 16): Cannot assign requested address" - tcp-listen:$port,bind=192.0.2.1
"cannot listen on 127.0.0.1:$taken: address already in use (another socket has it)" "bind([0-9]*, {AF=2 127.0.0.1:$taken}, 16): Address already in use" - tcp-listen:$taken,bind=127.0.0.1
"cannot listen on 127.0.0.1:$taken: address already in use (.*option reuseaddr helps)" "bind([0-9]*, {AF=2 127.0.0.1:$taken}, 16): Address already in use" - tcp-listen:$taken,bind=127.0.0.1,reuseaddr=0
"cannot use the local address 192.0.2.1:0: cannot assign requested address (no interface .*)" "bind([0-9]*, {AF=2 192.0.2.1:0}, 16): Cannot assign requested address" - tcp:127.0.0.1:$taken,bind=192.0.2.1
"cannot listen on \"no/where\": no such file or directory" "bind([0-9]*, {AF=1 \"no/where\"}, [0-9]*): No such file or directory" - unix-listen:no/where
"the system gives no such socket: address family not supported by protocol" "socket(99, 1, 0): Address family not supported by protocol" - socket-connect:99:0:x00
"cannot open \"no/where\": no such file or directory" "open(\"no/where\", 02, 0666): No such file or directory" - open:no/where
"cannot open \"file/x\": not a directory" "open(\"file/x\", 02, 0666): Not a directory" - open:file/x
"cannot open \"directory\": is a directory" "open(\"directory\", 01, 0666): Is a directory" -u - open:directory
"cannot remove \"directory\": is a directory" "unlink(\"directory\"): Is a directory" - open:directory,unlink-early
"cannot make the named pipe \"no/where\": no such file or directory" "mkfifo(\"no/where\", 0666): No such file or directory" - pipe:no/where
"cannot make the link \"no/where\" to /dev/.*: no such file or directory" "symlink(\"/dev/.*\", \"no/where\"): No such file or directory" - pty,link=no/where
"cannot run \"no/program\": no such file or directory" "execvp(\"no/program\", \"no/program\"): No such file or directory" - exec:no/program
"cannot run \"nosuchprogram\": no such file or directory (no directory of PATH has it)" "execvp(\"nosuchprogram\", \"nosuchprogram\"): No such file or directory" - exec:nosuchprogram
"cannot run \".*/file\": permission denied" "execvp(\".*/file\", \".*/file\"): Permission denied" - exec:$T/file
"cannot open the tunnel device \"no/tun\": no such file or directory" "open(\"no/tun\", 02): No such file or directory" - tun,tun-device=no/tun
"cannot open the message queue \"noslash\": invalid argument (the name .*)" "mq_open(\"noslash\"): Invalid argument" - posixmq-send:noslash
ROWS
    kill "$(<taken.pid)"
    finish taken 143
}

@test "an option that the system refuses is named, and the call with -d -d" {
    run catena - "tcp:127.0.0.1:$(free_port),so-bindtodevice=nosuch0"
    has "$output" ' E option "so-bindtodevice": no such device \[E-NOT-FOUND\]$'
    has_not "$output" 'setsockopt'
    run catena -d -d - "tcp:127.0.0.1:$(free_port),so-bindtodevice=nosuch0"
    has "$output" ' E option .*: no such device \[setsockopt(.*): No such device\] \[E-NOT-FOUND\]$'
}

@test "ports below 1024: who may have them" {
    [ "$(id -u)" = 0 ] || skip 'needs root'
    run setpriv --bounding-set=-net_bind_service --inh-caps=-net_bind_service \
        "$CATENA_BIN" tcp4-listen:81,bind=127.0.0.1 - </dev/null
    [ "$(</proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 81 ] || skip 'anybody may'
    same 1 "$status"
    has "$output" ' E .*cannot listen on 127.0.0.1:81: permission denied (ports below 1024 need root'
}

# --- whom they are about -------------------------------------------------------------------------

listen_as() { # <catena|socat> <arguments...>: a listener that tells its port
    local bin=$CATENA_BIN
    [ "$1" = catena ] || bin=$(socat_link)
    shift
    CATENA_BIN=$bin start_listener server -d -d "$@"
    server=$(<server.pid)
}

over() { # the server ends
    kill "$server"
    finish server 143
    assert_nothing_left
}

# Three clients, one after the other, of a service that is not there: each error names its client.
errors_name() { # <name> <fork|thread>
    listen_as "$1" "tcp4-listen:0,bind=127.0.0.1,$2" "tcp4:127.0.0.1:$(free_port)"
    for i in 5 6 7; do
        same '' "$(catena -t 5 - "tcp4:127.0.0.1:$port,bind=127.0.0.$i" </dev/null)"
        if [ "$1" = catena ]; then
            wait_for 5 file_has server.err " E 127.0.0.$i:[0-9]*: second address \"tcp4\": cannot connect to "
        else
            wait_for 5 file_has server.err " E connect(.*): Connection refused (127.0.0.$i:[0-9]*)\$"
        fi
        wait_for 5 file_has server.err \
            " N connection with 127.0.0.$i:[0-9]* ended after [0-9.]* s: 0 bytes from it, 0 bytes to it; an error ended it\$"
    done
    if [ "$2" = fork ]; then
        wait_for 5 file_has server.err ' W .*127.0.0.7:.*\|exited.*(127.0.0.7:'
    fi
    over
}

@test "errors of a connection name its peer, under both names, with fork and thread" {
    each errors_name <<'ROWS'
catena fork
catena thread
socat fork
socat thread
ROWS
}

# Notices carry it under our own name; v1's notices are read up to their ends.
@test "notices of a connection name its peer, v1's keep their text" {
    for how in fork thread; do
        for chain in pipe 'nop|gzip|gunzip|pipe' exec:cat; do
            listen_as catena "tcp4-listen:0,bind=127.0.0.1,$how" "$chain"
            same hello "$(catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello)"
            wait_for 5 file_has server.err ' N 127.0.0.5:[0-9]*: socket 1 (fd [0-9]*) is at EOF$'
            wait_for 5 file_has server.err 'connection with 127.0.0.5:[0-9]* ended'
            over
            listen_as socat "tcp4-listen:0,bind=127.0.0.1,$how" "$chain"
            same hello "$(catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello)"
            wait_for 5 file_has server.err ' N socket 1 (fd [0-9]*) is at EOF$'
            wait_for 5 file_has server.err 'connection with 127.0.0.5:[0-9]* ended'
            over
        done
    done
}

@test "peers of other kinds: IPv6, packets, TLS, UNIX processes and names, escaped" {
    for how in fork thread; do
        listen_as catena "tcp6-listen:0,bind=[::1],$how" pipe
        same hello "$(catena - "tcp6:[::1]:$port" <<<hello)"
        wait_for 5 file_has server.err 'connection with \[::1\]:[0-9]* ended'
        over
        start server "$CATENA_BIN" -d -d "udp4-recvfrom:0,bind=127.0.0.1,$how" exec:cat </dev/null
        server=$(<server.pid)
        wait_for 5 file_has server.err 'receiving on'
        port=$(sed -n 's/.*bound to AF=2 127.0.0.1:\([0-9]*\)$/\1/p' server.err | head -n 1)
        same hello "$(catena -T 2 - "udp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello)"
        wait_for 5 file_has server.err 'connection with 127.0.0.5:[0-9]* ended.*: 6 bytes from it, 6 bytes to it'
        over
        listen_as catena "openssl-listen:0,pf=ip4,cert=$certs/server.pem,verify=0,$how" pipe
        catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello || :
        wait_for 5 file_has server.err ' E 127.0.0.5:[0-9]*: .*TLS'
        over
        start server "$CATENA_BIN" -d -d "unix-listen:s,$how" pipe </dev/null
        server=$(<server.pid)
        wait_for 5 unix_listens s
        same hello "$(catena - unix:s <<<hello)"
        wait_for 5 file_has server.err "connection with process [0-9]* of user $(id -u) ended"
        same hello "$(catena - "unix:s,bind=a"$'\e'"b" <<<hello)"
        wait_for 5 file_has server.err 'connection with "a\\x1bb" ended'
        over
    done
}

# Those who come at once are served by the same few threads.
@test "many at once: each error names its own peer" {
    for how in fork thread; do
        listen_as catena "openssl-listen:0,pf=ip4,cert=$certs/server.pem,verify=0,$how" pipe
        for i in 1 2 3 4 5 6 7 8; do
            start "c$i" "$CATENA_BIN" -t 5 - "tcp4:127.0.0.1:$port,bind=127.0.0.1$i" <<<'no TLS'
        done
        each_named() {
            [ "$(grep -o ' E 127.0.0.1[0-9]:[0-9]*: .*TLS' server.err | cut -d: -f1 | sort -u | wc -l)" = 8 ]
        }
        wait_for 10 each_named
        over
        for i in 1 2 3 4 5 6 7 8; do
            wait "$(<"c$i.pid")" || :
        done
    done
}

@test "messages of a queue" {
    local queue=/catena-test-$$
    start server "$CATENA_BIN" -d -d -u "posixmq-recv:$queue,fork" open:/dev/null </dev/null
    server=$(<server.pid)
    wait_for 5 file_has server.err 'waiting for a message'
    printf x | catena -u - "posixmq-send:$queue"
    wait_for 5 file_has server.err "connection with queue \"$queue\" ended after"
    kill "$server"
    finish server 143
    catena -u /dev/null "posixmq-send:$queue,unlink-close"
}

@test "an address that connects, with fork: the peer is where it is connected to" {
    start_peer peer send:x eof
    start client "$CATENA_BIN" -d -d "tcp4:127.0.0.1:$port,fork,forever,interval=0.1" open:no/where </dev/null
    wait_for 5 file_has client.err " E 127.0.0.1:$port: second address \"open\": cannot open"
    kill "$pid"
    finish client 143
    kill "$(<peer.pid)" 2>/dev/null || :
}

@test "without fork and thread nobody is named" {
    start_listener server tcp4-listen:0,bind=127.0.0.1 pipe
    same hello "$(catena - "tcp4:127.0.0.1:$port" <<<hello)"
    finish server
    has_not "$(<server.err)" ' N 127.0.0.1:\|connection with'
}

# --- why it ended --------------------------------------------------------------------------------

ended() { # <fork|thread> <pattern>
    wait_for 10 file_has server.err " N connection with 127.0.0.5:[0-9]* ended after [0-9]*\.[0-9]* s: $2\$"
}

@test "how a connection ended: who was first, -t, -T" {
    for how in fork thread; do
        listen_as catena "tcp4-listen:0,bind=127.0.0.1,$how" pipe
        same hello "$(catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello)"
        ended $how '6 bytes from it, 6 bytes to it; it ended first'
        over
        listen_as catena "tcp4-listen:0,bind=127.0.0.1,$how" 'system:echo hi'
        same hi "$(catena -U stdout "tcp4:127.0.0.1:$port,bind=127.0.0.5")"
        ended $how '0 bytes from it, 3 bytes to it; our side ended first'
        over
        listen_as catena -T 0.2 "tcp4-listen:0,bind=127.0.0.1,$how" 'exec:sleep 100'
        catena -U stdout "tcp4:127.0.0.1:$port,bind=127.0.0.5"
        ended $how '0 bytes from it, 0 bytes to it; nothing came within -T'
        over
        listen_as catena -t 0.2 "tcp4-listen:0,bind=127.0.0.1,$how" 'exec:sleep 100'
        catena -t 5 - "tcp4:127.0.0.1:$port,bind=127.0.0.5" </dev/null
        ended $how '0 bytes from it, 0 bytes to it; it ended first, the other not within -t'
        over
    done
}

@test "how a connection ended: a signal, the other way round" {
    listen_as catena 'exec:sleep 100' tcp4-listen:0,bind=127.0.0.1,fork
    start client "$CATENA_BIN" stall "tcp4:127.0.0.1:$port,bind=127.0.0.5" </dev/null
    wait_for 5 file_has server.err 'starting data transfer'
    pkill -P "$server" -f tcp4-listen
    ended fork '0 bytes from it, 0 bytes to it; signal 15 ended it'
    kill "$server" "$(<client.pid)"
    finish server 143
    finish client 143
}

# --- trying again --------------------------------------------------------------------------------

tries() { # <how often> <pattern> <address>
    run catena -d -d - "$3" </dev/null
    same 1 "$status"
    same "$1" "$(grep -c "$2" <<<"$output")"
}

@test "only what can get better is tried again, unless forever says otherwise" {
    port=$(free_port)
    each tries <<'ROWS'
3 'connection refused' "tcp:127.0.0.1:$port,retry=2,interval=0.05"
3 'no such file' "unix:gone,retry=2,interval=0.05"
3 'cannot assign' "tcp-listen:$port,bind=192.0.2.1,retry=2,interval=0.05"
1 'unknown service' "tcp:127.0.0.1:nosuchservice,retry=2,interval=0.05"
1 'family not supported' "socket-connect:99:0:x00,retry=2,interval=0.05"
ROWS
    start client "$CATENA_BIN" -d -d - tcp:127.0.0.1:nosuchservice,forever,interval=0.05 </dev/null
    often() { [ "$(grep -c 'unknown service' client.err)" -ge 3 ]; }
    wait_for 10 often
    kill "$pid"
    finish client 143
}

proxy_says() { # <status>: to whoever asks
    printf '#!/bin/sh\nsed "/^.$/q" >/dev/null\nprintf "HTTP/1.0 %s x\\r\\n\\r\\n"\n' "$1" >answer
    chmod +x answer
    listen_as catena tcp4-listen:0,bind=127.0.0.1,fork exec:./answer
}

@test "a proxy's answer says whether it is worth another try, and a missing file is not" {
    answers() { # <status> <attempts>
        proxy_says "$1"
        tries "$2" "the proxy refused h:80: $1" "proxy:h:80,retry=2,interval=0.05|tcp4:127.0.0.1:$port"
        over
    }
    each answers <<'ROWS'
403 1
407 1
503 3
ROWS
    proxy_says 503
    tries 1 '"gone": no such file' \
        "proxy:h:80,proxy-authorization-file=gone,retry=2,interval=0.05|tcp4:127.0.0.1:$port"
    over
}

# --- what is lost on the way ---------------------------------------------------------------------

@test "a connection that is lost before it is served: the warning names it, the listener goes on" {
    for how in fork thread; do
        listen_as catena "tcp4-listen:0,bind=127.0.0.1,$how,setsockopt-connected=1:9999:i1" pipe
        same '' "$(catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" </dev/null)"
        wait_for 5 file_has server.err \
            ' W 127.0.0.5:[0-9]*: option .*: protocol not available; still listening \[E-UNSUPPORTED\]$'
        over
    done
}
