/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames between marks that cannot be within, for serial lines: SLIP (RFC 1055), HDLC (RFC 1662, asynchronous,
 * with a 16 bit checksum) and COBS (Cheshire and Baker). */
#include <string.h>

#include "catena/diag.h"
#include "inter/records/records.h"

enum { STRETCH = 64 }; /* bytes looked at for one mark before the other one: either may be at every byte */

/* How many of the n bytes at p are neither a nor b. */
static size_t run_of_others(const unsigned char *p, size_t n, unsigned char a, unsigned char b)
{
    for (size_t at = 0; at < n; at += STRETCH) {
        size_t k = n - at < STRETCH ? n - at : STRETCH;
        const unsigned char *x = memchr(p + at, a, k), *y = memchr(p + at, b, x ? (size_t)(x - (p + at)) : k);
        if (x || y)
            return (size_t)((y ? y : x) - p);
    }
    return n;
}

static int cut(const struct framer *f, struct err *e)
{
    bool begun = f->record.len > 0 || f->escaped || f->begun;
    return !begun ? 0
                  : err_set(e, ERR_CUT, "the stream ends within a frame: behind %zu byte%s of a record its end "
                                             "(1 byte at least) is missing", f->record.len,
                            f->record.len == 1 ? "" : "s");
}

/* ---- SLIP ---- */

enum { END = 0xc0, ESC = 0xdb, ESC_END = 0xdc, ESC_ESC = 0xdd };

static size_t slip_bound(size_t n)
{
    return 2 * n + 2;
}

/* The mark in front ends what a noisy line may have made up before. */
static ptrdiff_t slip_put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    unsigned char *to = at;
    (void)f;
    (void)e;
    *to++ = END;
    for (size_t i = 0; i < n;) {
        size_t k = run_of_others(p + i, n - i, END, ESC);
        memcpy(to, p + i, k);
        to += k;
        i += k;
        if (i < n) {
            *to++ = ESC;
            *to++ = p[i++] == END ? ESC_END : ESC_ESC;
        }
    }
    *to++ = END;
    return to - at;
}

static int slip_take(struct framer *f, struct buf *in, struct err *e)
{
    while (in->len > 0) {
        unsigned char c = *buf_data(in);
        if (f->escaped) { /* the RFC has what should not be here stay what it is */
            if (c != ESC_END && c != ESC_ESC) {
                diag(f->told ? DIAG_NOTICE : DIAG_WARN, "slip: byte 0x%02x behind an escape means nothing; it stays, and "
                     "its frame may be damaged", c);
                f->told = true;
            }
            c = c == ESC_END ? END : c == ESC_ESC ? ESC : c;
            f->escaped = false;
            if (record_add(f, &c, 1, 0, e) < 0)
                return -1;
            buf_consume(in, 1);
            continue;
        }
        size_t k = run_of_others(buf_data(in), in->len, END, ESC);
        if (k > 0 && record_add(f, buf_data(in), k, 0, e) < 0)
            return -1;
        buf_consume(in, k);
        if (in->len == 0)
            return 0;
        c = *buf_data(in);
        buf_consume(in, 1);
        f->escaped = c == ESC;
        if (c == END && f->record.len > 0) /* nothing between two marks is no record */
            return 1;
    }
    return 0;
}

const struct framing framing_slip = {.no_empty = true, .bound = slip_bound, .put = slip_put, .take = slip_take,
                                     .cut = cut};

/* ---- HDLC ---- */

enum { FLAG = 0x7e, QUOTE = 0x7d, BIT = 0x20, FCS_INIT = 0xffff, FCS_GOOD = 0xf0b8, FCS_BYTES = 2 };

static uint16_t fcs_add(uint16_t fcs, unsigned char c)
{
    unsigned x = (fcs ^ c) & 0xff;
    x ^= x << 4 & 0xff;
    return (uint16_t)(fcs >> 8 ^ x << 8 ^ x << 3 ^ x >> 4);
}

static size_t hdlc_bound(size_t n)
{
    return 2 * (n + FCS_BYTES) + 2;
}

static unsigned char *hdlc_quote(const struct framer *f, unsigned char *to, unsigned char c)
{
    bool quoted = c == FLAG || c == QUOTE || (c < 32 && f->accm >> c & 1);
    if (quoted)
        *to++ = QUOTE;
    *to++ = (unsigned char)(quoted ? c ^ BIT : c);
    return to;
}

static ptrdiff_t hdlc_put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    unsigned char *to = at;
    uint16_t fcs = FCS_INIT;
    (void)e;
    *to++ = FLAG;
    for (size_t i = 0; i < n; i++) {
        fcs = fcs_add(fcs, p[i]);
        to = hdlc_quote(f, to, p[i]);
    }
    fcs ^= 0xffff;
    to = hdlc_quote(f, to, (unsigned char)(fcs & 0xff));
    to = hdlc_quote(f, to, (unsigned char)(fcs >> 8));
    *to++ = FLAG;
    return to - at;
}

static void hdlc_drop(struct framer *f, const char *why)
{
    diag(f->told ? DIAG_NOTICE : DIAG_WARN, "hdlc: a frame of %zu bytes has been dropped: %s", f->record.len, why);
    f->told = true;
    buf_consume(&f->record, f->record.len);
}

/* The flag has come. True: behind what may have been dropped stands a record. */
static bool hdlc_ends(struct framer *f)
{
    bool empty = f->record.len == 0 && !f->escaped, aborted = f->escaped;
    uint16_t fcs = FCS_INIT;
    f->escaped = false;
    for (size_t i = 0; i < f->record.len; i++)
        fcs = fcs_add(fcs, buf_data(&f->record)[i]);
    if (empty)
        return false;
    if (aborted || f->record.len < FCS_BYTES || fcs != FCS_GOOD) {
        hdlc_drop(f, aborted ? "its sender has given it up" : "its checksum is wrong");
        return false;
    }
    f->record.len -= FCS_BYTES;
    return true;
}

static int hdlc_take(struct framer *f, struct buf *in, struct err *e)
{
    while (in->len > 0) {
        unsigned char c = *buf_data(in);
        size_t k = f->escaped ? 0 : run_of_others(buf_data(in), in->len, FLAG, QUOTE);
        if (k > 0) {
            if (record_add(f, buf_data(in), k, FCS_BYTES, e) < 0)
                return -1;
            buf_consume(in, k);
            continue;
        }
        buf_consume(in, 1);
        if (c == FLAG) {
            if (hdlc_ends(f))
                return 1;
        } else if (f->escaped) {
            c = (unsigned char)(c ^ BIT);
            f->escaped = false;
            if (record_add(f, &c, 1, FCS_BYTES, e) < 0)
                return -1;
        } else {
            f->escaped = true;
        }
    }
    return 0;
}

const struct framing framing_hdlc = {.bound = hdlc_bound, .put = hdlc_put, .take = hdlc_take, .cut = cut};

/* ---- COBS ---- */

enum { GROUP = 254 }; /* bytes that a group has at most, before the 0 that it stands for */

static size_t cobs_bound(size_t n)
{
    return n + n / GROUP + 2;
}

static ptrdiff_t cobs_put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    unsigned char *to = at;
    (void)f;
    (void)e;
    for (size_t i = 0; i <= n;) { /* a group for what is behind the last 0, too */
        size_t left = n - i < GROUP ? n - i : GROUP;
        const unsigned char *zero = left > 0 ? memchr(p + i, 0, left) : NULL;
        size_t k = zero ? (size_t)(zero - (p + i)) : left;
        *to++ = (unsigned char)(k + 1);
        if (k > 0)
            memcpy(to, p + i, k);
        to += k;
        i += k < GROUP ? k + 1 : k;
        if (k == GROUP && i == n)
            break;
    }
    *to++ = 0;
    return to - at;
}

/* The code of the next group: a 0 stands before it, unless it is the first or the one before was full. */
static int cobs_begin(struct framer *f, unsigned char code, struct err *e)
{
    bool zero = f->begun && f->code <= GROUP;
    f->begun = true;
    f->code = code;
    f->group = code - 1U;
    return zero ? record_add(f, &(unsigned char){0}, 1, 0, e) : 0;
}

static int cobs_take(struct framer *f, struct buf *in, struct err *e)
{
    while (in->len > 0) {
        const unsigned char *p = buf_data(in);
        if (f->group > 0) {
            size_t k = f->group < in->len ? f->group : in->len;
            const unsigned char *zero = memchr(p, 0, k);
            if (zero)
                return err_set(e, ERR_DAMAGED, "the end of a frame comes where %u bytes of a group are missing",
                               f->group - (unsigned)(zero - p));
            if (record_add(f, p, k, 0, e) < 0)
                return -1;
            buf_consume(in, k);
            f->group -= (unsigned)k;
            continue;
        }
        unsigned char c = *p;
        buf_consume(in, 1);
        if (c == 0 && f->begun) {
            f->begun = false;
            return 1;
        }
        if (c != 0 && cobs_begin(f, c, e) < 0)
            return -1;
    }
    return 0;
}

const struct framing framing_cobs = {.bound = cobs_bound, .put = cobs_put, .take = cobs_take, .cut = cut};
