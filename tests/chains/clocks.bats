#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Which clock rules when: the rows of ARCHITECTURE.md, "The states of a flow", with quiet periods before, between and
# after the ends. All quiet periods are the stimulus; no row waits for the program.
load ../v1compat/common

setup_file() {
    socat_link >/dev/null
    make_certs "$BATS_FILE_TMPDIR/certs"
}
prepare() {
    C=$BATS_FILE_TMPDIR/certs
    tls="openssl,cafile=$C/ca.crt,commonname=localhost|^openssl-server,cert=$C/server.pem,verify=0"
}

# The stimuli: what standard input does.
ends() { echo abc; }                       # at once
rests() { echo abc && $QUIET; }         # a quiet period longer than socat's -t, then the end
begins_late() { $QUIET && echo abc; }   # the quiet period comes first
stays() { echo abc && $QUIET && $QUIET && $QUIET; }    # no end, as far as these runs go
# What answers.
LATE="cat >/dev/null; $QUIET; echo late"
DRIP="cat >/dev/null; for i in 1 2 3 4; do $BRIEFLY; echo \$i; done" # each piece within 0.5 s
FIRST='echo first; exec >&-; cat >&2'                               # ends first, and goes on reading
export LATE DRIP FIRST

# gives <expected> <stimulus> <socat|catena> <arguments...>: standard output, its lines joined by blanks.
gives() {
    local expected=$1 from=$2 program=$CATENA_BIN got
    [ "$3" = catena ] || program=$(socat_link)
    got=$("$from" | timeout "$LIMIT" "$program" "${@:4}" 2>&"${TO:-2}" | tr -s '\n ' '  ')
    same "$expected" "${got% }"
}

# alike <stimulus> <arguments...>: the reference gives the same, the same command line.
alike() {
    local from=$1
    shift
    [ -x "$REF_SOCAT" ] || return 0
    local expected got
    expected=$("$from" | socat_ref "$@" 2>"$T/ref.err")
    got=$("$from" | socat_ours "$@" 2>"$T/err")
    same "$expected" "$got"
}

@test "half-closed: -t counts from the later of the last byte and the end" {
    abreast gives <<'END'
1 rests socat - 'SYSTEM:wc -l'
1 rests socat - 'SYSTEM:wc -l,pipes'
1 rests socat - 'SYSTEM:wc -l,commtype=tcp'
1 rests catena - 'SYSTEM:wc -l'
1 begins_late socat - 'SYSTEM:wc -l'
1 rests socat - 'gzip|gunzip|SYSTEM:wc -l'
1 rests socat - 'nop|SYSTEM:wc -l'
1 rests socat --unfused - 'nop|nop|SYSTEM:wc -l'
1 rests socat 'gzip|gunzip|-' 'SYSTEM:wc -l'
1 rests socat 'nop|nop|-' 'SYSTEM:wc -l'
1 rests socat - 'exec1:cat%exec1:cat|SYSTEM:wc -l'
1 rests socat - 'exec1:cat%nop|SYSTEM:wc -l'
1 rests socat - "$tls|SYSTEM:wc -l"
1 rests catena - "$tls|SYSTEM:wc -l"
END
}

@test "half-closed: the same through every type of joint" {
    for c in s S p t; do
        for links in 'gzip|gunzip' 'exec1:cat%exec1:cat' 'nop%exec1:cat' 'exec1:cat%nop'; do
            echo "1 rests socat -c$c - '$links|SYSTEM:wc -l'"
            echo "'1 late' ends catena -c$c - '$links|SYSTEM:wc -l; $QUIET; echo late'"
            echo "'first' rests socat -c$c -t 2 - '$links|SYSTEM:$FIRST,pipes'"
        done
    done | abreast gives
}

@test "half-closed: an answer that comes later than -t is cut off, one that keeps coming is not" {
    abreast gives <<'END'
'' ends socat - "SYSTEM:$LATE"
'' rests socat - "SYSTEM:$LATE"
'' ends socat - "gzip|gunzip|SYSTEM:$LATE"
'' ends socat - "exec1:cat%exec1:cat|SYSTEM:$LATE"
'' ends catena -t 0.5 - "SYSTEM:$LATE"
late ends socat -t 2 - "SYSTEM:$LATE"
late rests socat -t 2 - "SYSTEM:$LATE"
late ends catena - "SYSTEM:$LATE"
late ends socat -t 2 - "$tls|SYSTEM:$LATE"
'1 2 3 4' ends socat - "SYSTEM:$DRIP"
'1 2 3 4' rests socat - "SYSTEM:$DRIP"
'1 2 3 4' ends socat - "gzip|gunzip|SYSTEM:$DRIP"
'1 2 3 4' ends socat - "exec1:cat%exec1:cat|SYSTEM:$DRIP"
'1 2 3 4' ends socat "nop|-" "nop|SYSTEM:$DRIP"
END
}

@test "half-closed: -t rules alone, -T only where -t is endless" {
    abreast gives <<'END'
late ends socat -t 2 -T 0.3 - "SYSTEM:$LATE"
late ends catena -t 2 -T 0.3 - "SYSTEM:$LATE"
late ends socat -t 2 -T 0.3 - "gzip|gunzip|SYSTEM:$LATE"
late ends socat -t 2 -T 0.3 - "exec1:cat%exec1:cat|SYSTEM:$LATE"
late ends socat -t 2 -T 0.3 - "$tls|SYSTEM:$LATE"
late ends socat -t 2 -T 0.3 'gzip|gunzip|-' "SYSTEM:$LATE"
'' ends catena -T 0.3 - "SYSTEM:$LATE"
'' ends catena -T 0.3 - "gzip|gunzip|SYSTEM:$LATE"
'' ends catena -T 0.3 - "exec1:cat%exec1:cat|SYSTEM:$LATE"
'1 2 3 4' ends catena -T 0.6 - "SYSTEM:$DRIP"
first stays socat -t 0.3 - "SYSTEM:$FIRST,pipes"
END
}

@test "open: -T ends a quiet run, before and between bytes; bytes and their direction do not matter" {
    # as long as something keeps coming, in either direction, it goes on
    dripping() { for i in 1 2 3 4; do echo "$i" && $BRIEFLY; done; }
    silent() { $QUIET && $QUIET && $QUIET; }
    export -f dripping silent
    abreast gives <<'END'
abc stays socat -T 0.5 - SYSTEM:cat
abc stays catena -T 0.5 - SYSTEM:cat
abc stays catena -T 0.5 - 'gzip|gunzip|SYSTEM:cat'
abc stays catena -T 0.5 - "$tls|SYSTEM:cat"
'' silent catena -T 0.5 - SYSTEM:cat
'' silent socat -T 0.5 - "$tls|SYSTEM:cat"
'1 2 3 4' dripping socat -T 0.6 - SYSTEM:cat
'1 2 3 4' dripping catena -T 0.6 - 'gzip|gunzip|SYSTEM:cat'
'1 2 3 4' dripping socat -u -T 0.6 - -
'1 2 3 4' dripping socat -u -T 0.6 - 'gzip|gunzip|-'
abc stays socat -u -T 0.5 - -
abc stays catena -u -T 0.5 - 'exec1:cat|-'
END
}

# idles <arguments...>: nothing ever comes to an end, and the run ends all the same, with status 0.
idles() {
    mkfifo in
    exec 7<>in
    echo abc >&7
    timeout "$LIMIT" "$CATENA_BIN" "$@" <&7 >out
    same abc "$(<out)"
}

@test "open: -T is what ends it" {
    abreast idles <<'END'
-T 0.5 - PIPE
-T 0.5 - SYSTEM:cat
-u -T 0.5 - -
-T 0.5 - 'gzip|gunzip|PIPE'
-T 0.5 - 'exec1:cat%exec1:cat|PIPE'
-T 0.5 - "$tls|PIPE"
-T 0.5 'nop|-' 'nop|PIPE'
END
}

@test "one-way: -t never cuts what is on its way, -T counts, and the end is at once" {
    abreast gives <<'END'
abc rests socat -u - -
abc rests socat -u - 'gzip|gunzip|-'
abc rests socat -u - 'exec1:cat|-'
late ends socat -U - "SYSTEM:$QUIET; echo late"
late ends socat -u "SYSTEM:$QUIET; echo late" -
late ends socat -u "SYSTEM:$QUIET; echo late" 'gzip|gunzip|-'
'' ends socat -T 0.3 -u "SYSTEM:$QUIET; echo late" -
END
    # TLS needs both directions on its wire, so nothing but the wire ends late here
    tells() { TO=1 gives "$@"; }
    abreast tells <<'END'
abc rests catena -u - "$tls|SYSTEM:cat >&2"
'a b' ends catena -u "SYSTEM:echo a; $QUIET; echo b" "$tls|SYSTEM:cat >&2"
END
}

@test "the goodbye of TLS: a peer that owes its own is waited for as -t says" {
    # the answer comes a quiet period after the end, through the session's own half close
    for version in TLS1.2 TLS1.3; do
        o="cafile=$C/ca.crt,commonname=localhost,min-version=$version,max-version=$version"
        start_listener "server$version" -t 3 "openssl-listen:0,bind=127.0.0.1,fork,cert=$C/server.pem,verify=0" \
            "SYSTEM:$LATE"
        for name in socat catena; do
            echo "late ends $name -t 3 - 'openssl,$o|tcp:127.0.0.1:$port'"
            echo "late rests $name -t 3 - 'openssl:127.0.0.1:$port,$o'"
            echo "late rests $name -t 3 - 'nop|openssl,$o|tcp:127.0.0.1:$port'"
            echo "'' ends $name -t 0.3 - 'openssl,$o|tcp:127.0.0.1:$port'"
        done
    done >rows
    abreast gives <rows
    # a peer that never says goodbye: one way, the run ends after -t, or two seconds
    start_peer silent tls:"$C/server.pem" line "until:$T/never"
    ends | timeout "$LIMIT" "$CATENA_BIN" -u -t 0.3 - "openssl,cafile=$C/ca.crt,commonname=localhost|tcp:127.0.0.1:$port"
    kill "$(<silent.pid)"
}

@test "closing and draining: what was accepted is still written, however slow the reader" {
    slow_reader() { $QUIET && exec cat; }
    head -c 300000 /dev/zero | tr '\0' x >big
    all_of_it() { # <name> <links>
        same 300000 "$(timeout "$LIMIT" "$1" -t 0.2 -T 3 - "$2|SYSTEM:cat" <"$BATS_TEST_TMPDIR/big" | slow_reader | wc -c)"
    }
    for links in nop 'gzip|gunzip' 'exec1:cat%exec1:cat' 'nop|nop|exec1:cat%nop'; do
        echo "'$CATENA_BIN' '$links'"
        echo "'$(socat_link)' '$links'"
    done | abreast all_of_it
}

# listens <fork|thread|> <options>: three clients, the second and third while the first still rests.
serves() { # <expected> <stimulus> <server options> <listener options> <right>
    start_listener server $3 "tcp-listen:0,bind=127.0.0.1$4" "$5"
    local n p=() failed=0
    for n in 1 2 3; do
        (same "$1" "$("$2" | timeout "$LIMIT" "$CATENA_BIN" - "tcp:127.0.0.1:$port" | tr -s '\n ' '  ' | sed 's/ $//')") &
        p+=($!)
    done
    for n in "${p[@]}"; do wait "$n" || failed=1; done
    kill "$(<"$T/server.pid")"
    return $failed
}

@test "listeners: each connection has clocks of its own" {
    abreast serves <<'END'
1 rests '-t 0.5' ,fork 'SYSTEM:wc -l'
1 rests '-t 0.5' ,thread 'SYSTEM:wc -l'
1 rests '-t 0.5' ,thread 'gzip|gunzip|SYSTEM:wc -l'
1 rests '-t 0.5' ,fork 'exec1:cat%exec1:cat|SYSTEM:wc -l'
'' ends '-t 0.5' ,fork "SYSTEM:$LATE"
'' ends '-t 0.5' ,thread "SYSTEM:$LATE"
late ends '-t 2 -T 0.3' ,fork "SYSTEM:$LATE"
late ends '-t 2 -T 0.3' ,thread "SYSTEM:$LATE"
'1 2 3 4' ends '-t 0.5' ,thread "SYSTEM:$DRIP"
abc stays '-T 0.5' ,thread PIPE
abc stays '-T 0.5' ,fork PIPE
END
}

@test "hubs: the clocks of a line that is one engine in a shared thread" {
    start_listener answer -t 3 tcp-listen:0,bind=127.0.0.1,fork "SYSTEM:$LATE"
    late=$port
    start_listener answer2 -t 3 tcp-listen:0,bind=127.0.0.1,fork 'SYSTEM:wc -l'
    count=$port
    abreast serves <<END
late ends '-t 2 -T 0.3' ,thread tcp:127.0.0.1:$late
'' ends '-t 0.3' ,thread tcp:127.0.0.1:$late
'' ends '-T 0.3' ,thread tcp:127.0.0.1:$late
late ends '-t 2' ,thread 'nop|tcp:127.0.0.1:$late'
1 rests '-t 0.5' ,thread tcp:127.0.0.1:$count
END
}

@test "a terminal has no half close: its other direction is given -t, or half a second" {
    abreast gives <<'END'
abc ends socat - 'SYSTEM:cat,pty,raw,echo=0'
abc ends catena - 'SYSTEM:cat,pty,raw,echo=0'
abc rests catena - 'SYSTEM:cat,pty,raw,echo=0'
END
}

@test "a program on a terminal cannot be told the end of its input, but has one of its own" {
    abreast gives <<'END'
late ends catena - "SYSTEM:$QUIET; echo late,pty,raw,echo=0"
late ends catena - "SYSTEM:$QUIET; echo late,commtype=pty,raw,echo=0"
late ends catena - "nop|SYSTEM:$QUIET; echo late,pty,raw,echo=0"
'' ends socat - "SYSTEM:$QUIET; $QUIET; echo late,pty,raw,echo=0"
END
}

@test "the reference's clocks are the same" {
    abreast alike <<'END'
rests - 'SYSTEM:wc -l'
rests - 'SYSTEM:wc -l,pipes'
begins_late - 'SYSTEM:wc -l'
ends - "SYSTEM:$LATE"
rests - "SYSTEM:$LATE"
ends -t 2 -T 0.3 - "SYSTEM:$LATE"
ends - "SYSTEM:$DRIP"
stays -T 0.5 - SYSTEM:cat
stays -u -T 0.5 - -
ends -t 0.3 - "SYSTEM:$FIRST,pipes"
rests -t 0.3 - "SYSTEM:$FIRST,pipes"
ends -T 0.3 -u "SYSTEM:$QUIET; echo late" -
END
}
