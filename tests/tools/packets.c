/* SPDX-License-Identifier: GPL-2.0-or-later
 * The other end of a datagram socket, for tests, and a network between two that loses packets.
 *
 *   packets at [unix:<path>] <step>...       bound; prints "port <n>" or "ready" first, and talks to
 *                                            whom it has heard last
 *   packets to <port>|unix:<path> <step>...  connected
 *   packets flood <port> <sockets>           from so many in turn, until it is killed
 *   packets clients [lite:]<port> <count> [<packets>]
 *                                            so many at once with a packet each, or more, against an
 *                                            echo; prints how many got theirs back
 *   packets relay <port> <rule>...           prints its port, and passes packets on between a client
 *                                            there and the server at <port>; prints each, "c1 200"
 *
 * Steps: send:<text>, many:<count> (small ones), fill:<bytes> (a packet of so many), empty, recv[:<count>] (prints the length of
 * each), echo (for ever), until:<path> (waits for the file).
 * Rules: <what>:<c or s><from>[-[<to>]], for packets of the client or of the server, counted from 1:
 * drop, dup, swap (goes behind the next one), flip (a bit in its midst), junk (garbage goes before), void
 * (an empty one goes before). */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 1 << 20, SOCKETS = 256, CLIENTS = 4096, PATIENCE_MS = 10000 };

union name {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

static unsigned char packet[MOST];

static void die(const char *what)
{
    fprintf(stderr, "packets: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/* A port on loopback, or a path. */
static socklen_t name_of(const char *text, union name *name)
{
    memset(name, 0, sizeof *name);
    if (strncmp(text, "unix:", 5) == 0) {
        name->un.sun_family = AF_UNIX;
        strncpy(name->un.sun_path, text + 5, sizeof name->un.sun_path - 1);
        return sizeof name->un;
    }
    name->in.sin_family = AF_INET;
    name->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name->in.sin_port = htons((unsigned short)atoi(text));
    return sizeof name->in;
}

static int bound(const char *text)
{
    union name name;
    socklen_t n = name_of(text, &name);
    int fd = socket(name.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, &name.sa, n) < 0 || getsockname(fd, &name.sa, &n) < 0)
        die("bind");
    if (name.sa.sa_family == AF_INET)
        printf("port %d\n", ntohs(name.in.sin_port));
    else
        puts("ready");
    return fd;
}

static int connected(const char *text)
{
    union name name;
    socklen_t n = name_of(text, &name);
    int fd = socket(name.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 * MOST;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (fd < 0 || connect(fd, &name.sa, n) < 0)
        die("connect");
    return fd;
}

/* ---- steps ---- */

struct end {
    int fd;
    union name peer;
    socklen_t peer_len; /* 0: connected */
};

static void give(const struct end *e, size_t n)
{
    if (sendto(e->fd, packet, n, 0, e->peer_len ? &e->peer.sa : NULL, e->peer_len) < 0)
        die("send");
}

static size_t take(struct end *e, bool loose)
{
    union name from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(e->fd, packet, sizeof packet, 0, &from.sa, &len);

    if (n < 0)
        die("recv");
    if (loose && len > 0) {
        e->peer = from;
        e->peer_len = len;
    }
    return (size_t)n;
}

static void step(struct end *e, const char *step, bool loose)
{
    const char *arg = strchr(step, ':');
    size_t n = arg ? strlen(++arg) : 0;
    int count = arg ? atoi(arg) : 1;

    if (strncmp(step, "send:", 5) == 0) {
        memcpy(packet, arg, n);
        give(e, n);
    } else if (strncmp(step, "fill:", 5) == 0) {
        memset(packet, 'x', sizeof packet);
        give(e, (size_t)count);
    } else if (strncmp(step, "many:", 5) == 0) {
        for (; count > 0; count--)
            give(e, 1);
    } else if (strcmp(step, "empty") == 0) {
        give(e, 0);
    } else if (strncmp(step, "recv", 4) == 0) {
        for (; count > 0; count--)
            printf("%zu\n", take(e, loose));
    } else if (strcmp(step, "echo") == 0) {
        for (;;)
            give(e, take(e, loose));
    } else if (strncmp(step, "until:", 6) == 0) {
        while (access(arg, F_OK) < 0)
            (void)poll(NULL, 0, 10);
    } else {
        errno = 0;
        die(step);
    }
}

static void flood(const char *port, int count)
{
    int fd[SOCKETS];

    for (int i = 0; i < count && i < SOCKETS; i++)
        fd[i] = connected(port);
    memset(packet, 'f', sizeof packet);
    for (unsigned i = 0;; i = (i + 1) % (unsigned)count)
        (void)send(fd[i % SOCKETS], packet, 100, 0); /* refused or not */
}

/* ---- many clients ---- */

/* Reads what comes to a client until it has all, or somebody has waited for too long. */
static bool got_all(int fd, int i, int count)
{
    static int patience = PATIENCE_MS;
    char expected[32];
    int left = count;

    for (struct pollfd p = {fd, POLLIN, 0}; left > 0; left--) {
        if (poll(&p, 1, patience) <= 0) {
            patience = 0;
            fprintf(stderr, "client %d: no answer\n", i);
            return false;
        }
        ssize_t n = recv(fd, packet, sizeof packet, 0);
        int len = snprintf(expected, sizeof expected, "client %d", i);
        if (n != len || memcmp(packet, expected, (size_t)len) != 0) {
            fprintf(stderr, "client %d: %s\n", i, n < 0 ? strerror(errno) : "not its own packet");
            return false;
        }
    }
    return true;
}

static int clients(const char *where, int count, int packets)
{
    static int fd[CLIENTS];
    bool lite = strncmp(where, "lite:", 5) == 0;
    union name name;
    socklen_t n = name_of(lite ? where + 5 : where, &name);
    int good = 0;

    if (count > CLIENTS)
        die("too many");
    for (int i = 0; i < count; i++) {
        fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, lite ? IPPROTO_UDPLITE : 0);
        if (fd[i] < 0 || connect(fd[i], &name.sa, n) < 0)
            die("connect");
    }
    for (int i = 0; i < count * packets; i++)
        dprintf(fd[i / packets], "client %d", i / packets);
    for (int i = 0; i < count; i++)
        good += got_all(fd[i], i, packets);
    printf("%d\n", good);
    return good == count ? 0 : 1;
}

/* ---- the network ---- */

struct way {
    char side;
    int to; /* where they go on */
    unsigned passed;
    unsigned char held[MOST];
    ssize_t nheld; /* -1: none */
};

static bool ruled(const char *what, const struct way *w, char **rules)
{
    size_t n = strlen(what);

    for (; *rules; rules++) {
        const char *r = *rules;
        if (strncmp(r, what, n) != 0 || r[n] != ':' || r[n + 1] != w->side)
            continue;
        char *end;
        unsigned long first = strtoul(r + n + 2, &end, 10), last = first;
        if (*end == '-')
            last = end[1] ? strtoul(end + 1, NULL, 10) : ~0UL;
        if (w->passed >= first && w->passed <= last)
            return true;
    }
    return false;
}

/* What cannot be delivered is lost, as everywhere. */
static void pass(struct way *w, size_t n, char **rules)
{
    static const char junk[] = "\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x20 neither a record nor anything";

    w->passed++;
    printf("%c%u %zu\n", w->side, w->passed, n);
    if (ruled("junk", w, rules))
        (void)send(w->to, junk, sizeof junk, 0);
    if (ruled("void", w, rules))
        (void)send(w->to, packet, 0, 0);
    if (ruled("flip", w, rules))
        packet[n / 2] ^= 0x10;
    if (ruled("swap", w, rules)) {
        memcpy(w->held, packet, n);
        w->nheld = (ssize_t)n;
        return;
    }
    for (int i = ruled("drop", w, rules) ? 0 : ruled("dup", w, rules) ? 2 : 1; i > 0; i--)
        (void)send(w->to, packet, n, 0);
    if (w->nheld >= 0)
        (void)send(w->to, w->held, (size_t)w->nheld, 0);
    w->nheld = -1;
}

static void relay(const char *port, char **rules)
{
    static struct way client = {.side = 'c', .nheld = -1}, server = {.side = 's', .nheld = -1};
    int front = bound("0"), back = connected(port);
    struct pollfd f[2] = {{front, POLLIN, 0}, {back, POLLIN, 0}};
    union name peer;
    socklen_t len = sizeof peer;

    client.to = back;
    server.to = front;
    /* The one client there will be. */
    if (recvfrom(front, packet, 1, MSG_PEEK, &peer.sa, &len) < 0 || connect(front, &peer.sa, len) < 0)
        die("client");
    for (;;) {
        if (poll(f, 2, -1) < 0)
            die("poll");
        for (int i = 0; i < 2; i++) {
            ssize_t n = f[i].revents ? recv(f[i].fd, packet, sizeof packet, MSG_DONTWAIT) : -1;
            if (n >= 0)
                pass(i == 0 ? &client : &server, (size_t)n, rules);
        }
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "", *where = argc > 2 ? argv[2] : "";
    bool path = strncmp(where, "unix:", 5) == 0;
    struct end e = {.fd = -1};

    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    if (strcmp(how, "relay") == 0 && argc > 2)
        relay(where, argv + 3);
    if (strcmp(how, "flood") == 0 && argc > 3 && atoi(argv[3]) > 0)
        flood(where, atoi(argv[3]));
    if (strcmp(how, "clients") == 0 && argc > 3)
        return clients(where, atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 1);
    bool at = strcmp(how, "at") == 0;
    if (!at && (strcmp(how, "to") != 0 || argc < 3)) {
        fprintf(stderr, "usage: see the beginning of %s\n", __FILE__);
        return 1;
    }
    e.fd = at ? bound(path ? where : "0") : connected(where);
    for (int i = at && !path ? 2 : 3; i < argc; i++)
        step(&e, argv[i], at);
    return 0;
}
