#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What other relays, tunnels and proxy clients were hit by, where a relay of this kind could be too.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

tls_echo() { # <options>
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,$1" pipe
}

# stunnel: what was set for one service or connection decided about another's verification.
@test "CVE-2021-20230 class: verification belongs to one link, not to its neighbours" {
    start_listener inner "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/self.pem,verify=0" pipe
    innerport=$port
    start_listener outer "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,verify=0" "tcp:127.0.0.1:$innerport"
    trusted="openssl,cafile=$certs/ca.crt" lax=openssl,verify=0
    same hello "$(catena - "$lax|$trusted|tcp:localhost:$port" <<<hello)"
    for chain in "$trusted|$lax|tcp:localhost:$port" "$trusted|$trusted|tcp:localhost:$port"; do
        run catena - "$chain" <<<hello
        same 1 "$status"
        has "$output" ' E .*link 1 .*certificate'
        has_not "$output" '^hello'
    done
}

# stunnel: a session that was opened without a certificate was resumed where one is asked for.
@test "CVE-2015-3644 class: no resumed session gets around verification" {
    tls_echo verify=0
    lax=$port
    start_listener strict "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,cafile=$certs/ca.crt" pipe
    for version in -tls1_2 -tls1_3; do
        timeout "$LIMIT" openssl s_client $version -connect "127.0.0.1:$lax" -sess_out session -ign_eof \
            <<<hello >first 2>&1 &
        client=$!
        wait_for 10 file_has first '^hello'
        kill $client && wait $client || :
        [ -s session ]
        (sleep 0.3; echo Q) | timeout "$LIMIT" openssl s_client $version -connect "127.0.0.1:$port" -sess_in session >second 2>&1 || :
        has "$(<second)" '^New,'
        has_not "$(<second)" '^Reused'
    done
    same 2 "$(grep -c 'the client sent no certificate' strict.err)"
}

# stunnel: the children of one process shared the state of its random numbers.
@test "CVE-2014-0016 class: forked children do not repeat each other's random numbers" {
    tls_echo verify=0
    for i in 1 2 3 4; do
        timeout "$LIMIT" openssl s_client -tls1_2 -connect "127.0.0.1:$port" -msg </dev/null 2>/dev/null |
            sed -n '/ServerHello/,/<<</p' | sed -n '2,4p' >"random$i" || :
        [ -s "random$i" ]
    done
    same 4 "$(md5sum random? | cut -d' ' -f1 | sort -u | wc -l)"
}

# curl: a name too long for SOCKS5 was resolved here instead, when the server was slow; and overran.
@test "CVE-2023-38545 class: a name too long for SOCKS5 is refused, and never resolved here" {
    name=$(printf 'a%.0s' {1..63}).$(printf 'b%.0s' {1..63}).$(printf 'c%.0s' {1..63}).$(printf 'd%.0s' {1..63}).test
    start_peer server "until:$T/go" recv:3 'send:\x05\0' save:got
    run catena - "socks5:$name:80|tcp:127.0.0.1:$port" </dev/null
    same 1 "$status"
    has "$output" ' E .*host name has [0-9]* bytes; at most 255'
    # Not even a long one that is allowed is anybody's business here.
    kill "$(<server.pid)"
    start_peer server recv:3 'send:\x05\0' recv:203 shut
    if command -v strace >/dev/null; then
        timeout -k 5 "$LIMIT" strace -f -o trace -e trace=connect,openat \
            "$CATENA_BIN" - "socks5:${name#*.}:80|tcp:127.0.0.1:$port" </dev/null 2>log || :
        has "$(tr -d '\0' <server.out)" "${name#*.}"
        has_not "$(<trace)" 'resolv.conf\|htons(53)\|nscd'
    fi
}

# ncat, curl and others: line ends in what the user passes on made headers and requests.
@test "request splitting: control characters in a target never reach the proxy" {
    for evil in $'h\r\nX-y' $'h\nX' $'h X' $'h\tX' $'h\x7fX' $'h\x01'; do
        for form in proxy socks4a socks5; do
            run catena - "$form:$evil:80|open:sent,creat" </dev/null
            same 1 "$status"
            has "$output" ' E .*blank or control character'
            [ ! -e sent ]
        done
    done
    run catena - "proxy:h:80,http-version=$(printf '1.0\r\nX: y')|open:sent,creat" </dev/null
    same 1 "$status"
    # Credentials are coded as a whole.
    start_peer proxy line line line shut
    run catena "proxy:h:80,proxyauth=$(printf 'joe:a\r\nX: y')|tcp:127.0.0.1:$port" pipe
    same 1 "$status"
    has_not "$(<proxy.out)" '^X'
    same 3 "$(sed 1d proxy.out | wc -l)" # request, credentials, an empty line
}

# ncat: what was meant to be secret showed in logs and in lists of processes.
@test "secrets: not in logs of any level, not in the plan, not with programs" {
    secret=hunter2
    coded=$(printf 'joe:%s' "$secret" | base64)
    start_peer proxy line line line 'send:HTTP/1.0\x20407\x20no\r\n\r\n' shut
    catena -d -d -d -d - "proxy:h:80,proxyauth=joe:$secret|tcp:127.0.0.1:$port" </dev/null 2>log || :
    start_peer socks recv:4 'send:\x05\x02' recv:13 'send:\x01\x01' shut
    catena -d -d -d -d - "socks5:h:80,socksuser=joe,sockspass=$secret|tcp:127.0.0.1:$port" </dev/null 2>>log || :
    has "$(<log)" ' E .*407'
    has "$(<log)" ' E .*login of user "joe"'
    has_not "$(<log)" "$secret\|$coded"
    # From a file they are nowhere else either.
    printf 'joe:%s\n' "$secret" >auth
    start_peer proxy line line line 'send:HTTP/1.0\x20200\x20yes\r\n\r\n' shut eof
    run catena -d -d -d -d "proxy:h:80,proxyauthfile=auth|tcp:127.0.0.1:$port" 'system:env; cat /proc/$PPID/cmdline'
    has_not "$output" "$secret\|$coded"
}

# haproxy and others: what belongs to the reply and what to the stream was told apart by headers.
@test "smuggling: the stream begins behind the first empty line, whatever the headers say" {
    for headers in 'Content-Length:\x205' 'Transfer-Encoding:\x20chunked' 'Content-Length:\x205\r\nContent-Length:\x200' \
        'Upgrade:\x20h2c' 'Connection:\x20close' '\x20:'; do
        start_peer proxy line line "send:HTTP/1.1\\x20200\\x20ok\\r\\n$headers\\r\\n\\r\\n5\\r\\nhello\\r\\n0\\r\\n\\r\\n" shut eof
        run catena -u "proxy:h:80|tcp:127.0.0.1:$port" create:out
        same 0 "$status"
        printf '5\r\nhello\r\n0\r\n\r\n' | cmp - out
    done
}

# xinetd, tcpd and others: a list that could not be read let everybody in.
@test "access lists that cannot be read let nobody in" {
    start_listener server "tcp-listen:0,bind=127.0.0.1,fork,tcpwrap=x,hosts-allow=$T/a,hosts-deny=$T/d" pipe
    mkdir a d
    same '' "$(catena -t 1 - "tcp:127.0.0.1:$port" <<<hello 2>/dev/null || :)"
    has "$(<server.err)" ' W refusing connection'
    for range in 127.0.0.1 127.0.0.1/33 nonsense/8 127.0.0.1/; do
        run catena "tcp-listen:0,bind=127.0.0.1,range=$range,accept-timeout=0.1" pipe
        case $range in 127.0.0.1) ;; *) same 1 "$status" ;; esac
    done
}

# Daemons that changed the user and kept the groups.
@test "su leaves no group of root behind" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    same "$(id -u nobody):$(id -g nobody):$(id -G nobody)" \
        "$(catena -u 'exec:"sh -c \"echo \$(id -u):\$(id -g):\$(id -G)\"",su=nobody' -)"
}

# Listeners that took a name in a shared directory away from somebody else.
@test "what is not ours is not removed" {
    echo precious >file
    run catena unix-listen:file,accept-timeout=0.1 pipe
    same 1 "$status"
    same precious "$(<file)"
    ln -s file link
    run catena unix-listen:link,accept-timeout=0.1 pipe
    same 1 "$status"
    same precious "$(<file)"
}
