/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames that begin with the length of the record: NETSTRING, LENGTH16, LENGTH32, VARINT. */
#include <stdio.h>
#include <string.h>

#include "inter/records/records.h"

enum { VARINT_MOST = 5 }; /* bytes: 35 bits, and no record is that long */

/* ---- what they share: the length, the record, and what is behind it ---- */

typedef int read_length(struct framer *f, unsigned char c, struct err *e); /* 1: f->want is known */

static int take(struct framer *f, struct buf *in, read_length *length, char behind, struct err *e)
{
    while (!f->known && in->len > 0) {
        unsigned char c = *buf_data(in);
        buf_consume(in, 1);
        int rc = length(f, c, e);
        if (rc < 0)
            return -1;
        f->known = rc > 0;
        if (f->known && f->want > f->max)
            return record_too_large(f, f->want, true, e);
    }
    if (!f->known)
        return 0;
    size_t left = f->want - f->record.len, n = left < in->len ? left : in->len;
    if (n > 0 && record_add(f, buf_data(in), n, 0, e) < 0)
        return -1;
    buf_consume(in, n);
    if (f->record.len < f->want || (behind && in->len == 0))
        return 0;
    if (behind && *buf_data(in) != (unsigned char)behind)
        return err_set(e, ERR_DAMAGED, "byte 0x%02x behind a record of %zu bytes, where a \"%c\" has to be",
                       *buf_data(in), f->want, behind);
    buf_consume(in, behind ? 1 : 0);
    f->known = false;
    f->nhead = f->want = 0;
    return 1;
}

static int cut(const struct framer *f, size_t length, size_t behind, struct err *e)
{
    if (!f->known && f->nhead == 0)
        return 0;
    if (f->known)
        return err_set(e, ERR_CUT, "the stream ends within a record: %zu of %zu bytes are missing",
                       f->want - f->record.len + behind, f->nhead + f->want + behind);
    if (length > 0)
        return err_set(e, ERR_CUT, "the stream ends within the length of a record: %zu of %zu bytes are missing",
                       length - f->nhead, length);
    return err_set(e, ERR_CUT, "the stream ends within the length of a record, of which %zu byte%s there",
                   f->nhead, f->nhead == 1 ? " is" : "s are");
}

/* ---- netstring: 5:hello, ---- */

static size_t netstring_bound(size_t n)
{
    return n + 24;
}

static ptrdiff_t netstring_put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    char head[24];
    size_t k = (size_t)snprintf(head, sizeof head, "%zu:", n);
    (void)f;
    (void)e;
    memcpy(at, head, k);
    if (n > 0)
        memcpy(at + k, p, n);
    at[k + n] = ',';
    return (ptrdiff_t)(k + n + 1);
}

static int netstring_length(struct framer *f, unsigned char c, struct err *e)
{
    if (c == ':' && f->nhead > 0) {
        f->nhead++;
        return 1;
    }
    if (c < '0' || c > '9')
        return err_set(e, ERR_DAMAGED, "byte 0x%02x in the length of a netstring, which is a number and a \":\"", c);
    if (f->nhead == 1 && f->want == 0)
        return err_set(e, ERR_DAMAGED, "the length of a netstring begins with a 0");
    f->nhead++;
    f->want = f->want * 10 + (size_t)(c - '0');
    return f->want > f->max ? record_too_large(f, f->want, false, e) : 0;
}

static int netstring_take(struct framer *f, struct buf *in, struct err *e)
{
    return take(f, in, netstring_length, ',', e);
}

static int netstring_cut(const struct framer *f, struct err *e)
{
    return cut(f, 0, 1, e);
}

const struct framing framing_netstring = {.bound = netstring_bound, .put = netstring_put, .take = netstring_take,
                                          .cut = netstring_cut};

/* ---- length16, length32 ---- */

static ptrdiff_t length_put(const struct framer *f, size_t bytes, const unsigned char *p, size_t n, unsigned char *at)
{
    size_t told = n + (f->include ? bytes : 0);
    for (size_t i = 0; i < bytes; i++)
        at[f->little ? i : bytes - 1 - i] = (unsigned char)(told >> (8 * i));
    if (n > 0)
        memcpy(at + bytes, p, n);
    return (ptrdiff_t)(bytes + n);
}

static int length_add(struct framer *f, size_t bytes, unsigned char c, struct err *e)
{
    f->head[f->nhead++] = c;
    if (f->nhead < bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        f->want = f->want << 8 | f->head[f->little ? bytes - 1 - i : i];
    if (f->include && f->want < bytes)
        return err_set(e, ERR_PROTOCOL, "a length of %zu, which is to count its own %zu bytes (option include)",
                       f->want, bytes);
    f->want -= f->include ? bytes : 0;
    return 1;
}

static size_t length_bound(size_t n)
{
    return n + 4;
}

static ptrdiff_t put16(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    if (f->include && n > UINT16_MAX - 2)
        return err_set(e, ERR_PROTOCOL, "a record of %zu bytes came, where one may have %d, for its length counts "
                                        "itself (option include)", n, UINT16_MAX - 2);
    return length_put(f, 2, p, n, at);
}

static int length16(struct framer *f, unsigned char c, struct err *e)
{
    return length_add(f, 2, c, e);
}

static int take16(struct framer *f, struct buf *in, struct err *e)
{
    return take(f, in, length16, 0, e);
}

static int cut16(const struct framer *f, struct err *e)
{
    return cut(f, 2, 0, e);
}

const struct framing framing_length16 = {.most = UINT16_MAX, .bound = length_bound, .put = put16, .take = take16,
                                         .cut = cut16};

static ptrdiff_t put32(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    (void)e;
    return length_put(f, 4, p, n, at);
}

static int length32(struct framer *f, unsigned char c, struct err *e)
{
    return length_add(f, 4, c, e);
}

static int take32(struct framer *f, struct buf *in, struct err *e)
{
    return take(f, in, length32, 0, e);
}

static int cut32(const struct framer *f, struct err *e)
{
    return cut(f, 4, 0, e);
}

const struct framing framing_length32 = {.bound = length_bound, .put = put32, .take = take32, .cut = cut32};

/* ---- varint: seven bits in each byte, the least first, and a 1 above them where more follow ---- */

static size_t varint_bound(size_t n)
{
    return n + VARINT_MOST;
}

static ptrdiff_t varint_put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    size_t k = 0;
    (void)f;
    (void)e;
    for (size_t left = n; k == 0 || left > 0; left >>= 7)
        at[k++] = (unsigned char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    if (n > 0)
        memcpy(at + k, p, n);
    return (ptrdiff_t)(k + n);
}

static int varint_length(struct framer *f, unsigned char c, struct err *e)
{
    f->want |= (size_t)(c & 0x7f) << (7 * f->nhead++);
    if (!(c & 0x80))
        return 1;
    if (f->nhead == VARINT_MOST)
        return err_set(e, ERR_PROTOCOL, "the length of a record has more than %d bytes", VARINT_MOST);
    return 0;
}

static int varint_take(struct framer *f, struct buf *in, struct err *e)
{
    return take(f, in, varint_length, 0, e);
}

static int varint_cut(const struct framer *f, struct err *e)
{
    return cut(f, 0, 0, e);
}

const struct framing framing_varint = {.bound = varint_bound, .put = varint_put, .take = varint_take,
                                       .cut = varint_cut};
