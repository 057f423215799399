#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Taps in pcapng as tshark reads them: TLS opens with what is in the file.
load ../helpers

setup_file() { make_certs "$BATS_FILE_TMPDIR/certs"; }
prepare() {
    certs=$BATS_FILE_TMPDIR/certs
    printf 'GET /where HTTP/1.0\r\n\r\n' >get
    printf '#!/bin/sh\nread line\nprintf "HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 13\\r\\n\\r\\nsecret words\n"\n' >web
    chmod +x web
}

P=format=pcapng
# It warns of being root; and a port that some protocol has (48898, say) is no reason to take a line for that.
shark() { tshark -o tcp.try_heuristic_first:TRUE "$@" 2>/dev/null; }

# opens <file> <tap>...: each of them has both sides of the talk in the clear; nothing is malformed, nor sent again,
# nor missing, and all checksums are right.
opens() {
    shark -r "$1" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields \
        -e frame.interface_name -e http.request.uri -e http.file_data -e _ws.malformed -e tcp.analysis.flags \
        -e tcp.checksum.status -e udp.checksum.status -e ip.checksum.status >seen
    for tap in "${@:2}"; do
        has "$(<seen)" "^$tap"$'\t'/where
        has "$(<seen)" "^$tap"$'\t\t''secret words'
    done
    lacks '^[^\t]*\t[^\t]*\t[^\t]*\t(?!\t\t1\t\t1$|\t\t\t1\t1$)' seen
}

@test "HTTP over TLS: clear above, decrypted below, on both sides, in both versions and all engines" {
    for row in 'TLS1.2 fork' 'TLS1.3 thread' 'TLS1.3 fork --unfused' 'TLS1.2 fork -cS'; do
        read -r version how way <<<"$row"
        rm -f ours theirs keys
        # shellcheck disable=SC2086
        start_listener server $way "tap:theirs,$P,label=clear|openssl-server,cert=$certs/server.pem,verify=0|tap:theirs,$P,label=wire|tcp-l:0,bind=127.0.0.1,$how" exec:./web
        # shellcheck disable=SC2086
        catena $way - "tap:ours,$P,label=clear|openssl,cafile=$certs/ca.crt,max-version=$version,keylog=keys|tap:ours,$P,label=wire|tcp:localhost:$port" <get >got
        has "$(<got)" 'secret words'
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
        opens ours clear wire
        opens theirs clear wire
    done
    # and with what keylog= has written, where the file itself has no secrets
    shark -r ours -Y 'frame.interface_name == "wire"' -w wire.pcap -F pcap
    has "$(shark -r wire.pcap -o tls.keylog_file:keys -T fields -e http.request.uri)" /where
    has_not "$(shark -r wire.pcap -T fields -e http.request.uri)" /where
}

@test "TLS within TLS, and DTLS" {
    start_listener inner "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" exec:./web
    inner=$port
    start_listener outer "openssl-listen:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0,fork" "tcp:127.0.0.1:$inner"
    catena - "tap:f,$P,label=clear|openssl,cafile=$certs/ca.crt|tap:f,$P,label=between|openssl,cafile=$certs/ca.crt|tap:f,$P,label=wire|tcp:localhost:$port" <get >got
    has "$(<got)" 'secret words'
    shark -r f -T fields -e frame.interface_name -e http.request.uri >seen
    for tap in clear between; do has "$(<seen)" "^$tap"$'\t'/where; done
    kill "$(<outer.pid)"
    start_listener server "dtls-l:0,bind=127.0.0.1,cert=$certs/server.pem,verify=0" pipe
    (echo 'secret words'; $QUIET) | catena -t 1 - "dtls,cafile=$certs/ca.crt|tap:g,$P|udp:localhost:$port" >/dev/null
    has "$(shark -r g -o 'data.show_as_text:TRUE' -Y 'dtls && data' -T fields -e data.text)" 'secret words'
}

@test "it reads along a FIFO, packet by packet" {
    mkfifo fifo in
    start shark tshark -l -i fifo -T fields -e tcp.len </dev/null
    exec 8<>in
    start relay "$CATENA_BIN" - "tap:fifo,$P|pipe" <in 8>&-
    echo first >&8
    wait_for 20 file_has shark.out '^6'
    echo second >&8
    wait_for 5 file_has shark.out '^7'
    exec 8>&-
    finish relay
    kill "$(<shark.pid)" 2>/dev/null || :
    wait_for 5 is_gone "$(<shark.pid)"
}
