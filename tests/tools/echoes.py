#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""So many connections at once to an echo: each sends so many bytes, and wants them back. The first of them reads nothing
before all the others are done. Prints how many are well.

    echoes.py <port> <count> <bytes>"""
import selectors
import socket
import sys

port, count, size = (int(a) for a in sys.argv[1:])
blocks = [bytes([i % 251]) * 65536 for i in range(count)]
choose = selectors.DefaultSelector()


class One:
    def __init__(self, i):
        self.i, self.sent, self.got, self.well = i, 0, 0, True
        self.reads = i > 0
        self.s = socket.create_connection(("127.0.0.1", port))
        self.s.setblocking(False)
        self.mask = 0

    def wants(self):
        mask = (selectors.EVENT_WRITE if self.sent < size else 0) | (selectors.EVENT_READ if self.reads else 0)
        if mask == self.mask:
            return
        if not self.mask:
            choose.register(self.s, mask, self)
        elif not mask:
            choose.unregister(self.s)
        else:
            choose.modify(self.s, mask, self)
        self.mask = mask

    def move(self, mask):
        if mask & selectors.EVENT_WRITE:
            self.sent += self.s.send(blocks[self.i][: min(65536, size - self.sent)])
        if mask & selectors.EVENT_READ:
            data = self.s.recv(65536)
            self.well &= data == blocks[self.i][: len(data)] and data != b""
            self.got += len(data)
        over = not self.well or self.got >= size
        if over:
            self.reads, self.sent = False, size
        return over


ones = [One(i) for i in range(count)]
for one in ones:
    one.wants()
left = count
while left > 0:
    for key, mask in choose.select(20):
        left -= key.data.move(mask)
        key.data.wants()
    if left == 1 and not ones[0].reads:
        print("all but one: %d of %d" % (sum(o.well for o in ones[1:]), count - 1), flush=True)
        ones[0].reads = True
        ones[0].wants()
print("%d of %d" % (sum(o.well and o.got == size for o in ones), count))
