#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Wherever a run waits, a signal ends it: at once, with its status, and whatever retry says. Each row is a
# place to wait in; all rows of a table run at the same time.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }

prepare() {
    C=$BATS_FILE_TMPDIR/certs
    start silent "${CATENA_TOOLS_SRC:-$BATS_TEST_DIRNAME/../tools}/silent.py" </dev/null
    wait_for 10 file_has silent.out udp=
    eval "$(<silent.out)"
    mkfifo fifo key tap unread
    exec 7<>unread
    touch held
    names=() failures=() clients=0
}
teardown_silent() {
    kill "$(<silent.pid)"
    exec 7>&-
}

# waits <name> <command...>: one that will.
waits() {
    local n=${#names[@]}
    start "run$n" "${@:2}" </dev/null
    names+=("$1")
}
# All its threads are asleep, twice.
states() { sed 's/.*) \(.\).*/\1/' /proc/"$1"/task/*/stat | sort -u; }
asleep() { [ "$(states "$1"; sleep 0.02; states "$1")" = $'S\nS' ]; }
all_gone() {
    local p
    for p; do is_gone "$p" || return 1; done
}
# settle <pid...>: each waits by now, or has ended.
settle() {
    local p
    for p; do wait_for 10 settled "$p"; done
}
settled() { is_gone "$1" || asleep "$1"; }
# end_all <pid...>: a signal, and two seconds.
end_all() {
    kill "$@" 2>/dev/null || :
    wait_for 2 all_gone "$@" || :
}
# judge: all that have been started have ended, by the signal.
judge() {
    local i status p
    for i in "${!names[@]}"; do
        p=$(<"run$i.pid") status=0
        is_gone "$p" || {
            failures+=("${names[i]}: goes on")
            kill -KILL "$p"
        }
        wait "$p" || status=$?
        [ $status = 143 ] || failures+=("${names[i]}: status $status: $(tail -n 2 "run$i.err")")
    done
    ((${#failures[@]} == 0)) || {
        printf '%s\n' "${failures[@]}"
        return 1
    }
    teardown_silent
    assert_nothing_left
}
pids() { cat run*.pid; }

# What the second address may wait for; <retries>: it takes retry.
rights() {
    while read -r name retries address; do
        [ -z "$name" ] || "$@" "$name" "$retries" "$(eval "echo \"$address\"")"
    done <<'EOF'
    connect   yes  tcp:127.0.0.1:$full
    connect-t yes  tcp:127.0.0.1:$full,connect-timeout=100
    busy      yes  unix:full.sock
    resolve   yes  tcp4:host.test:1,res-retrans=100,res-nsaddr=127.0.0.1:$udp
    bind      yes  tcp4:127.0.0.1:1,bind=host.test,res-retrans=100,res-nsaddr=127.0.0.1:$udp
    pause     yes  tcp:127.0.0.1:1,forever,interval=100
    tls       yes  openssl:127.0.0.1:$silent,verify=0
    dtls      yes  dtls:127.0.0.1:$udp,verify=0
    gzip-tls  yes  gzip|openssl,verify=0|tcp:127.0.0.1:$silent
    proxy     yes  proxy:h:1|tcp:127.0.0.1:$silent
    secret    yes  proxy:h:1,proxyauthfile=\$RUN.fifo|tcp:127.0.0.1:$silent
    socks4    yes  socks4a:h:1|tcp:127.0.0.1:$silent
    socks5    yes  socks5:h:1|tcp:127.0.0.1:$silent
    socks-tls yes  socks5:h:1|openssl,verify=0|tcp:127.0.0.1:$silent
    reverse   yes  socks5-listen:h:1|tcp:127.0.0.1:$silent
    fifo      no   open:\$RUN.fifo,rdonly!!open:/dev/null
    fifo-w    no   open:/dev/null!!open:\$RUN.fifo,wronly
    waitlock  no   pipe,waitlock=held
    record    no   open:record,lock
    whole     no   open:whole,flock
    pty       no   pty,wait-slave,link=\$RUN.pty
    accept    yes  unix-listen:\$RUN.accept
    packet    no   unix-recvfrom:\$RUN.packet
    relay     yes  tcp:127.0.0.1:$silent
EOF
}
place() { # <address>: with names of its own
    RUN=$T/w${#names[@]}
    mkfifo "$RUN.fifo"
    address=${1//\$RUN/$RUN}
}

@test "alone, and with retries" {
    one() {
        place "$3"
        waits "$1" "$CATENA_BIN" -d -d stall "$address"
        [ "$2" = yes ] || return 0
        place "$3"
        waits "$1, forever" "$CATENA_BIN" -d -d stall "$address,forever,interval=0.5"
    }
    rights one
    waits lock-switch "$CATENA_BIN" -W held stall pipe
    waits dump "$CATENA_BIN" -r fifo stall pipe
    waits dump-full "$CATENA_BIN" -u -r unread open:/dev/zero open:/dev/null
    waits tap "$CATENA_BIN" stall 'tap:tap|pipe'
    waits tap-full "$CATENA_BIN" -u open:/dev/zero 'tap:unread|open:/dev/null'
    waits certificate "$CATENA_BIN" "openssl-listen:0,bind=127.0.0.1,cert=key,verify=0" pipe
    waits main-wait env SOCAT_MAIN_WAIT=100 "$CATENA_BIN" stall pipe
    waits transfer-wait env SOCAT_TRANSFER_WAIT=100 "$CATENA_BIN" stall pipe
    # shellcheck disable=SC2046
    settle $(pids)
    # shellcheck disable=SC2046
    end_all $(pids)
    judge
}

client() { # of the last one, that does nothing
    wait_for 10 file_has "run$((${#names[@]} - 1)).err" 'listening on'
    clients=$((clients + 1))
    start "client$clients" "$PEER" connect "unix:$RUN.front" until:over </dev/null
}
child_of() { [ -n "$(pgrep -P "$1")" ]; }
other_ends() {
    local pid
    for pid in client*.pid; do kill "$(<"$pid")" 2>/dev/null || :; done
}

@test "in a child" {
    local kids=() p kid
    one() {
        place "$3"
        waits "$1" "$CATENA_BIN" -d -d "unix-listen:$RUN.front,fork" "$address"
        client
    }
    rights one
    for p in $(pids); do
        wait_for 10 child_of "$p"
        kids+=($(pgrep -P "$p"))
    done
    settle "${kids[@]}"
    end_all "${kids[@]}"
    for kid in "${kids[@]}"; do
        is_gone "$kid" || failures+=("child: $(tr '\0' ' ' <"/proc/$kid/cmdline")")
    done
    # shellcheck disable=SC2046
    end_all $(pids)
    other_ends
    judge
}

both() { [ "$(grep -c 'accepting connection' "$1")" = 2 ]; }

@test "in a thread, with the second signal" {
    one() {
        place "$3"
        waits "$1" "$CATENA_BIN" -d -d "unix-listen:$RUN.front,thread" "$address"
        client
        client
    }
    rights one
    local i
    for i in "${!names[@]}"; do
        wait_for 10 both "run$i.err" # who waits holds up nobody else
    done
    # shellcheck disable=SC2046
    settle $(pids)
    # shellcheck disable=SC2046
    kill $(pids)
    for i in "${!names[@]}"; do
        wait_for 10 file_has "run$i.err" 'exiting on signal'
    done
    # shellcheck disable=SC2046
    end_all $(pids)
    other_ends
    judge
}

@test "while it waits for clients, or for one to say something" {
    local how
    for how in '' ,fork ,thread; do
        waits "tcp$how" "$CATENA_BIN" "tcp-listen:0,bind=127.0.0.1$how" pipe
        waits "udp$how" "$CATENA_BIN" "udp4-listen:0,bind=127.0.0.1$how" pipe
        waits "unix$how" "$CATENA_BIN" "unix-listen:$T/l${#names[@]}$how" pipe
        waits "packet$how" "$CATENA_BIN" "udp4-recvfrom:0,bind=127.0.0.1$how" pipe
        waits "dtls$how" "$CATENA_BIN" "dtls-listen:0,bind=127.0.0.1,cert=$C/server.pem,verify=0$how" pipe
        waits "forever$how" "$CATENA_BIN" "tcp-listen:0,bind=127.0.0.1,forever$how" pipe
        waits "taken$how" "$CATENA_BIN" "tcp-listen:$silent,bind=127.0.0.1,reuseaddr=,forever,interval=100$how" pipe
        waits "name$how" "$CATENA_BIN" "tcp4-listen:0,bind=host.test,res-retrans=100,res-nsaddr=127.0.0.1:$udp$how" pipe
        waits "lock$how" "$CATENA_BIN" "unix-listen:$T/l${#names[@]},waitlock=held$how" pipe
    done
    for how in openssl-server,cert="$C/server.pem",verify=0 socks5-listen:h:1; do
        place x
        waits "$how" "$CATENA_BIN" -d -d "$how|unix-listen:$RUN.front" pipe
        client
    done
    place x
    waits max-children "$CATENA_BIN" -d -d "unix-listen:$RUN.front,fork,max-children=1" 'system:trap "" TERM; exec sleep 0.5'
    client
    waits connects "$CATENA_BIN" stall "tcp:127.0.0.1:$silent,fork,interval=100"
    # shellcheck disable=SC2046
    settle $(pids)
    # shellcheck disable=SC2046
    end_all $(pids)
    other_ends
    judge
}
