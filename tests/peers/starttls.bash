# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of STARTTLS share. Each server is made in the test's own directory, on a free port; those that
# will not be root get a directory that they can reach.

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    here=$top/tests/peers
    ca=$certs/ca.crt
    export SSL_CERT_FILE=$ca
}
eval "others_$(declare -f teardown)" # of ../helpers

# Between two rounds: the servers, and what stood in front of them.
stop_servers() {
    for p in "$T"/*.server "$T"/to_*.pid "$T"/at_*.pid; do [ ! -e "$p" ] || kill "$(<"$p")" 2>/dev/null || :; done
    for p in "$T"/*.server; do [ ! -e "$p" ] || wait_for 10 is_gone "$(<"$p")"; done
    # postfix leaves its master behind, with an environment of its own
    [ ! -e "${public:-}/queue/pid/master.pid" ] || kill "$(tr -d ' ' <"$public/queue/pid/master.pid")" || :
    rm -rf "${public:-}"
}
teardown() {
    stop_servers
    others_teardown
}

# own <user>: a directory that he can reach, with the certificate, is $public.
own() {
    public_dir
    cp "$ca" "$certs/server.crt" "$certs/server.key" "$public"
    chmod 600 "$public/server.key"
    chown -R "$1" "$public"
}
# serve <name> <port> <command...>: waits until it is there.
serve() {
    start "$1" "${@:3}" </dev/null
    cp "$T/$1.pid" "$T/$1.server"
    wait_for 30 port_listens "$2" || {
        cat "$T/$1.err" "$T/$1.out"
        return 1
    }
}
# plain <protocol> <port>: where somebody without TLS talks to what is at that port, is $port.
without_tls() {
    local domain=
    case $1 in xmpp*) domain=,xmpp-domain=localhost ;; esac
    start_listener "to_$1" tcp-l:0,bind=127.0.0.1,fork "openssl,cafile=$ca,commonname=localhost|starttls:$1$domain|tcp:127.0.0.1:$2"
}
# with_tls <protocol> <port>: ... and where somebody with TLS does.
with_tls() { start_listener "at_$1" "openssl-server,cert=$certs/server.pem,verify=0|starttls-server:$1|tcp-l:0,bind=127.0.0.1,fork" "tcp:127.0.0.1:$2"; }
client() { timeout 60 /usr/bin/python3 "$here/starttls_clients.py" "$@"; }
