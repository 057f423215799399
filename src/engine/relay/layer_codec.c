/* SPDX-License-Identifier: GPL-2.0-or-later
 * A codec as a layer: a transform for each flow, or none where the flow passes through. */
#include <stdlib.h>

#include "catena/wait.h"
#include "engine/plan/plan_records.h"
#include "engine/relay/engine.h"

/* What comes from there has met nothing on its way that changes it. */
static bool is_untouched(const struct plan *p, size_t link, int source)
{
    for (size_t i = 0; i < p->nlinks; i++)
        if ((source == LEFT ? i < link : i > link) && !(link_records(&p->links[i], source) & LINK_KEEPS))
            return false;
    return true;
}

/* What it has in common with the other flow's. */
static int give_pair(struct layer *l, int source, size_t size, struct err *err)
{
    void **pair = &l->pair[l->link->back ? source : 0];
    if (!*pair && size > 0 && !(*pair = calloc(1, size)))
        return err_nomem(err);
    return 0;
}

static int init_lane(struct engine *e, struct layer *l, int source, struct err *err)
{
    const struct addr *a;
    struct layer_lane *lane = &l->lane[source];
    lane->ops = plan_codec(l->link, source, &a);
    if (a->form->kind == FORM_PROGRAM) { /* a process serves this flow, not the engine */
        engine_has_no_flow(e, source);
        return 0;
    }
    if (!lane->ops || !layer_from(e, l, source)->has[source])
        return 0;
    lane->label = a->label;
    a = run_addr(e->run, a);
    if (lane->ops->needed && !lane->ops->needed(a, e->run)) {
        lane->ops = NULL;
        return 0;
    }
    lane->st = calloc(1, lane->ops->state_size ? lane->ops->state_size : 1);
    if (!lane->st)
        return err_nomem(err);
    if (lane->ops->init && ERR_ASKED(err, lane->ops->init(lane->st, a, err)) < 0) {
        free(lane->st);
        lane->st = NULL;
        return err_wrap(err, "%s", a->label);
    }
    if (give_pair(l, source, lane->ops->pair_size, err) < 0)
        return -1;
    const struct plan *p = e->run->plan;
    size_t number = (size_t)(l->link - p->links);
    struct codec_place place = {.addr = a, .run = e->run, .link = number, .to_right = source == LEFT,
                                .untouched = is_untouched(p, number, source),
                                .pair = l->pair[l->link->back ? source : 0]};
    bool started = !lane->ops->start || ERR_ASKED(err, lane->ops->start(lane->st, &place, err)) >= 0;
    return started ? 0 : err_wrap(err, "%s", a->label);
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
        free(lane->why);
        lane->st = NULL;
        lane->why = NULL;
    }
    for (int i = 0; i < 2; i++) {
        free(l->pair[i]);
        l->pair[i] = NULL;
    }
}

static void pass(const struct engine *e, struct seam *from, struct seam *to, int source, bool *moved)
{
    if (buf_holds(&from->buf[source]) && !buf_holds(&to->buf[source])) {
        buf_swap(&from->buf[source], &to->buf[source]); /* a block stays a block */
        *moved = true;
    }
    if (from->end[source] && !buf_holds(&from->buf[source]) && !to->end[source]) {
        stack_end(e, to, source, from->end[source], "so it came");
        *moved = true;
    }
}

/* What has been given out has to go first, but for who only counts. */
static bool has_to_wait(const struct layer_lane *lane, const struct buf *out)
{
    return buf_holds(out) && (!lane->ops->passed || out->control.kind);
}

static int64_t lane_due(const struct engine *e, const struct layer *l, int source)
{
    const struct layer_lane *lane = &l->lane[source];
    bool may = lane->st && lane->ops->due && !lane->ended && !has_to_wait(lane, &layer_to(e, l, source)->buf[source]);
    return may ? lane->ops->due(lane->st) : -1;
}

static bool delays(const struct engine *e, const struct layer *l, int source)
{
    const struct layer_lane *lane = &l->lane[source];
    return lane->ops && lane->ops->delays && lane_due(e, l, source) >= 0;
}

/* One that takes records gets one at a time: of a stream, as much as makes a packet. */
static int push(const struct engine *e, struct layer_lane *lane, struct buf *in, struct buf *out, enum codec_mode mode,
                struct err *err)
{
    struct buf piece = *in;
    if (!lane->ops->takes_records)
        return ERR_ASKED(err, lane->ops->push(lane->st, in, out, mode, err));
    piece.len = stack_portion(e, in);
    size_t given = piece.len;
    int rc = ERR_ASKED(err, lane->ops->push(lane->st, &piece, out, mode, err));
    bool taken = !buf_holds(&piece);
    if (taken || piece.len < given)
        buf_consume(in, given - piece.len);
    return rc == 1 && buf_holds(in) ? 0 : rc;
}

static void count(const struct layer *l, int source, size_t taken, size_t given)
{
    if (!l->traffic || l->lane[source].ops->looks)
        return;
    traffic_add(&l->traffic->in[source], taken);
    traffic_add(&l->traffic->out[source], given);
}

/* What was made before goes on first: closing begins with the error, and then nothing is read that may have
 * to give room. */
static int fail_later(struct layer_lane *lane, const struct buf *out, const struct err *err)
{
    lane->why = buf_holds(out) ? malloc(sizeof *lane->why) : NULL;
    if (!lane->why)
        return -1;
    *lane->why = *err;
    return 0;
}

static int tell_failure(const struct layer_lane *lane, const struct buf *out, struct err *err)
{
    if (buf_holds(out))
        return 0;
    *err = *lane->why;
    return -1;
}

/* Behind all that has been made of the data before. */
static int pass_control(struct engine *e, struct layer *l, int source, bool *moved, struct err *err)
{
    struct buf *in = &layer_from(e, l, source)->buf[source], *out = &layer_to(e, l, source)->buf[source];
    struct control c = in->control;
    if (l->kind->holds(l, source) && !buf_holds(out)) {
        in->control.kind = CONTROL_NONE;
        int rc = l->kind->release(e, l, source, err);
        in->control = c;
        *moved |= buf_holds(out);
        if (rc < 0)
            return fail_later(&l->lane[source], out, err);
    }
    if (buf_holds(out) || l->kind->holds(l, source))
        return 0;
    out->control = c;
    buf_consume(in, 0);
    *moved = true;
    return 0;
}

static int transform(struct engine *e, struct layer *l, int source, bool *moved, struct err *err)
{
    struct layer_lane *lane = &l->lane[source];
    struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
    struct buf *in = &from->buf[source], *out = &to->buf[source];
    enum flow_end end = from->end[source];
    bool by_record = lane->ops->takes_records || lane->ops->gives_records;
    if (lane->why)
        return tell_failure(lane, out, err);
    if (out->control.kind) /* nothing is added to that */
        return 0;
    if (in->control.kind && (!lane->ops->controls || lane->ended))
        return pass_control(e, l, source, moved, err);
    if (in->len == 0 && !in->control.kind && !lane->ops->looks && !lane->ops->takes_records) /* it knows no empty records */
        buf_consume(in, 0);
    bool had_in = buf_holds(in), had_out = buf_holds(out);
    size_t nin = in->len, nout = out->len;
    int64_t due = !had_in && end == FLOW_OPEN ? lane_due(e, l, source) : 0;
    if (lane->ended || due < 0 || (due > 0 && due > wait_now()))
        return 0;
    if ((lane->ops->looks || lane->ops->gives_records) && has_to_wait(lane, out)) /* its blocks stay what they are */
        return 0;
    if (stack_make_room(e, to, source, err) < 0)
        return -1;
    enum codec_mode mode = end == FLOW_OPEN ? CODEC_RUN : end == FLOW_CUT ? CODEC_IDLE : CODEC_END;
    int rc = push(e, lane, in, out, mode, err);
    count(l, source, nin - in->len, out->len - nout);
    if (rc < 0)
        return fail_later(lane, out, err);
    if (rc == 2 || (end != FLOW_OPEN && rc == 1)) {
        lane->ended = *moved = true;
        stack_end(e, to, source, rc == 2 ? FLOW_ENDED : end, rc == 2 ? "its codec ends it" : "so it came");
    }
    if (rc == 2)
        stack_refuse(e, from, source);
    if (in->len != nin || out->len != nout || had_in != buf_holds(in) || had_out != buf_holds(out)) {
        *moved = true;
        lane->holds = !by_record && !lane->ops->delays && !lane->ops->looks; /* a record leaves as soon as it is whole */
    }
    if (delays(e, l, source))
        run_hold(e->run, lane_due(e, l, source));
    return 0;
}

static int step(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    for (int source = LEFT; source <= RIGHT; source++) {
        struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
        if (!from->has[source])
            continue;
        l->label = l->lane[source].label;
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
    const struct layer_lane *lane = &l->lane[source];
    return lane->holds && lane->st && !lane->ended && !lane->why;
}

static int release(struct engine *e, struct layer *l, int source, struct err *err)
{
    struct layer_lane *lane = &l->lane[source];
    struct seam *from = layer_from(e, l, source), *to = layer_to(e, l, source);
    l->label = lane->label;
    if (buf_grow(&from->buf[source], 1) < 0 || stack_make_room(e, to, source, err) < 0)
        return err_nomem(err);
    size_t nout = to->buf[source].len;
    int rc = ERR_ASKED(err, lane->ops->push(lane->st, &from->buf[source], &to->buf[source], CODEC_IDLE, err));
    count(l, source, 0, to->buf[source].len - nout);
    lane->holds = rc == 0;
    return rc < 0 ? -1 : 0;
}

static int64_t due(const struct engine *e, const struct layer *l)
{
    int64_t first = lane_due(e, l, LEFT), other = lane_due(e, l, RIGHT);
    return first < 0 || (other >= 0 && other < first) ? other : first;
}

static bool may_pass(const struct layer *l, int source)
{
    return !l->lane[source].ops || l->lane[source].ops->passed;
}

static void passed(struct layer *l, int source, size_t n)
{
    if (l->lane[source].ops)
        l->lane[source].ops->passed(l->lane[source].st, n);
}

const struct layer_kind codec_layer = {.step = step, .holds = holds, .release = release, .fini = fini, .due = due,
                                       .delays = delays, .may_pass = may_pass, .passed = passed};
