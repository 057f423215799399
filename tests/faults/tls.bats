#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of TLS streams: an end without close_notify, within a record, or with garbage is
# an error; what was whole before is delivered.
# bats file_tags=thread
load matrix

cut='without close_notify'

@test "the stream ends without close_notify" {
    row "tls stack" in 1 "$cut" "$N" 'gen:N:7'
    row "tls stack" in 1 "$cut" 0 'raw shut eof'
    row "tls stack" in 1 "$cut" "$N" 'gen:N:7 raw shut eof'
    row "tls stack" both 1 "$cut\|reset by peer" "$N" 'check:N:7 gen:N:7 drained'
    well
}

@test "the stream ends within a record" {
    row "tls stack" in 1 "$cut" "$N" 'gen:N:7 raw send:\x17\x03\x03\x40\0abc shut eof'
    row "tls stack" in 1 "$cut" "$N" 'gen:N:7 raw send:\x17 shut eof'
    well
}

@test "garbage within the stream" {
    row "tls stack" in 1 openssl "$N" 'gen:N:7 raw send:\x17\x03\x03\0\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    row "tls stack" in 1 openssl "$N" 'gen:N:7 raw send:GET\x20/\r\n\r\n'
    row "tls stack" in 1 openssl "$N" 'gen:N:7 raw send:\x17\x03\x03\xff\xff'
    well
}

@test "close_notify, then more" {
    row "tls stack" in 0 '' "$N" 'gen:N:7 notify raw send:more'
    well
}

@test "close_notify while we still send: we go on" {
    row "tls" both 0 '' "$N" 'gen:N:7 notify check:N:7 eof'
    well
}

@test "the peer changes keys all the time" {
    row "tls stack" in 0 '' "$N" 'keyupdate:20 gen:N:7 shut eof'
    row "tls" in 0 '' 3000 'drip keyupdate:5 gen:3000:7 shut eof'
    well
}

@test "an alert instead of an end" {
    row "tls stack" in 1 openssl "$N" 'gen:N:7 raw send:\x15\x03\x03\0\x02\x02\x28 shut eof'
    well
}
