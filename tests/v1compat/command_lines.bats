#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Command lines as people have them, with | % and ^ in programs, passwords and file names: the
# reference, ours under its name, and catena do the same. Where a chain is as possible, each name has
# its own meaning, and says so.
load ../helpers

prepare() { programs=(socat_ref socat_ours catena); }

# Each program gets a directory of its own with these.
furnish() {
    mkdir -p "$1/dir"
    printf '#!/bin/sh\ngunzip >stored\n' >"$1/store.sh"
    chmod +x "$1/store.sh"
    echo percent >"$1/dir/report%20"
    echo caret >"$1/^f"
    echo bar >"$1/a|b"
    echo pipe >"$1/dir|pipe"
}

# alike <input> <arguments...>: output, status and the files left are the same for all programs.
alike() {
    local name input=$1
    shift
    for name in "${programs[@]}"; do
        rm -rf run "$name"
        furnish run
        (cd run && status=0 && printf '%s' "$input" | "$name" "$@" >out 2>err || status=$?
            echo "$status" >status)
        mv run "$name"
        has_not "$(<"$name/err")" ' [EW] '
        rm -f "$name/err"
        same 0 "$(<"$name/status")"
    done
    for name in "${programs[@]:1}"; do
        diff -r "${programs[0]}" "$name"
    done
}

@test "a shell's pipeline is one address" {
    each alike hello <<'ROWS'
-u - 'SYSTEM:cat | gzip | ./store.sh'
-u - "SYSTEM:cat | gzip | $T/run/store.sh"
-u - 'SYSTEM:cat|gzip|./store.sh'
-t 5 - 'SYSTEM:cat | gzip | gunzip | tee t'
-t 5 - 'SYSTEM:cat | gzip | gunzip | tee ./t'
-u - 'SYSTEM:cat | gzip | gunzip | dd of=./t 2>/dev/null'
-u 'SYSTEM:echo hi | /bin/cat' -
-u 'SYSTEM:ps ax | grep -c 1 >/dev/null; echo hi' -
-u 'SYSTEM:echo 7 | tr 7 %' -
-u 'SYSTEM:expr 7 % 4' -
-u 'SYSTEM:date +%s >/dev/null; echo a' -
-u 'EXEC:expr 7 % 4' -
-u 'EXEC:echo a | /bin/cat' -
-u 'EXEC:printf %s-%s 4 5' -
-u 'SYSTEM:echo a | sed s/^a/b/' -
ROWS
}

@test "brackets that are open at the end" {
    furnish() { mkdir "$1" && echo x >"$1/a(b" && echo y >"$1/[c"; }
    each alike hello <<'ROWS'
-u 'OPEN:a(b' -
-u './[c' -
-u 'SYSTEM:echo {a' -
ROWS
}

@test "so is one of the user's shell" {
    programs=(socat_ours catena) # the reference has no SHELL
    each alike hello <<'ROWS'
-u 'SHELL:echo hi | /bin/cat' -
-u 'SHELL:expr 7 % 4' -
-u - 'SHELL:cat | gzip | ./store.sh'
-u TEXT:100%1 -
ROWS
}

@test "percent, bar and caret in file names" {
    each alike hello <<'ROWS'
-u OPEN:dir/report%20 -
-u dir/report%20 -
-u ./dir/report%20,rdonly -
-u './a|b' -
-u 'OPEN:a|b' -
-u 'GOPEN:./dir|pipe' -
-u './^f' -
-u 'OPEN:^f' -
-u - OPEN:dir/t%1,creat
-u - 'CREATE:t|nop'
-u - './t%40,creat'
-u - './t%pipe,creat'
'OPEN:dir/report%20!!OPEN:dir/t%1,creat' PIPE,readbytes=8
ROWS
}

@test "a socket whose name has a percent sign" {
    for name in "${programs[@]}"; do
        rm -rf dir && mkdir dir
        start server "$name" -u UNIX-LISTEN:dir/app%40 - </dev/null
        wait_for 10 unix_listens dir/app%40
        "$name" -u - UNIX-CONNECT:dir/app%40 <<<"$name"
        finish server
        same "$name" "$(<server.out)"
    done
}

login() { # <password>: arrives whole, and is not to be seen
    local name
    for name in "${programs[@]}"; do
        start_peer proxy line line line "send:HTTP/1.0 200 OK\r\n\r\n" shut eof
        run "$name" -d -d -d -d - "PROXY:127.0.0.1:target:80,proxyport=$port,proxyauth=joe:$1" </dev/null
        finish proxy
        has "$(<proxy.out)" "Basic $(printf '%s' "joe:$1" | base64)"
        [ "$name" = socat_ref ] || has_not "$output" "joe:"
    done
}

@test "passwords with percent, bar and caret" {
    each login <<'ROWS'
Passw0rd%21
'pa|nop'
'pa|pipe'
'a%-'
'a^b'
'^a|b%c'
ROWS
}

@test "an IPv6 address with its scope" {
    for name in socat_ours catena; do
        "$name" -n - TCP6:[::1]:80,bind=fe80::1%4 >plan
        has "$(<plan)" 'bind=fe80::1%4'
        run "$name" -n - 'TCP6:[fe80::1%1]:80'
        same 0 "$status"
    done
}

@test "what can be a chain is one for catena, and for socat what it is in v1" {
    line='SYSTEM:cat | gzip | pipe'
    run catena -n -d -d - "$line"
    has "$output" ' N second address: taken for a chain; .*--v1'
    has "$output" '^  gzip'
    run socat_ours -n -d -d - "$line"
    has "$output" ' N second address: taken for a single address, as v1 does'
    has "$output" '^  system:cat | gzip | pipe'
    run catena -n -d -d --v1 - "$line"
    has_not "$output" taken
    has "$output" '^  system:cat | gzip | pipe'
    run catena -n -d -d - 'SYSTEM:cat \| gzip \| pipe'
    has_not "$output" taken
    has "$output" '^  system:cat | gzip | pipe'
    run catena -n - "$line" # not a word at the usual level
    has_not "$output" ' [NWE] '
}

@test "paths and numbers at the end of a chain" {
    each same_bytes <<'ROWS'
catena 'gzip|./out'
catena 'gzip,level=3|./out'
socat_ours 'gzip,level=3|./out'
catena 'nop|gzip|./out'
catena 'gzip|1'
socat_ours 'gzip|1'
catena 'gzip | fd:1'
ROWS
    printf abc >from
    same abc "$(catena -%./from pipe </dev/null)"
    same abc "$(printf abc | socat_ours 1%0 pipe)"
    same abc "$(printf abc | socat_ours '- % -' pipe)"
}

same_bytes() { # <program> <chain that compresses>
    : >out
    printf hello | "$1" -u - "$2" >stdout
    [ -s out ] || mv stdout out
    same hello "$(gunzip <out)"
}

@test "no reading works: the error is about the chain, and names the ways out" {
    for name in socat_ours catena; do
        for line in 'tcp:h:80,mss=abc,bogus|nosuch:1' 'OPEN:dir/x%20,bogus' 'PROXY:p:h,proxyauth=a|nop'; do
            run "$name" -s - "$line" </dev/null
            same 1 "$status"
            same 1 "$(grep -c '\] [EWN] ' <<<"$output")"
            has "$output" 'backslash'
            has "$output" '[-]-v1'
        done
    done
}

@test "options that belong further right go there" {
    make_certs certs
    start_listener server TCP-LISTEN:0,bind=127.0.0.1,fork \
        '^OPENSSL-SERVER,cert=certs/server.pem,verify=0|PIPE'
    for name in socat_ours catena; do
        same hello "$("$name" - "OPENSSL,verify=0,connect-timeout=5|TCP:127.0.0.1:$port" <<<hello 2>err)"
        same '' "$(<err)"
        run "$name" -d -d - "OPENSSL,verify=0,connect-timeout=5|TCP:127.0.0.1:$port" </dev/null
        has "$output" ' N second address, link 1 "openssl": option "connect-timeout".* goes to .*link 2 "tcp"'
    done
    kill "$(<server.pid)"
}
