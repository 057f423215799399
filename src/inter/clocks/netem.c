/* SPDX-License-Identifier: GPL-2.0-or-later
 * NETEM: packets are lost, doubled, exchanged and spoilt by chance, which a seed makes the same again. */
#include <string.h>

#include "catena/inter.h"
#include "catena/wait.h"
#include "inter/clocks/clocks.h"
#include "inter/clocks/opts_clocks.h"

enum { ALONE_MS = 50 }; /* a packet is exchanged with the next one if that comes so soon */

enum { LOSS, DUPLICATE, REORDER, CORRUPT, KINDS };
static const struct option_desc *const rows[KINDS] = {&opt_loss, &opt_duplicate, &opt_reorder, &opt_corrupt};

struct netem {
    double chance[KINDS]; /* 0 to 1 */
    struct dice dice;
    struct buf again; /* a copy of what has left, to leave next */
    struct buf late;  /* what leaves behind the next one */
    bool passed;      /* ... which has */
    int64_t alone;    /* when it leaves without one */
};

static int chances_of(const struct addr *a, double chance[KINDS], struct err *e)
{
    for (int i = 0; i < KINDS; i++) {
        const struct opt *o = opt_find(a, rows[i]);
        chance[i] = 0;
        if (o && clocks_chance(o->v.s ? o->v.s : "", o->at, &chance[i], e) < 0)
            return -1;
    }
    return 0;
}

static int netem_check(const struct addr *a, struct err *e)
{
    double chance[KINDS];
    if (chances_of(a, chance, e) < 0)
        return -1;
    for (int i = 0; i < KINDS; i++)
        if (opt_find(a, rows[i]))
            return 0;
    return err_at(e, a->at, "what is to happen to packets? loss=, duplicate=, reorder=, corrupt=<percentage>");
}

static int netem_start(void *st, const struct codec_place *where, struct err *e)
{
    struct netem *n = st;
    return chances_of(where->addr, n->chance, e) < 0 ? -1 : dice_init(&n->dice, where, e);
}

static bool falls(struct netem *n, int what)
{
    return dice_throw(&n->dice) < n->chance[what]; /* thrown always: one chance does not change another */
}

static void spoil(struct netem *n, struct buf *b)
{
    size_t bit = (size_t)(dice_throw(&n->dice) * 8 * (double)b->len);
    if (b->len > 0)
        buf_data(b)[bit / 8] ^= (unsigned char)(1u << bit % 8);
}

static int copy(struct buf *to, const struct buf *from, struct err *e)
{
    if (buf_grow(to, from->len > 0 ? from->len : 1) < 0)
        return err_nomem(e);
    (void)buf_put(to, buf_data(from), from->len);
    to->record = true;
    return 0;
}

/* What is in `in` becomes what the dice say. */
static int pass(struct netem *n, struct buf *in, struct buf *out, struct err *e)
{
    bool lost = falls(n, LOSS), twice = falls(n, DUPLICATE), later = falls(n, REORDER), wrong = falls(n, CORRUPT);
    if (wrong)
        spoil(n, in);
    if (lost) {
        buf_consume(in, in->len);
    } else if (later && !buf_holds(&n->late)) {
        if (copy(&n->late, in, e) < 0)
            return -1;
        buf_consume(in, in->len);
        n->passed = false;
        n->alone = wait_now() + ALONE_MS;
    } else {
        if ((twice && copy(&n->again, in, e) < 0) || copy(out, in, e) < 0)
            return -1;
        buf_consume(in, in->len);
        n->passed = true;
    }
    return 0;
}

static bool give(struct buf *from, struct buf *out)
{
    if (!buf_holds(from))
        return false;
    buf_swap(from, out);
    buf_consume(from, from->len);
    return true;
}

static bool late_is_due(const struct netem *n, enum codec_mode mode)
{
    return buf_holds(&n->late) && (n->passed || mode != CODEC_RUN || wait_now() >= n->alone);
}

/* The late one goes between a packet and its double, if that has one. */
static int netem_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct netem *n = st;
    if (buf_holds(in) && !in->record)
        return err_set(e, ERR_OTHER, "what comes is a stream of bytes, which has no packets to be lost, doubled or "
                                     "exchanged; throttle and delay make a slow or late one");
    if (buf_holds(out))
        return 0;
    bool late = late_is_due(n, buf_holds(in) ? CODEC_RUN : mode);
    if ((late && give(&n->late, out)) || give(&n->again, out))
        return 0;
    if (buf_holds(in) && pass(n, in, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in) && !buf_holds(out) && !buf_holds(&n->again) && !buf_holds(&n->late);
}

static int64_t netem_due(const void *st)
{
    const struct netem *n = st;
    if (buf_holds(&n->again) || (buf_holds(&n->late) && n->passed))
        return 0;
    return buf_holds(&n->late) ? n->alone : -1;
}

static size_t netem_held(const void *st)
{
    const struct netem *n = st;
    return n->again.len + n->late.len;
}

static void netem_fini(void *st)
{
    struct netem *n = st;
    buf_fini(&n->again);
    buf_fini(&n->late);
}

static const struct codec_ops netem_ops = {.takes_records = true,
                                           .gives_records = true,
                                           .only_records = true,
                                           .delays = true,
                                           .state_size = sizeof(struct netem),
                                           .start = netem_start,
                                           .push = netem_push,
                                           .fini = netem_fini,
                                           .due = netem_due,
                                           .held = netem_held};
static const struct codec_pair netem_pair = {.encode = &netem_ops, .decode = &netem_ops};

extern const struct form forms_netem[];
const struct form forms_netem[] = {
    {
        .keyword = "NETEM",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_netem,
        .help = "loses, doubles, exchanges and spoils packets by chance",
        .check = netem_check,
        .kind = FORM_CODEC,
        .ops.codec = &netem_pair,
    },
    {0},
};
