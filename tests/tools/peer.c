/* SPDX-License-Identifier: GPL-2.0-or-later
 * The other end of a connection, for tests: does with one socket exactly what the steps say.
 *
 *   peer listen [unix:<path>] <step>...     prints "port <n>" (or "ready") first; one connection
 *   peer connect <port>|unix:<path> <step>...
 *   peer stdio <step>...                    on standard input and output
 *   peer clients <port> <count> <bytes>     so many at once against an echo; prints how many are well
 *   peer hold <port> <count> [<bytes>]      so many at once; each sends, as far as there is room; prints how
 *                                           many there are, and stays
 *   peer storm <port> <count> <at once> <bytes> [<vanishing>]
 *                                            one after the other, and some at once, against an echo;
 *                                            of 100, so many vanish before, while or after sending;
 *                                            prints how many of the others are well
 *   peer inherited                           prints its descriptors and blocked or ignored signals
 *   peer freeport                           a port below the ephemeral range that nobody uses
 *   peer gen <bytes> [<seed>]               pseudo-random bytes to standard output
 *
 * Steps: send:<text> (\r \n \0 \\ \xNN), gen:<bytes>[:<seed>], file:<path>, drip (from now on byte
 * by byte), recv:<bytes> (to the report), line (up to a line feed, to the report), check:<bytes>[:<seed>]
 * (the next bytes must be those of gen), eof (nothing but end of file must come), sum (to end of
 * file; count and checksum to the report), echo, duplex:<bytes>:<seed>:<bytes>:<seed> (sends the
 * first, and expects the second and then end of file, at once; then as shut), save:<path> (to end of
 * file), shut, reset, until:<path> (waits for the file), touch:<path>, say:<text> (to the report),
 * drained (what was sent has arrived), flood:<text> (again and again, until it cannot be sent any
 * more), dribble:<text> (the same, a hundred times a second), and the steps of TLS: see peer_tls.h.
 * The report is standard output, or standard error of "peer stdio". Any surprise: a message, 1. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { BLOCK = 65536 };

struct peer {
    int in, out;
    bool drip;
    SSL *ssl; /* once there is one, bytes go through it */
    FILE *report;
};

static void die(const char *what)
{
    fprintf(stderr, "peer: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/* xorshift64*: the byte stream belongs to the seed alone. */
struct gen {
    uint64_t state, word;
    unsigned left;
};

static void gen_init(struct gen *g, uint64_t seed)
{
    g->state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    g->left = 0;
}

static void gen_bytes(struct gen *g, unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (g->left == 0) {
            g->state ^= g->state >> 12;
            g->state ^= g->state << 25;
            g->state ^= g->state >> 27;
            g->word = g->state * UINT64_C(0x2545F4914F6CDD1D);
            g->left = 8;
        }
        p[i] = (unsigned char)g->word;
        g->word >>= 8;
        g->left--;
    }
}

/* "<bytes>[:<seed>]..." ; missing numbers are 1. */
static void numbers(const char *text, uint64_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = 1;
        if (!text || !*text)
            continue;
        char *end;
        to[i] = strtoull(text, &end, 10);
        text = *end == ':' ? end + 1 : NULL;
    }
}

static void put(struct peer *p, const unsigned char *data, size_t n)
{
    while (n > 0) {
        size_t part = p->drip ? 1 : n;
        ssize_t k = p->ssl ? SSL_write(p->ssl, data, (int)part) : write(p->out, data, part);
        if (k < 0)
            die("write");
        data += k;
        n -= (size_t)k;
    }
}

static size_t get(struct peer *p, unsigned char *data, size_t cap)
{
    ssize_t k = p->ssl ? SSL_read(p->ssl, data, (int)cap) : read(p->in, data, cap);
    if (k < 0)
        die("read");
    return (size_t)k;
}

/* The bytes that a text with escapes means; to be freed. */
static unsigned char *unescape(const char *text, size_t *len)
{
    unsigned char *out = malloc(strlen(text) + 1);
    size_t n = 0;
    if (!out)
        die("malloc");
    for (const char *s = text; *s; s++) {
        if (*s != '\\') {
            out[n++] = (unsigned char)*s;
            continue;
        }
        char hex[3] = {0};
        switch (*++s) {
        case 'r': out[n++] = '\r'; break;
        case 'n': out[n++] = '\n'; break;
        case '0': out[n++] = 0; break;
        case 'x':
            memcpy(hex, s + 1, 2);
            out[n++] = (unsigned char)strtoul(hex, NULL, 16);
            s += 2;
            break;
        default: out[n++] = (unsigned char)*s; break;
        }
    }
    *len = n;
    return out;
}

static void step_send(struct peer *p, const char *text)
{
    size_t n;
    unsigned char *out = unescape(text, &n);
    put(p, out, n);
    free(out);
}

static void step_flood(struct peer *p, const char *text)
{
    static unsigned char block[BLOCK];
    size_t n, have = 0;
    unsigned char *one = unescape(text, &n);
    while (have + n <= sizeof block) {
        memcpy(block + have, one, n);
        have += n;
    }
    free(one);
    while (write(p->out, block, have) > 0)
        ;
}

static void step_gen(struct peer *p, const char *arg)
{
    static unsigned char block[BLOCK];
    uint64_t v[2];
    struct gen g;
    numbers(arg, v, 2);
    gen_init(&g, v[1]);
    for (uint64_t left = v[0]; left > 0;) {
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        gen_bytes(&g, block, n);
        put(p, block, n);
        left -= n;
    }
}

static void step_check(struct peer *p, const char *arg)
{
    static unsigned char block[BLOCK], want[BLOCK];
    uint64_t v[2];
    struct gen g;
    numbers(arg, v, 2);
    gen_init(&g, v[1]);
    for (uint64_t at = 0; at < v[0];) {
        size_t n = get(p, block, v[0] - at < BLOCK ? (size_t)(v[0] - at) : BLOCK);
        if (n == 0) {
            fprintf(stderr, "peer: end of file after %llu bytes\n", (unsigned long long)at);
            exit(1);
        }
        gen_bytes(&g, want, n);
        if (memcmp(block, want, n) != 0) {
            fprintf(stderr, "peer: wrong bytes in the block at %llu\n", (unsigned long long)at);
            exit(1);
        }
        at += n;
    }
}

static void step_recv(struct peer *p, uint64_t count, bool line)
{
    unsigned char c;
    while (count > 0) {
        if (get(p, &c, 1) == 0) {
            fflush(p->report);
            errno = 0;
            die("unexpected end of file");
        }
        fputc(c, p->report);
        count--;
        if (line && c == '\n')
            break;
    }
    fflush(p->report);
}

static void step_sum(struct peer *p)
{
    static unsigned char block[BLOCK];
    uint64_t total = 0, sum = UINT64_C(0xcbf29ce484222325);
    size_t n;
    while ((n = get(p, block, BLOCK)) > 0) {
        total += n;
        for (size_t i = 0; i < n; i++)
            sum = (sum ^ block[i]) * UINT64_C(0x100000001b3);
    }
    fprintf(p->report, "%llu bytes, %016llx\n", (unsigned long long)total,
            (unsigned long long)sum);
    fflush(p->report);
}

static void step_save(struct peer *p, const char *path)
{
    static unsigned char block[BLOCK];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n;
    if (fd < 0)
        die(path);
    while ((n = get(p, block, BLOCK)) > 0)
        if (write(fd, block, n) != (ssize_t)n)
            die(path);
    close(fd);
}

static void step_file(struct peer *p, const char *path)
{
    static unsigned char block[BLOCK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    if (fd < 0)
        die(path);
    while ((n = read(fd, block, BLOCK)) > 0)
        put(p, block, (size_t)n);
    close(fd);
}

static void step_echo(struct peer *p)
{
    static unsigned char block[BLOCK];
    size_t n;
    while ((n = get(p, block, BLOCK)) > 0)
        put(p, block, n);
}

static void step_shut(struct peer *p)
{
    if (p->ssl && SSL_shutdown(p->ssl) < 0)
        die("SSL_shutdown");
    if (p->in == p->out ? shutdown(p->out, SHUT_WR) : close(p->out))
        die("shutdown");
}

static void step_duplex(struct peer *p, const char *arg)
{
    static unsigned char out[BLOCK], in[BLOCK], want[BLOCK];
    uint64_t v[4];
    struct gen gout, gin;
    size_t off = 0, have = 0;
    numbers(arg, v, 4);
    gen_init(&gout, v[1]);
    gen_init(&gin, v[3]);
    uint64_t unsent = v[0], unread = v[2];
    bool sending = true, reading = true;
    fcntl(p->out, F_SETFL, O_NONBLOCK);
    while (sending || reading) {
        if (sending && have == 0 && unsent > 0) {
            have = unsent < BLOCK ? (size_t)unsent : BLOCK;
            gen_bytes(&gout, out, have);
            unsent -= have;
            off = 0;
        }
        if (sending && have == 0) {
            step_shut(p);
            sending = false;
            continue;
        }
        struct pollfd f[2] = {{reading ? p->in : -1, POLLIN, 0}, {sending ? p->out : -1, POLLOUT, 0}};
        if (poll(f, 2, -1) < 0)
            die("poll");
        if (f[1].revents) {
            ssize_t k = write(p->out, out + off, have);
            if (k < 0 && errno != EAGAIN)
                die("write");
            if (k > 0) {
                off += (size_t)k;
                have -= (size_t)k;
            }
        }
        if (f[0].revents) {
            ssize_t k = read(p->in, in, BLOCK);
            if (k < 0 && errno == EAGAIN)
                continue;
            if (k < 0)
                die("read");
            reading = k > 0;
            if ((uint64_t)k > unread || (k == 0 && unread > 0)) {
                fprintf(stderr, "peer: %llu bytes %s\n", (unsigned long long)unread,
                        k ? "expected, more came" : "are missing");
                exit(1);
            }
            gen_bytes(&gin, want, (size_t)k);
            if (memcmp(in, want, (size_t)k) != 0) {
                errno = 0;
                die("wrong bytes");
            }
            unread -= (uint64_t)k;
        }
    }
}

static void step_reset(struct peer *p)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};
    if (setsockopt(p->out, SOL_SOCKET, SO_LINGER, &l, sizeof l))
        die("SO_LINGER");
    close(p->out);
    exit(0);
}

static void pause_shortly(void)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

static void step_until(const char *path)
{
    while (access(path, F_OK))
        pause_shortly();
}

static void step_dribble(struct peer *p, const char *text)
{
    while (write(p->out, text, strlen(text)) > 0)
        pause_shortly();
}

static void step_drained(struct peer *p)
{
    int queued = 0;
    while (ioctl(p->out, SIOCOUTQ, &queued) == 0 && queued > 0)
        pause_shortly();
}

#include "peer_tls.h"

static void do_step(struct peer *p, const char *step)
{
    const char *colon = strchr(step, ':');
    const char *arg = colon ? colon + 1 : "";
    size_t n = colon ? (size_t)(colon - step) : strlen(step);
    char extra;
#define IS(word) (n == sizeof word - 1 && strncmp(step, word, n) == 0)
    if (IS("send"))
        step_send(p, arg);
    else if (IS("gen"))
        step_gen(p, arg);
    else if (IS("file"))
        step_file(p, arg);
    else if (IS("drip"))
        p->drip = true;
    else if (IS("recv"))
        step_recv(p, strtoull(arg, NULL, 10), false);
    else if (IS("line"))
        step_recv(p, 65536, true);
    else if (IS("check"))
        step_check(p, arg);
    else if (IS("eof")) {
        if (get(p, (unsigned char *)&extra, 1) != 0) {
            errno = 0;
            die("more bytes instead of end of file");
        }
    } else if (IS("sum"))
        step_sum(p);
    else if (IS("save"))
        step_save(p, arg);
    else if (IS("echo"))
        step_echo(p);
    else if (IS("duplex"))
        step_duplex(p, arg);
    else if (IS("shut"))
        step_shut(p);
    else if (IS("reset"))
        step_reset(p);
    else if (IS("until"))
        step_until(arg);
    else if (IS("drained"))
        step_drained(p);
    else if (IS("flood"))
        step_flood(p, arg);
    else if (IS("dribble"))
        step_dribble(p, arg);
    else if (step_tls(p, step, n, arg))
        ;
    else if (IS("touch"))
        close(open(arg, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    else if (IS("say")) {
        fprintf(p->report, "%s\n", arg);
        fflush(p->report);
    } else {
        fprintf(stderr, "peer: unknown step \"%s\"\n", step);
        exit(2);
    }
#undef IS
}

static int local_socket(const char *name, bool listening, struct sockaddr_storage *ss, socklen_t *n)
{
    memset(ss, 0, sizeof *ss);
    if (strncmp(name, "unix:", 5) == 0) {
        struct sockaddr_un *un = (void *)ss;
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", name + 5);
        *n = sizeof *un;
    } else {
        struct sockaddr_in *in = (void *)ss;
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port = htons(listening ? 0 : (uint16_t)atoi(name));
        *n = sizeof *in;
    }
    int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    return fd;
}

static int listen_one(const char *name)
{
    struct sockaddr_storage ss;
    socklen_t n;
    int fd = local_socket(name, true, &ss, &n);
    if (bind(fd, (void *)&ss, n) || listen(fd, 8))
        die("listen");
    if (ss.ss_family == AF_INET) {
        if (getsockname(fd, (void *)&ss, &n))
            die("getsockname");
        printf("port %d\n", ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port));
    } else {
        printf("ready\n");
    }
    fflush(stdout);
    int c = accept(fd, NULL, NULL);
    if (c < 0)
        die("accept");
    close(fd);
    return c;
}

static int connect_one(const char *name)
{
    struct sockaddr_storage ss;
    socklen_t n;
    int fd = local_socket(name, false, &ss, &n);
    if (connect(fd, (void *)&ss, n))
        die("connect");
    return fd;
}

static int clients(const char *port, size_t count, size_t bytes)
{
    unsigned char *data = malloc(bytes), *back = malloc(bytes);
    int *fd = calloc(count, sizeof *fd);
    size_t good = 0;
    if (!data || !back || !fd)
        die("malloc");
    for (size_t i = 0; i < count; i++)
        fd[i] = connect_one(port);
    for (size_t i = 0; i < count; i++) {
        struct gen g;
        gen_init(&g, i + 1);
        gen_bytes(&g, data, bytes);
        if (send(fd[i], data, bytes, MSG_NOSIGNAL) != (ssize_t)bytes ||
            shutdown(fd[i], SHUT_WR))
            continue;
    }
    for (size_t i = 0; i < count; i++) {
        struct gen g;
        size_t got = 0;
        ssize_t k;
        gen_init(&g, i + 1);
        gen_bytes(&g, data, bytes);
        while (got < bytes && (k = read(fd[i], back + got, bytes - got)) > 0)
            got += (size_t)k;
        unsigned char extra;
        if (got == bytes && memcmp(data, back, bytes) == 0 && read(fd[i], &extra, 1) == 0)
            good++;
        close(fd[i]);
    }
    printf("%zu of %zu\n", good, count);
    free(data);
    free(back);
    free(fd);
    return good == count ? 0 : 1;
}

struct client {
    int fd;
    bool vanishes;
    size_t got;
};

/* Connects and sends; one that vanishes does so at one of three moments, with a reset or without. */
static void client_start(struct client *c, const char *port, unsigned n, const char *data, size_t bytes,
                         unsigned vanishing)
{
    *c = (struct client){.fd = connect_one(port), .vanishes = n * 37 % 100 < vanishing};
    if (c->vanishes) {
        struct linger l = {.l_onoff = n % 2, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        if (n % 3)
            (void)send(c->fd, data, bytes, MSG_NOSIGNAL);
        if (n % 3 == 2)
            shutdown(c->fd, SHUT_WR);
        close(c->fd);
        return;
    }
    (void)send(c->fd, data, bytes, MSG_NOSIGNAL);
    shutdown(c->fd, SHUT_WR);
}

static bool client_is_well(const struct client *c, const char *data, char *back, size_t bytes)
{
    size_t got = 0;
    ssize_t k;
    while ((k = read(c->fd, back + got, bytes + 1 - got)) > 0)
        got += (size_t)k;
    close(c->fd);
    return k == 0 && got == bytes && memcmp(data, back, bytes) == 0;
}

static int storm(const char *port, unsigned count, unsigned at_once, size_t bytes, unsigned vanishing)
{
    struct client *c = calloc(at_once, sizeof *c);
    char *data = calloc(1, bytes + 1), *back = calloc(1, bytes + 2);
    unsigned good = 0, bad = 0;
    if (!c || !data || !back)
        die("malloc");
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)('a' + i % 26);
    for (unsigned n = 0; n < count + at_once; n++) {
        struct client *slot = &c[n % at_once];
        if (n >= at_once && !slot->vanishes)
            *(client_is_well(slot, data, back, bytes) ? &good : &bad) += 1;
        if (n < count)
            client_start(slot, port, n, data, bytes, vanishing);
    }
    printf("%u of %u\n", good, good + bad);
    free(c);
    free(data);
    free(back);
    return bad ? 1 : 0;
}

/* Until a signal comes. What each sends, as much as finds room, and never reads the answers of. */
static int hold(const char *port, size_t count, size_t sends)
{
    static const char zeros[65536];
    for (size_t i = 0; i < count; i++) {
        int fd = connect_one(port);
        for (size_t left = sends; left > 0;) {
            struct pollfd pfd = {.fd = fd, .events = POLLOUT};
            ssize_t n = poll(&pfd, 1, 20) > 0
                            ? send(fd, zeros, left < sizeof zeros ? left : sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL)
                            : -1;
            left = n > 0 ? left - (size_t)n : 0;
        }
    }
    printf("%zu\n", count);
    fflush(stdout);
    return pause();
}

static int inherited(void)
{
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    printf("descriptors");
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    printf("; signals");
    for (int sig = 1; sig < 32; sig++) {
        struct sigaction is;
        if (sigaction(sig, NULL, &is) == 0 &&
            (is.sa_handler == SIG_IGN || sigismember(&blocked, sig)))
            printf(" %d", sig);
    }
    printf("\n");
    return 0;
}

static int freeport(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    unsigned at = (unsigned)t.tv_nsec ^ (unsigned)getpid() * 7919U;
    for (int tries = 0; tries < 1000; tries++, at += 7) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        in.sin_port = htons((uint16_t)(12000 + at % 20000));
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = bind(fd, (void *)&in, sizeof in);
        close(fd);
        if (r == 0) {
            printf("%d\n", ntohs(in.sin_port));
            return 0;
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct peer p = {.in = 0, .out = 1, .report = stdout};
    int at = 2;
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "inherited") == 0)
        return inherited();
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "freeport") == 0)
        return freeport();
    if (strcmp(argv[1], "gen") == 0 && argc > 2) {
        char spec[64];
        snprintf(spec, sizeof spec, "%s:%s", argv[2], argc > 3 ? argv[3] : "1");
        step_gen(&p, spec);
        return 0;
    }
    if (strcmp(argv[1], "clients") == 0 && argc == 5)
        return clients(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    if (strcmp(argv[1], "storm") == 0 && argc > 5)
        return storm(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]),
                     strtoul(argv[5], NULL, 10), argc > 6 ? (unsigned)atoi(argv[6]) : 0);
    if (strcmp(argv[1], "hold") == 0 && (argc == 4 || argc == 5))
        return hold(argv[2], strtoul(argv[3], NULL, 10), argc == 5 ? strtoul(argv[4], NULL, 10) : 0);
    if (strcmp(argv[1], "listen") == 0) {
        bool named = argc > 2 && strncmp(argv[2], "unix:", 5) == 0;
        p.in = p.out = listen_one(named ? argv[2] : "tcp");
        at += named;
    } else if (strcmp(argv[1], "connect") == 0 && argc > 2) {
        p.in = p.out = connect_one(argv[at++]);
    } else if (strcmp(argv[1], "stdio") == 0) {
        p.report = stderr;
    } else {
        fprintf(stderr, "peer: see the top of its source\n");
        return 2;
    }
    if (p.in == p.out) {
        int one = 1;
        setsockopt(p.out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    for (; at < argc; at++)
        do_step(&p, argv[at]);
    SSL_free(p.ssl);
    return 0;
}
