#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# UNIX domain datagram sockets, in the file system and abstract.
load common
load dgram

single() { # server client family
    serve "unix_bound $T/a" "$1" "$3-recvfrom:$T/a" 'system:cat'
    same hello "$("$2" -t 0.5 - "$3-sendto:$T/a,bind=$T/b" <<<hello)"
    finish server
    [ ! -e a ]
    [ ! -e b ]
}
@test "sendto and recvfrom" { pairs single unix; }
@test "sendto and recvfrom, abstract" { pairs single abstract; }

many() {
    serve "unix_bound $T/a" "$1" "$3-recvfrom:$T/a,fork" 'system:cat'
    for i in 1 2 3; do same "$i" "$("$2" -t 0.5 - "$3-sendto:$T/a,bind=$T/b" <<<"$i")"; done
    stop
    [ ! -e a ]
}
@test "recvfrom with fork" { pairs many unix; }
@test "recvfrom with fork, abstract" { pairs many abstract; }

merge() {
    serve "unix_bound $T/a" "$1" -u "$3-recv:$T/a" create:got
    "$2" -u - "$3-sendto:$T/a" <<<one
    "$OURS" -u - "$3-client:$T/a" <<<two
    wait_for 5 size_is got 8
    same "one two" "$(paste -sd' ' got)"
    stop
    [ ! -e a ]
}
@test "recv" { pairs merge unix; }
@test "recv, abstract" { pairs merge abstract; }

@test "gopen on a datagram socket" {
    serve "unix_bound $T/a" "$OURS" -u "unix-recv:$T/a" create:got
    "$OURS" -u - "$T/a" <<<hello
    wait_for 5 size_is got 6
    stop
}

@test "boundaries, and a receiver that is slow" {
    serve "unix_bound $T/a" "$OURS" -u -x "unix-recv:$T/a" create:got
    head -c 100000 /dev/urandom >in
    "$OURS" -u -b 1000 open:in "unix-sendto:$T/a"
    wait_for 10 size_is got 100000
    cmp in got
    stop
    same 100 "$(grep -c length=1000 server.err)"
}

@test "attributes and removal of the socket" {
    for o in mode=600 perm=0640 umask=077 mode=666,unlink-close=0 user=nobody group=nogroup; do
        case $o in user* | group*) [ "$(id -u)" = 0 ] || continue ;; esac
        for kind in recv recvfrom; do
            for which in "$REF_SOCAT" "$OURS"; do
                serve "unix_bound $T/a" "$which" -d -d -u "unix-$kind:$T/a,$o" /dev/null
                # the attributes follow the name
                wait_for 5 file_has server.err 'receiving on\|starting data'
                stat -c '%a %U %G' a >"${which##*/}.$([ "$which" = "$OURS" ] && echo ours || echo ref)"
                stop
                ls a >>"socat.$([ "$which" = "$OURS" ] && echo ours || echo ref)" 2>/dev/null || :
                rm -f a
            done
            diff socat.ref socat.ours
        done
    done
}

@test "an existing entry is in the way, unlink-early removes it" {
    echo precious >a
    both_fail -u "unix-recv:$T/a" /dev/null
    both_fail -u "unix-recvfrom:$T/a" /dev/null
    same precious "$(<a)"
    serve "unix_bound $T/a" "$OURS" -u "unix-recv:$T/a,unlink-early" /dev/null
    stop
}

@test "bind-tempname" {
    serve "unix_bound $T/a" "$OURS" "unix-recvfrom:$T/a,fork" 'system:cat >/dev/null; echo \$SOCAT_PEERADDR'
    has "$("$OURS" -t 0.5 - "unix-sendto:$T/a,bind-tempname=$T/xXXXXXX" <<<x)" "^$T/x......\$"
    has "$("$OURS" -t 0.5 - "unix-sendto:$T/a,bind-tempname" <<<x)" '^/tmp/file......$'
    same a "$(echo ?)"
    stop
}

@test "what the program learns" {
    learns() {
        serve "unix_bound $T/a" "$1" "unix-recvfrom:$T/a" 'system:cat >/dev/null; echo \$SOCAT_PEERADDR'
        same "$T/b" "$("$2" -t 0.5 - "unix-sendto:$T/a,bind=$T/b" <<<x)"
        finish server
    }
    pairs learns
}

@test "targets that are wrong" {
    echo file >file
    mkdir dir
    for to in nothing file dir /nothing/here; do both_fail -u "open:$T/file" "unix-sendto:$to"; done
    both_fail -u "open:$T/file" abstract-sendto:nobody-is-here
    serve "unix_bound $T/s" "$OURS" "unix-listen:$T/s" pipe
    both_fail -u "open:$T/file" "unix-sendto:$T/s"
    stop
    both_fail -u "unix-recv:$(printf 'x%.0s' {1..200})" -
}

@test "an answer to a sender without a name" {
    answers() {
        start server "$1" "unix-recvfrom:$T/a" system:cat </dev/null
        wait_for 5 unix_bound "$T/a"
        "$2" -u - "unix-sendto:$T/a" <<<hello
        finish server 1
        has "$(<server.err)" ' E .*not connected'
    }
    pairs answers
}
