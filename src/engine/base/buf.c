/* SPDX-License-Identifier: GPL-2.0-or-later
 * Bounded linear byte buffers: see catena/buf.h. */
#include "catena/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

/* What holds pages begins with one: files that are read past the system's cache (O_DIRECT) want it.
 * Aligned here, from a block of one size: what posix_memalign() cuts out of the heap is, once freed, too
 * small for the next of its kind, and flows that rest give their buffers back all the time. Sanitizers
 * get blocks that end where they end. */
#ifdef CATENA_EXACT_BUFFERS
static void *room_for(size_t cap)
{
    void *p = NULL;
    if (cap < PAGE)
        return malloc(cap ? cap : 1);
    return posix_memalign(&p, PAGE, cap) == 0 ? p : NULL;
}

static void give_back(struct buf *b) { free(b->p); }
#else
static void *room_for(size_t cap)
{
    if (cap < PAGE)
        return malloc(cap ? cap : 1);
    char *whole = malloc(cap + PAGE);
    if (!whole)
        return NULL;
    char **p = (void *)(whole + PAGE - (uintptr_t)whole % PAGE);
    p[-1] = whole; /* there is room: malloc() aligns, too */
    return p;
}

static void give_back(struct buf *b)
{
    bool whole = !b->p || b->cap < PAGE;
    free(whole ? b->p : ((void **)(void *)b->p)[-1]);
}
#endif

int buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.p = room_for(cap), .cap = cap};
    return b->p ? 0 : -1;
}

void buf_fini(struct buf *b)
{
    give_back(b);
    *b = (struct buf){0};
}

int buf_grow(struct buf *b, size_t cap)
{
    if (b->p && b->cap >= cap)
        return 0;
    unsigned char *p = room_for(cap);
    if (!p)
        return -1;
    if (b->len > 0)
        memcpy(p, b->p + b->off, b->len);
    give_back(b);
    b->off = 0;
    b->p = p;
    b->cap = cap;
    return 0;
}

size_t buf_room(struct buf *b, unsigned char **at)
{
    *at = NULL;
    if (!b->p)
        return 0;
    /* Compact only when the tail is short: moving a few bytes is cheaper than a short read. */
    if (b->off > 0 && b->cap - b->off - b->len < b->cap / 2) {
        memmove(b->p, b->p + b->off, b->len);
        b->off = 0;
    }
    *at = b->p + b->off + b->len;
    return b->cap - b->off - b->len;
}

size_t buf_put(struct buf *b, const void *data, size_t n)
{
    unsigned char *at;
    size_t room = buf_room(b, &at);
    if (n > room)
        n = room;
    if (n > 0)
        memcpy(at, data, n);
    b->len += n;
    return n;
}

size_t buf_move(struct buf *to, struct buf *from)
{
    if (from->len == 0) /* it may have no memory yet */
        return 0;
    size_t n = buf_put(to, buf_data(from), from->len);
    buf_consume(from, n);
    return n;
}

void buf_swap(struct buf *a, struct buf *b)
{
    struct buf t = *a;
    *a = *b;
    *b = t;
}
