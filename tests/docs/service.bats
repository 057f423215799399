#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README has somebody type: the first three lines, and then the ten that lead to a TLS front as a service, in a
# network and below a directory of their own.
load ../helpers

# What "make install" has done by then, and /etc, /usr/local, are below $T/root.
setup_file() {
    build=$(dirname "$(realpath "$CATENA_BIN")")
    [ -e "$build/cmake_install.cmake" ] || skip "not built by CMake"
    export ROOT=$BATS_FILE_TMPDIR/root UNITS=$BATS_FILE_TMPDIR/root/etc/systemd/system build
    mkdir -p "$UNITS" "$ROOT/usr/local" "$BATS_FILE_TMPDIR/bin"
    ln -s "$top/tests/tools/systemctl.bash" "$BATS_FILE_TMPDIR/bin/systemctl"
    printf '#!/bin/sh\n[ "$*" = install ] && exec cmake --install "%s" --prefix "%s/usr/local" >install.log\n' "$build" "$ROOT" >"$BATS_FILE_TMPDIR/bin/make"
    chmod +x "$BATS_FILE_TMPDIR/bin/make"
    export PATH="$ROOT/usr/local/bin:$BATS_FILE_TMPDIR/bin:$PATH"
}

below_root() { sed "s#/etc/catena#$ROOT&#g; s#/etc/systemd#$ROOT&#g; s#/usr/local#$ROOT&#g" "$@"; }

# alone <script>: with a web server at port 80, and the functions that wait.
alone() {
    local flags=-rn
    [ "$(id -u)" != 0 ] || flags=-n
    cat >begin <<EOF
set -em
ip link set lo up
there() { until [ -n "\$(ss -Hltn "sport = :\$1")" ]; do sleep 0.02; done; }
"$CATENA_BIN" tcp-listen:80,bind=localhost,fork system:'sed -n "/^.\$/q"; echo HTTP/1.0 200 OK; echo; echo a page' & web=\$!
disown
there 80
EOF
    { cat begin "$1" && echo 'kill $web'; } >script
    timeout 40 unshare $flags -- bash script
}

@test "the first three lines of the README, and those that it shows at its top" {
    sed -n '/^## Three lines/,/^A mistake/s/^    //p' "$top/README.md" | sed '1s/$/\nthere 8080/' >steps
    { echo "PATH=${CATENA_BIN%/*}:\$PATH" && cat steps && echo 'kill %%'; } >with
    alone with >told 2>err
    same hello "$(head -n 1 told)"
    has "$(<told)" 'openssl-client -- proxy:.*: encrypted'
    has "$(<told)" '^TCP-LISTEN:<port>'
    has_not "$(<err)" ' E '
    sed -n '/^A mistake/,/^## /s/^    //p' "$top/README.md" >said
    "$CATENA_BIN" - "$(sed -n "1s/.*'\\(.*\\)'/\\1/p" said)" 2>&1 | sed 's|^[0-9/]* [0-9:]* catena\[[0-9]*\]|2026/01/31 12:00:00 catena[4711]|' >told || :
    tail -n +2 said | diff - told
    sed -n '/^## /q; s/^    catena /"$CATENA_BIN" -n=json /p' "$top/README.md" >lines
    [ "$(wc -l <lines)" -ge 5 ]
    while IFS= read -r line; do
        bash -c "$line" >told 2>err || :
        [ -s told ] && has_not "$(<err)" ' E ' || { echo "$line"; cat err; false; }
    done <lines
}

@test "the ten commands of the README" {
    sed -n '/^## A service in ten commands/,/^## [^A]/s/^    \(# \| *\)//p' "$top/README.md" | sed -e ':more' -e '/\\$/{N;s/\\\n */ /;b more' -e '}' >commands
    [ "$(wc -l <commands)" -le 10 ]
    has "$(<commands)" '^make install$'
    # who types is not as quick as a script; what systemd has is below our directory, and starts what is there
    below_root commands | sed "s#^cp examples\(.*\) \(.*\)/#&\nsed -i 's, /etc, $ROOT/etc,; s,:/etc,:$ROOT/etc,; s,/usr/local,$ROOT/usr/local,' $UNITS/*.service#
        s#^cp examples#cp $top/examples#; s#^catena tcp-listen:\([0-9]*\).*#&\nthere \1#; s#^systemctl enable.*#&\nthere 443#" >steps
    alone steps >told 2>err
    same 'a page
a page' "$(<told)"
    has_not "$(<err)" ' E '
    [ "$(stat -c %a "$UNITS/catena-tls.service.credentials/tls.key")" = 600 ]
}

@test "the script for runit: connections are nobody's, and a new certificate is taken" {
    [ "$(id -u)" = 0 ] || skip "for root, who becomes nobody"
    public_dir
    cp -r "$ROOT/etc" "$public"
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout new.key -out new.crt 2>openssl.log
    ROOT=$public below_root "$top/examples/service/run" >run
    cat >steps <<EOF
sh ./run >run.log & run=\$!
there 443
curl -s --cacert $public/etc/catena/tls.crt https://localhost/
cp new.key $public/etc/catena/tls.key
cp new.crt $public/etc/catena/tls.crt
curl -s --cacert new.crt https://localhost/
exec 3<>/dev/tcp/localhost/443
until ps -o user= --ppid \$run | grep nobody; do sleep 0.02; done
kill \$run
wait \$run || echo \$?
EOF
    alone steps >told
    same 'a page
a page
nobody
143' "$(<told)"
}

@test "systemd takes the unit, and finds it confined" {
    command -v systemd-analyze >/dev/null || skip "no systemd"
    below_root "$top/examples/service/catena-tls.service" >catena-tls.service
    systemd-analyze verify --man=no ./catena-tls.service
    systemd-analyze security --offline=true --threshold=20 ./catena-tls.service >security
}
