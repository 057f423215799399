/* SPDX-License-Identifier: GPL-2.0-or-later
 * From the plain stream to gzip format and its kin, by whoever calls; with threads see deflate_threads.h. */
#include <zlib.h>

#include "inter/gzip/deflate_threads.h"
#include "inter/gzip/gzip.h"
#include "inter/libraries/libraries.h"

struct deflater {
    struct deflate_threads *threads; /* they do it all; or NULL */
    z_stream z;
    const char *name; /* of the format */
    enum pack_flush policy;
    bool open;     /* z holds memory */
    bool dirty;    /* zlib took input that no flush has brought out yet */
    bool flushing; /* a flush has begun and has to be carried through */
    bool ended;    /* the trailer is out */
    /* zlib cannot tell that a flush is complete when it fills the output exactly, and starts
     * another: so it never gets a tiny output, but this one. */
    unsigned char stage[64];
    size_t stage_off, stage_len;
};

static int deflater_init(void *st, const struct addr *a, struct err *e)
{
    if (libraries_load_zlib(e) < 0)
        return -1;
    struct deflater *d = st;
    struct gzip_settings s;
    int rc;

    if (gzip_settings(a, &s, e) < 0)
        return -1;
    if (s.threads > 1) {
        d->threads = deflate_threads_new(&s, e);
        return d->threads ? 0 : -1;
    }
    d->policy = s.flush;
    d->name = s.format->name;
    rc = deflateInit2(&d->z, s.level, Z_DEFLATED, s.format->window_bits, GZIP_MEM_LEVEL,
                      Z_DEFAULT_STRATEGY);
    if (rc == Z_MEM_ERROR)
        return err_nomem(e);
    if (rc != Z_OK)
        return err_set(e, ERR_OTHER, "starting %s compression: %s", d->name, zError(rc));
    d->open = true;
    return 0;
}

static void deflater_fini(void *st)
{
    struct deflater *d = st;

    deflate_threads_free(d->threads);
    d->threads = NULL;
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
    unsigned fed = gzip_portion(in->len), room = gzip_portion(n);
    int rc;

    d->z.next_in = fed > 0 ? buf_data(in) : NULL;
    d->z.avail_in = fed;
    d->z.next_out = to;
    d->z.avail_out = room;
    /* More than zlib can count: the last part is flushed or finished, not this one. */
    rc = deflate(&d->z, fed == in->len ? flush : Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return err_set(e, ERR_OTHER, "%s compression: %s", d->name, zError(rc));

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

    if (d->threads)
        return deflate_threads_push(d->threads, in, out, mode, e);
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

const struct codec_ops gzip_deflater = {
    .state_size = sizeof(struct deflater),
    .init = deflater_init,
    .push = deflater_push,
    .fini = deflater_fini,
};
