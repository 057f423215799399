#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every inter address, both ways at once and half-closed from either side, in the right and in the
# left chain: links that undo each other stand between two peers that count and compare each byte.
load ../helpers

N=4000000

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    relay=$top/tests/tools/relay.sh
    tls="openssl,verify=0|^openssl-server,cert=$BATS_FILE_TMPDIR/certs/server.pem,verify=0"
}

# between <left steps> <right steps> <command line with LEFT and RIGHT for the peers' addresses>
between() {
    local left=$1 right=$2 pl pr args
    shift 2
    # shellcheck disable=SC2086
    start_peer left $left
    pl=$port
    # shellcheck disable=SC2086
    start_peer right $right
    pr=$port
    args=("${@//LEFT/tcp:127.0.0.1:$pl}")
    args=("${args[@]//RIGHT/tcp:127.0.0.1:$pr}")
    start run "$CATENA_BIN" "${args[@]}" </dev/null
    finish run
    finish left
    finish right
    [ ! -s run.err ] || {
        cat run.err
        return 1
    }
}

# The same, the left peer being a client of a listener with threads; <command line> has LISTEN for that.
between_threads() {
    local left=$1 right=$2 server
    shift 2
    # shellcheck disable=SC2086
    start_peer right $right
    start run "$CATENA_BIN" -d -d "${@//RIGHT/tcp:127.0.0.1:$port}" </dev/null
    server=$pid
    wait_for 5 file_has run.err 'listening on'
    port=$(sed -n 's/.*listening on AF=2 .*:\([0-9]*\)$/\1/p' run.err)
    # shellcheck disable=SC2086
    start left "$PEER" connect "$port" $left </dev/null
    finish left
    finish right
    end "$server"
    finish run 143
    has_not "$(<run.err)" ' E \|exited with'
}

# all <links>: the links in both chains, as planned, each in a thread of its own over socket pairs as in the
# talk, and with a listener's threads; in all orders of ending.
all() {
    local way line
    for way in '' -cS thread; do
        for line in "LEFT $1|RIGHT" "$1|LEFT RIGHT"; do
            # The two addresses are one argument each, whatever blanks are in the links.
            local first second
            if [ "${line#LEFT}" != "$line" ]; then
                first=LEFT second="$1|RIGHT"
            else
                first="$1|LEFT" second=RIGHT
            fi
            echo "# $way: $line"
            if [ "$way" = thread ]; then
                first=${first//LEFT/tcp-listen:0,bind=127.0.0.1,thread}
                between_threads "duplex:$N:1:$N:2" "duplex:$N:2:$N:1" "$first" "$second"
                between_threads "gen:100000:1 shut check:100000:2 eof" \
                    "check:100000:1 eof gen:100000:2 shut" "$first" "$second"
                between_threads "check:100000:2 eof gen:100000:1 shut" \
                    "gen:100000:2 shut check:100000:1 eof" "$first" "$second"
                continue
            fi
            between "duplex:$N:1:$N:2" "duplex:$N:2:$N:1" $way "$first" "$second"
            between "gen:100000:1 shut check:100000:2 eof" \
                "check:100000:1 eof gen:100000:2 shut" $way "$first" "$second"
            between "check:100000:2 eof gen:100000:1 shut" \
                "gen:100000:2 shut check:100000:1 eof" $way "$first" "$second"
            between "shut eof" "shut eof" $way "$first" "$second"
        done
    done
    assert_nothing_left
}

plain_line() { # no links at all
    between "duplex:$N:1:$N:2" "duplex:$N:2:$N:1" "$@" LEFT RIGHT
    between "gen:100000:1 shut check:100000:2 eof" "check:100000:1 eof gen:100000:2 shut" "$@" LEFT RIGHT
    between "check:100000:2 eof gen:100000:1 shut" "gen:100000:2 shut check:100000:1 eof" "$@" LEFT RIGHT
}

@test "no link" { plain_line; }
@test "no link, unfused" { plain_line --unfused; }
@test "light ones, tap in between" { all 'nop|tap:/dev/null|^nop|tap:/dev/null,format=raw'; }
@test "nop" { all nop; }
@test "nop|^nop|nop%nop" { all 'nop|^nop|nop%nop'; }
@test "gzip|gunzip" { all 'gzip|gunzip'; }
@test "^gunzip|^gzip" { all '^gunzip|^gzip'; }
@test "gzip%gunzip|gunzip%gzip" { all 'gzip%gunzip|gunzip%gzip'; }
@test "frames of all kinds, each direction by its own half, gzip between" {
    all 'netstring|length16|slip%^slip|varint|gzip|gunzip|^varint|^slip%slip|^length16|^netstring|length32|hdlc|cobs|^cobs|^hdlc|^length32'
}
@test "zstd, lz4, brotli, and back" { all 'zstd|lz4|unlz4|unzstd|^unbrotli|^brotli'; }
@test "zlib, deflate in duals, and back" { all 'zlib%undeflate|unzlib%deflate'; }
@test "base64, hex, and back" { all 'base64|hex%unhex|unhex%hex,case=upper|unbase64'; }
@test "sha256 in between" { all 'sha256:/dev/null|^sha256:/dev/null,direction=right'; }
@test "delays of all kinds" { all 'throttle:1G|^delay:2ms|pace:900000000%throttle:1G'; }
@test "recode, and back" { all 'recode:cp437:utf-8|recode:utf-8:cp437|recode:latin1:utf-16le|^recode:latin1:utf-16le'; }
@test "ws|^ws-server" { all "ws:/a|^ws-server:/a"; }
@test "openssl|^openssl-server" { all "$tls"; }
@test "gzip|openssl|^openssl-server|gunzip" { all "gzip|$tls|gunzip"; }
@test "exec with four descriptors" { all "exec:$relay"; }
@test "system with four descriptors, reversed" { all "^system:\"exec $relay\""; }
@test "exec1%exec1" { all 'exec1:cat%exec1:cat'; }
@test "system1%^exec1" { all 'system1:cat%nop|nop%exec1:cat'; }
@test "telnet|^telnet-server" { all "telnet|^telnet-server"; }
