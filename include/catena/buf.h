/* SPDX-License-Identifier: GPL-2.0-or-later
 * A bounded linear byte buffer: data is p[off .. off+len), room is behind it (buf_room compacts).
 * Never grows by itself, so every buffer has the ceiling its owner gave it. Not thread-safe.
 * It may carry a mark: that what is in it is one message, or, while it is empty, a control. */
#ifndef CATENA_BUF_H
#define CATENA_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/api.h"
#include "catena/control.h"

struct buf {
    unsigned char *p;
    size_t cap, off, len; /* bytes */
    bool record; /* what is in it is one message, or what is left of it; it may be empty */
    struct control control; /* it is empty, and stands for this; or .kind 0 */
};

int buf_init(struct buf *b, size_t cap) CATENA_API(buf_init); /* 0, or -1 without memory */
void buf_fini(struct buf *b) CATENA_API(buf_fini);            /* also fine on a zeroed buf */
/* Sees to it that b holds at least cap bytes; what is in it stays. A zeroed buf is fine. */
int buf_grow(struct buf *b, size_t cap) CATENA_API(buf_grow); /* 0, or -1 without memory */

/* Something is in it, if only an empty message or a control. */
static inline bool buf_holds(const struct buf *b) { return b->len > 0 || b->record || b->control.kind; }

static inline unsigned char *buf_data(const struct buf *b) { return b->p + b->off; }

/* Contiguous free bytes behind the data, *at says where (none: NULL); moves the data to the front if that
 * makes room. */
size_t buf_room(struct buf *b, unsigned char **at) CATENA_API(buf_room);
/* n bytes were written at the place buf_room() gave. */
static inline void buf_commit(struct buf *b, size_t n) { b->len += n; }
/* Drops n bytes from the front; an empty message or a control, too. */
static inline void buf_consume(struct buf *b, size_t n)
{
    b->off += n;
    b->len -= n;
    if (b->len == 0) {
        b->off = 0;
        b->record = false;
        b->control.kind = CONTROL_NONE;
    }
}
/* Copies as many of n bytes as fit; gives how many. */
size_t buf_put(struct buf *b, const void *data, size_t n) CATENA_API(buf_put);
/* Moves bytes from one to the other until one is empty or the other full; gives how many. */
size_t buf_move(struct buf *to, struct buf *from) CATENA_API(buf_move);
/* Exchanges the contents without copying. */
void buf_swap(struct buf *a, struct buf *b) CATENA_API(buf_swap);

#endif
