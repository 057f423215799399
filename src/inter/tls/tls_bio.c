/* SPDX-License-Identifier: GPL-2.0-or-later
 * A BIO between an SSL and the engine's buffers. It never blocks and knows no end of file: a wire
 * that ran dry or full is "try again", and the session decides what an ended wire means. Records
 * gather in the out buffer, so that the engine sends many of them with one write(2); packets do not. */
#include "inter/tls/tls.h"

#include <openssl/bio.h>

#include <string.h>

enum { WAITING_MOST = 1 << 18 }; /* bytes of packets that wait */

static int wire_read_ex(BIO *b, char *data, size_t n, size_t *done)
{
    struct tls_wire *w = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (!w->in || w->in->len == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    size_t there = w->in->len;
    *done = n < there ? n : there;
    memcpy(data, buf_data(w->in), *done);
    buf_consume(w->in, w->packets ? there : *done);
    return 1;
}

/* A handshake has several packets at a time, of which the engine takes one after the other. Beyond reason they
 * are lost, as on the way. */
static void put_packet(struct tls_wire *w, const char *data, size_t n)
{
    bool next = tls_bio_flush(w) && w->out->len == 0;
    struct buf *to = next ? w->out : &w->waiting;
    size_t more = next ? n : sizeof n + n;
    if (to->len + more > WAITING_MOST || buf_grow(to, to->len + more) < 0)
        return;
    if (!next)
        (void)buf_put(to, &n, sizeof n);
    (void)buf_put(to, data, n);
}

bool tls_bio_flush(struct tls_wire *w)
{
    size_t n;
    if (w->waiting.len > 0 && w->out->len == 0) {
        memcpy(&n, buf_data(&w->waiting), sizeof n);
        if (buf_grow(w->out, n) == 0)
            (void)buf_put(w->out, buf_data(&w->waiting) + sizeof n, n);
        buf_consume(&w->waiting, sizeof n + n);
        if (w->waiting.len == 0)
            buf_fini(&w->waiting);
    }
    return w->waiting.len == 0;
}

static int wire_write_ex(BIO *b, const char *data, size_t n, size_t *done)
{
    struct tls_wire *w = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    *done = n;
    if (w->closed) /* an alert behind our goodbye: nobody is to see it */
        return 1;
    if (w->packets && w->out) {
        put_packet(w, data, n);
        return 1;
    }
    *done = w->out ? buf_put(w->out, data, n) : 0;
    if (*done > 0)
        return 1;
    BIO_set_retry_write(b);
    return 0;
}

static long wire_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH; /* the engine flushes */
}

static int wire_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "catena wire");
    if (m && BIO_meth_set_read_ex(m, wire_read_ex) && BIO_meth_set_write_ex(m, wire_write_ex) &&
        BIO_meth_set_ctrl(m, wire_ctrl) && BIO_meth_set_create(m, wire_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

BIO *tls_bio_new(BIO_METHOD *method, struct tls_wire *wire)
{
    BIO *b = BIO_new(method);
    if (b)
        BIO_set_data(b, wire);
    return b;
}
