/* SPDX-License-Identifier: GPL-2.0-or-later
 * gzip format and its kin with several threads: see deflate_threads.h. Full blocks go to workers; what is left
 * when somebody waits for it is deflated here, by a state that goes on from one such rest to the
 * next, so a dialog of small blocks is compressed as if there were no workers. */
#include "inter/gzip/deflate_threads.h"

#include <stdlib.h>

#include "inter/gzip/deflate_ring.h"

enum {
    FLUSH_MARK = 16, /* bytes a flush needs at most, and then some */
    EDGE = 10, /* the longest of headers and trailers */
};

struct deflate_threads {
    struct deflate_ring ring;
    z_stream own;
    bool open;   /* own holds memory */
    bool behind; /* blocks went to the workers, own does not know them */
    bool begun;  /* the header has been made */
    bool ended;  /* the last block has been made */
    const struct deflate_format *format;
    enum pack_flush flush;
    int level;
    unsigned long sum, total;   /* of what has been given out */
    unsigned char edge[EDGE];   /* header or trailer on its way out */
    size_t edge_off, edge_len;
};

struct deflate_threads *deflate_threads_new(const struct gzip_settings *s, struct err *e)
{
    struct deflate_threads *d = calloc(1, sizeof *d);

    if (!d) {
        (void)err_nomem(e);
        return NULL;
    }
    d->format = s->format;
    d->sum = s->format->sum;
    d->flush = s->flush;
    d->level = s->level;
    if (deflate_ring_state(&d->own, s->level, e) == 0) {
        size_t cap = deflateBound(&d->own, deflate_ring_block_size()) + FLUSH_MARK;

        d->open = true;
        if (deflate_ring_init(&d->ring, s, cap, e) == 0)
            return d;
    }
    deflate_threads_free(d);
    return NULL;
}

void deflate_threads_free(struct deflate_threads *d)
{
    if (!d)
        return;
    deflate_ring_fini(&d->ring);
    if (d->open)
        deflateEnd(&d->own);
    free(d);
}

/* ---- giving ---- */

static void make_header(struct deflate_threads *d)
{
    if (d->format->make_header)
        d->format->make_header(d->edge, d->level);
    d->edge_len = d->format->header;
    d->begun = true;
}

static void make_trailer(struct deflate_threads *d)
{
    if (d->format->make_trailer)
        d->format->make_trailer(d->edge, d->sum, d->total);
    d->edge_off = 0;
    d->edge_len = d->format->trailer;
}

/* false: some of it is still there */
static bool give_edge(struct deflate_threads *d, struct buf *out)
{
    size_t n = buf_put(out, d->edge + d->edge_off, d->edge_len);

    d->edge_off += n;
    d->edge_len -= n;
    return d->edge_len == 0;
}

enum given { FAILED = -1, NO_ROOM, GIVEN, NOTHING_DONE };

/* The oldest block, with what belongs around it. */
static enum given give_block(struct deflate_threads *d, struct buf *out, bool wait, struct err *e)
{
    struct deflate_block *b = deflate_ring_oldest(&d->ring, wait);
    bool last = d->ended && b == deflate_ring_filling(&d->ring);

    if (!b)
        return give_edge(d, out) ? NOTHING_DONE : NO_ROOM;
    if (b->rc != Z_OK)
        return (enum given)err_set(e, ERR_OTHER, "%s compression: %s", d->format->name, zError(b->rc));
    if (!d->begun)
        make_header(d);
    if (!give_edge(d, out))
        return NO_ROOM;
    b->given += buf_put(out, b->out + b->given, b->made - b->given);
    if (b->given < b->made)
        return NO_ROOM;
    if (d->format->add)
        d->sum = d->format->add(d->sum, b->sum, b->to - b->from);
    d->total += b->to - b->from;
    deflate_ring_retire(&d->ring);
    if (last)
        make_trailer(d);
    return GIVEN;
}

/* Gives 1 when nothing (that is done, or at all with wait) is left, 0 without room, -1. */
static int give(struct deflate_threads *d, struct buf *out, bool wait, struct err *e)
{
    enum given rc;

    do
        rc = give_block(d, out, wait, e);
    while (rc == GIVEN);
    return rc == NOTHING_DONE ? 1 : (int)rc;
}

/* ---- taking ---- */

/* What is in the block that is being filled is deflated by the caller, beside the workers: the rest,
 * or all of it when there are none. */
static void deflate_here(struct deflate_threads *d, enum codec_mode mode)
{
    struct deflate_block *b = deflate_ring_filling(&d->ring);

    if (b->from == b->to && mode != CODEC_END)
        return;
    deflate_block_work(&d->ring, b, &d->own, mode == CODEC_END ? Z_FINISH : Z_SYNC_FLUSH, d->behind);
    b->done = true;
    d->behind = false;
    d->ended = mode == CODEC_END;
}

/* Gives 1 when in is empty, 0 without room in out, -1. */
static int take(struct deflate_threads *d, struct buf *in, struct buf *out, struct err *e)
{
    for (;;) {
        struct deflate_block *b = deflate_ring_filling(&d->ring);
        enum given rc;

        deflate_block_fill(b, in);
        if (!deflate_block_is_full(b))
            return 1;
        if (!deflate_ring_has_workers(&d->ring)) {
            deflate_here(d, CODEC_IDLE);
        } else if (deflate_ring_has_room(&d->ring)) {
            deflate_ring_hand_over(&d->ring);
            d->behind = true;
            continue;
        } else if (in->len == 0) {
            return 1;
        }
        rc = give_block(d, out, true, e);
        if (rc != GIVEN)
            return (int)rc;
    }
}

int deflate_threads_push(struct deflate_threads *d, struct buf *in, struct buf *out,
                         enum codec_mode mode, struct err *e)
{
    bool all = mode == CODEC_END || d->flush == FLUSH_ALWAYS ||
               (d->flush == FLUSH_IDLE && mode == CODEC_IDLE);
    int rc = 1;

    if (deflate_ring_filling(&d->ring)->done || d->ended) /* can take no more before that is out */
        rc = give(d, out, true, e);
    if (rc == 1 && !d->ended) {
        rc = take(d, in, out, e);
        if (rc == 1 && all)
            deflate_here(d, mode);
        if (rc == 1)
            rc = give(d, out, all, e);
    }
    return rc == 1 ? mode != CODEC_RUN : rc;
}
