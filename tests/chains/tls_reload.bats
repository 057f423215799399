#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Files of TLS that are read again when they change: certificates, authorities, revocation lists, keys.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    cp "$certs/ca.crt" ca.crt
    becomes server.pem "$certs/server.pem"
}
becomes() { cp "$2" "$1.new" && mv "$1.new" "$1"; } # <file> <other>: at once
shown() { # the name in the certificate of the server at $port
    catena -d -d -d - "openssl,cafile=$certs/ca.crt,commonname=|tcp:127.0.0.1:$port" <<<hello 2>&1 |
        sed -n 's/.*peer cert subject: ".*CN = \(.*\)"/\1/p'
}
# stays <name> <address>: a connection that stays, through $name.in to $name.out.
stays() {
    mkfifo "$1.in"
    start "$1" "$CATENA_BIN" - "$2" <>"$1.in"
    echo first >"$1.in"
    wait_for 5 file_has "$1.out" first
}
goes_on() { # <name>
    echo more >"$1.in"
    wait_for 5 file_has "$1.out" more
}

@test "a new certificate counts for new connections, a bad one for none: forked and in threads" {
    for how in fork thread; do
        becomes server.pem "$certs/server.pem"
        start_listener "s$how" "openssl-listen:0,bind=127.0.0.1,$how,reload,cert=server.pem,verify=0" pipe
        stays "old$how" "openssl,cafile=$certs/ca.crt|tcp:localhost:$port,pf=ip4"
        same localhost "$(shown)"
        becomes server.pem "$certs/other.pem"
        same other.example "$(shown)"
        goes_on "old$how"
        echo nonsense >server.pem
        same other.example "$(shown)"
        same other.example "$(shown)"
        same 1 "$(grep -c ' W .*what was read before still counts' "s$how.err")"
        same 1 "$(grep -c ' W .*server.pem: .*it holds no such PEM block' "s$how.err")"
        rm server.pem
        same other.example "$(shown)"
        becomes server.pem "$certs/server.pem"
        same localhost "$(shown)"
        same 2 "$(grep -c ' N .*server.pem: read again' "s$how.err")"
        goes_on "old$how"
        kill "$(<"old$how.pid")"
    done
}

@test "SIGHUP reads again and ends nothing; reload=3600 waits for it; without reload it is the end" {
    for how in fork thread; do
        becomes server.pem "$certs/server.pem"
        start_listener "s$how" -d "openssl-listen:0,bind=127.0.0.1,$how,reload=3600,cert=server.pem,verify=0" pipe
        server=$pid
        stays "old$how" "openssl,cafile=$certs/ca.crt|tcp:localhost:$port,pf=ip4"
        becomes server.pem "$certs/other.pem"
        same localhost "$(shown)"
        kill -HUP "$server"
        wait_for 5 file_has "s$how.err" 'the next connection has files read again'
        same other.example "$(shown)"
        kill -HUP "$server"
        wait_for 5 bash -c "[ \$(grep -c 'has files read again' s$how.err) = 2 ]"
        same other.example "$(shown)"
        has "$(<"s$how.err")" 'SIGHUP: read again'
        [ "$how" = thread ] || kill -HUP "$(pgrep -P "$server" | head -n 1)"
        goes_on "old$how"
        kill "$(<"old$how.pid")" "$server"
    done
    start_listener plain "openssl-listen:0,bind=127.0.0.1,fork,cert=server.pem,verify=0" pipe
    kill -HUP "$pid"
    finish plain 129
}

@test "who has been revoked does not come in any more, and nobody resumes" {
    cat >conf <<'END'
[ca]
default_ca = c
[c]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 2
END
    : >index && echo 01 >number
    crl() { openssl ca -config conf -cert "$certs/ca.crt" -keyfile "$certs/ca.key" "$@" 2>/dev/null; }
    crl -gencrl -out list
    start_listener server "openssl-listen:0,bind=127.0.0.1,fork,reload,cert=server.pem,cafile=$certs/ca.crt,crlfile=list" pipe
    client="openssl,cafile=$certs/ca.crt,cert=$certs/client.pem|tcp:localhost:$port,pf=ip4"
    stays old "$client"
    same hello "$(catena - "$client" <<<hello)"
    crl -revoke "$certs/client.crt"
    crl -gencrl -out list.new && mv list.new list
    run catena - "$client" <<<hello
    same 1 "$status"
    has "$output" 'our certificate has been revoked'
    goes_on old
}

@test "a client's authorities, and keys beforehand" {
    start_listener self "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/self.pem,verify=0" pipe
    start_listener client "tcp-listen:0,bind=127.0.0.1,fork" "openssl,reload,cafile=ca.crt|tcp:localhost:$port,pf=ip4"
    same '' "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    becomes ca.crt "$certs/self.crt"
    same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
    becomes ca.crt "$certs/ca.crt"
    same '' "$(catena - "tcp:127.0.0.1:$port" <<<hello)" # no session gets past it
    key=000102030405060708090a0b0c0d0e0f other=$(printf '7%.0s' {1..32})
    (umask 077 && echo "a:$key" >keys && echo "b:$other" >keys.new)
    start_listener keys "openssl-listen:0,bind=127.0.0.1,thread,reload,psk-file=keys" pipe
    same hello "$(catena - "openssl,psk=a:$key|tcp:127.0.0.1:$port" <<<hello)"
    mv keys.new keys
    same hello "$(catena - "openssl,psk=b:$other|tcp:127.0.0.1:$port" <<<hello)"
    run catena - "openssl,psk=a:$key|tcp:127.0.0.1:$port" <<<hello
    same 1 "$status"
}

@test "alone, under --sandbox, and what cannot be read again" {
    needs_sandbox
    start_listener alone "openssl-listen:0,bind=127.0.0.1,reload,cert=server.pem,verify=0" pipe
    becomes server.pem "$certs/other.pem"
    same other.example "$(shown)"
    start_listener sandbox --sandbox "openssl-listen:0,bind=127.0.0.1,fork,reload,cert=server.pem,verify=0" pipe
    same other.example "$(shown)"
    becomes server.pem "$certs/server.pem"
    same localhost "$(shown)"
    mkfifo fifo
    run catena "openssl-listen:0,bind=127.0.0.1,fork,reload,cert=fifo,verify=0" pipe </dev/null
    same 1 "$status"
    has "$output" 'cert.*=fifo: with reload it has to be a file'
    openssl ec -in "$certs/server.key" -aes128 -passout pass:open -out locked.key 2>/dev/null
    run catena "openssl-listen:0,bind=127.0.0.1,fork,reload,cert=server.pem,key=locked.key,verify=0" pipe </dev/null
    same 1 "$status"
    has "$output" 'with reload nobody can be asked for the pass phrase'
    echo open >phrase
    start_listener locked "openssl-listen:0,bind=127.0.0.1,fork,reload,cert=server.pem,key=locked.key,passphrase-file=phrase,verify=0" pipe
    same localhost "$(shown)"
    touch locked.key
    same localhost "$(shown)"
    has "$(<locked.err)" 'locked.key: read again'
}

@test "lists and authorities that are renewed in their directory: in threads, with and without reload" {
    printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\n' >conf
    : >index
    crl() { openssl ca -config conf -cert "$certs/ca.crt" -keyfile "$certs/ca.key" "$@" 2>/dev/null; }
    mkdir lists trusted
    crl -gencrl -out lists/list.pem
    cp "$certs/self.crt" trusted/ca.pem
    openssl rehash lists
    cp "$certs/ca.crt" trusted/ca.pem
    openssl rehash trusted
    common=bind=127.0.0.1,thread,cert=server.pem
    start_listener plain "openssl-listen:0,$common,cafile=$certs/ca.crt,crlpath=lists" pipe
    plain=$port
    start_listener again "openssl-listen:0,$common,cafile=$certs/ca.crt,crlpath=lists,reload" pipe
    again=$port
    start_listener trusting "openssl-listen:0,$common,capath=trusted,reload" pipe
    trusting=$port
    client=openssl,cafile=$certs/ca.crt,cert=$certs/client.pem
    for at in "$plain" "$again" "$trusting"; do
        same hello "$(catena - "$client|tcp:localhost:$at,pf=ip4" <<<hello)"
    done
    crl -revoke "$certs/client.crt"
    crl -gencrl -out new && cat new >lists/list.pem # in its place: the directory stays as it is
    cat "$certs/self.crt" >trusted/ca.pem
    for at in "$plain" "$again"; do
        run catena - "$client|tcp:localhost:$at,pf=ip4" <<<hello
        same 1 "$status"
        has "$output" 'our certificate has been revoked'
    done
    run catena - "$client|tcp:localhost:$trusting,pf=ip4" <<<hello
    same 1 "$status"
    has "$(<again.err)" 'lists: read again'
}

@test "what is stapled is renewed" {
    answer() { # <status>
        printf '%s\t351231235959Z\t%s\t%s\tunknown\t/CN=x\n' "$1" "$([ "$1" = V ] || echo 260101000000Z)" \
            "$(openssl x509 -in "$certs/server.crt" -noout -serial | cut -d= -f2)" >index
        openssl ocsp -index index -CA "$certs/ca.crt" -rsigner "$certs/ca.crt" -rkey "$certs/ca.key" -issuer "$certs/ca.crt" \
            -cert "$certs/server.crt" -ndays 1 -respout new.der 2>/dev/null
        mv new.der staple.der
    }
    ends() { # <when>
        LC_ALL=C sed "s/$(date -u -d '+1 day' +%Y%m%d)[0-9]\{6\}Z/$(date -u -d "$1" +%Y%m%d%H%M%SZ)/" staple.der >new.der
        mv new.der staple.der
    }
    misses() {
        run catena - "$client" <<<hello
        [[ $output = *'has stapled no OCSP response to its certificate, and ocsp=require wants one'* ]]
    }
    for how in fork thread; do
        answer V
        start_listener "s$how" "openssl-listen:0,bind=127.0.0.1,$how,reload,cert=server.pem,ocsp-file=staple.der,verify=0" pipe
        client="openssl,cafile=$certs/ca.crt,ocsp=require|tcp:localhost:$port,pf=ip4"
        same hello "$(catena - "$client" <<<hello)"
        answer R
        run catena - "$client" <<<hello
        has "$output" 'it has been revoked, as its OCSP response says'
        ends '+2 seconds' # while it is in use
        wait_for 10 misses
        misses
        same 1 "$(grep -c ' W .*out of date' "s$how.err")"
        answer V
        same hello "$(catena - "$client" <<<hello)"
    done
}
