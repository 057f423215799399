#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of gzip and of gzip as a program: a stream that ends early, is broken or has
# something behind it.
# bats file_tags=thread
load matrix

prepare_wire() { # what peers send, in the directory of the cells
    head -c 50000 <"$IN" >plain
    gzip <plain >whole.gz
    head -c 40000 whole.gz >cut.gz
    head -c -1 whole.gz >short.gz
    head -c -8 whole.gz >untrailed.gz
    head -c 5 whole.gz >header.gz
    : >empty.gz
    { head -c -8 whole.gz && printf 'xxxxxxxx'; } >crc.gz
    { head -c 20000 whole.gz && printf 'garbage' && tail -c +20008 whole.gz; } >broken.gz
    cat whole.gz whole.gz >twice.gz
    { cat whole.gz && printf 'behind'; } >behind.gz
    echo 'this is no gzip stream' >none.gz
    WIRE=$T
}

@test "gzip: ends early" {
    prepare_wire
    row gzip in 1 'gzip' - "file:$WIRE/cut.gz shut eof"
    row gzip in 1 'gzip' - "file:$WIRE/short.gz shut eof"
    row gzip in 1 'gzip' - "file:$WIRE/untrailed.gz shut eof"
    row gzip in 1 'gzip' 0 "file:$WIRE/header.gz shut eof"
    row gzip in 1 'gzip\|reset by peer' - "file:$WIRE/cut.gz drained reset"
    well
}

@test "gzip: what was there before the cut is delivered" {
    prepare_wire
    row gzip in 1 'gzip' - "drip file:$WIRE/untrailed.gz shut eof"
    same_files plain "1.gzip/out"
    well
}

@test "gzip: broken" {
    prepare_wire
    row gzip in 1 'gzip' - "file:$WIRE/crc.gz shut eof"
    row gzip in 1 'gzip' - "file:$WIRE/broken.gz shut eof"
    row gzip in 1 'gzip' 0 "file:$WIRE/none.gz shut eof"
    well
}

@test "gzip: byte by byte, twice, with something behind" {
    prepare_wire
    row gzip in 0 '' 50000 "drip file:$WIRE/whole.gz shut eof"
    row gzip in 0 '' - "file:$WIRE/twice.gz shut eof"
    cat plain plain | cmp - 2.gzip/out
    row gzip in 0 '' 50000 "file:$WIRE/whole.gz until:never" -T 0.3
    well
}

@test "gzip: the reader goes away" {
    row gzip big 1 'reset by peer\|broken pipe' - 'recv:1000 reset'
    well
}

# A program in the place of the codec: its complaint is its own, the status is ours.
@test "exec1:gunzip of a stream that ends early" {
    prepare_wire
    for wire in cut.gz short.gz none.gz; do
        start_peer peer "file:$WIRE/$wire" shut eof
        run catena -u "^exec1:gunzip|tcp:127.0.0.1:$port" create:out </dev/null
        same 1 "$status"
        has "$output" ' W .*exited with status 1'
    done
    assert_nothing_left
}

# A peer that has been killed says its end like one that has said all; what is sent after that comes back as a
# reset. No codec has a mark for the end here that would tell of it. What is read is the log of a run of its own.
# bats test_tags=single
@test "what is sent to a peer that has been killed is no success, whatever stands before it" {
    for chain in '' 'base64|' 'hex|' 'lines|' 'netstring|' 'length16|' 'recode:latin1:utf8|' 'meter|' 'test|' 'base64|hex|' 'telnet|'; do
        for how in '' --unfused; do
            echo "# row: $chain $how"
            start_peer peer say:there sum
            mkfifo in
            # shellcheck disable=SC2086
            start client "$CATENA_BIN" -d -d $how -t 20 - "${chain}tcp:127.0.0.1:$port" <>in
            wait_for 10 file_has peer.out there
            kill -KILL "$(<peer.pid)"
            wait_for 10 file_has client.err 'is at EOF'
            echo hello 1<>in # who waits for nobody
            finish client 1
            has "$(<client.err)" ' E .*bytes could not be delivered'
            rm in
        done
    done
    start_peer peer say:there sum
    start_listener hub tcp-l:0,bind=127.0.0.1,thread "base64|tcp:127.0.0.1:$port"
    mkfifo in
    start client "$CATENA_BIN" -d -d -t 20 - "tcp:127.0.0.1:$port" <>in
    wait_for 10 file_has peer.out there
    kill -KILL "$(<peer.pid)"
    wait_for 10 file_has client.err 'is at EOF'
    echo hello 1<>in # who waits for nobody
    wait_for 10 file_has hub.err ' E .*bytes could not be delivered'
}
