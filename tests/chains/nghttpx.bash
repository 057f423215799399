# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# nghttpx as a proxy that speaks HTTP/2, in front of a server of ours that does what it is asked for.

# behind [<options>]: that server; its port is in $behind.
behind() {
    start_listener behind "proxy-server,${1:-open}|tcp-l:0,bind=127.0.0.1,backlog=300,thread" 'tcp:{targethost}:{targetport}' && behind=$port
}

# front <name> [<options...>]: nghttpx at $proxy.
front() {
    start "$1" nghttpx --conf=/dev/null -s --workers=1 --frontend-http2-read-timeout=60 --backend-connections-per-host=1000 \
        -b "127.0.0.1,$behind" "${@:2}" </dev/null
    wait_for 10 port_listens "$proxy"
}
plain_front() { front "$1" -f "127.0.0.1,$proxy;no-tls" "${@:2}"; }
tls_front() { front "$1" --no-ocsp -f "127.0.0.1,$proxy" "${@:2}" certs/server.key certs/server.crt; }
# Those of it that have connections to be cut: its worker, too.
end_front() { kill -"${2:-KILL}" "$(<"$1.pid")" "$(pgrep -P "$(<"$1.pid")")" 2>/dev/null || :; }
