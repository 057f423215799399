#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Known weaknesses of this program's two predecessors, to be right here from the start. More of them
# are cells of the matrix: streams that TLS peers cut (faults/tls), listeners without descriptors or
# processes (faults/limits), socks replies of any kind (hostile/proxies).
load ../helpers

@test "the argument lexer never reads past its string" {
    for argument in '\' 'open:\' '"' "'" '(' '[' '{' 'a:"' 'a,b="' 'a,b=\' 'a:\' '!' '!!' 'a!' 'a!!' '!!a' \
        '|' 'a|' '^' '%' 'a%' 'pipe,' 'pipe,mode=' 'pipe:' ',' ':' '=' '""' "''" '()' '\"' "\\'" 'exec:"\' "exec:'\\"; do
        for how in '' --v1; do
            # shellcheck disable=SC2086
            run timeout "$LIMIT" "$CATENA_BIN" -n $how pipe "$argument" </dev/null
            [ "$status" -le 1 ] || { echo "$argument: $status" && return 1; }
            [ "$status" = 0 ] || has "$output" ' E '
        done
    done
}

@test "one accept() or fork() that fails does not end a forking server" {
    command -v strace >/dev/null || skip "needs strace"
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitizers do not like to be traced"
    for fault in accept4:error=ECONNABORTED accept4:error=EMFILE accept4:error=ENOMEM accept4:error=EPROTO \
        accept4:error=ENETDOWN clone:error=EAGAIN,clone3:error=EAGAIN getsockname:error=ENOBUFS; do
        injections=()
        for one in ${fault//,/ }; do injections+=(-e "inject=$one:when=1..2"); done
        start server strace -o trace -e trace=none "${injections[@]}" \
            "$CATENA_BIN" -d -d tcp-listen:0,bind=127.0.0.1,fork pipe </dev/null
        wait_for 10 file_has server.err 'listening on'
        port=$(ss -Hltnp | sed -n "s/.*127.0.0.1:\([0-9]*\) .*pid=$(pgrep -P "$pid"),.*/\1/p")
        for i in 1 2 3; do catena -t 1 - "tcp:127.0.0.1:$port" <<<x >/dev/null 2>&1 || :; done
        same hello "$(catena -t 5 - "tcp:127.0.0.1:$port" <<<hello)" || { echo "$fault" && return 1; }
        kill "$(pgrep -P "$pid")"
        finish server 143
    done
}

@test "a client that is gone before it is served does not end a server" {
    for how in fork thread; do
        start_listener server "tcp-listen:0,bind=127.0.0.1,backlog=128,$how,keepalive,nodelay,linger=1,mss-late=1000" pipe
        "$PEER" storm "$port" 100 20 10 80 >storm.out
        same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
        kill "$(<server.pid)"
        finish server 143
    done
}

@test "programs get the default signals and no descriptor that was not meant for them" {
    exec 7</dev/null 8</dev/null # of the caller
    trap '' USR2                 # ignored by the caller
    for how in '' ,pipes ,pty,raw; do
        for kind in "exec:$PEER inherited" "system:exec $PEER inherited" "shell:exec $PEER inherited"; do
            start_listener server "tcp-listen:0,bind=127.0.0.1,fork" "$kind$how"
            same 'descriptors 0 1 2; signals' "$(catena -u "tcp:127.0.0.1:$port" - | tr -d '\r')"
            kill "$(<server.pid)"
            finish server 143
        done
    done
    for kind in exec1 system1; do
        same 'descriptors 0 1 2; signals' "$(catena -u /dev/null "$kind:$PEER inherited|stdout")"
    done
    catena - "system:'exec $PEER inherited >seen'|pipe" </dev/null
    same 'descriptors 0 1 2 3 4; signals' "$(<seen)"
    exec 7<&- 8<&-
}

@test "SIGTERM to the program reaches the children it started" {
    for second in "exec:sleep 1000" "system:exec sleep 1000" "exec:sleep 1000,pipes" "exec:sleep 1000,pty" \
        "exec1:cat%exec1:cat|exec:sleep 1000" "exec:sleep 1000,setsid"; do
        for signal in TERM INT HUP; do
            start run env --default-signal=INT,HUP "$CATENA_BIN" pipe "$second" </dev/null
            wait_for 5 started
            programs=$(pgrep -P "$pid")
            kill -$signal "$pid"
            case $signal in TERM) finish run 143 ;; INT) finish run 130 ;; HUP) finish run 129 ;; esac
            for p in $programs; do wait_for 5 is_gone "$p"; done
        done
    done
}
started() { pgrep -P "$pid" -x sleep; }

@test "a port over 65535 is refused, everywhere" {
    for n in 65536 65617 4294967376 18446744073709551696 -1; do
        for address in tcp:127.0.0.1:N tcp-listen:N,accept-timeout=0.1 udp:127.0.0.1:N udp-recv:N \
            openssl:127.0.0.1:N sctp:127.0.0.1:N udp-datagram:127.0.0.1:N \
            "tcp:127.0.0.1:80,sourceport=N" "tcp:127.0.0.1:80,bind=:N" "proxy:h:N|pipe" \
            "socks4a:h:N|pipe" "socks5:h:N|pipe" "proxy:127.0.0.1:h:80,proxyport=N" \
            "socks5:127.0.0.1:h:80,socksport=N"; do
            run catena -T 0.2 - "${address/N/$n}" </dev/null
            if [ "$status" != 1 ] || ! grep -q ' E ' <<<"$output" || grep 'onnection refused' <<<"$output"; then
                echo "${address/N/$n}: status $status, $output"
                return 1
            fi
        done
    done
}

@test "two-way EXEC with pipes sees its end" {
    for how in pipes pipes,stderr pipes,fdin=5,fdout=6; do
        case $how in *fdin*) cat='sh -c "cat <&5 >&6"' ;; *) cat=cat ;; esac
        same hello "$(catena - "exec:'$cat',$how" <<<hello)"
        same "" "$(catena - "exec:'$cat',$how" </dev/null)"
    done
    # And its own end is seen.
    mkfifo quiet
    same hello "$(catena -t 0.1 - "exec:echo hello,pipes" <>quiet)"
}

@test "a resolver that does not answer for now: retry and forever obey SIGTERM" {
    [ "$(id -u)" = 0 ] && unshare -n -m true 2>/dev/null || skip "needs root: a resolver of its own"
    # A name server that says nothing, in a network namespace without any other.
    printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n' >resolv.conf
    for options in forever,interval=0.05 retry=1000,interval=0.05 connect-timeout=60; do
        for signal in TERM INT; do
            # shellcheck disable=SC2016
            unshare -n -m timeout -k 5 "$LIMIT" bash -ec '
                ip link set lo up
                mount --bind resolv.conf "$(realpath /etc/resolv.conf)"
                "$CATENA_BIN" -u udp-recv:53,bind=127.0.0.1 create:asked 2>/dev/null & ns=$!
                until [ -n "$(ss -Hlun "sport = :53")" ]; do sleep 0.02; done
                env --default-signal=INT "$CATENA_BIN" -d -d - "tcp:name.example:80,$1" </dev/null 2>log & p=$!
                until [ -s asked ]; do sleep 0.02; done
                kill -$2 $p
                status=0; wait $p || status=$?
                kill $ns
                echo $status >status' own "$options" "$signal"
            case $signal in TERM) same 143 "$(<status)" ;; INT) same 130 "$(<status)" ;; esac
            rm asked
        done
    done
    # One that is not there at all fails at once, again and again.
    # shellcheck disable=SC2016
    unshare -n -m timeout -k 5 "$LIMIT" bash -ec '
        mount --bind resolv.conf "$(realpath /etc/resolv.conf)"
        "$CATENA_BIN" -d -d - tcp:name.example:80,forever,interval=0.05 </dev/null 2>log & p=$!
        until [ "$(grep -c "name.example" log)" -ge 3 ]; do sleep 0.02; done
        kill $p
        status=0; wait $p || status=$?
        [ $status = 143 ]'
}

@test "killing one session's process leaves the listener and the others alone" {
    for signal in KILL TERM SEGV; do
        start_listener server tcp-listen:0,bind=127.0.0.1,fork pipe
        server=$(<server.pid)
        mkfifo in
        start staying "$CATENA_BIN" - "tcp:127.0.0.1:$port" <>in
        echo one >in
        wait_for 5 file_has staying.out one
        first=$(pgrep -P "$server")
        start victim "$PEER" hold "$port" 1 </dev/null
        wait_for 5 two_children
        kill -$signal "$(pgrep -P "$server" | grep -v "^$first$")"
        wait_for 5 file_has server.err ' W .*child [0-9]* exited'
        same hello "$(catena - "tcp:127.0.0.1:$port" <<<hello)"
        echo two >in
        wait_for 5 file_has staying.out two
        kill "$(<victim.pid)" "$(<staying.pid)" "$server"
        finish server 143
        rm in
    done
}
two_children() { [ "$(pgrep -cP "$server")" = 2 ]; }
