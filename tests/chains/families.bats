#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Families of the program's own that are modules: found without a word, loaded when they are used, and not before.
load ../helpers

families=$(sed -nE 's/^FAMILY\(([a-z0-9_]+), "(.*)"\)$/\1 \2/p' "$BATS_TEST_DIRNAME/../../src/inter/inters.def")

home=$(dirname "$(realpath "$CATENA_BIN")")

setup_file() { [ -d "$home/families" ] || skip "built into the program"; }

# moved: a program with nothing beside it but what is put there
moved() {
    mkdir -p else/families
    cp "$CATENA_BIN" else/catena
}

@test "-V lists them, -h where each address is from, and the names that are known are all that there are" {
    while read -r family names; do
        has "$(catena -V)" "^ *module families/$family.so, version [0-9]*: $names\$"
        listed=$(catena -hhh | sed -nE "s|^ *([A-Z0-9-]+)[:\[	].*from .*/families/$family\.so.*|\1|p" | sort -u)
        for name in $listed; do
            has "$(catena -h "$name")" "^ *from $home/families/$family.so\$"
            listed+=$'\n'$(catena -hhh | sed -nE "s/^ *([A-Za-z0-9-]+)\t+is an alias name for $name\$/\U\1/p")
        done
        same "$(tr ' ' '\n' <<<"$names" | sort)" "$(sort -u <<<"$listed" | sed '/^$/d')"
        has_not "$(nm "$CATENA_BIN" 2>/dev/null)" " forms_$family\$"
    done <<<"$families"
}

@test "a line that has none of their names loads none, nor do -V and what is no mistake" {
    loads() { LD_DEBUG=files "$CATENA_BIN" "$@" 2>&1 </dev/null | grep -c 'calling init: .*/families/' || :; }
    same 0 "$(loads /dev/null /dev/null)"
    same 0 "$(loads -n - 'gzip|openssl,verify=0|tcp:localhost:1')"
    same 0 "$(loads --v1 -n - 'open:telnet')"
    same 0 "$(loads -V)"
    same 1 "$(loads -n - 'nop,term=vt100|telnet|tcp:localhost:1')"
}

@test "one that is missing, or not to be trusted, is missed only where it is used" {
    moved
    refused() { # <pattern>
        run else/catena - 'telnet|tcp:localhost:1'
        same 1 "$status"
        has "$output" " E module \".*/families/telnet.so\".*$1.*\[E-MODULE\]\$"
        has "$output" '^ *telnet|tcp'
        run else/catena -h telnet
        same 1 "$status"
        has "$output" "$1"
        same hello "$(else/catena -u - 'gzip|gunzip|stdout' <<<hello)"
        has "$(else/catena -hh)" '^ *GZIP'
    }
    refused 'no such file'
    lacks() { has "$(else/catena -V | grep -A1 families/telnet.so)" "^ *it cannot be used: module \".*/telnet.so\".*$1"; }
    lacks 'no such file'
    cp "$home/families/telnet.so" else/families
    chmod go+w else/families/telnet.so
    refused 'others than root and you may write to it'
    lacks 'others than root and you may write to it'
    chmod go-w else/families/telnet.so
    has_not "$(else/catena -V)" 'it cannot be used: module ".*/telnet.so"'
    has "$(else/catena -h telnet)" "from $T/else/families/telnet.so"
    echo nonsense >else/families/telnet.so
    refused 'cannot be loaded'
    run catena - 'telnt|tcp:localhost:1'
    has "$output" 'did you mean "telnet"'
}

@test "before anything is forked, threaded or confined" {
    for how in fork thread; do
        local confined=(--sandbox)
        [ "$how" = fork ] || confined=()
        start_listener "$how" "${confined[@]}" "telnet-server|tcp-l:0,bind=127.0.0.1,$how" pipe
        for i in 1 2; do
            same "hello $i" "$(catena -t2 - "telnet|tcp:127.0.0.1:$port" <<<"hello $i" | tr -d '\r')"
        done
        kill "$(<"$T/$how.pid")"
        wait_for 10 is_gone "$(<"$T/$how.pid")"
    done
}
