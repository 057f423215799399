#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# POSIX message queues. The reference is too old to know them.
load ../helpers

prepare() {
    remove_queues # a user may have less than ten of the usual size
    Q=/catena-test-$$-$BATS_TEST_NUMBER
    echo "$Q" >>"$BATS_FILE_TMPDIR/queues"
    "$CATENA_BIN" -u /dev/null "posixmq-send:$Q" || skip "no message queues here"
}

remove_queues() {
    local q
    [ -e "$BATS_FILE_TMPDIR/queues" ] || return 0
    while read -r q; do "$CATENA_BIN" -u /dev/null "posixmq-send:$q,unlink-close"; done \
        <"$BATS_FILE_TMPDIR/queues"
    rm "$BATS_FILE_TMPDIR/queues"
}

teardown_file() { remove_queues; }

send() { printf %s "$1" | catena -u - "posixmq-send:$Q${2:+,$2}"; }
receive() { catena -u "posixmq-recv:$Q${1:+,$1}" -; }

@test "one message, then the end" {
    send one
    send two
    same one "$(receive)"
    same two "$(receive)"
    same one "$(send one && catena -u "POSIXMQ-RECEIVE:$Q" -)"
    same one "$(send one && catena -u "posixmq-receive:$Q,o-nonblock" -)"
}

@test "priorities: the highest first" {
    send low mq-prio=1
    send high posixmq-priority=7
    send none
    same high "$(receive)"
    same low "$(receive)"
    same none "$(receive)"
}

@test "read: all messages, no end" {
    send a
    printf b | catena -u - "posixmq-write:$Q"
    same ab "$(catena -T 0.3 -u "posixmq-read:$Q" -)"
    start reader "$CATENA_BIN" -u "posixmq:$Q" - </dev/null
    send c
    wait_for 5 file_has reader.out c
    send d
    wait_for 5 file_has reader.out cd
    kill "$(<reader.pid)"
    finish reader 143
}

@test "a message waits for its reader, a reader for its message" {
    start reader "$CATENA_BIN" -d -d -u "posixmq-recv:$Q" - </dev/null
    wait_for 5 file_has reader.err 'waiting for a message'
    send late
    finish reader
    same late "$(<reader.out)"
    catena -T 0.2 -u "posixmq-recv:$Q,o-nonblock" - >out
    [ ! -s out ]
    start reader "$CATENA_BIN" -d -d -u "posixmq-recv:$Q" - </dev/null
    wait_for 5 file_has reader.err 'waiting for a message'
    kill "$(<reader.pid)"
    finish reader 143
}

@test "a full queue holds the writer back, not the run" {
    Q=$Q-small
    echo "$Q" >>"$BATS_FILE_TMPDIR/queues"
    start writer bash -c "for i in 1 2 3 4 5 6; do echo \$i; done |
        '$CATENA_BIN' -u -b 2 - posixmq-send:$Q,mq-maxmsg=2,mq-msgsize=16" </dev/null
    for i in 1 2 3 4 5 6; do same "$i" "$(receive)"; done
    finish writer
}

@test "both ways: an echo; the short keyword wants one way" {
    same both "$(printf both | catena -t 0.5 - "posixmq-bidirectional:$Q")"
    run catena - "posixmq:$Q" </dev/null
    same 1 "$status"
    has "$output" POSIXMQ-BIDIRECTIONAL
    printf x | catena -u - "posixmq:$Q"
    same x "$(receive)"
}

# one_way <keyword> <call> <arguments...>: warned, and failed in the call that goes the wrong way.
one_way() {
    run catena -t 2 "${@:3}" <<<more
    same 1 "$status"
    has "$output" " W .*\"$1\": address is opened in .* mode but only supports"
    has "$output" " E .*\"$1\": $2 .*bad file descriptor"
}
@test "keywords for one way do not go the other one" {
    one_way posixmq-read writing - "posixmq-read:$Q"
    one_way posixmq-read writing -u - "posixmq-read:$Q"
    same "" "$(catena -T 0.2 -u "posixmq-read:$Q" -)"
    send kept
    one_way posixmq-send reading - "posixmq-send:$Q"
    same kept "$(receive)"
    for keyword in posixmq-send posixmq-write; do
        run catena -u "$keyword:$Q" -
        same 1 "$status"
        has "$output" " E first address \"$keyword\": is used read-only here"
    done
}

@test "messages that are too long, and blocks that are too small" {
    seq 100 >in
    run catena -u open:in "posixmq-send:$Q,unlink-early,mq-msgsize=100"
    same 1 "$status"
    has "$output" 'message too long'
    send 0123456789
    same 0123456789 "$(catena -b 4 -u "posixmq-recv:$Q" -)"
    send 0123456789
    same 0123456789 "$(catena -b 4 -u "posixmq-recv:$Q,o-nonblock" -)"
    send 0123456789
    same 0123456789 "$(catena -b 4 -T 0.3 -u "posixmq-read:$Q" -)"
    send 0123456789
    same 0123456789 "$(catena -b 4 -T 0.3 "posixmq-read:$Q!!open:/dev/null,wronly" \
        'open:/dev/null,rdonly,ignoreeof!!-')"
}

@test "attributes: of a queue that is made, and of one that is there" {
    N=$Q-new
    echo "$N" >>"$BATS_FILE_TMPDIR/queues"
    catena -u /dev/null "posixmq-send:$N,mq-maxmsg=3,posixmq-msgsize=100"
    run catena -d -u /dev/null "posixmq-send:$N,posixmq-maxmsg=5"
    same 0 "$status"
    has "$output" ' W requested posixmq-maxmsg=5, but result is 3'
    head -c 101 /dev/zero >in
    run catena -u open:in "posixmq-send:$N"
    same 1 "$status"
}

@test "flush, unlink-early, unlink-close, excl, creat" {
    send old
    same new "$(send new mq-flush && receive)"
    send old
    same '' "$(catena -T 0.2 -u "posixmq-recv:$Q,mq-flush,o-nonblock" -)"
    send old
    send new unlink-early
    same new "$(receive)"
    run catena -u - "posixmq-send:$Q,o-excl" </dev/null
    same 1 "$status"
    has "$output" 'file exists'
    catena -u /dev/null "posixmq-send:$Q,unlink-close"
    run catena -u /dev/null "posixmq-send:$Q,o-creat=0"
    same 1 "$status"
    has "$output" 'no such file'
    catena -u /dev/null "posixmq-send:$Q,o-excl"
}

@test "a queue that is removed at the end of a run that a signal ends" {
    start reader "$CATENA_BIN" -d -d -u "posixmq-read:$Q,unlink-close" - </dev/null
    wait_for 5 file_has reader.err 'starting data transfer loop'
    kill "$(<reader.pid)"
    finish reader 143
    run catena -u "posixmq-read:$Q,creat=0" -
    same 1 "$status"
}

@test "names" {
    run catena -u /dev/null posixmq-send:noslash
    same 1 "$status"
    has "$output" 'invalid argument'
    run catena -u /dev/null posixmq-send
    same 1 "$status"
    run catena -u posixmq-send:/x -
    same 1 "$status"
}

@test "fork: a child for each message" {
    start server "$CATENA_BIN" -u "posixmq-recv:$Q,fork,max-children=2" \
        'open:got,creat,append' </dev/null
    for i in 1 2 3 4 5; do send "m$i"; done
    wait_for 5 size_is got 10
    for i in 1 2 3 4 5; do grep -q "m$i" got; done
    kill "$(<server.pid)"
    finish server 143
    assert_nothing_left
}

@test "where nothing can be written the end of the other side is seen all the same" {
    for i in 1 2 3 4; do
        send "message $i"
        run catena -d -d "posixmq-recv:$Q" exec:false
        same 1 "$status" # not 124
    done
}
