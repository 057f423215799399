/* SPDX-License-Identifier: GPL-2.0-or-later
 * GZIP and GUNZIP: gzip format on one side, the plain stream on the other. Two transforms over
 * zlib, deflater and inflater; which of them is which direction's is all the addresses differ in.
 */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "catena/inter.h"
#include "inter/libraries.h"

enum { GZIP_FORMAT = 16, MEM_LEVEL = 8 };

/* zlib counts in unsigned int; a buffer beyond that is taken in parts. */
static unsigned zlib_size(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* deflater */

enum flush_policy { FLUSH_IDLE, FLUSH_ALWAYS, FLUSH_NEVER };
static const char *const flush_names[] = {"idle", "always", "never"};

struct deflater {
    z_stream z;
    enum flush_policy policy;
    bool open;     /* z holds memory */
    bool dirty;    /* zlib took input that no flush has brought out yet */
    bool flushing; /* a flush has begun and has to be carried through */
    bool ended;    /* the trailer is out */
    /* zlib cannot tell that a flush is complete when it fills the output exactly, and starts
     * another: so it never gets a tiny output, but this one. */
    unsigned char stage[64];
    size_t stage_off, stage_len;
};

static int flush_policy(const struct addr *a, enum flush_policy *policy, struct err *e)
{
    const char *name = opt_string(a, OPT_FLUSH, "idle");

    for (unsigned i = 0; i < sizeof flush_names / sizeof flush_names[0]; i++)
        if (name != NULL && strcmp(name, flush_names[i]) == 0) {
            *policy = (enum flush_policy)i;
            return 0;
        }
    return err_at(e, opt_find(a, OPT_FLUSH)->at, "flush \"%s\" is not one of idle, always, never",
                  name != NULL ? name : "");
}

static int gzip_check(const struct addr *a, struct err *e)
{
    const struct opt *level = opt_find(a, OPT_LEVEL);
    enum flush_policy policy;

    if (level != NULL && (level->v.i < 0 || level->v.i > 9))
        return err_at(e, level->at, "compression level %lld is not a number from 0 to 9",
                      level->v.i);
    return flush_policy(a, &policy, e);
}

static int deflater_init(void *st, const struct addr *a, struct err *e)
{
    if (libraries_load_zlib(e) < 0)
        return -1;
    struct deflater *d = st;
    long long level = opt_int(a, OPT_LEVEL, Z_DEFAULT_COMPRESSION);
    int rc;

    if (gzip_check(a, e) < 0 || flush_policy(a, &d->policy, e) < 0)
        return -1;
    rc = deflateInit2(&d->z, (int)level, Z_DEFLATED, MAX_WBITS + GZIP_FORMAT, MEM_LEVEL,
                      Z_DEFAULT_STRATEGY);
    if (rc == Z_MEM_ERROR)
        return err_nomem(e);
    if (rc != Z_OK)
        return err_set(e, ERR_PERMANENT, "starting gzip compression: %s", zError(rc));
    d->open = true;
    return 0;
}

static void deflater_fini(void *st)
{
    struct deflater *d = st;

    if (d->open)
        deflateEnd(&d->z);
    d->open = false;
}

/* What zlib is to do next: Z_NO_FLUSH also stands for "nothing", when no input is there either. */
static int deflater_flush(const struct deflater *d, const struct buf *in, enum codec_mode mode)
{
    if (d->flushing)
        return Z_SYNC_FLUSH;
    if (mode == CODEC_END)
        return Z_FINISH;
    if (in->len == 0 && !d->dirty)
        return Z_NO_FLUSH;
    if (d->policy == FLUSH_ALWAYS || (d->policy == FLUSH_IDLE && mode == CODEC_IDLE))
        return Z_SYNC_FLUSH;
    return Z_NO_FLUSH;
}

/* One call of zlib into n bytes at to. Gives how many were written there, or -1. */
static ssize_t deflater_step(struct deflater *d, struct buf *in, int flush, unsigned char *to,
                             size_t n, struct err *e)
{
    unsigned fed = zlib_size(in->len), room = zlib_size(n);
    int rc;

    d->z.next_in = fed > 0 ? buf_data(in) : NULL;
    d->z.avail_in = fed;
    d->z.next_out = to;
    d->z.avail_out = room;
    /* More than zlib can count: the last part is flushed or finished, not this one. */
    rc = deflate(&d->z, fed == in->len ? flush : Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return err_set(e, ERR_PERMANENT, "gzip compression: %s", zError(rc));

    d->dirty = d->dirty || d->z.avail_in < fed;
    buf_consume(in, fed - d->z.avail_in);
    d->ended = rc == Z_STREAM_END;
    if (flush == Z_SYNC_FLUSH) {
        d->flushing = d->z.avail_out == 0 || in->len > 0;
        d->dirty = d->flushing;
    }
    return (ssize_t)(room - d->z.avail_out);
}

/* Gives out what is staged; false: some of it is still there. */
static bool deflater_unstage(struct deflater *d, struct buf *out)
{
    size_t n = buf_put(out, d->stage + d->stage_off, d->stage_len);

    d->stage_off += n;
    d->stage_len -= n;
    return d->stage_len == 0;
}

static int deflater_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode,
                         struct err *e)
{
    struct deflater *d = st;

    for (;;) {
        unsigned char *to;
        size_t room;
        ssize_t n;
        int flush;

        if (!deflater_unstage(d, out))
            return 0;
        flush = deflater_flush(d, in, mode);
        if (d->ended || (flush == Z_NO_FLUSH && in->len == 0))
            return mode != CODEC_RUN;
        room = buf_room(out, &to);
        if (room == 0)
            return 0;
        if (room >= sizeof d->stage) {
            n = deflater_step(d, in, flush, to, room, e);
            if (n < 0)
                return -1;
            buf_commit(out, (size_t)n);
        } else {
            n = deflater_step(d, in, flush, d->stage, sizeof d->stage, e);
            if (n < 0)
                return -1;
            d->stage_off = 0;
            d->stage_len = (size_t)n;
        }
    }
}

/* inflater */

/* A gzip stream is one or more members. gzip(1) takes an empty file for one cut short ("unexpected
 * end of file"), and so do we. Behind the last member, zeros (tapes' blocks) are padding. gzip(1)
 * only warns of anything else there; here it is an error, as bytes would be lost. */
enum inflater_state { BEFORE_FIRST, IN_MEMBER, BETWEEN, PADDING };

struct inflater {
    z_stream z;
    enum inflater_state state;
    bool open; /* z holds memory */
};

static int inflater_init(void *st, const struct addr *a, struct err *e)
{
    if (libraries_load_zlib(e) < 0)
        return -1;
    struct inflater *f = st;
    int rc = inflateInit2(&f->z, MAX_WBITS + GZIP_FORMAT);

    (void)a;
    if (rc == Z_MEM_ERROR)
        return err_nomem(e);
    if (rc != Z_OK)
        return err_set(e, ERR_PERMANENT, "starting gzip expansion: %s", zError(rc));
    f->open = true;
    return 0;
}

static void inflater_fini(void *st)
{
    struct inflater *f = st;

    if (f->open)
        inflateEnd(&f->z);
    f->open = false;
}

/* Outside of members: skips padding, recognizes the next member. Gives -1 on garbage. */
static int inflater_begin(struct inflater *f, struct buf *in, struct err *e)
{
    while (f->state != IN_MEMBER && in->len > 0) {
        unsigned char first = *buf_data(in);

        if (f->state == BEFORE_FIRST) {
            f->state = IN_MEMBER;
        } else if (first == 0) {
            f->state = PADDING;
            buf_consume(in, 1);
        } else if (f->state == BETWEEN && first == 0x1f) {
            inflateReset(&f->z);
            f->state = IN_MEMBER;
        } else {
            return err_set(e, ERR_PROTOCOL, "garbage behind the end of the gzip stream");
        }
    }
    return 0;
}

/* One call of zlib within a member. Gives 1 when it can do no more with this input, 0 to go on. */
static int inflater_step(struct inflater *f, struct buf *in, unsigned char *to, size_t room,
                         struct buf *out, struct err *e)
{
    unsigned fed = zlib_size(in->len), free_out = zlib_size(room);
    int rc;

    f->z.next_in = fed > 0 ? buf_data(in) : NULL;
    f->z.avail_in = fed;
    f->z.next_out = to;
    f->z.avail_out = free_out;
    rc = inflate(&f->z, Z_NO_FLUSH);
    buf_consume(in, fed - f->z.avail_in);
    buf_commit(out, free_out - f->z.avail_out);
    switch (rc) {
    case Z_OK:
        return in->len == 0 && f->z.avail_out > 0;
    case Z_STREAM_END:
        f->state = BETWEEN;
        return 0;
    case Z_BUF_ERROR: /* not an error: there was nothing left to do */
        return 1;
    case Z_MEM_ERROR:
        return err_nomem(e);
    default:
        return err_set(e, ERR_PROTOCOL, "gzip stream is damaged: %s",
                       f->z.msg != NULL ? f->z.msg : zError(rc));
    }
}

static int inflater_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode,
                         struct err *e)
{
    struct inflater *f = st;

    for (;;) {
        unsigned char *to;
        size_t room;
        int rc;

        if (inflater_begin(f, in, e) < 0)
            return -1;
        if (f->state != IN_MEMBER)
            break;
        room = buf_room(out, &to);
        if (room == 0)
            return 0;
        rc = inflater_step(f, in, to, room, out, e);
        if (rc < 0)
            return -1;
        if (rc > 0)
            break;
    }
    if (mode == CODEC_END && (f->state == IN_MEMBER || f->state == BEFORE_FIRST))
        return err_set(e, ERR_PROTOCOL, "gzip stream cut short");
    return mode != CODEC_RUN;
}

static const struct codec_ops deflater = {
    .state_size = sizeof(struct deflater),
    .init = deflater_init,
    .push = deflater_push,
    .fini = deflater_fini,
};
static const struct codec_ops inflater = {
    .state_size = sizeof(struct inflater),
    .init = inflater_init,
    .push = inflater_push,
    .fini = inflater_fini,
};

static const struct codec_pair gzip_pair = {.encode = &deflater, .decode = &inflater};
static const struct codec_pair gunzip_pair = {.encode = &inflater, .decode = &deflater};

extern const struct form forms_gzip[];
const struct form forms_gzip[] = {
    {
        .keyword = "GZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .groups = GROUP_GZIP,
        .help = "compresses from left to right, expands on the way back (gzip format)",
        .check = gzip_check,
        .kind = FORM_CODEC,
        .ops.codec = &gzip_pair,
    },
    {
        .keyword = "GUNZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .groups = GROUP_GZIP,
        .help = "expands from left to right, compresses on the way back (gzip format)",
        .check = gzip_check,
        .kind = FORM_CODEC,
        .ops.codec = &gunzip_pair,
    },
    {0},
};
