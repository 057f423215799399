#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# HTTP proxies of others that want to know who we are: squid with Digest, with NTLM and Negotiate by helpers of its own and
# Samba's program as ours; and apt and curl through our own server.
load ../helpers

wells() { start_listener target tcp-l:0,bind=127.0.0.1,fork exec:"'echo well'" && target=$port; }

# squid <configuration>: it is then at $proxy.
squid() {
    proxy=$(free_port)
    public_dir
    cat >"$public/squid.conf" <<CONF
http_port 127.0.0.1:$proxy
pid_filename none
cache_log $public/cache.log
access_log none
cache deny all
coredump_dir $public
shutdown_lifetime 0 seconds
$1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
CONF
    [ "$(id -u)" != 0 ] || { echo 'cache_effective_user proxy' >>"$public/squid.conf" && chown -R proxy "$public"; }
    start squid env -u http_proxy squid -N -f "$public/squid.conf" </dev/null
    wait_for 20 port_listens "$proxy" || { tail -n 20 "$public/cache.log" && return 1; }
}
well() { same well "$(catena -U - "$1|tcp:127.0.0.1:$proxy" </dev/null)"; }
denied() { # <address> <pattern>
    run catena -U - "$1|tcp:127.0.0.1:$proxy" </dev/null
    same 1 "$status"
    has "$output" "$2"
}

@test "squid: Digest, on one connection and on two, and for a listener whose clients count on" {
    wells
    helper=$(find /usr/lib* -name digest_file_auth -path '*squid*' | head -n 1)
    printf 'joe:sec"ret\n' >pw && chmod 644 pw
    squid "auth_param digest program $helper $T/pw
auth_param digest realm of ours
auth_param digest nonce_strictness on
auth_param digest check_nonce_count on"
    chmod a+x "$T" "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
    P=proxy:127.0.0.1:$target
    well "$P,proxy-authorization-file=pw"
    well "$P,proxy-authorization-file=pw,proxy-auth-scheme=digest"
    well "$P,proxy-authorization-file=pw,http-version=1.1"
    denied "$P,proxyauth=joe:wrong" '407 .*the credentials were sent; it offers Digest'
    denied "$P,proxy-authorization-file=pw,proxy-auth-scheme=basic" '407 '
    denied "$P" 'give proxy-authorization (it offers Digest)'
    for way in fork thread; do
        start_listener "$way" "tcp-l:0,bind=127.0.0.1,$way" "$P,proxy-authorization-file=pw,proxy-auth-scheme=digest|tcp:127.0.0.1:$proxy"
        for i in 1 2 3 4; do same well "$(catena -U - "tcp:127.0.0.1:$port" </dev/null)"; done
    done
}

# Squid's side of NTLM and Negotiate: a challenge, and whoever answers it is joe.
stub() { # <scheme> <challenge> <what stands before the name>
    cat >"$stubs/$1" <<SH
#!/bin/sh
while read -r word token; do
    case \$word in
    YR) echo "TT $2" ;;
    KK) echo "AF $3joe" ;;
    esac
done
SH
    chmod 755 "$stubs/$1"
}

@test "squid: NTLM and Negotiate, with Samba's ntlm_auth and with a helper of our own kind" {
    wells
    public_dir
    stubs=$public
    stub ntlm TlRMTVNTUAACAAAAAgACADgAAAAVgoniASNFZ4mrze8AAAAAAAAAAFQAVAA6AAAACgBhSgAAAA9EAAIAAgBEAAEABgBTAFIAVgAEABIAZAAuAGUAeABhAG0AcABsAGUAAwAaAHMAcgB2AC4AZAAuAGUAeABhAG0AcABsAGUABwAIAACAIJvLgtgBAAAAAA==
    stub negotiate Z28gb24= '= '
    squid "auth_param ntlm program $stubs/ntlm
auth_param ntlm children 2
auth_param negotiate program $stubs/negotiate
auth_param negotiate children 2"
    P=proxy:127.0.0.1:$target
    well "$P,proxy-auth-scheme=ntlm,proxy-auth-helper=ntlm_auth --helper-protocol=ntlmssp-client-1 --username=joe --password=x --domain=D"
    well "$P,proxyauth=joe:x,proxy-auth-helper=ntlm_auth --helper-protocol=ntlmssp-client-1 --username=joe --domain=D"
    well "$P,proxy-auth-scheme=negotiate,proxy-auth-helper=while read w; do echo KK YWJj; done"
    denied "$P,proxy-auth-helper=while read w; do echo BH no ticket; done" 'nothing to say to the proxy: "BH no ticket"'
    denied "$P,proxyauth=joe:x" 'it offers NTLM, Negotiate\|it offers Negotiate, NTLM'
    rm -rf "$stubs"
}

# A repository for apt with one package of 2 MB, on a server that keeps connections; it is at $target.
repository() {
    mkdir -p pkg/DEBIAN pkg/usr/share/hello repo
    printf 'Package: hello-catena\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y>\nDescription: x\n' >pkg/DEBIAN/control
    head -c 2000000 /dev/urandom >pkg/usr/share/hello/data
    dpkg-deb -b pkg repo/hello-catena_1_all.deb >/dev/null
    (cd repo && dpkg-scanpackages . >Packages 2>/dev/null
        printf 'Date: %s\nSHA256:\n %s %s Packages\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %T UTC')" \
            "$(sha256sum <Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release)
    target=$(free_port)
    cat >nginx.conf <<CONF
daemon off; master_process off; pid $T/nginx.pid; error_log $T/nginx.log;
events {}
http { access_log $T/access.log; server { listen 127.0.0.1:$target; root $T/repo; } }
CONF
    start nginx nginx -e "$T/nginx.log" -c "$T/nginx.conf" </dev/null
    wait_for 10 port_listens "$target"
}

@test "apt and curl through our server: pipelined requests on one connection, and those that ask for a password" {
    repository
    for way in fork thread; do
        start_listener "$way" "proxy-server,auth=joe:secret|tcp-l:0,bind=127.0.0.1,$way" 'tcp:{targethost}:{targetport}'
        rm -rf apt && mkdir -p apt/etc apt/state/lists/partial apt/cache/archives/partial
        echo "deb [trusted=yes] http://127.0.0.1:$target ./" >apt/etc/sources.list
        : >access.log
        A=(-o "Dir::Etc::sourcelist=$T/apt/etc/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$T/apt/state"
            -o "Dir::Cache=$T/apt/cache" -o APT::Sandbox::User=root -o "Acquire::http::Proxy=http://joe:secret@127.0.0.1:$port")
        apt-get -q "${A[@]}" update
        (cd apt && apt-get -q "${A[@]}" download hello-catena)
        cmp apt/hello-catena_1_all.deb repo/hello-catena_1_all.deb
        file_has access.log 'GET /./hello-catena_1_all.deb HTTP/1.1" 200\|GET /hello-catena_1_all.deb'
        # one connection for all that curl wants; and it asks again, and on a new one, where it has to
        for how in basic:1 anyauth:3; do
            curl -sS -m "$LIMIT" -v --proxy-${how%:*} -x "http://joe:secret@127.0.0.1:$port" -o 'got.#1' \
                "http://127.0.0.1:$target/{Packages,Release,hello-catena_1_all.deb}" 2>curl.err
            for one in Packages Release hello-catena_1_all.deb; do same_files "got.$one" "repo/$one"; done
            same "${how#*:}" "$(grep -c 'Connected to' curl.err)"
        done
        kill "$(<"$way.pid")"
    done
}
