#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A byte taken is delivered, or the run fails loudly.
load ../helpers

N=20000000

setup_file() {
    "$PEER" gen "$N" 7 >"$BATS_FILE_TMPDIR/in"
    make_certs "$BATS_FILE_TMPDIR/certs"
}

prepare() {
    in=$BATS_FILE_TMPDIR/in
    certs=$BATS_FILE_TMPDIR/certs
}

both_ways() { # <command...>: with fused hops, and with an engine for every link
    local way
    for way in '' --unfused; do
        rm -f out
        "$@" $way
    done
    assert_nothing_left
}

@test "20,000,000 bytes through nop|nop|create arrive whole" {
    go() {
        catena "$@" -u - 'nop|nop|create:out' <"$in"
        same_files "$in" out
    }
    both_ways go
}

@test "the same from a pipe, in small blocks, through the left chain" {
    go() {
        cat "$in" | catena "$@" -b 512 -u 'nop|nop|stdin' create:out
        same_files "$in" out
    }
    both_ways go
}

@test "20,000,000 bytes into openssl-client|tcp and half-closed come back whole" {
    go() {
        start_listener echo tcp-listen:0,bind=127.0.0.1 \
            "^openssl-server,cert=$certs/server.pem,verify=0|pipe"
        catena "$@" - "openssl-client,cafile=$certs/ca.crt|tcp:localhost:$port" <"$in" >out
        same_files "$in" out
        finish echo
    }
    both_ways go
}

@test "the same with v1's combined spellings" {
    start_listener echo "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" exec:cat
    catena - "openssl:localhost:$port,cafile=$certs/ca.crt" <"$in" >out
    same_files "$in" out
    finish echo
}

@test "exec1:gzip % exec1:gunzip around an echo" {
    go() {
        catena "$@" - 'exec1:gzip % exec1:gunzip|pipe' <"$in" >out
        same_files "$in" out
    }
    both_ways go
}

@test "exec1:gzip leaves a complete file" {
    go() {
        catena "$@" -u - 'exec1:gzip|create:out' <"$in"
        gzip -dc out | cmp - "$in"
    }
    both_ways go
}

@test "exec1:gzip in a two-way run leaves a complete file" {
    catena - 'exec1:gzip % nop | create:out%open:/dev/null' <"$in"
    gzip -dc out | cmp - "$in"
    assert_nothing_left
}

@test "an echo over each plain endpoint" {
    for echo in pipe exec:cat system:cat exec:cat,pipes; do
        catena - "$echo" <"$in" >out
        same_files "$in" out
    done
    assert_nothing_left
}

@test "a full disk is an error" {
    run catena -u - 'nop|open:/dev/full' <"$in"
    same 1 "$status"
    has "$output" ' E .*no space left'
    run catena -u - 'gzip|open:/dev/full' <"$in"
    same 1 "$status"
    has "$output" ' E .*no space left'
}

@test "a reader that goes away is an error" {
    start_peer away recv:5 reset
    run catena -u - "nop|tcp:127.0.0.1:$port" <"$in"
    same 1 "$status"
    has "$output" ' E '
}

@test "a program killed on the way is an error" {
    run catena -u - 'system1:"head -c 1000; kill -9 \$\$"|create:out' <"$in"
    same 1 "$status"
    has "$output" 'exited on signal 9'
    assert_nothing_left
}

@test "a program that fails is an error" {
    run catena -u - 'system1:"cat; exit 3"|create:out' <"$in"
    same 1 "$status"
    same_files "$in" out
    has "$output" 'exited with status 3'
    assert_nothing_left
}

@test "a TLS stream cut off is an error" {
    # A relay in between that drops both connections after some bytes.
    start_listener server tcp-listen:0,bind=127.0.0.1 \
        "^openssl-server,cert=$certs/server.pem,verify=0|open:$in"
    start_listener cut tcp-listen:0,bind=127.0.0.1 "tcp:127.0.0.1:$port,readbytes=100000"
    run catena -u "openssl,verify=0|tcp:127.0.0.1:$port" create:out
    same 1 "$status"
    has "$output" ' E '
}

@test "a gzip stream cut off is an error, and what was there is delivered" {
    gzip -1 <"$in" | head -c 10000000 >cut.gz
    run catena -u open:cut.gz 'gunzip|create:out'
    same 1 "$status"
    has "$output" ' E '
    [ "$(stat -c %s out)" -gt 9000000 ]
    cmp -n "$(stat -c %s out)" out "$in"
}

@test "a block that grows at the border arrives whole, however large its neighbour made it" {
    head -c 4000000 /dev/zero | tr '\0' '\n' | gzip -1 >lines.gz
    catena -u 'gzip|open:lines.gz' 'gzip|create:out.gz,crnl'
    same 8000000 "$(gzip -dc out.gz | wc -c)"
    same 8000000 "$(catena --unfused -u 'gzip|open:lines.gz' 'nop|-,crnl' | wc -c)"
}

@test "a stream that was cut short does not leave as a whole one" {
    head -c 3000000 "$in" | gzip -1 | head -c 2000000 >cut.gz
    run catena -u 'gzip|open:cut.gz' 'gzip|create:out.gz'
    same 1 "$status"
    run gzip -t out.gz
    same 1 "$status"
    gzip -dc out.gz >out 2>/dev/null || :
    [ "$(stat -c %s out)" -gt 1900000 ] # and nothing is held back
    cmp -n "$(stat -c %s out)" out "$in"
    for i in 1 2 3 4 5 6 7 8; do # no close_notify, however fast the news travels
        start_listener server -u "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" create:got
        run catena -u 'gzip|open:cut.gz' "openssl,verify=0|tcp:127.0.0.1:$port"
        same 1 "$status"
        finish server 1
    done
}

@test "what failed in an attempt is forgotten by the next" {
    start_listener first -u open:/dev/null tcp-listen:0,bind=127.0.0.1,reuseaddr
    start run "$CATENA_BIN" -d -d - \
        "openssl,verify=0,retry=200,interval=0.05|gzip|tcp:127.0.0.1:$port" <<<hello
    finish first
    start second "$CATENA_BIN" \
        "openssl-server,cert=$certs/server.pem,verify=0|gzip|tcp-listen:$port,bind=127.0.0.1,reuseaddr" pipe </dev/null
    finish run
    finish second
    same hello "$(<run.out)"
}

@test "an end that was ordered makes no damaged stream of it" {
    mkfifo stay
    seq 1 1000000 >lines
    for links in '' 'gzip|' 'gzip|gzip|'; do
        for options in readbytes=5 escape=54; do # as many, or up to the "6"
            start server "$CATENA_BIN" -d -d - "${links}tcp-listen:0,bind=127.0.0.1" <>stay
            wait_for 5 file_has server.err 'listening on'
            port=$(sed -n 's/.*listening on AF=2 .*:\([0-9]*\)$/\1/p' server.err)
            printf '12345678' >stay # and no end
            run catena -u "${links}tcp:127.0.0.1:$port,$options" -
            same "0 12345" "$status $output"
            kill "$(<server.pid)" || : # where it has not ended by itself
            wait_for 5 is_gone "$(<server.pid)"
        done
    done
    # The program is not blamed for having nobody who listens.
    run catena -u "exec:'cat lines',readbytes=7" -
    same "0 1
2
3
4" "$status $output"
}

@test "ptys between links lose nothing" {
    seq 1 200000 | tee lines | gzip -1 >lines.gz
    for comm in y Y; do
        catena "-c$comm" -u 'gzip|open:lines.gz' 'gzip|create:out.gz'
        same_files lines <(gzip -dc out.gz)
    done
}

# What reads and what writes is the same pipe: closing must not begin while it is full.
@test "a stream that is cut short ends at once, with what came before, also where a pipe goes round" {
    head -c 200000 /dev/urandom | gzip | head -c 100000 >cut.gz
    for _ in 1 2 3 4 5 6; do
        status=0
        # shellcheck disable=SC2002 # a pipe, which takes its time
        cat cut.gz | timeout 5 "$CATENA_BIN" - 'gunzip|pipe' >out 2>err || status=$?
        same 1 "$status"
        has "$(<err)" 'cut short'
        [ -s out ]
    done
}

# Whether anything lies in front of it when it ends is chance.
@test "a program that ends well without reading is no error behind several engines either" {
    head -c 300000 /dev/urandom >in
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        catena -t 2 - 'gzip|gunzip|exec:true' <in >out
    done
}
