#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# SHA256: what passes stays as it is, its sum is told or compared, and what is cut has none.
load ../helpers

prepare() {
    seq 1 50000 >in
    sum=$(sha256sum <in)
    sum=${sum%% *}
    other=${sum%?}x
    other=${other/%x/$(tr 0-9a-f 1-9a-f0 <<<"${sum: -1}")}
}

@test "told on standard error or in a file, for each direction" {
    for way in '' --unfused -cS; do
        rm -f sums
        catena $way -u open:in 'sha256|create:out' 2>err
        same "$sum  right" "$(<err)"
        same_files in out
        catena $way -U create:out 'sha256|open:in' 2>err
        same "$sum  left" "$(<err)"
        catena $way 'sha256:sums,label=here|-' 'gzip|gunzip|pipe' <in | cmp - in
        same "$sum  here left $sum  here right" "$(sort sums | paste -sd' ')"
        catena $way - 'sha256:left,direction=left|pipe' <in | cmp - in
        same "$sum  left" "$(<left)"
        rm left
        catena $way - 'sha256:a%sha256:b|pipe' <in | cmp - in
        same "$sum  right" "$(<a)"
        same "$sum  left" "$(<b)"
        rm a b
    done
}

@test "a sum that is expected" {
    for way in '' --unfused -cS; do
        catena $way -u open:in "sha256,expect=$sum|create:out" 2>err
        [ ! -s err ]
        catena $way -u open:in "sha256:sums,expect=${sum^^}|create:out"
        same "$sum  right" "$(<sums)"
        rm sums
        run catena $way -u open:in "sha256,expect=$other|create:out"
        same 1 "$status"
        has "$output" " E .*sha256.*to the right is $sum, expected was $other"
        same_files in out
        run catena $way - "sha256,expect=$other,direction=left|pipe" <in
        same 1 "$status"
        has "$output" "to the left is $sum, expected was $other"
    done
}

# The sum is that of what has come by then, but the rest may be missing.
@test "a stream that is cut matches nothing" {
    catena -u open:in 'gzip|create:in.gz'
    head -c -10 in.gz >cut.gz
    for way in '' --unfused -cS; do
        run catena $way -u open:cut.gz "gunzip|sha256,expect=$sum|create:out"
        same 1 "$status"
        # the reader goes away
        run catena $way -u open:/dev/zero "sha256,expect=$sum|exec:true"
        same 1 "$status"
        has "$output" 'cannot be compared: it did not come to its end'
        # a clock, when all that was expected has passed
        mkfifo f 2>/dev/null || :
        exec 8<>f
        cat in >f &
        run catena $way -u -T 0.3 open:f,rdonly "sha256,expect=$sum|create:out"
        exec 8<&-
        same_files in out
        same 1 "$status"
        has "$output" ' E .*cannot be compared'
    done
    start run "$CATENA_BIN" -d -d -u open:/dev/zero "sha256|open:/dev/null" </dev/null
    wait_for 5 file_has run.err 'starting data transfer'
    end "$pid"
    finish run 143
    has "$(<run.err)" ' W .*no sum'
}

@test "packets stay packets" {
    start receiver "$CATENA_BIN" -d -d -u udp-recv:0,bind=127.0.0.1 'tap:sizes,format=hex|create:out' </dev/null
    receiver=$pid
    wait_for 5 file_has receiver.err 'starting data transfer'
    port=$(sed -n 's/.*receiving socket bound to AF=2 .*:\([0-9]*\)$/\1/p' receiver.err)
    for size in 10 2000 8000; do
        head -c $size /dev/zero >p
        catena -u open:p "sha256:sums|udp-sendto:127.0.0.1:$port"
    done
    wait_for 5 size_is out 10010
    kill "$receiver"
    finish receiver 143
    same '10 2000 8000' "$(sed -n 's/.*length=\([0-9]*\) .*/\1/p' sizes | paste -sd' ')"
    same "$(sha256sum <p | cut -d' ' -f1)  right" "$(tail -n 1 sums)"
}

@test "what cannot be is an error of the plan" {
    run catena -n -u - 'sha256,expect=abc|stdout'
    same 1 "$status"
    has "$output" 'expect "abc" is no sum of 64 hexadecimal digits'
    run catena -n - "sha256,expect=$sum|pipe"
    same 1 "$status"
    has "$output" 'expect needs direction=right or direction=left'
    run catena -u open:in 'sha256:no/such/file|create:out'
    same 1 "$status"
    has "$output" 'file for sums "no/such/file"'
}

@test "in a sandbox" {
    needs_sandbox
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want more than relaying does"
    catena --sandbox - 'sha256:sums|pipe' <in | cmp - in
    same 2 "$(grep -c "^$sum" sums)"
}

# bats test_tags=thread
@test "clients of a listener, and what one of them lacks" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "sha256:sums,expect=$sum,direction=right|open:/dev/null"
    server=$pid
    catena -u open:in "tcp:127.0.0.1:$port"
    catena -u open:in "tcp:127.0.0.1:$port"
    catena -u text:abc "tcp:127.0.0.1:$port"
    wait_for 5 file_has server.err "expected was $sum"
    wait_for 5 size_is sums 216
    same 2 "$(grep -c "^$sum  right" sums)"
    end "$server"
    finish server 143
}
