/* SPDX-License-Identifier: GPL-2.0-or-later
 * A session as a layer: both flows share its state, on its wire it has a talk of its own, and it shakes
 * hands before anything goes through. */
#include <string.h>

#include "engine/relay/engine.h"

int session_layer_init(struct engine *e, struct layer *l, struct err *err)
{
    void *shared = run_shared(e->run, (size_t)(l->link - e->run->plan->links));
    if (ERR_ASKED(err, l->session->open(run_addr(e->run, l->link->fwd), e->run, shared, &l->session_st, err)) < 0)
        return -1;
    l->run = e->run;
    atomic_fetch_add(&l->run->shaking, 1);
    return 0;
}

static void fini(struct layer *l)
{
    if (l->session_st && !l->opened)
        atomic_fetch_sub(&l->run->shaking, 1);
    if (l->session_st)
        l->session->close(l->session_st);
    l->session_st = NULL;
}

/* Its two sides: where the data come from, and where the wire is. The flow from the data goes to the
 * wire, and is named by the side of the data. */
struct sides {
    struct seam *data, *wire;
    int down, up; /* the flows: to the wire, and from it */
};

static struct sides sides_of(const struct engine *e, const struct layer *l)
{
    int wire = l->link->wire;
    return (struct sides){layer_from(e, l, !wire), layer_to(e, l, !wire), !wire, wire};
}

struct amounts {
    size_t n[4];
    unsigned char state[4]; /* the ends, and whether there is something: an empty record is */
    unsigned char control[4];
};

static struct amounts amounts(const struct sides *s)
{
    return (struct amounts){{s->data->buf[s->down].len, s->data->buf[s->up].len, s->wire->buf[s->down].len,
                             s->wire->buf[s->up].len},
                            {s->data->end[s->up], s->wire->end[s->down], buf_holds(&s->data->buf[s->down]),
                             buf_holds(&s->data->buf[s->up])},
                            {s->data->buf[s->down].control.kind, s->data->buf[s->up].control.kind,
                             s->wire->buf[s->down].control.kind, s->wire->buf[s->up].control.kind}};
}

static int open_now(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    if (l->opened || !l->session->ready(l->session_st))
        return 0;
    l->opened = *moved = true;
    atomic_fetch_sub(&l->run->shaking, 1);
    return ERR_ASKED(err, l->session->opened(l->session_st, run_addr(e->run, l->link->fwd), e->run, err));
}

/* What has been cut is passed on as such, without a goodbye. */
static void pass_cuts(const struct engine *e, const struct sides *s)
{
    if (s->data->end[s->down] == FLOW_CUT && s->data->buf[s->down].len == 0 && s->wire->buf[s->down].len == 0)
        stack_end(e, s->wire, s->down, FLOW_CUT, "so it came");
    if (s->wire->end[s->up] == FLOW_CUT && s->wire->buf[s->up].len == 0 && s->data->buf[s->up].len == 0)
        stack_end(e, s->data, s->up, FLOW_CUT, "so it came");
}

static void count(const struct layer *l, const struct sides *s, const struct amounts *before)
{
    if (!l->traffic)
        return;
    traffic_add(&l->traffic->in[s->down], before->n[0] - s->data->buf[s->down].len);
    traffic_add(&l->traffic->out[s->up], s->data->buf[s->up].len - before->n[1]);
    traffic_add(&l->traffic->out[s->down], s->wire->buf[s->down].len - before->n[2]);
    traffic_add(&l->traffic->in[s->up], before->n[3] - s->wire->buf[s->up].len);
}

static bool equal(const struct amounts *a, const struct amounts *b)
{
    return memcmp(a->n, b->n, sizeof a->n) == 0 && memcmp(a->state, b->state, sizeof a->state) == 0 &&
           memcmp(a->control, b->control, sizeof a->control) == 0;
}

/* ---- controls ---- */

/* What stands for a buffer with a control, to a session that knows nothing of them: an empty one; and to all
 * one that has no room, where they write. */
static struct buf *seen_in(const struct layer *l, struct buf *b, struct buf *instead)
{
    return b->control.kind && !l->session->controls ? instead : b;
}

static struct buf *seen_out(struct buf *b, struct buf *instead)
{
    instead->control = b->control;
    return b->control.kind ? instead : b;
}

/* Behind all that the session has made of the data before. */
static void pass_control(const struct layer *l, struct buf *in, struct buf *out)
{
    if (l->session->controls || !in->control.kind || buf_holds(out))
        return;
    out->control = in->control;
    buf_consume(in, 0);
}

static void drop_empty_record(struct buf *b)
{
    if (b->len == 0 && !b->control.kind)
        buf_consume(b, 0);
}

/* Only who stands right over the port can be sealed there. */
static int seal_below(struct engine *e, struct layer *l, const struct sides *s, bool *moved, struct err *err)
{
    const struct seal *how = l->opened && l->session->seal ? l->session->seal(l->session_st) : NULL;
    struct port **port = &e->side[l->link->wire].port;
    bool at_port = s->wire == stack_seam(e, l->link->wire) && *port;
    if (!how || (at_port && buf_holds(&s->wire->buf[s->down])))
        return 0;
    int rc = at_port ? port_seal(port, how, err)
                     : err_set(err, ERR_OTHER, "something stands between it and its connection");
    *moved = true;
    return l->session->sealed(l->session_st, rc == 0, err);
}

static int step(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    const struct sides s = sides_of(e, l);
    if (l->session->over_records && !l->measured)
        l->whole = stack_whole(e, s.wire, s.down);
    l->measured = true;
    if (!l->session->empty_records)
        drop_empty_record(&s.data->buf[s.down]);
    drop_empty_record(&s.wire->buf[s.up]);
    if (stack_make_room(e, s.wire, s.down, err) < 0 || stack_make_room(e, s.data, s.up, err) < 0)
        return -1;
    struct buf none[4] = {{0}}, *down = &s.data->buf[s.down], *up = &s.wire->buf[s.up];
    struct session_side data = {.in = seen_in(l, down, &none[0]), .out = seen_out(&s.data->buf[s.up], &none[1]),
                                .in_eof = s.data->end[s.down] == FLOW_ENDED && !down->control.kind,
                                .in_cut = s.data->end[s.down] == FLOW_CUT && !down->control.kind,
                                .by_order = atomic_load(&e->run->cut[s.down]) || atomic_load(&e->run->stop),
                                .unwanted = !s.data->has[s.up] || s.data->refused[s.up],
                                .out_eof = s.data->end[s.up] != FLOW_OPEN,
                                .records = stack_gives_records(e, s.data, s.up),
                                .unsettled = stack_is_open_ended(e, s.data, s.up),
                                .packets = s.data->buf[s.down].record,
                                .piece = engine_piece(e)};
    struct session_side wire = {.in = seen_in(l, up, &none[2]), .out = seen_out(&s.wire->buf[s.down], &none[3]),
                                .in_eof = s.wire->end[s.up] == FLOW_ENDED && !up->control.kind,
                                .out_eof = s.wire->end[s.down] != FLOW_OPEN,
                                .whole = l->whole};
    struct amounts before = amounts(&s);
    if (!s.data->has[s.down]) /* nothing will be sent; say goodbye when the peer has */
        data.in_eof = data.out_eof;
    int rc = ERR_ASKED(err, l->session->step(l->session_st, &data, &wire, err));
    count(l, &s, &before);
    if (rc < 0 || open_now(e, l, moved, err) < 0)
        return -1;
    if (!l->session->empty_records)
        data.out->record = data.out->len > 0 && data.records && l->session->records;
    wire.out->record = wire.out->len > 0 && l->session->over_records;
    if (data.out_eof && !s.data->end[s.up])
        stack_end(e, s.data, s.up, FLOW_ENDED, "the peer has said goodbye");
    if (wire.out_eof && !s.wire->end[s.down])
        stack_end(e, s.wire, s.down, FLOW_ENDED, "our goodbye is the last");
    pass_control(l, down, &s.wire->buf[s.down]);
    pass_control(l, up, &s.data->buf[s.up]);
    pass_cuts(e, &s);
    if (s.data->refused[s.up])
        buf_consume(&s.data->buf[s.up], s.data->buf[s.up].len);
    struct amounts after = amounts(&s);
    *moved |= !equal(&before, &after);
    return seal_below(e, l, &s, moved, err);
}

static int64_t due(const struct engine *e, const struct layer *l)
{
    (void)e;
    return l->session->due ? l->session->due(l->session_st) : -1;
}

const struct layer_kind session_layer = {.step = step, .fini = fini, .due = due};
