/* SPDX-License-Identifier: GPL-2.0-or-later
 * Blocks deflated by worker threads: see deflate_ring.h. */
#include "inter/gzip/deflate_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/thread.h"
#include "inter/gzip/gzip.h"

enum {
    WINDOW = 32 * 1024, /* as far as deflate looks back */
    BLOCK = 128 * 1024,
    STACK = 256 * 1024,
    KEPT = 2048 * 1024, /* bytes of memory that are left when workers are started */
    SPARE = 2, /* blocks besides the workers' own: one waiting, one being filled */
};

/* ---- blocks ---- */

static int block_init(struct deflate_block *b, size_t cap)
{
    *b = (struct deflate_block){
        .in = malloc(WINDOW + BLOCK), .from = WINDOW, .to = WINDOW, .out = malloc(cap), .cap = cap};
    return b->in && b->out ? 0 : -1;
}

static void block_fini(struct deflate_block *b)
{
    free(b->in);
    free(b->out);
    *b = (struct deflate_block){0};
}

/* What comes behind `before`, which may be the same block, is to be filled into b. */
static void block_follow(struct deflate_block *b, const struct deflate_block *before)
{
    size_t known = before->window + before->to - before->from;

    b->window = known < WINDOW ? known : WINDOW;
    memmove(b->in + WINDOW - b->window, before->in + before->to - b->window, b->window);
    b->from = b->to = WINDOW;
}

/* The same without moving the window, as long as what is left of the block is worth a worker. */
static void block_go_on(struct deflate_block *b)
{
    if (b->to > WINDOW + BLOCK / 2) {
        block_follow(b, b);
        return;
    }
    b->window += b->to - b->from;
    if (b->window > WINDOW)
        b->window = WINDOW;
    b->from = b->to;
}

static void block_renew(struct deflate_block *b)
{
    b->made = b->given = 0;
    b->rc = Z_OK;
    b->done = false;
}

void deflate_block_fill(struct deflate_block *b, struct buf *in)
{
    size_t n = WINDOW + BLOCK - b->to;

    if (n > in->len)
        n = in->len;
    if (n == 0)
        return;
    memcpy(b->in + b->to, buf_data(in), n);
    b->to += n;
    buf_consume(in, n);
}

bool deflate_block_is_full(const struct deflate_block *b)
{
    return b->to == WINDOW + BLOCK;
}

size_t deflate_ring_block_size(void)
{
    return BLOCK;
}

void deflate_block_work(const struct deflate_ring *r, struct deflate_block *b, z_stream *z, int flush,
                        bool anew)
{
    size_t n = b->to - b->from;
    int rc = anew ? deflateReset(z) : Z_OK;

    if (rc == Z_OK && anew && b->window > 0)
        rc = deflateSetDictionary(z, b->in + b->from - b->window, (unsigned)b->window);
    if (rc == Z_OK) {
        z->next_in = b->in + b->from;
        z->avail_in = (unsigned)n;
        z->next_out = b->out;
        z->avail_out = (unsigned)b->cap;
        rc = deflate(z, flush);
        b->made = b->cap - z->avail_out;
        /* A flush is complete when it leaves room; what is finished says so. */
        if (flush == Z_FINISH ? rc == Z_STREAM_END : z->avail_in == 0 && z->avail_out > 0)
            rc = Z_OK;
        else if (rc == Z_OK)
            rc = Z_BUF_ERROR;
    }
    if (r->format->sum_of)
        b->sum = r->format->sum_of(b->in + b->from, n);
    b->rc = rc;
}

/* ---- workers ---- */

int deflate_ring_state(z_stream *z, int level, struct err *e)
{
    int rc = deflateInit2(z, level, Z_DEFLATED, -MAX_WBITS, GZIP_MEM_LEVEL, Z_DEFAULT_STRATEGY);

    if (rc == Z_MEM_ERROR)
        return err_nomem(e);
    if (rc != Z_OK)
        return err_set(e, ERR_OTHER, "starting compression: %s", zError(rc));
    return 0;
}

static void *worker_main(void *arg)
{
    struct deflate_worker *w = arg;
    struct deflate_ring *r = w->ring;

    pthread_mutex_lock(&r->lock);
    for (;;) {
        struct deflate_block *b;

        while (!r->stopping && r->next == r->filling)
            (void)pthread_cond_wait(&r->wanted, &r->lock);
        if (r->stopping)
            break;
        b = &r->blocks[r->next++ % r->nblocks];
        pthread_mutex_unlock(&r->lock);
        deflate_block_work(r, b, &w->z, Z_SYNC_FLUSH, true);
        pthread_mutex_lock(&r->lock);
        b->done = true;
        (void)pthread_cond_signal(&r->done);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void worker_fini(struct deflate_worker *w)
{
    if (w->started)
        (void)pthread_join(w->thread, NULL);
    if (w->open)
        deflateEnd(&w->z);
    *w = (struct deflate_worker){0};
}

/* A worker and a block for it to work on. */
static int worker_start(struct deflate_ring *r, struct deflate_worker *w, struct deflate_block *b,
                        struct err *e)
{
    w->ring = r;
    if (block_init(b, r->blocks[0].cap) < 0)
        return err_nomem(e);
    if (deflate_ring_state(&w->z, r->level, e) < 0)
        return -1;
    w->open = true;
    errno = thread_start(&w->thread, STACK, diag_whom(), worker_main, w);
    if (errno != 0)
        return err_sys(e, "cannot start a thread");
    w->started = true;
    return 0;
}

/* As many as there can be. */
static size_t start_workers(struct deflate_ring *r, struct err *e)
{
    size_t n = 0;

    for (; n < r->wanted_workers; n++)
        if (worker_start(r, &r->workers[n], &r->blocks[SPARE + n], e) < 0) {
            worker_fini(&r->workers[n]);
            block_fini(&r->blocks[SPARE + n]);
            break;
        }
    return n;
}

/* Workers see the ring's size under its lock only, and do not get the last of the memory: the relay
 * wants some, too. */
static int start(struct deflate_ring *r, struct err *e)
{
    void *kept = malloc(KEPT);
    bool ready = kept;

    for (size_t i = 1; i < SPARE && ready; i++)
        ready = block_init(&r->blocks[i], r->blocks[0].cap) == 0;
    if (!ready) {
        free(kept);
        return err_nomem(e);
    }
    pthread_mutex_lock(&r->lock);
    r->nworkers = start_workers(r, e);
    r->nblocks = r->nworkers + SPARE;
    pthread_mutex_unlock(&r->lock);
    free(kept);
    return r->nworkers < r->wanted_workers ? -1 : 0;
}

bool deflate_ring_has_workers(struct deflate_ring *r)
{
    struct err e;

    if (!r->tried && start(r, &e) < 0)
        diag(DIAG_WARN, "%s compresses with %zu of %zu threads: %s", r->format->name,
             r->nworkers, r->wanted_workers, e.text);
    r->tried = true;
    return r->nworkers > 0;
}

/* ---- the ring ---- */

int deflate_ring_init(struct deflate_ring *r, const struct gzip_settings *s, size_t cap, struct err *e)
{
    *r = (struct deflate_ring){.lock = PTHREAD_MUTEX_INITIALIZER,
                               .wanted = PTHREAD_COND_INITIALIZER,
                               .done = PTHREAD_COND_INITIALIZER,
                               .format = s->format,
                               .level = s->level,
                               .nblocks = SPARE,
                               .wanted_workers = s->threads};
    r->blocks = calloc(s->threads + SPARE, sizeof r->blocks[0]);
    r->workers = calloc(s->threads, sizeof r->workers[0]);
    if (!r->blocks || !r->workers || block_init(&r->blocks[0], cap) < 0)
        return err_nomem(e);
    return 0;
}

void deflate_ring_fini(struct deflate_ring *r)
{
    if (r->nworkers > 0) {
        pthread_mutex_lock(&r->lock);
        r->stopping = true;
        (void)pthread_cond_broadcast(&r->wanted);
        pthread_mutex_unlock(&r->lock);
    }
    for (size_t i = 0; i < r->nworkers; i++)
        worker_fini(&r->workers[i]);
    for (size_t i = 0; r->blocks && i < r->nblocks; i++)
        block_fini(&r->blocks[i]);
    free(r->workers);
    free(r->blocks);
    r->workers = NULL;
    r->blocks = NULL;
}

bool deflate_ring_has_room(const struct deflate_ring *r)
{
    return r->filling + 1 - r->oldest < r->nblocks;
}

void deflate_ring_hand_over(struct deflate_ring *r)
{
    struct deflate_block *next = &r->blocks[(r->filling + 1) % r->nblocks];

    block_renew(next);
    block_follow(next, deflate_ring_filling(r));
    pthread_mutex_lock(&r->lock);
    r->filling++;
    (void)pthread_cond_signal(&r->wanted);
    pthread_mutex_unlock(&r->lock);
}

struct deflate_block *deflate_ring_oldest(struct deflate_ring *r, bool wait)
{
    struct deflate_block *b = &r->blocks[r->oldest % r->nblocks];
    bool done;

    if (r->oldest == r->filling)
        return b->done ? b : NULL;
    pthread_mutex_lock(&r->lock);
    while (!b->done && wait)
        (void)pthread_cond_wait(&r->done, &r->lock);
    done = b->done;
    pthread_mutex_unlock(&r->lock);
    return done ? b : NULL;
}

void deflate_ring_retire(struct deflate_ring *r)
{
    if (r->oldest < r->filling) {
        r->oldest++;
        return;
    }
    block_go_on(deflate_ring_filling(r));
    block_renew(deflate_ring_filling(r));
}
