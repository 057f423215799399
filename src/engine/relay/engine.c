/* SPDX-License-Identifier: GPL-2.0-or-later
 * One engine: its making, its work between two waits, and its end. Each direction makes progress on
 * its own; EOF travels down, broken pipes travel up. Who waits is its driver. */
#include "engine/relay/engine.h"

#include "engine/relay/border.h"
#include "catena/wait.h"

enum { BLOCK = 65536 }; /* bytes, unless -b says otherwise */

/* ---- making ---- */

bool engine_is_seen(const struct engine *e)
{
    return e->border && e->border->active;
}

/* A plain flow gets its buffer when something comes (lane.c). */
static int make_buffers(struct engine *e, struct err *err)
{
    bool active = engine_is_seen(e);
    size_t cap = active ? 2 * e->block : e->block;
    if (!active && lane_is_plain(e, LEFT) && lane_is_plain(e, RIGHT))
        return 0;
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        /* what a session makes of a full block is a little more, and is to leave at once */
        size_t more = e->session && i == e->link->wire ? cap / 16 : 0;
        if (buf_init(&s->in, cap) < 0 || buf_init(&s->out, cap + more) < 0)
            return err_nomem(err);
        if (active && e->border_side == i &&
            (buf_init(&s->rx, cap) < 0 || buf_init(&s->tx, 2 * cap) < 0))
            return err_nomem(err);
    }
    return 0;
}

int engine_init(struct engine *e, struct run *r, const struct plan_item *item, struct err *err)
{
    struct border *border = e->border;
    int border_side = e->border_side;
    *e = (struct engine){.run = r, .link = item->link, .border = border,
                         .border_side = border_side, .shake_until = -1};
    e->block = r->settings->block_given ? r->settings->block : BLOCK;
    if (e->block == 0)
        e->block = 1;
    e->side[LEFT].has_in = e->side[RIGHT].has_out = item->to_right;
    e->side[RIGHT].has_in = e->side[LEFT].has_out = item->to_left;
    if (transform_init(e, err) < 0 || make_buffers(e, err) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        e->side[i].out_shut = !e->side[i].has_out;
        lane_init(e, i);
    }
    return 0;
}

void engine_has_no_flow(struct engine *e, int source)
{
    e->side[source].has_in = e->side[!source].has_out = false;
    e->side[!source].out_shut = true;
}

void engine_fini(struct engine *e)
{
    transform_fini(e);
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        port_close(s->port);
        s->port = NULL;
        lane_leave_express(&e->lane[i]);
        buf_fini(&s->in);
        buf_fini(&s->out);
        buf_fini(&s->rx);
        buf_fini(&s->tx);
    }
}

/* ---- ending ---- */

/* Only what is ready is still written. */
void engine_start_closing(struct engine *e)
{
    e->closing = true;
    e->closing_since = wait_now();
}

void engine_drop(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        bool stalled = s->port && s->port->flags & PORT_STALL_W; /* never meant to get it */
        if (s->has_out && !s->out_shut && !stalled)
            run_lose(e->run, !i, engine_owed(e, i), NULL);
        s->out_shut = true;
    }
    engine_start_closing(e);
}

/* Once the run has been stopped (-T, a signal) what breaks is only a consequence. */
void engine_failed(struct engine *e, const struct err *err)
{
    if (!atomic_load(&e->run->stop))
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
        if (e->side[i].port && !(e->side[i].port->flags & PORT_JOINT))
            e->side[i].in_eof = e->side[i].in_cut = true;
}

/* One-way use of a session: all is written, but its peer has not said goodbye. */
bool engine_awaits_goodbye(const struct engine *e)
{
    if (!e->session || e->closing)
        return false;
    const struct engine_side *w = &e->side[e->link->wire], *d = &e->side[!e->link->wire];
    return !w->in_eof && !d->out_eof;
}

static bool finished(const struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        if (e->closing ? engine_wants_output(e, i) : !e->side[i].out_shut)
            return false;
    }
    return !engine_awaits_goodbye(e);
}

/* What a peer has said is never taken (STALL), nor is anything ever said to it. */
static bool goes_nowhere(const struct engine *e, int side)
{
    const struct port *other = e->side[!side].port;
    return e->side[side].has_in && other && (other->flags & PORT_STALL) == PORT_STALL;
}

static bool is_one_peer(const struct port *p)
{
    return p && (p->flags & (PORT_JOINT | PORT_PROGRAM_W) || port_is_one(p));
}

/* A two-way peer that has said all and takes nothing any more ends the other direction quietly: what
 * has not been read yet is still its owner's. One-way, it is what the next write would tell. */
static void settle_gone(struct engine *e, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        /* readbytes, escape: that flow was ended by order, and the neighbour takes nothing more of it */
        bool ordered = s->port && s->port->flags & PORT_JOINT && atomic_load(&e->run->cut[!i]);
        bool two_way = s->has_in && s->in_eof && e->side[!i].has_out && e->side[!i].out_shut &&
                       s->gone && is_one_peer(s->port);
        if (s->gone && goes_nowhere(e, i)) {
            engine_end_flow_to(e, LEFT);
            engine_end_flow_to(e, RIGHT);
        } else if (s->gone && (ordered || two_way) && !s->out_shut && !engine_wants_output(e, i)) {
            engine_count_lost(e, i);
            engine_end_flow_to(e, i);
        } else if (s->gone && !e->closing && engine_notice_gone(e, i, err) < 0) {
            engine_failed(e, err);
        }
    }
}

/* ---- working ---- */

bool engine_work(struct engine *e, struct err *err)
{
    while (engine_turn(e, err) < 0)
        engine_failed(e, err);
    settle_gone(e, err);
    return finished(e);
}

/* A codec holds something back and there is room to give it out. */
bool engine_idle_due(const struct engine *e, int source)
{
    const struct engine_side *s = &e->side[source];
    return e->lane[source].idle_due && s->in.len == 0 && e->side[!source].out.len == 0 &&
           !(s->port && port_has_more(s->port));
}

void engine_rest(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i], *to = &e->side[!i];
        bool empty = s->in.len == 0 && to->out.len == 0;
        if (!empty || !lane_is_plain(e, i) || engine_is_seen(e) || lane_is_busy(&e->lane[i]))
            continue;
        buf_fini(&s->in);
        buf_fini(&to->out);
    }
}

void engine_close(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        port_close(e->side[i].port);
        e->side[i].port = NULL;
    }
}
