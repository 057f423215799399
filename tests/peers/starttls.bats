#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# STARTTLS with the servers and clients of others: a client without TLS in front of a server with it, and the
# other way round: mail, files, directories, databases.
load ../helpers
load starttls

dovecot() { # <ssl>
    own root
    chmod 755 "$public"
    local p
    for p in imap pop3 sieve lmtp; do eval "$p=$(free_port)"; done
    cat >"$public/conf" <<CONF
base_dir = $public/run
log_path = $public/log
protocols = imap pop3 sieve lmtp
listen = 127.0.0.1
ssl = $1
ssl_cert = <$public/server.crt
ssl_key = <$public/server.key
mail_location = maildir:$public/mail
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$public/home
}
service imap-login {
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $pop3
  }
  inet_listener pop3s {
    port = 0
  }
}
service managesieve-login {
  inet_listener sieve {
    port = $sieve
  }
}
service lmtp {
  inet_listener lmtp {
    port = $lmtp
  }
}
plugin {
  sieve = file:$public/home/sieve
}
CONF
    install -d -o nobody -g nogroup "$public/mail" "$public/home"
    serve dovecot "$lmtp" /usr/sbin/dovecot -F -c "$public/conf"
    for p in "$imap" "$pop3" "$sieve"; do wait_for 10 port_listens "$p"; done
}

@test "dovecot: mail comes by LMTP and is read by IMAP and POP3, a script is put by ManageSieve" {
    for tls in required no; do
        dovecot $tls
        for p in lmtp imap pop3 sieve; do
            if [ $tls = required ]; then without_tls $p "${!p}"; else with_tls $p "${!p}"; fi
            client $p "$([ $tls = required ] && echo plain || echo tls)" "$port" || { cat "$public/log"; false; }
        done
        stop_servers
    done
}

postfix() { # <security level of TLS>
    local smtp
    smtp=$(free_port)
    own root
    chmod 755 "$public"
    mkdir "$public/queue"
    install -d -o postfix "$public/data"
    cat >"$public/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $public/queue
data_directory = $public/data
maillog_file = $public/log
maillog_file_prefixes = $public
myhostname = localhost
mydestination = localhost
inet_protocols = ipv4
local_transport = discard:
alias_maps =
local_recipient_maps =
smtpd_tls_security_level = $1
smtpd_tls_cert_file = $public/server.crt
smtpd_tls_key_file = $public/server.key
CONF
    cat >"$public/master.cf" <<CONF
127.0.0.1:$smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
CONF
    serve postfix "$smtp" /usr/sbin/postfix -c "$public" start-fg
    port=$smtp
}

@test "postfix takes mail in TLS only, and one without it takes mail from who wants it" {
    for tls in encrypt none; do
        postfix $tls
        if [ $tls = encrypt ]; then without_tls smtp "$port"; else with_tls smtp "$port"; fi
        client smtp "$([ $tls = encrypt ] && echo plain || echo tls)" "$port" || { cat "$public/log"; false; }
        stop_servers
    done
}

@test "vsftpd logs in behind AUTH TLS only, and without TLS is reached by who wants it" {
    for tls in YES NO; do
        own root
        chmod 755 "$public"
        mkdir "$public/empty" "$public/ftp"
        echo 'what was sent' >"$public/ftp/hello"
        local ftp
        ftp=$(free_port)
        cat >"$public/conf" <<CONF
listen=YES
listen_address=127.0.0.1
listen_port=$ftp
background=NO
anonymous_enable=YES
anon_root=$public/ftp
secure_chroot_dir=$public/empty
seccomp_sandbox=NO
ssl_enable=$tls
allow_anon_ssl=YES
force_anon_logins_ssl=YES
ssl_ciphers=HIGH
rsa_cert_file=$public/server.crt
rsa_private_key_file=$public/server.key
CONF
        serve vsftpd "$ftp" /usr/sbin/vsftpd "$public/conf"
        if [ $tls = YES ]; then without_tls ftp "$ftp"; else with_tls ftp "$ftp"; fi
        client ftp "$([ $tls = YES ] && echo plain || echo tls)" "$port"
        stop_servers
    done
}

@test "slapd answers in TLS only, and without it to ldapsearch -ZZ" {
    export LDAPTLS_CACERT=$ca
    for tls in 64 0; do
        own openldap
        local ldap
        ldap=$(free_port)
        cat >"$public/conf" <<CONF
TLSCertificateFile $public/server.crt
TLSCertificateKeyFile $public/server.key
security ssf=$tls
pidfile $public/pid
CONF
        serve slapd "$ldap" /usr/sbin/slapd -d 0 -u openldap -f "$public/conf" -h "ldap://127.0.0.1:$ldap"
        if [ $tls = 64 ]; then without_tls ldap "$ldap"; else with_tls ldap "$ldap"; fi
        timeout 30 ldapsearch $([ $tls = 64 ] || echo -ZZ) -x -H "ldap://127.0.0.1:$port" -s base -b '' supportedLDAPVersion >out
        has "$(<out)" '^supportedLDAPVersion: 3'
        stop_servers
    done
}

@test "postgresql: psql as it is behind a server that wants TLS, and one that wants TLS in front of one without" {
    local bin pg
    bin=$(echo /usr/lib/postgresql/*/bin)
    pg=$(free_port)
    own postgres
    setpriv --reuid=postgres --regid=postgres --clear-groups env -C "$public" "$bin/initdb" -A trust --no-sync -D "$public/db" >initdb.log
    printf '%s\n' 'local all all trust' 'hostssl all tls 127.0.0.1/32 trust' 'hostnossl all plain 127.0.0.1/32 trust' >"$public/db/pg_hba.conf"
    serve postgres "$pg" setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$public/db" -p "$pg" \
        -k "$public" -c listen_addresses=127.0.0.1 -c ssl=on -c "ssl_cert_file=$public/server.crt" -c "ssl_key_file=$public/server.key"
    wait_for 20 test -S "$public/.s.PGSQL.$pg"
    psql -qX -h "$public" -p "$pg" -U postgres -c 'create user tls; create user plain' postgres
    is_tls() { timeout 30 psql -AtX "dbname=postgres $1" -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'; }
    without_tls postgres "$pg"
    same t "$(is_tls "host=127.0.0.1 port=$port user=tls sslmode=disable")"
    same t "$(is_tls "host=127.0.0.1 port=$port user=tls")"
    fails is_tls "host=127.0.0.1 port=$port user=tls sslmode=require"
    with_tls postgres "$pg"
    same f "$(is_tls "host=localhost port=$port user=plain sslmode=verify-full sslrootcert=$ca")"
    fails is_tls "host=localhost port=$port user=plain sslmode=disable" 2>err
    has "$(<err)" 'clients have to use SSL here'
}

@test "mariadb: a client without TLS behind a server that wants it, and one that wants it in front of one without" {
    local my
    my=$(free_port)
    own mysql
    mariadb-install-db --no-defaults --user=mysql --datadir="$public/db" --auth-root-authentication-method=normal --skip-test-db >install.log
    cat >"$public/users" <<SQL
create user tls@'%' identified by 'secret' require ssl;
create user plain@'%' identified by 'secret';
SQL
    serve mariadb "$my" mariadbd --no-defaults --user=mysql --datadir="$public/db" --socket="$public/s" --pid-file="$public/pid" \
        --bind-address=127.0.0.1 --port="$my" --ssl-cert="$public/server.crt" --ssl-key="$public/server.key" --init-file="$public/users"
    ask() { timeout 30 mariadb --no-defaults --protocol=tcp -N -u "$1" -psecret -P "$2" "${@:3}"; }
    without_tls mysql "$my"
    has "$(ask tls "$port" -h 127.0.0.1 --skip-ssl -e "show status like 'Ssl_version'; select 'two'")" 'Ssl_version	TLS.*'
    fails ask tls "$port" -h 127.0.0.1 --skip-ssl --password=wrong -e 'select 1' 2>err
    has "$(<err)" 'Access denied for user .tls'
    fails ask tls "$my" -h 127.0.0.1 --skip-ssl -e 'select 1'
    with_tls mysql "$my"
    ask plain "$port" -h localhost --ssl-ca="$ca" --ssl-verify-server-cert -e "\\s; show status like 'Ssl_version'" >out
    has "$(<out)" 'Cipher in use is TLS'
    has "$(<out)" '^Ssl_version	$'
    fails ask plain "$port" -h localhost --skip-ssl -e 'select 1' 2>err
    has "$(<err)" 'insecure transport'
}
