#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Passwords and pass phrases: from options, files and variables, and never to be seen: not in the
# process list, in logs, in dumps, in a dry run, or in programs that were started.
bats_require_minimum_version 1.5.0
load ../helpers

SECRET=Zq7secretZq7
MIME=dXNlcjpacTdzZWNyZXRacTc= # of user:$SECRET

setup_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    openssl ec -in "$BATS_FILE_TMPDIR/certs/server.key" -aes256 -passout "pass:$SECRET" \
        -out "$BATS_FILE_TMPDIR/certs/locked.key" 2>/dev/null
}

prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    echo "$SECRET" >secret
    echo "user:$SECRET" >login
}

# unseen <file or directory...>
unseen() {
    if grep -raE -e "$SECRET" -e "$MIME" "$@"; then return 1; fi
}

# The proxy's side of a dialog that succeeds: what it got is in proxy.out.
http_proxy() {
    start_peer proxy line line line "send:HTTP/1.0 200 OK\r\n\r\n" shut eof
}

@test "proxy password as option, from a file, from a variable" {
    for option in "proxyauth=user:$SECRET" proxyauthfile=login proxy-authorization-file=login \
        proxyauthenv=LOGIN proxy-authorization-env=LOGIN; do
        http_proxy
        LOGIN="user:$SECRET" run -0 catena -d -d -d -d - \
            "proxy:target:80,$option|tcp:127.0.0.1:$port" </dev/null
        finish proxy
        has "$(<proxy.out)" "Proxy-authorization: Basic $MIME"
        echo "$output" >log
        unseen log
    done
}

@test "socks password as option, from a file, from a variable" {
    port_of_micro=$(free_port)
    start micro microsocks -i 127.0.0.1 -p "$port_of_micro" -u user -P "$SECRET" </dev/null
    wait_for 5 port_listens "$port_of_micro"
    start_listener target tcp-listen:0,bind=127.0.0.1,fork pipe
    mkfifo in # most proxies close both directions when one ends: so it stays open
    for name in sockspass socks5-password; do
        for option in "$name=$SECRET" "$name-file=secret" "$name-env=PW"; do
            PW=$SECRET start client "$CATENA_BIN" -v -d -d -d -d - \
                "socks5:127.0.0.1:$port,socksuser=user,$option|tcp:127.0.0.1:$port_of_micro" <>in
            echo hello >in
            wait_for 10 file_has client.out hello
            kill "$pid"
            finish client 143
            unseen client.err client.out
        done
    done
    kill "$(<micro.pid)"
}

@test "pass phrase of a key as option, from a file, from a variable" {
    for option in "passphrase=$SECRET" passphrase-file=secret openssl-passphrase-env=PW; do
        PW=$SECRET start_listener server -d -d tcp-listen:0,bind=127.0.0.1 \
            "^openssl-server,cert=$certs/server.crt,key=$certs/locked.key,verify=0,$option|pipe"
        same hello "$(catena - "openssl:localhost:$port,cafile=$certs/ca.crt" <<<hello)"
        finish server
        unseen server.err
    done
    run -1 catena - "^openssl-server,cert=$certs/server.crt,key=$certs/locked.key,passphrase=wrong$SECRET|pipe"
    has "$output" ' E .*openssl-key'
    has_not "$output" "$SECRET"
}

# A shell with a terminal of its own asks for the pass phrase; what is written to 7 is typed there.
# Its number is in asked.pid, the status in status, what the terminal is like then in modes.
asks_at_terminal() {
    rm -f asked.pid status modes
    printf '%s\n' 'trap : INT' \
        "sh -c 'echo \$\$ >asked.pid; exec \"\$CATENA_BIN\" -d -d openssl-listen:0,bind=127.0.0.1,cert=$certs/server.crt,key=$certs/locked.key,verify=0 pipe 2>asked.err'" \
        'echo $? >status' 'stty -a >modes' >shell
    start terminal "$CATENA_BIN" - exec:'sh shell',pty,setsid,ctty <&7
    wait_for 10 file_has terminal.out 'Enter PEM pass phrase:'
}

echoes() { grep -E '(^| )echo( |$)' modes; }

@test "pass phrase of a key, asked for at the terminal" {
    mkfifo typed
    exec 7<>typed
    asks_at_terminal
    printf '%s\n' "$SECRET" >&7
    wait_for 10 file_has asked.err 'listening on'
    unseen terminal.out asked.err
    kill -TERM "$(<asked.pid)"
    wait_for 10 test -s modes
    echoes
    asks_at_terminal
    printf 'wrong\n' >&7
    wait_for 10 test -s modes
    same 1 "$(<status)"
    has "$(<asked.err)" ' E .*openssl-key'
    exec 7>&-
}

@test "a signal ends the question for a pass phrase, and the terminal is as it was" {
    mkfifo typed
    exec 7<>typed
    asks_at_terminal
    kill -TERM "$(<asked.pid)"
    wait_for 10 test -s modes
    same 143 "$(<status)"
    echoes
    asks_at_terminal
    printf '\003' >&7 # ^C
    wait_for 10 test -s modes
    same 130 "$(<status)"
    echoes
    exec 7>&-
}

@test "the last one given counts" {
    http_proxy
    catena - "proxy:target:80,proxyauth=other:one,proxyauthfile=login|tcp:127.0.0.1:$port" </dev/null
    finish proxy
    has "$(<proxy.out)" "$MIME"
}

@test "what is wrong with a file or a variable is said" {
    start_peer proxy eof
    run -1 catena - "proxy:target:80,proxyauthfile=nosuch|tcp:127.0.0.1:$port" </dev/null
    has "$output" 'proxy-authorization-file "nosuch": no such file'
    unset NOSUCH
    run -1 catena - "proxy:target:80,proxyauthenv=NOSUCH|tcp:127.0.0.1:$port"
    has "$output" 'there is no variable "NOSUCH" in the environment'
    head -c 5000 /dev/zero | tr '\0' x >long
    start_peer proxy eof
    run -1 catena - "proxy:target:80,proxyauthfile=long|tcp:127.0.0.1:$port" </dev/null
    has "$output" 'more than 4096 bytes'
}

@test "the process list, its variables, and programs that were started" {
    start_peer proxy line line line "send:HTTP/1.0 200 OK\r\n\r\nhello\n" eof
    LOGIN="user:$SECRET" start ours "$CATENA_BIN" -d -d -d -d -lf log \
        "proxy:target:80,proxyauthenv=LOGIN,crnl|tcp:127.0.0.1:$port" \
        "proxy:target:80,proxyauth=user:$SECRET|system:'echo HTTP/1.0 200 OK; echo; env >env; \
            cat /proc/self/environ >environ; cat /proc/\$SOCAT_PPID/cmdline >cmdline; \
            cat /proc/\$SOCAT_PPID/environ >ours; echo ready >ready; cat >got',pipes" </dev/null
    wait_for 10 test -s ready
    kill "$(<ours.pid)"
    wait_for 10 is_gone "$(<ours.pid)"
    grep -zq 'proxyauth=\*\*\*\*\*' cmdline
    grep -zq 'proxyauthenv=LOGIN' cmdline
    grep -zq '^SOCAT_VERSION=' environ
    has_not "$(<env)" '^LOGIN='
    grep -zq '^LOGIN=\*\*\*' ours
    unseen env environ cmdline ours log ours.err ours.out
}

@test "messages that quote the arguments" {
    for address in "socks5:a:1,sockspass=$SECRET,bogus|tcp:b:2" \
        "socks5:a:1,sockspas=$SECRET|tcp:b:2" \
        "socks5:a:1,sockspass=$SECRET,x='|tcp:b:2" \
        "socks5:a:1,sockspass='$SECRET|tcp:b:2" \
        "socks5:a:1,sockspass='$SECRET',readbytes=x|tcp:b:2" \
        "socks5:a:1,sockspass=x|$SECRET" \
        "nosuch:a:1,sockspass=$SECRET" \
        "socks5:a,sockspass=$SECRET" \
        "proxy:a:b:80,proxyauth=u:x|$SECRET,bogus" \
        "proxy:a:b:80,proxyauth=u:x%$SECRET,bogus" \
        "proxy:a:b:80,proxyauth=u:$SECRET|nop,bogus" \
        "proxy:a:b:80,proxyauth=u:x|pipe%$SECRET,bogus" \
        "proxy:a:80,proxyauth=u:x%21$SECRET|tcp:p" \
        "gzip,sockspass=$SECRET|pipe"; do
        for switches in "" -dddd --v1 -n; do
            # shellcheck disable=SC2086
            run -1 catena $switches - "$address"
            has "$output" ' E '
            has_not "$output" "$SECRET"
            run -1 catena $switches "$address" -
            has_not "$output" "$SECRET"
        done
    done
}

@test "a line that is nearly right" {
    while read -r address; do
        run catena - "$address" </dev/null
        fails_with=$status
        [ "$fails_with" != 0 ]
        has_not "$output" "${SECRET}"
    done <<ROWS
proxy:127.0.0.1:www:443,proxyauth=joe:x!!$SECRET
proxy:www:443,proxyauth=joe:x!!$SECRET|tcp:127.0.0.1:1
openssl:127.0.0.1:1,password=$SECRET
openssl:127.0.0.1:1,pass=$SECRET
openssl:127.0.0.1:1,passwd=$SECRET
proxy:127.0.0.1:www:443,auth=joe:$SECRET
ROWS
}

@test "a dry run" {
    : >x
    PW=$SECRET run -0 catena -n "proxy:a:1,proxyauth=u:$SECRET|tcp:b:2" \
        "socks5:a:1,socksuser=u,sockspass-env=PW|openssl,key=x,passphrase=$SECRET|tcp:b:3"
    has "$output" 'proxy-authorization=\*\*\*'
    has "$output" 'sockspass-env=PW'
    has "$output" 'openssl-passphrase=\*\*\*'
    has_not "$output" "$SECRET"
}
