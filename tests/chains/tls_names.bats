#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Names and certificates of TLS, against openssl(1), gnutls-cli and curl: which certificate a server shows, what is agreed
# upon by ALPN, pins, PKCS #12, what is revoked.
load ../helpers

setup_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    cd "$BATS_FILE_TMPDIR/certs"
    exec 2>>certs.out
    sign wild wild DNS:*.wild.example,DNS:plain.example
    openssl req -new -newkey rsa:2048 -nodes -subj /CN=rsa -keyout rsa.key -out rsa.csr
    openssl x509 -req -in rsa.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
        -extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) -out rsa.crt
    cat rsa.crt rsa.key >rsa.pem
    cat server.pem ca.crt >chain.pem
    openssl req -new -key server.key -subj /CN=must -out must.csr
    openssl x509 -req -in must.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
        -extfile <(echo subjectAltName=DNS:localhost; echo tlsfeature=status_request) -out must.crt
    cat must.crt server.key >must.pem
    openssl pkcs12 -export -in server.crt -inkey server.key -certfile ca.crt -out new.p12 -passout pass:secret
    openssl pkcs12 -export -legacy -in server.crt -inkey server.key -out old.p12 -passout pass:secret
    openssl pkcs12 -export -in server.crt -inkey server.key -out empty.p12 -passout pass:
    openssl pkcs12 -export -in server.crt -inkey server.key -keypbe NONE -certpbe NONE -nomac -out bare.p12 -passout pass:
    sign middle middle DNS:middle.example$'\nbasicConstraints=critical,CA:TRUE'
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=deep -keyout deep.key -out deep.csr
    openssl x509 -req -in deep.csr -CA middle.crt -CAkey middle.key -CAcreateserial -days 2 \
        -extfile <(echo subjectAltName=DNS:localhost) -out deep.crt
    openssl pkcs12 -export -in deep.crt -inkey deep.key -certfile <(cat ca.crt other.crt middle.crt) -out deep.p12 -passout pass:
    openssl pkcs12 -export -nokeys -in server.crt -out keyless.p12 -passout pass:
    answer good V ca server
    answer good_other V ca other
    answer good_must V ca must
    answer revoked R ca server
    answer forged V self server
    lists empty yesterday
    lists revoking now server
}

# answer <name> <status> <who signs> <certificate>: an OCSP response
answer() {
    local serial
    serial=$(openssl x509 -in "$4.crt" -noout -serial | cut -d= -f2)
    printf '%s\t351231235959Z\t%s\t%s\tunknown\t/CN=x\n' "$2" "$([ "$2" = V ] || echo 260101000000Z)" "$serial" >index
    openssl ocsp -index index -CA ca.crt -rsigner "$3.crt" -rkey "$3.key" -issuer ca.crt -cert "$4.crt" -ndays 1 \
        -respout "$1.der"
}

# lists <directory> <from when> [<certificate>]: a revocation list with it, as a file and in a hashed directory; a certificate lies
# there as well. Of several the newest counts
lists() {
    mkdir "$1"
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/db\ndefault_md=sha256\n' "$1" >"$1/conf"
    : >"$1/db"
    [ -z "${3:-}" ] || openssl ca -config "$1/conf" -keyfile ca.key -cert ca.crt -revoke "$3.crt"
    openssl ca -config "$1/conf" -keyfile ca.key -cert ca.crt -gencrl -crldays 2 \
        -crl_lastupdate "$(date -u -d "$2" +%Y%m%d%H%M%SZ)" -out "$1/list.pem"
    cp self.crt "$1/self.pem"
    openssl rehash "$1"
}

prepare() {
    ln -s "$BATS_FILE_TMPDIR"/certs/* .
    rm certs.log
}

pin_of() { openssl x509 -in "$1.crt" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64; }

serve() { # <options>: a server that tells a client what it has learnt, and says its first line again
    # shellcheck disable=SC2016
    start_listener server "tls-listen:0,bind=127.0.0.1,fork,$1" \
        'system:"echo \${SOCAT_SNI-no} \${SOCAT_ALPN-no}; head -n 1"'
}

s_server() { # <arguments...>: it turns lines round
    port=$(free_port)
    start peer openssl s_server -accept "127.0.0.1:$port" -rev -quiet "$@" </dev/null
    wait_for 5 port_listens "$port"
}

s_client() { # <arguments...>: what it says
    timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null 2>&1 || :
}

shown() { s_client "$@" | sed -n 's/^subject=CN = //p'; }

hello() { # <options of the client>
    run catena -d -d - "tls:localhost:$port$1" <<<hello
}

refused() { # <pattern>
    same 1 "$status"
    has "$output" " E .*$1"
    has_not "$output" '^hello'
}

@test "a server shows the certificate of the name asked for, the first to all others" {
    serve "verify=0,key=server.key,cert=server.crt,cert=other.pem,cert=rsa.crt,cert=wild.pem,key=rsa.key"
    while read -r wanted arguments; do
        echo "# $wanted $arguments"
        # shellcheck disable=SC2086
        same "$wanted" "$(shown $arguments)"
    done <<'EOF'
localhost -servername LocalHost. -tls1_2
localhost -noservername
localhost -servername nobody.example
rsa -servername localhost -sigalgs RSA-PSS+SHA256 -tls1_2
rsa -noservername -sigalgs RSA-PSS+SHA256
other.example -servername other.example
other.example -servername other.example -tls1_2
wild -servername a.wild.example
localhost -servername a.b.wild.example
localhost -servername wild.example
EOF
    # Where a name has no key of the kind that a client takes, it gets no other name's.
    has "$(s_client -servername other.example -sigalgs RSA-PSS+SHA256)" 'alert handshake failure'
    has "$(curl -sS --max-time "$LIMIT" --cacert ca.crt --resolve "plain.example:$port:127.0.0.1" --http0.9 \
        "https://plain.example:$port")" 'plain.example no'
    has "$(timeout "$LIMIT" gnutls-cli --x509cafile ca.crt -p "$port" --sni-hostname a.wild.example --verify-hostname \
        a.wild.example 127.0.0.1 </dev/null)" 'a.wild.example no'
}

@test "by name with thread, from the left chain, over packets, and with the client's certificates of two kinds" {
    start_listener thread tcp-listen:0,bind=127.0.0.1,thread \
        "^tls-server,cert=server.pem,cert=other.pem,cafile=ca.crt|pipe"
    for name in localhost other.example localhost; do
        run catena - "tls,cafile=ca.crt,cn=$name,cert=rsa.pem,cert=client.pem|tcp:127.0.0.1:$port" <<<"$name"
        same "$name" "$output"
    done
    start_listener left "tls-server,cert=server.pem,cert=other.pem,verify=0|tcp-listen:0,bind=127.0.0.1" pipe
    same left "$(catena - "tls,cafile=ca.crt,cn=other.example|tcp:127.0.0.1:$port" <<<left)"
    start_listener dtls "dtls-l:0,bind=127.0.0.1,cert=server.pem,cert=other.pem,alpn=coap,strict-sni,verify=0" pipe
    same packets "$(catena - "dtls:127.0.0.1:$port,cafile=ca.crt,cn=other.example,alpn=coap" <<<packets)"
    run catena - "tls,cert=client.pem,cert=other.pem,verify=0|tcp:127.0.0.1:$port" </dev/null
    has "$output" 'another certificate with this kind of key'
}

@test "a name is a host's, its stars are whole labels, and an empty option is none" {
    for name in host 'h*' '*'; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name.k.example" \
            -addext "subjectAltName=DNS:$name.k.example" -days 2 -keyout "name.key" -out "name.crt" 2>/dev/null
        cat name.key name.crt >name.pem
        serve cert=name.pem,verify=0
        for asked in host.k.example .k.example .example; do
            hello ",cafile=name.crt,cn=$asked"
            wanted='is not for'
            if [ "$asked" = host.k.example ] && [ "$name" != 'h*' ]; then wanted='^localhost no\|^host.k.example no'; fi
            has "$output" "$wanted"
        done
    done
    has "$("$(socat_link)" - "tls:localhost:$port,cafile=name.crt,cn=.k.example" <<<hello)" no # as version 1 has it
    for option in cafile capath cert crlfile cipher min-version method; do
        hello ",verify=0,$option="
        refused "openssl-[a-z-]*= has no value"
    done
    hello ",cafile=ca.crt,helo=x"
    refused 'helo counts with starttls= only'
}

@test "strict-sni refuses other names, and none" {
    serve "cert=server.pem,cert=wild.pem,strict-sni,verify=0"
    for arguments in '-servername nobody.example' -noservername '-servername a.b.wild.example'; do
        # shellcheck disable=SC2086
        has "$(s_client $arguments)" 'tlsv1 unrecognized name'
    done
    wait_for 5 file_has server.err 'asks for "nobody.example", and no certificate here is for that name'
    wait_for 5 file_has server.err 'the client asks for no name'
    same wild "$(shown -servername x.wild.example)"
    hello ",cafile=ca.crt,snihost=nobody.example"
    refused 'does not know the host name'
    hello ",cafile=ca.crt"
    has "$output" '^localhost no'
}

@test "certificates and keys that do not belong together are said" {
    cat server.crt other.key >mixed.pem
    each said <<'EOF'
"cert=server.pem,cert=rsa.crt" "no private key, and key=<file> is not given"
"cert=server.pem,key=other.key" "the key is not the one of the certificate in cert=server.pem"
"cert=server.crt,cert=other.crt,key=client.key" "the key is not the one of the certificate"
"cert=server.pem,cert=other.pem,key=client.key" "no certificate is given that this is the key of"
"key=server.key" "no certificate is given that this is the key of"
"cert=server.pem,ocsp=require" "is for a TLS client"
"cert=server.pem,alpn=" "no protocol is named"
"cert=server.pem,pin-sha256=abc" "is not the SHA-256 of a public key"
"cert=server.pem,ocsp-file=good_other.der" "it is not about the server's certificate"
"cert=server.pem,ocsp-file=ca.crt" "an OCSP response is wanted"
"cert=server.pem,crlpath=empty" "with verify=0 no certificate is looked at"
"cert=server.pem,crlpath=nowhere,verify=1" "nowhere: no such file"
"cert=server.pem,crlpath=$PWD/server.pem,verify=1" "it is no directory"
"cert=server.pem,cn=localhost" "commonname: with verify=0 no certificate is looked at"
"cert=server.pem,crlpath=" "crlpath= has no value"
"cert=server.pem,key=" "key= has no value"
"cert=server.pem,dhparam=" "dhparam= has no value"
"cert=" "certificate= has no value"
"p12=new.p12,passphrase=wrong" "the pass phrase is not that of the file"
"p12=new.p12" "there is no terminal to ask"
"p12=server.pem" "a PKCS #12 file is wanted"
"p12=keyless.p12" "there is no certificate with a private key in it"
"p12=nothing.p12" "No such file"
"p12=." "it is a directory"
"p12=/dev/null" "it is empty, or no PKCS #12 file"
"cert=mixed.pem" "the private key in it is not the one of the certificate"
EOF
    run catena - "tls:localhost:1,strict-sni" </dev/null
    has "$output" 'is for a TLS server'
    run env OPENSSL_MODULES=/nonexistent "$CATENA_BIN" tcp-l:0 '^tls-server,verify=0,p12=old.p12,passphrase=secret|pipe' </dev/null
    has "$output" 'openssl pkcs12 -legacy'
    start_listener server tcp-l:0,bind=127.0.0.1 "^tls-server,cert=server.pem,cert=server.pem,verify=0|pipe"
    has "$(<server.err)" 'is never used'
}
said() { # <options> <pattern>
    run setsid -w "$CATENA_BIN" tcp-l:0,bind=127.0.0.1 "^tls-server,verify=0,$1|pipe" </dev/null
    same 1 "$status"
    has "$output" "$2"
}

@test "alpn: the first of the server's, nothing, or a refusal" {
    serve "cert=server.pem,alpn=h2 http/1.1,alpn=acme-tls/1,verify=0"
    for row in 'h2 http/1.1,h2' 'acme-tls/1 x,acme-tls/1' 'http/1.1 http/1.1'; do
        has "$(s_client -alpn "${row#* }")" "ALPN protocol: ${row% *}"
    done
    has "$(s_client -alpn spdy/1,h3)" 'alert number 120'
    wait_for 5 file_has server.err 'the client wants to speak spdy/1, h3, here is only h2, http/1.1, acme-tls/1'
    has "$(s_client)" 'No ALPN negotiated'
    has "$(timeout "$LIMIT" gnutls-cli --x509cafile ca.crt --alpn http/1.1 "localhost:$port" </dev/null)" 'localhost http/1.1'
    has "$(curl -sSv --max-time "$LIMIT" --cacert ca.crt --http0.9 "https://localhost:$port" 2>&1)" 'server accepted h2'
    hello ",cafile=ca.crt,alpn=http/1.1,alpn=h2"
    has "$output" '^localhost h2'
    has "$output" 'N SSL group [A-Za-z0-9-]*, new session, ALPN h2'
    has "$output" 'N that certificate is for "localhost", "127.0.0.1" and valid until 20.* UTC'
    hello ",cafile=ca.crt,alpn=spdy"
    refused 'the peer speaks none of the protocols'
    hello ",cafile=ca.crt"
    has "$output" '^localhost no'
    # What was agreed upon fills holes.
    s_server -cert server.pem -alpn b
    start named "$CATENA_BIN" -u "tls,cafile=ca.crt,alpn=a b|tcp:localhost:$port" create:log.{alpn}
    wait_for 5 test -e log.b
    kill "$pid"
    run catena -u "tls,verify=0|tcp:localhost:$port" create:log.{alpn} </dev/null
    has "$output" 'tells only with option alpn'
}

@test "a front passes on the name and the protocol" {
    serve "cert=server.pem,cert=other.pem,alpn=h2 http/1.1,verify=0"
    start_listener front "tls-server,cert=server.pem,cert=other.pem,alpn=http/1.1 h2,verify=0|tcp-listen:0,bind=127.0.0.1,thread" \
        "tls,snihost={sni},cn={sni},alpn={alpn},cafile=ca.crt|tcp:127.0.0.1:$port"
    for name in localhost other.example; do
        for protocol in h2 http/1.1; do
            run catena - "tls,cafile=ca.crt,cn=$name,alpn=$protocol|tcp:127.0.0.1:$port" <<<hello
            same "$name $protocol"$'\n'hello "$output"
        done
    done
}

@test "pins: beside a trusted certificate, alone with verify=0, of servers and of clients" {
    pin=$(pin_of server) other=$(pin_of other)
    serve "cert=server.pem,verify=0"
    for good in "cafile=ca.crt,pin-sha256=$pin" "verify=0,pin-sha256=$other,pin-sha256=$pin" \
        "verify=0,pin-sha256=sha256//$other;sha256//$pin"; do
        hello ",$good"
        has "$output" '^localhost no'
    done
    has "$output" 'verify=0: the peer.s certificate was not verified, but its key is one that is pinned'
    for bad in "cafile=ca.crt,pin-sha256=$other" "verify=0,pin-sha256=$other"; do
        hello ",$bad"
        refused "none of those that are pinned, it is pin-sha256=$pin"
    done
    wait_for 5 file_has server.err 'does not accept our certificate'
    hello ",cafile=self.crt,pin-sha256=$pin"
    refused 'CN = localhost, issued by CN = catena test CA, valid from 20.* UTC to 20.* UTC: its issuer is not known'
    curl -sS --max-time "$LIMIT" -k --http0.9 --pinnedpubkey "sha256//$pin" "https://localhost:$port" # they count alike
    serve "cert=server.pem,verify=0,pin-sha256=$(pin_of self)"
    hello ",cafile=ca.crt,cert=self.pem"
    has "$output" '^localhost no'
    has "$(s_client -tls1_2 -cert client.pem)" 'alert bad certificate'
    wait_for 5 file_has server.err "the client's key is none of those that are pinned, it is pin-sha256=$(pin_of client)"
    has "$(s_client -tls1_2)" 'alert handshake failure'
    wait_for 5 file_has server.err 'the client sent no certificate (verify=0 without pin-sha256 asks for none)'
}

@test "PKCS #12: new and old, with an empty pass phrase, and with none" {
    echo secret >phrase
    for options in "new.p12,passphrase-file=phrase" old.p12,passphrase=secret empty.p12 bare.p12; do
        serve "p12=$options,verify=0"
        hello ",cafile=ca.crt"
        has "$output" '^localhost no'
        kill "$pid"
    done
    serve "p12=new.p12,passphrase=secret,cert=other.pem,verify=0"
    same other.example "$(shown -servername other.example)"
    serve p12=deep.p12,verify=0 # in no order, with one that has nothing to do with it
    same 'deep middle catena test CA' "$(s_client -showcerts | sed -n 's/^ *[0-9] s:CN = //p' | paste -sd' ')"
    s_server -cert server.pem -Verify 1 -CAfile ca.crt -verify_return_error
    run catena - "tls:localhost:$port,cafile=ca.crt,p12=empty.p12" <<<hello
    same olleh "$output"
}

@test "crlpath: revocation lists in a directory, whose certificates count for nothing" {
    serve "cert=server.pem,verify=0"
    for row in 'crlpath=empty ^localhost' 'crlfile=empty/list.pem ^localhost' 'crlpath=revoking it.has.been.revoked' \
        'crlfile=revoking/list.pem it.has.been.revoked' 'crlpath=. no.revocation.list.of.its.issuer' \
        'crlpath=empty,crlfile=revoking/list.pem it.has.been.revoked' \
        'crlpath=revoking,crlfile=empty/list.pem it.has.been.revoked'; do
        hello ",cafile=ca.crt,${row% *}"
        has "$output" "${row#* }"
    done
    serve "cert=self.pem,verify=0"
    hello ",cafile=ca.crt,crlpath=empty"
    refused 'is not trusted'
    serve "cert=other.pem,cafile=ca.crt,crlpath=revoking"
    has "$(s_client -tls1_2 -cert server.pem)" 'alert certificate revoked'
    hello ",cafile=ca.crt,cn=other.example,cert=client.pem"
    has "$output" '^other.example no'
}

@test "OCSP: what a server staples has to be good, in time, signed, and there if that is required" {
    s_server -cert server.pem -status_file good.der
    hello ",cafile=ca.crt,ocsp=require"
    has "$output" '^olleh'
    serve "cert=server.pem,cert=other.pem,ocsp-file=good.der,ocsp-file=good_other.der,verify=0"
    for name in localhost other.example; do
        has "$(catena - "tls,cafile=ca.crt,cn=$name,ocsp=require|tcp:localhost:$port" <<<hello)" "^$name no"
    done
    has "$(s_client -status)" 'Cert Status: good'
    serve "cert=chain.pem,ocsp-file=good.der,verify=0"
    has "$(timeout "$LIMIT" gnutls-cli -d 4 --x509cafile ca.crt "localhost:$port" </dev/null 2>&1)" 'OCSP.*good\|status.*good\|OCSP status request'
    curl -sS --max-time "$LIMIT" --cacert ca.crt --cert-status --http0.9 "https://localhost:$port"
    while read -r staple option wanted; do
        echo "# $staple $option $wanted"
        serve "cert=${staple%,*},ocsp-file=${staple#*,},verify=0"
        hello ",cafile=ca.crt,ocsp=$option"
        has "$output" "$wanted"
        kill "$pid"
    done <<'EOF'
server.pem,revoked.der staple has been revoked, as its OCSP response says
server.pem,forged.der staple is not signed by its authority
must.pem,good_must.der staple ^localhost no
EOF
    serve "cert=must.pem,verify=0"
    hello ",cafile=ca.crt,ocsp=staple"
    refused 'no OCSP response is stapled to it, and it says itself'
    wait_for 5 file_has server.err "does not accept our certificate's OCSP response"
    hello ",cafile=ca.crt"
    has "$output" '^localhost no'
    s_server -cert server.pem -status_file good_other.der
    hello ",cafile=ca.crt,ocsp=staple"
    refused 'is about another one'
    run "$(socat_link)" -u - "tls:localhost:$port,cafile=ca.crt,ocsp=require" </dev/null
    has "$output" 'is about another one'
}
