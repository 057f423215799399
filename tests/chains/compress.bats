#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# zstd, lz4, brotli, zlib and deflate: which way they run where, interworking with the programs of these
# names, their options, and what their peers may do.
load ../helpers

formats='zstd lz4 brotli zlib deflate'

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    { seq 1 100000; "$PEER" gen 300000 3; seq 1 1000; } >in
    for f in $formats; do pack "$f" <in >"in.$f"; done
}

prepare() {
    in=$BATS_FILE_TMPDIR/in
    quiet="sleep 1.1"
}

# The other implementation of each format.
pack() {
    case $1 in
    zlib) pigz -zc ;;
    deflate) python3 -c 'import sys, zlib; c = zlib.compressobj(6, zlib.DEFLATED, -15); sys.stdout.buffer.write(c.compress(sys.stdin.buffer.read()) + c.flush())' ;;
    *) "$1" -c ;;
    esac
}
unpack() {
    case $1 in
    zlib) pigz -dzc ;;
    deflate) python3 -c 'import sys, zlib; d = zlib.decompressobj(-15); sys.stdout.buffer.write(d.decompress(sys.stdin.buffer.read())); sys.exit(not d.eof or len(d.unused_data))' ;;
    *) "$1" -dc ;;
    esac
}

compresses() { # <format> <arguments...>
    local f=$1 way
    shift
    for way in '' --unfused -cS; do
        # shellcheck disable=SC2086
        catena $way "$@" <"$in" >out.packed
        unpack "$f" <out.packed | cmp - "$in"
        [ "$(stat -c %s out.packed)" -lt "$(stat -c %s "$in")" ]
    done
}
expands() {
    local f=$1 way
    shift
    for way in '' --unfused -cS; do
        # shellcheck disable=SC2086
        catena $way "$@" <"$in.$f" >out
        same_files out "$in"
    done
}

@test "-u and -U, in both chains" {
    for f in $formats; do
        compresses $f -u - "$f|stdout"
        expands $f -u - "un$f|stdout"
        expands $f -u - "^$f|stdout"
        expands $f -u "$f|stdin" stdout
        compresses $f -u "un$f|stdin" stdout
        compresses $f -U stdout "un$f|stdin"
        expands $f -U stdout "$f|stdin"
        compresses $f -U "$f|stdout" stdin
        expands $f -U "un$f|stdout" stdin
    done
}

@test "both ways, in duals, in front of each other" {
    for f in $formats; do
        catena - "$f|exec:cat" <"$in" | cmp - "$in"
        catena - "$f % un$f | pipe" <"$in" | cmp - "$in"
        catena - "$f % ^$f | pipe" <"$in" | cmp - "$in"
        catena - "$f|un$f|^un$f|^$f|pipe" <"$in" | cmp - "$in"
        catena "$f%un$f|stdio" "$f%un$f|pipe" <"$in.$f" | unpack $f | cmp - "$in"
    done
    catena - 'zstd|lz4|brotli|zlib|deflate|inflate|unzlib|unbrotli|unlz4|unzstd|pipe' <"$in" | cmp - "$in"
    assert_nothing_left
}

@test "an empty stream is a complete one; nothing at all is none" {
    for f in $formats; do
        catena -u open:/dev/null "$f|create:out.packed"
        same '' "$(unpack $f <out.packed)"
        catena -u open:out.packed "un$f|create:out"
        [ -e out ]
        [ ! -s out ]
        run catena -u open:/dev/null "un$f|create:out"
        same 1 "$status"
        has "$output" "un$f.*: $f stream cut short"
    done
}

@test "streams in a row; garbage behind them; streams that are cut or damaged" {
    for f in $formats; do
        case $f in
        deflate | brotli) # nothing tells where the next one begins
            run catena -u system:"cat $in.$f $in.$f" "un$f|create:out"
            same 1 "$status"
            has "$output" "garbage behind the end of the $f stream"
            ;;
        *)
            cat "$in.$f" "$in.$f" | catena -u - "un$f|stdout" >out
            cat "$in" "$in" | cmp - out
            ;;
        esac
        { cat "$in.$f"; echo garbage; } >bad
        run catena -u open:bad "un$f|create:out"
        same 1 "$status"
        has "$output" ' E .*garbage behind the end'
        same_files out "$in"
        head -c -1 "$in.$f" >bad
        run catena -u open:bad "un$f|create:out"
        same 1 "$status"
        has "$output" ' E .*stream cut short'
        { head -c 20000 "$in.$f"; printf 'XXXXXXXXXXXXXXXX'; tail -c +20017 "$in.$f"; } >bad
        run catena -u open:bad "un$f|create:out"
        same 1 "$status"
        has "$output" ' E '
        printf '\377this is plain text' >bad
        run catena -u open:bad "un$f|create:out"
        same 1 "$status"
        has "$output" ' E .*stream'
        [ ! -s out ]
    done
}

@test "level, window, threads, flush" {
    for row in zstd:1:19 lz4:1:12 brotli:1:9 zlib:0:9 deflate:0:9; do
        IFS=: read -r f low high <<<"$row"
        for n in $low $high; do
            catena -u open:"$in" "$f,level=$n|create:$n.packed"
            unpack $f <$n.packed | cmp - "$in"
        done
        [ "$(stat -c %s $high.packed)" -lt "$(stat -c %s $low.packed)" ]
        run catena -u open:"$in" "$f,level=23|create:none"
        same 1 "$status"
        has "$output" ' E .*level "23" is no number from'
        [ ! -e none ]
        for policy in idle always never; do
            catena -u open:"$in" "$f,flush=$policy|create:x"
            unpack $f <x | cmp - "$in"
        done
        run catena -n - "$f,flush=often|pipe"
        has "$output" 'flush "often" is none of idle, always, never'
    done
    for f in zstd zlib deflate; do
        for n in 0 2 5; do
            catena -u open:"$in" "$f,threads=$n|create:x"
            unpack $f <x | cmp - "$in"
        done
        catena -u open:/dev/null "$f,threads=2|create:x"
        same '' "$(unpack $f <x)"
    done
    catena -u open:"$in" "zstd,window=12|create:small"
    catena -u open:"$in" "zstd,long|create:far"
    for x in small far; do zstd -dc $x | cmp - "$in"; done
    [ "$(stat -c %s far)" -lt "$(stat -c %s small)" ]
    catena -u open:"$in" 'brotli,window=10|create:x'
    brotli -dc x | cmp - "$in"
    run catena -n - 'lz4,window=10|pipe'
    same 1 "$status"
    has "$output" window
}

@test "a peer may not ask for more memory than it is allowed to" {
    catena -u text:abc 'zstd,window=28|create:x'
    run catena -u open:x 'unzstd|create:out'
    same 1 "$status"
    has "$output" 'window of more than 2^27 bytes (window= allows a larger one)'
    same abc "$(catena -u open:x 'unzstd,window=28|stdout')"
}

@test "max-ratio ends a stream that grows too much" {
    head -c 20000000 /dev/zero >zeros
    for f in $formats gzip; do
        catena -u open:zeros "$f|create:bomb"
        run catena -u open:bomb "^$f,max-ratio=50|create:out"
        same 1 "$status"
        has "$output" " E .*[0-9]* bytes of a $f stream have become [0-9]*: more than 50 times as many"
        [ "$(stat -c %s out)" -lt 2000000 ]
        catena -u open:bomb "^$f,max-ratio=1000000|create:out"
        same_files zeros out
    done
}

# Half-closed from either side; the answer comes after a quiet second.
@test "a late answer arrives whole" {
    for f in $formats; do
        rm -f go
        start_peer right 'line' eof "until:$T/go" 'send:late\n' shut
        start run "$CATENA_BIN" - "$f|un$f|tcp:127.0.0.1:$port" <<<question
        wait_for 5 file_has right.out question
        ($quiet; touch go) &
        finish right
        finish run
        same late "$(<run.out)"
        has "$(<right.out)" question
    done
}

talk() { # <links>
    start_peer right 'line' 'send:answer\n' 'line' 'eof'
    pr=$port
    start_peer left 'send:question\n' 'line' 'send:bye\n' shut eof
    start run "$CATENA_BIN" "tcp:127.0.0.1:$port" "$1|tcp:127.0.0.1:$pr"
    finish run
    finish left
    finish right
    has "$(<left.out)" answer
    has "$(<right.out)" bye
}

@test "an interactive stream is not held back" {
    for f in $formats zstd,threads=2 zlib,threads=2; do talk "$f|un${f%,*}"; done
}

@test "64 MiB both ways at once, in bounded memory" {
    n=67108864
    for links in 'zstd,level=1|unzstd|lz4|unlz4'; do
        start_peer left "duplex:$n:1:$n:2"
        pl=$port
        start_peer right "duplex:$n:2:$n:1"
        start run "$CATENA_BIN" "tcp:127.0.0.1:$pl" "$links|tcp:127.0.0.1:$port"
        p=$pid
        while ! is_gone "$p"; do
            peak=$(peak_kib "$p" 2>/dev/null) || :
            most=${peak:-$most}
            sleep 0.02
        done
        finish run
        finish left
        finish right
        echo "peak: $most KiB"
        [ -n "${CATENA_SANITIZE:-}" ] || [ "$most" -lt 60000 ]
    done
}

# bats test_tags=thread
@test "clients of a listener" {
    for f in $formats; do
        start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "^$f|system:'tr a-z A-Z'"
        server=$pid
        for _ in 1 2 3; do
            same HELLO "$(catena - "$f|tcp:127.0.0.1:$port" <<<hello)"
        done
        start quiet "$CATENA_BIN" - "$f|tcp:127.0.0.1:$port" < <($quiet; echo late)
        finish quiet
        same LATE "$(<quiet.out)"
        end "$server"
        finish server 143
    done
}

@test "in a sandbox" {
    needs_sandbox
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want more than relaying does"
    for f in $formats zstd,threads=2; do
        catena --sandbox - "$f|un${f%,*}|pipe" <"$in" | cmp - "$in"
    done
}

# However long the library takes for a block, or for all that its threads have taken.
@test "a signal ends strong compressors, too" {
    base64 -w0 /dev/urandom | head -c 6000000 >much
    for link in zstd,level=19,threads=2 zstd,level=19 brotli,level=11; do
        start slow "$CATENA_BIN" -d -d -u open:much "$link|open:/dev/null"
        wait_for 5 file_has slow.err 'starting data transfer'
        kill "$pid"
        finish slow 143
    done
}
