#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS peers that must not be believed: every kind of certificate that is not the right one, old
# versions, renegotiation. Each is an error line with its reason, and not a byte goes either way.
load ../faults/matrix

setup_file() {
    export CERTS=$BATS_FILE_TMPDIR/certs IN=$BATS_FILE_TMPDIR/in
    make_certs "$CERTS"
    "$PEER" gen "$N" 7 >"$IN"
    cd "$CERTS" && make_more 2>>certs.log
}

key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

# more <name> <subject> <extensions> [<arguments of x509>...]: one that the CA has signed.
more() {
    local name=$1 subject=$2 extensions=$3
    shift 3
    # shellcheck disable=SC2086
    openssl req -new $key -subj "$subject" -keyout "$name.key" -out "$name.csr" -utf8 &&
        openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
            -extfile <(printf '%b\n' "$extensions") -out "$name.crt" "$@" &&
        cat "$name.crt" "$name.key" >"$name.pem"
}

named() { more "$1" "/CN=$2" "subjectAltName=$3"; } # <file> <common name> <alternative names>

make_more() {
    # Those whose validity is over or has not begun come from a CA program with dates.
    mkdir ca && touch ca/index && echo 01 >ca/serial
    cat >ca.conf <<CONF
[ca]
default_ca = a
[a]
database = ca/index
new_certs_dir = ca
serial = ca/serial
default_md = sha256
policy = p
copy_extensions = copy
unique_subject = no
[p]
commonName = supplied
CONF
    local dates name
    for name in expired early revoked; do
        case $name in
        expired) dates='-startdate 20200101000000Z -enddate 20210101000000Z' ;;
        early) dates='-startdate 20900101000000Z -enddate 20910101000000Z' ;;
        revoked) dates='-days 2' ;;
        esac
        # shellcheck disable=SC2086
        openssl req -new $key -subj /CN=localhost -addext subjectAltName=DNS:localhost \
            -keyout $name.key -out $name.csr &&
            openssl ca -batch -config ca.conf -cert ca.crt -keyfile ca.key -in $name.csr $dates \
                -notext -out $name.crt &&
            cat $name.crt $name.key >$name.pem || return
    done
    openssl ca -config ca.conf -cert ca.crt -keyfile ca.key -revoke revoked.crt &&
        openssl ca -config ca.conf -cert ca.crt -keyfile ca.key -gencrl -crldays 2 -out crl.pem &&
        more usage /CN=localhost 'subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth' &&
        more weak /CN=localhost 'subjectAltName=DNS:localhost' -sha1 &&
        more leaf /CN=leaf 'basicConstraints=critical,CA:FALSE' &&
        named wild wild 'DNS:*.example.org' &&
        named all all 'DNS:*' &&
        named part part 'DNS:loc*.example.org' &&
        named uri uri 'URI:https://localhost,email:x@localhost' &&
        named ip 127.0.0.1 'DNS:127.0.0.1' &&
        named prefix prefix DNS:localhost.example.org &&
        named both localhost DNS:other.example &&
        named address 127.0.0.1 IP:127.0.0.2 || return
    make_constrained || return
    # Signed by one that must not sign.
    # shellcheck disable=SC2086
    openssl req -new $key -subj /CN=localhost -keyout under.key -out under.csr &&
        openssl x509 -req -in under.csr -CA leaf.crt -CAkey leaf.key -CAcreateserial -days 2 \
            -extfile <(echo subjectAltName=DNS:localhost) -out under.crt &&
        cat under.crt leaf.crt under.key >under.pem &&
        openssl req -x509 -newkey rsa:1024 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout small.key -out small.crt &&
        cat small.crt small.key >small.pem
}

# Certificates of an authority that may only certify names below good.test and addresses of 10/8, with
# a commonName alone or ("san_") with an alternative name as well; <name>.pem has their chain, too.
make_constrained() {
    local name
    # shellcheck disable=SC2086
    openssl req -new $key -subj '/CN=bounded CA' -keyout bounded.key -out bounded.csr &&
        openssl x509 -req -in bounded.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out bounded.crt \
            -extfile <(printf '%s\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign \
                'nameConstraints=critical,permitted;DNS:good.test,permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:bad.good.test') ||
        return
    while read -r name subject extension; do
        # shellcheck disable=SC2086
        openssl req -new $key -subj "/CN=$subject" -keyout "$name.key" -out "$name.csr" &&
            openssl x509 -req -in "$name.csr" -CA bounded.crt -CAkey bounded.key -CAcreateserial -days 2 \
                -extfile <(echo "$extension") -out "$name.crt" &&
            cat "$name.crt" bounded.crt "$name.key" >"$name.pem" || return
    done <<'CERTS'
cn_in www.good.test
cn_top good.test
cn_out victim.test
cn_near notgood.test
cn_excluded www.bad.good.test
cn_single localhost
cn_wild *.victim.test
cn_ip 127.0.0.1
cn_ip6 ::1
san_out victim.test subjectAltName=DNS:www.good.test
san_mail victim.test subjectAltName=email:x@good.test
CERTS
}

# server <certificate> <link with CA and PORT> <status> <pattern> [<steps>]: what the peer sends
# comes, or with an error does not.
server() {
    local bytes=0
    [ "$3" != 0 ] || bytes=1000
    address[here]=${2//CA/cafile=$CERTS/ca.crt}
    row @here both "$3" "$4" "$bytes" "tls:$CERTS/$1 gen:1000:7 ${5:-shut until:never}" -t 0.5
}

good=server.pem
local='openssl,CA|tcp:localhost:PORT'

@test "the right one is believed" {
    server $good "$local" 0 ''
    server $good 'openssl:localhost:PORT,CA' 0 ''
    server $good 'openssl,CA|tcp:127.0.0.1:PORT' 0 ''
    well
}

@test "certificates that are not, or not any more, or not yet" {
    server self.pem "$local" 1 'certificate.*self.signed'
    server expired.pem "$local" 1 'certificate.*expired'
    server early.pem "$local" 1 'certificate.*not yet valid'
    server usage.pem "$local" 1 'certificate.*purpose'
    server under.pem "$local" 1 'certificate.*CA\|certificate.*issuer'
    server small.pem "openssl,cafile=$CERTS/small.crt|tcp:localhost:PORT" 1 'certificate\|key too\|handshake'
    server $good "openssl,cafile=$CERTS/self.crt|tcp:localhost:PORT" 1 'certificate'
    server $good 'openssl|tcp:localhost:PORT' 1 'certificate'
    server $good "openssl,capath=$CERTS/ca|tcp:localhost:PORT" 1 'certificate'
    well
}

@test "names that are not the one" {
    for cert in other uri prefix all; do
        server $cert.pem "$local" 1 'localhost'
        server $cert.pem 'openssl:localhost:PORT,CA' 1 'localhost'
    done
    server ip.pem 'openssl,CA|tcp:127.0.0.2:PORT' 1 '127.0.0.2\|refused'
    for name in example.org a.b.example.org org www.example.org.evil www-example.org; do
        server wild.pem "openssl,CA,cn=$name|tcp:localhost:PORT" 1 "$name"
    done
    server part.pem 'openssl,CA,cn=xloc.example.org|tcp:localhost:PORT' 1 'example.org'
    server wild.pem 'openssl,CA,cn=www.example.org|tcp:localhost:PORT' 0 ''
    server wild.pem 'openssl,CA,cn=WWW.Example.ORG|tcp:localhost:PORT' 0 ''
    well
}

@test "a commonName beside alternative names" {
    server both.pem "$local" 1 'not for "localhost", it is for "other.example"; its commonName does not count'
    server both.pem 'openssl:localhost:PORT,CA' 1 'commonName does not count'
    server address.pem 'openssl,CA|tcp:127.0.0.1:PORT' 1 'commonName does not count'
    server both.pem 'openssl,CA,openssl-commonname-match|tcp:localhost:PORT' 0 ''
    server address.pem 'openssl:127.0.0.1:PORT,CA,commonname-match' 0 ''
    server both.pem 'openssl,CA,cn=third.example,commonname-match|tcp:localhost:PORT' 1 'not for "third.example"'
    server uri.pem "$local" 1 'localhost' # none of a host, and the commonName is another
    well
}

@test "an authority with name constraints: a commonName is no way around them" {
    local is='openssl,CA,cn=NAME|tcp:localhost:PORT' may='not trusted.*may not certify'
    server cn_in.pem "${is/NAME/www.good.test}" 0 ''
    server cn_top.pem "${is/NAME/good.test}" 0 ''
    server san_out.pem "${is/NAME/www.good.test}" 0 ''
    server san_out.pem "${is/NAME/victim.test}" 1 'not for "victim.test"'
    server san_out.pem "${is/NAME/victim.test,commonname-match}" 1 "$may"
    server san_mail.pem "${is/NAME/victim.test}" 1 "$may"
    server cn_out.pem "${is/NAME/victim.test}" 1 "$may"
    server cn_near.pem "${is/NAME/notgood.test}" 1 "$may"
    server cn_excluded.pem "${is/NAME/www.bad.good.test}" 1 "$may"
    server cn_single.pem "$local" 1 "$may"
    server cn_wild.pem "${is/NAME/www.victim.test}" 1 "$may"
    server cn_ip.pem 'openssl,CA|tcp:127.0.0.1:PORT' 1 "$may"
    server cn_ip6.pem "${is/NAME/::1}" 1 "$may"
    well
}

@test "messages say in words what is wrong, and what to do about it" {
    server self.pem "$local" 1 'not trusted: CN = localhost, issued by CN = localhost, valid from 20.* UTC to 20.* UTC: self.signed certificate (cafile=<file> with it'
    server $good "openssl,cafile=$CERTS/other.crt|tcp:localhost:PORT" 1 'its issuer is not known here (cafile='
    server expired.pem "$local" 1 'not trusted: CN = localhost, issued by CN = .*, valid from 2020-01-01 00:00:00 UTC to 2021-01-01 00:00:00 UTC: it has expired (verify=0'
    server usage.pem "$local" 1 'it is made for another purpose'
    server under.pem "$local" 1 'its issuer is no CA and must not sign'
    # What the peer thinks of ours.
    start_listener server tcp-listen:0,bind=127.0.0.1 "^openssl-server,cert=$CERTS/expired.pem,verify=0|pipe"
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -CAfile "$CERTS/ca.crt" -verify_return_error \
        </dev/null >client.log 2>&1 || :
    finish server 1
    has "$(<server.err)" ' E .*for the peer our certificate has expired'
    well
}

# Without a list nobody can know; under the name socat that is said.
@test "revoked certificates" {
    cells=$((cells + 1))
    start_peer peer "tls:$CERTS/revoked.pem" gen:1000:7 shut eof
    run socat_ours -u "openssl:localhost:$port,cafile=$CERTS/ca.crt" create:out </dev/null
    has "$output" ' W .*does not check CRLs'
    server revoked.pem "openssl,CA,crlfile=$CERTS/crl.pem|tcp:localhost:PORT" 1 'revoked'
    server "$good" "openssl,CA,crlfile=$CERTS/crl.pem|tcp:localhost:PORT" 0 ''
    try 1 'openssl-crlfile=/dev/null: ' - "openssl,cafile=$CERTS/ca.crt,crlfile=/dev/null|tcp:localhost:1"
    well
}

@test "old versions and weak ciphers" {
    for version in 1.0 1.1; do
        server "$good:$version" "$local" 1 'openssl'
        server "$good:$version" 'openssl,verify=0|tcp:localhost:PORT' 1 'openssl'
    done
    server "$good:1.2" "$local" 0 ''
    server "$good:1.2" 'openssl,CA,min-version=TLS1.3|tcp:localhost:PORT' 1 'openssl'
    server "$good:1.2" 'openssl,CA,ciphers=ECDHE-ECDSA-AES256-GCM-SHA384|tcp:localhost:PORT' 0 ''
    well
}

@test "SSLv2, SSLv3 and other protocols" {
    for hello in '\x80\x2e\x01\0\x02' '\x16\x03\0\0\x7a\x02\0\0\x76\x03\0' '\x15\x03\0\0\x02\x02\x28' \
        'HTTP/1.1\x20400\x20Bad\r\n\r\n' '220\x20smtp\r\n' '\x16\x03\x03\0\0' '\x14\x03\x03\0\x01\x01'; do
        address[here]='openssl,verify=0|tcp:localhost:PORT'
        row @here both 1 'openssl\|tcp' 0 "recv:10 send:$hello shut eof"
    done
    well
}

# bats test_tags=thread
@test "a server that wants to renegotiate is told no" {
    cells=$((cells + 1))
    start_peer peer "tls:$CERTS/$good:1.2" gen:1000:7 renegotiate
    mkfifo quiet
    catena -T 0.5 - "openssl,cafile=$CERTS/ca.crt|tcp:localhost:$port" <>quiet >out 2>log || :
    bytes=1000 delivered out
    wait_for 5 file_has peer.out renegotiation
    has_not "$(<peer.out)" 'renegotiation: done'
    well
}

# bats test_tags=thread
@test "a client that wants to renegotiate is told no" {
    cells=$((cells + 1))
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$CERTS/$good,verify=0,fork" pipe
    mkfifo keys
    exec 8<>keys
    start client openssl s_client -tls1_2 -connect "127.0.0.1:$port" -CAfile "$CERTS/ca.crt" <&8
    echo hello >keys
    wait_for 5 file_has client.out '^hello$'
    echo R >keys
    wait_for 5 file_has client.err '[Nn]o.renegotiation\|alert\|RENEGOTIATING'
    echo again >keys
    wait_for 5 is_gone_or_not_served
    kill "$(<client.pid)" 2>/dev/null || :
    exec 8>&-
    # The listener goes on.
    same hello "$(catena - "openssl,cafile=$CERTS/ca.crt|tcp:localhost:$port" <<<hello)"
    kill "$(<server.pid)"
    finish server 143
    well
}
is_gone_or_not_served() { is_gone "$(<client.pid)" || file_has client.out '^again$'; }

# clients <status> <pattern> <options of the client> -- <options of the server>
client() {
    local want=$1 pattern=$2 options=$3
    cells=$((cells + 1)) last="client $3, server $4"
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$CERTS/$good$4" pipe
    status=0
    output=$(catena - "openssl:localhost:$port,cafile=$CERTS/ca.crt$options" <<<hello 2>log) || status=$?
    if finish server "$want" && has "$(<server.err)" "$pattern"; then
        if [ "$want" = 0 ]; then same hello "$output"; else same '' "$output"; fi && return
    fi
    failures+=("$last")
    cat server.err log
}

@test "a server lets in whom it trusts and nobody else" {
    client 0 '' ",cert=$CERTS/client.pem" ",cafile=$CERTS/ca.crt"
    client 1 ' E .*certificate' '' ",cafile=$CERTS/ca.crt"
    client 1 ' E .*certificate' ",cert=$CERTS/self.pem" ",cafile=$CERTS/ca.crt"
    client 1 ' E .*certificate' ",cert=$CERTS/expired.pem" ",cafile=$CERTS/ca.crt"
    client 1 ' E .*certificate' ",cert=$CERTS/early.pem" ",cafile=$CERTS/ca.crt"
    client 1 ' E .*certificate' ",cert=$CERTS/under.pem" ",cafile=$CERTS/ca.crt"
    client 1 ' E .*client.example' ",cert=$CERTS/other.pem" ",cafile=$CERTS/ca.crt,cn=client.example"
    client 0 '' ",cert=$CERTS/client.pem" ",cafile=$CERTS/ca.crt,cn=client.example"
    client 0 '' '' ',verify=0'
    well
}

@test "what a certificate says of its owner names no other directory for a raw dump" {
    mkdir dumps
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=..\/escaped' \
        -keyout evil.key -out evil.crt 2>/dev/null
    start_listener server "openssl-listen:0,bind=127.0.0.1,cert=evil.crt,key=evil.key,verify=0" pipe
    # shellcheck disable=SC2016
    same hello "$(catena -R 'dumps/$SOCAT_OPENSSL_X509_COMMONNAME' - "openssl:127.0.0.1:$port,verify=0" <<<hello)"
    same hello "$(<dumps/_._escaped)"
    [ ! -e escaped ]
}
