#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP through SOCKS5 from both ends, written from RFC 1928 alone.

  client <host> <port> [deny] [names]   checks a server; deny: it does not let anybody to 127.0.0.2
  refused <host> <port> <command>       the status of the reply to that command
  server <variant>                      one client of: any, name, bytes, noise, ends; says "port <n>"
"""
import ipaddress
import socket
import struct
import sys
import threading

LIMIT = 15


def head(host, port, frag=0):
    try:
        ip = ipaddress.ip_address(host)
        address = bytes([1 if ip.version == 4 else 4]) + ip.packed
    except ValueError:
        address = bytes([3, len(host)]) + host.encode()
    return bytes([0, 0, frag]) + address + struct.pack('>H', port)


def udp(host):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(LIMIT)
    s.bind((host, 0))
    return s


def echo(host):
    """A target that answers with what it got, and the number of packets it got before."""
    s, got = udp(host), []
    s.settimeout(None)

    def serve():
        while True:
            data, who = s.recvfrom(70000)
            got.append(data)
            s.sendto(data, who)
    threading.Thread(target=serve, daemon=True).start()
    return s.getsockname()[1], got, s


def exactly(s, n):
    data = b''
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part, 'the connection ended'
        data += part
    return data


def ask(host, port, command=3):
    s = socket.create_connection((host, port), LIMIT)
    s.sendall(b'\5\1\0' + bytes([5, command]) + head('0.0.0.0', 0)[2:])
    assert exactly(s, 2) == b'\5\0'
    rep = exactly(s, 4)
    where = exactly(s, {1: 4, 4: 16}[rep[3]])
    return s, rep[1], str(ipaddress.ip_address(where)), struct.unpack('>H', exactly(s, 2))[0]


def client(host, port, *options):
    control, rep, where, relay = ask(host, port)
    assert rep == 0 and where == host and relay, (rep, where, relay)
    mine, other = udp(host), udp(host)
    port1, got1, target = echo('127.0.0.1')
    port2, got2, _ = echo('127.0.0.2')
    port6, _, _ = echo('::1')

    def there(name, to, data, says=None):
        mine.sendto(head(name, to) + data, (host, relay))
        answer = mine.recv(70000)
        assert answer == head(says or name, to) + data, (name, to, answer[:40])
    there('127.0.0.1', port1, b'one')
    there('127.0.0.1', port1, b'')
    there('127.0.0.1', port1, bytes(65000))
    if 'deny' not in options:
        there('127.0.0.2', port2, b'another target')
    there('::1', port6, b'six')
    if 'names' in options:
        there('localhost', port1, b'a name', '127.0.0.1')
        there('localhost', port1, b'again', '127.0.0.1')
    # What nobody gets: in one packet after the other, and then one that comes.
    whole = head('127.0.0.1', port1) + b'never'
    before = len(got1)
    for n in range(len(head('127.0.0.1', port1))):
        mine.sendto(whole[:n], (host, relay))
    mine.sendto(head('127.0.0.1', port1, 1) + b'fragment', (host, relay))
    mine.sendto(b'\0\0\0\7' + whole[4:], (host, relay))
    mine.sendto(b'\0\0\0\3\0\0\7never', (host, relay))
    mine.sendto(b'\0\0\0\3\xff' + b'a' * 254, (host, relay))
    mine.sendto(head('127.0.0.1', 0) + b'port 0', (host, relay))
    mine.sendto(head('bad\nname', port1) + b'never', (host, relay))
    other.sendto(whole, (host, relay))
    if 'deny' in options:
        mine.sendto(head('127.0.0.2', port2) + b'denied', (host, relay))
    there('127.0.0.1', port1, b'after all')
    assert got1[before:] == [b'after all'], got1[before:]
    assert 'deny' not in options or not got2
    # The other client's packets do not mix with mine.
    control2, rep, _, relay2 = ask(host, port)
    other.sendto(head('127.0.0.1', port1) + b'mine', (host, relay2))
    assert other.recv(100) == head('127.0.0.1', port1) + b'mine'
    there('127.0.0.1', port1, b'still there')
    # It lasts as long as the connection.
    control.sendall(b'nobody listens to this')
    there('127.0.0.1', port1, b'still')
    control.shutdown(socket.SHUT_WR)
    assert control.recv(1) == b'', 'the server goes on'
    gone = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    gone.settimeout(LIMIT)
    gone.connect((host, relay))
    try:
        gone.send(b'?')
        gone.recv(1)
        raise AssertionError('the socket for packets is still there')
    except ConnectionRefusedError:
        pass
    other.sendto(head('127.0.0.1', port1) + b'not me', (host, relay2))
    assert other.recv(100) == head('127.0.0.1', port1) + b'not me'
    target.close()
    print('good')


def server(variant):
    """Answers what its client sends to 192.0.2.1:53 or to a name, in upper case."""
    listener = socket.create_server(('127.0.0.1', 0))
    print('port', listener.getsockname()[1], flush=True)
    control, _ = listener.accept()
    control.settimeout(LIMIT)
    relay = udp('127.0.0.1')
    assert exactly(control, 2)[0] == 5
    exactly(control, 1)
    control.sendall(b'\5\0')
    assert exactly(control, 10) == b'\5\3\0\1\0\0\0\0\0\0'
    bound = {'any': '0.0.0.0', 'name': 'localhost'}.get(variant, '127.0.0.1')
    reply = b'\5' + head(bound, relay.getsockname()[1])[1:]
    for part in [bytes([b]) for b in reply] if variant == 'bytes' else [reply]:
        control.sendall(part)
    while True:
        data, who = relay.recvfrom(70000)
        n = {1: 10, 3: 7 + data[4], 4: 22}[data[3]]
        to, text = data[:n], data[n:]
        if variant == 'noise':
            for noise in [b'', b'\0', to[:-1], b'\0\0\1' + to[3:] + b'frag', head('192.0.2.9', 53) + b'who',
                          head('192.0.2.1', 54) + b'port', head('::1', 53) + b'six']:
                relay.sendto(noise, who)
            udp('127.0.0.1').sendto(to + b'another socket', who)
        relay.sendto(to + text.upper(), who)
        if variant == 'ends':
            control.close()
            return


{'client': lambda host, port, *o: client(host, int(port), *o), 'server': server,
 'refused': lambda host, port, command: print(ask(host, int(port), int(command))[1])}[sys.argv[1]](*sys.argv[2:])
