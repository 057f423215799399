#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS and DTLS with keys that both sides have beforehand, and no certificates.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    key=000102030405060708090a0b0c0d0e0f10111213 other=$(printf '7%.0s' {1..40})
    (umask 077 && printf '# who may\n\nbob:%s\nalice:%s\n' "$other" "$key" >keys)
}
says_hello() { # <client> <what it says>: to the server at $port
    run catena -t 3 - "$1" <<<"$2"
    same 0 "$status"
    same "$2" "$output"
}
versions=(min-version=TLS1.3 max-version=TLS1.2)

@test "ours with ours: one key, a file of them, chains, DTLS, forked and in threads" {
    for how in fork thread; do
        start_listener "s$how" "openssl-listen:0,bind=127.0.0.1,$how,psk-file=keys" pipe
        for version in "${versions[@]}"; do
            says_hello "openssl:127.0.0.1:$port,psk=alice:$key,$version" hello
            says_hello "openssl,psk=bob:$other,$version|nop|tcp:127.0.0.1:$port" hello
        done
        same 4 "$(grep -c 'the client knows the key "[ab]' "s$how.err")"
        start_listener "d$how" "dtls-listen:0,bind=127.0.0.1,$how,psk=alice:$key" pipe
        says_hello "dtls,psk=alice:$key|udp:127.0.0.1:$port" hello
    done
    start_listener left -u "openssl-server,psk=alice:$key,resume=0|tcp-listen:0,bind=127.0.0.1" create:got
    seq 100000 >in
    KEY=alice:$key catena -u open:in "openssl,psk-env=KEY|tcp:127.0.0.1:$port"
    finish left
    same_files in got
    start_listener v1 openssl-listen:0,bind=127.0.0.1,psk=alice:$key pipe
    same hello "$(socat_ours -t 3 - "openssl:127.0.0.1:$port,psk=alice:$key,openssl-max-proto-version=TLS1.2" <<<hello)"
    has_not "$(cat ./*.err)" "$key"
}

@test "a connection with a key is resumed like others" {
    for version in "${versions[@]}"; do
        start_listener server "openssl-listen:0,bind=127.0.0.1,fork,psk-file=keys,$version" \
            "system:echo \$SOCAT_OPENSSL_PSK_IDENTITY"
        start_listener client "tcp-listen:0,bind=127.0.0.1,thread" "openssl:127.0.0.1:$port,psk=alice:$key"
        for _ in 1 2; do same alice "$(catena - "tcp:127.0.0.1:$port" </dev/null)"; done
        same 1 "$(grep -c ', resumed session' server.err)"
        same 2 "$(grep -c 'the server knows the key "alice"' client.err)"
        kill "$(<server.pid)" "$pid"
    done
}

@test "openssl, gnutls and stunnel have the same key, both ways" {
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,psk=alice:$key" pipe
    ours=$port
    for version in -tls1_2 -tls1_3; do
        mkfifo "in$version"
        start "c$version" openssl s_client "$version" -connect "127.0.0.1:$ours" -quiet -psk_identity alice -psk "$key" <>"in$version"
        echo hello >"in$version"
    done
    wait_for 5 file_has c-tls1_2.out '^hello'
    wait_for 5 file_has c-tls1_3.out '^hello'
    port=$(free_port)
    start theirs openssl s_server -accept "127.0.0.1:$port" -nocert -psk_identity alice -psk "$key" -rev -quiet </dev/null
    wait_for 5 port_listens "$port"
    for version in "${versions[@]}"; do
        same olleh "$(catena -t 3 - "openssl:127.0.0.1:$port,psk=alice:$key,$version" <<<hello)"
    done
    if command -v gnutls-cli >/dev/null; then
        kinds=-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK
        # Of TLS 1.3 only: its client dies when it tells about a key in TLS 1.2.
        (echo hello; $BRIEFLY; $BRIEFLY) | timeout "$LIMIT" gnutls-cli --pskusername alice --pskkey "$key" \
            --priority "NORMAL:$kinds" -p "$ours" 127.0.0.1 >out 2>&1 || :
        has "$(<out)" '^hello'
        port=$(free_port)
        start gnutls gnutls-serv --echo -p "$port" --pskpasswd keys --priority "NORMAL:$kinds" </dev/null
        wait_for 5 port_listens "$port"
        for version in "${versions[@]}"; do
            has "$(catena -t 3 - "openssl:127.0.0.1:$port,psk=alice:$key,$version" <<<hello)" hello
        done
    fi
    if command -v stunnel >/dev/null; then
        grep alice keys >key && chmod 600 key
        port=$(free_port)
        cat >conf <<END
foreground = yes
pid =
[c]
client = yes
accept = 127.0.0.1:$port
connect = 127.0.0.1:$ours
PSKsecrets = $T/key
ciphers = PSK
END
        start stunnel stunnel conf </dev/null
        wait_for 5 port_listens "$port"
        says_hello "tcp:127.0.0.1:$port" hello
    fi
}

@test "another key, another name, no key, and a certificate in its place" {
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,psk-file=keys" pipe
    for version in "${versions[@]}"; do
        for client in "alice:$other" "carol:$key"; do
            run catena - "openssl:127.0.0.1:$port,psk=$client,$version" <<<hello
            same 1 "$status"
            has "$output" "the server does not know the key \"${client%:*}\", or has another one of that name: TLS"
            has_not "$output" "$key\|$other"
        done
        run catena - "openssl:127.0.0.1:$port,verify=0,$version" <<<hello
        same 1 "$status"
    done
    same 2 "$(grep -c 'the client has another key "alice"' server.err)"
    same 2 "$(grep -c "the client's key \"carol\" is not known here" server.err)"
    same 2 "$(grep -c 'the client has no key' server.err)"
    # Both kinds of clients where there is a certificate, too.
    start_listener both "openssl-listen:0,bind=127.0.0.1,thread,psk-file=keys,cert=$certs/server.pem,cafile=$certs/ca.crt" pipe
    start_listener plain "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,verify=0" pipe
    plain=$port
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' both.err | head -n 1)
    for version in "${versions[@]}"; do
        says_hello "openssl:localhost:$port,pf=ip4,psk=alice:$key,$version" hello
        says_hello "openssl:localhost:$port,pf=ip4,cafile=$certs/ca.crt,cert=$certs/client.pem,$version" hello
        run catena - "openssl:localhost:$port,pf=ip4,cafile=$certs/ca.crt,$version" <<<hello
        same 1 "$status"
        # A server that has a certificate only, and a trusted one, is not the one that has the key.
        run catena - "openssl:localhost:$plain,pf=ip4,psk=alice:$key,$version" <<<hello
        same 1 "$status"
        has "$output" 'the server .*does not know the key "alice"'
    done
}

@test "mistakes are sentences, and keys stay out of sight" {
    refuses() { # <options> <words>
        run catena - "openssl,$1|tcp:127.0.0.1:1" </dev/null
        same 1 "$status"
        has "$output" "$2"
        has_not "$output" "$key"
    }
    refuses "psk=alice:0001" 'psk: a key of 2 bytes can be guessed; 16 are the least'
    refuses "psk=$key" 'psk: <identity>:<key in hexadecimal digits> is needed'
    refuses "psk=alice:${key}x" 'two hexadecimal digits'
    refuses "psk-file=keys" 'a client has one key, and here are 2'
    refuses "psk-file=none" 'none'
    refuses "psk=alice:$key,cafile=$certs/ca.crt" 'cafile: a server that has to have the key shows no certificate'
    echo "x:12" >>keys
    refuses "psk-file=keys" 'psk-file "keys": line 5: a key of 1 bytes'
    : >empty
    refuses "psk-file=empty" 'it has no key in it'
    grep alice keys >open && chmod 644 open
    start_listener server "openssl-listen:0,bind=127.0.0.1,psk-file=open" pipe
    has "$(<server.err)" 'psk-file "open" has keys in it, and anybody may read it'
    start_listener shown "openssl-listen:0,bind=127.0.0.1,psk=alice:$key" pipe
    has_not "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "$key"
}
