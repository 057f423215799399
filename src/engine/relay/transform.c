/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an engine does to the bytes between its two sides: nothing (blocks change hands), a codec in
 * each direction, or a session. No descriptor in sight. */
#include <stdlib.h>
#include <string.h>

#include "engine/relay/engine.h"

/* ---- making ---- */

/* Which transform serves the flow that starts at `source`: forward is data to wire. */
static const struct codec_ops *lane_ops(const struct plan_link *l, int source, const struct addr **a)
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

static int init_lane(struct engine *e, int source, struct err *err)
{
    const struct addr *a;
    struct engine_lane *lane = &e->lane[source];
    lane->ops = lane_ops(e->link, source, &a);
    if (a->form->kind == FORM_PROGRAM) { /* a process serves this flow, not the engine */
        e->side[source].has_in = e->side[!source].has_out = false;
        return 0;
    }
    if (!lane->ops || !e->side[source].has_in)
        return 0;
    lane->st = calloc(1, lane->ops->state_size ? lane->ops->state_size : 1);
    if (!lane->st)
        return err_nomem(err);
    if (lane->ops->init && lane->ops->init(lane->st, run_addr(e->run, a), err) < 0) {
        free(lane->st);
        lane->st = NULL;
        return -1;
    }
    return 0;
}

int transform_init(struct engine *e, struct err *err)
{
    if (!e->link)
        return 0;
    const struct addr *a = e->link->fwd;
    if (a->form->kind != FORM_SESSION)
        return init_lane(e, LEFT, err) < 0 || init_lane(e, RIGHT, err) < 0 ? -1 : 0;
    e->session = a->form->ops.session;
    e->side[e->link->wire].has_in = e->side[e->link->wire].has_out = true;
    void *shared = run_shared(e->run, (size_t)(e->link - e->run->plan->links));
    return e->session->open(run_addr(e->run, a), e->run, shared, &e->session_st, err);
}

void transform_fini(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_lane *lane = &e->lane[i];
        if (lane->st && lane->ops->fini)
            lane->ops->fini(lane->st);
        free(lane->st);
        lane->st = NULL;
    }
    if (e->session_st)
        e->session->close(e->session_st);
    e->session_st = NULL;
}

/* ---- working ---- */

/* Nothing follows what is in its `in`. */
static bool at_end(const struct engine_side *s)
{
    return s->in_eof && s->rx.len == 0;
}

static void plain(struct engine_side *from, struct engine_side *to, bool *moved)
{
    if (from->in.len > 0 && to->out.len == 0) {
        buf_swap(&from->in, &to->out); /* a block stays a block */
        *moved = true;
    }
    if (at_end(from) && from->in.len == 0 && !to->out_eof)
        to->out_eof = *moved = true;
}

static int through_codec(struct engine *e, int source, bool *moved, struct err *err)
{
    struct engine_lane *lane = &e->lane[source];
    struct engine_side *from = &e->side[source], *to = &e->side[!source];
    size_t in = from->in.len, out = to->out.len;
    if (lane->ended || (in == 0 && !at_end(from)))
        return 0;
    enum codec_mode mode = !at_end(from) ? CODEC_RUN : from->in_cut ? CODEC_IDLE : CODEC_END;
    int rc = lane->ops->push(lane->st, &from->in, &to->out, mode, err);
    if (rc < 0)
        return err_wrap(err, "%s", e->link->fwd->label);
    if (at_end(from) && rc == 1)
        lane->ended = to->out_eof = *moved = true;
    if (from->in.len != in || to->out.len != out)
        *moved = lane->idle_due = true;
    return 0;
}

/* To see whether a step has moved anything. */
struct amounts {
    size_t n[4];
};

static struct amounts amounts(const struct engine_side *d, const struct engine_side *w)
{
    return (struct amounts){{d->in.len, d->out.len, w->in.len, w->out.len}};
}

static int through_session(struct engine *e, bool *moved, struct err *err)
{
    struct engine_side *d = &e->side[!e->link->wire], *w = &e->side[e->link->wire];
    struct session_side data = {.in = &d->in, .out = &d->out, .in_eof = at_end(d),
                                .out_eof = d->out_eof};
    struct session_side wire = {.in = &w->in, .out = &w->out, .in_eof = at_end(w),
                                .out_eof = w->out_eof};
    /* a side that is not attached yet may turn out to take records */
    data.records = !d->port || d->port->flags & PORT_MSG_W;
    data.packets = d->port && d->port->flags & PORT_MSG_R;
    struct amounts before = amounts(d, w);
    if (!d->has_in) /* nothing will be sent; say goodbye when the peer has */
        data.in_eof = d->out_eof;
    if (d->in_cut) /* no goodbye: the wire just ends when all is written */
        data.in_eof = false;
    if (e->session->step(e->session_st, &data, &wire, err) < 0)
        return err_wrap(err, "%s", e->link->fwd->label);
    if (!e->session_opened && e->session->ready(e->session_st)) {
        e->session_opened = *moved = true;
        if (e->session->opened(e->session_st, run_addr(e->run, e->link->fwd), e->run, err) < 0)
            return err_wrap(err, "%s", e->link->fwd->label);
    }
    struct amounts after = amounts(d, w);
    if (memcmp(&before, &after, sizeof after) != 0 || data.out_eof != d->out_eof ||
        wire.out_eof != w->out_eof)
        *moved = true;
    d->out_eof = data.out_eof;
    w->out_eof = wire.out_eof;
    if (d->in_cut && at_end(d) && d->in.len == 0 && w->out.len == 0 && !w->out_eof)
        w->out_eof = *moved = true;
    return 0;
}

int transform_step(struct engine *e, bool *moved, struct err *err)
{
    if (e->session)
        return through_session(e, moved, err);
    for (int source = LEFT; source <= RIGHT; source++) {
        if (!e->side[source].has_in)
            continue;
        if (!e->lane[source].ops)
            plain(&e->side[source], &e->side[!source], moved);
        else if (through_codec(e, source, moved, err) < 0)
            return -1;
    }
    return 0;
}

int transform_idle(struct engine *e, int source, struct err *err)
{
    struct engine_lane *lane = &e->lane[source];
    lane->idle_due = false;
    if (!lane->st || lane->ended || !e->side[source].has_in)
        return 0;
    int rc = lane->ops->push(lane->st, &e->side[source].in, &e->side[!source].out, CODEC_IDLE, err);
    if (rc < 0)
        return err_wrap(err, "%s", e->link->fwd->label);
    lane->idle_due = rc == 0;
    return 0;
}
