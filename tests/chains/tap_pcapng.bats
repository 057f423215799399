#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP in pcapng: what passed, as the packets of its connection, read by a strict reader of our own; by tshark: see
# tests/peers/wireshark.bats.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() { certs=$BATS_FILE_TMPDIR/certs; }

pcapng() { python3 "$top/tests/tools/pcapng.py" "$@"; }
P=format=pcapng

@test "at any place of both chains, each way, in all engines: every byte, and numbers that fit" {
    head -c 100000 /dev/urandom >in
    for way in '' -cS; do
        rm -f all out
        # shellcheck disable=SC2086
        catena $way 'tap:all,format=pcapng,label=a|nop|open:in!!create:out' \
            'tap:all,format=pcapng,label=b|gzip|tap:all,format=pcapng,label=c|pipe'
        cmp in out
        for end in client server; do
            cmp in <(pcapng all data a $end)
            cmp in <(pcapng all data b $end)
            cmp in <(pcapng all data c $end | gunzip)
        done
        run pcapng all
        has "$output" '^interface a: first address, link 1 "tap", between first address, link [0-9] "[a-z]*" and second address, link 1 "tap"$'
        has "$output" '^interface c: .*between second address, link 2 "gzip" and second address "pipe"$\|^interface c: .*link 4 "pipe"$'
        same 3 "$(grep -c '^tcp . 127.0.0.1:[0-9]* > 127.0.0.2:1500[0-2],.*ended by .* .*' <<<"$output")"
        has_not "$output" reset
    done
    each one_way <<'ROWS'
        client -u open:in "tap:f,$P|create:out"
        client -u "tap:f,$P|open:in" create:out
        server -U create:out "tap:f,$P|open:in"
        server -U '^tap:f,format=pcapng|create:out' open:in
        client 'open:in!!create:out' "tap:f,$P%test|pipe"
ROWS
}
one_way() { # <end that sends> <arguments...>
    rm -f f out
    catena "${@:2}"
    [ "${2%%!!*}" = open:in ] || cmp in out
    cmp in <(pcapng f data tap0 "$1")
}

@test "the real addresses, of many clients in one file, forked and in threads; and a FIFO" {
    mkfifo fifo
    for how in fork thread; do
        for file in f.$how fifo; do
            if [ $file = fifo ]; then start reader cat fifo; fi
            start_listener server "tap:$file,$P|tcp-l:0,bind=127.0.0.1,$how" pipe
            for i in 1 2 3 4 5; do
                (head -c 30000 /dev/urandom >c$i; catena - "tcp:127.0.0.1:$port" <c$i >b$i) &
                clients[i]=$!
            done
            for i in 1 2 3 4 5; do
                wait "${clients[i]}"
                cmp c$i b$i
            done
            kill "$(<server.pid)"
            finish server 143
            [ $file = f.$how ] || { finish reader; file=reader.out; }
            run pcapng $file
            same 0 "$status"
            same 5 "$(grep -c "^tcp tap0 127.0.0.1:[0-9]* > 127.0.0.1:$port, 30000 and 30000 bytes, ended by client server" <<<"$output")"
            same 1 "$(grep -c ^interface <<<"$output")"
        done
        start_listener server "tcp6-l:0,bind=[::1],$how" "tap:{peeraddr}.$how,$P|pipe"
        for i in 1 2; do catena - "tap:us,$P|tcp6:[::1]:$port" <<<hello >/dev/null; done
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
        run pcapng us
        has "$output" "^tcp tap0 ::1:[0-9]* > ::1:$port, 6 and 6 bytes, ended by client server"
        rm us
        same 2 "$(pcapng "[0000:0000:0000:0000:0000:0000:0000:0001].$how" | grep -c '^tcp tap0 127.0.0.1:')"
    done
}

@test "records are UDP, whole, with their addresses; in a FIFO as well" {
    mkfifo fifo
    for file in f fifo; do
        [ $file = f ] || start reader cat fifo
        start receiver "$CATENA_BIN" -d -d udp-l:0,bind=127.0.0.1,fork "tap:$file,$P|pipe" </dev/null
        wait_for 5 file_has receiver.err 'listening on'
        port=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' receiver.err)
        for size in 1 1400 9000; do
            head -c $size /dev/urandom >p$size
            (cat p$size; $BRIEFLY) | catena -T 2 - "tap:us$size,$P|udp:127.0.0.1:$port" >/dev/null &
        done
        for size in 1 1400 9000; do wait_for 10 record_came $size; done
        kill "$(<receiver.pid)"
        finish receiver 143
        [ $file = f ] || { finish reader; file=reader.out; }
        same 3 "$(pcapng $file | grep -c '^udp tap0 127.0.0.1:[0-9]* > 127.0.0.2:15000, \(1\|1400\|9000\) and ')"
        rm us*
    done
}
record_came() { pcapng us"$1" | grep -q "^udp tap0 127.0.0.1:[0-9]* > 127.0.0.1:$port, $1 and $1 bytes"; }

# answer: a web server that says one thing.
answer() { printf '#!/bin/sh\nread line\nprintf "HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 13\\r\\n\\r\\nsecret words\\n"\n' >web && chmod +x web; }

@test "TLS in one file: clear above, with its secrets below, both sides, both versions, each engine" {
    answer
    for row in 'TLS1.3 thread' 'TLS1.2 fork -cS'; do
        read -r version how way <<<"$row"
        rm -f ours theirs keys
        # shellcheck disable=SC2086
        start_listener server $way "tap:theirs,$P,label=clear|openssl-server,cert=$certs/server.pem,verify=0|tap:theirs,$P,label=wire|tcp-l:0,bind=127.0.0.1,$how" exec:./web
        printf 'GET /where HTTP/1.0\r\n\r\n' >get
        # shellcheck disable=SC2086
        catena $way - "tap:ours,$P,label=clear|openssl,cafile=$certs/ca.crt,max-version=$version,keylog=keys|tap:ours,$P,label=wire|tcp:localhost:$port" <get >got
        has "$(<got)" 'secret words'
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
        for file in ours theirs; do
            run pcapng $file
            same 0 "$status"
            has "$output" "^tcp wire 127.0.0.1:[0-9]* > 127.0.0.1:$port, "
            has "$output" "^tcp clear 127.0.0.1:[0-9]* > 127.0.0.1:$(((port + 20000) % 65536)), 23 and 78 bytes"
            # secrets stand in front of all that may need them
            pcapng $file >summary
            pcapng $file packets >packets
            last=$(sed -n 's/secret before packet \([0-9]*\):.*/\1/p' summary | tail -n 1)
            [ "$last" -le "$(grep -n "^wire .*:$port ACK [0-9][0-9]" packets | sed -n 1p | cut -d: -f1)" ]
            cmp get <(pcapng $file data clear client)
            same 600 "$(stat -c %a $file)"
        done
        same 600 "$(stat -c %a keys)"
        has "$(<keys)" '^CLIENT_RANDOM \|^SERVER_TRAFFIC_SECRET_0 '
    done
}

@test "a handshake that does not get on is shown as far as it came; one that was cut is reset" {
    start_peer server until:over
    start relay "$CATENA_BIN" - "openssl,verify=0|tap:f,$P|tcp:127.0.0.1:$port" </dev/null
    wait_for 5 has_hello
    kill "$(<relay.pid)"
    finish relay 143
    has "$(pcapng f)" 'ended by reset'
    touch over
}
has_hello() { pcapng f packets | grep -q '^tap0 .*:[0-9]* ACK [1-9][0-9][0-9]'; }

@test "what cannot be is an error of the plan; what fails is told" {
    run catena -n - "tap,$P|pipe"
    same 1 "$status"
    has "$output" 'format=pcapng is nothing for people to read: give a file'
    run catena -u text:hello "tap:/dev/full,$P|create:out"
    same 1 "$status"
    has "$output" ' E .*tap file cannot be written'
    run catena - "openssl,keylog=no/such/file|tcp:localhost:1"
    same 1 "$status"
    has "$output" 'key log "no/such/file".*[Nn]o such file'
    # a standard error that takes nothing is no less of a failure, but version 1 takes no notice
    for switch in tap, -v -x; do
        tap=${switch#-?}
        case $switch in -*) flag=$switch ;; *) flag= ;; esac
        # shellcheck disable=SC2086
        fails catena $flag -u text:hello "${tap:+tap|}create:out" 2>/dev/full
        same hello "$(<out)"
        [ -n "$tap" ] || socat_ours $switch -u text:hello create:out 2>/dev/full
    done
    catena -u text:hello "tap,label=$(printf 'two\nlines')|create:out" 2>err
    same 1 "$(wc -l <err)"
    has "$(<err)" '  two\\nlines  length=5 '
}

@test "only a whole capture is continued" {
    echo x | catena - 'tap:good,format=pcapng|pipe'
    echo x | catena - 'tap:good,format=pcapng|pipe'
    pcapng good >/dev/null
    head -c 300 good >cut
    echo junk >junk
    for f in cut junk; do
        cp $f before
        run catena - "tap:$f,format=pcapng|pipe" </dev/null
        same 1 "$status"
        has "$output" "tap file \"$f\" is there already, and is no whole pcapng capture"
        cmp $f before
    done
}
