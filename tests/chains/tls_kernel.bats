#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ktls: the kernel encrypts what is sent. Most kernels at hand cannot, so tests/preload/ulp.c stands for one that can: it
# makes records with the keys that it is given, and openssl(1) has to be able to read them.
load ../helpers

setup_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    seq 200000 >"$BATS_FILE_TMPDIR/much"
}

prepare() {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "a preloaded library and a sanitizer's own do not get on"
    certs=$BATS_FILE_TMPDIR/certs
    much=$BATS_FILE_TMPDIR/much
    export ULP_LOG=$T/ulp
    with_kernel=(env "LD_PRELOAD=$CATENA_TOOLS/ulp.so" "$CATENA_BIN")
    mkfifo silence
}

# serves <name> <options> <second address>: a server whose kernel can.
serves() {
    start "$1" "${with_kernel[@]}" -d -d "openssl-listen:0,bind=127.0.0.1,ktls,cert=$certs/server.pem,verify=0$2" "$3" </dev/null
    wait_for 10 file_has "$1.err" 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' "$1.err" | head -n 1)
}

# s_server <name> <arguments...>: its port is in $port; what it is sent is in <name>.out.
s_server() {
    local name=$1
    shift
    port=$(free_port)
    start "$name" openssl s_server -accept "127.0.0.1:$port" -naccept 1 -quiet -cert "$certs/server.pem" "$@" <>silence
    wait_for 5 port_listens "$port"
}

@test "a server's data, for each cipher that the kernel has, with a ticket before them and a goodbye behind" {
    while read -r suite bytes; do
        rm -f ulp
        serves server ",resume=100" "open:$much,rdonly"
        timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -ciphersuites "$suite" -CAfile "$certs/ca.crt" \
            -verify_return_error -quiet <>silence 2>client.err | cmp - "$much"
        finish server
        same "keys: $bytes bytes, record 1
record of type 21: 1 0" "$(<ulp)"
    done <<<'TLS_AES_128_GCM_SHA256 16
TLS_AES_256_GCM_SHA384 32'
}

@test "a client's data" {
    s_server server
    "${with_kernel[@]}" -t 0.1 -u "$much" "openssl:localhost:$port,ktls,cafile=$certs/ca.crt"
    finish server
    cmp server.out "$much"
    same 'keys: 32 bytes, record 0
record of type 21: 1 0' "$(<ulp)"
}

has_lines() { [ "$(grep -c -e "$2" "$1")" = "$3" ]; }

# asks_for_keys <times>: to an echo; each time says a word afterwards.
asks_for_keys() {
    mkfifo in
    start client openssl s_client -connect "127.0.0.1:$port" -CAfile "$certs/ca.crt" <>in
    echo zero >in
    wait_for 10 file_has client.out '^zero$'
    for ((i = 1; i <= $1; i++)); do
        echo K >in
        wait_for 10 has_lines client.err KEYUPDATE "$i" # what comes with the letter is not read
        echo "word $i" >in # the request goes out with it
        wait_for 10 file_has client.out "^word $i\$" || return 0
    done
    echo Q >in
}

@test "new keys when the peer wants some, and data both ways all the time" {
    serves server "" pipe
    asks_for_keys 2
    finish client
    finish server
    same 'keys: 32 bytes, record 1
record of type 22: 24 0
keys: 32 bytes, record 0
record of type 22: 24 0
keys: 32 bytes, record 0
record of type 21: 1 0' "$(<ulp)"
}

@test "a kernel that takes no new keys ends the connection, and says why" {
    export ULP_WITHOUT=update
    serves server "" pipe
    asks_for_keys 1
    finish server 1
    has "$(<server.err)" ' E .*ktls: the peer wants new keys, which Linux takes since 6.14'
}

@test "new keys before there are data to send, and none of them" {
    start_peer server "tls:$certs/server.pem" keyupdate:2 say:asked recv:6 eof notify
    start client "${with_kernel[@]}" -u "exec:'sh -c \"until grep -q asked $T/server.out; do sleep 0.02; done; echo hello\"'" \
        "openssl:127.0.0.1:$port,ktls,verify=0" </dev/null
    finish server
    finish client
    has "$(<server.out)" '^hello'
    has "$(<ulp)" '^keys: 32 bytes, record [0-9]*$'
}

@test "a peer that breaks the rules is told by an alert that the kernel seals" {
    start_peer server "tls:$certs/server.pem" recv:6 raw 'send:\x17\x03\x03\x00\x20garbagegarbagegarbagegarbage....' recv:1
    start client "${with_kernel[@]}" - "openssl:127.0.0.1:$port,ktls,verify=0" <>silence
    echo hello >silence
    finish client 1
    has "$(<client.err)" ' E .*a record was damaged on its way'
    has "$(<ulp)" '^record of type 21: 2 20$'
}

# told <why not> <chain of the client, with PORT> [<arguments of s_server>...]: works all the same, and says in one line
# why the kernel does not encrypt.
told() {
    echo "# row: $*"
    s_server server "${@:3}"
    start client "${with_kernel[@]}" -t 0.1 -u "${from:-$much}" "${2/PORT/$port}" </dev/null
    finish server
    finish client
    cmp server.out "$much"
    same 1 "$(grep -c ktls client.err)"
    has "$(<client.err)" " W ktls: the TLS library encrypts, as without it: $1"
    has_not "$(cat ulp 2>/dev/null)" 'keys'
}

@test "where it cannot be, the library goes on, and one line says why" {
    tls="openssl,ktls,cafile=$certs/ca.crt,commonname=localhost"
    told 'the kernel is given TLS 1.3, and this is an older' "$tls,max-version=TLS1.2|tcp:127.0.0.1:PORT"
    told 'the kernel does not know that cipher' "$tls,cipher=TLS_AES_128_CCM_SHA256|tcp:127.0.0.1:PORT" \
        -ciphersuites TLS_AES_128_CCM_SHA256
    told 'what is below is no TCP connection' "$tls|meter|tcp:127.0.0.1:PORT"
    told 'what is below is no TCP connection' "$tls|exec:'$CATENA_BIN - tcp\\:127.0.0.1\\:PORT'"
    ULP_WITHOUT=tls told "the kernel has no \"tls\" for TCP; as root, 'modprobe tls' loads it" "$tls|tcp:127.0.0.1:PORT"
    ULP_WITHOUT=keys told 'the kernel does not take these keys' "$tls|tcp:127.0.0.1:PORT"
}

@test "... nor where a link of the same engine stands below it" {
    start server "${with_kernel[@]}" -d -d "openssl-server,ktls,cert=$certs/server.pem,verify=0|meter|tcp-l:0,bind=127.0.0.1,thread" pipe </dev/null
    wait_for 10 file_has server.err 'listening on'
    port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' server.err | head -n 1)
    same hello "$(timeout "$LIMIT" "$CATENA_BIN" - "openssl:localhost:$port,cafile=$certs/ca.crt" <<<hello)"
    has "$(<server.err)" ' W .*ktls: the TLS library encrypts, as without it: something stands between it and its connection'
}

@test "what cannot be is refused" {
    fails catena -n - "dtls:localhost:1,ktls" 2>err
    has "$(<err)" 'ktls is for TLS over TCP, and this is DTLS'
    fails catena -n - "openssl:localhost:1,ktls,maxsendfrag=1000" 2>err
    has "$(<err)" 'ktls does not go with openssl-maxsendfrag'
}

@test "packets keep their boundaries: the library makes their records" {
    s_server server
    tls=$port
    start client "${with_kernel[@]}" -t 0.1 -d -d -u udp-recvfrom:0,bind=127.0.0.1 "openssl:127.0.0.1:$tls,ktls,verify=0" </dev/null
    wait_for 10 file_has client.err 'receiving on'
    to=$(sed -n 's/.*receiving on .*:\([0-9]*\)$/\1/p' client.err)
    catena -u - "udp-sendto:127.0.0.1:$to" <<<hello
    finish server
    finish client
    same hello "$(<server.out)"
    has "$(<client.err)" ' W ktls: the TLS library encrypts, as without it: packets keep their boundaries'
}

@test "forked, in threads, and behind a goodbye of the other side" {
    for how in fork thread; do
        rm -f ulp
        serves server ",$how" "exec:cat"
        for client in 1 2 3; do
            same "hello $client" "$(timeout "$LIMIT" "$CATENA_BIN" - "openssl:localhost:$port,cafile=$certs/ca.crt" <<<"hello $client")"
        done
        end "$(<server.pid)"
        wait_for 10 is_gone "$(<server.pid)"
        same 3 "$(grep -c '^keys' ulp)"
        same 3 "$(grep -c '^record of type 21: 1 0' ulp)"
        assert_nothing_left
    done
}

@test "a real kernel, where it can" {
    grep -qw tls /proc/sys/net/ipv4/tcp_available_ulp || skip "this one has no TLS"
    s_server server
    catena -d -d -d -u "$much" "openssl:localhost:$port,ktls,cafile=$certs/ca.crt" 2>err
    finish server
    cmp server.out "$much"
    has "$(<err)" 'ktls: the kernel encrypts what is sent'
}
