#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# METER and --progress: what has passed, how fast, how long still; and the express way stays open.
load ../helpers

@test "counts every byte at any place, each way, in all engines, and changes none" {
    head -c 3000000 /dev/urandom >in
    for way in '' --unfused -cS; do
        # shellcheck disable=SC2086
        catena $way 'meter,format=json|open:in!!create:out' 'meter,format=json|gzip|meter,format=json|gunzip|meter,format=json|pipe' 2>err
        cmp in out
        same 3 "$(grep -c '"end":true,"to_right":{"bytes":3000000,.*"to_left":{"bytes":3000000,' err)"
    done
    each counts <<'ROWS'
        to_right -u open:in "meter,format=json|create:out"
        to_right -u "meter,format=json|open:in" create:out
        to_left -U create:out "meter,format=json|open:in"
        to_left -U '^meter,format=json|create:out' open:in
        to_right --progress -u open:in 'create:out'
        to_right 'open:in!!create:out' "meter,format=json%test|pipe"
ROWS
}
counts() { # <flow> <arguments...>
    catena "${@:2}" 2>err
    [ "$2" = 'open:in!!create:out' ] || cmp in out
    has "$(<err)" "\"$1\":{\"bytes\":3000000,\|^--progress: .*2.86 MiB, .* 100 %"
    same 1 "$(wc -l <err)"
}

@test "the kernel moves the bytes past it, and they are counted" {
    head -c 20M /dev/zero >in
    for line in "-u open:in meter,format=json|tcp:127.0.0.1:PORT" "--progress -u open:in tcp:127.0.0.1:PORT" \
        "-u meter,format=json|open:in meter,format=json|tcp:127.0.0.1:PORT"; do
        start_peer sink sum
        # shellcheck disable=SC2086
        catena -d -d -d -d ${line/PORT/$port} 2>err
        finish sink
        has "$(<err)" 'sendfile('
        same "$(grep -o meter,form <<<"$line" | wc -l)" "$(grep -c '"end":true,"to_right":{"bytes":20971520,.*"size":20971520' err)"
    done
    has "$(<err)" ' bytes from it\|"bytes":20971520'
}

@test "what is known of the size: a file and where it is read from, readbytes, size=; not behind what changes it" {
    head -c 100000 /dev/zero >in
    each sized <<'ROWS'
        100000 -u open:in "meter,format=json|create:out"
        99000 -u open:in,seek=1000 "meter,format=json|create:out"
        5000 -u open:in,readbytes=5000 "meter,format=json|create:out"
        2048 -u open:in "meter,format=json,size=2k|create:out"
ROWS
    catena -u open:in 'gzip|meter,format=json|create:out' 2>err
    has_not "$(<err)" size
    catena -u - 'meter,format=json|create:out' <in 2>err
    has "$(<err)" '"size":100000'
    catena - 'meter,format=json|pipe' < <(echo x) >out 2>err
    has_not "$(<err)" size
}
sized() {
    catena "${@:2}" 2>err
    has "$(<err)" "\"end\":true,.*\"size\":$1[,}]"
}

@test "a bar on a terminal, one line elsewhere, more if it is asked for; SIGUSR1" {
    head -c 1000000 /dev/urandom >in
    catena -u "exec:'$CATENA_BIN -u open:in meter|open:/dev/null',pty,stderr,rawer" create:seen
    has "$(tr '\r' '\n' <seen)" '^977 KiB \[.*/s\] 0:00:0[0-9] \[=*\] 100 %'
    catena -u open:in 'meter|open:/dev/null' 2>err
    has "$(<err)" '^second address, link 1 "meter": .* s, 977 KiB, .*100 %$'
    mkfifo f
    exec 8<>f
    start relay "$CATENA_BIN" -u - 'meter|open:/dev/null' <f 8>&-
    start often "$CATENA_BIN" -u 'exec:"sleep 1"' 'meter,interval=0.1|open:/dev/null' </dev/null
    wait_for 5 file_has often.err '0 B, 0 B/s'
    finish often
    [ "$(wc -l <often.err)" -ge 4 ]
    size_is relay.err 0
    echo hello >&8
    wait_for 5 usr1_shows relay '6 B, '
    exec 8>&-
    finish relay
    has "$(tail -n 1 relay.err)" '6 B, average'
    catena -u text:hello 'meter,fd=7,format=json|open:/dev/null' 7>seven 2>err
    has "$(<seven)" '"bytes":5,'
    size_is err 0
}
usr1_shows() {
    kill -USR1 "$(<"$1.pid")"
    file_has "$1.err" "$2"
}

@test "each connection has its own, with its peer's name, forked and in threads" {
    for how in fork thread; do
        start_listener server --progress "tcp-l:0,bind=127.0.0.1,$how" 'meter,format=json|pipe'
        for i in 1 2 3; do catena - "tcp:127.0.0.1:$port" <<<"hello $i" >/dev/null; done
        shown() { [ "$(grep -c "$1" server.err)" = 3 ]; }
        wait_for 5 shown '^{.*"peer":"127.0.0.1:[0-9]*",.*"end":true,"to_right":{"bytes":8,.*"to_left":{"bytes":8,'
        wait_for 5 shown '^127.0.0.1:[0-9]*: --progress: .* s, 8 B to the right'
        kill "$(<server.pid)"
        wait_for 5 is_gone "$(<server.pid)"
    done
}

@test "who does not read it holds nothing up; a stalled reader is seen" {
    mkfifo f in
    exec 8<>f
    (head -c 65536 /dev/zero >&8) # it is full
    head -c 300000 /dev/zero | catena -u - 'meter,format=json,fd=9,interval=0.02|create:out' 9>f
    size_is out 300000
    exec 8<&-
    start_peer stalled until:over
    start relay "$CATENA_BIN" -u open:/dev/zero "meter,format=json,interval=0.1|tcp:127.0.0.1:$port" </dev/null
    wait_for 10 file_has relay.err '"rate":0,"average":[1-9]'
    kill "$(<relay.pid)"
    finish relay 143
    touch over
}

@test "what it does not know is an error of the plan" {
    while read -r option message; do
        run catena -n - "meter,$option|pipe"
        same 1 "$status"
        has "$output" "$message"
    done <<'ROWS'
format=hex format "hex" is none of bar, line, json
size=1kB size "1kB" is no number of bytes
interval=0 interval=0: 0.02 to 1000000 seconds
interval=x interval
ROWS
    run catena -u text:x 'meter,fd=99|create:out'
    same 1 "$status"
    has "$output" 'meter".*descriptor 99 cannot be written'
    # it is not in the way of what replaces the process, or of descriptors that are open one way
    same hello "$(catena --progress - 'exec:cat,nofork' <<<hello)"
    same hello "$(catena --progress 0 1 <<<hello 2>/dev/null)"
}

@test "--statistics: time and rate, and of each link what it made of the data, in all engines" {
    head -c 100000 /dev/zero >in
    for way in '' --unfused -cS; do
        # shellcheck disable=SC2086
        catena --experimental --statistics $way 'test|open:in!!create:out' 'tap:/dev/null,format=raw|gzip|exec1:cat%exec1:cat|base64|pipe' 2>err
        has "$(<err)" ' I STATISTICS: left to right: [0-9]* packets, 1[0-9]* bytes in [0-9.]* s, [0-9.]* [KM]iB/s$'
        has "$(<err)" 'first address, link 1 "test": right to left: 100[0-9]* bytes of data, 100[0-9]* on the wire, ratio 1.0'
        wire=$(sed -n 's/.*"gzip": left to right: 1[0-9]* bytes of data, \([0-9]*\) on the wire, ratio [0-9.]*$/\1/p' err)
        [ "$wire" -lt 5000 ]
        has "$(<err)" "\"exec1\": left to right: $wire bytes of data, $wire on the wire, ratio 1.000\$"
        has "$(<err)" "\"exec1\": right to left: $wire bytes of data, $wire on the wire, ratio 1.000\$"
        has "$(<err)" "\"base64\": right to left: $wire bytes of data, [12][0-9]* on the wire, ratio 0.7"
        same 10 "$(grep -c STATISTICS err)"
    done
    # under the name socat it is what it was
    socat_ours --statistics -u open:in 'gzip|create:out' 2>err
    same '3 2' "$(wc -l <err) $(grep -c ' packets(s), [0-9]* byte(s)$' err)"
}

@test "--statistics of many: each child's own; threads together, when they have gone, too" {
    make_certs certs
    for how in fork thread; do
        start_listener server --experimental --statistics "openssl-server,cert=certs/server.pem,verify=0|tcp-l:0,bind=127.0.0.1,$how" pipe
        for i in 1 2 3; do catena - "openssl:localhost:$port,cafile=certs/ca.crt" <<<"hello $i" >/dev/null; done
        [ $how = thread ] || wait_for 5 three_told '"openssl-server": left to right: 8 bytes of data, [0-9][0-9][0-9] on the wire'
        kill "$(<server.pid)"
        finish server 143
        [ $how = fork ] || has "$(<server.err)" '"openssl-server": right to left: 24 bytes of data, [0-9]\{4\} on the wire'
    done
}
three_told() { [ "$(grep -c "$1" server.err)" = 3 ]; }
