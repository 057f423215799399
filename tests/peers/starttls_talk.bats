#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# STARTTLS with the servers and clients of others, both ways: news and talk.
load ../helpers
load starttls

as() { setpriv --reuid="$1" --regid="$1" --clear-groups env -C "$public" "${@:2}"; }

inn() { # <whether readers need TLS>
    local d
    own news
    export INNCONF=$public/inn.conf
    for d in db run overview articles/local/test log tmp etc; do mkdir -p "$public/$d"; done
    cat >"$INNCONF" <<CONF
mta: "/bin/false %s"
mailcmd: /bin/false
domain: example.org
fqdn: news.example.org
pathhost: news.example.org
pathnews: /usr/lib/news
pathspool: $public
pathetc: $public/etc
pathdb: $public/db
pathrun: $public/run
pathoverview: $public/overview
patharticles: $public/articles
pathlog: $public/log
pathtmp: $public/tmp
ovmethod: tradindexed
hismethod: hisv6
enableoverview: true
readerswhenstopped: true
nnrpdloadlimit: 0
CONF
    printf 'auth "all" {\n require_encryption: %s\n default: "<reader>"\n}\naccess "all" {\n users: "*"\n newsgroups: "*"\n access: R\n}\n' "$1" >"$public/etc/readers.conf"
    [ "$1" = false ] || printf 'tls%s: %s\n' certfile "$public/server.crt" cafile "$public/server.crt" keyfile "$public/server.key" >>"$INNCONF"
    printf 'method tradspool {\n newsgroups: *\n class: 0\n}\n' >"$public/etc/storage.conf"
    install -m 600 /dev/null "$public/etc/inn-secrets.conf"
    echo 'local.test 0000000001 0000000001 n' >"$public/db/active"
    : >"$public/db/active.times" >"$public/db/newsgroups"
    printf '%s\r\n' 'Path: news.example.org!not-for-mail' 'From: me@example.org' 'Newsgroups: local.test' 'Subject: hello' \
        'Date: Mon, 30 Nov 2026 12:00:00 +0000' 'Message-ID: <1@example.org>' 'Xref: news.example.org local.test:1' '' \
        'what was sent' >"$public/articles/local/test/1"
    chown -R news "$public"
    as news /usr/lib/news/bin/makehistory -O 2>made.log
    as news /usr/lib/news/bin/makedbz -i -o -s 100
    port=$(free_port)
    serve nnrpd "$port" setpriv --reuid=news --regid=news --clear-groups /usr/lib/news/bin/nnrpd -D -f -4 127.0.0.1 -p "$port" \
        -c "$public/etc/readers.conf"
}

@test "INN gives articles in TLS only, and without it is read by who wants it" {
    for tls in true false; do
        inn $tls
        if [ $tls = true ]; then without_tls nntp "$port"; else with_tls nntp "$port"; fi
        client nntp "$([ $tls = true ] && echo plain || echo tls)" "$port"
        stop_servers
    done
}

@test "InspIRCd says of a user that he is in TLS, and without it is reached by who wants it" {
    for tls in yes no; do
        own irc
        local irc
        irc=$(free_port)
        cat >"$public/conf" <<CONF
<server name="irc.example.org" description="test" network="Test" id="01A">
<admin name="a" nick="a" email="a@example.org">
<bind address="127.0.0.1" port="$irc" type="clients">
<connect allow="*" resolvehostnames="no" useident="no">
<module name="cap">
<module name="ssl_gnutls">
<module name="sslinfo">
<module name="starttls">
<sslprofile name="Clients" provider="gnutls" certfile="$public/server.crt" keyfile="$public/server.key">
<pid file="$public/pid">
<files motd="/dev/null">
<path datadir="$public" logdir="$public" runtimedir="$public">
CONF
        [ $tls = yes ] || sed -i '/starttls/d' "$public/conf"
        serve inspircd "$irc" setpriv --reuid=irc --regid=irc --clear-groups inspircd --nofork --config="$public/conf"
        if [ $tls = yes ]; then
            without_tls irc "$irc"
            client irc plain "$port"
            fails client irc plain "$irc" 2>err
        else
            with_tls irc "$irc"
            { printf 'NICK joe\r\nUSER joe 0 * :Joe\r\n'; wait_for 20 file_has out ' 001 joe '; printf 'QUIT\r\n'; } |
                timeout 30 openssl s_client -starttls irc -quiet -verify_return_error -CAfile "$ca" -connect "127.0.0.1:$port" >out 2>err
            has "$(<out)" ' 001 joe '
        fi
        stop_servers
    done
}

prosody() { # <whether it wants TLS>
    own prosody
    xmpp=$(free_port)
    cat >"$public/conf.lua" <<CONF
pidfile = "$public/pid"
data_path = "$public"
certificates = "$public"
log = { info = "$public/log" }
daemonize = false
interfaces = { "127.0.0.1" }
c2s_ports = { $xmpp }
modules_enabled = { "saslauth", "disco", "offline", $([ "$1" = false ] || echo '"tls"') }
modules_disabled = { "s2s" }
c2s_require_encryption = $1
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
ssl = { certificate = "$public/server.crt"; key = "$public/server.key" }
VirtualHost "localhost"
CONF
    for who in me you; do as prosody prosodyctl --config "$public/conf.lua" register $who localhost secret >registered; done
    serve prosody "$xmpp" setpriv --reuid=prosody --regid=prosody --clear-groups prosody --config "$public/conf.lua"
}

@test "prosody takes messages in TLS only, and without it from go-sendxmpp, which wants it" {
    for tls in true false; do
        prosody $tls
        if [ $tls = true ]; then
            without_tls xmpp "$xmpp"
            client xmpp plain "$port" send
            fails client xmpp plain "$xmpp" send 2>err
        else
            with_tls xmpp "$xmpp"
            echo 'what was sent' | timeout 30 go-sendxmpp -u me@localhost -p secret -j "localhost:$port" you@localhost
            client xmpp plain "$xmpp"
        fi
        stop_servers
    done
}

# greeted <protocol> <what the server behind says first>
greeted() {
    printf '%b' "$2" >greeting
    rm -f out
    start_listener "at_$1" "openssl-server,cert=$certs/server.pem,verify=0|starttls-server:$1|tcp-l:0,bind=127.0.0.1" \
        'system:cat greeting; read -r line; echo back $line'
    { echo mine; wait_for 20 file_has out 'back mine'; } |
        timeout 30 gnutls-cli --x509cafile "$ca" --starttls-proto="$1" -p "$port" localhost >out 2>err
    has "$(<out)" 'back mine'
}

@test "gnutls-cli asks for TLS in each protocol that it knows" {
    each greeted <<'ROWS'
smtp '220 here\r\n'
lmtp '220 here\r\n'
imap '* OK here\r\n'
pop3 '+OK here\r\n'
ftp '220 here\r\n'
nntp '200 here\r\n'
sieve '"SASL" "PLAIN"\r\nOK "ready"\r\n'
ldap ''
xmpp ''
postgres ''
ROWS
}
