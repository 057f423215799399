#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS as v1's users know it: keys of all sorts, verification of names and issuers, versions and
# ciphers, SNI; our program and the reference on either side.
load net

# certificate <name> <subject> <alternative names or -> <key arguments...>: signed by "ca".
certificate() {
    local name=$1 subject=$2 names=$3
    shift 3
    openssl req -new -newkey "$@" -nodes -subj "$subject" -keyout "$name.key" -out "$name.csr" &&
        openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
            -extfile <([ "$names" = - ] || echo "subjectAltName=$names") -out "$name.crt" &&
        cat "$name.crt" "$name.key" >"$name.pem"
}

prepare_file() {
    local ec=(ec -pkeyopt ec_paramgen_curve:P-256)
    mkdir "$BATS_FILE_TMPDIR/certs"
    cd "$BATS_FILE_TMPDIR/certs"
    {
        openssl req -x509 -newkey "${ec[@]}" -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt
        openssl req -x509 -newkey "${ec[@]}" -nodes -days 2 -subj /CN=elsewhere -keyout x.key -out x.crt
        certificate rsa /CN=localhost DNS:localhost rsa:2048
        certificate ec /CN=localhost DNS:localhost "${ec[@]}"
        certificate short /CN=localhost DNS:localhost rsa:1024
        openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out dsa.param
        certificate dsa /CN=localhost DNS:localhost dsa:dsa.param
        certificate ip4 /CN=somebody IP:127.0.0.1 "${ec[@]}"
        certificate ip6 /CN=somebody IP:::1 "${ec[@]}"
        certificate cn /CN=localhost - "${ec[@]}"
        certificate cn4 /CN=127.0.0.1 - "${ec[@]}"
        certificate cn6 '/CN=[::1]' - "${ec[@]}"
        certificate wild /CN=somebody 'DNS:*.example.org' "${ec[@]}"
        certificate other /CN=other.example DNS:other.example,DNS:second.example "${ec[@]}"
        certificate client /CN=client.example DNS:client.example "${ec[@]}"
        openssl dhparam -dsaparam -out dh.pem 2048
    } >certs.log 2>&1
    mkdir hashed
    cp ca.crt "hashed/$(openssl x509 -in ca.crt -noout -hash).0"
}

prepare_test() {
    D=$BATS_FILE_TMPDIR/certs
    PAIRS=("ours ours" "ours ref" "ref ours")
    unset SSL_CERT_FILE SSL_CERT_DIR
}
program() { if [ "$1" = ours ]; then echo "$OURS"; else echo "$REF_SOCAT"; fi; }

# talk <yes|no> <server options> <host> <client options>: does an answer come back? "@" in options
# is the directory of certificates. In $got what the server's program says it is connected with.
talk() {
    local pair server client text
    for pair in "${PAIRS[@]}"; do
        read -r server client <<<"$pair"
        echo "# $1: server $server $2, client $client $3,$4"
        net_serve "$(program "$server")" -d -d "OPENSSL-LISTEN:$P,${FAMILY:-pf=ip4},reuseaddr,${2//@/$D}" \
            'system:echo answer \$SOCAT_OPENSSL_PROTO_VERSION \$SOCAT_OPENSSL_CIPHER \$SOCAT_OPENSSL_X509_COMMONNAME'
        text=$("${NET[@]}" timeout "$LIMIT" "$(program "$client")" -t 5 - \
            "OPENSSL:$3:$P,${4//@/$D}" </dev/null 2>client.err) || :
        got=${text#answer }
        text=${text%% *}
        same "$1" "$([ "$text" = answer ] && echo yes || echo no)"
        [ "$1" = yes ] || has "$(cat client.err server.err)" ' E '
        net_stop
        next_port
    done
}

@test "keys: RSA, EC" {
    talk yes cert=@/rsa.pem,verify=0 localhost pf=ip4,cafile=@/ca.crt
    talk yes cert=@/ec.pem,verify=0 localhost pf=ip4,cafile=@/ca.crt
    talk yes cert=@/ec.crt,key=@/ec.key,verify=0 localhost pf=ip4,cafile=@/ca.crt
}

@test "names: what is compared with what" {
    need_net6
    talk yes cert=@/ec.pem,verify=0 localhost pf=ip4,cafile=@/ca.crt
    talk no cert=@/ec.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    talk yes cert=@/ip4.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    talk yes cert=@/cn.pem,verify=0 localhost pf=ip4,cafile=@/ca.crt
    talk yes cert=@/cn4.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    talk no cert=@/ip6.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    FAMILY=pf=ip6 talk yes cert=@/ip6.pem,verify=0 '[::1]' cafile=@/ca.crt
    PAIRS=("ours ours")
    FAMILY=pf=ip6 talk yes cert=@/cn6.pem,verify=0 '[::1]' cafile=@/ca.crt
    FAMILY=pf=ip6 talk no cert=@/ip4.pem,verify=0 '[::1]' cafile=@/ca.crt
}

@test "names: commonname" {
    talk no cert=@/other.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    talk yes cert=@/other.pem,verify=0 127.0.0.1 cafile=@/ca.crt,commonname=other.example
    talk yes cert=@/other.pem,verify=0 127.0.0.1 cafile=@/ca.crt,cn=second.example
    talk no cert=@/other.pem,verify=0 127.0.0.1 cafile=@/ca.crt,openssl-commonname=third.example
    talk yes cert=@/wild.pem,verify=0 127.0.0.1 cafile=@/ca.crt,commonname=www.example.org
    talk no cert=@/wild.pem,verify=0 127.0.0.1 cafile=@/ca.crt,commonname=example.com
    PAIRS=("ours ours") # the reference cannot do without a name
    talk yes cert=@/other.pem,verify=0 127.0.0.1 cafile=@/ca.crt,commonname=
}

@test "issuers: cafile, capath, the library's own store, verify" {
    talk yes cert=@/ip4.pem,verify=0 127.0.0.1 cafile=@/ca.crt
    talk no cert=@/ip4.pem,verify=0 127.0.0.1 cafile=@/x.crt
    talk yes cert=@/ip4.pem,verify=0 127.0.0.1 capath=@/hashed
    talk no cert=@/ip4.pem,verify=0 127.0.0.1 capath=@
    talk no cert=@/ip4.pem,verify=0 127.0.0.1 verify=1
    talk yes cert=@/ip4.pem,verify=0 127.0.0.1 verify=0
    talk yes cert=@/other.pem,verify=0 127.0.0.1 openssl-verify=0
    PAIRS=("ours ours")
    SSL_CERT_FILE=$D/ca.crt talk yes cert=@/ip4.pem,verify=0 127.0.0.1 verify
    SSL_CERT_DIR=$D/hashed talk yes cert=@/ip4.pem,verify=0 127.0.0.1 verify
}

@test "clients with certificates" {
    server=cert=@/ip4.pem,cafile=@/ca.crt
    talk yes "$server" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
    has "$got" 'client.example'
    talk yes "$server,verify=1" 127.0.0.1 cafile=@/ca.crt,cert=@/client.crt,key=@/client.key
    talk no "$server" 127.0.0.1 cafile=@/ca.crt
    talk no "cert=@/ip4.pem,cafile=@/x.crt" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
    talk yes "cert=@/ip4.pem,capath=@/hashed" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
    talk yes "$server,cn=client.example" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
    talk no "$server,cn=other.example" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
    talk yes "cert=@/ip4.pem,verify=0" 127.0.0.1 cafile=@/ca.crt,cert=@/client.pem
}

@test "versions: from the lowest allowed to the highest" {
    v=verify=0
    for version in TLS1.2 TLS1.3; do
        talk yes cert=@/ec.pem,$v 127.0.0.1 "$v,min-version=$version,openssl-max-proto-version=$version"
        has "$got" "^${version/TLS/TLSv} "
        talk yes "cert=@/ec.pem,$v,openssl-min-proto-version=$version,openssl-max-proto-version=$version" 127.0.0.1 $v
        has "$got" "^${version/TLS/TLSv} "
    done
    PAIRS=("ours ours")
    talk no cert=@/ec.pem,$v,max-version=TLS1.2 127.0.0.1 $v,min-version=TLS1.3
    talk yes "cert=@/ec.pem,$v,min-proto-version=TLS1.2" 127.0.0.1 $v,max-version=TLS1.2
    both_fail - "OPENSSL:127.0.0.1:$P,min-version=TLS9"
}

@test "openssl-method" { # which the reference at hand is built without
    PAIRS=("ours ours")
    while read -r method version; do
        talk yes cert=@/ec.pem,verify=0 127.0.0.1 "verify=0,openssl-method=$method"
        has "$got" "^$version "
        talk yes "cert=@/ec.pem,verify=0,method=$method" 127.0.0.1 verify=0
        has "$got" "^$version "
    done <<'END'
TLS1.2 TLSv1.2
tls1.2 TLSv1.2
TLS1.3 TLSv1.3
SSL23 TLSv1.3
TLS TLSv1.3
END
    talk no cert=@/ec.pem,verify=0,method=TLS1.2 127.0.0.1 verify=0,method=TLS1.3
    for method in SSL2 nonsense ''; do
        STATUS=1 ours_alone - "OPENSSL:127.0.0.1:$P,verify=0,method=$method"
        has "$(<ours.err)" ' E '
    done
    net_serve "$OURS" "DTLS-L:$P,bind=127.0.0.1,cert=$D/ec.pem,verify=0,method=DTLS1.2" \
        'system:echo \$SOCAT_OPENSSL_PROTO_VERSION'
    same DTLSv1.2 "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 5 - \
        "DTLS:127.0.0.1:$P,verify=0,method=DTLS1.2" </dev/null)"
    net_stop
}

@test "ciphers, DH parameters, compression" {
    v=verify=0
    for cipher in ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-CHACHA20-POLY1305 DHE-RSA-AES256-GCM-SHA384; do
        talk yes "cert=@/rsa.pem,$v,dhparams=@/dh.pem" 127.0.0.1 "$v,max-version=TLS1.2,cipher=$cipher"
        has "$got" "^TLSv1.2 $cipher"
        talk yes "cert=@/rsa.pem,$v,max-version=TLS1.2,cipher=$cipher,dh=@/dh.pem" 127.0.0.1 "$v"
        has "$got" "^TLSv1.2 $cipher"
    done
    talk no "cert=@/rsa.pem,$v,max-version=TLS1.2,ciphers=ECDHE-RSA-AES128-GCM-SHA256" 127.0.0.1 \
        "$v,cipherlist=ECDHE-RSA-CHACHA20-POLY1305"
    talk yes cert=@/ec.pem,$v,compress=none 127.0.0.1 $v,openssl-compress=none
    talk yes cert=@/ec.pem,$v 127.0.0.1 $v,compress=auto
    cat "$D/rsa.pem" "$D/dh.pem" >all.pem
    talk yes "cert=$T/all.pem,$v,max-version=TLS1.2,cipher=DHE-RSA-AES256-GCM-SHA384" 127.0.0.1 "$v"
    STATUS=1
    PAIRS=("ours ours")
    both_fail - "OPENSSL:127.0.0.1:$P,verify=0,cipher=nosuch"
}

@test "DSA" {
    # It lives on in old versions with old ciphers, which both sides must allow.
    old=openssl-max-proto-version=TLS1.2,cipher=DHE-DSS-AES256-GCM-SHA384:@SECLEVEL=0
    for pair in "ours ours" "ours ref" "ref ours"; do
        read -r server client <<<"$pair"
        echo "# $pair"
        net_serve "$(program "$server")" \
            "OPENSSL-LISTEN:$P,pf=ip4,reuseaddr,cert=$D/dsa.pem,dh=$D/dh.pem,verify=0,$old" pipe
        same hello "$("${NET[@]}" timeout "$LIMIT" "$(program "$client")" -t 5 - \
            "OPENSSL:localhost:$P,pf=ip4,cafile=$D/ca.crt,$old" <<<hello)"
        net_stop
        next_port
    done
}

# permits <lowest version> <security level>: a configuration of the library.
permits() {
    cat >"$1.cnf" <<CONF
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = system
[system]
MinProtocol = $1
CipherString = DEFAULT:@SECLEVEL=$2
CONF
    export OPENSSL_CONF=$T/$1.cnf
}

@test "what the library's configuration permits, or not any more" {
    local host='localhost pf=ip4,cafile=@/ca.crt'
    STATUS=1 both_fail "OPENSSL-LISTEN:$P,cert=$D/short.pem,verify=0" pipe
    talk no cert=@/rsa.pem,verify=0 $host,max-version=TLS1.0
    permits TLSv1 0
    talk yes cert=@/short.pem,verify=0 $host
    talk yes cert=@/dsa.pem,verify=0 $host
    talk yes cert=@/rsa.pem,verify=0 $host,max-version=TLS1.0
    talk yes cert=@/rsa.pem,verify=0,max-version=TLS1.1 $host
    permits TLSv1.3 2
    talk yes cert=@/rsa.pem,verify=0 $host
    talk no cert=@/dsa.pem,verify=0 $host
}

@test "a DSA key without more ado" {
    talk yes cert=@/dsa.pem,verify=0 localhost pf=ip4,cafile=@/ca.crt
    same 'TLSv1.2 DHE-DSS-AES256-GCM-SHA384' "$got"
}

@test "a server without a certificate: a warning, and anonymous ciphers" {
    local anonymous=cipher=aNULL,max-version=TLS1.2 program
    talk no verify=0 localhost pf=ip4,verify=0
    permits TLSv1.2 0
    talk yes "verify=0,$anonymous" localhost "pf=ip4,verify=0,$anonymous"
    has "$got" ADH
    for program in "$OURS" "$REF_SOCAT"; do
        net_serve "$program" -d -d "OPENSSL-LISTEN:$P,pf=ip4,reuseaddr,verify=0" pipe
        has "$(<server.err)" ' W no certificate given; consider option "cert"'
        net_stop
        next_port
        net_serve "$program" -d -d "DTLS-LISTEN:$P,pf=ip4,verify=0" pipe
        has "$(<server.err)" ' W no certificate given; consider option "cert"'
        net_stop
        next_port
    done
    run catena "openssl-listen:$P,verify=0" pipe
    same 1 "$status"
    has "$output" 'a TLS server needs a certificate: cert=<file>'
}

# sni <program> <client options> <host>: the name that a server is told.
sni() {
    next_port
    start server "${NET[@]}" openssl s_server -accept "127.0.0.1:$P" -naccept 1 -cert "$D/ec.pem" \
        -servername localhost -cert2 "$D/other.pem" <>hold
    wait_for 5 net_bound "$P"
    "${NET[@]}" timeout "$LIMIT" "$1" -u - "OPENSSL:$3:$P,pf=ip4,verify=0,$2" <<<hello
    wait_for 5 is_gone "$(<server.pid)"
    sed -n 's/.*Hostname in TLS extension: *"\(.*\)".*/\1/p' server.out server.err
}

@test "SNI" {
    mkfifo hold
    for program in "$OURS" "$REF_SOCAT"; do
        same localhost "$(sni "$program" "" localhost)"
        same '' "$(sni "$program" no-sni localhost)"
        same nobody.example "$(sni "$program" snihost=nobody.example localhost)"
        same localhost "$(sni "$program" openssl-snihost=localhost 127.0.0.1)"
    done
    same '' "$(sni "$OURS" "" 127.0.0.1)"
    same '' "$(sni "$OURS" openssl-no-sni=1 localhost)"
    same localhost "$(sni "$OURS" nosni=0 localhost)"
}

@test "fork: one bad client does not disturb the next" {
    for program in "$OURS" "$REF_SOCAT"; do
        net_serve "$program" "OPENSSL-LISTEN:$P,pf=ip4,reuseaddr,fork,cert=$D/ip4.pem,cafile=$D/ca.crt" pipe
        for _ in 1 2; do
            "${NET[@]}" timeout "$LIMIT" "$OURS" -t 1 - "TCP4:127.0.0.1:$P" <<<nonsense >/dev/null 2>&1 || :
            fails "${NET[@]}" timeout "$LIMIT" "$OURS" -u - "OPENSSL:127.0.0.1:$P,cafile=$D/x.crt" <<<no 2>/dev/null
            same yes "$("${NET[@]}" timeout "$LIMIT" "$OURS" -t 5 - \
                "OPENSSL:127.0.0.1:$P,cafile=$D/ca.crt,cert=$D/client.pem" <<<yes 2>/dev/null)"
        done
        net_stop
        next_port
    done
}

@test "files that are missing or wrong" {
    both_fail - "OPENSSL:127.0.0.1:$P,cafile=nosuch"
    both_fail - "OPENSSL:127.0.0.1:$P,cert=nosuch"
    both_fail - "OPENSSL:127.0.0.1:$P,verify=0,cert=$D/ec.crt"
    both_fail "OPENSSL-LISTEN:$P,cert=nosuch" -
    # which the reference finds out with the first client
    STATUS=1
    ours_alone "OPENSSL-LISTEN:$P,cert=$D/ec.crt,key=$D/rsa.key" -
    has "$(<ours.err)" "the key is not the one of the certificate in cert="
    ours_alone "OPENSSL-LISTEN:$P,cert=$D/ec.pem,dhparams=$D/ec.key" -
    ours_alone "OPENSSL-LISTEN:$P,cert=$D" -
}
