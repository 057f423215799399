#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The fault matrix of connections: peers that reset, vanish, stall, shut down in either order, dribble.
# bats file_tags=thread
load matrix

sockets='tcp nop unfused proxy socks4a socks5 programs' # those with a reset of their own

@test "the peer sends, then resets: all it sent arrives" {
    row "$sockets" in 1 'reset by peer' "$N" 'gen:N:7 drained reset'
    row "tls stack" in 1 'reset by peer\|without close_notify' "$N" 'gen:N:7 drained reset'
    well
}

@test "the peer sends and closes: the end of the stream" {
    row "$plain" in 0 '' "$N" 'gen:N:7'
    well
}

@test "the peer sends and half-closes" {
    row "$every" in 0 '' "$N" 'gen:N:7 shut eof'
    well
}

@test "the peer sends byte by byte" {
    row "$every" in 0 '' 3000 'drip gen:3000:7 shut eof'
    well
}

@test "the peer closes at once" {
    row "$plain" in 0 '' 0 ''
    row "$every" in 0 '' 0 'shut eof'
    well
}

@test "the peer resets at once" {
    row "$sockets" both 1 'reset by peer\|broken pipe' 0 'recv:1 reset'
    row "tls stack" both 1 'reset by peer\|broken pipe\|without close_notify' 0 'recv:1 reset'
    well
}

@test "the peer sends, then stalls: -T ends it, all it sent arrives" {
    row "$every" in 0 '' "$N" 'gen:N:7 until:never' -T 0.3
    well
}

@test "the peer reads some and resets" {
    row "$sockets" big 1 'reset by peer\|broken pipe' - 'check:1000:7 reset'
    row "unix" big 1 'reset by peer\|broken pipe' - 'check:1000:7'
    row "tls stack" big 1 'reset by peer\|broken pipe\|without close_notify' - 'check:1000:7 reset'
    well
}

@test "the peer reads all, and half-closes first" {
    row "$every" both 0 '' "$N" 'gen:N:7 shut check:N:7 eof say:well'
    well
}

@test "the peer half-closes second" {
    row "$every" both 0 '' "$N" 'check:N:7 eof gen:N:7 shut say:well'
    well
}

@test "both at once" {
    row "$plain" both 0 '' "$N" 'duplex:200000:7:200000:7'
    well
}

@test "the peer reads nothing: -T ends it, and bytes that were taken are not lost in silence" {
    row "$every" big 1 'could not be delivered' - 'until:never' -T 0.3
    well
}
