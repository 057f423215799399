/* SPDX-License-Identifier: GPL-2.0-or-later
 * A codec as a layer: a transform for each flow, or none where the flow passes through. */
#include <stdlib.h>

#include "catena/wait.h"
#include "engine/relay/engine.h"

/* Which transform serves the flow that starts at `source`: forward is data to wire. */
static const struct codec_ops *ops_of(const struct plan_link *l, int source, const struct addr **a)
{
    bool forward = source != l->wire;
    bool encode = forward;
    *a = l->fwd;
    if (l->back) { /* each half of a dual is used in its own forward direction */
        *a = forward ? l->fwd : l->back;
        encode = !(forward ? l->fwd_swapped : l->back_swapped);
    }
    if ((*a)->form->kind != FORM_CODEC || (*a)->form->ops.codec->passes)
        return NULL;
    const struct codec_pair *pair = (*a)->form->ops.codec;
    const struct codec_ops *ops = encode ? pair->encode : pair->decode;
    return ops ? ops : pair->encode;
}

static int init_lane(struct engine *e, struct layer *l, int source, struct err *err)
{
    const struct addr *a;
    struct layer_lane *lane = &l->lane[source];
    lane->ops = ops_of(l->link, source, &a);
    if (a->form->kind == FORM_PROGRAM) { /* a process serves this flow, not the engine */
        engine_has_no_flow(e, source);
        return 0;
    }
    if (!lane->ops || !layer_from(e, l, source)->has[source])
        return 0;
    lane->st = calloc(1, lane->ops->state_size ? lane->ops->state_size : 1);
    if (!lane->st)
        return err_nomem(err);
    a = run_addr(e->run, a);
    if (lane->ops->init && lane->ops->init(lane->st, a, err) < 0) {
        free(lane->st);
        lane->st = NULL;
        return -1;
    }
    struct codec_place place = {.addr = a, .run = e->run, .to_right = source == LEFT};
    return lane->ops->start && lane->ops->start(lane->st, &place, err) < 0 ? err_wrap(err, "%s", a->label) : 0;
}

int codec_layer_init(struct engine *e, struct layer *l, struct err *err)
{
    return init_lane(e, l, LEFT, err) < 0 || init_lane(e, l, RIGHT, err) < 0 ? -1 : 0;
}

static void fini(struct layer *l)
{
    for (int i = 0; i < 2; i++) {
        struct layer_lane *lane = &l->lane[i];
        if (lane->st && lane->ops->fini)
            lane->ops->fini(lane->st);
        free(lane->st);
        lane->st = NULL;
    }
}

static void pass(const struct engine *e, struct seam *from, struct seam *to, int source, bool *moved)
{
    if (from->buf[source].len > 0 && to->buf[source].len == 0) {
        buf_swap(&from->buf[source], &to->buf[source]); /* a block stays a block */
        *moved = true;
    }
    if (from->end[source] && from->buf[source].len == 0 && !to->end[source]) {
        stack_end(e, to, source, from->end[source], "so it came");
        *moved = true;
    }
}

/* What has been given out has to go first. */
static int64_t lane_due(const struct engine *e, const struct layer *l, int source)
{
    const struct layer_lane *lane = &l->lane[source];
    bool may = lane->st && lane->ops->due && !lane->ended && layer_to(e, l, source)->buf[source].len == 0;
    return may ? lane->ops->due(lane->st) : -1;
}

static int transform(struct engine *e, struct layer *l, int source, bool *moved, struct err *err)
{
    struct layer_lane *lane = &l->lane[source];
    struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
    size_t in = from->buf[source].len, out = to->buf[source].len;
    enum flow_end end = from->end[source];
    int64_t due = in == 0 && end == FLOW_OPEN ? lane_due(e, l, source) : 0;
    if (lane->ended || due < 0 || (due > 0 && due > wait_now()))
        return 0;
    if (stack_make_room(e, to, source, err) < 0)
        return -1;
    if (lane->ops->looks && out > 0) /* its blocks stay what they are */
        return 0;
    enum codec_mode mode = end == FLOW_OPEN ? CODEC_RUN : end == FLOW_CUT ? CODEC_IDLE : CODEC_END;
    int rc = lane->ops->push(lane->st, &from->buf[source], &to->buf[source], mode, err);
    if (rc < 0)
        return -1;
    if (end != FLOW_OPEN && rc == 1) {
        lane->ended = *moved = true;
        stack_end(e, to, source, end, "so it came");
    }
    if (from->buf[source].len != in || to->buf[source].len != out)
        *moved = lane->holds = true;
    return 0;
}

static int step(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    for (int source = LEFT; source <= RIGHT; source++) {
        struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
        if (!from->has[source])
            continue;
        if (to->refused[source])
            buf_consume(&from->buf[source], from->buf[source].len);
        else if (!l->lane[source].ops)
            pass(e, from, to, source, moved);
        else if (transform(e, l, source, moved, err) < 0)
            return -1;
    }
    return 0;
}

static bool holds(const struct layer *l, int source)
{
    return l->lane[source].holds && l->lane[source].st && !l->lane[source].ended;
}

static int release(struct engine *e, struct layer *l, int source, struct err *err)
{
    struct layer_lane *lane = &l->lane[source];
    struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
    if (buf_grow(&from->buf[source], 1) < 0 || stack_make_room(e, to, source, err) < 0)
        return err_nomem(err);
    int rc = lane->ops->push(lane->st, &from->buf[source], &to->buf[source], CODEC_IDLE, err);
    lane->holds = rc == 0;
    return rc < 0 ? -1 : 0;
}

static int64_t due(const struct engine *e, const struct layer *l)
{
    int64_t first = lane_due(e, l, LEFT), other = lane_due(e, l, RIGHT);
    return first < 0 || (other >= 0 && other < first) ? other : first;
}

const struct layer_kind codec_layer = {
    .step = step, .holds = holds, .release = release, .fini = fini, .due = due};
