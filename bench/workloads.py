# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: tables of workloads and contenders. Another peer is one more line.

Commands are split as by a shell, then @words@ are replaced (see run: Case.words); @conf:name@ is
bench/peers/name with the same words replaced."""
import collections

# kind: ours, socat (Debian's), peer, limit (a bare loop), direct (no relay at all)
Contender = collections.namedtuple("Contender", "name kind command words")
# ours must be at most (or, where more is better, at least) factor x the figure of `against`: the name of a
# contender, "best" for the best peer that loses nothing, or another workload's as "workload:contender".
Target = collections.namedtuple("Target", "grade metric factor against ours")
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


def aim(metric, factor, against, ours="catena"):
    return Target("aim", metric, factor, against, ours)


class Workload:
    """load: the generator. listen: what the relay listens on (tcp, unix) or None: it starts at once.
    stdin: what the relay reads (None, "pipe": fed by the generator as @pipe@, "file": @file@).
    exits: the relay ends by itself, and has to before its time is taken. check: of what it wrote.
    trial: size of the first run, in which every byte is compared; 0: there is none. needs: what makes the
    files of the workload. rounds: no more than so many."""

    def __init__(self, name, title, contenders, load, metrics, measure, targets=(), limit=None,
                 size=0, quick=0, trial=None, listen="tcp", stdin=None, procedure="load",
                 exits=False, check=None, needs=(), rounds=None, **words):
        self.__dict__.update(locals())
        del self.__dict__["self"]


# What a run gives: the generator's result, the relay's processor seconds, the words of the case.
def bulk(result, cpu, words):
    gib = (result["forward"] + (result["back"] if words.get("both") else 0)) / GIB
    return {"cpu": cpu / gib, "rate": gib / result["seconds"]} if gib else {}


def trips(result, cpu, words):
    return {"p50": result["p50"], "p99": result["p99"], "trip_cpu": cpu * 1e6 / result["trips"]}


def connections(result, cpu, words):
    done = result["completed"]
    return {"conns": result["in_time"] / result["seconds"], "conn_cpu": cpu * 1e6 / done} if done else {}


BULK = (CPU, RATE)
TRIPS = (Metric("p50", "p50 us", True), Metric("p99", "p99 us", True), Metric("trip_cpu", "CPU us", True))
CONNS = (Metric("conns", "conn/s", False), Metric("conn_cpu", "CPU us", True))

NGINX = "nginx -c @conf:nginx-tcp.conf@ -p @dir@ -e stderr"
HAPROXY = "haproxy -db -f @conf:haproxy-tcp.cfg@"
PROXYD = "systemd-socket-activate -l 127.0.0.1:@listen@ @proxyd@ 127.0.0.1:@target@"
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


def one_way(name, title, left, peers, limits, targets, listen="tcp", load=None, best=None, **more):
    """From `left` to TCP."""
    add(name, title,
        [ours("catena", "%s TCP:127.0.0.1:@target@" % left),
         socat("socat", "%s TCP:127.0.0.1:@target@" % left),
         socat("socat -b128k", "-b131072 %s TCP:127.0.0.1:@target@" % left)] + peers + limits,
        load, BULK, bulk, targets, best, size=512 * MIB, quick=64 * MIB, listen=listen, **more)


one_way("tcp_oneway", "TCP to TCP, one way", "TCP-LISTEN:@listen@,bind=127.0.0.1", TCP_PEERS,
        [limit("splice loop", "splice tcp-listen:@listen@ tcp:@target@"),
         limit("read/write 256k", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
        [must("cpu", 1.0, "best"), must("cpu", 1 / 3, "socat"), must("rate", 1.0, "best"),
         aim("cpu", 1.1, "splice loop"), aim("rate", 0.95, "splice loop")],
        load="flow -a @full@ -b @size@ tcp:@listen@ tcp-listen:@target@", best="splice loop")

one_way("tcp_both", "TCP to TCP, both ways at once (sum)", "TCP-LISTEN:@listen@,bind=127.0.0.1", TCP_PEERS,
        [limit("splice loop", "splice tcp-listen:@listen@ tcp:@target@"),
         limit("read/write 256k", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
        [must("rate", 1.2, "best"), aim("rate", 0.95, "splice loop")],
        load="flow -w both @full@ -b @half@ tcp:@listen@ tcp-listen:@target@", best="splice loop",
        both=True)

add("latency", "added latency of a round trip of 1 byte",
    [ours("catena", "TCP-LISTEN:@listen@,bind=127.0.0.1 TCP:127.0.0.1:@target@"),
     socat("socat", "TCP-LISTEN:@listen@,bind=127.0.0.1 TCP:127.0.0.1:@target@")] + TCP_PEERS +
    [limit("read/write loop", "rw tcp-listen:@listen@ tcp:@target@"), DIRECT],
    "pingpong -n @size@ tcp:@listen@ tcp-listen:@target@", TRIPS, trips,
    [must("p50", 1.0, "best"), aim("p50", 1.1, "read/write loop")], "read/write loop",
    size=5000, quick=1000, trial=0)

for n in 1, 16, 64:
    add("connections_%d" % n, "short connections, %d client%s" % (n, "s" if n > 1 else ""),
        [ours("catena fork", "TCP-LISTEN:@listen@,bind=127.0.0.1,fork,reuseaddr,backlog=1024 TCP:127.0.0.1:@target@"),
         ours("catena thread", "TCP-LISTEN:@listen@,bind=127.0.0.1,thread,reuseaddr,backlog=1024 TCP:127.0.0.1:@target@"),
         socat("socat", "TCP-LISTEN:@listen@,bind=127.0.0.1,fork,reuseaddr,backlog=1024 TCP:127.0.0.1:@target@"),
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
         must("conns", 0.9, "bare thread", "catena thread"), aim("conns", 1.0, "best", "catena thread")],
        "bare epoll", size=0.5, quick=0.2, trial=0)
