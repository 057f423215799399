#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP through SOCKS5: SOCKS-SERVER with commands=udp, and SOCKS5-UDP, with each other, with servers of others, and
# with clients and servers that lie (tests/tools/socks_udp.py).
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { C=$BATS_FILE_TMPDIR/certs; }

TARGET='target:{targethost}:{targetport}:{command}'
script() { timeout -k 5 "$LIMIT" python3 "$top/tests/tools/socks_udp.py" "$@"; }
echoes() { start_listener echoes udp-l:0,bind=127.0.0.1,fork pipe && target=$port; }
# asks <chain to the server> [<options>]: what comes back of two packets.
asks() { (echo one && $BRIEFLY && echo two) | catena - "socks5-udp:${host:-127.0.0.1}:$target${2:+,$2}|$1" | tr '\n' ' '; }
# says <the same>: it is both, which all_have_said looks at; they run side by side.
says() { start "asked$((++asked))" asks "$@" </dev/null; }
in_one() { (echo one && $BRIEFLY && echo two) | catena - "socks5-udp:127.0.0.1:$server:127.0.0.1:$target,$login,udp-address=127.0.0.1" | tr '\n' ' '; }
all_have_said() {
    local i
    for ((i = 1; i <= asked; i++)); do
        finish "asked$i"
        same 'one two ' "$(<"asked$i.out")"
    done
}

@test "socks-server: UDP for a client, and nothing for what is none: fork, thread, IPv6, rules" {
    start_listener thread "socks-server,commands=connect udp,deny=127.0.0.2|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    start one script client 127.0.0.1 "$port" deny names
    start_listener fork "socks-server,commands=udp,allow=*.example localhost 127.0.0.1 [::1]|tcp-l:0,bind=127.0.0.1,fork" "$TARGET"
    start two script client 127.0.0.1 "$port" deny names
    start_listener six "socks-server,commands=udp|tcp6-l:0,bind=[::1],thread" target:0.0.0.0:0:udp
    start three script client ::1 "$port" names
    finish one
    finish two
    finish three
    for name in thread fork six; do kill "$(<$name.pid)"; done
    has_not "$(cat thread.err fork.err six.err)" ' E '
    assert_nothing_left
}

@test "socks5-udp: through ours, alone, behind TLS on both sides, reverse, through frames, from a listener" {
    asked=0
    echoes
    start_listener server "socks-server,commands=connect udp,auth=joe:s3cret|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    server=$port login=socksuser=joe,sockspass=s3cret
    says "tcp:127.0.0.1:$server" "$login"
    start_listener alone "socks-server,commands=udp|tcp-l:0,bind=127.0.0.1" "$TARGET"
    host=localhost says "tcp:127.0.0.1:$port"
    for way in fork thread; do
        start_listener tls$way "socks-server,commands=udp|openssl-server,cert=$C/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,$way" "$TARGET"
        says "openssl,cafile=$C/ca.crt,commonname=localhost|tcp:127.0.0.1:$port"
        start_listener reverse$way tcp-l:0,bind=127.0.0.1,$way "^socks-server,commands=udp|$TARGET"
        says "tcp:127.0.0.1:$port"
        start_listener entry$way udp-l:0,bind=127.0.0.1,$way "socks5-udp:127.0.0.1:$target|tcp:127.0.0.1:$port"
        for text in first second; do same "$text" "$(echo $text | catena - "udp:127.0.0.1:$port")"; done
    done
    start_listener exit "length16|tcp-l:0,bind=127.0.0.1,fork" target:0.0.0.0:0:udp
    start_listener frames "socks-server,commands=udp|tcp-l:0,bind=127.0.0.1,thread" "length16|tcp:127.0.0.1:$port"
    says "tcp:127.0.0.1:$port"
    start_listener bare "socks-server,commands=udp|tcp-l:0,bind=127.0.0.1,thread" "tap:tapped|udp:127.0.0.1:$target"
    host=192.0.2.1 says "tcp:127.0.0.1:$port"
    says "socks5:127.0.0.1:$port,$login|tcp:127.0.0.1:$server"
    start "asked$((++asked))" in_one </dev/null
    all_have_said
    finish alone
    has_not "$(cat ./*.err)" ' E '
}

@test "socks-server: what is refused, and with which words" {
    start_listener stream "socks-server,commands=connect bind udp|tcp-l:0,bind=127.0.0.1,thread" tcp:127.0.0.1:$(free_port)
    same 5 "$(script refused 127.0.0.1 "$port" 3)"
    start_listener gzip "socks-server,commands=udp|tcp-l:0,bind=127.0.0.1,thread" "gzip|$TARGET"
    same 7 "$(script refused 127.0.0.1 "$port" 3)"
    wait_for 5 file_has gzip.err 'takes no packets (TARGET can)'
    start_listener usual "socks-server|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    same 7 "$(script refused 127.0.0.1 "$port" 3)"
    same 7 "$(script refused 127.0.0.1 "$port" 9)"
    start_listener other "socks-server,commands=udp,udp-address=192.0.2.7|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    told '192.0.2.7:' catena -d -d -d -T 0.2 - "socks5-udp:127.0.0.1:9|tcp:127.0.0.1:$port"
    same 0 "$(script refused 127.0.0.1 "$port" 3)"
    start_listener unix "socks-server,commands=udp|unix-l:sock,fork" "$TARGET" || :
    wait_for 5 unix_listens sock
    run catena - "socks5-udp:127.0.0.1:9|unix:sock"
    has "$output" 'general SOCKS server failure'
    wait_for 5 file_has unix.err 'need one that goes over IP'
    echoes
    start_listener here -d -d -d "socks-server,commands=udp,deny=127.0.0.0/8 [::1]|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    for host in 0.0.0.0 0 [::ffff:0.0.0.0] [::] localhost; do
        same '' "$(echo one | catena -t 0.2 - "socks5-udp:$host:$target|tcp:127.0.0.1:$port")"
        wait_for 5 file_has here.err "dropping .*$(sed 's/[][]/[&]/g; s/^0$/0.0.0.0/' <<<"$host"):$target may not be reached"
    done
    host=
    # behind a proxy, packets are those of whom its header names
    start_listener behind "socks-server,open,commands=udp|proxy-protocol-server|tcp-l:0,bind=127.0.0.1,thread" "$TARGET"
    behind=$port asked=0
    start_listener front tcp-l:0,bind=127.0.0.1,fork "proxy-protocol|tcp:127.0.0.1:$behind,bind=127.0.0.9:0"
    says "tcp:127.0.0.1:$port"
    all_have_said
    start local "$CATENA_BIN" unix-l:own,fork "proxy-protocol,version=2|tcp:127.0.0.1:$behind"
    wait_for 5 unix_listens own
    printf '\5\1\0\5\3\0\1\0\0\0\0\0\0' | catena -t 5 - unix:own >reply
    wait_for 5 file_has behind.err 'from which no packets come'
    run catena -n - 'socks5-udp:a:1,udp-address=some.name|tcp:a:1'
    has "$output" 'udp-address: "some.name" is no IP address'
}
@test "udp-ports: only those, and it is said when all are taken" {
    echoes
    only=$(free_port)
    start_listener server -d "socks-server,commands=udp,udp-ports=$only-$only|tcp-l:0,bind=127.0.0.1,fork" "$TARGET"
    same 'one two ' "$(asks "tcp:127.0.0.1:$port")"
    has "$(<server.err)" "packets are awaited at .*127.0.0.1:$only\$"
    mkfifo hold
    start holds "$CATENA_BIN" - "socks5-udp:127.0.0.1:$target|tcp:127.0.0.1:$port" <>hold
    echo one >hold
    wait_for 5 file_has holds.out one
    same 1 "$(script refused 127.0.0.1 "$port" 3)"
    wait_for 5 file_has server.err " E .*UDP at 127.0.0.1:0: all of the ports $only to $only are taken"
    kill "$(<holds.pid)"
    wait_for 5 eval '[ -z "$(ss -Hlun "sport = :$only")" ]'
    same 'one two ' "$(asks "tcp:127.0.0.1:$port")"
    for value in 5 9-5 0-7 1-70000 1-2x ''; do
        fails catena -n "socks-server,open,commands=udp,udp-ports=$value|tcp-l:0" "$TARGET" 2>err
        has "$(<err)" "udp-ports: \"$value\" is no range of ports"
    done
    fails catena -n "socks-server,open,udp-ports=1-9|tcp-l:0" "$TARGET" 2>err
    has "$(<err)" 'udp-ports: clients may not ask for UDP; commands=udp lets them'
}

told() { run "${@:2}" </dev/null && has "$output" "$1"; } # <pattern> <command...>

@test "socks5-udp: servers that tell any address, a name, dribble, lie, and end" {
    target=53
    asked=0
    mkfifo in
    exec 8<>in
    for variant in any name bytes noise ends; do
        start $variant script server $variant
        wait_for 10 file_has $variant.out "port [0-9]"
        port=$(sed -n 's/port //p' $variant.out)
        host=192.0.2.1
        [ $variant != name ] || host=where.example
        if [ $variant = ends ]; then
            start asked5 "$CATENA_BIN" - "socks5-udp:$host:53|tcp:127.0.0.1:$port" <in 8>&-
            echo one >&8
        else
            says "tcp:127.0.0.1:$port"
        fi
    done
    for n in 1 2 3 4; do
        finish asked$n
        same 'ONE TWO ' "$(<asked$n.out)"
    done
    finish asked5
    same ONE "$(<asked5.out)"
}
