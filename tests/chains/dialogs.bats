#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# DIALOG: scripts and options, over every layer and in every place of a chain; what comes too far belongs to the data.
load ../helpers

HANG="sleep 20" # longer than any of these tests
export BRIEFLY
setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    # A modem with an echo: dials, or is busy, and then gives back what it gets.
    cat >modem <<'END'
printf 'noise\r\n'
while IFS= read -r -d $'\r' line; do
    printf '%s\r\n' "$line"
    case $line in
        ATZ) printf 'OK\r\n' ;;
        ATD0) printf 'RINGING\r\nBUSY\r\n' ;;
        ATD*) printf 'RINGING\r\nCONNECT 9600\r\nWelcome\r\n' && exec cat ;;
        ATH) exit ;;
        *) printf 'ERROR\r\n' ;;
    esac
done
END
    cat >script <<'END'
# how to get there
ABORT BUSY ABORT "NO CARRIER" TIMEOUT 10
'' ATZ
OK ATD$NUMBER
SAY "dialing $NUMBER"
/CONNECT [0-9]+\r\n/
END
    pair='dialog,send=ATZ,expect=OK\\r\\n,send=ATD7,expect=/CONNECT.[0-9]+\\r\\n/'
    export NUMBER=7
}

# connects <arguments...>: what is typed comes back, behind what the other side says first.
connects() { same $'Welcome\r hello' "$(echo hello | catena "$@" | tr '\n' ' ' | sed 's/ $//')"; }

@test "a script and options, over all layers, in both chains" {
    start_listener far openssl-listen:0,bind=127.0.0.1,reuseaddr,fork,cert="$BATS_FILE_TMPDIR/certs/server.pem",verify=0 'exec:bash modem'
    tls="openssl,verify=0|tcp:127.0.0.1:$port"
    each connects <<'END'
- 'dialog:script|exec:bash modem'
-cS - 'dialog:script|exec:bash modem'
- "$pair|exec:bash modem"
--unfused - "$pair|exec:bash modem"
- "dialog:script|$tls"
-cS - "dialog:script|$tls"
-cS - 'dialog:script|gzip|gunzip|exec:bash modem'
- "gzip|gunzip|dialog:script|delay:20ms|exec:bash modem"
- "dialog:script|throttle:2k|exec:bash modem"
- "dialog:script|exec1:cat%exec1:cat|exec:bash modem"
- 'dialog,send=ATD7,expect=/CONNECT.[0-9]+\\r\\n/|dialog,send=ATZ,expect=OK\\r\\n|exec:bash modem'
END
    end "$(<far.pid)"
    finish far 143
    catena - 'dialog:script|exec:bash modem' </dev/null 2>err >/dev/null
    same 'dialing 7' "$(<err)"
    # in the first chain the modem is on the left
    start first "$CATENA_BIN" 'dialog:script|exec:bash modem' system:'head -n 1 >said; echo bye' </dev/null
    finish first
    same $'Welcome\r' "$(<said)"
    # a terminal gives back what it is told
    same 'hello' "$(echo hello | catena -t 1 - 'dialog,send=x,expect=x\\r|exec:cat,pty,raw,echo=0')"
    # and reversed, who is on the left is talked to
    same 'name? joe, then' "$(echo 'joe, then' | catena - '^dialog,send=name? ,line-end=none|exec:cat' | paste -sd' ')"
}

@test "half-closed, with a late answer, all of it" {
    seq 1 20000 >in
    for way in '' -cS; do
        catena $way - 'dialog,send=hi,expect=there\\n,line-end=lf|system:"read x; echo $x; echo there; cat; $BRIEFLY; echo late"' \
            <in | cmp - <(cat in && echo late)
    done
}

# A dialog needs both ways of what it is held over. What comes behind it that way is nobody's then.
@test "one way" {
    echo 'printf "hi\nmore\n"' >speaks # in one piece
    (cat speaks && echo 'cat >&2') >listens
    for way in '' --unfused -cS; do
        for link in '' 'gzip|gunzip|'; do
            same up "$(catena $way -u - "dialog,expect=hi,line-end=lf|${link}exec:sh listens" 2>&1 <<<up)"
            same more "$(catena $way -U - "dialog,expect=hi\\\\n|${link}exec:sh speaks" 2>&1 </dev/null)"
        done
    done
}

@test "failures say what was waited for, where, and what came" {
    complains() {
        run catena - "$2" </dev/null
        same 1 "$status"
        has "$output" "$1"
    }
    export NUMBER=0
    printf '%s\n' "'' ATZ OK\\r\\n '\\c'" 'TIMEOUT 0.2 NOPE' >late
    each complains <<'END'
'"dialog": script, line 2: "BUSY" came, which is an ABORT; the last that came: "noise\\r\\nATZ\\r\\nOK\\r\\nATD0\\r\\nRINGING\\r\\nBUSY\\r\\n"' 'dialog:script|exec:bash modem'
'late, line 2: "NOPE" did not come within 0.2 s; the last that came: "noise\\r\\nATZ\\r\\nOK\\r\\n"' 'dialog:late|exec:bash modem'
'"NOPE" did not come: the peer took too long (0.2 seconds' 'dialog,expect=noise,expect=NOPE,handshake-timeout=0.2|exec:bash modem'
'"NOPE" did not come: the peer closed the connection' 'dialog,send=ATH,expect=NOPE|exec:bash modem'
'"ERROR" came, which is an ABORT' 'dialog,send=X,expect=OK,abort=ERROR|exec:bash modem'
'script "nowhere": no such file' 'dialog:nowhere|exec:bash modem'
'what is to be said' 'dialog|exec:bash modem'
'line-end "x" is none of' 'dialog,send=x,line-end=x|exec:bash modem'
'expect: /a\*/ matches nothing' 'dialog,expect=/a*/|exec:bash modem'
END
    echo "a '" >broken
    run catena -n - 'dialog:broken|pipe'
    has "$output" "broken, line 2: no ' ends what begins in line 1"
    start_listener modem -u tcp-listen:0,bind=127.0.0.1 create:heard
    fails catena - "dialog,expect=NOPE,timeout=0.1,on-fail=send:ATH|tcp:127.0.0.1:$port" </dev/null 2>err
    finish modem
    same ATH "$(tr -d '\r' <heard)"
    # the line is opened all the same, and has what nobody waited for
    catena - 'dialog:script,on-fail=pass|exec:bash modem' <<<x 2>err
    has "$(<err)" ' W .*BUSY.*the line is opened all the same'
    # tried again
    fails catena - 'dialog,send=ATD0,expect=CONNECT,abort=BUSY,retry=2,interval=0.01|system:"echo x >>tries; exec bash modem"' \
        </dev/null 2>err
    same 3 "$(wc -l <tries)"
}

@test "secrets come from files and variables, and are never shown" {
    echo s3cret >file
    export PW=s3cret
    asks='system:"printf word:; read x; printf \"got \$x.\"; cat"'
    lets_in() {
        same 'ok' "$(echo ok | catena -d -d -d -d - "$1|$asks" 2>err)"
        lacks s3cret err
    }
    echo 'word: $PW "got s3cret."' >by_variable
    echo 'word: @file "got s3cret."' >by_file
    each lets_in <<'END'
'dialog,expect=word:,send-file=file,expect=got s3cret.,line-end=lf'
'dialog,expect=word:,send-env=PW,expect=got s3cret.,line-end=lf'
'dialog,expect=word:,send=s3cret,expect=got s3cret.,line-end=lf'
'dialog:by_variable,line-end=lf'
'dialog:by_file,line-end=lf'
END
    run catena - "dialog,expect=word:,send-file=file,expect=NOPE,timeout=0.2,line-end=lf|$asks" </dev/null
    has "$output" 'the last that came: "word:got \*\*\*\*\*\*\."'
    start run "$CATENA_BIN" - 'dialog,send=s3cret,expect=x|exec:cat' < <($HANG)
    wait_for 5 lacks s3cret "/proc/$pid/cmdline"
    kill "$pid"
    finish run 143
}

@test "what a fact has filled is said as it is" {
    start_listener server tcp-listen:0,bind=127.0.0.1 'dialog,send={peeraddr}\\q$HOME,line-end=lf|system:"cat >said"'
    catena -u open:/dev/null "tcp:127.0.0.1:$port"
    finish server
    same '127.0.0.1\q$HOME' "$(<said)"
}

# bats test_tags=thread
@test "each client of a listener has its own dialog, side by side" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr,fork 'dialog:script|exec:bash modem'
    server=$pid
    start slow "$CATENA_BIN" - "tcp:127.0.0.1:$port" < <($HANG)
    local p pids=()
    for _ in {1..8}; do
        connects - "tcp:127.0.0.1:$port" >/dev/null &
        pids+=($!)
    done
    for p in "${pids[@]}"; do wait "$p"; done
    kill "$(<slow.pid)"
    finish slow 143
    # one that fails is the only one to do so
    end "$server"
    finish server 143
}

@test "in front of a server's own greeting, proved before the right chain is opened" {
    start_listener server tcp-listen:0,bind=127.0.0.1,reuseaddr '^dialog,send=who?,expect=/[a-z]+\\n/,line-end=lf|system:"cat >come"'
    start client "$CATENA_BIN" - "tcp:127.0.0.1:$port" < <($BRIEFLY && [ ! -e come ] && echo joe && echo data)
    finish client
    finish server
    same 'who?' "$(<client.out)"
    same data "$(<come)"
}
