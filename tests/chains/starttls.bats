#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# STARTTLS toward servers and toward clients: scripted peers that dribble, s_client, and both of ours in a row.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    pem=$certs/server.pem
}

# asks <protocol> <what the client gets> <what the server has heard> <the server's steps>...: a server whose words
# come byte by byte is asked for TLS; a client in plain text behind that says "mine" and hears "yours".
asks() {
    local name=
    case $1 in smtp | lmtp) name=,helo=we ;; xmpp) name=,xmpp-domain=d ;; esac
    start_peer server drip "${@:4}" "tls:$pem" line 'send:yours\r\n' notify eof
    printf 'mine\n' | catena -t 5 - "openssl,cafile=$certs/ca.crt|starttls:$1$name|tcp:127.0.0.1:$port" >out
    printf '%byours\r\n' "$2" | cmp - out
    finish server
    same "$(printf '%bmine' "$3")" "$(tail -n +2 server.out | tr -d '\r')"
}

@test "servers are asked for TLS, and their greeting is for who talks through it" {
    xmpp="<?xml version='1.0'?><s:stream xmlns:s='x' id='>'><s:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><x/></s:features>"
    each asks <<ROWS
smtp '220-mx\\r\\n220 here\\r\\n' 'EHLO we\\nSTARTTLS\\n' 'send:220-mx\\r\\n220 here\\r\\n' line 'send:250-mx\\r\\n250-STARTTLS\\r\\n250 X\\r\\n' line 'send:220 go\\r\\n'
lmtp '220 lm\\r\\n' 'LHLO we\\nSTARTTLS\\n' 'send:220 lm\\r\\n' line 'send:250-mx\\r\\n250 starttls\\r\\n' line 'send:220 go\\r\\n'
imap '* OK [CAPABILITY IMAP4rev1 ID] in STARTTLS\\r\\n' 'a1 STARTTLS\\n' 'send:* OK [CAPABILITY IMAP4rev1 STARTTLS ID LOGINDISABLED] in STARTTLS\\r\\n' line 'send:* CAPABILITY x\\r\\na1 OK go\\r\\n'
pop3 '+OK <1@x>\\r\\n' 'STLS\\n' 'send:+OK <1@x>\\r\\n' line 'send:+OK\\r\\n'
sieve '' 'STARTTLS\\n' 'send:"IMPLEMENTATION" {4}\\r\\nO\\r\\nK\\r\\n"starttls"\\r\\nOK\\r\\n' line 'send:OK "go"\\r\\n'
ftp '220-a\\r\\n b\\r\\n220 c\\r\\n' 'AUTH TLS\\n' 'send:220-a\\r\\n b\\r\\n220 c\\r\\n' line 'send:234 go\\r\\n'
nntp '201 ro\\r\\n' 'STARTTLS\\n' 'send:201 ro\\r\\n' line 'send:382 go\\r\\n'
irc '' 'STARTTLS\\n' 'send::s NOTICE * :wait\\r\\n' line 'send::s 670 n :go\\r\\n'
ldap '' '0\\035\\002\\001\\001w\\030\\200\\00261.3.6.1.4.1.1466.20037' recv:31 'send:0\\x0c\\x02\\x01\\x01x\\x07\\n\\x01\\0\\x04\\0\\x04\\0'
xmpp '' "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='d' version='1.0'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" recv:127 "send:\$xmpp" recv:51 "send:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"
ROWS
}

# refused <protocol> <message> <the server's steps>...
refused() {
    start_peer server "${@:3}" eof
    run catena - "openssl,verify=0|starttls:$1,handshake-timeout=${limit:-30}|tcp:127.0.0.1:$port" <<<mine
    same 1 "$status"
    has "$output" "$2"
    has_not "$output" mine
    finish server
}

@test "no plain text instead, none behind the go-ahead, and no waiting for ever" {
    each refused <<'ROWS'
smtp 'offers no TLS' 'send:220 x\r\n' line 'send:250-x\r\n250 XSTARTTLS\r\n'
smtp 'has refused TLS: "454 not now"' 'send:220 x\r\n' line 'send:250 STARTTLS\r\n' line 'send:454 not now\r\n'
smtp 'greets otherwise: "554 no"' 'send:554 no\r\n'
smtp 'plain text came behind' 'send:220 x\r\n' line 'send:250 STARTTLS\r\n' line 'send:220 go\r\n250 evil\r\n'
imap 'plain text came behind' 'send:* OK\r\n' line 'send:a1 OK\r\na2 OK evil\r\n'
imap 'greets otherwise: "\* PREAUTH in"' 'send:* PREAUTH in\r\n'
pop3 'closed the connection' 'send:+OK\r\n' line shut
imap 'a control character in its text (0x0d)' 'send:* OK a\r* BYE\r\n'
sieve 'offers no TLS' 'send:"SASL" "PLAIN"\r\nOK\r\n'
ftp 'has refused TLS: "500 ?"' 'send:220 x\r\n' line 'send:500 ?\r\n'
irc 'has refused TLS: ":s 691' line 'send::s 691 n :no\r\n'
ldap 'has refused TLS: "2 no"' recv:31 'send:0\x0e\x02\x01\x01x\x09\n\x01\x02\x04\0\x04\x02no'
ldap 'does not speak LDAP' recv:31 'send:HTTP/1.1 400 no such thing'
xmpp 'offers no TLS' recv:135 'send:<stream:stream><stream:features><a/></stream:features>'
postgres 'offers no TLS' recv:8 send:N
postgres 'plain text came behind' recv:8 send:SE
ROWS
    limit=0.5 refused smtp 'not over within 0.5\|the peer took too long (0.5 seconds' 'send:220-x\r\n'
}

# told <protocol> <what comes in TLS first> <the server behind>...: a client of others asks for TLS.
told() {
    local name=
    case $1 in smtp | lmtp | irc) name=,helo=we ;; esac
    start_peer behind "${@:3}" line 'send:yours\r\n' eof
    start_listener front "openssl-server,cert=$pem,verify=0|starttls-server:$1$name|tcp-l:0,bind=127.0.0.1" "tcp:127.0.0.1:$port"
    rm -f out # what the row before left says nothing
    (echo mine; wait_for 10 file_has out yours) |
        timeout 20 openssl s_client -quiet -no_ign_eof -starttls "$1" -name d -xmpphost d -connect "127.0.0.1:$port" >out 2>client.err ||
        cat client.err
    printf '%byours\r\n' "$2" | cmp - out
    finish behind
    finish front
    same mine "$(tail -n 1 behind.out)"
}

@test "clients ask for TLS, and get the greeting of the server behind, once" {
    each told <<'ROWS'
smtp '' 'send:220-mx\r\n220 here\r\n'
lmtp '' 'send:220 here\r\n'
imap '' 'send:* OK [CAPABILITY AUTH=PLAIN] in\r\n'
pop3 '' 'send:+OK <1@x>\r\n'
sieve '"SASL" "PLAIN"\r\nOK\r\n' 'send:"SASL" "PLAIN"\r\nOK\r\n'
ftp '' 'send:220 x\r\n'
nntp '' 'send:201 x\r\n'
irc ''
ldap ''
xmpp ''
xmpp-server ''
postgres ''
ROWS
}

# --- both of ours in a row: a client in plain text, STARTTLS, STARTTLS from a client, a server in plain text -----

# What the two ends say: <protocol>_server and <protocol>_client are steps, <protocol>_heard what the server gets.
imap_server=('send:* OK [CAPABILITY AUTH=PLAIN] in\r\n' line 'send:a OK\r\n')
imap_client=(line 'send:a NOOP\r\n' line)
imap_heard='a NOOP\r\n' imap_told='* OK [CAPABILITY IMAP4rev1] in\r\na OK\r\n'
postgres_server=(recv:12 send:R)
postgres_client=('send:\0\0\0\x08\x04\xd2\x16\x2f' recv:1 'send:\0\0\0\x0c\0\x03\0\0user' recv:1)
postgres_heard='\0\0\0\x0c\0\x03\0\0user' postgres_told=NR
login='\x24\0\0\x01\x85\xa6\x0f\0\0\0\0\x01!.......................user'
mysql_server=('send:\x12\0\0\0\nv\0idid8bytes..\0\xff\xf7' recv:40 'send:\x02\0\0\x02\x01\x04' recv:6 'send:\x03\0\0\x04\0ok' recv:9 'send:\x01\0\0\x01\0')
mysql_client=(recv:22 "send:$login" recv:6 'send:\x02\0\0\x03pw' recv:7 'send:\x05\0\0\0\x03quit' recv:5)
mysql_heard=$login'\x02\0\0\x03pw\x05\0\0\0\x03quit'
mysql_told='\x12\0\0\0\nv\0idid8bytes..\0\xff\xf7\x02\0\0\x02\x01\x04\x03\0\0\x04\0ok\x01\0\0\x01\0'

# Nothing is left but what each has to hear.
talks() { # <protocol> <port> [<client>]
    local -n steps=$1_client told=$1_told
    timeout 20 "$PEER" connect "$2" "${steps[@]}" shut eof >"client$3"
    printf "$told" | cmp - "client$3"
}
behind() { # <protocol> [<server>]: a server in plain text, for one connection
    local -n steps=$1_server
    start_peer "behind$2" "${steps[@]}" eof
}
heard() { # <protocol> [<server>]
    local -n want=$1_heard
    finish "behind$2"
    tail -n +2 "behind$2.out" >heard
    printf "$want" | cmp - heard
}

# row <protocol> <left of the server> <right of it> <left of the client> <right of it> [<options>]: SERVER and CLIENT stand
# for the addresses of TLS with STARTTLS, HERE for where to listen, THERE for where to connect to.
row() {
    local at words=("${@:2}") tls="openssl-server,cert=$pem,verify=0" to="openssl,cafile=$certs/ca.crt,snihost=localhost,cn=localhost"
    words=("${words[@]//LISTEN/tcp-l:0,bind=127.0.0.1}")
    words=("${words[@]//^SERVER/^starttls-server:$1|^$tls}")
    words=("${words[@]//SERVER/$tls|starttls-server:$1}")
    words=("${words[@]//^CLIENT/^starttls:$1|^$to}")
    words=("${words[@]//CLIENT/$to|starttls:$1}")
    behind "$1"
    # shellcheck disable=SC2086
    start_listener server ${words[4]:-} "${words[0]//THERE/tcp:127.0.0.1:$port}" "${words[1]//THERE/tcp:127.0.0.1:$port}"
    at=$port
    start_listener client ${words[4]:-} "${words[2]//THERE/tcp:127.0.0.1:$at}" "${words[3]//THERE/tcp:127.0.0.1:$at}"
    talks "$1" "$port"
    heard "$1"
    finish client
    finish server
}

@test "wherever they stand: in both chains, reversed, in engines of their own, in threads" {
    each row <<'ROWS'
mysql 'SERVER|LISTEN' THERE LISTEN 'CLIENT|THERE'
mysql 'SERVER|LISTEN' THERE LISTEN 'CLIENT|THERE' -cS
mysql 'SERVER|LISTEN' THERE LISTEN 'CLIENT|THERE' --unfused
mysql LISTEN '^SERVER|THERE' LISTEN 'nop|CLIENT|meter|THERE'
mysql THERE 'SERVER|LISTEN' 'CLIENT|THERE' LISTEN
mysql THERE 'SERVER|LISTEN' 'CLIENT|THERE' LISTEN -cp
imap LISTEN '^SERVER|THERE' LISTEN 'nop|CLIENT|meter|THERE' -cS
imap THERE 'SERVER|LISTEN' '^CLIENT|LISTEN' THERE -cS
imap '^SERVER|THERE' LISTEN '^CLIENT|LISTEN' THERE
postgres LISTEN '^SERVER|THERE' LISTEN 'nop|CLIENT|THERE' --unfused
postgres THERE 'SERVER|LISTEN' 'CLIENT|THERE' LISTEN -cS
postgres 'SERVER|gzip|LISTEN' THERE LISTEN 'CLIENT|gzip|THERE'
mysql 'SERVER|gzip|LISTEN' THERE LISTEN 'CLIENT|gzip|THERE'
imap 'SERVER|base64|LISTEN' THERE LISTEN 'CLIENT|base64|THERE'
postgres 'gzip|SERVER|LISTEN' THERE LISTEN 'gzip|CLIENT|THERE'
mysql 'meter|SERVER|LISTEN' THERE LISTEN 'tap:tapped|CLIENT|THERE'
ROWS
}

@test "listeners with threads, and the short forms: three clients at once, and one who never asks" {
    for protocol in imap mysql; do
        local -n says=${protocol}_server
        printf '#!/bin/bash\nexec %s\n' "$(printf ' %q' "$PEER" stdio "${says[@]}" eof)" >serve && chmod 755 serve
        start_listener server "openssl-listen:0,bind=127.0.0.1,cert=$pem,verify=0,starttls=$protocol,thread,handshake-timeout=2" exec:./serve
        server=$port
        start_listener client tcp-l:0,bind=127.0.0.1,thread "openssl:localhost:$port,pf=ip4,cafile=$certs/ca.crt,starttls=$protocol"
        start silent "$PEER" connect "$server" drip 'send:x' recv:9999
        for i in 1 2 3; do
            talks "$protocol" "$port" "$i" &
            pids[i]=$!
        done
        for i in 1 2 3; do wait "${pids[i]}"; done
        wait_for 10 file_has server.err 'took too long'
        end "$(<client.pid)"
        end "$(<server.pid)"
    done
}
