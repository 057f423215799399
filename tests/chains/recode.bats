#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# RECODE: characters of one set become those of another and back, against iconv(1).
load ../helpers

prepare() {
    python3 -c 'print("Zażółć — ελληνικά — 日本語 — 한국어 — € — grün\n" * 2000)' >utf8
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 300)' >cp437
    quiet="sleep 1.1"
}

@test "both ways, in both chains" {
    iconv -f CP437 -t UTF-8 cp437 >line
    for way in '' --unfused -cS; do
        catena $way -u - 'recode:cp437:utf-8|stdout' <cp437 | cmp - line
        catena $way -u - '^recode:cp437:utf-8|stdout' <line | cmp - cp437
        catena $way -u 'recode:cp437:utf-8|stdin' stdout <line | cmp - cp437
        catena $way -U stdout 'recode:cp437:utf-8|stdin' <line | cmp - cp437
        catena $way -U 'recode:cp437:utf-8|stdout' stdin <cp437 | cmp - line
        catena $way - 'recode:cp437:utf-8|exec:cat' <cp437 | cmp - cp437
        catena $way - 'recode:cp437:utf-8%recode:utf-8:cp437|pipe' <cp437 | cmp - cp437
        catena $way - 'recode:utf-8:utf-16|recode:utf-16:gb18030|recode:gb18030:utf-8|pipe' <utf8 | cmp - utf8
    done
}

@test "as iconv does it: states, marks, sets of all sizes" {
    for set in UTF-16 UTF-16BE UTF-32 UTF-7 GB18030; do
        iconv -f UTF-8 -t $set utf8 | cmp - <(catena -u open:utf8 "recode:utf-8:$set|stdout")
        iconv -f UTF-8 -t $set utf8 | catena -u - "recode:$set:utf-8|stdout" | cmp - utf8
    done
    printf '日本語 and かな' >jp
    for set in ISO-2022-JP EUC-JP SHIFT_JIS; do
        iconv -f UTF-8 -t $set jp | cmp - <(catena -u -b 1 open:jp "recode:utf-8:$set|stdout")
        iconv -f UTF-8 -t $set jp | catena -u -b 1 - "recode:$set:utf-8|stdout" | cmp - jp
    done
    same 'grun EUR' "$(printf 'grün €' | catena -u - 'recode:utf-8:ascii//translit|stdout' | sed 's/gr?n/grun/')"
}

@test "what is no character: fail, replace, skip" {
    bad='ab\377cd\342\202\254e\342\202'
    run catena -u - 'recode:utf-8:iso-8859-1|create:out' < <(printf "$bad")
    same 1 "$status"
    has "$output" ' E .*recode.*byte 0xff at offset 2 is no utf-8'
    same ab "$(<out)"
    run catena -u - 'recode:utf-8:iso-8859-1|create:out' < <(printf 'a€')
    same 1 "$status"
    has "$output" 'character 2, U+20AC, is none of iso-8859-1'
    run catena -u - 'recode:utf-8:iso-8859-1|create:out' < <(printf 'a\342\202')
    same 1 "$status"
    has "$output" 'the end comes in the middle of a character of utf-8'
    same 'ab?cd?e?' "$(printf "$bad" | catena -u - 'recode:utf-8:iso-8859-1,on-error=replace|stdout')"
    same abcde "$(printf "$bad" | catena -u - 'recode:utf-8:iso-8859-1,on-error=skip|stdout')"
    same 'ab�cd€e�' "$(printf "$bad" | catena -u - 'recode:utf-8:utf-8,on-error=replace|stdout')"
}

@test "names that nobody knows" {
    run catena -u - 'recode:utf-8:klingon|stdout' </dev/null
    same 1 "$status"
    has "$output" ' E .*recode.*character set "klingon" is not known here'
    run catena -n - 'recode:klingon:utf-8|pipe'
    has "$output" 'not there by now'
    has "$output" 'character set "klingon" is not known here'
    run catena -n - 'recode:utf-8|pipe'
    same 1 "$status"
    run catena -n - 'recode:utf-8:cp437,on-error=shrug|pipe'
    same 1 "$status"
    has "$output" 'on-error "shrug" is none of fail, replace, skip'
}

# A character in two packets, a pause in between; an answer after the end.
@test "a dialog, split characters, and a late answer" {
    start_peer right 'line' 'send:gr\xfcn\n' 'line' eof "until:$T/go" 'send:sp\xe4t\n' shut
    pr=$port
    start run "$CATENA_BIN" - "recode:utf-8:iso-8859-1|tcp:127.0.0.1:$pr" < <(
        printf 'gr\303'
        $quiet
        printf '\274n\n'
        wait_for 5 file_has run.out 'grün'
        printf 'bye\n'
    )
    wait_for 5 file_has right.out bye
    ($quiet; touch go) &
    finish run
    finish right
    same 'grün spät' "$(paste -sd' ' run.out)"
}

@test "in a sandbox: what it needs is there by then" {
    needs_sandbox
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers want more than relaying does"
    catena --sandbox - 'recode:cp437:utf-8|recode:utf-8:cp437|pipe' <cp437 | cmp - cp437
    catena --sandbox - 'recode:utf-8:gb18030|recode:gb18030:utf-8,on-error=replace|pipe' <utf8 | cmp - utf8
}

# bats test_tags=thread
@test "clients of a listener" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork "recode:utf-8:cp437|system:'od -An -tx1'"
    server=$pid
    for _ in 1 2 3; do
        same '67 72 81 6e' "$(printf grün | catena - "tcp:127.0.0.1:$port" | sed 's/^ //')"
    done
    end "$server"
    finish server 143
}

@test "blocks of every size that end within a character" {
    for n in 253 254 255 256 257 258 510 4095 8191; do
        for lead in '' a ab; do
            python3 -c 'import sys; sys.stdout.write(sys.argv[2] + "é€😀ü"[int(sys.argv[1]) % 4] * int(sys.argv[1]))' $n "$lead" >cut
            catena -u open:cut 'recode:utf-8:utf-16le|stdout' | cmp - <(iconv -f utf-8 -t utf-16le cut)
        done
    done
}
