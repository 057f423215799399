#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# PROXY headers with haproxy, nginx and varnish, as proxies in front of us and as servers behind us.
load ../helpers

FROM=127.0.0.5 # the client's own address

prepare() {
    printf '#!/bin/sh\nread -r x\nprintf "HTTP/1.0 200 OK\\r\\nConnection: close\\r\\n\\r\\n%%s %%s %%s\\n" "$SOCAT_PEERADDR" "$SOCAT_SNI" "$SOCAT_OPENSSL_X509_COMMONNAME"\n' >web
    chmod +x web
}

get() { curl -sS -m "$LIMIT" --interface "$FROM" "$@"; }
# told <what> <curl arguments...>: such an answer comes, soon after the server has begun.
told() { wait_for 10 eval "get $(printf '%q ' "${@:2}") | grep -qx '$1'"; }
# sends <chain>: a client of ours comes through it to what listens at $behind.
sends() { start_listener sender tcp-l:0,bind=127.0.0.1,thread "$1|tcp:127.0.0.1:$behind"; }

haproxy_with() { # <name>: the rest of its configuration is standard input
    (printf 'global\n nbthread 1\ndefaults\n mode tcp\n timeout client 10s\n timeout server 10s\n timeout connect 10s\n' && cat) >"$1.cfg"
    start "$1" timeout "$((3 * LIMIT))" haproxy -db -f "$1.cfg" </dev/null
}

@test "haproxy: send-proxy, send-proxy-v2 with what it knows of TLS, and accept-proxy; its checks are LOCAL" {
    make_certs certs
    start_listener server 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1,fork' exec:./web && server=$port
    plain=$(free_port) tls=$(free_port) behind=$(free_port)
    haproxy_with front <<END
listen one
 bind 127.0.0.1:$plain
 server s 127.0.0.1:$server send-proxy
listen two
 bind 127.0.0.1:$tls ssl crt certs/server.pem ca-file certs/ca.crt verify required
 server s 127.0.0.1:$server send-proxy-v2-ssl-cn proxy-v2-options authority,crc32c,unique-id check check-send-proxy inter 100
listen behind
 mode http
 bind 127.0.0.1:$behind accept-proxy
 http-request return status 200 content-type text/plain lf-string "%[src] %[fc_pp_authority] %[fc_pp_unique_id]\n"
END
    wait_for 10 port_listens "$behind"
    told "$FROM  " "http://127.0.0.1:$plain/"
    told "$FROM localhost client.example" --cacert certs/ca.crt --cert certs/client.pem --resolve "localhost:$tls:127.0.0.1" "https://localhost:$tls/"
    wait_for 10 file_has server.err '127.0.0.1:[0-9]* ended after' # a check
    sends proxy-protocol
    told "$FROM  " "http://127.0.0.1:$port/"
    sends proxy-protocol,version=2,authority=www.example,unique-id=x-1,crc32c,tlv=0xE1:more
    told "$FROM www.example x-1" "http://127.0.0.1:$port/"
    sends proxy-protocol,version=2,unknown
    told '127.0.0.1  ' "http://127.0.0.1:$port/"
}

@test "nginx as a server of both versions" {
    behind=$(free_port)
    mkdir -p nginx
    cat >nginx.conf <<END
daemon off;
error_log stderr;
pid $PWD/nginx/pid;
events {}
http {
 access_log off;
 client_body_temp_path nginx/a; proxy_temp_path nginx/b; fastcgi_temp_path nginx/c; uwsgi_temp_path nginx/d; scgi_temp_path nginx/e;
 server { listen 127.0.0.1:$behind proxy_protocol; location / { return 200 "\$proxy_protocol_addr:\$proxy_protocol_server_port\\n"; } }
}
END
    start nginx timeout "$((3 * LIMIT))" nginx -p "$PWD" -c nginx.conf </dev/null
    wait_for 10 port_listens "$behind"
    for header in proxy-protocol proxy-protocol,version=2,crc32c; do
        sends "$header"
        told "$FROM:$port" "http://127.0.0.1:$port/"
    done
}

@test "varnish, on both sides" {
    start_listener server 'proxy-protocol-server|tcp-l:0,bind=127.0.0.1,thread' exec:./web && server=$port
    public_dir # it is another user there
    for version in 1 2; do
        behind=$(free_port) plain=$(free_port) # the one before may be slow to let go of its own
        cat >"$public/$version.vcl" <<END
vcl 4.1;
import std;
backend default { .host = "127.0.0.1"; .port = "$server"; .proxy_header = $version; }
sub vcl_recv { if (req.url == "/who") { return (synth(200)); } return (pass); }
sub vcl_synth { synthetic(client.ip + " " + std.port(server.ip) + {"
"}); return (deliver); }
END
        start "varnish$version" timeout "$((3 * LIMIT))" varnishd -F -n "$public/v$version" -f "$public/$version.vcl" -a "127.0.0.1:$plain" -a "127.0.0.1:$behind,PROXY" </dev/null
        wait_for 20 port_listens "$behind"
        told "$FROM  " "http://127.0.0.1:$plain/"
        sends "proxy-protocol,version=$version"
        told "$FROM $port" "http://127.0.0.1:$port/who"
        kill "$(<"varnish$version.pid")"
    done
}
