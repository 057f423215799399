#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# gzip and gunzip: which way they run where, interworking with gzip(1), and their options.
load ../helpers

setup_file() {
    { seq 1 200000; "$PEER" gen 500000 3; seq 1 1000; } >"$BATS_FILE_TMPDIR/in"
    gzip -c <"$BATS_FILE_TMPDIR/in" >"$BATS_FILE_TMPDIR/in.gz"
}

prepare() {
    in=$BATS_FILE_TMPDIR/in
    gz=$BATS_FILE_TMPDIR/in.gz
}

compresses() { # <arguments...>: "in" becomes a gzip file on standard output
    catena "$@" <"$in" >out.gz
    gzip -dc out.gz | cmp - "$in"
    [ "$(stat -c %s out.gz)" -lt "$(stat -c %s "$in")" ]
    catena --unfused "$@" <"$in" >out.gz
    gzip -dc out.gz | cmp - "$in"
}

expands() {
    catena "$@" <"$gz" >out
    same_files out "$in"
    catena --unfused "$@" <"$gz" >out
    same_files out "$in"
}

@test "-u, right chain" {
    compresses -u - 'gzip|stdout'
    compresses -u - '^gunzip|stdout'
    expands -u - 'gunzip|stdout'
    expands -u - '^gzip|stdout'
}

@test "-u, left chain: mirrored" {
    expands -u 'gzip|stdin' stdout
    expands -u '^gunzip|stdin' stdout
    compresses -u 'gunzip|stdin' stdout
    compresses -u '^gzip|stdin' stdout
}

@test "-U, right chain" {
    expands -U stdout 'gzip|stdin'
    expands -U stdout '^gunzip|stdin'
    compresses -U stdout 'gunzip|stdin'
    compresses -U stdout '^gzip|stdin'
}

@test "-U, left chain" {
    compresses -U 'gzip|stdout' stdin
    compresses -U '^gunzip|stdout' stdin
    expands -U 'gunzip|stdout' stdin
    expands -U '^gzip|stdout' stdin
}

@test "both ways: compressed to the right, expanded to the left" {
    catena - 'gzip|exec:cat' <"$in" >out
    same_files out "$in"
    printf 'hello\n' >small
    out=$(catena - 'gzip|system:"gzip -dc | tr a-z A-Z | gzip -c"' <small)
    same HELLO "$out"
    out=$(catena - '^gunzip|system:"gzip -dc | tr a-z A-Z | gzip -c"' <small)
    same HELLO "$out"
    out=$(catena 'gzip|system:"gzip -dc | tr a-z A-Z | gzip -c"' - <small)
    same HELLO "$out"
    assert_nothing_left
}

@test "both ways: gunzip" {
    gzip -c <<<hello >small.gz
    out=$(catena - 'gunzip|system:"tr a-z A-Z"' <small.gz | gzip -dc)
    same HELLO "$out"
    out=$(catena - '^gzip|system:"tr a-z A-Z"' <small.gz | gzip -dc)
    same HELLO "$out"
}

@test "in duals" {
    catena - 'gzip % gunzip | pipe' <"$in" >out
    same_files out "$in"
    catena - 'gzip % ^gzip | pipe' <"$in" >out
    same_files out "$in"
    catena - 'gzip % exec1:"gzip -dc" | pipe' <"$in" >out
    same_files out "$in"
    catena 'gzip % gunzip | stdio' 'gzip % gunzip | pipe' <"$gz" >out
    gzip -dc out | cmp - "$in"
    assert_nothing_left
}

@test "in front of each other" {
    catena - 'gzip | gunzip | pipe' <"$in" >out
    same_files out "$in"
    catena - 'gzip|gzip|gzip|gunzip|gunzip|gunzip|pipe' <"$in" >out
    same_files out "$in"
    catena - 'gzip|^gzip|pipe' <"$in" >out
    same_files out "$in"
}

@test "an empty stream is a complete gzip file" {
    catena -u open:/dev/null 'gzip|create:out.gz'
    gzip -t out.gz
    same '' "$(gzip -dc out.gz)"
    catena -u open:out.gz 'gunzip|create:out'
    [ -e out ]
    [ ! -s out ]
}

@test "members in a row are one stream" {
    cat "$gz" "$gz" | catena -u - 'gunzip|stdout' >out
    cat "$in" "$in" | cmp - out
}

@test "what is no gzip stream is an error" {
    run catena -u - 'gunzip|stdout' <<<'this is plain text'
    same 1 "$status"
    has "$output" ' E .*gunzip'
}

@test "a damaged stream is an error" {
    { head -c 20000 "$gz"; printf 'XXXXXXXXXXXXXXXX'; tail -c +20017 "$gz"; } >bad.gz
    run catena -u open:bad.gz 'gunzip|create:out'
    same 1 "$status"
    has "$output" ' E '
}

@test "level" {
    catena -u open:"$in" 'gzip,level=1|create:1.gz'
    catena -u open:"$in" 'gzip,level=9|create:9.gz'
    gzip -dc 1.gz | cmp - "$in"
    gzip -dc 9.gz | cmp - "$in"
    [ "$(stat -c %s 9.gz)" -lt "$(stat -c %s 1.gz)" ]
    run catena -u open:"$in" 'gzip,level=10|create:x.gz'
    same 1 "$status"
    has "$output" ' E .*level.*10'
    has "$output" '\^'
    [ ! -e x.gz ]
}

# A large flow that fills the threads' blocks.
@test "threads" {
    cat "$in" "$in" "$in" >large
    for n in 0 1 2 5; do
        catena -u open:large "gzip,threads=$n|create:x.gz"
        gzip -t x.gz
        gzip -dc x.gz | cmp - large
        catena -u open:x.gz 'gunzip|create:x'
        same_files x large
    done
    catena -u open:/dev/null 'gzip,threads=2|create:x.gz'
    gzip -t x.gz
    same 20 "$(stat -c %s x.gz)"
    catena - 'gzip,threads=2|pipe' <large >x
    same_files x large
    catena - 'gzip,threads=2|^gzip,threads=3|gzip,level=1,threads=2|^gzip|pipe' <large >x
    same_files x large
    assert_nothing_left
    run catena -u open:large 'gzip,threads=65|create:none.gz'
    same 1 "$status"
    has "$output" ' E .*threads "65" .*from 0 to 64'
    has "$output" '\^'
    [ ! -e none.gz ]
}

@test "threads: a connecting address that forks has them in its child" {
    cat "$in" "$in" "$in" >large
    start_peer right save:x.gz
    start run catena -u open:large "gzip,threads=2|tcp:127.0.0.1:$port,fork,max-children=1"
    finish right
    finish run 1 # the next one finds nobody who listens
    gzip -dc x.gz | cmp - large
}

talk() { # <options of gzip>
    start_peer right 'line' 'send:answer\n' 'line' 'eof'
    pr=$port
    start_peer left 'send:question\n' 'line' 'send:bye\n' shut eof
    start run catena "tcp:127.0.0.1:$port" "gzip$1|gunzip|tcp:127.0.0.1:$pr"
    finish run
    finish left
    finish right
    has "$(<left.out)" answer
    has "$(<right.out)" bye
}

@test "an interactive stream is not held back" {
    talk ''
    talk ,threads=2
}

@test "the talk's examples" {
    compresses -u stdin 'gzip|stdout'
    compresses -U 'gzip|stdout' stdin
    catena 'gzip%^gzip|stdio' 'pipe' <"$gz" >out.gz
    gzip -dc out.gz | cmp - "$in"
}
