#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of dialogs and handshakes: a peer that ends, resets or stalls at each of their
# steps. The error names the link, and nothing is delivered.
load matrix

# steps <link> <name in the error line> <prefixes of the greeting...>
steps() {
    local link=$1 name="$2\\|tcp" prefix # what breaks before the first byte is the connection
    shift 2
    for prefix; do
        row "@$link" both 1 "$name" - "$prefix shut eof"
        row "@$link" both 1 "$name" - "$prefix reset"
        row "@$link" both 1 "$name" - "$prefix drip send:\\xff\\0\\r\\n\\r\\n\\0\\0\\0\\0\\0\\0"
    done
    well
}

@test "proxy" {
    steps proxy '[Pp]roxy' '' 'line' 'line line' 'line line send:HT' \
        'line line send:HTTP/1.0\x202' 'line line send:HTTP/1.0\x20500\x20x\r\n'
    row @proxy both 1 'dialog.*closed' - 'line line send:HTTP/1.0\x20200\x20x\r\nA:\x20b\r\n shut eof'
    well
}

@test "socks4a" {
    steps socks4a SOCKS4 '' recv:22 'recv:22 send:\0\x5b\0\0\0\0\0' 'recv:22 send:\0\x5b'
}

@test "socks5" {
    steps socks5 SOCKS5 '' recv:3 'recv:3 send:\x05' 'recv:3 send:\x05\0' \
        'recv:3 send:\x05\0 recv:18 send:\x05' 'recv:3 send:\x05\0 recv:18 send:\x05\x01\0\x01\0'
    # What is missing of a reply that says yes.
    for reply in '\x05\0' '\x05\0\0' '\x05\0\0\x01\0\0\0\0\0' '\x05\0\0\x03' '\x05\0\0\x03\x04abc' \
        '\x05\0\0\x03\x01a\0' '\x05\0\0\x04\0\0\0\0'; do
        row @socks5 both 1 'SOCKS5.*closed' - "recv:3 send:\\x05\\0 recv:18 send:$reply shut eof"
    done
    well
}

@test "TLS" {
    steps tls openssl '' recv:5 'recv:5 send:\x16\x03\x03\0\x10\x02' 'recv:100 send:\x15\x03\x03\0\x02\x02\x28' \
        'send:\x16\x03\x03\xff\xff'
}

# bats test_tags=thread
@test "TLS through a proxy between programs" {
    steps stack 'openssl\|[Pp]roxy' '' 'line line' \
        'line line send:HTTP/1.0\x20200\x20yes\r\n\r\n' \
        'line line send:HTTP/1.0\x20200\x20yes\r\n\r\n recv:5 send:\x16\x03\x03\0\x10\x02'
}

