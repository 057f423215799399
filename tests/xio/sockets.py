# SPDX-License-Identifier: GPL-2.0-or-later
# What a program may do with sockets, one after the other; behind far.example:80 an HTTP server has /page, refused.example
# refuses, and slow.example takes half a second to greet.
import asyncio, ctypes, errno, os, resource, select, signal, socket, struct, threading, urllib.request

FAR, REFUSED, SLOW = ("far.example", 80), ("refused.example", 1), ("slow.example", 1)
ASK = b"GET /page HTTP/1.0\r\n\r\n"
NOT_YET, GONE = errno.EINPROGRESS, errno.ECONNREFUSED


def begun(to, before=None, family=socket.AF_INET):
    s = socket.socket(family)
    s.setblocking(False)
    if before:
        before(s)
    assert s.connect_ex(to) == NOT_YET
    return s


def outcome(s):
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def page(s):
    got = b""
    while True:
        select.select([s], [], [], 10)
        more = s.recv(1000)
        if not more:
            break
        got += more
    assert got.endswith(b"hello\n"), got


def waits(ready):
    s = begun(FAR)
    ready(s)
    assert outcome(s) == 0
    assert not s.getblocking() and not os.get_inheritable(s.fileno())
    assert socket.getnameinfo(s.getpeername(), 0) == ("far.example", "http")
    s.send(ASK)
    page(s)


def by_poll(s):
    p = select.poll()
    p.register(s, select.POLLOUT)
    assert p.poll(10000) == [(s.fileno(), select.POLLOUT)]


def by_select(s):
    assert select.select([s], [s], [], 10) == ([], [s], [])


def by_connecting(s):
    while (rc := s.connect_ex(FAR)) == errno.EALREADY:
        select.select([], [s], [], 10)
    assert rc == 0
    assert s.connect_ex(FAR) == errno.EISCONN


# Registered for edges before it is connected, with options that have to arrive.
def early_epoll():
    ep = select.epoll()
    s = begun(FAR, lambda s: (ep.register(s, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET),
                              s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    while not [1 for _, e in ep.poll(10) if e & select.EPOLLOUT and not e & (select.EPOLLHUP | select.EPOLLERR)]:
        pass
    late = begun(FAR) # nothing has come that could be read
    ep2 = select.epoll()
    ep2.register(late, select.EPOLLIN | select.EPOLLOUT)
    assert ep2.poll(10) == [(late.fileno(), select.EPOLLOUT)]
    late.close()
    assert outcome(s) == 0
    assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    s.send(ASK)
    while not [1 for _, e in ep.poll(10) if e & select.EPOLLIN]:
        pass
    page(s)


def refused():
    ep = select.epoll()
    s = begun(REFUSED)
    ep.register(s, select.EPOLLOUT)
    assert ep.poll(10)[0][1] & select.EPOLLOUT
    assert outcome(s) == GONE and outcome(s) == 0
    s = begun(REFUSED)
    by_poll_any = select.poll()
    by_poll_any.register(s, select.POLLIN)
    by_poll_any.poll(10000)
    try:
        s.recv(10)
        assert False
    except ConnectionRefusedError:
        pass
    s = socket.socket()
    assert s.connect_ex(REFUSED) == GONE
    assert s.connect_ex(FAR) == 0 # the same one, anew
    s.send(ASK)
    page(s)


# A connection goes on when a signal or its time has ended the wait for it.
def interrupted():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    s = socket.create_connection(SLOW) # by EINTR, poll() and SO_ERROR
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert s.recv(10) == b"hello\n"
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 50000))
    assert s.connect_ex(SLOW) == NOT_YET
    assert s.connect_ex(SLOW) == 0 and s.recv(10) == b"hello\n"
    begun(SLOW).close()
    s = begun(SLOW)
    assert outcome(s) == 0 and select.select([s], [s], [s], 0) == ([], [], [])
    try:
        s.send(b"x")
        assert False
    except BlockingIOError:
        pass
    try:
        s.getpeername()
        assert False
    except OSError as e:
        assert e.errno == errno.ENOTCONN


# Parent and child go on with what was on its way when they parted.
def forks():
    s = begun(FAR)
    child = os.fork()
    by_poll(s)
    assert outcome(s) == 0
    if child == 0:
        s.send(ASK)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    page(s)


def copies():
    s = begun(FAR)
    copy = s.dup()
    s.close()
    by_poll(copy)
    assert outcome(copy) == 0 and copy.getpeername()[1] == 80
    copy.send(ASK)
    page(copy)


def names():
    (family, kind, _, _, there), = socket.getaddrinfo("Far.example", "http", type=socket.SOCK_STREAM)
    assert family == socket.AF_INET and there[0].startswith("198.18.") and there[1] == 80
    assert socket.gethostbyname("far.example") == there[0]
    assert socket.gethostbyaddr(there[0])[0].lower() == "far.example"
    assert socket.getaddrinfo("192.0.2.1", 80, type=socket.SOCK_STREAM)[0][4][0] == "192.0.2.1"
    for wrong in "no name", "-x.example":
        try:
            socket.getaddrinfo(wrong, 80)
            assert False
        except socket.gaierror:
            pass
    s = socket.socket(socket.AF_INET6)
    s.connect(FAR)
    assert s.getpeername()[0].startswith("fd63:6174:") and ":" in s.getsockname()[0]
    s = socket.socket()
    s.sendto(ASK, socket.MSG_FASTOPEN, there)
    page(s)


# Questions to a name server are answered, by whom the program has asked; all else of UDP goes nowhere.
def packets():
    ask = bytes.fromhex("123401000001000000000000") + b"\x03far\x07example\0\0\1\0\1"
    for family, server in (socket.AF_INET, "192.0.2.53"), (socket.AF_INET6, "2001:db8::53"):
        for connects in True, False:
            s = socket.socket(family, socket.SOCK_DGRAM)
            s.settimeout(10)
            s.connect((server, 53)) if connects else s.sendto(ask, (server, 53))
            if connects:
                s.send(ask)
                assert s.getpeername()[:2] == (server, 53)
            answer, who = s.recvfrom(500)
            assert who[:2] == (server, 53), who
            assert answer[:2] == b"\x12\x34" and answer[-4:-2] == bytes([198, 18])
    for to in ("192.0.2.1", 7), ("far.example", 8): # chains that carry packets
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect(to)
        s.send(b"one")
        s.send(b"three")
        assert (s.recv(10), s.recv(10), s.getpeername()[1]) == (b"one", b"three", to[1])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"two", ("192.0.2.1", 8))
    assert s.recvfrom(10) == (b"two", ("192.0.2.1", 8))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    assert s.connect_ex(("192.0.2.1", 9)) == errno.ENETUNREACH # one that does not
    assert s.connect_ex(("192.0.2.1", 123)) == errno.ENETUNREACH
    try:
        s.sendto(b"x", ("192.0.2.1", 123))
        assert False
    except OSError as e:
        assert e.errno == errno.ENETUNREACH


# An address without a family is one of IPv4 for packets, and none for connect().
def no_family():
    c = ctypes.CDLL(None, use_errno=True)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to = struct.pack("=H", 0) + struct.pack("!H", 123) + bytes([192, 0, 2, 1]) + bytes(8)
    assert c.sendto(s.fileno(), b"x", 1, 0, to, 16) == -1 and ctypes.get_errno() == errno.ENETUNREACH
    for s, there in (socket.socket(), FAR), (socket.socket(socket.AF_INET, socket.SOCK_DGRAM), ("192.0.2.1", 8)):
        s.connect(there)
        assert c.connect(s.fileno(), bytes(16), 16) == 0
        try:
            s.getpeername()
            assert False
        except OSError as e:
            assert e.errno == errno.ENOTCONN
        s.connect(there)
        assert s.getpeername()[1] == there[1]
        s.close()


def no_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    kept = []
    try:
        while True:
            s = socket.socket()
            kept.append(s)
            s.connect(FAR)
    except OSError as e:
        assert e.errno == errno.EMFILE, e
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if kept[-1].connect_ex(FAR) not in (0, errno.EISCONN):
        assert False
    kept[-1].send(ASK)
    page(kept[-1])


def listens():
    l = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    s.connect(("127.0.0.1", l.getsockname()[1]))
    there, who = l.accept()
    assert who == s.getsockname() == there.getpeername()


async def loop(n):
    async def one(i):
        r, w = await asyncio.open_connection("far.example", 80)
        w.write(ASK)
        assert (await r.read()).endswith(b"hello\n")
        w.close()
    await asyncio.gather(*[one(i) for i in range(n)])


def threads(n):
    def one():
        assert urllib.request.urlopen("http://far.example/page").read() == b"hello\n"
        done.append(1)
    done = []
    all = [threading.Thread(target=one) for _ in range(n)]
    [t.start() for t in all]
    [t.join() for t in all]
    assert len(done) == n


for ready in by_poll, by_select, by_connecting:
    waits(ready)
for test in early_epoll, refused, interrupted, forks, copies, names, packets, no_family, no_descriptors, listens:
    test()
asyncio.run(loop(20))
threads(8)
print("all")
