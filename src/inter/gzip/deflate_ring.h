/* SPDX-License-Identifier: GPL-2.0-or-later
 * Blocks of a stream that worker threads deflate, in a ring: they are filled at one end, come out
 * in the same order at the other, and there are only so many of them. A deflated block ends at a
 * whole byte and refers back to the one before, so all of them in a row are one raw deflate stream.
 *
 * The owner is one thread; the workers see nothing but the blocks handed to them. */
#ifndef CATENA_INTER_DEFLATE_RING_H
#define CATENA_INTER_DEFLATE_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

#include "inter/gzip/gzip.h"

struct deflate_block {
    unsigned char *in; /* from .. to is to be deflated, `window` bytes before it are known */
    size_t window, from, to;
    unsigned char *out; /* what became of it */
    size_t cap, made, given;
    unsigned long sum; /* of what was deflated, if the format has one */
    int rc;            /* Z_OK or zlib's complaint */
    bool done;         /* made, sum and rc are there */
};

struct deflate_worker {
    struct deflate_ring *ring;
    pthread_t thread;
    z_stream z;
    bool open, started; /* z holds memory; the thread is there */
};

struct deflate_ring {
    pthread_mutex_t lock; /* guards next, filling, stopping, and `done` of blocks handed over */
    pthread_cond_t wanted, done;
    size_t oldest, next, filling; /* which is to be given out, deflated, filled: they only grow */
    bool stopping, tried; /* tried: to start the workers */
    const struct deflate_format *format;
    int level;
    size_t nblocks, nworkers, wanted_workers;
    struct deflate_block *blocks;
    struct deflate_worker *workers;
};

/* zlib's state for a stretch of a raw stream. */
int deflate_ring_state(z_stream *z, int level, struct err *e);

/* Only the first block has memory as yet, and there are no threads: see deflate_ring_has_workers().
 * Deflated blocks take `cap` bytes at most. */
int deflate_ring_init(struct deflate_ring *r, const struct gzip_settings *s, size_t cap, struct err *e);
void deflate_ring_fini(struct deflate_ring *r); /* waits for blocks in hand; also fine on zeros */

/* Bytes that a full block holds. */
size_t deflate_ring_block_size(void);

static inline struct deflate_block *deflate_ring_filling(const struct deflate_ring *r)
{
    return &r->blocks[r->filling % r->nblocks];
}
bool deflate_ring_has_room(const struct deflate_ring *r); /* one more can be handed over */
/* The first call, with the first full block, starts them: a codec that is made may still be forked (a
 * connecting address with fork), or never see one. As many as memory and system allow; false: none,
 * and the owner deflates by himself. */
bool deflate_ring_has_workers(struct deflate_ring *r);
/* The block that is being filled goes to the workers, the next one is filled. */
void deflate_ring_hand_over(struct deflate_ring *r);
/* The oldest block if it is done. The one being filled may be done, too: by the owner. */
struct deflate_block *deflate_ring_oldest(struct deflate_ring *r, bool wait);
/* That block has been given out. The one being filled takes more then. */
void deflate_ring_retire(struct deflate_ring *r);

/* Moves as much as fits from `in` to the block. */
void deflate_block_fill(struct deflate_block *b, struct buf *in);
bool deflate_block_is_full(const struct deflate_block *b);
/* anew: z knows nothing of what came before. */
void deflate_block_work(const struct deflate_ring *r, struct deflate_block *b, z_stream *z, int flush,
                        bool anew);

#endif
