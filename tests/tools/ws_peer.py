#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A WebSocket peer of another hand that does what one should not rely on.

    ws_peer.py serve <what>            prints "port <n>"; one client
    ws_peer.py connect <port> <what>

<what> follows the handshake, steps with blanks between them:
    hasty     answers Close at once, and goes
    goes      says Close and goes, without waiting for an answer
    mute      takes everything and answers nothing, pings neither
    request   what the client has asked for, to standard output
    send:<hex>, say:<text> (a text message), close:<code>
    recv      prints what comes, a line for each frame: its first byte, and the payload, up to Close
"""
import base64, hashlib, os, socket, struct, sys, time


class Wire:
    def __init__(self, sock, masks):
        self.sock, self.masks, self.ahead = sock, masks, b""

    def need(self, n):
        while len(self.ahead) < n:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.ahead += more
        taken, self.ahead = self.ahead[:n], self.ahead[n:]
        return taken

    def head(self):
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            text += self.need(1)
        return text.decode()

    def frame(self):
        first, length = self.need(2)
        masked, length = length & 0x80, length & 0x7F
        if length > 125:
            length = int.from_bytes(self.need(2 if length == 126 else 8), "big")
        mask = self.need(4) if masked else bytes(4)
        return first, bytes(c ^ mask[i & 3] for i, c in enumerate(self.need(length)))

    def put(self, first, payload):
        n = len(payload)
        length = bytes([n]) if n < 126 else b"\x7e" + struct.pack(">H", n)
        mask = os.urandom(4) if self.masks else b""
        head = bytes([first, length[0] | (0x80 if self.masks else 0)]) + length[1:] + mask
        self.sock.sendall(head + bytes(c ^ (mask[i & 3] if mask else 0) for i, c in enumerate(payload)))


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def serve():
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    wire = Wire(listener.accept()[0], False)
    wire.request = wire.head()
    key = [line.split(": ")[1] for line in wire.request.split("\r\n") if line.lower().startswith("sec-websocket-key")][0]
    wire.sock.sendall(("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(key)).encode())
    return wire


def connect(port):
    wire = Wire(socket.create_connection(("127.0.0.1", int(port))), True)
    wire.sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in wire.head()
    return wire


def do(wire, step):
    what, _, value = step.partition(":")
    if what == "request":
        print(wire.request.replace("\r", ""), flush=True)
    elif what == "send":
        wire.sock.sendall(bytes.fromhex(value))
    elif what == "say":
        wire.put(0x81, value.encode())
    elif what == "close":
        wire.put(0x88, struct.pack(">H", int(value)))
    elif what == "goes":
        wire.put(0x88, b"\x03\xe8")
        wire.sock.shutdown(socket.SHUT_RDWR)
    elif what == "mute":
        while wire.sock.recv(65536):
            pass
    elif what in ("recv", "hasty"):
        first = 0
        while first != 0x88:
            first, payload = wire.frame()
            if what == "recv":
                print("%02x" % first, payload.hex() if first & 8 else payload.decode(), flush=True)
        if what == "hasty":
            wire.put(0x88, payload)


wire, steps = (serve(), sys.argv[2]) if sys.argv[1] == "serve" else (connect(sys.argv[2]), sys.argv[3])
try:
    for step in steps.split():
        do(wire, step)
except (EOFError, ConnectionError):
    pass
