/* SPDX-License-Identifier: GPL-2.0-or-later
 * What has to see all bytes where the two chains meet, as a layer: blocks stay blocks, converted, and a
 * flow may be told to end here. */
#include "engine/relay/border.h"
#include "engine/relay/engine.h"

static void end_here(struct engine *e, struct seam *from, struct seam *to, int source)
{
    atomic_store(&e->run->cut[source], true);
    stack_end(e, to, source, FLOW_ENDED, "readbytes or escape says so");
    stack_refuse(e, from, source);
}

static int step_flow(struct engine *e, struct layer *l, int source, bool *moved, struct err *err)
{
    struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
    if (to->refused[source])
        buf_consume(&from->buf[source], from->buf[source].len);
    if (buf_holds(&from->buf[source]) && !buf_holds(&to->buf[source]) && !to->end[source]) {
        if (from->buf[source].control.kind) {
            buf_swap(&from->buf[source], &to->buf[source]);
        } else if (!l->border->active) {
            border_count(l->border, source, from->buf[source].len);
            buf_swap(&from->buf[source], &to->buf[source]);
        } else if (buf_grow(&to->buf[source], 2 * from->buf[source].len) < 0) {
            return err_nomem(err); /* a block may have doubled behind it, and stays one */
        } else {
            border_move(l->border, source, &from->buf[source], &to->buf[source]);
        }
        *moved = true;
        if (l->border->flow[source].ended)
            end_here(e, from, to, source);
    }
    if (from->end[source] && !buf_holds(&from->buf[source]) && !to->end[source]) {
        stack_end(e, to, source, from->end[source], "so it came");
        *moved = true;
    }
    return 0;
}

static int step(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    return step_flow(e, l, LEFT, moved, err) < 0 || step_flow(e, l, RIGHT, moved, err) < 0 ? -1 : 0;
}

static bool may_pass(const struct layer *l, int source)
{
    (void)source;
    return !l->border->active;
}

static void passed(struct layer *l, int source, size_t n)
{
    border_count(l->border, source, n);
}

const struct layer_kind border_layer = {.step = step, .may_pass = may_pass, .passed = passed};
