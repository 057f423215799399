/* SPDX-License-Identifier: GPL-2.0-or-later
 * A BIO between an SSL and a datagram port, whose rules about whom packets are taken from stay in
 * force. One read is one datagram, one write another; neither waits. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "endpoint/dtls/dtls.h"

enum {
    MTU_OTHERWISE = 1200, /* bytes, where the system does not know the way */
    MTU_LEAST = 256,      /* a handshake needs some room */
    IP4_UDP = 28,         /* bytes of headers */
    IP6_UDP = 48,
};

static int wire_read_ex(BIO *b, char *data, size_t n, size_t *done)
{
    struct dtls *d = BIO_get_data(b);
    struct port *p = d->port;

    BIO_clear_retry_flags(b);
    p->state = d->inner_state;
    ssize_t got = d->inner->read(p, data, n);
    d->sys = got < 0 ? errno : 0;
    d->inner_more = p->more;
    p->state = d;
    if (got > 0) {
        *done = (size_t)got;
        return 1;
    }
    /* an empty datagram means nothing here: anybody can make one */
    if (got == 0 || d->sys == EAGAIN || d->sys == EINTR)
        BIO_set_retry_read(b);
    return 0;
}

static int wire_write_ex(BIO *b, const char *data, size_t n, size_t *done)
{
    struct dtls *d = BIO_get_data(b);
    struct port *p = d->port;

    BIO_clear_retry_flags(b);
    p->state = d->inner_state;
    ssize_t sent = d->inner->write(p, data, n);
    d->sys = sent < 0 ? errno : 0;
    p->state = d;
    if (sent >= 0) {
        *done = n;
        return 1;
    }
    if (d->sys == EAGAIN || d->sys == EINTR || d->sys == ENOBUFS)
        BIO_set_retry_write(b);
    return 0;
}

static long wire_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH; /* nothing is kept; timers and sizes are the caller's */
}

static int wire_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *dtls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "catena datagrams");

    if (m && BIO_meth_set_read_ex(m, wire_read_ex) && BIO_meth_set_write_ex(m, wire_write_ex) &&
        BIO_meth_set_ctrl(m, wire_ctrl) && BIO_meth_set_create(m, wire_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

BIO *dtls_bio_new(BIO_METHOD *method, struct dtls *d)
{
    BIO *b = BIO_new(method);

    if (b)
        BIO_set_data(b, d);
    return b;
}

long dtls_mtu(int fd)
{
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof local;
    int mtu = 0;
    bool six = getsockname(fd, (struct sockaddr *)&local, &len) == 0 && local.ss_family == AF_INET6;

    len = sizeof mtu;
    if (getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &len) < 0)
        return MTU_OTHERWISE;
    mtu -= six ? IP6_UDP : IP4_UDP;
    return mtu < MTU_LEAST ? MTU_LEAST : mtu;
}
