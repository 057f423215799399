#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What quotes, brackets and backslashes make of an address, and of the words of EXEC.
load common

prepare() {
    : >in
    cat >"$T/args.sh" <<'SH'
#!/bin/sh
for a; do printf '<%s>' "$a"; done
SH
    chmod +x "$T/args.sh"
}

names() { # each argument is the parameter of a CREATE: the same file names come of it
    local text
    for text; do both -u /dev/null "create:$text"; done
}

words() { # each argument is what follows the program of an EXEC: the same words come of it
    local text
    for text; do both -u "exec:$T/args.sh$text" -; done
}

@test "plain" {
    names abc a.b 'a b' ' a' a=b 'a;b' 'a*b' 'a$b' 'a@b' 'a!b' 'a#b' 'a&b'
}
@test "double quotes" {
    names '"abc"' 'a"b c"d' '"a:b"' '"a,b"' 'a"b""c"d'
}
@test "single quotes" {
    names "'abc'" "a'b c'd" "'a:b'" "'a\"b'" "'(a'" "a'b''c'd"
}
@test "brackets" {
    names '(abc)' '[abc]' '{abc}' '(a:b,c)' '(a "b,c" d)' '[a (b]c) d]' 'a(b)c' '((a)b)'
}
@test "brackets in quotes" {
    names '"(a)"' "\"'a'\"" "'[a]'" '"{a:b}"'
}
@test "a lone closing bracket" {
    names 'a)' 'a]b' 'a}' ')'
}
@test "backslash" {
    names 'a\:b' 'a\,b' 'a\"b' "a\\'b" 'a\\b' 'a\!b' 'a\ b' 'a\xb' 'a\qb' '(a\)b)'
}
@test "control characters" {
    names 'a\nb' 'a\tb' 'a\rb' 'a\fb' 'a\bb' 'a\ab' '"a\nb"' "'a\\tb'" '(a\nb)' 'a\0b'
}
@test "\\e is a plain e" {
    names 'a\eb'
}
@test "a trailing comma" {
    names abc,
}
@test "an unclosed quote" {
    both_fail -u /dev/null 'create:"abc'
    has "$(<ours.err)" 'unexpected end of address\|syntax error'
    for text in '"(a"' "\"a'b\""; do both_fail -u /dev/null "create:$text"; done
}
@test "an unclosed bracket goes on to the end" {
    names '(abc'
    names '[a(b'
    names '{abc,append'
}
@test "an unclosed unit, which the original reads on, is an error" {
    for text in "'abc" 'abc\'; do
        one ours -u /dev/null "create:$text"
        same 1 "$status"
        has "$(<ours.err)" 'unexpected end\|syntax error'
    done
}

@test "words: blanks" {
    words ' a b' ' a  b' ' a ' '' ' ' '  a'
}
@test "words: blanks in front of the program" { # where the reference looks for a program without name
    for text in "exec: $T/args.sh a" "exec:   $T/args.sh a"; do
        ours_alone -u "$text" -
        same '<a>' "$(<ours.out)"
    done
}
@test "words: quotes of the first pass vanish" {
    words ' "a b" c' " 'a b' c" ' a"b c"d'
}
@test "words: quotes of the second pass" {
    words ' \"a b\" c' " \\'a b\\' c"
    both -u "exec:'$T/args.sh \"a b\" c'" -
    both -u "exec:\"$T/args.sh \\\"a b\\\" c\"" -
    both -u "exec:\"$T/args.sh 'a b' c\"" -
}
@test "words: backslash" {
    words ' a\ b' ' a\\ b' ' a\:b' " 'a,b'" ' a\nb' ' a\\nb' ' a\,b'
}
@test "words: brackets" {
    words ' (a b)' ' [a b]' ' {a,b}' ' (a "b c" d)'
}
@test "words: empty ones" {
    words ' "" x' " '' x"
}
@test "words: no shell" {
    words ' $HOME *' ' ~' ' a|b' ' a>b' ' %s' ' a % b' ' ^a' ' a;b'
}
@test "words: !! ends it" {
    both "exec:$T/args.sh a!!-" /dev/null
}

@test "system: the shell gets the result of the first pass" {
    for text in 'echo a  b' 'echo "a  b"' "'echo \"a  b\"'" 'echo \"a  b\"' 'echo \$HOME' 'echo $HOME' \
        'echo a\; echo b' 'seq 1 20 | grep -c 1' 'echo a % b' 'expr 1 + 2 | cat'; do
        both -u "system:$text" -
    done
}

@test "keywords: case and aliases" {
    echo content >"$T/in"
    for address in STDIO stdio StdIO - STDIN 0 FD:0; do both -u "$address" create:out; done
    for address in CREAT:out Creat:out CREATE:out OPEN:out,creat File:out,o-creat GOPEN:out ./out; do
        both -u - "$address"
    done
}

@test "words that are no keyword" {
    for address in '' , : 01 0x1 nothing nothing:x 'a b' '"stdio'; do both_fail -u "$address" -; done
}

@test "numbers" {
    for address in 99 -1 1x 2147483648; do both_fail -u "$address" -; done
}
