#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is possible and yet hardly meant is said before anything is opened; under v1's name only to
# whom asks for it.
load ../helpers

prepare() { : >x; } # a certificate, as far as planning looks

said() { # <pattern> <arguments...>: one warning, and it says so
    run catena -n "${@:2}" </dev/null
    echo "$output"
    same 0 "$status"
    same 1 "$(grep -c '\] W ' <<<"$output")"
    has "$output" " W .*$1"
    has "$output" '^ *^'
}

unsaid() { # <program> <arguments...>
    run "$1" -n "${@:2}" </dev/null
    echo "$output"
    same 0 "$status"
    has_not "$output" '\] [EWN] '
}

@test "a forgotten ^, or one too many" {
    each said <<'ROWS'
'a "^" before it' tcp-listen:1,fork 'openssl-server,cert=x|tcp:h:1'
'a "^" before it' tcp-listen:1,fork 'openssl-server,cert=x|proxy:t:1|tcp:h:1'
'a "^" before it' 'openssl,verify=0|tcp-listen:1,fork' tcp:h:1
'without the "^"' '^openssl-server,cert=x|tcp-listen:1,fork' tcp:h:1
'without the "^"' unix-listen:s,fork '^openssl,verify=0|tcp:h:1'
'without the "^"' tcp-listen:1,fork '^proxy:t:1|tcp:h:1'
'is an address meant that connects' - 'socks5:t:1|tcp-listen:1'
'is the TLS client meant' - 'openssl-server,cert=x|tcp:h:1'
'is the TLS server meant' - 'openssl,verify=0|gzip|sctp-listen:1'
ROWS
    each unsaid catena <<'ROWS'
tcp-listen:1,fork '^openssl-server,cert=x|tcp:h:1'
'openssl-server,cert=x|tcp-listen:1,fork' tcp:h:1
- 'openssl,verify=0|proxy:t:1|tcp:h:1'
- 'openssl-server,cert=x|exec:cat'
- 'openssl,verify=0|^openssl-server,cert=x|tcp:h:1'
openssl-listen:1,cert=x tcp:h:1
ROWS
}

@test "a forgotten ^ is told by who serves, too" {
    start server "$CATENA_BIN" tcp-listen:0,bind=127.0.0.1 'openssl-server,cert=x|tcp:localhost:1' </dev/null
    wait_for 10 file_has server.err ' W .*a "^" before it'
    kill "$pid" || :
}

@test "where packets become a stream" {
    each said <<'ROWS'
'second address "tcp": the boundaries of packets from first address "udp-recv"' -u udp-recv:1 tcp:h:1
'first address "tcp-l": the boundaries of packets from second address "udp"' tcp-l:1 udp:h:1
'link 1 "gzip": the boundaries' -u tun 'gzip|tcp:h:1'
'link 1 "exec1": the boundaries' -u udp-recv:1 'exec1:cat|create:x'
'second address "exec": the boundaries' tun 'exec:cat -u'
ROWS
    each unsaid catena <<'ROWS'
udp-l:1 udp:h:1
tun 'openssl,verify=0|tcp:h:1'
openssl-listen:1,cert=x udp:h:1
udp-recvfrom:1,fork exec:cat
-u udp-recv:1 create:x
- udp:h:1
udp-l:1 'nop|unix-sendto:x'
udp-l:1 exec:cat,socktype=5
ROWS
    each unsaid socat_ours <<'ROWS'
-u udp-recv:1 tcp:h:1
tcp-l:1 udp:h:1
tun 'exec:cat -u'
ROWS
    run socat_ours -n -d -d tcp-l:1 udp:h:1
    has "$output" ' N .*the boundaries of packets'
}

@test "the plan shows the place" {
    run catena -n -u tun 'nop|gzip|tcp:h:1'
    has "$(grep -A5 '^  gzip' <<<"$output")" 'packets: their boundaries end here'
    same 1 "$(grep -c packets: <<<"$output")"
    run catena -n tcp:h:1 'udp:h:1'
    has "$(grep -A1 '^  tcp-connect' <<<"$output")" "left chain"
    has "$output" 'packets: their boundaries end here'
}
