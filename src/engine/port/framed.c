/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records over a joint that is a stream: see framed.h. In front of each stand four bytes, its length. */
#include "engine/port/framed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { HEAD = 4 };

struct framed { /* port.state */
    bool reads, writes;
    unsigned char head[HEAD]; /* of the record that is being read */
    size_t nhead, want;
    struct buf record;
    unsigned char begun[HEAD]; /* ... written; so much of it has been, and so much of the record is left */
    bool under_way;
    size_t nbegun, left;
};

static ssize_t read_head(struct port *p, struct framed *f)
{
    while (f->nhead < HEAD) {
        ssize_t n = port_inner_read(p, f->head + f->nhead, HEAD - f->nhead);
        if (n <= 0)
            return n;
        f->nhead += (size_t)n;
    }
    uint32_t n;
    memcpy(&n, f->head, sizeof n);
    f->want = ntohl(n);
    if (buf_grow(&f->record, f->want + 1) == 0)
        return 1;
    errno = ENOMEM;
    return -1;
}

static ssize_t framed_read(struct port *p, void *buf, size_t cap)
{
    struct framed *f = p->state;
    if (!f->reads)
        return port_inner_read(p, buf, cap);
    ssize_t n = read_head(p, f);
    p->blank = false;
    while (n > 0 && f->record.len < f->want) {
        unsigned char *at;
        (void)buf_room(&f->record, &at);
        n = port_inner_read(p, at, f->want - f->record.len);
        if (n > 0)
            buf_commit(&f->record, (size_t)n);
    }
    if (n <= 0)
        return n;
    if (f->want > cap) {
        p->need = f->want;
        errno = EMSGSIZE;
        return -1;
    }
    n = (ssize_t)f->want;
    memcpy(buf, buf_data(&f->record), f->want);
    buf_consume(&f->record, f->want);
    p->blank = f->want == 0;
    f->nhead = f->want = 0;
    return n;
}

static ssize_t framed_write(struct port *p, const void *buf, size_t n)
{
    struct framed *f = p->state;
    ssize_t k = 0;
    if (!f->writes)
        return port_inner_write(p, buf, n);
    if (!f->under_way) {
        uint32_t length = htonl((uint32_t)n);
        memcpy(f->begun, &length, sizeof length);
        f->under_way = true;
        f->nbegun = 0;
        f->left = n;
    }
    while (f->nbegun < HEAD) {
        k = port_inner_write(p, f->begun + f->nbegun, HEAD - f->nbegun);
        if (k < 0)
            return -1;
        f->nbegun += (size_t)k;
    }
    k = f->left > 0 ? port_inner_write(p, buf, f->left < n ? f->left : n) : 0;
    if (k < 0)
        return -1;
    f->left -= (size_t)k;
    f->under_way = f->left > 0;
    return k;
}

static void framed_close(struct port *p)
{
    struct framed *f = p->state;
    buf_fini(&f->record);
    port_inner_close(p);
}

static const struct port_ops framed_ops = {.read = framed_read, .write = framed_write, .close = framed_close};

int port_frame(struct port **p, bool reads, bool writes, struct err *e)
{
    struct framed *f = port_wrap(p, &framed_ops, sizeof *f, e);
    if (!f)
        return -1;
    f->reads = reads;
    f->writes = writes;
    (*p)->flags |= (reads ? PORT_MSG_R | PORT_EMPTY_R : 0U) | (writes ? PORT_MSG_W | PORT_EMPTY_W : 0U);
    return 0;
}
