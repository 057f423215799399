#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that know nothing of chains, run by xiorun: each connection of theirs goes through one.
load ../helpers
bats_require_minimum_version 1.5.0

setup_file() {
    [ -z "${CATENA_SANITIZE:-}" ] || return 0
    export F=$BATS_FILE_TMPDIR
    make_certs "$F/certs"
    (cd "$F/certs" && sign web www.example 'DNS:www.example,DNS:git.example' 2>/dev/null)
    mkdir "$F/www"
    echo hello >"$F/www/page"
    git init -q --bare "$F/www/repo.git"
    git --git-dir="$F/www/repo.git" update-server-info
    (cd "$F/www" && exec python3 -u -m http.server --bind 127.0.0.1 0 >"$F/www.out" 2>"$F/www.err" 3>&-) &
    echo $! >"$F/www.pid"
    python3 -u -c 'import socket
s = socket.socket(2, 2)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])
while True: s.sendto(*s.recvfrom(99))' >"$F/echo.out" 3>&- &
    echo $! >>"$F/www.pid"
    wait_for 10 file_has "$F/www.out" 'port [0-9]'
    wait_for 10 file_has "$F/echo.out" '^[0-9]'
}

teardown_file() { [ ! -e "$BATS_FILE_TMPDIR/www.pid" ] || xargs kill <"$BATS_FILE_TMPDIR/www.pid"; }

prepare() {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "a preload library comes before a sanitizer's runtime"
    certs=$F/certs
    unset "${!XIO_@}"
    XIORUN=$(dirname "$CATENA_BIN")/xiorun
    www=$(grep -o 'port [0-9]*' "$F/www.out" | cut -d' ' -f2)
}

# The helper is nobody's child, and ends soon after the last of its programs.
xiorun() { timeout -k 5 "$LIMIT" "$XIORUN" "$@"; }
helpers() { pgrep -x xiorun | while read -r p; do grep -lzsxF "CATENA_TEST_MARK=$CATENA_TEST_MARK" "/proc/$p/environ"; done; }
no_helper() { [ -z "$(helpers)" ]; }

# For sockets.py.
rules() {
    cat <<RULES
refused.example * tcp tcp:127.0.0.1:1
slow.example * tcp proxy:{host}:{port}|system:"sleep 0.5; printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n'"
127.0.0.0/8 * * direct
* 7 udp udp:127.0.0.1:$(<"$F/echo.out")
* 8 udp nop|tap:/dev/null|udp:127.0.0.1:$(<"$F/echo.out")
* 9 udp tcp:127.0.0.1:$www
* * tcp tcp:127.0.0.1:$www
RULES
}

# Four links and what is at their other end, where all ports but those of the web lead to themselves.
four_links() {
    start_listener far "socks-server|gzip|zstd|openssl-server,cert=$certs/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,fork" \
        "${1:-tcp:127.0.0.1:{targetport\}}"
    chain="socks5:{host}:{port}|gzip|zstd|openssl,cafile=$certs/ca.crt,commonname=localhost|tcp:127.0.0.1:$port"
}

@test "all that a program may do with sockets, over a bare chain and over lines" {
    rules >bare
    sed "s/tcp:127.0.0.1:$www/gzip|^gzip|&/" bare >lines
    for rules in bare lines; do
        start $rules xiorun -q -f $rules -- python3 "$top/tests/xio/sockets.py" </dev/null
    done
    for rules in bare lines; do
        finish $rules
        same all "$(cat $rules.out)"
    done
    wait_for 5 no_helper
}

@test "the end of packets is none, and who can open no more descriptors is told so" {
    python3 -u -c 'import socket
s = socket.socket(2, 2)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])
while True: print("got", s.recv(99).decode() or "nothing")' >seen 3>&- &
    wait_for 10 file_has seen '^[0-9]'
    echo "* * udp nop|udp:127.0.0.1:$(<seen)" >rules
    echo "* 8 udp udp:127.0.0.1:$(<seen)" >first
    cat rules >>first
    xiorun -f first -- python3 -c 'import socket
for port in 7, 8:
    s = socket.socket(2, 2)
    s.sendto(b"one", ("192.0.2.1", port))
    s.close()'
    wait_for 5 no_helper
    same "$(printf 'got one\ngot one')" "$(grep got seen)"
    run xiorun -c "tcp:127.0.0.1:$www" -- sh -c 'ulimit -n 32; exec python3 -c "
import socket
kept = []
try:
    while True: kept.append(open(\"/dev/null\"))
except OSError: kept.pop()
socket.socket().connect((\"198.51.100.1\", 80))"'
    has "$output" 'can open no more descriptors'
    has "$output" 'Errno 24'
}

@test "programs of many kinds through four links" {
    four_links
    start_listener tls "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/web.pem,verify=0" "tcp:127.0.0.1:$www"
    https=$port
    url=http://www.example:$www/page
    start curl xiorun -c "$chain" -- curl -sS "$url" "$url" -Z "http://other.example:$www/page" </dev/null
    XIO_RESOLVE=both start curl6 xiorun -c "$chain" -- curl -sS -6 "$url" "http://[2001:db8::1]:$www/page" </dev/null
    start wget xiorun -c "$chain" -- wget -qO- "$url" </dev/null
    start nc xiorun -c "$chain" -- nc -N www.example "$www" < <(printf 'GET /page HTTP/1.0\r\n\r\n')
    start git xiorun -c "$chain" -- git ls-remote "http://git.example:$www/repo.git" </dev/null
    start parts xiorun -c "$chain" -- sh -c "curl -sS $url & wget -qO- $url; wait" </dev/null
    GIT_SSL_CAINFO=$certs/ca.crt start gits xiorun -c "$chain" -- git ls-remote "https://git.example:$https/repo.git" </dev/null
    start curls xiorun -c "$chain" -- curl -sS --cacert "$certs/ca.crt" "https://www.example:$https/page" </dev/null
    start s_client xiorun -c "$chain" -- openssl s_client -quiet -ign_eof -verify_return_error -verify_hostname www.example \
        -CAfile "$certs/ca.crt" -connect "www.example:$https" < <(printf 'GET /page HTTP/1.0\r\n\r\n')
    for program in curl curl6 wget nc git gits parts curls s_client; do finish $program; done
    same 3 "$(grep -c '^hello$' curl.out)"
    same 2 "$(grep -c '^hello$' curl6.out)"
    same 2 "$(grep -c '^hello$' parts.out)"
    for program in wget nc curls s_client; do same hello "$(tail -n 1 $program.out)"; done
    same 2 "$(grep -c 'GET /repo.git/info/refs' "$F/www.err")"
    wait_for 5 no_helper
}

@test "what a program has written arrives, though it has ended; one xiorun within another" {
    start_peer sink save:all
    head -c 3000000 /dev/urandom >data
    xiorun -c "gzip|^gzip|tcp:127.0.0.1:$port" -- nc -N far.example 1 <data
    finish sink
    same_files data all
    start_listener outer 'socks-server|tcp-l:0,bind=127.0.0.1' "tcp:127.0.0.1:$www"
    same hello "$(xiorun -c "socks5:{host}:{port}|tcp:127.0.0.1:$port" -- "$XIORUN" -c "nop|tcp:127.0.0.2:80" -- curl -sS http://inner.example/page)"
    wait_for 5 no_helper
}

@test "what the command line says wins, rules come from pipes, direct within another goes through that" {
    start_listener count "tcp-l:0,bind=127.0.0.1,fork" "tcp:127.0.0.1:$www"
    outer=$port
    echo '* * * refuse' >none
    echo "* * tcp tcp:127.0.0.1:$www" >some
    echo '* * * direct' >all
    curl="curl -sS http://x.example:$www/page"
    # shellcheck disable=SC2086
    {
        same hello "$(XIO_RULES=$PWD/none XIO_CHAIN=tcp:127.0.0.1:1 xiorun -c "tcp:127.0.0.1:$www" -- $curl)"
        same hello "$(XIO_CHAIN=tcp:127.0.0.1:1 xiorun -f <(cat some) -- sh -c "$curl")"
        has_not "$(XIO_CHAIN=tcp:127.0.0.1:$www xiorun -q -f none -- $curl 2>&1)" hello
        same hello "$(xiorun -c "tcp:127.0.0.1:$outer" -- "$XIORUN" -f all -- $curl)"
    }
    # no descriptor of the caller's is taken for the lease's
    xiorun -c "tcp:127.0.0.1:$www" -- curl -sS -o got "http://x.example/page" <&- >&-
    same hello "$(cat got)"
    touch plain
    for what in ./plain "$T"; do
        run xiorun -c pipe -- "$what"
        same 126 "$status"
        has "$output" 'it cannot be executed'
    done
    wait_for 5 no_helper
}

@test "a program that is started with an environment of its own gets the library and the lease again" {
    cat >starts.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int n, char **v)
{
    char *sh = "/bin/sh", *argv[] = {sh, "-c", v[2], NULL}, *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LD_PRELOAD=", NULL};
    pid_t pid;
    int status = n;
    switch (atoi(v[1])) {
    case 0: execve(sh, argv, env); break;
    case 1: environ = env; execv(sh, argv); break;
    case 2: clearenv(); execvp(sh, argv); break;
    case 3: execvpe(sh, argv, env); break;
    case 4: clearenv(); execl(sh, sh, "-c", v[2], NULL); break;
    case 5: clearenv(); execlp(sh, sh, "-c", v[2], NULL); break;
    case 6: execle(sh, sh, "-c", v[2], NULL, env); break;
    case 7: fexecve(open(sh, O_RDONLY), argv, env); break;
    case 8: execveat(AT_FDCWD, sh, argv, env, 0); break;
    case 9: posix_spawn(&pid, sh, NULL, NULL, argv, env); wait(&status); return status;
    case 10: posix_spawnp(&pid, "sh", NULL, NULL, argv, env); wait(&status); return status;
    case 11: if (vfork() == 0) execve(sh, argv, NULL); wait(&status); return status;
    }
    return 99;
}
C
    cc -w starts.c -o starts
    chain=tcp:127.0.0.1:$www
    # shellcheck disable=SC2016
    same "$(yes hello | head -n 12)" "$(xiorun -c "$chain" -- sh -c 'for i in $(seq 0 11); do ./starts $i "curl -sS http://x.example/page"; done')"
    same hello "$(xiorun -c "$chain" -- env -i /bin/sh -c 'exec curl -sS http://x.example/page')"
    same hello "$(xiorun -c "$chain" -- python3 -c '
import subprocess
subprocess.run(["curl", "-sS", "http://x.example/page"], env={"PATH": "/usr/bin:/bin"})')"
    same hello "$(XIO_CHAIN=$chain LD_PRELOAD=$(dirname "$XIORUN")/libxio-preload.so env -i /usr/bin/curl -sS http://x.example/page)"
    wait_for 5 no_helper
}

@test "the far end is told the name; errors are errno for the program and a line for its user" {
    four_links 'tcp:{targethost}:{targetport}'
    run xiorun -c "$chain" -- curl -sS "http://nobody.invalid:$www/page"
    same 7 "$status"
    has "$output" "^xiorun: curl\[[0-9]*\]: nobody.invalid:$www: .*socks"
    has "$(cat far.err)" 'nobody.invalid'
    run xiorun -c 'tcp:127.0.0.1:1' -- python3 -c 'import socket; socket.create_connection(("a.example", 80))'
    has "$output" 'ConnectionRefusedError: \[Errno 111\]'
    has "$output" "^xiorun: .*: a.example:80: .*refused"
    XIO_QUIET=1 run xiorun -c 'tcp:127.0.0.1:1' -- nc -v a.example 80
    same 1 "$status"
    has_not "$output" xiorun
    # what was asked for is never text of a chain
    run xiorun -c 'tcp:{host}:{port}' -- curl -sS "http://a|exec:id/"
    has_not "$output" uid=
}

@test "what a rule says of a name holds, be it direct, and be it this host's" {
    url=http://localhost:$www/page
    same hello "$(xiorun -f <(echo 'localhost * * direct') -- wget -qO- "$url")"
    same hello "$(xiorun -f <(echo 'localhost * tcp direct') -- curl -sS -4 "$url")"
    same hello "$(xiorun -f <(printf '%s\n' 'other * * refuse' '* * * direct') -- curl -sS -4 "$url")"
    same hello "$(xiorun -f <(echo "localhost 81 tcp tcp:127.0.0.1:$www") -- curl -sS "http://localhost:81/page")"
    for name in localhost LocalHost. a.localhost 127.0.0.1; do
        run xiorun -f <(printf '%s\n' 'localhost * tcp refuse' '*.localhost * * refuse' '* * tcp direct') -- curl -sS "http://$name:$www/page"
        has "$output" 'refused, as a rule says'
        has_not "$output" hello
    done
    run xiorun -f <(printf '%s\n' 'localhost * tcp refuse' '* * tcp direct') -- python3 -c "import socket
print(socket.gethostbyname('localhost'))"
    has "$output" '^198\.18\.'
}

@test "a chain that is none is told of before the program starts, with the line of its rule" {
    fails xiorun -c 'sox5:{host}:{port}|tcp:proxy:1080' -- touch started 2>err
    has "$(<err)" '^xiorun: unknown device/address "sox5"'
    printf '%s\n' '# rules' '* 80 tcp direct' '* * tcp tcp:{host}:{port},nosuch=1' >rules
    fails xiorun -f rules -- touch started 2>err
    has "$(<err)" '^xiorun: rules, line 3: .*unknown option "nosuch"'
    fails xiorun -c 'sox5:{host}:{port}' --strict -- touch started 2>err
    has "$(<err)" '^xiorun: unknown device/address "sox5"'
    XIO_CHAIN=sox5:x LD_PRELOAD=${XIORUN%/*}/libxio-preload.so fails curl -sS "http://localhost:$www/page" 2>err
    has "$(<err)" '^xiorun: unknown device/address "sox5"'
    [ ! -e started ]
    xiorun -c 'socks5:{host}:{port}|openssl|tcp:nobody.example:1080' -- touch started # is nobody there? That is seen later
    [ -e started ]
}

@test "rules: hosts, networks, ports, protocols; the first that fits" {
    cat >rules <<RULES
# host          port        protocol  then
*.inside        *           *         direct
10.0.0.0/8      22,90-99    tcp       refuse
[fd00::]/8      *           *         refuse
far.example     81          tcp       tcp:127.0.0.1:$www
10.1.2.3        *           tcp       tcp:127.0.0.1:$www
* 82 tcp        gzip|^gzip|tcp:127.0.0.1:$www
RULES
    each 'try() { [ "$(xiorun -f rules -- curl -sS "http://$1/page" 2>&1 | head -n 1 | cut -c 1-200 | grep -oE "$2")" = "$2" ]; }; try' <<'ROWS'
far.example:81    hello
FAR.example:81    hello
any.example:82    hello
10.1.2.3:81       hello
10.1.2.3:95       'refused, as a rule says'
10.2.2.3:81       'no rule is about that'
[fd12::1]:82      'refused, as a rule says'
far.example:83    'no rule is about that'
ROWS
    run xiorun -f rules -- curl -sS http://some.inside
    has_not "$output" xiorun: # it is looked up here, and is nowhere
    has "$(xiorun -f rules -- getent ahosts some.inside)" '^198\.1[89]\.'
    run xiorun -f <(echo '* * * direct') -- getent ahosts some.inside
    same 2 "$status"
    has "$(xiorun -f rules -- getent ahosts some.outside)" '^198\.1[89]\.'
    run xiorun -c "tcp:127.0.0.1:1" -f rules -- curl -sS "http://far.example:81/page"
    same hello "$output"
    for wrong in '* x tcp direct' '* 9-1 tcp direct' '* * sctp direct' '* * tcp' '10.0.0.0/33 * * direct' '* * * resolve'; do
        echo "$wrong" >wrong
        run xiorun -f wrong -- true
        same 1 "$status"
        has "$output" '^xiorun: wrong, line 1: .*"'
    done
    run xiorun -f missing -- true
    same 1 "$status"
    run xiorun -- true
    same 1 "$status"
    has "$output" 'neither a chain'
}

@test "by the environment alone, as it is installed; the program's status, signals and children are its own" {
    root=$T/root
    DESTDIR=$root cmake --install "$(dirname "$CATENA_BIN")" >install.log
    lib=$(dirname "$(find "$root" -name libxio-preload.so)")
    same "" "$(readelf -d "$lib/libxio-preload.so" | grep NEEDED | grep -vE '\[(libc|ld-linux.*)\.so')"
    own=$(nm -D --defined-only "$lib/libxio-preload.so" | cut -d' ' -f3 | sort) # what stands in front of something
    same "$own" "$(comm -12 <(echo "$own") <(nm -D --defined-only "$(ldconfig -p | sed -n 's/.*=> //p' | grep -m 1 "/libc.so.6")" |
        sed 's/.* \([^@]*\).*/\1/' | sort -u))"
    same hello "$(XIO_CHAIN="tcp:127.0.0.1:$www" LD_LIBRARY_PATH=$lib LD_PRELOAD=libxio-preload.so curl -sS http://x.example/page)"
    XIORUN=$(find "$root" -name xiorun -type f)
    export LD_LIBRARY_PATH=$lib
    same hello "$(xiorun -c "tcp:127.0.0.1:$www" -- curl -sS http://x.example/page)"
    run xiorun -c pipe -- sh -c 'exit 42'
    same 42 "$status"
    run xiorun -c pipe -- sh -c 'kill -TERM $$'
    same 143 "$status"
    status=0
    xiorun -c pipe -- nonsense-program || status=$?
    same 127 "$status"
    # no child that it has not made; and what closes all descriptors does not lose the helper
    same "$(printf 'none\nhello')" "$(xiorun -c "tcp:127.0.0.1:$www" -- python3 -c '
import os, subprocess
try: os.wait()
except ChildProcessError: print("none", flush=True)
os.closerange(3, 4096)
subprocess.run(["curl", "-sS", "http://x.example/page"], close_fds=True)')"
    # and what does it behind all hooks gets one of its own
    same hello "$(xiorun -c "tcp:127.0.0.1:$www" -- python3 -c '
import ctypes, urllib.request
ctypes.CDLL(None).syscall(436, 3, 0xffffffff, 0)
print(urllib.request.urlopen("http://x.example/page").read().decode(), end="")')"
    # descriptors of the caller are not the helper's
    { xiorun -c pipe -- true; } 3>three
    wait_for 5 no_helper
}

@test "what the library does not reach is said before it starts" {
    cc -static -o still -x c - <<<'int main(void) { return 3; }'
    printf '#!%s\n' "$T/still" >script
    chmod +x script
    for program in ./still ./script; do
        run xiorun -c pipe -- $program
        same 3 "$status"
        has "$output" '^xiorun: warning: .*is a static program: its connections do not go through a chain'
    done
    run xiorun -c pipe -- true
    same "" "$output"
}

@test "strictly: what no library reaches is served by the kernel's question, or refused" {
    xiorun --strict -c pipe -- true || skip "the kernel asks nobody"
    cc -static -Wall -Wextra -Werror "$top/tests/xio/raw.c" -o raw
    printf '%s\n' '127.0.0.1 9 udp direct' "* * tcp tcp:127.0.0.1:$www" >bare
    sed "s/tcp:127.0.0.1:$www/gzip|^gzip|&/" bare >lines
    rules >rules
    start sockets xiorun --strict -q -f rules -- python3 "$top/tests/xio/sockets.py" </dev/null
    cat >expected <<'SAID'
waiting: ok
waiting: hello
not waiting: ok
not waiting: hello
fast open: EOPNOTSUPP
sendto: ENETUNREACH
sendmsg: ENETUNREACH
sendmmsg: ENETUNREACH
no family: ENETUNREACH
udp connect: ENETUNREACH
direct: ok
resolver: ok
question: ok
answer: 198.18, 29 sent
connect by name: ok
descriptor: ok
child: 0, given
ring: ENOSYS
SAID
    for rules in bare lines; do
        run --separate-stderr xiorun --strict -f $rules -- ./raw
        same 5 "$status"
        same "$(cat expected)" "$output"
        has "$stderr" '^xiorun: raw\[[0-9]*\]: 192.0.2.1:123/udp: no rule is about UDP there'
    done
    run xiorun --strict -c 'tcp:127.0.0.1:1' -- ./raw
    has "$output" '^waiting: ECONNREFUSED'
    has "$output" '^xiorun: raw\[[0-9]*\]: 192.0.2.1:80: .*refused'
    run xiorun --strict -c pipe -- sh -c 'kill -TERM $$'
    same 143 "$status"
    # signals for xiorun are the program's; and who is left behind goes on to be served
    start signalled "$XIORUN" --strict -c pipe -- sh -c 'trap "echo got; exit 7" TERM; echo there; while :; do sleep 0.05; done' </dev/null
    wait_for 5 file_has signalled.out there
    kill -TERM "$pid"
    finish signalled 7
    same hello "$(xiorun --strict -c "tcp:127.0.0.1:$www" -- sh -c '(sleep 0.3; exec curl -sS http://x.example/page) & exit 0')"
    run xiorun --strict -c pipe -- "$XIORUN" --strict -c pipe -- echo there
    same 1 "$status"
    same 'xiorun: --strict: somebody is asked about this process'"'s calls already" "$output"
    cp raw gains
    if [ "$(id -u)" = 0 ]; then
        chown 1 gains
        chmod u+s gains
        run xiorun --strict -c pipe -- ./gains
        same 1 "$status"
        has "$output" 'would have more rights than you'
    fi
    finish sockets
    same all "$(cat sockets.out)"
}
