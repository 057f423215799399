/* SPDX-License-Identifier: GPL-2.0-or-later
 * TEST, TESTUNI, TESTREV: put one mark behind every block, so that one can see which way the data
 * went. ">" is the mark of the way left to right, "<" that of the way back and of TESTREV. */
#include "catena/inter.h"

struct marker {
    size_t block; /* bytes of the block under way that are still to be passed on */
    bool owed;    /* the block's mark is still to come */
};

static int mark_push(struct marker *m, unsigned char mark, struct buf *in, struct buf *out,
                     enum codec_mode mode)
{
    for (;;) {
        if (!m->owed && in->len > 0 && !buf_holds(out) && out->cap >= in->cap) {
            buf_swap(in, out);
            out->record = false;
            m->owed = true;
        } else if (m->block > 0) {
            size_t n = buf_put(out, buf_data(in), m->block);
            buf_consume(in, n);
            m->block -= n;
            if (m->block > 0)
                return 0;
        } else if (m->owed) {
            if (buf_put(out, &mark, 1) == 0)
                return 0;
            m->owed = false;
        } else if (in->len > 0) {
            m->block = in->len;
            m->owed = true;
        } else {
            return mode != CODEC_RUN;
        }
    }
}

static int mark_forward(void *st, struct buf *in, struct buf *out, enum codec_mode mode,
                        struct err *e)
{
    (void)e;
    return mark_push(st, '>', in, out, mode);
}

static int mark_back(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    (void)e;
    return mark_push(st, '<', in, out, mode);
}

static const struct codec_ops forward = {.state_size = sizeof(struct marker), .push = mark_forward};
static const struct codec_ops back = {.state_size = sizeof(struct marker), .push = mark_back};

static const struct codec_pair test_pair = {.encode = &forward, .decode = &back};
static const struct codec_pair testuni_pair = {.encode = &forward};
static const struct codec_pair testrev_pair = {.encode = &back};

extern const struct form forms_test[];
const struct form forms_test[] = {
    {
        .keyword = "TEST",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .help = "marks every block, with > on the way from left to right, < on the way back",
        .kind = FORM_CODEC,
        .ops.codec = &test_pair,
    },
    {
        .keyword = "TESTUNI",
        .left = CTX_W,
        .right = RIGHT_MIRROR,
        .help = "marks every block with >, from left to right only",
        .kind = FORM_CODEC,
        .ops.codec = &testuni_pair,
    },
    {
        .keyword = "TESTREV",
        .left = CTX_W,
        .right = RIGHT_MIRROR,
        .help = "marks every block with <, from left to right only",
        .kind = FORM_CODEC,
        .ops.codec = &testrev_pair,
    },
    {0},
};
