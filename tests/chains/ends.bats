#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Ends that only a descriptor's own nature tells: FIFOs, pipes; files that are looked at once more; and
# what nobody takes stays where it is.
load ../v1compat/common

setup_file() { socat_link >/dev/null; }

# ends <name> <arguments...>: the reader of FIFO a has seen its end while b still gives.
ends() {
    local program=$CATENA_BIN out=
    [ "$1" = catena ] || program=$(socat_link)
    mkfifo a b
    timeout "$LIMIT" cat a >got && touch ended &
    { echo first && wait_for 10 test -e ended && echo late; } >b &
    out=$(echo question | timeout "$LIMIT" "$program" -t 5 "${@:2}" | tr '\n' ' ')
    same 'first late ' "$out"
    same question "$(<got)"
}

@test "a FIFO that was written ends with the flow into it" {
    abreast ends <<'END'
socat - 'OPEN:a,wronly%OPEN:b,rdonly'
catena - 'OPEN:a,wronly%OPEN:b,rdonly'
socat - 'OPEN:b,rdonly!!OPEN:a,wronly'
catena - 'OPEN:b,rdonly!!OPEN:a,wronly'
socat - 'OPEN:b!!OPEN:a'
socat - 'GOPEN:b!!GOPEN:a'
socat - './b!!./a'
socat - 'PIPE:b,rdonly!!PIPE:a,wronly'
catena - 'PIPE:a,wronly%PIPE:b,rdonly'
socat - 'OPEN:b,rdonly!!CREATE:a'
socat - 'OPEN:b,rdonly!!SYSTEM:exec cat >a'
catena - 'nop|OPEN:a,wronly%OPEN:b,rdonly'
catena --unfused - 'nop|nop|OPEN:a,wronly%OPEN:b,rdonly'
catena - 'gzip|gunzip|OPEN:a,wronly%OPEN:b,rdonly'
catena - 'exec1:cat%exec1:cat|OPEN:a,wronly%OPEN:b,rdonly'
catena - 'exec1:cat%nop|OPEN:a,wronly%OPEN:b,rdonly'
catena 'OPEN:a,wronly%OPEN:b,rdonly' -
catena 'nop|OPEN:a,wronly%OPEN:b,rdonly' -
socat 'OPEN:b,rdonly!!OPEN:a,wronly' -
END
}

# one_way <arguments...>: as above, but nothing comes back: the end is there although the run goes on.
one_way() {
    mkfifo a
    timeout "$LIMIT" cat a >got && touch ended &
    { echo question; } | timeout "$LIMIT" "$CATENA_BIN" "$@"
    wait_for 10 test -e ended
    same question "$(<got)"
}

@test "a FIFO that was written: one way" {
    abreast one_way <<'END'
-u - OPEN:a,wronly
-u - PIPE:a,wronly
-u - 'gzip|gunzip|OPEN:a,wronly'
-u - 'exec1:cat|OPEN:a,wronly'
-U OPEN:a,wronly -
-U 'exec1:cat|OPEN:a,wronly' -
END
}

# fifos <fork|thread>: three connections, one after the other, and the end of each is told in time.
fifos() {
    start_listener server -t 5 "tcp-listen:0,bind=127.0.0.1,$1" 'OPEN:a,wronly%OPEN:b,rdonly'
    mkfifo a b
    for n in 1 2 3; do
        rm -f ended
        timeout "$LIMIT" cat a >got && touch ended &
        { echo first && wait_for 10 test -e ended && echo late; } >b &
        same 'first late ' "$(echo "$n" | timeout "$LIMIT" "$CATENA_BIN" - "tcp:127.0.0.1:$port" | tr '\n' ' ')"
        same "$n" "$(<got)"
    done
    kill "$(<"$T/server.pid")"
}
@test "a FIFO that was written: fork, thread" { printf 'fork\nthread\n' | abreast fifos; }

# --- ignoreeof ---

# last <expected> <arguments...>: what a run ends with, when the file was written just before its end.
last() {
    local expected=$1 name
    shift
    for name in "$CATENA_BIN" "$(socat_link)"; do
        : >f
        same "$expected" "$(echo hello | timeout "$LIMIT" "$name" -t 0.1 "$@")"
    done
}

@test "a side with ignoreeof is looked at once more before the end" {
    abreast last <<'END'
hello - './f,ignoreeof!!./f'
hello - 'OPEN:f%OPEN:f,ignoreeof'
hello - 'nop|OPEN:f%OPEN:f,ignoreeof'
hello 'OPEN:f,ignoreeof!!OPEN:f' -
hel - 'OPEN:f,ignoreeof,readbytes=3!!OPEN:f'
he - 'OPEN:f,ignoreeof,escape=0x6c!!OPEN:f'
hello -T 0.1 - 'OPEN:f,ignoreeof!!OPEN:f'
END
}

@test "... also where the file is read past the system's cache" {
    # its reads have to go to aligned memory
    : >f
    catena -u OPEN:f,o-direct /dev/null || skip "no O_DIRECT in this file system"
    last hello - 'OPEN:f,ignoreeof,o-direct!!OPEN:f'
    seq 1 20000 >big
    for name in "$CATENA_BIN" "$(socat_link)"; do
        for links in '' 'nop|' 'gzip|gunzip|'; do
            timeout "$LIMIT" "$name" -u OPEN:big,o-direct "${links}-" | cmp - big
            timeout "$LIMIT" "$name" -u -r /dev/null OPEN:big,o-direct "${links}-" | cmp - big
        done
    done
}

@test "ignoreeof under -T: what was added late is seen before the run ends" {
    : >f
    start run "$CATENA_BIN" -u -T 1 OPEN:f,ignoreeof - </dev/null
    wait_for 10 test -s run.pid
    echo late >>f
    finish run
    same late "$(<run.out)"
}

# --- nothing is read before there is somewhere to put it ---

# leaves <arguments...>: what is in a FIFO is still there afterwards.
leaves() {
    local name
    mkfifo p
    exec 7<>p
    echo data >&7
    for name in "$CATENA_BIN" "$(socat_link)"; do
        timeout "$LIMIT" "$name" -T 0.1 "$@"
    done
    same data "$(head -n 1 <&7)"
}

@test "STALL: what is in a pipe stays there" {
    abreast leaves <<'END'
-u OPEN:p STALL
-u PIPE:p,rdonly STALL
OPEN:p,rdonly%STALL STALL
-u OPEN:p 'nop|STALL'
-u --unfused OPEN:p 'nop|nop|STALL'
-u OPEN:p 'gzip|STALL'
-u -v OPEN:p STALL
-u -cp OPEN:p 'gzip|STALL'
-u -cs OPEN:p 'nop|STALL'
-u 'gzip|OPEN:p' STALL
-U STALL OPEN:p
-U STALL 'gzip|OPEN:p'
-U 'nop|STALL' OPEN:p
OPEN:p 'STALL%STALL'
OPEN:p 'STALL%OPEN:/dev/null,ignoreeof'
END
}

@test "STALL: what is in a terminal or a socket stays there" {
    start pair "$CATENA_BIN" PTY,link=far,raw,echo=0 PTY,link=near,raw,echo=0 </dev/null
    wait_for 10 test -e near
    wait_for 10 test -e far
    exec 7<>near
    echo data >far
    for name in "$CATENA_BIN" "$(socat_link)"; do
        timeout "$LIMIT" "$name" -u -T 0.1 ./near STALL
        timeout "$LIMIT" "$name" -T 0.1 ./near STALL
        timeout "$LIMIT" "$name" -u -T 0.1 ./near 'gzip|STALL'
    done
    same data "$(head -n 1 <&7)"
    exec 7>&-
    # whoever gives its descriptor to a run that takes nothing finds all there afterwards
    printf '#!/bin/sh\n"%s" -u -T 0.1 - STALL; "%s" -T 0.1 - "nop|STALL"; head -n 1\n' "$CATENA_BIN" "$CATENA_BIN" >both
    chmod +x both
    same data "$(echo data | timeout "$LIMIT" "$CATENA_BIN" -t 3 - EXEC:./both)"
}
