#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The addresses that show which way a chain runs: nop, test, testuni, testrev; forward, reverse,
# dual, on either side, in one direction. Every line runs both ways: with hops fused and without.
load ../helpers

# chain <marks> <arguments...>: "abc\n" goes in and comes out with these marks behind it.
chain() {
    local expected way out
    expected="abc
$1."
    shift
    for way in "" --unfused; do
        out=$(printf "abc\n" | catena $way "$@" 2>"$T/run.err" || echo "status $?"; printf .)
        same "$expected" "$out" || {
            echo "with \"$way\": $*"
            cat "$T/run.err"
            return 1
        }
        [ ! -s "$T/run.err" ]
    done
    assert_nothing_left
}

# refused <arguments...>: one error, status 1, nothing on standard output.
refused() {
    local way
    for way in '' --unfused; do
        printf 'abc\n' >"$T/in"
        run catena $way "$@" <"$T/in"
        same 1 "$status"
        has "$output" ' E '
        has_not "$output" '^abc'
    done
}

@test "nop changes nothing" {
    chain '' - 'nop|pipe'
    chain '' 'nop|stdio' 'nop|pipe'
    chain '' - 'nop|nop|nop|pipe'
    chain '' - '^nop|pipe'
    chain '' - 'nop%nop|pipe'
}
@test "test forward" { chain '><' - 'test|pipe'; }
@test "test reversed" { chain '<>' - '^test|pipe'; }
@test "test in the left chain is mirrored" { chain '<>' 'test|stdio' pipe; }
@test "test reversed in the left chain" { chain '><' '^test|stdio' pipe; }
@test "test on both sides" { chain '<><>' 'test|stdio' 'test|pipe'; }
@test "dual testuni and testrev" { chain '><' - 'testuni%testrev|pipe'; }
@test "dual test and test" { chain '>>' - 'test%test|pipe'; }
@test "dual nop and testrev" { chain '<' - 'nop%testrev|pipe'; }
@test "dual testuni and nop" { chain '>' - 'testuni%nop|pipe'; }
@test "-u with testuni" { chain '>' -u - 'testuni|stdout'; }
@test "-U with test" { chain '<' -U stdout 'test|stdin'; }
@test "-u with test in the left chain" { chain '<' -u 'test|stdin' stdout; }
@test "-u with testuni reversed in the left chain" { chain '>' -u '^testuni|stdin' stdout; }
@test "test and its reverse" { chain '><><' - 'test | ^test | pipe'; }
@test "blanks around | and %" {
    chain '><' - ' test  |  pipe'
    chain '><' - 'testuni % testrev | pipe'
    chain '<>' - ' ^ test | pipe'
}
@test "keywords in capitals" { chain '><' - 'TEST|PIPE'; }
@test "a long chain" {
    chain '>>>>>>>>>>>><<<<<<<<<<<<' - \
        'test|test|test|test|test|test|test|test|test|test|test|test|pipe'
}
@test "dual with ordinary ones around" { chain '>><<' - 'test | testuni%testrev | pipe'; }
@test "no input gives no marks" {
    out=$(catena - 'test|pipe' </dev/null)
    same '' "$out"
}

@test "testuni where both directions are wanted is refused" { refused - 'testuni|pipe'; }
@test "testuni against the stream is refused (-u)" { refused -u 'testuni|stdin' stdout; }
@test "testuni against the stream is refused (-U)" { refused -U stdout 'testuni|stdin'; }
@test "an inter address at the end is refused" { refused - test; }
@test "an endpoint in the middle is refused" { refused - 'pipe|pipe'; }
@test "a dual pipe is refused" { refused - 'pipe%pipe'; }
@test "an empty link is refused" {
    refused - 'test|'
    refused - '|pipe'
    refused - 'test||pipe'
}
@test "^ before an endpoint is refused" { refused - '^pipe'; }
@test "a dual where the context is one-way is refused" { refused -u - 'test%test|stdout'; }

@test "dual endpoint: written % read" {
    printf 'abc\n' >"$T/in"
    run catena 'create:out1%open:in' 'pipe'
    same 0 "$status"
    same abc "$(<"$T/out1")"
    run catena 'open:in!!create:out2' 'pipe'
    same 0 "$status"
    same abc "$(<"$T/out2")"
    same abc "$(printf abc | catena 'stdout%stdin' pipe)"
    same abc "$(printf abc | catena 'stdin!!stdout' pipe)"
    same abc "$(printf abc | catena 1%0 pipe)"
    same abc "$(printf abc | catena 0!!1 pipe)"
    same abc "$(printf abc | catena fd:1:0 pipe)"
}

@test "between two links bytes stay in memory, but for a -c that wants descriptors" {
    command -v strace >/dev/null || skip "needs strace"
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers do not like to be traced"
    head -c 1000000 /dev/zero >in
    for how in '' '-c s'; do
        # shellcheck disable=SC2086
        strace -f -o trace -e trace=sendto,sendmsg,?send \
            timeout "$LIMIT" "$CATENA_BIN" $how -u open:in 'test|test|create:out'
        same "$(($(stat -c %s out) > 1000000))" 1
        # a wake-up is one byte
        big=$(grep -c 'send\(to\)\?(.*, [0-9]\{4,\}, MSG' trace || :)
        case $how in '') same 0 "$big" ;; *) ((big > 0)) ;; esac
    done
}
