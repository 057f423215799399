/* SPDX-License-Identifier: GPL-2.0-or-later
 * Many connections in one thread, over epoll.
 *
 *   many serve <pem>|plain [<path>]   a bare echo server, of TLS or of plain bytes, on 127.0.0.1 (its port
 *                                     is printed) or on that UNIX socket, until a signal comes
 *   many hold <port> <count> <at once>
 *       so many TLS clients at the same time, of which so many shake hands at once; says "held <n> of
 *       <count>", and waits for a line; then each says something of its own, one after the other, and
 *       awaits the same: "well <n> of <count>"; after another line each says goodbye. They come from
 *       several addresses, so that ports do not run out.
 *
 * Both keep as little as OpenSSL can: its buffers are given back while a connection rests. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { EVENTS = 64, BLOCK = 16384, FROM_ONE_ADDRESS = 8000, PATIENCE_MS = 60000 };

struct end {
    SSL *ssl; /* NULL: plain */
    int fd;
    bool shaken;
};

static void die(const char *what)
{
    fprintf(stderr, "many: %s: %s\n", what,
            ERR_peek_error() ? ERR_reason_error_string(ERR_peek_error()) : strerror(errno));
    exit(1);
}

static SSL_CTX *context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx)
        die("SSL_CTX_new");
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return ctx;
}

static SSL *session(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);
    if (!ssl || SSL_set_fd(ssl, fd) != 1)
        die("SSL_new");
    return ssl;
}

static void allow_descriptors(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void await(int epfd, int fd, int op, uint32_t events, void *whom)
{
    struct epoll_event ev = {.events = events, .data.ptr = whom};
    if (epoll_ctl(epfd, op, fd, &ev) < 0)
        die("epoll_ctl");
}

/* ---- the bare server ---- */

static int listen_at(const char *path)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } at = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at.in;
    if (path) {
        at.un.sun_family = AF_UNIX;
        snprintf(at.un.sun_path, sizeof at.un.sun_path, "%s", path);
        n = sizeof at.un;
    }
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &at.any, n) < 0 || listen(fd, 4096) < 0 || getsockname(fd, &at.any, &n) < 0)
        die("listen");
    printf("%d\n", path ? 0 : ntohs(at.in.sin_port));
    fflush(stdout);
    return fd;
}

static void end_close(struct end *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    free(c);
}

/* Gives what came, 0 nothing, -1 the end. An echo is short enough to go out at once. */
static ssize_t echo(const struct end *c)
{
    static char block[BLOCK];
    size_t n = 0;
    if (!c->ssl) {
        ssize_t got = read(c->fd, block, sizeof block);
        return got > 0 ? write(c->fd, block, (size_t)got) : got < 0 && errno == EAGAIN ? 0 : -1;
    }
    if (SSL_read_ex(c->ssl, block, sizeof block, &n) != 1)
        return SSL_get_error(c->ssl, 0) == SSL_ERROR_WANT_READ ? 0 : -1;
    return SSL_write_ex(c->ssl, block, n, &n) == 1 ? (ssize_t)n : -1;
}

/* False: it is over. */
static bool serve_one(struct end *c)
{
    ssize_t n = 1;
    if (c->ssl && !c->shaken) {
        int rc = SSL_accept(c->ssl);
        c->shaken = rc == 1;
        if (rc != 1)
            return SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ;
    }
    while (n > 0)
        n = echo(c);
    ERR_clear_error();
    return n == 0;
}

static void accept_all(int listener, int epfd, SSL_CTX *ctx)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct end *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        *c = (struct end){.ssl = ctx ? session(ctx, fd) : NULL, .fd = fd};
        if (c->ssl)
            SSL_set_accept_state(c->ssl);
        await(epfd, fd, EPOLL_CTL_ADD, EPOLLIN, c);
    }
}

static _Noreturn void serve(const char *pem, const char *path)
{
    struct epoll_event ev[EVENTS];
    SSL_CTX *ctx = strcmp(pem, "plain") == 0 ? NULL : context(TLS_server_method());
    if (ctx && (SSL_CTX_use_certificate_chain_file(ctx, pem) != 1 ||
                SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1))
        die(pem);
    int listener = listen_at(path), epfd = epoll_create1(EPOLL_CLOEXEC);
    await(epfd, listener, EPOLL_CTL_ADD, EPOLLIN, NULL);
    for (;;) {
        int n = epoll_wait(epfd, ev, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (!ev[i].data.ptr)
                accept_all(listener, epfd, ctx);
            else if (!serve_one(ev[i].data.ptr))
                end_close(ev[i].data.ptr);
        }
    }
}

/* ---- the clients ---- */

static int connect_one(in_port_t port, size_t i)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / FROM_ONE_ADDRESS));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = port;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Waits for what the call needs; false: it has failed. */
static bool wait_for(const struct end *c, int result)
{
    int reason = SSL_get_error(c->ssl, result);
    struct pollfd p = {.fd = c->fd, .events = reason == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};
    return (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) &&
           poll(&p, 1, PATIENCE_MS) > 0;
}

static void shake_all(struct end *ends, size_t count, size_t at_once, in_port_t port)
{
    struct epoll_event ev[EVENTS];
    SSL_CTX *ctx = context(TLS_client_method());
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t begun = 0, over = 0; over < count;) {
        for (; begun < count && begun - over < at_once; begun++) {
            int fd = connect_one(port, begun);
            ends[begun] = (struct end){.ssl = session(ctx, fd), .fd = fd};
            SSL_set_connect_state(ends[begun].ssl);
            await(epfd, fd, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLET, &ends[begun]);
        }
        int n = epoll_wait(epfd, ev, EVENTS, PATIENCE_MS);
        if (n == 0)
            return; /* the rest is lost */
        for (int i = 0; i < n; i++) {
            struct end *c = ev[i].data.ptr;
            int rc = SSL_do_handshake(c->ssl);
            if (rc != 1 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ)
                continue;
            c->shaken = rc == 1;
            over++;
            epoll_ctl(epfd, EPOLL_CTL_DEL, c->fd, NULL);
        }
    }
    close(epfd);
}

static bool is_well(const struct end *c, size_t i)
{
    char said[64], heard[64];
    size_t n = (size_t)snprintf(said, sizeof said, "this is client %zu\n", i), got = 0, done;
    while (SSL_write_ex(c->ssl, said, n, &done) != 1)
        if (!wait_for(c, 0))
            return false;
    while (got < n) {
        if (SSL_read_ex(c->ssl, heard + got, n - got, &done) == 1)
            got += done;
        else if (!wait_for(c, 0))
            return false;
    }
    return memcmp(said, heard, n) == 0;
}

static void tell(const char *what, size_t n, size_t count)
{
    printf("%s %zu of %zu\n", what, n, count);
    fflush(stdout);
    while (getchar() != '\n' && !feof(stdin))
        ;
}

static int hold(const char *port, size_t count, size_t at_once)
{
    struct end *ends = calloc(count, sizeof *ends);
    size_t held = 0, well = 0;
    if (!ends)
        die("calloc");
    shake_all(ends, count, at_once, htons((in_port_t)atoi(port)));
    for (size_t i = 0; i < count; i++)
        held += ends[i].shaken;
    tell("held", held, count);
    for (size_t i = 0; i < count; i++)
        well += ends[i].shaken && is_well(&ends[i], i);
    tell("well", well, count);
    for (size_t i = 0; i < count; i++) {
        if (ends[i].shaken)
            (void)SSL_shutdown(ends[i].ssl);
        close(ends[i].fd);
    }
    return well == count ? 0 : 1;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    allow_descriptors();
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        serve(argv[2], argc > 3 ? argv[3] : NULL);
    if (argc == 5 && strcmp(argv[1], "hold") == 0)
        return hold(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    fprintf(stderr, "many: see the top of its source\n");
    return 2;
}
