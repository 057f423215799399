#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Terminal escape sequences, line ends and format directives in everything that others decide and we
# log or dump: none of them reaches the terminal, none makes a line of its own.
load ../faults/matrix

esc=$'\e[31m\e]0;owned\a\rfake\n%n%s\x9b2J\x7f\u202e'
wire='\x1b[31m\x1b]0;owned\x07\rfake%n%s\x9b2J\x7f' # the same for a peer, without the line feed

# quiet <file>: nothing in it but printable characters, line feeds, and tabs; no line is another's.
harmless() {
    [ -s "$1" ] || { echo "$1 is empty" && return 1; }
    if LC_ALL=C grep -n -a -P '[^\x09\x20-\x7e\xa0-\xff]' "$1" | cat -v; LC_ALL=C grep -q -a -P '[^\x09\x20-\x7e\xa0-\xff]' "$1"; then
        return 1
    fi
    # Each line is one of ours.
    if LC_ALL=C grep -a -v -E '^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} [a-z]+\[[0-9]+\] [FEWNID] |^    ' "$1"; then
        echo "a line that is not ours"
        return 1
    fi
}

logged() { # <arguments...>: a run, and its log
    cells=$((cells + 1)) last="$*"
    status=0
    catena -d -d -d -d "$@" </dev/null >out 2>log || status=$?
    harmless log || failures+=("$last")
}

@test "proxy replies" {
    for reply in "$wire" "HTTP/1.0\\x20500\\x20$wire" "HTTP/1.0\\x20200\\x20$wire" "HTTP/1.0\\x20407\\x20$wire" \
        "HTTP/1.0\\x20200\\x20ok\\r\\n$wire:\\x20$wire"; do
        start_peer peer line line "send:$reply\\r\\n\\r\\n" shut eof
        logged - "proxy:www.example:80|tcp:127.0.0.1:$port"
    done
    well
}

@test "socks replies" {
    for length in 35 60; do
        printf -v pad '%*s' "$((length - 35))" ''
        start_peer peer recv:3 "send:\\x05\\0" recv:18 "send:\\x05\\0\\0\\x03\\x$(printf %02x "$length")$wire$pad\\0\\x50behind" shut eof
        logged - "socks5:www.example:80|tcp:127.0.0.1:$port"
    done
    well
}

@test "names of sockets" {
    logged - "unix-connect:$esc"
    start server "$CATENA_BIN" -d -d -d -d unix-listen:plain,fork pipe </dev/null
    wait_for 5 unix_listens plain
    # The peer's own name shows on the server.
    printf -v name '\e[31mx\nE fake'
    same hello "$(catena - "unix-connect:plain,bind='$name'" <<<hello)"
    wait_for 5 file_has server.err 'x1b'
    kill "$(<server.pid)" && finish server 143
    cells=$((cells + 1))
    cp server.err log && harmless log
    same hello "$(catena - "unix-sendto:plain" 2>/dev/null <<<hello || echo hello)"
    well
}

@test "names of sockets in what -D and filan show" {
    printf -v name 'x\xc2\x9b31m\e[31m\x7f'
    start server "$CATENA_BIN" -D -U /dev/null unix-listen:plain </dev/null
    wait_for 10 unix_listens plain
    catena -u /dev/null "unix-connect:plain,bind='$name'"
    finish server
    file_has server.err 'x\\xc2\\x9b31m\\x1b\[31m\\x7f' || file_has server.err 'x.\\x9b31m\\x1b\[31m\\x7f'
    lacks '[\x00-\x08\x0b-\x1f\x7f-\x9f]' server.err
    ln -s "$name" link
    "$(dirname "$CATENA_BIN")/filan" -f link >seen
    has "$(<seen)" 'LINKTARGET='
    lacks '[\x00-\x08\x0b-\x1f\x7f-\x9f]' seen
}

@test "names in certificates" {
    mkdir certs && cd certs
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -utf8 \
        -subj "/O=$(printf 'a\e[31m\rb')/CN=$(printf 'x\e]0;owned\a\ny')" \
        -addext subjectAltName=DNS:other.example -keyout key.pem -out evil.crt 2>certs.log
    cat evil.crt key.pem >evil.pem
    cd ..
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,cert=certs/evil.pem,verify=0" pipe
    for options in verify=0 cafile=certs/evil.crt cafile=certs/evil.crt,cn= cafile=certs/evil.crt,cn=other.example; do
        logged - "openssl,$options|tcp:localhost:$port"
    done
    kill "$(<server.pid)" && finish server 143
    # A client's on the server.
    start server "$CATENA_BIN" -d -d -d -d "openssl-listen:0,bind=127.0.0.1,cert=certs/evil.pem,cafile=certs/evil.crt" pipe </dev/null
    wait_for 5 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err)
    logged - "openssl:localhost:$port,verify=0,cert=certs/evil.pem"
    finish server
    cp server.err log && harmless log
    well
}

@test "what comes from the command line and the environment" {
    logged - "$esc"
    logged - "tcp:$esc:80"
    logged - "tcp:localhost:$esc"
    logged - "open:./$esc"
    logged - "exec:$esc"
    logged - "pipe,$esc"
    logged - "pipe,mode=$esc"
    logged - "openssl,cafile=$esc|pipe"
    logged - "openssl,cn=$esc,verify=0|tcp:127.0.0.1:1"
    logged - "socks4:$esc:80|pipe"
    logged "-$esc" - pipe
    logged -L "nothing/$esc" - pipe
    well
}

@test "the program's own name" {
    cells=$((cells + 1))
    name=$(printf 'a\e[31m\nE b')
    run catena -lp "$name" - open:gone </dev/null
    echo "$output" | cat -v
    has_not "$output" $'\e'
    same 1 "$(wc -l <<<"$output")"
    ln -s "$CATENA_BIN" "$name"
    run timeout "$LIMIT" "./$name" - open:gone </dev/null
    has_not "$output" $'\e'
    well
}

# A text dump shows letters as they are, line ends as line ends, and nothing that acts.
@test "dumps of traffic" {
    printf '%s' "$esc" >traffic
    for switches in -v -x '-v -x'; do
        cells=$((cells + 1))
        # shellcheck disable=SC2086
        catena $switches -u open:traffic create:out 2>dump
        same_files traffic out
        lacks '[^\x09\x20-\x7e\xa0-\xff]' dump
    done
    well
}

@test "the output of programs is theirs, what we say about them ours" {
    logged - "system:'exit 3',umask=077"
    logged - "exec:'sh -c \"exit 4\" $(printf '\e[31m')'"
    logged - "system:'kill -9 \$\$'"
    well
}
