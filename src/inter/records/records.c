/* SPDX-License-Identifier: GPL-2.0-or-later
 * LINES, NETSTRING, LENGTH16, LENGTH32, VARINT, SLIP, HDLC, COBS: records on the data side, frames in a stream
 * on the wire side. The formats are in prefixed.c, lines.c and stuffed.c. */
#include "inter/records/records.h"

#include <string.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "inter/records/opts_records.h"

enum {
    DEFAULT = 1 << 20,  /* bytes of a record */
    CEILING = 16 << 20, /* what is relayed as one message */
};

static const struct framing *framing_of(const struct addr *a)
{
    return a->form->arg;
}

static size_t most_of(const struct framing *how)
{
    return how->most ? how->most : CEILING;
}

/* ---- options ---- */

struct eol {
    const char *name, *text;
    size_t n;
};
static const struct eol eols[] = {{"lf", "\n", 1}, {"crlf", "\r\n", 2}, {"nul", "", 1}, {NULL, NULL, 0}};

static const struct eol *eol_of(const struct addr *a)
{
    const char *name = opt_string(a, &opt_line_end, eols[0].name);
    const struct eol *l = eols;
    while (l->name && strcmp(l->name, name) != 0)
        l++;
    return l;
}

static int check(const struct addr *a, struct err *e)
{
    const struct opt *max = opt_find(a, &opt_max_size);
    size_t most = most_of(framing_of(a));
    if (max && (unsigned long long)max->v.i > most)
        return err_at(e, max->at, "max-size=%lld: a record may have from 1 to %zu bytes here", max->v.i, most);
    if (!eol_of(a)->name)
        return err_at(e, opt_find(a, &opt_line_end)->at, "line-end \"%s\" is none of lf, crlf, nul",
                      opt_string(a, &opt_line_end, ""));
    return 0;
}

static size_t max_of(const struct addr *a)
{
    size_t most = most_of(framing_of(a));
    return (size_t)opt_int(a, &opt_max_size, most < DEFAULT ? (long long)most : DEFAULT);
}

static void show(const struct addr *a, FILE *f)
{
    fprintf(f, "      records of up to %zu bytes on its data side, a frame for each on the other\n", max_of(a));
}

static int init(void *st, const struct addr *a, struct err *e)
{
    struct framer *f = st;
    (void)e;
    f->how = framing_of(a);
    f->max = max_of(a);
    f->packets = a->packets;
    f->little = opt_true(a, &opt_little_endian);
    f->include = opt_true(a, &opt_include);
    f->accm = (uint32_t)opt_int(a, &opt_accm, UINT32_MAX);
    f->eol = eol_of(a)->text;
    f->neol = eol_of(a)->n;
    return 0;
}

static void fini(void *st)
{
    struct framer *f = st;
    buf_fini(&f->record);
}

/* ---- both ways ---- */

int record_too_large(const struct framer *f, size_t n, bool exactly, struct err *e)
{
    const char *way_out = f->max < most_of(f->how) ? " (option max-size)" : "";
    return err_set(e, ERR_PROTOCOL, "a record of %s%zu bytes came, where one may have %zu%s",
                   exactly ? "" : "at least ", n, f->max, way_out);
}

int record_add(struct framer *f, const unsigned char *p, size_t n, size_t others, struct err *e)
{
    size_t len = f->record.len + n;
    if (len > f->max + others)
        return record_too_large(f, len - others, false, e);
    /* it grows as the bytes come, whatever length has been promised */
    if (f->record.cap - f->record.off < len + 1 && buf_grow(&f->record, 2 * len + 64) < 0)
        return err_nomem(e);
    (void)buf_put(&f->record, p, n);
    return 0;
}

/* A packet is nobody's stream: it gets lost, as on its way it may, too. */
static int leave_out(struct framer *f, struct buf *in, struct err *e)
{
    if (!f->packets)
        return record_too_large(f, in->len, true, e);
    diag(f->told ? DIAG_NOTICE : DIAG_WARN, "a packet of %zu bytes has been dropped: a record may have %zu (option max-size)",
         in->len, f->max);
    f->told = true;
    buf_consume(in, in->len);
    return 0;
}

/* The layer says how much of a stream is one; what is larger than frames may hold becomes several. */
static int put_record(struct framer *f, struct buf *in, struct buf *out, struct err *e)
{
    const unsigned char *p = in->len > 0 ? buf_data(in) : (const unsigned char *)"";
    unsigned char *at;
    size_t n = in->len, room, need;
    if (n > f->max && in->record)
        return leave_out(f, in, e);
    if (n > f->max)
        n = f->max;
    need = f->how->bound(n);
    room = out->p ? buf_room(out, &at) : 0;
    if (room < need) {
        if (out->len > 0)
            return 0;
        if (buf_grow(out, need) < 0)
            return err_nomem(e);
        (void)buf_room(out, &at);
    }
    ptrdiff_t k = n == 0 && f->how->no_empty ? 0 : f->how->put(f, p, n, at, e);
    if (k < 0)
        return -1;
    buf_commit(out, (size_t)k);
    buf_consume(in, n);
    return 0;
}

static int encode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    if (buf_holds(in) && put_record(st, in, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in);
}

static int decode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct framer *f = st;
    int rc = in->len > 0 ? f->how->take(f, in, e) : 0;
    if (rc < 0)
        return -1;
    if (rc > 0) {
        if (buf_grow(&f->record, 1) < 0) /* an empty one is somewhere, too */
            return err_nomem(e);
        buf_swap(&f->record, out);
        out->record = true;
        return 0;
    }
    if (mode == CODEC_END && in->len == 0 && f->how->cut(f, e) < 0)
        return -1;
    return mode != CODEC_RUN && in->len == 0;
}

static const struct codec_ops encoder = {.takes_records = true,
                                         .state_size = sizeof(struct framer),
                                         .init = init,
                                         .push = encode,
                                         .fini = fini};
static const struct codec_ops decoder = {.gives_records = true,
                                         .state_size = sizeof(struct framer),
                                         .init = init,
                                         .push = decode,
                                         .fini = fini};
static const struct codec_pair pair = {.encode = &encoder, .decode = &decoder};

#define FRAMES(name, table, how, words)                                                            \
    CODEC_FORM(name, table, check, pair, words, .show = show, .arg = how)

extern const struct form forms_records[];
const struct form forms_records[] = {
    FRAMES("LINES", options_lines, &framing_lines, "makes a line of each record"),
    FRAMES("NETSTRING", options_frames, &framing_netstring, "makes a netstring of each record"),
    FRAMES("LENGTH16", options_length, &framing_length16,
           "puts the length of each record in front of it, in two bytes (DNS over TCP)"),
    FRAMES("LENGTH32", options_length, &framing_length32,
           "puts the length of each record in front of it, in four bytes"),
    FRAMES("VARINT", options_frames, &framing_varint,
           "puts the length of each record in front of it, seven bits a byte (protobuf)"),
    FRAMES("SLIP", options_frames, &framing_slip, "makes a SLIP frame of each record (RFC 1055)"),
    FRAMES("HDLC", options_hdlc, &framing_hdlc,
           "makes a frame with a checksum of each record, as PPP does on serial lines (RFC 1662)"),
    FRAMES("COBS", options_frames, &framing_cobs,
           "makes a frame without a byte 0 of each record, and a 0 behind it"),
    {0},
};
