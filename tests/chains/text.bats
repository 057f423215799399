#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# BASE64 and HEX as text, against the programs that write and read it.
load ../helpers

setup_file() { { seq 1 20000; "$PEER" gen 100001 3; } >"$BATS_FILE_TMPDIR/in"; }

prepare() {
    in=$BATS_FILE_TMPDIR/in
    quiet="sleep 1.1"
}

to_hex() { python3 -c 'import sys; sys.stdout.write(sys.stdin.buffer.read().hex())'; }
to_base64() { base64 -w 0; }

@test "-u and -U, in both chains" {
    for f in base64 hex; do
        to_$f <"$in" >text
        for way in '' --unfused -cS; do
            catena $way -u - "$f|stdout" <"$in" | cmp - text
            catena $way -u - "un$f|stdout" <text | cmp - "$in"
            catena $way -u - "^$f|stdout" <text | cmp - "$in"
            catena $way -u "$f|stdin" stdout <text | cmp - "$in"
            catena $way -u "un$f|stdin" stdout <"$in" | cmp - text
            catena $way -U stdout "un$f|stdin" <"$in" | cmp - text
            catena $way -U "$f|stdout" stdin <"$in" | cmp - text
        done
    done
}

@test "both ways, in duals, in front of each other" {
    for f in base64 hex; do
        catena - "$f|exec:cat" <"$in" | cmp - "$in"
        catena - "$f % un$f | pipe" <"$in" | cmp - "$in"
        catena - "$f|un$f|^un$f|^$f|pipe" <"$in" | cmp - "$in"
        catena - "hex|base64|gzip|gunzip|unbase64|unhex|pipe" <"$in" | cmp - "$in"
    done
    same AGhlbGxv "$(printf '\0hello' | catena -u - 'base64|stdout')"
    same 0068656c6c6f "$(printf '\0hello' | catena -u - 'hex|stdout')"
    assert_nothing_left
}

@test "lines, alphabets, padding, case, separator" {
    catena -u open:"$in" 'base64,line-length=76|stdout' | cmp - <(base64 "$in")
    base64 "$in" | catena -u - 'unbase64|stdout' | cmp - "$in"
    catena -u open:"$in" 'base64,url,padding=none|create:text'
    python3 -c 'import base64, sys; sys.stdout.buffer.write(base64.urlsafe_b64encode(sys.stdin.buffer.read()).rstrip(b"="))' <"$in" | cmp - text
    catena -u open:text 'unbase64,url|stdout' | cmp - "$in"
    same 00:FF:10 "$(printf '\0\377\020' | catena -u - 'hex,separator=\:,case=upper|stdout')"
    same 'a-b' "$(printf '61:2d\n62' | catena -u - 'unhex|stdout')"
}

@test "errors name the byte and its place" {
    each refused <<'E'
base64 'Zm9v!' '"!" (0x21) at offset 4 is no base64'
base64 'Zm9vY' 'cut short'
base64,padding=strict 'Zm8' 'no padding'
hex '66 zz' '"z" (0x7a) at offset 3 is no hexadecimal digit'
hex '66 6' 'cut short'
E
}
refused() { # <address> <text> <message>
    run catena -u - "un$1|stdout" <<<"$2"
    same 1 "$status"
    has "$output" " E .*$3"
    run catena -u "$1|stdin" stdout <<<"$2"
    same 1 "$status"
}

# What is no full group leaves when the input rests, but only where both directions are used.
@test "pauses" {
    pause() { printf abcd; $quiet; printf ef; }
    same YWJjZGVm "$(pause | catena -u - 'base64|stdout')"
    same YWJjZA==ZWY= "$(pause | catena -u - 'base64,flush=idle|stdout')"
    same YWJjZA==ZWY= "$(pause | catena - 'base64%nop|exec:cat')"
    same YWJjZGVm "$(pause | catena - 'base64,flush=never%nop|exec:cat')"
    same abcdef "$(pause | catena - 'base64|exec:cat')"
}

@test "a dialog, and a late answer" {
    for f in base64 hex; do
        rm -f go
        start_peer right 'line' 'send:answer\n' 'line' eof "until:$T/go" 'send:late\n' shut
        pr=$port
        start_peer left 'send:question\n' 'line' 'send:bye!\n' shut line eof
        start run "$CATENA_BIN" "tcp:127.0.0.1:$port" "$f|un$f|tcp:127.0.0.1:$pr"
        wait_for 5 file_has right.out 'bye!'
        ($quiet; touch go) &
        finish run
        finish left
        finish right
        has "$(<left.out)" answer
        has "$(<left.out)" late
    done
}

# bats test_tags=thread
@test "clients of a listener" {
    for f in base64 hex; do
        start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "un$f|system:'tr a-z A-Z'"
        server=$pid
        for _ in 1 2 3; do
            same HELLO "$(catena - "$f|tcp:127.0.0.1:$port" <<<hello)"
        done
        end "$server"
        finish server 143
    done
}
