#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients whose turn it is to say something, and who take their time: a listener with thread waits for all of them at once.
load ../helpers

TARGET='tcp:{targethost}:{targetport}'

echoes() { start_listener echoes tcp-l:0,bind=127.0.0.1,fork pipe && target=$port; }
threads() { awk '/^Threads:/ { print $2 }' "/proc/$(<"$1.pid")/status"; }
few_threads() { (($(threads "$1") <= $(nproc) + 4)); }
call() { exec {fd}<>"/dev/tcp/127.0.0.1/$1"; } # <port>: a connection, then at $fd
say() { printf "$2" >&"$1"; }                  # <fd> <bytes as for printf>
hear() { head -c "$2" <&"$1" | od -An -v -tx1 | tr -d ' \n'; } # <fd> <number of bytes>
request() { printf '\\5\\1\\0\\1\\x7f\\0\\0\\1\\x%02x\\x%02x' $((target / 256)) $((target % 256)); }
GRANTED=050000017f000001

# greet_all <n>: so many more at "${fds[@]}" have greeted.
greet_all() {
    local i
    for ((i = 0; i < $1; i++)); do
        call "$port"
        say "$fd" '\5\1\0'
        same 0500 "$(hear "$fd" 2)"
        fds+=("$fd")
    done
}

# ask_all: those at "${fds[@]}", all of whom have greeted, are served, the last one first.
ask_all() {
    local i f
    for ((i = ${#fds[@]}; i-- > 0;)); do
        f=${fds[i]}
        say "$f" "$(request)"
        same $GRANTED "$(hear "$f" 8)"
        hear "$f" 2 >/dev/null
        say "$f" "no $i\n"
        read -r -t "$LIMIT" answer <&"$f"
        same "no $i" "$answer"
        exec {f}>&-
    done
}

@test "forty who have greeted cost no threads, and each is served when he asks" {
    local fds=()
    echoes
    start_listener socks 'socks-server|tcp-l:0,bind=127.0.0.1,thread' "$TARGET"
    greet_all 40
    wait_for 10 few_threads socks
    ask_all
    same '' "$(grep -e ' [EW] ' socks.err || :)"
    kill "$(<socks.pid)"
    finish socks 143
}

@test "who has not said anything at all costs none either; who says half of it is waited for" {
    local fds=()
    start_listener web tcp-l:0,bind=127.0.0.1,fork system:'read x; echo got $x' && target=$port
    start_listener front "proxy-protocol-server,handshake-timeout=20|tcp-l:0,bind=127.0.0.1,thread" "tcp:127.0.0.1:$target"
    for i in {1..20}; do
        call "$port"
        fds+=("$fd")
    done
    wait_for 10 eval '(($(grep -c "accepting connection" front.err) == 20))'
    wait_for 10 few_threads front
    for f in "${fds[@]}"; do say "$f" 'PROXY TCP4 '; done
    for f in "${fds[@]}"; do
        say "$f" '192.0.2.1 192.0.2.2 1 2\r\nhello\n'
        read -r -t "$LIMIT" answer <&"$f"
        same 'got hello' "$answer"
        exec {f}>&-
    done
    kill "$(<front.pid)"
    finish front 143
}

@test "in pieces, all at once, with a login in between, and too late" {
    echoes
    start_listener socks 'socks-server,auth=joe:secret,handshake-timeout=1|tcp-l:0,bind=127.0.0.1,thread' "$TARGET"
    call "$port"
    for byte in '\5' '\1' '\2' '\1' '\3' j o e '\6' s e c r e t; do
        say "$fd" "$byte"
    done
    same 05020100 "$(hear "$fd" 4)"
    say "$fd" "$(request)"
    same $GRANTED "$(hear "$fd" 8)"
    exec {fd}>&-
    call "$port"
    say "$fd" "\5\1\2\1\3joe\6secret$(request)hello\n"
    same "05020100$GRANTED" "$(hear "$fd" 12)"
    hear "$fd" 2 >/dev/null
    read -r -t "$LIMIT" answer <&"$fd"
    same hello "$answer"
    exec {fd}>&-
    call "$port"
    say "$fd" '\5\1\2'
    same 0502 "$(hear "$fd" 2)"
    same '' "$(timeout "$LIMIT" cat <&"$fd" || echo still there)"
    exec {fd}>&-
    wait_for 10 file_has socks.err 'SOCKS5 dialog: the peer took too long (1 seconds'
}

@test "a signal to the listener ends nobody who has greeted" {
    local fds=()
    echoes
    start_listener socks 'socks-server|tcp-l:0,bind=127.0.0.1,thread' "$TARGET"
    greet_all 5
    wait_for 10 few_threads socks
    kill "$(<socks.pid)"
    wait_for 10 file_has socks.err 'connections still at work: 5'
    ask_all
    finish socks 143
}

@test "a second signal ends them all" {
    start_listener socks 'socks-server|tcp-l:0,bind=127.0.0.1,thread' "$TARGET"
    call "$port"
    say "$fd" '\5\1\0'
    same 0500 "$(hear "$fd" 2)"
    kill "$(<socks.pid)"
    wait_for 10 file_has socks.err 'connections still at work: 1'
    kill "$(<socks.pid)"
    finish socks 143
    same '' "$(timeout "$LIMIT" cat <&"$fd" || echo still there)"
    exec {fd}>&-
}

@test "they count as children: the next one waits until one of them has gone" {
    local fds=()
    echoes
    start_listener socks 'socks-server|tcp-l:0,bind=127.0.0.1,thread,max-children=2' "$TARGET"
    greet_all 2
    call "$port"
    late=$fd
    say "$late" '\5\1\0'
    wait_for 10 file_has socks.err 'maxchildren are active, waiting'
    ask_all
    same 0500 "$(hear "$late" 2)"
    fds=("$late")
    ask_all
}
