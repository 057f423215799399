#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A WebSocket server of another hand that does what one should not rely on.

    ws_peer.py <directory>     prints "port <n>"; each client asks for "/<name>/<step>+<step>...", and what there is
                               to tell of it goes to <directory>/<name>.told

Steps, behind the handshake:
    hasty     answers Close at once, and goes
    goes      says Close and goes, without waiting for an answer
    mute      takes everything and answers nothing, pings neither
    request   tells what the client has asked for
    recv      tells what comes, a line for each frame: its first byte, and the payload, up to Close
    say=<text> (a text message), close=<code>
    large=<n> a message of so many bytes; as the first step it comes with the handshake's answer
"""
import base64, hashlib, os, socket, struct, sys, threading


class Wire:
    def __init__(self, sock):
        self.sock, self.ahead, self.owed = sock, b"", b""

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
        assert length & 0x80, "a client has to mask"
        length &= 0x7F
        if length > 125:
            length = int.from_bytes(self.need(2 if length == 126 else 8), "big")
        mask = self.need(4)
        return first, bytes(c ^ mask[i & 3] for i, c in enumerate(self.need(length)))

    def put(self, first, payload):
        n = len(payload)
        length = bytes([n]) if n < 126 else b"\x7e" + struct.pack(">H", n) if n < 65536 else b"\x7f" + struct.pack(">Q", n)
        self.sock.sendall(self.owed + bytes([first]) + length + payload)
        self.owed = b""


def do(wire, step, tell):
    what, _, value = step.partition("=")
    if what == "request":
        tell(wire.request.replace("\r", ""))
    elif what == "say":
        wire.put(0x81, value.encode())
    elif what == "large":
        wire.put(0x82, bytes(int(value)))
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
                tell("%02x %s" % (first, payload.hex() if first & 8 else payload.decode()))
        if what == "hasty":
            wire.put(0x88, payload)


def serve(sock):
    wire = Wire(sock)
    try:
        wire.request = wire.head()
        _, name, steps = wire.request.split(" ")[1].partition("?")[0].split("/")
        key = [field[19:] for field in wire.request.split("\r\n") if field.lower().startswith("sec-websocket-key: ")][0]
        magic = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        wire.owed = (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                     base64.b64encode(magic) + b"\r\n\r\n")
        if not steps.startswith("large"):
            sock.sendall(wire.owed)
            wire.owed = b""
        with open(os.path.join(sys.argv[1], name + ".told"), "w") as told:
            for step in steps.split("+"):
                do(wire, step, lambda line: print(line, file=told, flush=True))
    except (EOFError, ConnectionError):
        pass
    sock.close()


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
