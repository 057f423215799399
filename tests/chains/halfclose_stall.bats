#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A reader that stalls stops its own direction alone, and costs no memory.
# bats file_tags=thread
load ../helpers

N=10000000 # what has to get through
M=40000000 # more than all buffers of the kernel on the way

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    relay=$top/tests/tools/relay.sh
    tls="openssl,verify=0|^openssl-server,cert=$BATS_FILE_TMPDIR/certs/server.pem,verify=0"
}

# stalled <links> [<options>]: the left peer sends all its bytes and reads none until the right one
# has them all, although the right one sends at full speed all the time.
stalled() {
    local links=$1 pl pr
    shift
    start_peer left "gen:$N:1" shut "until:$T/go" "check:$M:2" eof
    pl=$port
    # Reads everything while its own sending is stuck.
    start_peer right "duplex:$M:2:$N:1"
    pr=$port
    start run "$CATENA_BIN" "$@" "tcp:127.0.0.1:$pl" "${links:+$links|}tcp:127.0.0.1:$pr" </dev/null
    p=$pid
    wait_for "$LIMIT" all_read "$pr"
    peak=$(peak_kib "$p")
    touch go
    finish left
    finish right
    finish run
    echo "peak: $peak KiB"
    [ -n "${CATENA_SANITIZE:-}" ] || [ "$peak" -lt 40000 ]
    assert_nothing_left
}

# The right peer has got end of file from us: its connection is half closed.
all_read() { [ -n "$(ss -Htn state close-wait "sport = :$1")" ] && queue_empty "$1"; }
queue_empty() { [ "$(ss -Htn state close-wait "sport = :$1" | awk '{print $1}')" = 0 ]; }

@test "no link" { stalled ''; }
@test "nop" { stalled nop; }
@test "nop, unfused" { stalled nop --unfused; }
@test "gzip|gunzip" { stalled 'gzip|gunzip'; }
@test "length16|^length16" { stalled 'length16|^length16'; }
@test "slip|gzip|gunzip|^slip, over socketpairs" { stalled 'slip|gzip|gunzip|^slip' -cS; }
@test "zstd|unzstd|lz4|unlz4" { stalled 'zstd|unzstd|lz4|unlz4'; }
@test "brotli|unbrotli" { stalled 'brotli,level=1|unbrotli'; }
@test "zlib|^zlib" { stalled 'zlib,level=1|^zlib'; }
@test "base64|unbase64|hex|unhex" { stalled 'base64|unbase64|hex|unhex'; }
@test "throttle|delay" { stalled 'throttle:1G|delay:5ms'; }
@test "recode and back" { stalled 'recode:cp437:utf-8|recode:utf-8:cp437'; }
@test "ws|^ws-server, compressed" { stalled "ws,deflate|^ws-server,deflate=1"; }
@test "ws|^ws-server" { stalled "ws|^ws-server"; }
@test "openssl|^openssl-server" { stalled "$tls"; }
@test "exec" { stalled "exec:$relay"; }
@test "exec1%exec1" { stalled 'exec1:cat%exec1:cat'; }

@test "a reader of standard output that stalls" {
    start_peer source "gen:$M:3" "touch:$T/sent"
    mkfifo out
    exec 7<>out
    start run "$CATENA_BIN" -u "tcp:127.0.0.1:$port" open:out,wronly </dev/null
    p=$pid
    if wait_for 1 test -e sent; then return 1; fi
    [ -n "${CATENA_SANITIZE:-}" ] || [ "$(peak_kib "$p")" -lt 40000 ]
    head -c "$M" <&7 >got
    exec 7>&-
    finish run
    "$PEER" gen "$M" 3 | cmp - got
}

@test "the later end: each side goes on after the other has ended" {
    for links in '' 'nop|' 'gzip|gunzip|' "$tls|" "exec:$relay|"; do
        start_peer left "gen:1000:1" shut "until:$T/go" "check:$N:2" eof
        pl=$port
        start_peer right "check:1000:1" eof "touch:$T/go" "gen:$N:2" shut
        start run "$CATENA_BIN" "tcp:127.0.0.1:$pl" "${links}tcp:127.0.0.1:$port" </dev/null
        finish left
        finish right
        finish run
        rm -f go
    done
}

@test "under the name socat, -t cuts the answer off after half a second; -t waits longer" {
    start_peer right "line" eof "until:$T/go" "send:late\n" shut
    start run "$(socat_link)" - "tcp:127.0.0.1:$port" <<<hello
    finish run
    touch go
    same '' "$(<run.out)"
    rm go
    start_peer right "line" eof "until:$T/go" "send:late\n" shut
    start run "$(socat_link)" -t 20 - "tcp:127.0.0.1:$port" <<<hello
    wait_for 5 file_has right.out hello
    touch go
    finish run
    same late "$(<run.out)"
}

@test "-T ends an idle run" {
    mkfifo in
    start run "$CATENA_BIN" -T 0.3 - pipe <>in
    finish run
    start run "$CATENA_BIN" -T 0.3 - 'gzip|gunzip|pipe' <>in
    finish run
    assert_nothing_left
}

@test "a reset on one side is an error and ends the other" {
    for links in '' 'gzip|gunzip|' "$tls|"; do
        start_peer left "send:go\n" "until:$T/never"
        pl=$port
        start_peer right line reset
        start run "$CATENA_BIN" "tcp:127.0.0.1:$pl" "${links}tcp:127.0.0.1:$port" </dev/null
        finish run 1
        has "$(<run.err)" ' E '
        kill "$(<left.pid)"
    done
}
