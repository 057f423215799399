#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Large programs run by xiorun: each reaches its server through four links; and what another one of its kind does.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    unset "${!XIO_@}"
    XIORUN=$(dirname "$CATENA_BIN")/xiorun
    start_listener far "socks-server|gzip|zstd|openssl-server,cert=$certs/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,fork" \
        'tcp:127.0.0.1:{targetport}'
    chain="socks5:{host}:{port}|gzip|zstd|openssl,cafile=$certs/ca.crt,commonname=localhost|tcp:127.0.0.1:$port"
}

xiorun() { timeout -k 5 "$LIMIT" "$XIORUN" "$@"; }
needs() { command -v "$1" >/dev/null || skip "no $1"; }

serve_page() {
    mkdir -p www
    echo hello >www/page
    (cd www && start www python3 -u -m http.server --bind 127.0.0.1 0 </dev/null)
    wait_for 10 file_has www.out 'port [0-9]'
    www=$(grep -o 'port [0-9]*' www.out | cut -d' ' -f2)
}

is_asleep() { [ "$(psql -AtqX "host=127.0.0.1 ${who#* }" -c "select count(*) from pg_stat_activity where query like 'select pg_sleep%'")" = 1 ]; }

@test "node: requests at once, and one that is refused" {
    needs node
    serve_page
    run xiorun -c "$chain" -- node -e "
        const http = require('http');
        for (let i = 0; i < 10; i++)
            http.get('http://h' + i + '.example:$www/page', r => r.on('data', d => process.stdout.write(d)));"
    same 0 "$status"
    same 10 "$(grep -c '^hello$' <<<"$output")"
    run xiorun -q -c 'tcp:127.0.0.1:1' -- node -e "require('http').get('http://h.example/').on('error', e => console.log(e.code, e.port))"
    same 'ECONNREFUSED 80' "$output"
}

@test "redis-cli" {
    needs redis-server
    local at
    at=$(free_port)
    start redis redis-server --port "$at" --bind 127.0.0.1 --save '' </dev/null
    wait_for 10 port_listens "$at"
    same OK "$(xiorun -c "$chain" -- redis-cli -h redis.example -p "$at" set key value)"
    same value "$(xiorun -c "$chain" -- redis-cli -h redis.example -p "$at" get key)"
}

@test "psql: queries, a megabyte each way, a query that is cancelled by a connection of its own, a server that knows nobody" {
    needs psql
    local bin at as=() data=$T/db
    bin=$(echo /usr/lib/postgresql/*/bin)
    [ -x "$bin/postgres" ] || skip "no postgresql"
    at=$(free_port)
    if [ "$(id -u)" = 0 ]; then # postgres does not run as root
        public_dir
        chown postgres "$public"
        data=$public/db
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups env -C "$public")
    fi
    "${as[@]}" "$bin/initdb" -A trust -U postgres --no-sync -D "$data" >initdb.log
    start server "${as[@]}" "$bin/postgres" -D "$data" -p "$at" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c fsync=off </dev/null
    wait_for 30 "$bin/pg_isready" -q -h 127.0.0.1 -p "$at"
    who="host=db.example port=$at user=postgres dbname=postgres"
    for how in 'tcp:127.0.0.1:{port}' "$chain"; do
        sql() { xiorun -c "$how" -- psql -AtqX "$who" "$@"; }
        same '42|127.0.0.1' "$(sql -c 'select 6 * 7, inet_server_addr()')"
        sql -c 'drop table if exists t' -c 'create table t (x text)' 2>/dev/null
        yes 'a line of the table, to and fro' | head -n 32768 >rows
        sql -c '\copy t from rows'
        sql -c '\copy t to back'
        cmp rows back
        # psql's own answer to SIGINT: it connects once more, to whom it is connected already
        start slow "$XIORUN" -c "$how" -- psql -AtqX "$who" -c 'select pg_sleep(60)' </dev/null
        wait_for 20 is_asleep
        kill -INT "$(pgrep -P "$(<slow.pid)" -x psql || cat slow.pid)"
        finish slow || :
        has "$(cat slow.err)" 'canceling statement due to user request'
    done
    kill -INT "$(<server.pid)"
    finish server
    if [ -n "${public-}" ]; then rm -rf "$public"; fi
    # a server that knows nobody
    start_peer postgres recv:8 send:N recv:20 'send:E\0\0\0\x1bSFATAL\0C28000\0Mnobody\0\0' shut save:rest
    run xiorun -c "$chain" -- psql -w "host=db.example port=$port user=u dbname=d"
    has "$output" 'nobody'
}

@test "ssh, and git by it" {
    needs sshd
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f user
    if [ "$(id -u)" = 0 ]; then mkdir -p -m 755 /run/sshd; fi
    printf '%s\n' "HostKey $T/host" "AuthorizedKeysFile $T/user.pub" 'PidFile none' 'StrictModes no' 'UsePAM no' \
        'PasswordAuthentication no' 'PermitRootLogin yes' 'PrintMotd no' >sshd_config
    at=$(free_port)
    start sshd "$(command -v sshd)" -D -e -f "$T/sshd_config" -o "ListenAddress=127.0.0.1:$at" </dev/null
    wait_for 10 port_listens "$at"
    options="-F none -p $at -i $T/user -o UserKnownHostsFile=$T/known -o StrictHostKeyChecking=accept-new -o BatchMode=yes"
    # shellcheck disable=SC2086
    same through "$(xiorun -c "$chain" -- ssh $options server.example echo through)"
    git init -q --bare repo.git
    git init -q work
    (cd work && git -c user.name=a -c user.email=a@example commit -q --allow-empty -m first && git push -q ../repo.git HEAD:main)
    GIT_SSH_COMMAND="ssh $options" xiorun -c "$chain" -- git clone -q "ssh://server.example$T/repo.git" -b main cloned
    same first "$(git -C cloned log --format=%s)"
    has "$(cut -d' ' -f1 known)" 'server.example'
}

@test "static programs and those of Go, strictly" {
    needs busybox
    needs hey
    serve_page
    same hello "$(xiorun --strict -c "$chain" -- busybox wget -qO- "http://h.example:$www/page")"
    run xiorun --strict -c "$chain" -- hey -n 20 -c 5 "http://h.example:$www/page"
    has "$output" '\[200\].*20 responses'
    run xiorun -c "$chain" -- hey -n 1 -c 1 "http://h.example:$www/page"
    has "$output" 'warning: .*hey is a Go program'
}

@test "500 connections at once, bare and as lines" {
    start many python3 -u -c '
import asyncio
there = []
async def serve(r, w):
    there.append(w)
    await r.readline()
    while len(there) < 500:
        await asyncio.sleep(0.01)
    w.write(b"all\n")
    w.close()
async def main():
    s = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    print("port", s.sockets[0].getsockname()[1])
    await s.serve_forever()
asyncio.run(main())' </dev/null
    wait_for 10 file_has many.out "port [0-9]"
    port=$(sed -n 's/port //p' many.out)
    cat >client.py <<'CLIENT'
import asyncio
async def one():
    r, w = await asyncio.open_connection("far.example", 80)
    w.write(b"\n")
    return await r.read() == b"all\n"
async def main():
    print(sum(await asyncio.gather(*[one() for _ in range(500)])))
asyncio.run(main())
CLIENT
    ulimit -Sn 4096 || skip "not so many descriptors"
    for chain in "tcp:127.0.0.1:$port" "gzip|^gzip|tcp:127.0.0.1:$port"; do
        same 500 "$(xiorun -c "$chain" -- python3 client.py)"
    done
}

# Each row of the table in xiorun(1) that says something about the other one.
@test "what proxychains does with the same" {
    needs proxychains4
    serve_page
    start_listener socks 'socks-server|tcp-l:0,bind=127.0.0.1,fork' 'tcp:127.0.0.1:{targetport}'
    printf '%s\n' strict_chain proxy_dns '[ProxyList]' "socks5 127.0.0.1 $port" >chains.conf
    both() { # <what is expected of proxychains> <program...>
        same hello "$(xiorun -c "socks5:{host}:{port}|tcp:127.0.0.1:$port" -- "${@:2}")"
        same "$1" "$(timeout -k 5 "$LIMIT" proxychains4 -q -f chains.conf "${@:2}" 2>/dev/null)"
    }
    both hello curl -sS "http://h.example:$www/page"
    client='
import socket, select, sys
s = socket.socket(); s.setblocking(False)
rc = s.connect_ex(("192.0.2.1", int(sys.argv[1])))
began = "at once" if rc != 115 else "later"
select.select([], [s], [])
s.setblocking(True)
s.send(b"GET /page HTTP/1.0\r\n\r\n")
s.makefile().read()
'
    # the call that does not wait waits
    both 'at once' python3 -c "$client"'
print("hello" if began == "later" else began)' "$www"
    both "['127.0.0.1', $port]" python3 -c "$client"'
print("hello" if s.getpeername() == ("192.0.2.1", int(sys.argv[1])) else list(s.getpeername()))' "$www"
}

@test "what passes by proxychains" {
    needs proxychains4
    needs busybox
    serve_page
    printf '%s\n' strict_chain proxy_dns '[ProxyList]' 'socks5 127.0.0.1 1' >chains.conf
    aside() { timeout -k 5 "$LIMIT" proxychains4 -q -f chains.conf "$@"; }
    same hello "$(aside busybox wget -qO- "http://127.0.0.1:$www/page")"
    port=$(free_port)
    sends='import socket, sys; socket.socket(2, 2).sendto(b"x", ("127.0.0.1", int(sys.argv[1]))); print("sent")'
    same sent "$(aside python3 -c "$sends" "$port")"
    run xiorun -c 'tcp:127.0.0.1:1' -- python3 -c "$sends" "$port"
    has "$output" 'Network is unreachable'
    run xiorun --strict -c 'tcp:127.0.0.1:1' -- busybox wget -qO- "http://127.0.0.1:$www/page"
    has "$output" 'refused'
    has "$(aside python3 -c 'import socket; print(socket.gethostbyname("a.example"))')" '^224\.'
}
