#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Time: deadlines that are obeyed, by a clock that cannot be set.
load matrix

prepare() {
    cells=0 failures=()
    # A preloaded library and a sanitizer's own do not get on.
    [ -z "${CATENA_SANITIZE:-}" ] || skip "the clock cannot be changed under sanitizers"
    clock="$CATENA_TOOLS/clock.so"
    mkfifo quiet
}

timed() { # <most milliseconds> <command...>
    local most=$1 begin end
    shift
    begin=${EPOCHREALTIME/./}
    status=0
    "$@" || status=$?
    end=${EPOCHREALTIME/./}
    took=$(((end - begin) / 1000))
    [ "$took" -lt "$most" ] || { echo "took $took ms: $*" && return 1; }
}

# All of them would wait for an hour or end at once if they went by the wall clock.
jumping() { timeout -k 5 "$LIMIT" env LD_PRELOAD="$clock" CLOCK_JUMPS=3600 "$CATENA_BIN" "$@"; }

@test "the wall clock jumps: -T" {
    for links in '' 'nop|' 'gzip|gunzip|'; do
        timed 8000 jumping -T 0.5 - "${links}pipe" <>quiet
        same 0 "$status"
        [ "$took" -ge 500 ]
    done
}

@test "the wall clock jumps: -t" {
    start_peer peer line eof "until:$T/never"
    timed 8000 jumping -t 0.5 - "tcp:127.0.0.1:$port" <<<hello
    same 0 "$status"
    [ "$took" -ge 500 ]
}

@test "the wall clock jumps: retry, interval, accept-timeout" {
    timed 8000 jumping - "tcp:127.0.0.1:$(free_port),retry=2,interval=0.25" </dev/null 2>err
    same 1 "$status"
    [ "$took" -ge 500 ]
    timed 8000 jumping tcp-listen:0,bind=127.0.0.1,accept-timeout=0.5 - 2>err
    same 0 "$status"
    [ "$took" -ge 500 ]
}

@test "the wall clock jumps: a transfer" {
    jumping -T 5 -u "open:$BIG" 'gzip|gunzip|create:out'
    same_files "$BIG" out
    jumping -v -x -u "open:$IN" create:out 2>log
    same_files "$IN" out
}

@test "the wall clock jumps: connect-timeout" {
    jumping - 'tcp:127.0.0.1:'"$(free_port)"',connect-timeout=5' 2>err </dev/null || :
    has "$(<err)" 'connection refused'
}

# The deadline of a dialog is half a minute; here it passes in two seconds.
faster() { timeout -k 5 "$LIMIT" env LD_PRELOAD="$clock" CLOCK_FASTER=15 "$CATENA_BIN" "$@"; }

late() { # <address> <pattern> <steps...>
    start_peer peer "${@:3}"
    timed 15000 faster - "${1//PORT/$port}" </dev/null 2>err
    same 1 "$status"
    has "$(<err)" " E .*$2"
    [ "$took" -ge 1500 ]
}

@test "a peer that says nothing in a dialog: the deadline ends it" {
    local silent started=() p
    for silent in "proxy [Pp]roxy.*took.too.long line line" "socks5 SOCKS5.*took.too.long recv:3" \
        "tls openssl.*took.too.long recv:3"; do
        # shellcheck disable=SC2086
        set -- $silent
        (T=$T/$1 && mkdir "$T" && cd "$T" && late "${address[$1]}" "${@:2}" "until:$T/never") &
        started+=($!)
    done
    for p in "${started[@]}"; do wait "$p"; done
}

@test "a reply that comes a byte at a time and never ends: the deadline ends it" {
    late "${address[proxy]}" '[Pp]roxy.*took too long' line line 'send:HTTP/1.0\x20200\x20' "dribble:x"
}
