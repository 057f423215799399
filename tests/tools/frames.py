#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The other ends of a line that puts packets into frames, by another hand than the program's.

frames.py try <catena> <format>   for each line of standard input, arguments of the program: starts it between a UDP
                                  client and a TCP server that are both here. UDP, PEER and FRAMES in them stand for
                                  where these are, and for the format. Whatever packets the client sends have to come
                                  back as they were, from a server that reads and writes frames
frames.py burst <ip> <port> <count>   so many over UDP with numbers and sums, a few at a time; wants each back
frames.py echo <ip> <port>        an echo for that; prints "ready" first
"""
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

# ---- formats: encode a record; decode what has come, to records and what is left ----


def fcs_table():
    table = []
    for b in range(256):
        v = b
        for _ in range(8):
            v = v >> 1 ^ 0x8408 if v & 1 else v >> 1
        table.append(v)
    return table


TABLE = fcs_table()


def fcs16(data):
    fcs = 0xFFFF
    for b in data:
        fcs = fcs >> 8 ^ TABLE[(fcs ^ b) & 0xFF]
    return fcs


def cobs_encode(record):
    out, group = bytearray(), bytearray()
    full = False
    for b in record + b"\0":
        full = False
        if b:
            group.append(b)
            if len(group) == 254:
                out += b"\xff" + group
                group.clear()
                full = True
        else:
            out += bytes([len(group) + 1]) + group
            group.clear()
    return bytes(out) + b"\0"


def cobs_decode(frame):
    out, i = bytearray(), 0
    while i < len(frame):
        code = frame[i]
        out += frame[i + 1:i + code]
        i += code
        if code < 255 and i < len(frame):
            out.append(0)
    return bytes(out)


def hdlc_encode(record):
    fcs = fcs16(record) ^ 0xFFFF
    body = record + struct.pack("<H", fcs)
    return b"~" + b"".join(bytes([0x7D, b ^ 0x20]) if b < 32 or b in (0x7D, 0x7E) else bytes([b]) for b in body) + b"~"


def unstuff(frame, mark, codes):
    out, i = bytearray(), 0
    while i < len(frame):
        if frame[i] == mark:
            i += 1
            out.append(codes(frame[i]))
        else:
            out.append(frame[i])
        i += 1
    return bytes(out)


def hdlc_decode(frame):
    body = unstuff(frame, 0x7D, lambda b: b ^ 0x20)
    assert fcs16(body) == 0xF0B8, "checksum"
    return body[:-2]


def slip_encode(record):
    return b"\xc0" + record.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def slip_decode(frame):
    return unstuff(frame, 0xDB, lambda b: {0xDC: 0xC0, 0xDD: 0xDB}[b])


def between(mark, decode, keeps_empty):
    def split(data):
        *frames, rest = data.split(mark)
        return [decode(f) for f in frames if f or keeps_empty], rest
    return split


def prefixed(head):
    """head(data): (length of the head, of the record, of what is behind it), or None: there is not enough"""
    def split(data):
        records = []
        while True:
            sizes = head(data)
            if sizes is None or len(data) < sum(sizes):
                return records, data
            records.append(data[sizes[0]:sizes[0] + sizes[1]])
            data = data[sum(sizes):]
    return split


def netstring_head(data):
    colon = data.find(b":")
    return None if colon < 0 else (colon + 1, int(data[:colon]), 1)


def fixed_head(form):
    size = struct.calcsize(form)
    return lambda data: None if len(data) < size else (size, struct.unpack(form, data[:size])[0], 0)


def varint(n):
    out = bytearray()
    while True:
        out.append(n & 0x7F | (0x80 if n > 0x7F else 0))
        n >>= 7
        if not n:
            return bytes(out)


def varint_head(data):
    n = 0
    for i, b in enumerate(data):
        n |= (b & 0x7F) << 7 * i
        if not b & 0x80:
            return i + 1, n, 0
    return None


FORMATS = {
    "lines": (lambda r: r + b"\n", between(b"\n", bytes, True)),
    "netstring": (lambda r: b"%d:%s," % (len(r), r), prefixed(netstring_head)),
    "length16": (lambda r: struct.pack(">H", len(r)) + r, prefixed(fixed_head(">H"))),
    "length32": (lambda r: struct.pack(">I", len(r)) + r, prefixed(fixed_head(">I"))),
    "varint": (lambda r: varint(len(r)) + r, prefixed(varint_head)),
    "slip": (slip_encode, between(b"\xc0", slip_decode, False)),
    "hdlc": (hdlc_encode, between(b"~", hdlc_decode, False)),
    "cobs": (cobs_encode, between(b"\0", cobs_decode, False)),
}

# ---- ends ----


def serve(name, listener, counts):
    """One connection: takes frames, and sends each record back in pieces."""
    encode, split = FORMATS[name]
    s, _ = listener.accept()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = b""
    while True:
        try:
            data = s.recv(65536)
        except ConnectionResetError:
            break
        if not data:
            break
        records, rest = split(rest + data)
        counts.append(len(records))
        back = b"".join(encode(r) for r in records)
        middle = random.randrange(len(back) + 1)
        s.sendall(back[:middle])
        s.sendall(back[middle:])
    assert not rest


def packet(i, most, text):
    if i % 7 == 3:
        return b""
    special = b"\xc0\xdb\xdc\xdd~}\0\xff\x11\x13,:0123456789"
    n = random.randrange(1, most) if i % 5 else random.randrange(1, 8)
    body = bytes(random.choice(special) if random.random() < 0.3 else random.randrange(256) for _ in range(n))
    return body.replace(b"\n", b"n") if text else body


def ask(port, count, most, empty, text):
    """Packets, one at a time and then many at once, that have to come back as they were."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", port))
    s.settimeout(10)
    packets = [packet(i, most, text) for i in range(count)]
    if not empty:
        packets = [p or b"x" for p in packets]
    for p in packets:
        s.send(p)
        assert s.recv(65536) == p
    for at in range(0, count, 8):
        group = packets[at:at + 8]
        for p in group:
            s.send(p)
        for p in group:
            assert s.recv(65536) == p


def is_bound(port):
    want = ":%04X" % port
    with open("/proc/net/udp") as f:
        return any(line.split()[1].endswith(want) for line in list(f)[1:])


def try_row(catena, name, row):
    listener = socket.create_server(("127.0.0.1", 0))
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    line = row.replace("UDP", "udp-listen:%d,null-eof=0" % port).replace("FRAMES", name)
    line = line.replace("PEER", "tcp:127.0.0.1:%d" % listener.getsockname()[1])
    counts = []
    peer = threading.Thread(target=serve, args=(name, listener, counts), daemon=True)
    peer.start()
    relay = subprocess.Popen([catena] + line.split(), stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 10
        while not is_bound(port):
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.01)
        ask(port, 24, 3000, name != "slip", name == "lines")
    finally:
        os.killpg(relay.pid, signal.SIGTERM)
        try:
            relay.wait(1)
        except subprocess.TimeoutExpired: # with threads a first signal ends the accepting alone
            os.killpg(relay.pid, signal.SIGTERM)
            relay.wait(10)
    peer.join(10)
    assert sum(counts) == 48, counts


def try_all(catena, name):
    for row in sys.stdin:
        if row.strip():
            print(row.strip(), flush=True)
            try_row(catena, name, row.strip())


def burst(ip, port, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((ip, port))
    s.settimeout(10)
    random.seed(1)
    due = 0
    for i in range(count):
        body = struct.pack(">I", i) + random.randbytes(random.randrange(1300))
        s.send(body + struct.pack(">I", zlib.crc32(body)))
        if i - due < 31 and i < count - 1:
            continue
        while due <= i:
            got = s.recv(65536)
            assert struct.unpack(">I", got[:4])[0] == due, "packet lost"
            assert zlib.crc32(got[:-4]) == struct.unpack(">I", got[-4:])[0], "packet changed"
            due += 1
    print("well")


def echo(ip, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, port))
    print("ready", flush=True)
    while True:
        data, who = s.recvfrom(65536)
        s.sendto(data, who)


def main(what, *args):
    if what == "try":
        try_all(*args)
    elif what == "burst":
        burst(args[0], int(args[1]), int(args[2]))
    else:
        echo(args[0], int(args[1]))


main(*sys.argv[1:])
