#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# STALL and TEXT. The reference is too old to know them.
load ../helpers

@test "text: the string and the end of file, nothing added" {
    same 'hello, world' "$(catena -u 'text:hello\, world' -)"
    same ' a' "$(catena -u 'text: a' -)"
    same 'a"b' "$(catena -u 'text:a\"b' - | head -c 100)"
    same 6 "$(catena -u text:123456 - | wc -c | tr -d ' ')"
}

@test "text: written to, it shows" {
    same xyz "$(printf xyz | catena -u - text:unused)"
    same 'in and out' "$(printf ' and out' | catena text:in 'exec:cat')$(printf ' and out' | catena -u - text:x)"
    same pong "$(catena text:ping 'system:cat >got; printf pong')"
    same ping "$(<got)"
}

@test "text: longer than a pipe" {
    long=$(head -c 100000 /dev/zero | tr '\0' x)
    catena -u "text:$long" - | cmp - <(printf %s "$long")
}

@test "text: a program that replaces us can read it" {
    same abc "$(catena text:abc exec:cat,nofork)"
}

@test "text: in a chain, in blocks, as one half" {
    same abc "$(catena -u 'nop|text:abc' -)"
    same abc "$(catena -u -b 1 text:abc -)"
    same left "$(catena 'text:left!!open:right,creat,wronly' text:right)"
    same right "$(<right)"
}

@test "text: parameters and options" {
    run catena -u text -
    same 1 "$status"
    run catena -u text:a,nodelay -
    same 1 "$status"
    same a "$(catena -u text:a,pipesz=8192 -)"
}

@test "stall: neither data nor end of file" {
    start reader "$CATENA_BIN" -d -d -u stall - </dev/null
    wait_for 5 file_has reader.err 'starting data transfer loop'
    kill -TERM "$(<reader.pid)"
    finish reader 143
    [ ! -s reader.out ]
    catena -T 0.2 stall - </dev/null
    catena -T 0.2 -u stall /dev/null
}

@test "stall: takes nothing, and does not keep the processor busy" {
    seq 100000 >in
    start writer "$CATENA_BIN" -d -d -u open:in stall </dev/null
    wait_for 5 file_has writer.err 'starting data transfer loop'
    kill -TERM "$(<writer.pid)"
    finish writer 143
    TIMEFORMAT='%3U %3S'
    { time catena -T 0.5 -u open:in stall; } 2>times
    read -r user system <times
    ((10#${user/./} + 10#${system/./} < 200 * SLOWER)) # milliseconds
}

@test "stall: the other direction goes on" {
    catena -t 0.2 -u 'text:abc!!stall' - >out
    same abc "$(<out)"
    same abc "$(catena -T 0.3 - 'text:abc!!stall' <<<ignored)"
    catena -u stall,pipesz=8192 /dev/null &
    kill $!
    wait $! || same 143 $?
}
