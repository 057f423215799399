#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP: shows what passes at its place, and changes nothing.
# bats file_tags=thread
load ../helpers

# Headers without their time, nor the connection that each line is with threads.
lines() { sed 's/[0-9/]* [0-9:.]*  \(process [0-9]* of user [0-9]*  \)\?/TIME /' "$1"; }

@test "all formats, in files and on standard error" {
    for format in text hex both; do
        case $format in text) switch=-v ;; hex) switch=-x ;; both) switch='-x -v' ;; esac
        printf 'a\tb\nc\\\001d\n' | catena - "tap:f,format=$format|pipe" >out
        # shellcheck disable=SC2086
        printf 'a\tb\nc\\\001d\n' | catena $switch - pipe >/dev/null 2>ref
        same "$(lines ref)" "$(lines f)"
        same "$(printf 'a\tb\nc\\\001d\n')" "$(<out)"
        rm f
        printf 'a\tb\nc\\\001d\n' | catena - "tap,format=$format|pipe" >out 2>f
        same "$(lines ref)" "$(lines f)"
        rm f
    done
    echo abc | catena - 'tap:f,format=raw,direction=right|pipe' >out
    same abc "$(<f)"
    same abc "$(<out)"
}

@test "direction and label" {
    echo abc | catena - 'tap:f,direction=left,label=here|test|pipe' >out
    same '< TIME here  length=6 from=0 to=5' "$(lines f | head -n 1)"
    same 'abc ><' "$(tail -n +2 f | tr '\n' ' ')"
    echo abc | catena - 'tap:g,direction=right,format=raw|test|pipe' >/dev/null
    same abc "$(<g)"
}

@test "at any place of both chains, any number, one file for many" {
    head -c 300000 /dev/urandom >in
    for way in '' --unfused -cS -cp; do
        rm -f a b c
        # shellcheck disable=SC2086
        catena -u $way 'tap:a,format=raw|gunzip|open:in' 'tap:b,format=raw|gunzip|tap:c,format=raw|create:out'
        cmp in out
        cmp in c
        cmp a b
        cmp in <(gunzip <a)
    done
    catena -u open:in 'tap:all,format=raw|nop|tap:all,format=raw|create:out'
    size_is all 600000
}

@test "records stay records through it" {
    start receiver "$CATENA_BIN" -d -d -u udp-recv:0,bind=127.0.0.1 'tap,format=hex|create:out' </dev/null
    receiver=$pid
    wait_for 5 file_has receiver.err 'starting data transfer'
    port=$(sed -n 's/.*receiving socket bound to AF=2 .*:\([0-9]*\)$/\1/p' receiver.err)
    for size in 10 2000 8000; do
        head -c $size /dev/zero >p
        catena -u open:p "tap:sent|udp-sendto:127.0.0.1:$port"
    done
    wait_for 5 size_is out 10010
    kill "$receiver"
    finish receiver 143
    same '10 2000 8000' "$(sed -n 's/.*length=\([0-9]*\) .*/\1/p' receiver.err | tr '\n' ' ' | sed 's/ $//')"
    same '10 2000 8000' "$(sed -n 's/.*length=\([0-9]*\) .*/\1/p' sent | tr '\n' ' ' | sed 's/ $//')"
}

@test "a FIFO that is full holds up its own connection, and no signal" {
    mkfifo f
    exec 8<>f
    start run "$CATENA_BIN" -u open:/dev/zero 'tap:f,format=raw|open:/dev/null' </dev/null
    wait_for 5 fifo_is_full
    kill "$pid"
    finish run 143
    exec 8<&-
}
fifo_is_full() { python3 -c 'import fcntl,struct,sys; sys.exit(struct.unpack("i", fcntl.ioctl(8, 0x541B, b"1234"))[0] < 65536)'; }

@test "a file that cannot be written makes the run fail" {
    run catena -u text:hello 'tap:/dev/full,format=raw|create:out'
    same 1 "$status"
    has "$output" ' E .*tap file cannot be written'
    same hello "$(<out)"
    run catena -u text:hello 'tap:no/such/file|create:out'
    same 1 "$status"
    has "$output" 'tap.*no/such/file.*[Nn]o such file'
}

@test "what it does not know is an error of the plan" {
    run catena -n - 'tap,format=xml|pipe'
    same 1 "$status"
    has "$output" 'format "xml" is none of text, hex, both, raw'
    run catena -n - 'tap,direction=up|pipe'
    has "$output" 'direction "up" is none of both, right, left'
    run catena -n - 'tap:a:b|pipe'
    same 1 "$status"
}

# bats test_tags=single
# A line that is alone is one of several there.
@test "of several connections the header says which one, of several places which one" {
    for how in fork thread; do
        start_listener server -v "tcp4-l:0,bind=127.0.0.1,$how" 'tap|tap,label=here|pipe'
        same hello "$(catena - "tcp4:127.0.0.1:$port,bind=127.0.0.5" <<<hello)"
        wait_for 5 file_has server.err '^< [0-9/]* [0-9:.]*  127.0.0.5:[0-9]*  length=6 from=0 to=5$'
        file_has server.err '^> [0-9/]* [0-9:.]*  127.0.0.5:[0-9]*  length=6 from=0 to=5$'
        file_has server.err '^> [0-9/]* [0-9:.]*  127.0.0.5:[0-9]*  second address, link 1 "tap"  length=6 '
        file_has server.err '^< [0-9/]* [0-9:.]*  127.0.0.5:[0-9]*  here  length=6 '
        end "$(<server.pid)"
        finish server 143
    done
    # alone it stays as it was, and under the name socat always
    for name in catena socat_ours; do
        $name -v - pipe <<<hello 2>err >out
        has "$(<err)" '^> [0-9/]* [0-9:.]*  length=6 from=0 to=5$'
        $name - 'tap|pipe' <<<hello 2>err >out
        has "$(<err)" '^> [0-9/]* [0-9:.]*  length=6 from=0 to=5$'
    done
    CATENA_BIN=$(socat_link) start_listener server -v tcp4-l:0,bind=127.0.0.1,fork pipe
    same hello "$(catena - "tcp4:127.0.0.1:$port" <<<hello)"
    wait_for 5 file_has server.err '^< [0-9/]* [0-9:.]*  length=6 from=0 to=5$'
    end "$(<server.pid)"
    finish server 143
}
