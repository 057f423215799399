/* SPDX-License-Identifier: GPL-2.0-or-later
 * THROTTLE: no more bytes a second than that. What waits does so where it came, so that nothing is read that is
 * not to pass soon. */
#include "catena/inter.h"
#include "catena/wait.h"
#include "inter/clocks/bucket.h"
#include "inter/clocks/clocks.h"
#include "inter/clocks/opts_clocks.h"

struct throttle {
    struct bucket bucket;
    bool runs; /* this flow has a rate */
    int64_t until;
};

static int burst_of(const struct addr *a, double *burst, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_burst);
    *burst = 0;
    return o ? clocks_size(o->v.s ? o->v.s : "", o->at, burst, e) : 0;
}

static int throttle_check(const struct addr *a, struct err *e)
{
    double value;
    bool any = false;
    for (int right = 0; right < 2; right++) {
        struct span at;
        const char *text = clocks_text(a, right, &at);
        any |= text != NULL;
        if (text && clocks_rate(text, at, &value, e) < 0)
            return -1;
    }
    if (!any)
        return err_at(e, a->at, "how fast? throttle:<rate>, or a rate for one direction, to-right=<rate> or "
                                "to-left=<rate>");
    return burst_of(a, &value, e);
}

static int throttle_start(void *st, const struct codec_place *where, struct err *e)
{
    struct throttle *t = st;
    struct span at;
    double rate, burst;
    const char *text = clocks_text(where->addr, where->to_right, &at);
    t->runs = text != NULL;
    t->until = -1;
    if (!text)
        return 0;
    if (clocks_rate(text, at, &rate, e) < 0 || burst_of(where->addr, &burst, e) < 0)
        return -1;
    bucket_init(&t->bucket, rate, burst, wait_now());
    return 0;
}

static int throttle_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct throttle *t = st;
    (void)e;
    t->until = -1;
    if (buf_holds(out)) /* a message stays a message */
        return 0;
    size_t n = !t->runs || in->len == 0 ? in->len
                                        : bucket_take(&t->bucket, in->len, in->record, wait_now(), &t->until);
    if (n == in->len && buf_holds(in))
        buf_swap(in, out);
    else
        buf_consume(in, n > 0 ? buf_put(out, buf_data(in), n) : 0);
    return mode != CODEC_RUN && !buf_holds(in);
}

static int64_t throttle_due(const void *st)
{
    return ((const struct throttle *)st)->until;
}

static const struct codec_ops throttle_ops = {.looks = true,
                                              .delays = true,
                                              .state_size = sizeof(struct throttle),
                                              .start = throttle_start,
                                              .push = throttle_push,
                                              .due = throttle_due};
static const struct codec_pair throttle_pair = {.encode = &throttle_ops, .decode = &throttle_ops};

extern const struct form forms_throttle[];
const struct form forms_throttle[] = {
    {
        .keyword = "THROTTLE",
        .params = "[:<rate>]",
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_throttle,
        .help = "passes the stream on unchanged, no faster than so many bytes a second in each direction",
        .check = throttle_check,
        .kind = FORM_CODEC,
        .ops.codec = &throttle_pair,
    },
    {0},
};
