/* SPDX-License-Identifier: GPL-2.0-or-later
 * LINES: a record is a line, without its end. */
#include <string.h>

#include "inter/records/records.h"

static size_t bound(size_t n)
{
    return n + 2;
}

/* A record that has its line end already gets no other one; within, it would make two of it. */
static ptrdiff_t put(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e)
{
    if (n >= f->neol && memcmp(p + n - f->neol, f->eol, f->neol) == 0)
        n -= f->neol;
    const unsigned char *inner = n > 0 ? memmem(p, n, f->eol, f->neol) : NULL;
    if (inner)
        return err_set(e, ERR_PROTOCOL, "a record of %zu bytes has a line end within, behind %zu bytes, and would be "
                                        "more than one line", n, (size_t)(inner - p));
    if (n > 0)
        memcpy(at, p, n);
    memcpy(at + n, f->eol, f->neol);
    return (ptrdiff_t)(n + f->neol);
}

/* The last byte of a line end tells; the one before it stands in the record. */
static int take(struct framer *f, struct buf *in, struct err *e)
{
    const unsigned char *p = buf_data(in);
    unsigned char last = (unsigned char)f->eol[f->neol - 1];
    const unsigned char *end = memchr(p, last, in->len);
    size_t n = end ? (size_t)(end - p) : in->len, before = f->neol - 1;
    if (record_add(f, p, n, before, e) < 0)
        return -1;
    buf_consume(in, end ? n + 1 : n);
    size_t have = f->record.len;
    bool whole = end && have >= before && memcmp(buf_data(&f->record) + have - before, f->eol, before) == 0;
    if (whole) {
        f->record.len -= before;
        return f->record.len > f->max ? record_too_large(f, f->record.len, true, e) : 1;
    }
    return end && record_add(f, &last, 1, before, e) < 0 ? -1 : 0;
}

static int cut(const struct framer *f, struct err *e)
{
    return f->record.len == 0 ? 0
                              : err_set(e, ERR_CUT, "the stream ends within a line: behind its %zu bytes the line "
                                                         "end (%zu byte%s) is missing", f->record.len, f->neol,
                                        f->neol == 1 ? "" : "s");
}

const struct framing framing_lines = {.bound = bound, .put = put, .take = take, .cut = cut};
