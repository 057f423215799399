/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table: see handles.h. Its slots stay where they are, and what a slot's word says can be asked at any
 * time: which of all handles that have been there, whether it is closed, and how many are at it. */
#include "xio/handles.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    FIRST = 64, /* slots of the first block; each has twice as many as the one before */
    BLOCKS = 14,
    INDEX_BITS = 20, /* of a number; the rest is the turn, so an old number is not taken for a new one */
};

#define USERS UINT64_C(0x7fffffff)
#define CLOSED UINT64_C(0x80000000)
#define TURN_SHIFT 32

struct slot {
    _Atomic uint64_t word; /* turn, closed, users */
    struct handle *handle;
    uint32_t next; /* of those that are free, from 1; 0 none */
};

static struct table {
    pthread_mutex_t lock; /* of what follows, but for looking into blocks */
    struct slot *_Atomic block[BLOCKS];
    uint32_t n, unused; /* slots there are; the first that is free, from 1 */
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t turn_mask(void)
{
    return (UINT64_C(1) << (sizeof(void *) * 8 - INDEX_BITS < 32 ? sizeof(void *) * 8 - INDEX_BITS : 32)) - 1;
}

static struct slot *slot_at(uint32_t i)
{
    unsigned b = 0;
    uint32_t size = FIRST;
    for (; b < BLOCKS && i >= size; b++) {
        i -= size;
        size *= 2;
    }
    struct slot *block = b < BLOCKS ? atomic_load(&table.block[b]) : NULL;
    return block ? &block[i] : NULL;
}

static struct slot *slot_of(struct xio *x, uint64_t *turn)
{
    uint64_t n = (uintptr_t)x;
    uint32_t i = (uint32_t)(n & ((1U << INDEX_BITS) - 1));
    *turn = n >> INDEX_BITS;
    return i > 0 ? slot_at(i - 1) : NULL;
}

static struct xio *number_of(uint32_t i, uint64_t turn)
{
    return (struct xio *)(uintptr_t)((turn & turn_mask()) << INDEX_BITS | i);
}

/* Under the lock: from 1; 0 no memory. */
static uint32_t free_slot(void)
{
    uint32_t i = table.unused;
    if (i > 0) {
        table.unused = slot_at(i - 1)->next;
        return i;
    }
    if (!slot_at(table.n)) {
        unsigned b = 0;
        while (b < BLOCKS && atomic_load(&table.block[b]))
            b++;
        struct slot *block = b < BLOCKS ? calloc((size_t)FIRST << b, sizeof *block) : NULL;
        if (!block)
            return 0;
        atomic_store(&table.block[b], block);
    }
    return ++table.n;
}

struct xio *handles_add(struct handle *h)
{
    struct xio *x = NULL;
    pthread_mutex_lock(&table.lock);
    uint32_t i = free_slot();
    if (i > 0) {
        struct slot *s = slot_at(i - 1);
        uint64_t turn = (atomic_load(&s->word) >> TURN_SHIFT) + 1;
        s->handle = h;
        atomic_store(&s->word, turn << TURN_SHIFT | 1);
        x = number_of(i, turn);
    }
    pthread_mutex_unlock(&table.lock);
    return x;
}

static bool is_turn(uint64_t word, uint64_t turn)
{
    return ((word >> TURN_SHIFT) & turn_mask()) == turn && !(word & CLOSED);
}

struct handle *handles_enter(struct xio *x)
{
    uint64_t turn;
    struct slot *s = slot_of(x, &turn);
    uint64_t word = s ? atomic_load(&s->word) : 0;
    while (s && is_turn(word, turn) && (word & USERS) < USERS)
        if (atomic_compare_exchange_weak(&s->word, &word, word + 1))
            return s->handle;
    return NULL;
}

bool handles_close(struct xio *x)
{
    uint64_t turn;
    struct slot *s = slot_of(x, &turn);
    uint64_t word = s ? atomic_load(&s->word) : 0;
    while (s && is_turn(word, turn))
        if (atomic_compare_exchange_weak(&s->word, &word, word | CLOSED))
            return true;
    return false;
}

bool handles_shared(struct xio *x)
{
    uint64_t turn;
    const struct slot *s = slot_of(x, &turn);
    return (atomic_load(&s->word) & USERS) > 1;
}

bool handles_leave(struct xio *x)
{
    uint64_t turn;
    struct slot *s = slot_of(x, &turn);
    uint64_t before = atomic_fetch_sub(&s->word, 1);
    if (!(before & CLOSED) || (before & USERS) != 1)
        return false;
    pthread_mutex_lock(&table.lock);
    s->next = table.unused;
    table.unused = (uint32_t)((uintptr_t)x & ((1U << INDEX_BITS) - 1));
    pthread_mutex_unlock(&table.lock);
    return true;
}
