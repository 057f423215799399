#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a pcapng file of ours, strictly, and says what is in it.

    pcapng.py FILE                one line each: interfaces, secrets, connections
    pcapng.py FILE data IF END    the bytes that END (client or server) sent, over all connections of IF
    pcapng.py FILE packets        one line a packet

A connection is told by its addresses, ports and interface; its numbers have to fit, its checksums, too.
"""
import ipaddress
import struct
import sys

SHB, IDB, EPB, DSB = 0x0A0D0D0A, 1, 6, 10
TCP, UDP, FRAGMENT = 6, 17, 44


class Wrong(Exception):
    pass


def need(what, text):
    if not what:
        raise Wrong(text)


def options(body):
    found = {}
    while body:
        code, n = struct.unpack_from("=HH", body)
        need(4 + n <= len(body), "option too long")
        if code == 0:
            return found
        found.setdefault(code, []).append(body[4:4 + n])
        body = body[4 + (n + 3) // 4 * 4:]
    return found


def blocks(data):
    at = 0
    while at < len(data):
        need(at + 12 <= len(data), "half a block")
        kind, n = struct.unpack_from("=II", data, at)
        need(n % 4 == 0 and n >= 12 and at + n <= len(data), "block of %d bytes at %d" % (n, at))
        need(struct.unpack_from("=I", data, at + n - 4)[0] == n, "lengths of a block differ at %d" % at)
        yield kind, data[at + 8:at + n - 4]
        at += n


def check(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return s == 0xFFFF


class Reader:
    def __init__(self, data):
        self.interfaces, self.connections, self.order, self.packets = [], {}, [], []
        self.secrets, self.pieces, self.sections = [], {}, 0
        for kind, body in blocks(data):
            {SHB: self.section, IDB: self.interface, EPB: self.packet, DSB: self.secret}[kind](body)

    def section(self, body):
        need(struct.unpack_from("=IHHq", body) == (0x1A2B3C4D, 1, 0, -1), "header of the section")
        self.sections += 1
        self.base = len(self.interfaces)

    def interface(self, body):
        need(struct.unpack_from("=HHI", body) == (101, 0, 0), "interface")
        o = options(body[8:])
        need(o[9] == [b"\x09"], "time in nanoseconds")
        self.interfaces.append((o[2][0].decode(), o[1][0].decode()))

    def secret(self, body):
        kind, n = struct.unpack_from("=II", body)
        need(kind == 0x544C534B, "kind of secret")
        self.secrets.append((len(self.packets), body[8:8 + n].decode()))

    def packet(self, body):
        interface, high, low, n, whole = struct.unpack_from("=IIIII", body)
        need(n == whole, "packets are whole")
        o = options(body[20 + (n + 3) // 4 * 4:])
        self.out = struct.unpack("=I", o[2][0])[0] == 2
        self.comment = o[1][0].decode() if 1 in o else ""
        self.time = high << 32 | low
        need(self.base + interface < len(self.interfaces), "interface %d" % interface)
        self.ip(self.base + interface, body[20:20 + n])

    def ip(self, interface, p):
        if p[0] >> 4 == 4:
            need(check(p[:20]), "checksum of IP")
            n, number, cut, _, proto = struct.unpack_from("!2xHHHBB", p)
            need(n == len(p), "length of IP")
            src, dst, rest = p[12:16], p[16:20], p[20:]
            more, off = cut & 0x2000, (cut & 0x1FFF) * 8
        else:
            n, proto = struct.unpack_from("!4xHB", p)
            need(n == len(p) - 40, "length of IPv6")
            src, dst, rest, more, off, number = p[8:24], p[24:40], p[40:], 0, 0, 0
            if proto == FRAGMENT:
                proto, cut, number = struct.unpack_from("!BxHI", rest)
                rest, more, off = rest[8:], cut & 1, cut & 0xFFF8
        key = interface, src, dst, number
        if more or off:
            need(off == len(self.pieces.get(key, b"")), "a fragment is missing")
            self.pieces[key] = self.pieces.get(key, b"") + rest
            if more:
                return
            rest = self.pieces.pop(key)
        need(check(src + dst + struct.pack("!II", len(rest), proto) + rest), "checksum of protocol %d" % proto)
        {TCP: self.tcp, UDP: self.udp}[proto](interface, src, dst, rest)

    def connection(self, interface, src, dst, kind):
        ends = frozenset((src, dst))
        c = self.connections.get((interface, ends))
        if c is None or (kind == "SYN" and c["next"].get(src) is not None):
            c = {"interface": interface, "client": src, "server": dst, "data": {src: b"", dst: b""}, "next": {},
                 "comment": self.comment, "ends": [], "sizes": {src: [], dst: []}, "kind": "udp" if kind == "UDP" else "tcp",
                 "out": self.out}
            self.connections[interface, ends] = c
            self.order.append(c)
        need(self.out == (c["out"] == (src == c["client"])), "direction")
        return c

    def note(self, interface, flags, src, n):
        self.packets.append("%s %s:%d %s %d%s" % (self.interfaces[interface][0], ipaddress.ip_address(src[0]), src[1],
                                                  flags, n, " " + self.comment if self.comment else ""))

    def tcp(self, interface, src, dst, p):
        sport, dport, seq, ack, size, flags, window = struct.unpack_from("!HHIIBBH", p)
        src, dst, data = (src, sport), (dst, dport), p[(size >> 4) * 4:]
        names = "".join(n + "," for b, n in ((2, "SYN"), (1, "FIN"), (4, "RST"), (16, "ACK")) if flags & b)[:-1]
        self.note(interface, names, src, len(data))
        c = self.connection(interface, src, dst, names)
        if flags & 2:
            c["next"][src] = seq + 1
            need(not data, "data with SYN")
        else:
            need(c["next"].get(src, 0) & 0xFFFFFFFF == seq, "%s: seq %d, not %d" % (names, seq, c["next"].get(src, 0)))
        if flags & 16:
            need(c["next"].get(dst, 0) & 0xFFFFFFFF == ack, "%s: ack %d, not %d" % (names, ack, c["next"].get(dst, 0)))
        need(src not in c["ends"] or not data and not flags & 1, "more behind FIN")
        c["next"][src] += len(data) + (flags & 1)
        c["data"][src] += data
        need(len(data) <= 65000, "long segment")
        if flags & 1:
            c["ends"].append(src)
        if flags & 4:
            c["ends"].append("reset")

    def udp(self, interface, src, dst, p):
        sport, dport, n = struct.unpack_from("!HHH", p)
        need(n == len(p), "length of UDP")
        src, dst = (src, sport), (dst, dport)
        self.note(interface, "UDP", src, n - 8)
        c = self.connection(interface, src, dst, "UDP")
        c["data"][src] += p[8:]
        c["sizes"][src].append(n - 8)

    def end_of(self, c, name):
        return c["client"] if name == "client" else c["server"]

    def show(self):
        for name, comment in self.interfaces:
            print("interface %s: %s" % (name, comment))
        for before, lines in self.secrets:
            print("secret before packet %d: %s" % (before + 1, lines.split()[0]))
        for c in self.order:
            ends = [e if e == "reset" else "client" if e == c["client"] else "server" for e in c["ends"]]
            print("%s %s %s:%d > %s:%d, %d and %d bytes, ended by %s" % (
                c["kind"], self.interfaces[c["interface"]][0], ipaddress.ip_address(c["client"][0]), c["client"][1],
                ipaddress.ip_address(c["server"][0]), c["server"][1], len(c["data"][c["client"]]),
                len(c["data"][c["server"]]), " ".join(ends) or "nobody"))


def main(argv):
    r = Reader(open(argv[1], "rb").read())
    if len(argv) == 5:
        for c in r.order:
            if r.interfaces[c["interface"]][0] == argv[3]:
                sys.stdout.buffer.write(c["data"][r.end_of(c, argv[4])])
    elif len(argv) == 3:
        print("\n".join(r.packets))
    else:
        r.show()


if __name__ == "__main__":
    try:
        main(sys.argv)
    except Wrong as e:
        sys.exit("pcapng.py: %s: %s" % (sys.argv[1], e))
