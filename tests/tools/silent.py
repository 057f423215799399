#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom one waits for in vain, for tests, in the current directory: a TCP port that never says anything and one whose
backlog is full, a UDP port and a UNIX socket alike, locked files. Prints the numbers, and stays."""
import fcntl
import os
import signal
import socket


def full(family, name):
    s = socket.socket(family)
    s.bind(name)
    s.listen(0)
    fill = [socket.socket(family) for _ in range(4)]
    for f in fill:
        f.setblocking(False)
        f.connect_ex(s.getsockname())
    return [s] + fill


silent = socket.create_server(("127.0.0.1", 0), backlog=512)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
busy = full(socket.AF_INET, ("127.0.0.1", 0)) + full(socket.AF_UNIX, "full.sock")
record, whole = open("record", "w"), open("whole", "w")
fcntl.lockf(record, fcntl.LOCK_EX)
fcntl.flock(whole, fcntl.LOCK_EX)
print("silent=%d full=%d udp=%d" % (silent.getsockname()[1], busy[0].getsockname()[1], udp.getsockname()[1]), flush=True)
signal.pause()
