/* SPDX-License-Identifier: GPL-2.0-or-later
 * A bare TLS relay: limit_tls [-b] client|server <port> <target port>. A thread for each
 * connection, 256 KiB buffers. -b: records are read and written in batches of that size too. As the
 * client it speaks TLS with the target, as the server with those who connect. */
#include "ends.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK = 256 * 1024 };

static struct {
    SSL_CTX *ctx;
    int target;
    bool server, batch;
} set;

struct relay {
    SSL *ssl;
    int secret, plain;
    char buf[CHUNK];
};

static SSL *session(int fd)
{
    SSL *ssl = SSL_new(set.ctx);
    int r;

    if (!ssl || !SSL_set_fd(ssl, fd))
        die("no TLS session", NULL);
    r = set.server ? SSL_accept(ssl) : SSL_connect(ssl);
    if (r != 1)
        return SSL_free(ssl), NULL;
    if (set.batch)
        tls_batch(ssl, fd);
    return ssl;
}

static bool encrypt(struct relay *r)
{
    ssize_t n = read(r->plain, r->buf, sizeof(r->buf));
    size_t done;

    if (n <= 0) {
        SSL_shutdown(r->ssl);
        tls_flush(r->ssl);
        shutdown(r->secret, SHUT_WR);
        return false;
    }
    for (size_t sent = 0; sent < (size_t)n; sent += done)
        if (SSL_write_ex(r->ssl, r->buf + sent, (size_t)n - sent, &done) != 1)
            return false;
    return tls_flush(r->ssl);
}

/* All records that are there. */
static bool decrypt(struct relay *r)
{
    size_t got = 0, n;

    while (got < sizeof(r->buf) &&
           SSL_read_ex(r->ssl, r->buf + got, sizeof(r->buf) - got, &n) == 1) {
        got += n;
        if (!tls_pending(r->ssl))
            break;
    }
    if (got > 0)
        return write_all(r->plain, r->buf, got);
    if (SSL_get_error(r->ssl, 0) == SSL_ERROR_WANT_READ)
        return true;
    shutdown(r->plain, SHUT_WR);
    return false;
}

static void *serve(void *arg)
{
    int client = (int)(intptr_t)arg, server = tcp_connect(set.target);
    struct relay *r = malloc(sizeof(*r));
    struct pollfd fds[2];

    if (!r)
        die("no memory", NULL);
    r->secret = set.server ? client : server;
    r->plain = set.server ? server : client;
    fds[0] = (struct pollfd){r->secret, POLLIN, 0};
    fds[1] = (struct pollfd){r->plain, POLLIN, 0};
    r->ssl = session(r->secret);
    while (r->ssl && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
        bool pending = fds[0].fd >= 0 && tls_pending(r->ssl);

        if (poll(fds, 2, pending ? 0 : -1) < 0)
            break;
        if ((pending || fds[0].revents) && !decrypt(r))
            fds[0].fd = -1;
        if (fds[1].revents && !encrypt(r))
            fds[1].fd = -1;
    }
    SSL_free(r->ssl);
    close(client);
    close(server);
    free(r);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_attr_t attr;
    pthread_t thread;
    int c, client, listener;

    while ((c = getopt(argc, argv, "b")) != -1)
        if (c == 'b')
            set.batch = true;
        else
            return 2;
    if (argc - optind != 3)
        die("usage: limit_tls [-b] client|server <port> <target port>", NULL);
    signal(SIGPIPE, SIG_IGN);
    set.server = strcmp(argv[optind], "server") == 0;
    set.target = atoi(argv[optind + 2]);
    set.ctx = tls_context(set.server);
    SSL_CTX_clear_mode(set.ctx, SSL_MODE_AUTO_RETRY);
    listener = tcp_listen(atoi(argv[optind + 1]), 0);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        if (pthread_create(&thread, &attr, serve, (void *)(intptr_t)client) != 0)
            die("no thread", NULL);
    die("accept", NULL);
}
