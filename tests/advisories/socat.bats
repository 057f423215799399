#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# One test for each advisory that was published about socat: what was wrong there must be right here.
load ../helpers

# survives <arguments...>: ends by itself, well or with an error line; no signal ends it.
survives() {
    status=0
    timeout -k 5 "$LIMIT" "$CATENA_BIN" "$@" </dev/null >out 2>log || status=$?
    case $status in
    0) ;;
    1) grep -q ' E ' log || grep -q '^not there by now:$' out || { echo "no error line: ${*:0:200}" && return 1; } ;;
    *) echo "status $status: ${*:0:200}" && return 1 ;;
    esac
}

# Advisory 1. Messages were handed to syslog() as its format.
@test "CVE-2004-1484: format directives in what is logged to syslog" {
    [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || skip "needs root: its own /dev/log"
    mkdir dev
    evil='%n%n%s%s%p%9999d'
    # shellcheck disable=SC2016
    unshare -m timeout -k 5 "$LIMIT" bash -ec '
        mount -t tmpfs none dev
        for f in null zero full random urandom; do touch dev/$f && mount --bind /dev/$f dev/$f; done
        "$CATENA_BIN" -u unix-recv:dev/log create:messages 2>receiver.err &
        until [ -S dev/log ]; do sleep 0.02; done
        mount --bind dev /dev
        for to in "open:./$1" "proxy:$1:80|pipe" "exec:$1" "unix-connect:$1"; do
            status=0
            "$CATENA_BIN" -ly -d -d -d -d - "$to" </dev/null 2>/dev/null || status=$?
            [ $status = 1 ]
        done
        status=0
        "$CATENA_BIN" -lmlocal0 -lp "$1" -d -d -d -d -u open:/dev/null create:none 2>/dev/null || status=$?
        [ $status = 0 ]
        until grep -q "exiting with status 0" messages; do sleep 0.02; done
        kill %1; wait %1 || :' own "$evil"
    # As they were written.
    [ "$(grep -a -o -F "$evil" messages | wc -l)" -ge 4 ] || { cat messages && return 1; }
}

# Advisory 2. A buffer on the stack for pieces of nested quotes and brackets.
@test "CVE-2010-2799: long and deep nested pieces on the command line" {
    for n in 256 511 513 1025 20000; do
        fill "$n"
        for argument in "\"$text\"" "'$text'" "($text)" "{$text}" "[$text]" "open:\"$text\"" "exec:'$text'" \
            "exec:[$text]" "proxy:a:b,proxyauth='$text'" "${text//A/(}" "${text//A/\"}" "${text//A/\\}" \
            "${text//A/[}x" "exec:${text//A/\'}"; do
            survives -n - "$argument"
        done
        [ "$n" -gt 5000 ] || survives -n - "${text//A/[}${text//A/]}"
        [ "$n" -gt 5000 ] || survives -n - "${text//A/\{}${text//A/\}}"
    done
}

# Advisory 8. The same lexer again, with pieces that are just long.
@test "MSVR-1499: long pieces in the argument lexer" {
    for n in 256 511 513 1025 20000; do
        fill "$n"
        for argument in "$text" "open:$text" "tcp:$text" "tcp:a:$text" "pipe,$text" "pipe,mode=$text" \
            "tcp:a:b,$text=x" "open:\\$text" "${text//A/,}" "${text//A/:}" "${text//A/!}" "${text//A/|}" \
            "${text//A/^}" "${text//A/%}" "nop|$text|pipe"; do
            survives -n - "$argument"
        done
        survives -n --v1 - "open:$text"
    done
}
fill() { printf -v text '%*s' "$1" '' && text=${text// /A}; } # so many letters

# Advisory 3. A prompt taken from what the other side wrote overran a buffer.
@test "CVE-2012-0219: READLINE with endless lines from the other side" {
    command -v script >/dev/null || skip "needs script(1)"
    for options in '' ,noprompt ",prompt=$(printf 'p%.0s' {1..5000})"; do
        for n in 511 513 1024 100000; do
            head -c "$n" /dev/zero | tr '\0' x >line
            status=0
            TERM=xterm INPUTRC=/dev/null timeout -k 5 "$LIMIT" script -qec \
                "'$CATENA_BIN' -lf log -T 0.2 readline$options system:'cat line; exec sleep 1000'" typescript \
                </dev/null >shown || status=$?
            [ "$status" = 0 ] || { echo "status $status with $n bytes" && cat log && return 1; }
        done
    done
}

# Advisory 4. A client that was refused by range, sourceport, lowport or tcpwrap left a descriptor.
@test "CVE-2013-3571: descriptors of refused clients" {
    printf 'ALL: ALL\n' >deny && : >allow
    for how in fork thread; do
        for refusal in range=127.0.0.2/32 sourceport=1 lowport \
            "tcpwrap=x,hosts-allow=$T/allow,hosts-deny=$T/deny"; do
            start_listener server "tcp-listen:0,bind=127.0.0.1,backlog=128,$how,$refusal" pipe
            server=$pid
            refused 1
            fds=$(open_fds "$server")
            "$PEER" storm "$port" 60 3 0 >storm.out
            refused 61
            same "$fds" "$(open_fds "$server")"
            kill "$server"
            finish server 143
        done
    done
}
refused() { # <count>: clients have been refused, so many in all
    [ "$1" != 1 ] || catena -T 1 - "tcp:127.0.0.1:$port" <<<x >/dev/null 2>&1 || :
    wait_for 10 has_refused "$1"
}
has_refused() { [ "$(grep -c 'refusing connection' server.err)" = "$1" ]; }

# Advisory 5. The request to the proxy was put together in a buffer on the stack.
@test "CVE-2014-0019: long names and credentials in the request to a proxy" {
    for n in 100 255 256 512 1024 4096 5000; do
        printf -v text '%*s' "$n" ''
        text=${text// /h}
        start_peer proxy line shut
        survives "proxy:$text:443|tcp:127.0.0.1:$port" pipe
        if [ "$n" -le 255 ]; then
            has "$(<proxy.out)" "^CONNECT $text:443 HTTP/1.0"
        else
            has "$(<log)" "bytes; at most"
        fi
        kill "$(<proxy.pid)" 2>/dev/null || :
        start_peer proxy line line shut
        survives "proxy:www.example:443,proxyauth=user:$text|tcp:127.0.0.1:$port" pipe
        if [ "$n" -lt 4096 ]; then
            same "user:$text" "$(sed -n 's/^Proxy-Authorization: Basic \([^\r]*\).*/\1/ip' proxy.out | base64 -d)"
        fi
        kill "$(<proxy.pid)" 2>/dev/null || :
        for form in "socks4a:$text:80" "socks5:$text:80" "socks4a:h:80,socksuser=$text" \
            "socks5:h:80,socksuser=$text,sockspass=$text" "openssl,verify=0,snihost=$text"; do
            start_peer server shut
            survives "$form|tcp:127.0.0.1:$port" pipe
            same 1 "$status"
            kill "$(<server.pid)" 2>/dev/null || :
        done
    done
}

# Advisory 6. The handler of SIGCHLD did what no handler may do.
@test "CVE-2015-1379: signals without end while a forking server works and logs" {
    start server "$CATENA_BIN" -d -d -d -d -lu tcp-listen:0,bind=127.0.0.1,backlog=128,fork pipe </dev/null
    server=$pid
    wait_for 10 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
    (while kill -CHLD "$server" && kill -USR1 "$server"; do :; done) 2>/dev/null &
    storm=$!
    "$PEER" storm "$port" 200 10 4 >storm.out
    kill "$storm" && wait "$storm" || :
    same '200 of 200' "$(tail -n 1 storm.out)"
    same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    wait_for 10 alone
    kill "$server"
    finish server 143
    same 0 "$(grep -a -c -v '^20[0-9/]* [0-9:.]* catena\[[0-9]*\] [FEWNID] ' server.err)" # no torn line
}
alone() { [ -z "$(pgrep -P "$server")" ]; }

# Advisory 7. The built-in Diffie-Hellman prime was short, and none.
@test "CVE-2016-2217: Diffie-Hellman parameters are strong" {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert 2>openssl.log
    cat cert key >both
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,cert=both,verify=0" pipe
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -tls1_2 -cipher DHE </dev/null >client 2>&1 || :
    bits=$(sed -n 's/.*Server Temp Key: DH, \([0-9]*\) bits.*/\1/p' client)
    echo "DH bits: ${bits:-none}"
    [ "${bits:-4096}" -ge 2048 ]
    kill "$(<server.pid)"
    # Given ones that are weak are refused. (A prime of 512 bits.)
    openssl prime -generate -bits 512 -safe -hex >prime
    { printf 'asn1=SEQUENCE:d\n[d]\np=INTEGER:0x%s\ng=INTEGER:2\n' "$(<prime)"; } >dh.cnf
    openssl asn1parse -genconf dh.cnf -noout -out dh.der
    { echo '-----BEGIN DH PARAMETERS-----' && base64 dh.der && echo '-----END DH PARAMETERS-----'; } >dh.pem
    survives openssl-listen:0,bind=127.0.0.1,cert=both,verify=0,dhparam=dh.pem,accept-timeout=0.1 pipe
    same 1 "$status"
    has "$(<log)" ' E .*dh'
}

# Advisory 9. A script that came along wrote to a name in /tmp that others could foresee.
@test "CVE-2024-54661: no predictable names in shared directories" {
    # Comments may speak of them.
    same '' "$(grep -rn -E '(^|[^a-z$])/(var/)?tmp/' "$top/src" "$top/tools" "$top/include" "$top/Makefile" |
        grep -vE 'fileXXXXXX|^[^:]*\.[ch]:[0-9]*: *(/\*|\*|//)')"
    # Nothing of that kind while running either.
    command -v strace >/dev/null || skip "needs strace"
    strace -f -o trace -e trace=file "$CATENA_BIN" -u 'gzip|open:/dev/null' 'nop|create:out' </dev/null 2>log || :
    same '' "$(grep -v execve trace | grep -E '"/(var/)?tmp/' | grep -v -F -e /tmp/tsan. -e "$BATS_RUN_TMPDIR" -e "${CATENA_BIN%/*}")"
}
