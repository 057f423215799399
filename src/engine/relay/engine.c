/* SPDX-License-Identifier: GPL-2.0-or-later
 * One engine: its making, its work between two waits, and its end. Each direction makes progress on
 * its own; EOF travels down, broken pipes travel up. Who waits is its driver. */
#include "engine/relay/engine.h"

#include "engine/relay/border.h"
#include "catena/catena.h"
#include "catena/wait.h"

enum {
    BLOCK = 65536, PIECE = 8192, /* bytes, unless -b says otherwise */
    SLICE_MS = 50, /* of work in one go: a strong compressor takes half a second for a block, and signals wait */
};

/* ---- making ---- */

bool engine_is_seen(const struct engine *e)
{
    return e->border && e->border->active;
}

/* The border's features lie on the side where the border is; where its bytes pass inside of the engine, they
 * are counted there. */
int engine_push(struct engine *e, int outer, const struct plan_item *item, bool at_border, struct err *err)
{
    bool seen = at_border && (engine_is_seen(e) || e->run->plan->border_inside);
    if ((seen && e->border_side == outer && stack_push(e, outer, NULL, err) < 0) ||
        (item->link && stack_push(e, outer, item->link, err) < 0) ||
        (seen && e->border_side != outer && stack_push(e, outer, NULL, err) < 0))
        return -1;
    lane_init(e, LEFT);
    lane_init(e, RIGHT);
    return 0;
}

int engine_init(struct engine *e, struct run *r, const struct plan_item *item, struct err *err)
{
    struct border *border = e->border;
    int border_side = e->border_side;
    *e = (struct engine){.run = r, .used = {item->to_right, item->to_left}, .border = border,
                         .border_side = border_side, .shake_until = -1};
    e->block = r->settings->block_given ? r->settings->block : BLOCK;
    e->block = catena_limited(catena_limits(r->settings->catena)->block, e->block);
    if (e->block == 0)
        e->block = 1;
    if (stack_init(e, item, err) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        e->side[i].out = engine_has_out(e, i) ? OUT_OPEN : OUT_SHUT;
    return engine_push(e, LEFT, item, border != NULL, err);
}

int engine_merge(struct engine *left, struct engine *right, struct err *err)
{
    if (stack_merge(left, right, err) < 0)
        return -1;
    left->side[RIGHT] = right->side[RIGHT];
    left->lane[RIGHT] = right->lane[RIGHT];
    if (right->border) {
        left->border = right->border;
        left->border_side = right->border_side;
    }
    left->told_broken |= right->told_broken;
    if (atomic_load(&right->failed))
        atomic_store(&left->failed, true);
    buf_fini(&right->spare);
    *right = (struct engine){0};
    return 0;
}

size_t engine_piece(const struct engine *e)
{
    return e->run->settings->block_given ? e->block : PIECE;
}

void engine_has_no_flow(struct engine *e, int source)
{
    for (size_t i = 0; i <= e->nlayers; i++)
        e->seam[i].has[source] = false;
    e->side[!source].out = OUT_SHUT;
}

void engine_drops(struct engine *e, int side)
{
    struct seam *at = stack_seam(e, side);
    atomic_store(&e->run->cut[!side], true);
    stack_refuse(e, at, !side);
    at->has[!side] = false;
    e->side[side].out = OUT_SHUT;
}

void engine_fini(struct engine *e)
{
    engine_close(e);
    for (int i = 0; i < 2; i++)
        lane_leave_express(&e->lane[i]);
    stack_fini(e);
}

/* ---- ending ---- */

void engine_end_input(struct engine *e, int side, const char *why)
{
    if (!engine_in_ended(e, side))
        stack_end(e, stack_seam(e, side), side, FLOW_ENDED, why);
    if (e->side[side].port)
        port_stop_reading(e->side[side].port);
}

/* Nothing is read any more; what has not ended by itself is not the whole, and drains. */
void engine_start_closing(struct engine *e)
{
    e->closing = true;
    e->closing_since = wait_now();
    for (int i = 0; i < 2; i++)
        if (!engine_in_ended(e, i))
            stack_end(e, stack_seam(e, i), i, FLOW_CUT, "closing");
}

void engine_drop(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        bool stalled = s->port && s->port->flags & PORT_STALL_W; /* never meant to get it */
        if (engine_has_out(e, i) && !engine_out_shut(e, i) && !stalled)
            run_lose(e->run, !i, engine_owed(e, i), NULL);
        s->out = OUT_SHUT;
    }
    engine_start_closing(e);
}

/* Once the run has been stopped (-T, a signal) what breaks is only a consequence. */
void engine_failed(struct engine *e, const struct err *err)
{
    if (!atomic_load(&e->run->stop) && !err_is_end(err))
        run_fail(e->run, err);
    e->told_broken = true;
    atomic_store(&e->failed, true);
    run_broken(e->run);
    engine_start_closing(e);
}

void engine_take_no_more(struct engine *e)
{
    e->told_broken = true;
    for (int i = 0; i < 2; i++)
        if (e->side[i].port && !(e->side[i].port->flags & PORT_JOINT) && !engine_in_ended(e, i))
            stack_end(e, stack_seam(e, i), i, FLOW_CUT, "another engine has failed");
}

/* One-way use of a session: all is written, but its peer has not said goodbye. */
bool engine_awaits_goodbye(const struct engine *e)
{
    return !e->closing && stack_awaits_goodbye(e);
}

/* What a layer keeps by the clock has been accepted, and is given out in its time. */
static bool is_to_write(const struct engine *e, int side)
{
    return engine_wants_output(e, side) || (!engine_out_shut(e, side) && stack_delays(e, !side));
}

static bool finished(const struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        if (e->closing ? is_to_write(e, i) : e->side[i].out != OUT_SHUT)
            return false;
    }
    return !engine_awaits_goodbye(e);
}

/* What a peer has said is never taken (STALL), nor is anything ever said to it. */
static bool goes_nowhere(const struct engine *e, int side)
{
    const struct port *other = e->side[!side].port;
    return engine_has_in(e, side) && other && (other->flags & PORT_STALL) == PORT_STALL;
}

static bool is_one_peer(const struct port *p)
{
    return p && (p->flags & (PORT_JOINT | PORT_PROGRAM_W) || port_is_one(p));
}

/* A two-way peer that has said all and takes nothing any more ends the other direction quietly: what
 * has not been read yet is still its owner's. Not so what was written and never reached it, but for version 1. One-way,
 * it is what the next write would tell. */
static void settle_gone(struct engine *e, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        /* readbytes, escape: that flow was ended by order, and the neighbour takes nothing more of it */
        bool ordered = s->port && s->port->flags & PORT_JOINT && atomic_load(&e->run->cut[!i]);
        bool two_way = engine_has_in(e, i) && engine_in_ended(e, i) && engine_has_out(e, !i) &&
                       engine_out_shut(e, !i) && s->gone && is_one_peer(s->port);
        if (s->gone && goes_nowhere(e, i)) {
            engine_end_flow_to(e, LEFT);
            engine_end_flow_to(e, RIGHT);
        } else if (s->gone && (ordered || two_way) && !engine_out_shut(e, i) && !engine_wants_output(e, i)) {
            engine_count_lost(e, i);
            const struct layer *wire = stack_wire(e, i);
            bool said_goodbye = wire && !wire->session->bare_end; /* which may be all that has not arrived */
            if (two_way && !e->run->settings->v1_name && !said_goodbye)
                run_lose(e->run, !i, port_unheard(s->port), NULL);
            engine_end_flow_to(e, i);
        } else if (s->gone && !e->closing && engine_notice_gone(e, i, err) < 0) {
            engine_failed(e, err);
        }
    }
}

/* ---- working ---- */

bool engine_work(struct engine *e, struct err *err)
{
    while (engine_turn_until(e, wait_now() + SLICE_MS, err) < 0)
        engine_failed(e, err);
    settle_gone(e, err);
    return finished(e);
}

bool engine_idle_due(const struct engine *e, int source, bool dry)
{
    const struct port *p = e->side[source].port;
    return e->nlayers > 0 && !e->closing && stack_holds(e, source, dry && !(p && port_has_more(p)));
}

void engine_rest(struct engine *e, bool keeps)
{
    for (int i = 0; i < 2; i++)
        if (!lane_is_busy(&e->lane[i]))
            stack_rest(e, i, keeps);
}

void engine_close(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        port_close(e->side[i].port);
        e->side[i].port = NULL;
    }
}
