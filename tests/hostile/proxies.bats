#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# HTTP proxies and socks servers that answer with anything but what they should: an error line each,
# no byte of the answer taken for data, bounded time and memory; and unusual answers that are good.
load ../faults/matrix

refused() { row "$1" both 1 "$2" 0 "$3"; } # <link> <pattern> <steps>: and not a byte delivered
granted() { row "$1" in 0 '' 1000 "$2 gen:1000:7 shut eof"; }

http() { # <pattern> <reply...>
    local pattern=$1 reply
    shift
    for reply; do refused @proxy "[Pp]roxy.*$pattern" "line line send:$reply shut eof"; done
}

@test "proxy: what is no HTTP reply" {
    http 'not HTTP/1' 'ICY\x20200\x20OK\r\n\r\n' 'HTTP/2\x20200\r\n\r\n' 'http/1.0\x20200\r\n\r\n' \
        'HTTP/1.0200\r\n\r\n' 'HTTP/1.\x20200\r\n\r\n' 'HTTP/1.0\x202000\r\n\r\n' '\r\n\r\n' \
        'HTTP/1.0\x2020\r\n\r\n' 'HTTP/1.0\x20-200\r\n\r\n' 'HTTP/1.0\x20+20\r\n\r\n' \
        'HTTP/1.0\x20200x\r\n\r\n' 'HTTP/1.10\x20200\r\n\r\n' 'SSH-2.0-x\r\n\r\n' \
        '\x20HTTP/1.0\x20200\r\n\r\n' 'HTTP/1.0\t200\r\n\r\n' '\x16\x03\x01\x02\x01\n\n' \
        'HTTP/1.0\x20\x200\r\n\r\n' '<html>\r\n\r\n' '%s%n%s%n%s%n%s%n\r\n\r\n'
    well
}

@test "proxy: NUL bytes" {
    http 'NUL' '\0\r\n\r\n' 'HTTP/1.0\x20200\0\r\n\r\n' 'HTTP/1.0\0200\x20x\r\n\r\n' \
        'HTTP/1.0\x20200\x20yes\r\nA:\x20\0b\r\n\r\n' 'HTTP/1.0\x20200\x20yes\r\n\0\r\n'
    well
}

@test "proxy: refusals, and their text" {
    http 'refused.*www.example:80.*403 Forbidden' 'HTTP/1.1\x20403\x20Forbidden\r\n\r\n'
    http 'refused.*407.*give proxy-authorization' 'HTTP/1.1\x20407\x20Auth\r\nX:\x20y\r\n\r\nbody'
    http 'refused.*301' 'HTTP/1.1\x20301\x20Moved\r\nLocation:\x20http://127.0.0.1/\r\n\r\n'
    http 'closed the connection' 'HTTP/1.1\x20100\x20Continue\r\n\r\n'
    http 'refused.*000' 'HTTP/1.1\x20000\x20\r\n\r\n'
    http 'refused.*999' 'HTTP/1.1\x20999\x20\r\n\r\n'
    well
}

@test "proxy: endless answers" {
    refused @proxy '[Pp]roxy.*line of more than' 'line line flood:x'
    refused @proxy '[Pp]roxy.*line of more than' 'line line send:HTTP/1.0\x20200\x20 flood:yes'
    refused @proxy '[Pp]roxy.*header.*more than' 'line line send:HTTP/1.0\x20200\x20yes\r\n flood:A:\x20b\r\n'
    refused @proxy '[Pp]roxy.*line of more than' 'line line send:HTTP/1.0\x20200\x20yes\r\nA:\x20 flood:bbbb'
    refused @proxy '[Pp]roxy' 'line line flood:\0'
    refused @proxy '[Pp]roxy' 'line line flood:\r'
    refused @proxy '[Pp]roxy' 'line line flood:\n'
    refused @proxy '[Pp]roxy' 'flood:\xff\xfe%n%s\x1b['
    well
}

@test "proxy: a good answer and what is right behind it" {
    granted @proxy 'line line send:HTTP/1.1\x20200\x20yes\r\n\r\n'
    granted @proxy 'line line send:HTTP/1.0\x20200\r\n\r\n'
    granted @proxy 'line line send:HTTP/1.0\x20299\x20x\n\n'
    granted @proxy 'line line send:HTTP/1.0\x20200\x20yes\r\nContent-Length:\x2010\r\n\r\n'
    granted @proxy 'line line send:HTTP/1.0\x20200\x20yes\r\nTransfer-Encoding:\x20chunked\r\n\r\n'
    granted @proxy 'line line send:HTTP/1.0\x20200\x20yes\r\nA:\x20b\r\n\x20folded\r\nno-colon\r\n\r\n'
    granted @proxy 'line line drip send:HTTP/1.0\x20200\x20yes\r\nA:\x20b\r\n\r\n'
    granted @proxy 'send:HTTP/1.0\x20200\x20yes\r\n\r\n line line'
    well
}

@test "socks4: answers of another kind" {
    for reply in '\x04\x5a' '\x05\x5a' '\x5a\0' '\xff\x5a' 'HTTP/1.0'; do
        refused @socks4a 'SOCKS4.*instead of 0' "recv:22 send:$reply\\0\\0\\0\\0\\0\\0\\0\\0secret shut eof"
    done
    for status in 00 01 59 5b 5c 5d 5e ff; do
        refused @socks4a 'SOCKS4.*refused www.example:80' "recv:22 send:\\0\\x$status\\0\\0\\0\\0\\0\\0behind shut eof"
    done
    refused @socks4a 'SOCKS4' 'recv:22 flood:\xff'
    granted @socks4a 'recv:22 send:\0\x5a\xff\xff\xff\xff\xff\xff'
    granted @socks4a 'recv:22 drip send:\0\x5a\0\0\0\0\0\0'
    granted @socks4a 'send:\0\x5a\0\0\0\0\0\0 recv:22'
    well
}

@test "socks5: greetings of another kind" {
    for reply in '\0\0' '\x04\0' '\xff\xff' 'HT' '\x05\x01' '\x05\x02' '\x05\x03' '\x05\x80' '\x05\xff'; do
        refused @socks5 'SOCKS5' "recv:3 send:$reply shut eof"
    done
    refused @socks5 'SOCKS5.*version' 'recv:3 flood:\x01'
    refused @socks5 'SOCKS5' 'flood:\x05'
    refused @socks5 'SOCKS5' 'recv:3 flood:\x05\x05'
    well
}

greeted='recv:3 send:\x05\0 recv:18'

@test "socks5: replies of another kind" {
    for reply in '\x04\0\0\x01' '\0\0\0\x01' '\xff\0\0\x01' 'HTTP'; do
        refused @socks5 'SOCKS5.*version' "$greeted send:$reply\\0\\0\\0\\0\\0\\0 shut eof"
    done
    for status in 01 02 03 04 05 06 07 08 09 7f ff; do
        refused @socks5 'SOCKS5.*refused www.example:80' "$greeted send:\\x05\\x$status\\0\\x01\\0\\0\\0\\0\\0\\0 shut eof"
        refused @socks5 'SOCKS5.*refused www.example:80' "$greeted send:\\x05\\x$status shut eof"
    done
    for type in 00 02 05 7f ff; do
        refused @socks5 'SOCKS5.*unknown type' "$greeted send:\\x05\\0\\0\\x$type\\0\\0\\0\\0\\0\\0 shut eof"
    done
    refused @socks5 'SOCKS5' "$greeted flood:\\x05"
    refused @socks5 'SOCKS5' "$greeted flood:\\xff"
    well
}

@test "socks5: addresses of any length and content are passed over" {
    name() { # <length> <what>
        local text
        printf -v text '%*s' "$1" ''
        printf '\\x05\\0\\0\\x03\\x%02x%s\\0\\x50' "$1" "${text// /$2}"
    }
    for length in 0 1 2 4 16 63 64 127 128 254 255; do
        granted @socks5 "$greeted send:$(name "$length" x)"
        granted @socks5 "$greeted send:$(name "$length" '\0')"
    done
    granted @socks5 "$greeted drip send:$(name 255 '\x1b')"
    granted @socks5 "$greeted send:\\x05\\0\\xff\\x01\\xff\\xff\\xff\\xff\\xff\\xff"
    granted @socks5 "$greeted send:\\x05\\0\\0\\x04$(printf '\\xfe%.0s' {1..16})\\0\\x50"
    granted @socks5 "drip $greeted send:\\x05\\0\\0\\x04$(printf '\\0%.0s' {1..16})\\0\\x50"
    well
}

# bats test_tags=thread
@test "socks5: logins" {
    local to=socks5:www.example:80,socksuser=joe,sockspass=secret
    address[login]="$to|tcp:127.0.0.1:PORT"
    for reply in '\x05\x02 recv:12 send:\x01\x01' '\x05\x02 recv:12 send:\x02\0' '\x05\x02 recv:12 send:\xff\xff' \
        '\x05\x02 recv:12' '\x05\x02 recv:12 send:\x01' '\x05\x01' '\x05\x03' '\x05\xff'; do
        refused @login SOCKS5 "recv:4 send:$reply shut eof"
    done
    granted @login 'recv:4 send:\x05\x02 recv:12 send:\x01\0 recv:18 send:\x05\0\0\x01\0\0\0\0\0\0'
    granted @login 'recv:4 send:\x05\0 recv:18 send:\x05\0\0\x01\0\0\0\0\0\0'
    # The password is nobody's business.
    same '' "$(grep -r secret "$T" --include='log' --include='*.err')"
    well
}

# bats test_tags=thread
@test "what comes early is data, through every dialog, and memory stays small" {
    local flood="flood:$(printf 'y%.0s' {1..64})"
    for link in "@proxy line line send:HTTP/1.0\\x20200\\x20y\\r\\n\\r\\n" \
        "@socks5 recv:3 send:\\x05\\0\\x05\\0\\0\\x01\\0\\0\\0\\0\\0\\0"; do
        cells=$((cells + 1)) last="$link"
        # shellcheck disable=SC2086
        start_peer peer ${link#* } "$flood"
        link=${link%% *}
        start run "$CATENA_BIN" -u "${address[${link#@}]//PORT/$port}" create:out </dev/null
        wait_for 10 big_enough
        [ -n "${CATENA_SANITIZE:-}" ] || [ "$(peak_kib "$(<run.pid)")" -lt 30000 ]
        kill "$(<run.pid)" && finish run 143
        kill "$(<peer.pid)" || :
        rm out
    done
    well
}
big_enough() { [ "$(stat -c %s out)" -gt 40000000 ]; }
