#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS sessions that are resumed: by the clients of a server whose connections are children or threads, by our
# own client, and never past a verification.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

answered() { file_has "$1.out" 'hello$' || is_gone "$2"; }
# says_hello <name> <port> <arguments of s_client...>: to an echo; what it tells is in <name>.out.
says_hello() {
    local name=$1 to=$2 client
    shift 2
    mkfifo "$name.in"
    start "$name" openssl s_client -connect "127.0.0.1:$to" "$@" <>"$name.in"
    client=$pid
    echo hello >"$name.in"
    wait_for 10 answered "$name" "$client" || :
    is_gone "$client" || echo Q >"$name.in" # it says goodbye, also in DTLS
    wait "$client" || :
}
# resumes <port> <arguments...>: the second connection goes on from the first one.
resumes() {
    local to=$1 id=$BASHPID
    shift
    says_hello "a$id" "$to" "$@" -sess_out "s$id"
    says_hello "b$id" "$to" "$@" -sess_in "s$id"
    has "$(<"a$id.out")" '^New,'
    has "$(<"b$id.out")" '^Reused,'
    has "$(<"b$id.out")" 'hello$'
}

serves() { # <how> <name> [<second address>]
    start_listener "server$1$2" "openssl-listen:0,bind=127.0.0.1,$1,cert=$certs/server.pem,verify=0" "${3:-pipe}"
}

@test "openssl's client resumes at our server: forked, in threads, TLS 1.2 and 1.3, and DTLS" {
    clients=()
    for how in fork thread; do
        serves "$how" all
        resumes "$port" -tls1_2 &
        clients+=($!)
        resumes "$port" -tls1_3 &
        clients+=($!)
        start_listener "dtls$how" "dtls-listen:0,bind=127.0.0.1,$how,cert=$certs/server.pem,verify=0" pipe
        resumes "$port" -dtls1_2 &
        clients+=($!)
    done
    for client in "${clients[@]}"; do wait "$client"; done
}

@test "gnutls' and curl's clients resume at our server" {
    serves fork all "system:'printf \"HTTP/1.0 200 OK\\\\r\\\\n\\\\r\\\\nhello\"'"
    if command -v gnutls-cli >/dev/null; then
        for priority in NORMAL NORMAL:-VERS-TLS1.3; do
            timeout "$LIMIT" gnutls-cli --resume --waitresumption --insecure --priority "$priority" \
                -p "$port" 127.0.0.1 </dev/null >out 2>&1
            has "$(<out)" 'This is a resumed session'
        done
    fi
    timeout "$LIMIT" curl -ksv "https://127.0.0.1:$port/" "https://127.0.0.1:$port/" >out 2>err
    same hellohello "$(tr -d "\n" <out)"
    same 1 "$(grep -c 'SSL re-using session ID' err)"
}

@test "our client resumes at openssl's server and our own: forked and in threads" {
    port=$(free_port)
    start theirs openssl s_server -accept "127.0.0.1:$port" -cert "$certs/server.pem" -rev -quiet </dev/null
    wait_for 5 port_listens "$port"
    theirs=$port
    serves thread all
    ours=$port
    for version in TLS1.2 TLS1.3; do
        for how in fork thread; do
            for to in "$theirs" "$ours"; do
                start_listener client "tcp-listen:0,bind=127.0.0.1,$how" \
                    "openssl,cafile=$certs/ca.crt,max-proto-version=$version|tcp:localhost:$to,pf=ip4"
                for text in one two three; do
                    catena -t 5 - "tcp:127.0.0.1:$port" <<<"$text" >got
                    has "$(<got)" "^$text\$\|^$(rev <<<"$text")\$"
                done
                same 2 "$(grep -c ', resumed session' client.err)"
                same 3 "$(grep -c 'trusted and for "localhost"' client.err)"
                kill "$pid"
                finish client 143
            done
        done
    done
}

# A server that has nothing to say sends no ticket either: nothing lies unread at a client that only writes.
@test "a client that only writes and leaves is no reset" {
    start_listener server -u "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,verify=0" "open:got,creat,append"
    for n in 1 2 3 4; do
        catena -u "exec:seq $n$n$n" "openssl,cafile=$certs/ca.crt|tcp:127.0.0.1:$port"
        (seq 1000 && $BRIEFLY) | timeout "$LIMIT" openssl s_client -connect "127.0.0.1:$port" -quiet -no_ign_eof >/dev/null 2>&1 || :
    done
    wait_for 5 size_is got "$((4 * 3893 + $(for n in 1 2 3 4; do seq $n$n$n; done | wc -c)))"
    has_not "$(<server.err)" ' [EW] '
}

authority() { # what openssl ca wants
    mkdir -p ca && : >ca/index && echo 01 >ca/serial && echo 01 >ca/number
    cat >ca/conf <<'END'
[ca]
default_ca = c
[c]
database = ca/index
new_certs_dir = ca
serial = ca/serial
crlnumber = ca/number
default_crl_days = 2
default_md = sha256
policy = p
[p]
commonName = supplied
END
}

@test "resume=0, revocation lists and wrong values" {
    authority
    openssl ca -config ca/conf -cert "$certs/ca.crt" -keyfile "$certs/ca.key" -gencrl -out list 2>/dev/null
    serves "fork,resume=0" none
    none=$port
    start_listener lists "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,cafile=$certs/ca.crt,crlfile=list" pipe
    for to in "$none" "$port"; do
        for version in -tls1_2 -tls1_3; do
            says_hello "a$to$version" "$to" "$version" -cert "$certs/client.pem" -sess_out s
            has "$(<"a$to$version.out")" 'hello$'
            [ -e s ] || continue
            says_hello "b$to$version" "$to" "$version" -cert "$certs/client.pem" -sess_in s
            has "$(<"b$to$version.out")" '^New,'
        done
    done
    serves "thread" some
    start_listener client "tcp-listen:0,bind=127.0.0.1,fork" "openssl,cafile=$certs/ca.crt,resume=0|tcp:localhost:$port"
    for n in 1 2; do same "$n" "$(catena -t 5 - "tcp:127.0.0.1:$port" <<<"$n")"; done
    has_not "$(<client.err)" ', resumed session'
    run catena - "openssl,resume=700000|tcp:localhost:$port" </dev/null
    same 1 "$status"
    has "$output" 'resume=700000: give 0 (none) to 604800 seconds'
}

# expiring <name> <seconds>: a client's certificate that is good for so long; when it ends is in $end.
expiring() {
    authority
    end=$(($(date +%s) + $2))
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl ca -batch -config ca/conf -cert "$certs/ca.crt" -keyfile "$certs/ca.key" -in "$1.csr" -out "$1.crt" \
        -startdate 20200101000000Z -enddate "$(date -u -d "@$end" +%Y%m%d%H%M%SZ)" 2>/dev/null
}

@test "a session is good for no longer than the certificate that was verified" {
    expiring brief 3
    start_listener server "openssl-listen:0,bind=127.0.0.1,thread,cert=$certs/server.pem,cafile=$certs/ca.crt" \
        'system:read -r x; echo $SOCAT_OPENSSL_X509_COMMONNAME; echo hello'
    for version in -tls1_2 -tls1_3; do
        says_hello "a$version" "$port" "$version" -cert brief.crt -key brief.key -sess_out "s$version"
        # It goes on with the session alone, and it is known who that is.
        says_hello "b$version" "$port" "$version" -sess_in "s$version" -sess_out "t$version"
        has "$(<"b$version.out")" '^Reused,'
        has "$(<"b$version.out")" 'brief$'
    done
    # shellcheck disable=SC2016
    wait_for 10 bash -c '(($(date +%s) > $1))' _ "$end"
    for version in -tls1_2 -tls1_3; do
        [ -e "t$version" ] || cp "s$version" "t$version" # TLS 1.2 goes on with the one it has
        says_hello "c$version" "$port" "$version" -cert brief.crt -key brief.key -sess_in "t$version" &
        other=$!
        says_hello "d$version" "$port" "$version" -sess_in "s$version"
        wait "$other"
        has_not "$(<"c$version.out")" '^Reused,'
        has_not "$(<"c$version.out")$(<"d$version.out")" 'hello$'
    done
    has "$(<server.err)" 'CN = brief.*: it has expired'
}

@test "a session is taken by whoever gave it, and under the name it was verified for" {
    serves fork one
    one=$port
    start_listener two "openssl-listen:0,bind=127.0.0.1,fork,cert=$certs/server.pem,cafile=$certs/ca.crt" pipe
    for version in -tls1_2 -tls1_3; do
        says_hello "a$version" "$one" "$version" -sess_out "s$version"
        says_hello "b$version" "$port" "$version" -sess_in "s$version"
        has "$(<"b$version.out")" '^New,'
        has_not "$(<"b$version.out")" 'hello$'
    done
    # One address, whose name to expect is another for each connection.
    start_listener client "tcp-listen:0,bind=127.0.0.1,thread" \
        "openssl,cafile=$certs/ca.crt,commonname={peerport}|tcp:localhost:$one"
    for n in 1 2; do catena - "tcp:127.0.0.1:$port" <<<hello >out && [ ! -s out ]; done
    same 2 "$(grep -c 'certificate is not for' client.err)"
}
