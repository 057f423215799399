#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The codes at the ends of messages: each is provoked once, here or in tests/unit (tests/lint/codes.sh looks that
# none is left out), and catena-diagnostics(7) says by -h what it means.
load ../helpers

setup_file() {
    make_certs "$BATS_FILE_TMPDIR/certs"
    cd "$BATS_FILE_TMPDIR/certs" || return
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days -1 \
        -extfile <(echo subjectAltName=DNS:localhost) -out expired.crt 2>/dev/null
    cat expired.crt server.key >expired.pem
}
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

# coded <code> <arguments...>: a line of the run ends with it.
coded() {
    local code=$1
    shift
    run timeout "$LIMIT" "$CATENA_BIN" "$@" </dev/null
    has "$output" " \[$code\]\$"
}

# The peer: says what printf makes of it, waits for an answer to end.
says() { # <text> <code> <arguments...>
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nprintf "%%b" '"'%s'"'\nhead -n 1 >/dev/null\n' "$1" >peer
    chmod +x peer
    shift
    coded "$@"
}

# serves <options of openssl-server> <code> <arguments...>
serves() {
    printf '#!/bin/sh\nexec "$CATENA_BIN" "openssl-server,%s|-" pipe\n' "$1" >peer
    chmod +x peer
    shift
    coded "$@"
}

@test "the command line" {
    each coded <<'ROWS'
E-SYNTAX          - 'create:"out'
E-SYNTAX          - 'nop||pipe'
E-SWITCH          -q
E-SWITCH          -
E-UNKNOWN-ADDRESS - tpc:h:1
E-UNKNOWN-OPTION  - tcp:h:1,verfy
E-WRONG-OPTION    - tcp:h:1,cafile=x
E-BAD-VALUE       - tcp:h:1,keepcnt=x
E-BAD-VALUE       - tcp:h:port
E-BAD-VALUE       - open:x,user=nosuchuser
E-BAD-VALUE       - 'tap,format=xml|pipe'
E-PARAMETERS      - tcp:h
E-PLACE           - nop
E-PLACE           -u - 'nop%nop|pipe'
E-OPEN            'socks-server|tcp-l:0' -
E-USAGE           tcp-l:0,fork,thread -
E-FACT            - tcp:{sni}:80
W-WIRE            -n - 'openssl,verify=0|tcp-l:0'
W-PROOF           -n 'openssl-server,cert=x,verify=0|tcp-l:0' 'gzip|^openssl-server,cert=x|tcp:h:1'
W-PACKETS         -n -u udp-l:0 'gzip|tcp:h:1'
W-CONTROLS        -n -cS pty,track-line 'gzip|rfc2217|tcp:h:1'
ROWS
}

@test "connecting, listening, the system" {
    local taken closed
    closed=$(free_port)
    start_peer taken recv:eof
    taken=$port
    echo text >file
    mkdir directory
    head -c 100000 /dev/zero >zeros
    head -c 3000000 /dev/zero >many
    each coded <<'ROWS'
E-REFUSED     - tcp:127.0.0.1:$closed
E-RESOLVE     - 'tcp4:[::1]:1'
E-BAD-VALUE   - tcp:127.0.0.1:nosuchservice
E-NO-ADDRESS  tcp-l:0,bind=192.0.2.1 -
E-IN-USE      tcp-l:$taken,bind=127.0.0.1 -
E-TIMEOUT     - 'openssl,verify=0,handshake-timeout=0.1|exec:sleep 9'
E-NOT-FOUND   - open:no/where
E-NOT-FOUND   - exec:nosuchprogram
E-DENIED      - exec:$T/file
E-BUSY        -L file - -
E-UNSUPPORTED - socket-connect:99:0:x00
E-FAILED      - open:file/x
E-DISK        -u open:zeros open:/dev/full
E-PROGRAM     - exec:false
E-MODULE      --module ./file - -
E-TOO-LARGE   -b 100000 -u open:zeros udp-sendto:127.0.0.1:$closed
E-LOST        -u open:many 'system:head -c 1 >/dev/null; exit 3'
ROWS
    run within '-n 5' "$CATENA_BIN" - pipe </dev/null
    has "$output" ' \[E-LIMIT\]$'
    kill "$(<taken.pid)"
    start_peer peer send:x reset
    coded E-RESET -u "tcp:127.0.0.1:$port" -
}

@test "what a peer says" {
    gzip -c "$CATENA_BIN" | head -c 1000 >cut
    each says <<'ROWS'
'zz'                            E-DAMAGED      -u 'hex|exec:./peer' -
'nonsense\n'                    E-PROTOCOL     - 'proxy:h:80|exec:./peer'
'HTTP/1.0 407 x\r\n\r\n'        E-PROXY-AUTH   - 'proxy:h:80|exec:./peer'
'HTTP/1.0 403 x\r\n\r\n'        E-PROXY-DENIED - 'proxy:h:80|exec:./peer'
'HTTP/1.0 502 x\r\n\r\n'        E-PROXY-STATUS - 'proxy:h:80|exec:./peer'
'\0005\0377'                    E-SOCKS-AUTH   - 'socks5:h:80|exec:./peer'
'\0005\0000\0005\0005'          E-SOCKS-STATUS - 'socks5:h:80|exec:./peer'
'\0000\0133\0000\0000\0000\0000\0000\0000' E-SOCKS-STATUS - 'socks4:1.2.3.4:80|exec:./peer'
'220 x\r\n250 x\r\n'            E-STARTTLS     - 'openssl,verify=0|starttls:smtp|exec:./peer'
'HTTP/1.1 404 x\r\n\r\n'        E-WEBSOCKET    - 'ws|exec:./peer'
'hello\n'                       E-DIALOG       - 'dialog,expect=login,handshake-timeout=0.1|exec:./peer'
'\0005\0001\0002\0001\0001a\0001x'  E-LOGIN        'socks-server,auth=a:b|exec:./peer' pipe
'CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n' E-RULES 'proxy-server,deny=*|exec:./peer' pipe
'hello'                         E-TLS-PLAIN    - 'openssl,verify=0|exec:./peer'
'\0025\0003\0003\0000\0002\0002\0060' E-TLS-REJECTED - 'openssl,verify=0|exec:./peer'
'\0025\0003\0003\0000\0002\0002\0106' E-TLS-VERSION  - 'openssl,verify=0|exec:./peer'
'\0025\0003\0003\0000\0002\0002\0107' E-TLS-CIPHER   - 'openssl,verify=0|exec:./peer'
'\0025\0003\0003\0000\0002\0002\0170' E-TLS-ALPN     - 'openssl,verify=0|exec:./peer'
'\0025\0003\0003\0000\0002\0002\0120' E-TLS          - 'openssl,verify=0|exec:./peer'
ROWS
    coded E-CUT -u 'gzip|open:cut' -
}

@test "certificates" {
    cd "$certs"
    each serves <<'ROWS'
cert=server.pem,verify=0  E-TLS-NAME      - 'openssl,cafile=ca.crt,commonname=elsewhere|exec:./peer'
cert=server.pem,verify=0  E-TLS-ISSUER    - 'openssl,commonname=localhost|exec:./peer'
cert=expired.pem,verify=0 E-TLS-EXPIRED   - 'openssl,cafile=ca.crt,commonname=localhost|exec:./peer'
cert=server.pem,verify=0  E-TLS-REVOKED   - 'openssl,cafile=ca.crt,commonname=localhost,ocsp=require|exec:./peer'
cert=server.pem,verify=0  E-TLS-UNTRUSTED - 'openssl,verify=0,psk=a:000102030405060708090a0b0c0d0e0f|exec:./peer'
cert=server.pem,verify=0  E-TLS-PIN       - 'openssl,verify=0,pin-sha256=VZ96TDmsUXtvMht9rukR4NWEy5S81VBDgHWpMv1i3zc=|exec:./peer'
cert=server.pem,cafile=ca.crt E-TLS-NO-CERT - 'openssl,verify=0|exec:./peer'
cert=ca.crt,verify=0      E-TLS-FILE      - 'openssl,verify=0|exec:./peer'
ROWS
    coded E-TLS-CIPHER - 'openssl,verify=0,cipher=nosuch|exec:./peer'
}

@test "who comes from elsewhere is refused with a code" {
    start_listener server tcp4-l:0,bind=127.0.0.1,range=10.0.0.0/8,fork pipe
    catena - "tcp4:127.0.0.1:$port" </dev/null
    wait_for 5 file_has server.err ' W refusing connection from .* \[E-RANGE\]$'
    end "$(<server.pid)"
}

# --- where they stand ----------------------------------------------------------------------------

@test "the code ends the line: before the caret, behind the call; not under the name socat" {
    local closed
    closed=$(free_port)
    run catena - tcp:h:1,verfy </dev/null
    has "${lines[0]}" ' \[E-UNKNOWN-OPTION\]$'
    has "${lines[1]}" '^    tcp:h:1,verfy$'
    run catena -dd - "tcp:127.0.0.1:$closed" </dev/null
    has "$output" ' E .*refused \[connect(.*): Connection refused\] \[E-REFUSED\]$'
    run socat_ours - tcp:h:1,verfy </dev/null
    has "${lines[0]}" '"verfy"; did you mean "verify"?$'
    run socat_ours - "tcp:127.0.0.1:$closed" </dev/null
    has_not "$output" 'E-'
    run catena --color=always - tcp:h:1,verfy </dev/null
    has "${lines[0]}" $'"?\e\\[0m\e\\[2m \\[E-UNKNOWN-OPTION\\]\e\\[0m$'
    catena -lf log - "tcp:127.0.0.1:$closed" </dev/null || :
    has "$(<log)" ' \[E-REFUSED\]$'
}

@test "-n=json has code and place of what is wrong, and the codes of warnings" {
    local value
    value=$(catena -n=json - 'openssl,verfy|tcp:h:1') || :
    python3 - "$value" <<'END'
import json, sys
error = json.loads(sys.argv[1])["error"]
assert error["code"] == "E-UNKNOWN-OPTION" and '"verfy"' in error["text"], error
at = error["offset"]
assert error["argument"][at:at + error["length"]] == "verfy", error
END
    value=$(catena -n=json - 'openssl,verify=0|tcp-l:0')
    python3 -c 'import json, sys
assert [w["code"] for w in json.loads(sys.argv[1])["warnings"]] == ["W-WIRE"]' "$value"
    value=$(catena -n=json - 'proxy:h:1,proxyauth=joe:s3cret,verfy|tcp:h:1') || :
    has "$value" '"error"'
    has_not "$value" 's3cret'
}

@test "-h tells what a code means, as it is typed or as it stands there" {
    for name in E-TLS-NAME e-tls-name '[E-TLS-NAME]'; do
        told=$(catena -h "$name")
        has "$told" '^E-TLS-NAME$'
        has "$told" 'certificate is for another name'
        has "$told" 'commonname'
    done
    told=$(catena -h codes)
    has "$told" '^    E-REFUSED  *the other side said no'
    run catena -h E-NOSUCH
    same 1 "$status"
    has "$output" 'nothing is called "E-NOSUCH"'
}

@test "what the manual's remedies name is there" {
    page=$BATS_TEST_DIRNAME/../../man/catena-diagnostics.7
    sed -nE 's/^\.(Cm|Pq Cm) ([a-z0-9-]+).*/\2/p' "$page" | sort -u >names
    [ "$(wc -l <names)" -gt 40 ]
    while read -r name; do catena -h "$name" >/dev/null; done <names
}
