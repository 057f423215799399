# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: tables of workloads and contenders. Another peer is one more line.

Commands are split as by a shell, then @words@ are replaced (see run: Case.words); @conf:name@ is
bench/peers/name with the same words replaced."""
import collections

# kind: ours, socat (Debian's), peer, limit (a bare loop), direct (no relay at all)
Contender = collections.namedtuple("Contender", "name kind command words")
# ours must be at most (or, where more is better, at least) factor x the figure of `against`: the
# name of a contender, "best" for the best peer that loses nothing, "limits" for the best bare loop,
# or "absolute". more: on top of that.
Target = collections.namedtuple("Target", "grade metric factor against ours more", defaults=(0,))
# label, and whether less is better
Metric = collections.namedtuple("Metric", "name label low")

CPU = Metric("cpu", "CPU s/GiB", True)
RATE = Metric("rate", "GiB/s", False)

GIB = 1 << 30
MIB = 1 << 20


def ours(name, command, **words):
    return Contender(name, "ours", "@catena@ " + command, words)


def socat(name, command, **words):
    return Contender(name, "socat", "@socat@ " + command, words)


def peer(name, command, **words):
    return Contender(name, "peer", command, words)


def limit(name, command, **words):
    return Contender(name, "limit", "@tools@/limit_" + command, words)


def must(metric, factor, against, ours="catena"):
    return Target("must", metric, factor, against, ours)


def over(metric, more, against, ours):
    return Target("must", metric, 1, against, ours, more)


def aim(metric, factor, against, ours="catena"):
    return Target("aim", metric, factor, against, ours)


class Workload:
    """load: the generator. measure: makes figures of its result. limit: what /limit compares with.
    listen: what the relay listens on (tcp, unix) or None: it starts at once. pipe: its standard
    input is fed by the generator, as @pipe@. file, text: it reads @file@, of the pattern, or
    @text@, of words. exits: the relay ends by itself, and has to before its time is taken. check:
    of what came out. trial: size of the first run, in which every byte is compared; 0: there is
    none. trial_load: another generator for it. rounds: no more than so many. procedure: the method
    of Case. Other words are for commands and configurations."""

    def __init__(self, name, title, contenders, load, metrics, measure, targets=(), limit=None,
                 size=0, quick=0, trial=None, listen="tcp", procedure="load", pipe=False,
                 file=False, text=False, exits=False, check=None, rounds=None, trial_load=None,
                 **words):
        self.__dict__.update(locals())
        del self.__dict__["self"]


# What a run gives: the generator's result, the relay's processor seconds, the words of the case.
def bulk(result, cpu, words):
    gib = (result["forward"] + (result["back"] if words.get("both") else 0)) / GIB
    return {"cpu": cpu / gib, "rate": gib / result["seconds"]} if gib else {}


def written(result, cpu, words):
    gib = words["size"] / GIB
    return {"cpu": cpu / gib, "rate": gib / result["seconds"]}


def packed(result, cpu, words):
    return {"cpu": cpu / (words["size"] / GIB), "rate": words["size"] / 1e6 / result["seconds"]}


def trips(result, cpu, words):
    return {"p50": result["p50"], "p99": result["p99"], "trip_cpu": cpu * 1e6 / result["trips"]}


def connections(result, cpu, words):
    done = result["completed"]
    if not done:
        return {}
    return {"conns": result["in_time"] / result["seconds"], "conn_cpu": cpu * 1e6 / done}


BULK = (CPU, RATE)
TRIPS = (Metric("p50", "p50 us", True), Metric("p99", "p99 us", True),
         Metric("trip_cpu", "CPU us", True))
CONNS = (Metric("conns", "conn/s", False), Metric("conn_cpu", "CPU us", True))

NGINX = "nginx -c @conf:nginx-tcp.conf@ -p @dir@ -e stderr"
HAPROXY = "haproxy -db -f @conf:haproxy-tcp.cfg@"
PROXYD = ("systemd-socket-activate -l @listen_systemd@"
          " @proxyd@ --connections-max=8000 127.0.0.1:@target@")
RINETD = "rinetd -f -c @conf:rinetd.conf@"
REDIR = "redir -n 127.0.0.1:@listen@ 127.0.0.1:@target@"

# Plain relays, tuned for bulk.
TCP_PEERS = [
    peer("nginx", NGINX, bufsize="128k"),
    peer("haproxy", HAPROXY, bufsize="131072", splice=""),
    peer("haproxy splice", HAPROXY, bufsize="131072", splice="option splice-auto"),
    peer("systemd-socket-proxyd", PROXYD),
    peer("rinetd", RINETD),
    peer("redir", REDIR + " -z 131072"),
    peer("ncat", "ncat -l 127.0.0.1 @listen@ --sh-exec 'exec ncat 127.0.0.1 @target@'"),
]
DIRECT = Contender("direct connection", "direct", None, {})

WORKLOADS = []


def add(*args, **words):
    WORKLOADS.append(Workload(*args, **words))


LISTEN = "TCP-LISTEN:@listen@,bind=127.0.0.1"
SERVE = LISTEN + ",reuseaddr,backlog=1024"
TARGET = "TCP:127.0.0.1:@target@"


def one_way(name, title, left, peers, limits, targets, listen="tcp", load=None, best=None, **more):
    """From `left` to TCP."""
    add(name, title,
        [ours("catena", left + " " + TARGET), socat("socat", left + " " + TARGET),
         socat("socat -b128k", "-b131072 " + left + " " + TARGET)] + peers + limits,
        load, BULK, bulk, targets, best, size=512 * MIB, quick=64 * MIB, listen=listen, **more)


one_way("tcp_oneway", "TCP to TCP, one way", LISTEN, TCP_PEERS,
        [limit("splice loop", "splice tcp-listen:@listen@ tcp:@target@"),
         limit("read/write 256k", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
        [must("cpu", 1.0, "best"), must("cpu", 1 / 3, "socat"), must("rate", 1.0, "best"),
         aim("cpu", 1.1, "splice loop"), aim("rate", 0.95, "splice loop")],
        load="flow -a @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", best="splice loop")

one_way("tcp_both", "TCP to TCP, both ways at once (sum)", LISTEN,
        [p for p in TCP_PEERS if p.name != "ncat"],  # its shell stands still
        [limit("splice loop", "splice tcp-listen:@listen@ tcp:@target@"),
         limit("read/write 256k", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
        # Who loses data at half-close only does so now and then when both ends have as much to say.
        [must("rate", 1.2, "best"), aim("rate", 0.95, "splice loop")],
        load="flow -w both @full@ -b @half@ tcp:@listen@ tcp-listen:@target@", best="splice loop",
        trial_load="flow -a @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", both=True)

add("latency", "added latency of a round trip of 1 byte",
    [ours("catena", LISTEN + " " + TARGET),
     socat("socat", LISTEN + " " + TARGET)] + TCP_PEERS +
    [limit("read/write loop", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
    "pingpong -n @size@ tcp:@listen@ tcp-listen:@target@", TRIPS, trips,
    [must("p50", 1.0, "best"), aim("p50", 1.1, "read/write loop")], "read/write loop",
    size=5000, quick=1000, trial=0)

for n in 1, 16, 64:
    add("connections_%d" % n, "short connections, %d client%s" % (n, "s" if n > 1 else ""),
        [ours("catena fork", SERVE + ",fork " + TARGET),
         ours("catena thread", SERVE + ",thread " + TARGET),
         socat("socat", SERVE + ",fork " + TARGET),
         peer("nginx", NGINX, bufsize="16k"),
         peer("haproxy", HAPROXY, bufsize="16384", splice=""),
         peer("rinetd", RINETD),
         peer("systemd-socket-proxyd", PROXYD),
         peer("redir", REDIR),
         limit("bare fork", "conn fork @listen@ @target@"),
         limit("bare thread", "conn thread @listen@ @target@"),
         limit("bare epoll", "conn epoll @listen@ @target@"), DIRECT],
        "conns -c %d -s @size@ @listen@ @target@" % n, CONNS, connections,
        [must("conns", 1.6, "socat", "catena fork"), aim("conns", 0.95, "bare fork", "catena fork"),
         must("conns", 0.9, "bare thread", "catena thread"),
         aim("conns", 1.0, "best", "catena thread")],
        "bare epoll", size=0.4, quick=0.2, trial=0)

# Other ends. What the kernel does best depends on the pair, so the limit is the best bare loop.
one_way("unix_tcp", "UNIX to TCP", "UNIX-LISTEN:@socket@",
        [peer("nginx", NGINX, bufsize="128k"),
         peer("haproxy", HAPROXY, bufsize="131072", splice=""),
         peer("systemd-socket-proxyd", PROXYD),
         peer("ncat", "ncat -lU @socket@ --sh-exec 'exec ncat 127.0.0.1 @target@'")],
        [limit("splice", "splice unix-listen:@socket@ tcp:@target@"),
         limit("read/write 256k", "rw unix-listen:@socket@ tcp:@target@"),
         limit("read/write 64k", "rw -b 65536 unix-listen:@socket@ tcp:@target@")],
        [must("cpu", 1.0, "best"), aim("cpu", 1.1, "limits")], best="limits", listen="unix",
        load="flow -a @full@ -b @size@ unix:@socket@ tcp-listen:@target@")

one_way("pipe_tcp", "pipe to TCP", "-u -",
        [peer("nc", "nc.openbsd -N 127.0.0.1 @target@"),
         peer("ncat", "ncat --send-only 127.0.0.1 @target@")],
        [limit("splice", "splice -u fd:0 tcp:@target@"),
         limit("read/write 256k", "rw -u fd:0 tcp:@target@"),
         limit("read/write 64k", "rw -u -b 65536 fd:0 tcp:@target@")],
        [must("cpu", 1.0, "best"), aim("cpu", 1.1, "limits")], best="limits", listen=None,
        load="flow @full@ -b @size@ fd:@pipe@ tcp-listen:@target@", pipe=True)

one_way("file_tcp", "file to TCP", "-u OPEN:@file@,rdonly",
        [peer("nc", "sh -c 'exec nc.openbsd -N 127.0.0.1 @target@ <@file@'", needs=["nc.openbsd"]),
         peer("ncat", "sh -c 'exec ncat --send-only 127.0.0.1 @target@ <@file@'", needs=["ncat"])],
        [limit("sendfile", "sendfile in:@file@ tcp:@target@"),
         limit("splice", "splice -u in:@file@ tcp:@target@"),
         limit("read/write 256k", "rw -u in:@file@ tcp:@target@")],
        [must("cpu", 1.0, "best"), aim("cpu", 1.1, "limits")], best="limits", listen=None,
        load="flow @full@ -b @size@ none tcp-listen:@target@", file=True)

add("tcp_file", "TCP to file",
    [ours("catena", "-u %s OPEN:@out@,creat,trunc" % LISTEN),
     socat("socat", "-u %s OPEN:@out@,creat,trunc" % LISTEN),
     socat("socat -b128k", "-b131072 -u %s OPEN:@out@,creat,trunc" % LISTEN),
     peer("nc", "sh -c 'exec nc.openbsd -l 127.0.0.1 @listen@ >@out@'", needs=["nc.openbsd"]),
     peer("ncat", "sh -c 'exec ncat --recv-only -l 127.0.0.1 @listen@ >@out@'", needs=["ncat"]),
     limit("splice", "splice -u tcp-listen:@listen@ out:@out@"),
     limit("read/write 256k", "rw -u tcp-listen:@listen@ out:@out@")],
    "flow -b @size@ tcp:@listen@ none", BULK, written,
    [must("cpu", 1.0, "best"), aim("cpu", 1.1, "limits")], "limits",
    size=512 * MIB, quick=64 * MIB, exits=True, check="written_file")

for n in 200, 1000:
    add("memory_%d" % n, "memory of an open connection, %d of them" % n,
        [ours("catena fork", SERVE + ",fork " + TARGET),
         ours("catena thread", SERVE + ",thread " + TARGET),
         socat("socat", SERVE + ",fork " + TARGET),
         peer("nginx", NGINX, bufsize="16k"),
         peer("haproxy", HAPROXY, bufsize="16384", splice=""),
         peer("rinetd", RINETD),
         peer("systemd-socket-proxyd", PROXYD),
         peer("redir", REDIR),
         limit("bare fork", "conn fork @listen@ @target@"),
         limit("bare thread", "conn thread @listen@ @target@"),
         limit("bare epoll", "conn epoll @listen@ @target@")],
        "hold -n @size@ @listen@ @target@", (Metric("kib", "PSS KiB", True),), None,
        [must("kib", 58, "absolute", "catena fork"), must("kib", 16, "absolute", "catena thread"),
         aim("kib", 4, "absolute", "catena thread")] if n == 1000 else [],
        "bare thread", size=n, quick=n // 5, trial=0, rounds=2, procedure="memory")

# TLS. No certificate is checked and no session resumed by anybody; one cipher and group.
NGINX_TLS = "nginx -c @conf:nginx-tls-%s.conf@ -p @dir@ -e stderr"
HAPROXY_TLS = "haproxy -db -f @conf:haproxy-tls-%s.cfg@"
STUNNEL = "stunnel @conf:stunnel-%s.conf@"
HITCH = ("hitch @hitch_user@ --workers=1 --backlog=1024 --quiet --tls-protos=TLSv1.3"
         " --frontend=[127.0.0.1]:@listen@ --backend=[127.0.0.1]:@target@ @both_pem@")


def tls_peers(side, bulk):
    return [peer("nginx", NGINX_TLS % side, bufsize="128k" if bulk else "16k"),
            peer("haproxy", HAPROXY_TLS % side, bufsize="131072" if bulk else "16384"),
            peer("stunnel", STUNNEL % side)] + ([peer("hitch", HITCH)] if side == "server" else [])


TLS = {"client": ("%s OPENSSL:127.0.0.1:@target@,verify=0", LISTEN),
       "server": ("%s " + TARGET,
                  "OPENSSL-LISTEN:@listen@,bind=127.0.0.1,cert=@cert@,key=@key@,verify=0")}

for side, near, far in ("client", "tcp:@listen@", "tls-listen:@target@"), \
                       ("server", "tls:@listen@", "tcp-listen:@target@"):
    line, listen = TLS[side]
    add("tls_" + side, "TLS as %s, one way, %s" % (
            side, {"client": "encrypting", "server": "decrypting"}[side]),
        [ours("catena", line % listen), socat("socat", line % listen),
         socat("socat -b128k", "-b131072 " + line % listen)] + tls_peers(side, True) +
        [limit("bare SSL loop", "tls %s @listen@ @target@" % side),
         limit("bare SSL, batched", "tls -b %s @listen@ @target@" % side)],
        "flow @full@ -b @size@ %s %s" % (near, far), BULK, bulk,
        [must("cpu", 1.0, "best"), aim("cpu", 1.05, "bare SSL loop")], "limits",
        size=256 * MIB, quick=32 * MIB)

for side, switch in ("client", "-T"), ("server", "-t"):
    line, listen = TLS[side]
    listen += ",reuseaddr,backlog=1024"
    add("handshakes_" + side, "TLS handshakes as %s, 16 clients, P-256, full" % side,
        [ours("catena fork", line % (listen + ",fork")),
         ours("catena thread", line % (listen + ",thread")),
         socat("socat", line % (listen + ",fork"))] + tls_peers(side, False) +
        [limit("bare SSL loop", "tls %s @listen@ @target@" % side)],
        "conns -c 16 -s @size@ %s @listen@ @target@" % switch, CONNS, connections,
        {"client": [must("conns", 15, "socat", "catena fork"),
                    must("conns", 0.75, "best", "catena thread"),
                    aim("conns", 1.0, "best", "catena thread")],
         "server": [must("conn_cpu", 1 / 0.75, "best", "catena thread"),
                    aim("conn_cpu", 1.0, "best", "catena thread")]}[side],
        "bare SSL loop", size=0.7, quick=0.3, trial=0)

# Resumed handshakes beside full ones of the same relay. What TLS 1.3 still does, an exchange of keys, is most of
# it; in TLS 1.2 only the connection is left.
def resumed(result, cpu, words):
    figures = connections(result, cpu, words)
    if figures:
        figures["full"] = 100 * result["full"] / result["completed"]
    return figures


for side, switch in ("client", "-T"), ("server", "-t"):
    for version, old in ("12", "-2 "), ("13", ""):
        line, listen = TLS[side]
        listen += ",reuseaddr,backlog=1024"
        add("resumed%s_%s" % (version, side), "resumed TLS 1.%s handshakes as %s, 16 clients, P-256" % (version[1], side),
            [ours("catena fork", line % (listen + ",fork")),
             ours("catena thread", line % (listen + ",thread")),
             ours("catena thread, full", (line % (listen + ",thread")).replace("verify=0", "verify=0,resume=0")),
             *([] if old else [peer("nginx", NGINX_TLS % side, bufsize="16k")])],
            "conns -c 16 -s @size@ %s%s -r @listen@ @target@" % (old, switch), CONNS + (Metric("full", "full %", True),),
            resumed, [aim("conns", 3, "catena thread, full", "catena thread")] +
            ([] if old else [aim("conn_cpu", 1.0, "best", "catena thread")]),
            "catena thread, full", size=0.7, quick=0.3, trial=0)

# TLS behind a CONNECT proxy; the far end is both the proxy and its target.
PROXIED = "'openssl,verify=0|proxy:far.test:443|%s'" % TARGET
ALONE = "'openssl,verify=0|%s'" % TARGET
NESTED = ("sh -c '@socat@ TCP-LISTEN:@spare@,bind=127.0.0.1,reuseaddr%s"
          " PROXY:127.0.0.1:far.test:443,proxyport=@target@ & exec @socat@ %s%s"
          " OPENSSL:127.0.0.1:@spare@,verify=0,retry=20,interval=0.05'")

add("proxy_bulk", "openssl|proxy|tcp, one way",
    [ours("catena", LISTEN + " " + PROXIED), ours("catena, TLS alone", LISTEN + " " + ALONE),
     Contender("socat twice", "socat", NESTED % ("", LISTEN, ""), {"needs": ["@socat@"]}),
     peer("stunnel", STUNNEL % "proxy")],
    "flow @full@ -b @size@ tcp:@listen@ tls-listen:@target@", BULK, bulk,
    [must("cpu", 1.1, "catena, TLS alone"), aim("cpu", 1.02, "catena, TLS alone")],
    "catena, TLS alone", size=256 * MIB, quick=32 * MIB)

add("proxy_connections", "openssl|proxy|tcp, short connections, 16 clients",
    [ours("catena fork", SERVE + ",fork " + PROXIED),
     ours("catena thread", SERVE + ",thread " + PROXIED),
     ours("catena thread, TLS alone", SERVE + ",thread " + ALONE),
     Contender("socat twice", "socat", NESTED % (",fork", SERVE, ",fork"), {"needs": ["@socat@"]}),
     peer("stunnel", STUNNEL % "proxy")],
    "conns -c 16 -s @size@ -T @listen@ @target@", CONNS, connections,
    [must("conns", 1.0, "best", "catena thread"),
     aim("conn_cpu", 1.02, "catena thread, TLS alone", "catena thread")],
    "catena thread, TLS alone", size=0.7, quick=0.3, trial=0)

# Servers that learn from their clients where these want to go.
ASKED = "'%s|" + SERVE + ",%s' 'tcp:{targethost}:{targetport}'"
for kind, server, peers in (
        ("socks5", "socks-server", [peer("microsocks", "microsocks -i 127.0.0.1 -p @listen@"),
                                    peer("dante", "danted -f @conf:dante.conf@ -p @dir@/dante.pid")]),
        ("connect", "proxy-server", [peer("tinyproxy", "tinyproxy -d -c @conf:tinyproxy.conf@")])):
    add("asked_" + kind, "%s, short connections, 16 clients" % server,
        [ours("catena fork", ASKED % (server, "fork")),
         ours("catena thread", ASKED % (server, "thread"))] + peers,
        "conns -c 16 -s @size@%s @listen@ @target@" % (" -a " + kind), CONNS, connections,
        [must("conns", 0.9, "best", "catena thread"), aim("conns", 1.0, "best", "catena thread")],
        size=0.7, quick=0.3, trial=0)

# Chains.
add("chain_nop", "n links with nothing to do",
    [ours("catena, %d" % n, LISTEN + " '" + "nop|" * n + TARGET + "'") for n in (0, 1, 2, 4, 8)],
    "flow @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", BULK, bulk,
    [must("cpu", 1.05, "catena, 0", "catena, %d" % n) for n in (1, 8)], "catena, 0",
    size=512 * MIB, quick=64 * MIB)

add("chain_test", "n working links (test)",
    [ours("catena, %d" % n, LISTEN + " '" + "test|" * n + TARGET + "'") for n in (1, 2, 4, 8)] +
    [limit("socketpairs, %d" % n, "pump %d tcp-listen:@listen@ tcp:@target@" % n)
     for n in (1, 2, 4, 8)] +
    [limit("rings, %d" % n, "pump -r %d tcp-listen:@listen@ tcp:@target@" % n) for n in (1, 4)],
    "flow -m @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", BULK, bulk,
    [must("cpu", 1.1, "socketpairs, %d" % n, "catena, %d" % n) for n in (1, 2, 4, 8)] +
    [aim("cpu", 1.0, "rings, %d" % n, "catena, %d" % n) for n in (1, 4)], "socketpairs, 1",
    size=256 * MIB, quick=64 * MIB)

# Layers that only look. -b keeps a flow from the express way, which a tap has to leave and a meter has not.
COPIED = "-b262144 " + LISTEN
TAP = "tap:/dev/null,format=%s|"
for name, line in ("tcp", TARGET), ("tls", "openssl,verify=0|" + TARGET):
    taps = ["raw", "pcapng"]
    far = "tcp-listen" if name == "tcp" else "tls-listen"
    add("watched_" + name, "taps and a meter on a line of " + name.upper(),
        [ours("catena", LISTEN + " '%s'" % line), ours("catena, copied", COPIED + " '%s'" % line),
         ours("catena, meter", LISTEN + " 'meter|%s'" % line)] +
        [ours("catena, copied, tap " + f, COPIED + " '%s'" % (
            line.replace(TARGET, TAP % f + TARGET))) for f in taps],
        "flow @full@ -b @size@ tcp:@listen@ %s:@target@" % far, BULK, bulk,
        [over("cpu", 0.08, "catena", "catena, meter")] +
        [over("cpu", 0.08, "catena, copied", "catena, copied, tap " + f) for f in taps], "catena",
        size=512 * MIB, quick=64 * MIB)

add("ws", "WebSocket, both ends of it between TCP and TCP (masked and unmasked)",
    [ours("catena", LISTEN + " 'ws|^ws-server|" + TARGET + "'"),
     ours("catena, no link", LISTEN + " " + TARGET),
     limit("masking loop", "mask tcp-listen:@listen@ tcp:@target@"),
     limit("read/write 256k", "rw -u tcp-listen:@listen@ tcp:@target@")],
    "flow @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", BULK, bulk,
    [must("cpu", 1.5, "masking loop"), aim("cpu", 1.1, "masking loop")], "masking loop",
    size=512 * MIB, quick=64 * MIB)

# One client for all, of ours, whose time is in each figure; websockify closes at once and loses the answer.
WS = ("sh -c \"%s & exec @catena@ " + LISTEN +
      " 'ws,subprotocol=binary|tcp:127.0.0.1:@spare@,retry=40,interval=0.05'\"")
WS_LINE = "@catena@ 'ws-server,subprotocol=binary|%s' " + TARGET
WS_PASSED = WS_LINE % "unix-l:@dir@/ws" + " & nginx -c @conf:nginx-ws.conf@ -p @dir@ -e stderr"
add("ws_server", "a WebSocket client and a server, in processes of their own",
    [Contender("catena", "ours", WS % WS_LINE % "tcp-l:@spare@,bind=127.0.0.1,reuseaddr", {}),
     peer("websockify", WS % "websockify 127.0.0.1:@spare@ 127.0.0.1:@target@ >/dev/null 2>&1", needs=["websockify"]),
     peer("nginx before catena", WS % WS_PASSED, needs=["nginx"]),
     limit("masking loop", "mask tcp-listen:@listen@ tcp:@target@")],
    "flow @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", BULK, bulk,
    [must("cpu", 1 / 3, "websockify")], "masking loop", size=128 * MIB, quick=32 * MIB,
    trial=0)

for level in 1, 6:
    add("gzip_%d" % level, "gzip link, level %d, from a file of words to TCP" % level,
        [ours("catena", "-u OPEN:@text@,rdonly 'gzip,level=%d|%s'" % (level, TARGET)),
         ours("catena, 2 threads",
              "-u OPEN:@text@,rdonly 'gzip,level=%d,threads=2|%s'" % (level, TARGET)),
         peer("gzip | nc", "sh -c 'gzip -%d <@text@ | nc.openbsd -N 127.0.0.1 @target@'" % level,
              needs=["gzip", "nc.openbsd"]),
         peer("pigz | nc",
              "sh -c 'pigz -p 2 -%d <@text@ | nc.openbsd -N 127.0.0.1 @target@'" % level,
              needs=["pigz", "nc.openbsd"]),
         limit("zlib alone", "zlib %d in:@text@ tcp:@target@" % level)],
        "flow -o @out@ none tcp-listen:@target@",
        (Metric("rate", "MB/s", False), Metric("cpu", "CPU s/GiB", True)), packed,
        [must("rate", 0.95, "zlib alone"), aim("rate", 1.0, "pigz | nc"),
         aim("rate", 1.0, "pigz | nc", "catena, 2 threads")], "zlib alone",
        size=32 * MIB, quick=8 * MIB, trial=0, listen=None, check="packed_file", text=True)

for name in "zstd", "lz4", "brotli":
    # Level 5 is what ours does by itself.
    tool = "brotli -q 5 -c" if name == "brotli" else name + " -c"
    add(name, name + " link, from a file of words to TCP",
        [ours("catena", "-u OPEN:@text@,rdonly '%s|%s'" % (name, TARGET)),
         peer("%s | nc" % name, "sh -c '%s <@text@ | nc.openbsd -N 127.0.0.1 @target@'" % tool,
              needs=[name, "nc.openbsd"]),
         limit("lib%s alone" % name, "pack %s in:@text@ tcp:@target@" % name)],
        "flow -o @out@ none tcp-listen:@target@",
        (Metric("rate", "MB/s", False), Metric("cpu", "CPU s/GiB", True)), packed,
        [must("rate", 0.95, "lib%s alone" % name), aim("rate", 1.0, "%s | nc" % name)],
        "lib%s alone" % name, size=32 * MIB, quick=8 * MIB, trial=0, listen=None, check="packed_file",
        text=True, unpack=name + " -dc")

add("startup", "start to end of -u OPEN:/dev/null -",
    [ours("catena", "-u OPEN:/dev/null -"), socat("socat", "-u OPEN:/dev/null -"),
     peer("ncat", "ncat --version"), Contender("cat", "limit", "cat /dev/null", {}),
     Contender("openssl version", "limit", "openssl version", {})],
    None, (Metric("p50", "ms", True), Metric("cpu", "CPU ms", True)), None,
    [must("p50", 0.9, "socat"), aim("p50", 0.5, "socat")], "cat",
    size=200, quick=50, trial=0, procedure="startup")
