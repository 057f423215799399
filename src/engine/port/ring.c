/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rings: see ring.h. For each direction one writer and one reader, who only ever move their own
 * end. Blocks are not copied: the writer's full buffer and the slot's empty one change places, and
 * so at the reader's end. Before it sleeps an end is armed (ring_ready()): it asks to be woken and
 * looks once more, while the neighbour moves its end and then looks whether somebody asked; so no
 * wake-up is missed.
 */
#include "engine/port/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SLOTS = 16,             /* blocks under way, a power of two; with more they leave the caches */
    GOOD_PIECE = SLOTS / 2, /* of work, that a sleeper is woken for */
};

struct ring {
    _Alignas(64) atomic_size_t head; /* blocks ever given */
    atomic_bool writer_waits, writer_gone;
    _Alignas(64) atomic_size_t tail; /* blocks ever taken */
    atomic_bool reader_waits, reader_gone;
    atomic_bool reader_came; /* it has wanted a block: before, the writer's end has no room */
    struct buf slot[SLOTS]; /* empty ones are the writer's */
};

struct pair {
    struct ring ring[2];
    int wake_fd[2];  /* eventfds: who sleeps waits for its own; writing one cannot fail */
    atomic_int ends; /* still open */
};

struct ring_end { /* port.state */
    struct pair *pair;
    struct ring *in, *out;
    int neighbour; /* its wake_fd */
};

static void wake(const struct port *p)
{
    const struct ring_end *e = p->state;
    (void)eventfd_write(e->neighbour, 1);
}

static void hear(const struct port *p)
{
    (void)eventfd_read(p->rfd, &(eventfd_t){0});
}

static void come(const struct port *p)
{
    struct ring *r = ((struct ring_end *)p->state)->in;
    if (atomic_load_explicit(&r->reader_came, memory_order_relaxed))
        return;
    atomic_store(&r->reader_came, true);
    if (atomic_load(&r->writer_waits) && atomic_exchange(&r->writer_waits, false))
        wake(p);
}

static size_t held(const struct ring *r)
{
    return atomic_load(&r->head) - atomic_load(&r->tail);
}

static ssize_t ring_take(struct port *p, struct buf *b)
{
    struct ring *r = ((struct ring_end *)p->state)->in;
    bool ended = atomic_load(&r->writer_gone); /* before the look at what it has left */
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    come(p);
    if (held(r) == 0) {
        errno = EAGAIN;
        return ended ? 0 : -1;
    }
    buf_swap(b, &r->slot[tail % SLOTS]);
    atomic_store(&r->tail, tail + 1);
    if (held(r) <= SLOTS - GOOD_PIECE && atomic_load(&r->writer_waits) &&
        atomic_exchange(&r->writer_waits, false))
        wake(p);
    return (ssize_t)b->len;
}

static void ring_settle(struct port *p)
{
    struct ring_end *e = p->state;
    if (atomic_load(&e->out->reader_waits) && atomic_exchange(&e->out->reader_waits, false))
        wake(p);
}

static ssize_t ring_give(struct port *p, struct buf *b)
{
    struct ring_end *e = p->state;
    struct ring *r = e->out;
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed), n = b->len;
    struct buf *slot = &r->slot[head % SLOTS];
    if (atomic_load(&r->reader_gone) || held(r) == SLOTS) {
        errno = atomic_load(&r->reader_gone) ? EPIPE : EAGAIN;
        return -1;
    }
    if (buf_grow(slot, b->cap) < 0) {
        errno = ENOMEM;
        return -1;
    }
    buf_swap(b, slot);
    atomic_store(&r->head, head + 1);
    p->due = true;
    if (held(r) >= GOOD_PIECE)
        port_settle(p);
    return (ssize_t)n;
}

static bool can_go_on(const struct ring_end *e, bool in, bool out)
{
    return (in && (held(e->in) > 0 || atomic_load(&e->in->writer_gone))) ||
           (out && ((held(e->out) < SLOTS && atomic_load(&e->out->reader_came)) ||
                    atomic_load(&e->out->reader_gone)));
}

/* Also that the neighbour has closed is something to look at, once. */
static bool ring_ready(struct port *p, bool in, bool out)
{
    struct ring_end *e = p->state;
    bool known = p->gone;
    if (in)
        come(p);
    if (can_go_on(e, in, out))
        return true;
    hear(p);
    if (in)
        atomic_store(&e->in->reader_waits, true);
    if (out)
        atomic_store(&e->out->writer_waits, true);
    p->gone = atomic_load(&e->in->writer_gone) && atomic_load(&e->out->reader_gone);
    return can_go_on(e, in, out) || p->gone != known;
}

static int ring_shutdown(struct port *p, struct err *err)
{
    struct ring_end *e = p->state;
    (void)err;
    atomic_store(&e->out->writer_gone, true);
    wake(p);
    return 0;
}

static void ring_stop_reading(struct port *p)
{
    struct ring_end *e = p->state;
    atomic_store(&e->in->reader_gone, true);
    wake(p);
}

static void free_pair(struct pair *pair)
{
    for (int i = 0; i < 2 * SLOTS; i++)
        buf_fini(&pair->ring[i / SLOTS].slot[i % SLOTS]);
    for (int i = 0; i < 2; i++)
        if (pair->wake_fd[i] >= 0)
            close(pair->wake_fd[i]);
    free(pair);
}

static void ring_close(struct port *p)
{
    struct ring_end *e = p->state;
    atomic_store(&e->out->writer_gone, true);
    atomic_store(&e->in->reader_gone, true);
    wake(p);
    if (atomic_fetch_sub(&e->pair->ends, 1) == 1)
        free_pair(e->pair);
    free(e);
}

static const struct port_ops ring_ops = {.take = ring_take,
                                         .give = ring_give,
                                         .shutdown = ring_shutdown,
                                         .close = ring_close,
                                         .stop_reading = ring_stop_reading,
                                         .ready = ring_ready,
                                         .settle = ring_settle};

static struct port *end_of(struct pair *pair, int i, const char *label)
{
    struct port *p = calloc(1, sizeof *p);
    struct ring_end *e = malloc(sizeof *e);
    int fd = pair->wake_fd[i];
    if (!p || !e) {
        free(p);
        free(e);
        return NULL;
    }
    *e = (struct ring_end){pair, &pair->ring[i], &pair->ring[!i], pair->wake_fd[!i]};
    *p = (struct port){.ops = &ring_ops,
                       .rfd = fd,
                       .wfd = fd,
                       .given = {fd, fd},
                       .flags = PORT_JOINT,
                       .shut = PORT_SHUT_DOWN,
                       .label = label,
                       .wlabel = label,
                       .state = e,
                       .notice_fd = -1,
                       .writer_fd = -1};
    return p;
}

int ring_pair(const char *label_a, const char *label_b, struct port **a, struct port **b,
              struct err *e)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, sizeof(struct pair)) != 0)
        return err_nomem(e);
    struct pair *pair = memory;
    *pair = (struct pair){.wake_fd = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                      eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}};
    atomic_init(&pair->ends, 2);
    if (pair->wake_fd[0] < 0 || pair->wake_fd[1] < 0) {
        (void)err_sys(e, "eventfd()");
        free_pair(pair);
        return -1;
    }
    *a = end_of(pair, 0, label_a);
    *b = end_of(pair, 1, label_b);
    if (*a && *b)
        return 0;
    for (int i = 0; i < 2; i++) {
        struct port **end = i == 0 ? a : b;
        if (*end)
            free((*end)->state);
        free(*end);
        *end = NULL;
    }
    free_pair(pair);
    return err_nomem(e);
}
