/* SPDX-License-Identifier: GPL-2.0-or-later
 * The port of a DTLS connection: one read is one record, and one block written is one (or several,
 * when it is larger than records may be). close_notify is the end of file. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "catena/diag.h"
#include "catena/handshake.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "endpoint/dtls/dtls.h"
#include "endpoint/options/opts_socket.h"

/* ---- what connections share ---- */

/* The cookie proves that the client is where its packets say: random, and known to nobody else. A
 * client that says its hello again because the answer was slow gets the same one: it may take either
 * answer. */
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    struct dtls *d = (struct dtls *)s;

    if (!d->has_cookie && RAND_bytes(d->cookie, sizeof d->cookie) != 1)
        return 0;
    d->has_cookie = true;
    memcpy(cookie, d->cookie, sizeof d->cookie);
    *len = sizeof d->cookie;
    return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    const struct dtls *d = (const struct dtls *)s;

    return d->has_cookie && len == sizeof d->cookie && memcmp(cookie, d->cookie, len) == 0;
}

struct dtls_shared *dtls_shared_new(const struct addr *a, const struct tls_role *role,
                                    struct run *r, struct err *e)
{
    struct dtls_shared *s = calloc(1, sizeof *s);

    if (s == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    atomic_init(&s->users, 1);
    s->both = *a;
    s->both.left = CTX_B;
    if (!role->server)
        s->both.host = a->params[0];
    if (tls_prepare_role(&s->both, role, r, &s->tls, e) < 0) {
        free(s);
        return NULL;
    }
    BIO_meth_free(s->tls->bio);
    s->tls->bio = dtls_bio_method();
    if (s->tls->bio == NULL) {
        (void)err_nomem(e);
        dtls_shared_drop(s);
        return NULL;
    }
    (void)SSL_CTX_set_options(s->tls->ctx, SSL_OP_NO_QUERY_MTU);
    if (role->server) {
        (void)SSL_CTX_set_options(s->tls->ctx, SSL_OP_COOKIE_EXCHANGE);
        SSL_CTX_set_cookie_generate_cb(s->tls->ctx, make_cookie);
        SSL_CTX_set_cookie_verify_cb(s->tls->ctx, check_cookie);
    }
    return s;
}

void dtls_shared_drop(struct dtls_shared *s)
{
    if (s == NULL || atomic_fetch_sub(&s->users, 1) > 1)
        return;
    tls_release(s->tls);
    free(s);
}

/* ---- reading ---- */

/* An SSL call did not succeed: -1 and errno, or 0 when the peer has said goodbye. */
static ssize_t stopped(struct dtls *d, const char *doing)
{
    struct err e;

    switch (SSL_get_error(d->tls.ssl, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        /* behind what meant nothing there may be more */
        errno = d->sys == EAGAIN || d->sys == ENOBUFS ? d->sys : EINTR;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        d->tls.got_bye = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        if (d->sys == 0 && !d->tls.said_bye)
            break;
        /* After our goodbye the library drops what is left of a handshake, a record at a time. */
        ERR_clear_error();
        errno = d->sys == 0 ? EINTR : d->sys;
        return -1;
    default:
        break;
    }
    d->broken = true;
    (void)tls_error(&e, ERR_PROTOCOL, "%s", doing);
    diag_err(DIAG_WARN, &e);
    errno = EPROTO;
    return -1;
}

/* Is there something that no poll() tells of? */
static bool has_more(const struct dtls *d)
{
    return d->inner_more || SSL_has_pending(d->tls.ssl);
}

static ssize_t next_record(struct dtls *d, void *buf, size_t cap)
{
    size_t n;

    ERR_clear_error();
    d->sys = 0;
    if (SSL_read_ex(d->tls.ssl, buf, cap, &n) == 1)
        return (ssize_t)n;
    ssize_t rc = stopped(d, "DTLS");
    if (rc < 0 && errno == ECONNREFUSED && d->tls.said_bye) {
        d->tls.got_bye = true; /* it has gone at our goodbye, without its own */
        return 0;
    }
    return rc;
}

static ssize_t dtls_read(struct port *p, void *buf, size_t cap)
{
    struct dtls *d = p->state;

    if (d->tls.got_bye)
        return 0;
    if (d->broken) {
        errno = EPROTO;
        return -1;
    }
    ssize_t n = next_record(d, buf, cap);
    int sys = errno;
    /* Several records may have come in one datagram, of which poll() does not tell, nor of a goodbye
     * that dtls_write() has met. */
    p->more = (n > 0 || (n < 0 && sys == EINTR)) && has_more(d);
    errno = sys;
    return n;
}

/* ---- writing and ending ---- */

static ssize_t dtls_write(struct port *p, const void *buf, size_t n)
{
    struct dtls *d = p->state;
    size_t done;

    if (n == 0)
        return 0;
    /* Where nobody reads, the peer is heard here: it may lack the end of the handshake, and asks for it
     * again. Its data are dropped. */
    if (d->unread && next_record(d, d->record, DTLS_ROOM) < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    if (n > d->fragment && !d->tls.told_split) {
        diag(DIAG_WARN, "a packet of %zu bytes becomes several DTLS records of up to %zu", n,
             d->fragment);
        d->tls.told_split = true;
    }
    ERR_clear_error();
    d->sys = 0;
    if (SSL_write_ex(d->tls.ssl, buf, n < d->fragment ? n : d->fragment, &done) == 1)
        return (ssize_t)done;
    ssize_t rc = stopped(d, "DTLS");
    if (rc == 0)
        errno = EPIPE;
    return -1;
}

static void say_goodbye(struct dtls *d)
{
    if (!d->tls.ready || d->tls.said_bye || d->broken)
        return;
    d->tls.said_bye = true;
    ERR_clear_error();
    (void)SSL_shutdown(d->tls.ssl); /* one that does not get out is as one that got lost */
    ERR_clear_error();
}

static int dtls_shutdown(struct port *p, struct err *e)
{
    struct dtls *d = p->state;

    (void)e;
    if (p->shut != PORT_SHUT_NONE)
        say_goodbye(d);
    return 0;
}

static void dtls_close(struct port *p)
{
    struct dtls *d = p->state;

    if (!(p->flags & PORT_END_CLOSE))
        say_goodbye(d);
    SSL_free(d->tls.ssl);
    free(d->tls.expect);
    p->state = d->inner_state;
    d->inner->close(p);
    dtls_shared_drop(d->shared);
    free(d->record);
    free(d);
}

static const struct port_ops dtls_ops = {dtls_read, dtls_write, dtls_shutdown, dtls_close};

int dtls_port(struct port *p, struct dtls_shared *shared, struct err *e)
{
    struct dtls *d = calloc(1, sizeof *d);

    if (d != NULL)
        d->record = malloc(DTLS_ROOM);
    if (d == NULL || d->record == NULL) {
        free(d);
        port_close(p);
        return err_nomem(e);
    }
    atomic_fetch_add(&shared->users, 1);
    d->shared = shared;
    d->tls.shared = shared->tls;
    d->port = p;
    d->inner = p->ops;
    d->inner_state = p->state;
    d->inner_more = p->more;
    p->flags |= PORT_SPLIT_R; /* the library keeps what of a record there is no room for */
    p->ops = &dtls_ops;
    p->state = d;
    return 0;
}

/* ---- the handshake ---- */

static int new_ssl(struct dtls *d, const struct addr *a, int fd, struct err *e)
{
    const struct tls_context *t = d->shared->tls;
    BIO *wire;

    ERR_clear_error();
    d->tls.ssl = SSL_new(t->ctx);
    wire = d->tls.ssl ? dtls_bio_new(t->bio, d) : NULL;
    if (wire == NULL)
        return tls_error(e, ERR_BUSY, "a new DTLS connection");
    SSL_set_bio(d->tls.ssl, wire, wire);
    (void)SSL_set_app_data(d->tls.ssl, &d->tls);
    (void)SSL_set_mtu(d->tls.ssl, dtls_mtu(fd));
    if (t->server)
        SSL_set_accept_state(d->tls.ssl);
    else
        SSL_set_connect_state(d->tls.ssl);
    return tls_names(a, &d->tls, e);
}

/* Its own option, or one of those that end a handshake in version 1. */
static int64_t patience(const struct addr *a, int fd)
{
    struct timeval limit = {0};
    socklen_t len = sizeof limit;
    double connect = opt_time(a, &opt_connect_timeout, 0);

    if (opt_find(a, &opt_handshake_timeout) != NULL)
        return handshake_patience(a);
    if (connect > 0)
        return (int64_t)(connect * 1000);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len) == 0 &&
        (limit.tv_sec > 0 || limit.tv_usec > 0))
        return (int64_t)limit.tv_sec * 1000 + limit.tv_usec / 1000;
    return handshake_patience(a);
}

/* The peer is silent for now: waits for it, and says again what may have got lost. */
static int wait_for_peer(struct dtls *d, struct run *r, int64_t patience, int64_t deadline,
                         struct err *e)
{
    struct timeval left;
    int64_t until = deadline;

    if (DTLSv1_get_timeout(d->tls.ssl, &left) == 1) {
        int64_t again = wait_now() + (int64_t)left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
        until = until < 0 || again < until ? again : until;
    }
    int rc = handshake_is_late(deadline) ? 0 : wait_fd(r, d->port->rfd, POLLIN, until, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (handshake_is_late(deadline)) {
        (void)handshake_late(patience, e);
        return err_wrap(e, "DTLS handshake");
    }
    if (DTLSv1_handle_timeout(d->tls.ssl) < 0)
        return tls_error(e, ERR_TIMEOUT, "DTLS handshake");
    return 0;
}

static int shake_hands(struct dtls *d, struct run *r, int64_t patience, struct err *e)
{
    int64_t deadline = handshake_deadline(patience);
    for (;;) {
        ERR_clear_error();
        d->sys = 0;
        e->kind = ERR_NONE;
        d->tls.e = e;
        int rc = SSL_do_handshake(d->tls.ssl), reason = SSL_get_error(d->tls.ssl, rc);

        if (rc == 1)
            return tls_verify_peer(&d->tls, e);
        if (reason == SSL_ERROR_SYSCALL && d->sys != 0) {
            errno = d->sys;
            return err_sys(e, "DTLS handshake");
        }
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            /* else the verification has said it */
            return e->kind != ERR_NONE ? -1 : tls_error(e, ERR_PROTOCOL, "DTLS handshake");
        }
        if (wait_for_peer(d, r, patience, deadline, e) < 0)
            return -1;
    }
}

int dtls_greet(const struct addr *a, struct run *r, struct port *p, struct err *e)
{
    struct dtls *d = p->state;

    if (new_ssl(d, &d->shared->both, p->rfd, e) < 0 || shake_hands(d, r, patience(a, p->rfd), e) < 0) {
        d->broken = true;
        return -1;
    }
    d->tls.ready = true;
    d->unread = a->left == CTX_W;
    d->fragment = tls_fragment(&d->tls, a);
    if (tls_opened(&d->tls, a, r, e) < 0)
        return -1;
    p->more = has_more(d);
    return 0;
}
