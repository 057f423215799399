#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""python3-autobahn as the peer, which checks strictly: cases in the manner of its test suite, by number.

    ws_autobahn.py connect <port>        as the client of an echo
    ws_autobahn.py serve <command>...    as the server; the command is a client with an echo, and gets "ws:<host>:<port>"
                                         in the place of WS

Prints what each case came to, and ends with 1 if one went wrong."""
import asyncio, sys
from autobahn.asyncio.websocket import (WebSocketClientFactory, WebSocketClientProtocol, WebSocketServerFactory,
                                        WebSocketServerProtocol)
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept, PerMessageDeflateResponse, \
    PerMessageDeflateResponseAccept

# What is sent, frame by frame: kind, payload, fin, reserved bits; and what has to come: the echo of bytes, and the
# code of the Close (None: still open, so we say Close 1000).
B, T, C, CLOSE, PING, PONG = 2, 1, 0, 8, 9, 10
CASES = {
    "1.1 text of many sizes": ([(T, b"*" * n, True, 0) for n in (0, 125, 126, 127, 128, 65535, 65536)], None),
    "1.2 bytes of many sizes": ([(B, b"\xfe" * n, True, 0) for n in (0, 125, 126, 127, 128, 65535, 65536)], None),
    "2.1 pings": ([(PING, p, True, 0) for p in (b"", b"x", b"\0\xff\xfe", b"\xfe" * 125)], None),
    "2.5 a ping that is too large": ([(PING, b"\xfe" * 126, True, 0)], 1002),
    "2.7 pongs nobody asked for": ([(PONG, b"", True, 0), (PONG, b"x", True, 0), (T, b"a", True, 0)], None),
    "3.2 a reserved bit": ([(T, b"a", True, 0), (T, b"b", True, 1)], 1002),
    "3.5 reserved bits in a ping": ([(PING, b"a", True, 5)], 1002),
    "4.1 kinds that are none": ([(3, b"", True, 0)], 1002),
    "4.2 kinds of control that are none": ([(11, b"x", True, 0)], 1002),
    "5.1 a ping in fragments": ([(PING, b"a", False, 0), (C, b"b", True, 0)], 1002),
    "5.3 text in fragments": ([(T, b"frag", False, 0), (C, b"ment", True, 0)], None),
    "5.6 a ping between fragments": ([(T, b"f", False, 0), (PING, b"p", True, 0), (C, b"g", True, 0)], None),
    "5.9 what goes on, but has not begun": ([(C, b"x", True, 0)], 1002),
    "5.15 what begins again": ([(T, b"a", False, 0), (C, b"b", True, 0), (C, b"c", False, 0)], 1002),
    "5.18 text within text": ([(T, b"a", False, 0), (T, b"b", True, 0)], 1002),
    "6.2 UTF-8 in fragments": ([(T, bytes([c]), False, 0) for c in "κόσμε".encode()[:1]] +
                               [(C, bytes([c]), False, 0) for c in "κόσμε".encode()[1:]] + [(C, b"", True, 0)], None),
    "6.3 no UTF-8": ([(T, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited", True, 0)], 1007),
    "6.4 no UTF-8, seen early": ([(T, b"\xce\xba", False, 0), (C, b"\xf4\x90\x80\x80", False, 0)], 1007),
    "7.1 nothing counts behind Close": ([(CLOSE, b"\x03\xe8", True, 0), (T, b"a", True, 0)], 1000),
    "7.3 Close without a code": ([(CLOSE, b"", True, 0)], 1005),
    "7.3.2 half a code": ([(CLOSE, b"a", True, 0)], 1002),
    "7.3.5 a reason of 123 bytes": ([(CLOSE, b"\x03\xe8" + b"*" * 123, True, 0)], 1000),
    "7.3.6 a reason of 124 bytes": ([(CLOSE, b"\x03\xe8" + b"*" * 124, True, 0)], 1002),
    "7.5 a reason that is no UTF-8": ([(CLOSE, b"\x03\xe8\xed\xa0\x80", True, 0)], 1007),
    "9.1 4 MiB at once": ([(B, b"\x2a" * (4 << 20), True, 0)], None),
    "9.3 4 MiB in fragments": ([(B, b"\x2a" * 65536, False, 0)] + [(C, b"\x2a" * 65536, i == 62, 0) for i in range(63)],
                               None),
}
for code in 1000, 1001, 3000, 3999, 4000, 4999:
    CASES["7.7 Close %d" % code] = ([(CLOSE, code.to_bytes(2, "big"), True, 0)], code)
for code in 0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535:
    CASES["7.9 Close %d" % code] = ([(CLOSE, code.to_bytes(2, "big"), True, 0)], 1002)

DEFLATE = "12.1 compressed messages"


class Case:
    def onOpen(self):
        self.got, self.pongs, self.codes = b"", [], []
        if self.factory.name == DEFLATE:
            assert self.websocket_extensions_in_use, "nothing was agreed upon"
            self.want = b"".join(b"%d compressed " % i * 50 * i for i in range(40))
            for i in range(40):
                self.sendMessage(b"%d compressed " % i * 50 * i, isBinary=True)
            self.wanted_pongs, self.code = [], None
            return
        frames, self.code = self.factory.case
        data = [f for f in frames if f[0] < 8]
        # of a message with a mistake in it what came before may have been passed on
        self.want = b"".join(f[1] for f in data) if self.code is None else None
        self.wanted_pongs = [f[1] for f in frames if f[0] == PING] if self.code is None else []
        for kind, payload, fin, rsv in frames:
            self.sendFrame(opcode=kind, payload=payload, fin=fin, rsv=rsv)
        self.look()

    def look(self):
        if self.code is None and self.got == self.want and self.pongs[-1:] == self.wanted_pongs[-1:]:
            self.sendClose(1000)

    def onMessage(self, payload, isBinary):
        self.got += payload
        self.look()

    def onPong(self, payload):
        self.pongs.append(payload)
        self.look()

    def onCloseFrame(self, code, reasonRaw):
        self.codes.append(1005 if code is None else code)
        return super().onCloseFrame(code, reasonRaw)

    def onClose(self, wasClean, code, reason):
        want = 1000 if self.code is None else self.code
        good = self.codes[:1] == [want] and (self.want is None or self.got == self.want)
        if not self.factory.told.done():
            self.factory.told.set_result("well" if good else "WRONG: %s, %d bytes" % (self.codes, len(self.got)))


class ClientCase(Case, WebSocketClientProtocol):
    pass


class ServerCase(Case, WebSocketServerProtocol):
    pass


def prepare(factory, protocol, name):
    factory.protocol = protocol
    factory.name, factory.case, factory.told = name, CASES.get(name), asyncio.get_running_loop().create_future()
    factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=5)


async def against_server(name, port):
    factory = WebSocketClientFactory("ws://127.0.0.1:%s/" % port)
    prepare(factory, ClientCase, name)
    if name == DEFLATE:
        factory.setProtocolOptions(perMessageCompressionOffers=[PerMessageDeflateOffer()],
                                   perMessageCompressionAccept=lambda r: PerMessageDeflateResponseAccept(r))
    await asyncio.get_running_loop().create_connection(factory, "127.0.0.1", int(port))
    return await asyncio.wait_for(factory.told, 20)


async def against_client(name, command):
    factory = WebSocketServerFactory()
    prepare(factory, ServerCase, name)
    factory.setProtocolOptions(perMessageCompressionAccept=lambda offers: next(
        (PerMessageDeflateOfferAccept(o) for o in offers if isinstance(o, PerMessageDeflateOffer)), None)
        if name == DEFLATE else None)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    where = "ws:127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    client = await asyncio.create_subprocess_exec(*[word.replace("WS", where) for word in command],
                                                  stderr=asyncio.subprocess.DEVNULL)
    try:
        return await asyncio.wait_for(factory.told, 20)
    finally:
        server.close()
        await asyncio.wait_for(client.wait(), 20)


async def all_cases(against, peer):
    bad = 0
    for name in list(CASES) + [DEFLATE]:
        try:
            word = await against(name, peer)
        except asyncio.TimeoutError:
            word = "WRONG: no end"
        bad += word != "well"
        print(name, word, flush=True)
    return bad > 0


sys.exit(asyncio.run(all_cases(against_client, sys.argv[2:]) if sys.argv[1] == "serve"
                     else all_cases(against_server, sys.argv[2])))
