/* SPDX-License-Identifier: GPL-2.0-or-later
 * DELAY: everything comes so much later as it came, its end too, in the same order. What is on its way is kept in
 * bounded memory; when that is full, nothing more is taken. */
#include <stdlib.h>

#include "catena/inter.h"
#include "catena/wait.h"
#include "inter/clocks/clocks.h"
#include "inter/clocks/opts_clocks.h"

enum {
    MOST_MS = 60000,
    BUFFER = 4 << 20, /* bytes */
};

struct block {
    struct block *next;
    int64_t due;
    struct buf data;
};

struct delay {
    double ms, jitter; /* ms */
    size_t most;       /* bytes of memory */
    struct dice dice;
    struct block *first, **end;
    size_t held, used; /* bytes: of data, of memory */
    int64_t last;      /* nothing is due before that */
    int64_t ends;      /* when the end is due; 0: it has not come */
};

/* 1: there is one; 0. */
static int time_of(const struct addr *a, bool to_right, double *ms, struct err *e)
{
    struct span at;
    const char *text = clocks_text(a, to_right, &at);
    *ms = 0;
    return !text ? 0 : clocks_time(text, at, MOST_MS, ms, e) < 0 ? -1 : 1;
}

static int measure(const struct addr *a, double *jitter, double *buffer, struct err *e)
{
    const struct opt *j = opt_find(a, &opt_jitter), *b = opt_find(a, &opt_buffer);
    *jitter = 0;
    *buffer = BUFFER;
    return (j && clocks_time(j->v.s ? j->v.s : "", j->at, MOST_MS, jitter, e) < 0) ||
                   (b && clocks_size(b->v.s ? b->v.s : "", b->at, buffer, e) < 0)
               ? -1
               : 0;
}

static int delay_check(const struct addr *a, struct err *e)
{
    double ms, jitter, buffer;
    int right = time_of(a, true, &ms, e), left = right < 0 ? -1 : time_of(a, false, &ms, e);
    if (left < 0 || measure(a, &jitter, &buffer, e) < 0)
        return -1;
    return right || left ? 0 : err_at(e, a->at, "how late? delay:<time>, or a time for one direction, to-right=<time> "
                                                "or to-left=<time>");
}

static int delay_start(void *st, const struct codec_place *where, struct err *e)
{
    struct delay *d = st;
    double buffer;
    d->end = &d->first;
    int runs = time_of(where->addr, where->to_right, &d->ms, e);
    if (runs < 0 || measure(where->addr, &d->jitter, &buffer, e) < 0)
        return -1;
    d->most = (size_t)buffer;
    if (!runs)
        d->jitter = 0;
    return d->jitter > 0 ? dice_init(&d->dice, where, e) : 0;
}

/* When what comes now is to leave: never before what came earlier. */
static int64_t leaves_at(struct delay *d, int64_t now)
{
    double by_chance = d->jitter > 0 ? d->jitter * (2 * dice_throw(&d->dice) - 1) : 0;
    int64_t due = now + clocks_up(larger(0, d->ms + by_chance));
    d->last = due > d->last ? due : d->last;
    return d->last;
}

/* In memory of its size: what was read is mostly much smaller than the buffer it is in. */
static int keep(struct delay *d, struct buf *in, int64_t now, struct err *e)
{
    struct block *b = calloc(1, sizeof *b);
    if (!b || buf_init(&b->data, in->len > 0 ? in->len : 1) < 0) {
        free(b);
        return err_nomem(e);
    }
    b->due = leaves_at(d, now);
    b->data.record = in->record;
    b->data.control = in->control; /* what travels beside the data is no faster than that */
    (void)buf_put(&b->data, buf_data(in), in->len);
    *d->end = b;
    d->end = &b->next;
    d->held += in->len;
    d->used += sizeof *b + b->data.cap;
    buf_consume(in, in->len);
    return 0;
}

static void give(struct delay *d, struct buf *out)
{
    struct block *b = d->first;
    d->first = b->next;
    if (!d->first)
        d->end = &d->first;
    d->held -= b->data.len;
    d->used -= sizeof *b + b->data.cap;
    buf_swap(&b->data, out);
    buf_fini(&b->data);
    free(b);
}

/* A single block may be larger than all that memory. */
static bool has_room(const struct delay *d)
{
    return !d->first || d->used < d->most;
}

static int delay_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct delay *d = st;
    int64_t now = wait_now();
    if (buf_holds(in) && has_room(d) && keep(d, in, now, e) < 0)
        return -1;
    if (!buf_holds(out) && d->first && d->first->due <= now)
        give(d, out);
    if (mode == CODEC_RUN || buf_holds(in))
        return 0;
    if (d->ends == 0)
        d->ends = mode == CODEC_END ? leaves_at(d, now) : now;
    return !d->first && d->ends <= now;
}

static int64_t delay_due(const void *st)
{
    const struct delay *d = st;
    return d->first ? d->first->due : d->ends > 0 ? d->ends : -1;
}

static size_t delay_held(const void *st)
{
    return ((const struct delay *)st)->held;
}

static void delay_fini(void *st)
{
    struct delay *d = st;
    struct buf out = {0};
    while (d->first) {
        give(d, &out);
        buf_fini(&out);
    }
}

static const struct codec_ops delay_ops = {.looks = true,
                                           .controls = true,
                                           .delays = true,
                                           .state_size = sizeof(struct delay),
                                           .start = delay_start,
                                           .push = delay_push,
                                           .fini = delay_fini,
                                           .due = delay_due,
                                           .held = delay_held};
static const struct codec_pair delay_pair = {.encode = &delay_ops, .decode = &delay_ops};

extern const struct form forms_delay[];
const struct form forms_delay[] = {
    {
        .keyword = "DELAY",
        .params = "[:<time>]",
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_delay,
        .help = "passes everything on unchanged, so much later",
        .check = delay_check,
        .kind = FORM_CODEC,
        .ops.codec = &delay_pair,
    },
    {0},
};
