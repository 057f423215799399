/* SPDX-License-Identifier: GPL-2.0-or-later
 * Ends of streams for the load generators and the bare loops; see ends.h. */
#include "ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A relay that lets a stream stand still for so long has lost it. */
enum { STALL_SECONDS = 5, LISTEN_QUEUE = 1024, BATCH = CHUNK + 8 * 1024 };

_Noreturn void die(const char *what, const char *detail)
{
    int error = errno;

    fprintf(stderr, "bench: %s%s%s%s%s\n", what, detail ? " " : "", detail ? detail : "",
            error ? ": " : "", error ? strerror(error) : "");
    ERR_print_errors_fp(stderr);
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void no_delay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* UNIX sockets need none */
}

int tcp_listen(int port, int flags)
{
    struct sockaddr_in a = loopback(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, LISTEN_QUEUE) < 0)
        die("cannot listen on the loopback port", NULL);
    return fd;
}

int tcp_connect(int port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        die("cannot connect to the loopback port", NULL);
    no_delay(fd);
    return fd;
}

static int unix_socket(const char *path, bool listening)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
        die("no UNIX socket for", path);
    strcpy(a.sun_path, path);
    if (listening ? bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0
                  : connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        die(listening ? "cannot listen on" : "cannot connect to", path);
    return fd;
}

SSL_CTX *tls_context(bool server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    const char *cert = getenv("BENCH_CERT"), *key = getenv("BENCH_KEY");
    static char groups[] = "X25519:P-256"; /* OpenSSL's macro wants it writable */

    /* One cipher and group for all contenders; full handshakes only. */
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") ||
        !SSL_CTX_set1_groups_list(ctx, groups))
        die("no TLS context", NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (server && (!cert || !key || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
                   SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
        die("BENCH_CERT and BENCH_KEY must name a certificate and its key", NULL);
    return ctx;
}

static BIO *batch_bio(int fd)
{
    BIO *buffer = BIO_new(BIO_f_buffer()), *sock = BIO_new_socket(fd, BIO_NOCLOSE);

    if (!buffer || !sock || BIO_set_read_buffer_size(buffer, BATCH) != 1 ||
        BIO_set_write_buffer_size(buffer, BATCH) != 1)
        die("no memory", NULL);
    return BIO_push(buffer, sock);
}

void tls_batch(SSL *ssl, int fd)
{
    SSL_set_bio(ssl, batch_bio(fd), batch_bio(fd));
}

bool tls_flush(SSL *ssl)
{
    return BIO_flush(SSL_get_wbio(ssl)) == 1;
}

bool tls_pending(SSL *ssl)
{
    return SSL_has_pending(ssl) || BIO_pending(SSL_get_rbio(ssl)) > 0;
}

static void shake_hands(struct end *end, bool server)
{
    SSL_CTX *ctx = tls_context(server);

    end->ssl = SSL_new(ctx);
    if (!end->ssl || !SSL_set_fd(end->ssl, end->fd))
        die("no TLS session", NULL);
    if ((server ? SSL_accept(end->ssl) : SSL_connect(end->ssl)) != 1)
        die("TLS handshake failed", end->spec);
    tls_batch(end->ssl, end->fd); /* so that this end costs little */
}

/* The least that a client of a CONNECT proxy accepts; none who begins with TLS at once. */
static void answer_connect(int fd)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\n\r\n";
    char head[4096] = "";
    size_t n = 0;

    if (recv(fd, head, 1, MSG_PEEK) == 1 && head[0] != 'C')
        return;
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0)
        if (n == sizeof(head) || read(fd, head + n, 1) != 1)
            die("no CONNECT request", NULL);
        else
            n++;
    if (!write_all(fd, reply, sizeof(reply) - 1))
        die("cannot answer the CONNECT request", NULL);
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

void end_prepare(struct end *end, const char *spec)
{
    const char *rest;

    *end = (struct end){.spec = spec, .fd = -1, .listener = -1};
    if ((rest = strstr(spec, "-listen:")) && after(spec, "unix-listen:"))
        end->listener = unix_socket(after(spec, "unix-listen:"), true);
    else if (rest)
        end->listener = tcp_listen(atoi(rest + strlen("-listen:")), 0);
}

void end_complete(struct end *end)
{
    struct timeval limit = {.tv_sec = STALL_SECONDS};
    const char *rest;

    if (end->listener >= 0) {
        setsockopt(end->listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        end->fd = accept4(end->listener, NULL, NULL, SOCK_CLOEXEC);
        close(end->listener);
        no_delay(end->fd);
    } else if ((rest = after(end->spec, "tcp:")) || (rest = after(end->spec, "tls:")))
        end->fd = tcp_connect(atoi(rest));
    else if ((rest = after(end->spec, "unix:")))
        end->fd = unix_socket(rest, false);
    else if ((rest = after(end->spec, "in:")))
        end->fd = open(rest, O_RDONLY | O_CLOEXEC);
    else if ((rest = after(end->spec, "out:")))
        end->fd = open(rest, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    else if ((rest = after(end->spec, "fd:")))
        end->fd = atoi(rest);
    else if (strcmp(end->spec, "none") == 0)
        return;
    if (end->fd < 0)
        die("cannot open the end", end->spec);
    end->socket = setsockopt(end->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0;
    if (end->socket)
        setsockopt(end->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (after(end->spec, "tls-listen:"))
        answer_connect(end->fd);
    if (after(end->spec, "tls"))
        shake_hands(end, after(end->spec, "tls-listen:") != NULL);
}

/* As read(2); a TCP end without close_notify is an end of file here, the count tells. */
ssize_t end_read(struct end *end, void *buf, size_t size)
{
    size_t got = 0, n;

    if (!end->ssl)
        return read(end->fd, buf, size);
    while (got == 0 || (got < size && tls_pending(end->ssl)))
        if (SSL_read_ex(end->ssl, (char *)buf + got, size - got, &n) == 1)
            got += n;
        else
            break;
    return (ssize_t)got;
}

bool write_all(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool end_write(struct end *end, const void *data, size_t size)
{
    size_t n;

    if (!end->ssl)
        return write_all(end->fd, data, size);
    for (size_t done = 0; done < size; done += n)
        if (SSL_write_ex(end->ssl, (const char *)data + done, size - done, &n) != 1)
            return false;
    return tls_flush(end->ssl);
}

void end_shut(struct end *end)
{
    if (end->ssl) {
        SSL_shutdown(end->ssl);
        tls_flush(end->ssl);
    }
    if (end->socket)
        shutdown(end->fd, SHUT_WR);
    else if (end->fd >= 0)
        close(end->fd);
}

void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

bool wait_for_go(void)
{
    char line[16];

    return fgets(line, sizeof(line), stdin) != NULL;
}
