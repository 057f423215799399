/* SPDX-License-Identifier: GPL-2.0-or-later
 * Short connections through a relay, one after the other at each of n clients.
 *
 *   conns [-c clients] [-s seconds] [-t] [-T] [-r] [-2] [-a socks5|connect] <near port> <far port>
 *
 * A client connects, sends 64 bytes, gets 64 bytes and end of file, and closes; the far end is the
 * server that answers and closes. One epoll thread each. "ready", a line, then the result as JSON.
 *   -t  the clients speak TLS (the relay is a TLS server)     -T  so does the server
 *       (with a CONNECT dialog before, if the relay begins so)
 *   -a  the clients ask the relay, a server of that kind, to connect them to the far port
 *   -r  whoever here speaks TLS gives tickets as server, and resumes with what it got as client; the handshakes
 *       that were full ones are counted
 *   -2  TLS 1.2, not 1.3
 * Without -r a TLS handshake is always a full one. */
#include "ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, HEAD = 2048, EVENTS = 256, LIMIT_SECONDS = 60, DRAIN_SECONDS = 5 };

/* What a connection does, in the order of its role. */
enum step { GREET, GREETED, ASK, ANSWERED, CONNECT_DIALOG, CONNECT_REPLY, HANDSHAKE, SEND, RECEIVE, WAIT_END, DONE };
static const char *const step_names[] = {"greet", "greeted", "ask", "answered", "dialog", "reply", "handshake", "send", "receive", "end"};
static const enum step client_steps[] = {GREET, GREETED, ASK, ANSWERED, HANDSHAKE, SEND, RECEIVE, WAIT_END, DONE};
static const enum step server_steps[] = {CONNECT_DIALOG, CONNECT_REPLY, HANDSHAKE,
                                         RECEIVE,        SEND,          DONE};

enum outcome { WAITING, FINISHED, FAILED };

/* What is sent and how long the answer to it is, twice; 0 and no bytes: not at all. */
struct dialog {
    char greeting[8], request[64];
    size_t ngreeting, ngreeted, nrequest, nanswer; /* nanswer 0: up to an empty line */
};

struct conn {
    int fd;
    SSL *ssl;
    const enum step *step;
    size_t done;
    char buf[HEAD];
};

static struct setting {
    int clients, near, far, listener;
    double seconds;
    bool near_tls, far_tls, resumes, old, asks;
    atomic_ulong full;
    struct dialog dialog;
    atomic_bool over;
} set = {.clients = 16, .seconds = 1};

static char message[MESSAGE];

/* > 0: bytes; 0: end; -1: would block; -2: failed. */
static ssize_t conn_io(struct conn *c, bool sending, void *data, size_t size)
{
    size_t n = 0;
    ssize_t got;

    if (c->ssl && *c->step >= HANDSHAKE) {
        int r =
            sending ? SSL_write_ex(c->ssl, data, size, &n) : SSL_read_ex(c->ssl, data, size, &n);
        int error = r == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);

        if (error == SSL_ERROR_NONE)
            return (ssize_t)n;
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
            return -1;
        return error == SSL_ERROR_ZERO_RETURN ? 0 : -2;
    }
    got = sending ? send(c->fd, data, size, MSG_NOSIGNAL) : recv(c->fd, data, size, 0);
    if (got < 0)
        return errno == EAGAIN || errno == ENOTCONN || errno == EINTR ? -1 : -2;
    return got;
}

/* ---- sessions that the clients may resume ---- */

static struct {
    SSL_SESSION *v[256];
    size_t n;
} kept;

static int keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (kept.n == sizeof(kept.v) / sizeof(kept.v[0]))
        return 0;
    kept.v[kept.n++] = session;
    return 1;
}

static void resume(SSL *ssl)
{
    if (kept.n == 0)
        return;
    SSL_set_session(ssl, kept.v[--kept.n]);
    SSL_SESSION_free(kept.v[kept.n]);
}

static SSL_CTX *context(bool server)
{
    SSL_CTX *ctx = tls_context(server);

    if (set.old && (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
                    !SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION)))
        die("no TLS 1.2", NULL);
    if (set.resumes && server)
        SSL_CTX_set_num_tickets(ctx, 1);
    else if (set.resumes) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep);
    }
    return ctx;
}

static enum outcome conn_handshake(struct conn *c)
{
    int r = c->ssl ? SSL_do_handshake(c->ssl) : 1;
    int error = r == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);

    if (c->ssl && error == SSL_ERROR_NONE && !SSL_session_reused(c->ssl))
        atomic_fetch_add(&set.full, 1);
    else if (c->ssl && error == SSL_ERROR_NONE && set.old && !SSL_is_server(c->ssl)) {
        SSL_SESSION *again = SSL_get1_session(c->ssl); /* of TLS 1.2 it is good for more than one */

        if (!keep(c->ssl, again))
            SSL_SESSION_free(again);
    }

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return WAITING;
    return error == SSL_ERROR_NONE ? FINISHED : FAILED;
}

static enum outcome conn_transfer(struct conn *c, bool sending, char *data, size_t size)
{
    while (c->done < size) {
        ssize_t n = conn_io(c, sending, data + c->done, size - c->done);

        if (n == -1)
            return WAITING;
        if (n <= 0)
            return FAILED;
        c->done += (size_t)n;
    }
    return FINISHED;
}

static enum outcome conn_head(struct conn *c)
{
    char first;

    if (c->done == 0) {
        ssize_t n = recv(c->fd, &first, 1, MSG_PEEK);

        if (n <= 0)
            return n < 0 && errno == EAGAIN ? WAITING : FAILED;
        if (first != 'C') {
            c->step++; /* no dialog, no reply to it */
            return FINISHED;
        }
    }
    while (c->done < 4 || memcmp(c->buf + c->done - 4, "\r\n\r\n", 4) != 0) {
        ssize_t n = c->done < HEAD ? conn_io(c, false, c->buf + c->done, HEAD - c->done) : -2;

        if (n == -1)
            return WAITING;
        if (n <= 0)
            return FAILED;
        c->done += (size_t)n;
    }
    return FINISHED;
}

/* Byte by byte at its end: what follows is the target's. */
static enum outcome conn_answer(struct conn *c)
{
    if (set.dialog.nanswer > 0)
        return conn_transfer(c, false, c->buf, set.dialog.nanswer) == WAITING ? WAITING
               : c->buf[1] == 0                                              ? FINISHED
                                                                             : FAILED;
    while (c->done < 4 || memcmp(c->buf + c->done - 4, "\r\n\r\n", 4) != 0) {
        enum outcome one = c->done < HEAD ? conn_transfer(c, false, c->buf, c->done + 1) : FAILED;
        if (one != FINISHED)
            return one;
    }
    return memcmp(c->buf + 8, " 200", 4) == 0 ? FINISHED : FAILED;
}

/* End of file after the answer; how a TLS peer ends is its own affair. */
static enum outcome conn_end(struct conn *c)
{
    char more;
    ssize_t n = conn_io(c, false, &more, 1);

    if (n == -1)
        return WAITING;
    return n == 0 || (n == -2 && c->ssl) ? FINISHED : FAILED;
}

static enum outcome conn_step(struct conn *c)
{
    static char reply[] = "HTTP/1.1 200 OK\r\n\r\n";
    enum outcome outcome;

    for (;; c->step++, c->done = 0) {
        switch (*c->step) {
        case GREET:
            outcome = conn_transfer(c, true, set.dialog.greeting, set.dialog.ngreeting);
            break;
        case GREETED:
            outcome = conn_transfer(c, false, c->buf, set.dialog.ngreeted);
            break;
        case ASK:
            outcome = conn_transfer(c, true, set.dialog.request, set.dialog.nrequest);
            break;
        case ANSWERED:
            outcome = set.asks ? conn_answer(c) : FINISHED;
            break;
        case CONNECT_DIALOG:
            outcome = set.far_tls ? conn_head(c) : FINISHED;
            break;
        case CONNECT_REPLY:
            outcome = set.far_tls ? conn_transfer(c, true, reply, sizeof(reply) - 1) : FINISHED;
            break;
        case HANDSHAKE:
            outcome = conn_handshake(c);
            break;
        case SEND:
            outcome = conn_transfer(c, true, message, MESSAGE);
            break;
        case RECEIVE:
            outcome = conn_transfer(c, false, c->buf, MESSAGE);
            if (outcome == FINISHED && memcmp(c->buf, message, MESSAGE) != 0)
                outcome = FAILED;
            break;
        case WAIT_END:
            outcome = conn_end(c);
            break;
        default:
            return FINISHED;
        }
        if (outcome != FINISHED)
            return outcome;
    }
}

static void conn_start(struct conn *c, int epoll, int fd, const enum step *steps, SSL_CTX *tls)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    int one = 1;

    c->fd = fd;
    c->step = steps;
    c->done = 0;
    c->ssl = NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (tls) {
        c->ssl = SSL_new(tls);
        if (!c->ssl || !SSL_set_fd(c->ssl, fd))
            die("no TLS session", NULL);
        if (steps == server_steps)
            SSL_set_accept_state(c->ssl);
        else {
            SSL_set_connect_state(c->ssl);
            resume(c->ssl);
        }
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl", NULL);
}

static void conn_close(struct conn *c)
{
    if (c->ssl) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    c->ssl = NULL;
    c->fd = -1;
}

static void accept_all(int epoll, SSL_CTX *tls)
{
    int fd;

    while ((fd = accept4(set.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = malloc(sizeof(*c));

        if (!c)
            die("no memory", NULL);
        conn_start(c, epoll, fd, server_steps, tls);
    }
}

static void *server(void *arg)
{
    struct epoll_event events[EVENTS], listening = {.events = EPOLLIN};
    SSL_CTX *tls = set.far_tls ? context(true) : NULL;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    (void)arg;
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, set.listener, &listening) < 0)
        die("epoll", NULL);
    while (!atomic_load(&set.over)) {
        int n = epoll_wait(epoll, events, EVENTS, 100);

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;

            if (!c)
                accept_all(epoll, tls);
            else if (conn_step(c) != WAITING) {
                conn_close(c);
                free(c);
            }
        }
    }
    return NULL;
}

static void client_open(struct conn *c, int epoll, SSL_CTX *tls)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)set.near)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS))
        die("cannot connect", NULL);
    conn_start(c, epoll, fd, client_steps, tls);
}

static void run_clients(void)
{
    struct conn *conns = calloc((size_t)set.clients, sizeof(*conns));
    SSL_CTX *tls = set.near_tls ? context(false) : NULL;
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), open = set.clients;
    unsigned long completed = 0, in_time = 0, failed = 0;
    const char *where = "time ran out"; /* of the first failure */
    uint64_t start = now_ns(), now = start, stop = start + (uint64_t)(set.seconds * 1e9);

    if (!conns || epoll < 0)
        die("no memory", NULL);
    for (int i = 0; i < set.clients; i++)
        client_open(&conns[i], epoll, tls);
    while (open > 0 && now < stop + DRAIN_SECONDS * UINT64_C(1000000000)) {
        int n = epoll_wait(epoll, events, EVENTS, 100);

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            enum outcome outcome = c->fd < 0 ? WAITING : conn_step(c);

            if (outcome == WAITING)
                continue;
            if (outcome == FAILED && failed == 0)
                where = step_names[*c->step];
            conn_close(c);
            completed += outcome == FINISHED;
            failed += outcome == FAILED;
            now = now_ns();
            in_time += outcome == FINISHED && now <= stop;
            if (now < stop)
                client_open(c, epoll, tls);
            else
                open--;
        }
        now = now_ns();
    }
    failed += (unsigned long)open;
    printf("{\"completed\": %lu, \"in_time\": %lu, \"full\": %lu, \"seconds\": %.6f, \"fault\": \"", completed,
           in_time, atomic_load(&set.full), set.seconds);
    if (failed > 0)
        printf("%lu of %lu connections failed (%s)", failed, failed + completed, where);
    printf("\"}\n");
}

static void prepare_dialog(const char *kind)
{
    static const char greeting[] = "\5\1", request[] = "\5\1\0\1\x7f\0\0\1";
    struct dialog *d = &set.dialog;

    if (strcmp(kind, "socks5") == 0) {
        *d = (struct dialog){.ngreeting = sizeof(greeting), .ngreeted = 2, .nrequest = sizeof(request) + 1, .nanswer = 10};
        memcpy(d->greeting, greeting, sizeof(greeting));
        memcpy(d->request, request, sizeof(request) - 1);
        d->request[8] = (char)(set.far >> 8);
        d->request[9] = (char)(set.far & 0xff);
    } else if (strcmp(kind, "connect") == 0) {
        d->nrequest = (size_t)snprintf(d->request, sizeof(d->request), "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", set.far);
    } else {
        die("no such dialog: ", kind);
    }
    set.asks = true;
}

int main(int argc, char **argv)
{
    const char *asks = NULL;
    pthread_t thread;
    int c;

    while ((c = getopt(argc, argv, "2a:c:rs:tT")) != -1)
        switch (c) {
        case '2':
            set.old = true;
            break;
        case 'a':
            asks = optarg;
            break;
        case 'c':
            set.clients = atoi(optarg);
            break;
        case 'r':
            set.resumes = true;
            break;
        case 's':
            set.seconds = atof(optarg);
            break;
        case 't':
            set.near_tls = true;
            break;
        case 'T':
            set.far_tls = true;
            break;
        default:
            return 2;
        }
    if (argc - optind != 2 || set.clients < 1)
        die("usage: conns [options] <near port> <far port>", NULL);
    signal(SIGPIPE, SIG_IGN);
    alarm(LIMIT_SECONDS);
    memset(message, 'x', sizeof(message));
    set.near = atoi(argv[optind]);
    set.far = atoi(argv[optind + 1]);
    if (asks)
        prepare_dialog(asks);
    set.listener = tcp_listen(set.far, SOCK_NONBLOCK);
    if (pthread_create(&thread, NULL, server, NULL) != 0)
        die("no thread", NULL);
    say_ready();
    if (!wait_for_go())
        return 1;
    run_clients();
    atomic_store(&set.over, true);
    pthread_join(thread, NULL);
    return 0;
}
