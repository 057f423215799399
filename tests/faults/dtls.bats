#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of DTLS: between client and server stands a network that loses, doubles, swaps and
# spoils packets of the handshake (packets relay); peers that vanish, send garbage or cannot prove
# who they are.
# bats file_tags=thread
load matrix

# network <port> <rules...>: a bad one, in front of that port; its own port is then in $port.
network() {
    network_down
    start net "$CATENA_TOOLS/packets" relay "$@" </dev/null
    wait_for 10 file_has net.out '^port'
    port=$(sed -n 's/^port //p' net.out)
}
network_down() { # when all that is on its way has come
    [ ! -e net.pid ] || kill "$(<net.pid)"
    rm -f net.pid
}
passed() { file_has net.out "^$1 "; } # that packet came by

server() { # <switches> <options> <second address>
    # shellcheck disable=SC2086
    start_listener server $1 "dtls-listen:0,bind=127.0.0.1,cert=$CERTS/server.pem,verify=0$2" "$3"
}
client="dtls:127.0.0.1:PORT,cafile=$CERTS/ca.crt"

# ways <rule of the network>: the same to the server, there and back, and to the client,
# which asks for what it lacks while the server does nothing but send.
ways() {
    T=$T/$1
    mkdir "$T" && cd "$T"
    server -u '' create:got
    through "$@" -u "open:$PACKET"
    finish server
    cmp got "$PACKET"
    server '' '' pipe
    through "$@" -t 5 "open:$PACKET!!create:back"
    finish server
    cmp back "$PACKET"
    mkfifo more
    server -U '' open:more
    network "$port" "$@"
    start client "$CATENA_BIN" -d0 -u "${client//PORT/$port}" create:taken </dev/null
    exec 8>more
    wait_for 10 feeds
    exec 8>&-
    finish client
    finish server
    network_down
    cmp -n 1000 taken "$PACKET"
}

through() { # <rule of the network> <switch>... <address>: a client
    network "$port" "$1"
    catena -d0 "${@:2}" "${client//PORT/$port}"
}
feeds() { cat "$PACKET" >&8 && [ -s taken ]; } # until the client has something

# each_at_once <function> <rule...>: a cell for each; OpenSSL waits a second before it says again what
# was lost.
each_at_once() {
    local rule started=()
    PACKET=$T/packet
    head -c 1000 "$IN" >packet
    for rule in "${@:2}"; do
        cells=$((cells + 1))
        (set -e && "$1" "$rule") >"$T/cell.$cells" 2>&1 3>&- &
        started+=("$! $cells $rule")
    done
    for rule in "${started[@]}"; do
        # shellcheck disable=SC2086
        set -- $rule
        wait "$1" && continue
        failures+=("$3")
        echo "--- FAILED: $3"
        cat "$T/cell.$2"
        paste -sd' ' "$T/$3/net.out"
        cat "$T/$3/server.err"
    done
    well
}
rules() { local p && for p in "${@:2}"; do echo "$1:$p"; done; }

# The handshake is c1, s1 (a cookie), c2, s2, c3, s3.
@test "a packet of the handshake gets lost" { each_at_once ways $(rules drop c1 s1 c2 s2 c3 s3); }
@test "a packet of the handshake comes twice" { each_at_once ways $(rules dup c1 s1 c2 s2 c3 s3 c1-9 s1-9); }
@test "packets of the handshake come in another order" { each_at_once ways $(rules swap c1 s1 c2 s2 c3 s3); }
@test "garbage in front of each packet" { each_at_once ways $(rules junk c1 s1 c2 s2 c3 s3 c1- s1-); }

# What is not encrypted yet has nothing but UDP's own checksum: it may end the handshake, and in time.
spoils() {
    T=$T/$1
    mkdir "$T" && cd "$T"
    server -u ,so-rcvtimeo=4 create:got
    network "$port" "$1"
    status=0
    catena -u "open:$PACKET" "${client//PORT/$port},connect-timeout=4" 2>log || status=$?
    [ $status = 0 ] || has "$(<log)" ' E .*"dtls".* handshake: '
    wait_for 10 is_gone "$(<server.pid)"
    # the ticket, which goes with the server's last word, spoils it for the client
    wait "$(<server.pid)" || has "$(<server.err)" ' E .*"dtls-listen".* \(handshake: \|DTLS: the peer ended it with the alert\)'
    network_down
}
@test "a packet of the handshake is spoilt" { each_at_once spoils flip:c1 flip:s1 flip:c2 flip:s2 flip:c3 flip:s3; }

# In a hub nobody waits for it alone. Both ends say again what got lost: the one in the hub has to.
in_hub() { # <client or server>+<rule>+<rule>...
    T=$T/$1
    mkdir "$T" && cd "$T"
    case $1 in
    client*)
        server '' ,fork pipe
        mv server.pid peer.pid
        # shellcheck disable=SC2046
        network "$port" $(rules_of "$1")
        start_listener server tcp-listen:0,bind=127.0.0.1,thread "${client//PORT/$port}"
        client=tcp:127.0.0.1:$port
        ;;
    server*)
        server '' ,thread pipe
        # shellcheck disable=SC2046
        network "$port" $(rules_of "$1")
        client=${client//PORT/$port}
        ;;
    esac
    same hello "$(echo hello | timeout "$LIMIT" "$CATENA_BIN" -d0 -t 5 - "$client")"
    network_down
    kill "$(<server.pid)" $(cat peer.pid 2>/dev/null)
}
rules_of() { tr + '\n' <<<"$1" | tail -n +2; }
# bats test_tags=single
@test "in a hub, what got lost is said again" {
    each_at_once in_hub client+drop:c1 client+drop:c2 client+drop:c2+drop:s2 \
        server+drop:s1 server+drop:s2 server+drop:s2+drop:c3 server+drop:s2+drop:c3+drop:c4
}

vanishes() {
    T=$T/$1
    mkdir "$T" && cd "$T"
    server -u ,so-rcvtimeo=1.5 create:got
    network "$port" "$1"
    status=0
    catena -u "open:$PACKET" "${client//PORT/$port},connect-timeout=1.5" 2>log || status=$?
    same 1 $status
    has "$(<log)" ' E .*"dtls": handshake: the peer took too long'
    # It knows of the client as soon as one packet has come, and has all it needs with the third.
    case $1 in
    drop:c1-) kill "$(<server.pid)" ;;
    drop:s3-) finish_some server ;;
    *)
        finish server 1
        has "$(<server.err)" ' E .*"dtls-listen": handshake: the peer took too long'
        ;;
    esac
    network_down
}
finish_some() { # it waits for data that do not come
    kill "$(<"$1.pid")"
    finish "$1" 143
}
@test "the peer vanishes in the handshake" {
    each_at_once vanishes drop:c1- drop:s1- drop:c2- drop:s2- drop:c3- drop:s3-
}

@test "a record that is spoilt is lost, and nothing else" {
    cells=1
    server -u '' create:got
    network "$port" flip:c5
    mkfifo more
    start client "$CATENA_BIN" -d0 -u open:more "${client//PORT/$port}" </dev/null
    exec 8>more
    for i in 4 5 6; do
        printf %s "packet $i," >&8
        wait_for 5 passed c$i
    done
    exec 8>&-
    finish client
    finish server
    same 'packet 4,packet 6,' "$(<got)"
    network_down
    well
}

@test "a goodbye that gets lost: -T ends the other side, and it has everything" {
    cells=2
    server '-T 0.5 -u' '' create:got
    through drop:c5- -u "open:$CERTS/ca.crt"
    finish server
    cmp got "$CERTS/ca.crt"
    server -U '' "open:$CERTS/ca.crt"
    through drop:s5- -T 0.5 -U create:back
    finish server
    network_down
    cmp back "$CERTS/ca.crt"
    well
}

echoes() { [ "$(echo hello | timeout 5 "$CATENA_BIN" -t 2 - "${client//PORT/$1}")" = hello ]; }

# kills the program itself: for one run of its own
# bats test_tags=single
@test "a peer that is killed" {
    cells=2
    mkfifo more
    server -u '' create:got
    start client "$CATENA_BIN" -u open:more "${client//PORT/$port}" </dev/null
    exec 8>more
    echo one >&8
    wait_for 5 file_has got one
    kill -KILL "$(<server.pid)"
    finish server 137
    ends_fed() { is_gone "$(<client.pid)" || ! head -c 100 "$IN" >&8; }
    wait_for 5 ends_fed
    exec 8>&-
    finish client 1
    has "$(<client.err)" ' E .*"dtls".*connection refused'
    # The other way round: the server sends, and nobody listens any more.
    server -U '' open:/dev/zero,readbytes=1000000000
    start client "$CATENA_BIN" -u "${client//PORT/$port}" create:back </dev/null
    wait_for 5 test -s back
    kill -KILL "$(<client.pid)"
    finish client 137
    finish server 1
    has "$(<server.err)" ' E .*"dtls-listen".*connection refused'
    well
}

@test "certificates that do not do: both say so, and a listener goes on" {
    for how in fork thread; do
        for own in ",cafile=$CERTS/self.crt,connect-timeout=5 not.trusted" \
            ",cafile=$CERTS/ca.crt,cn=other.example,connect-timeout=5 is.not.for"; do
            server '' ",$how" pipe
            cells=$((cells + 1)) status=0
            catena - "dtls:127.0.0.1:$port${own% *}" </dev/null 2>log || status=$?
            same 1 $status
            has "$(<log)" " E .*${own#* }"
            wait_for 5 file_has server.err ' [EW] .*DTLS handshake'
            echoes "$port"
            kill "$(<server.pid)"
            finish server 143
        done
        # The server's own wish.
        start_listener server "dtls-listen:0,bind=127.0.0.1,cert=$CERTS/server.pem,cafile=$CERTS/ca.crt,$how" pipe
        cells=$((cells + 1)) status=0
        catena - "${client//PORT/$port}" </dev/null 2>log || status=$?
        same 1 $status
        has "$(<log)" ' E .*DTLS'
        wait_for 5 file_has server.err ' [EW] .*certificate'
        client="$client,cert=$CERTS/client.pem" echoes "$port"
        kill "$(<server.pid)"
        finish server 143
    done
    well
}

@test "strangers: garbage, empty packets, a flood of both; clients are served meanwhile" {
    for how in fork thread; do
        cells=$((cells + 1))
        server '' ",$how,so-rcvtimeo=1" pipe
        "$CATENA_TOOLS/packets" to "$port" send:nonsense empty fill:60000
        "$CATENA_TOOLS/packets" to "$port" empty
        wait_for 20 echoes "$port"
        start flood "$CATENA_TOOLS/packets" flood "$port" 20 </dev/null
        wait_for 20 echoes "$port"
        kill "$(<flood.pid)"
        wait_for 20 echoes "$port"
        kill "$(<server.pid)"
        finish server 143
    done
    well
}
