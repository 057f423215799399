/* SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogs and their answers: see dialog.h. Between the halves nothing goes through a dialog, so the
 * cursor stays where it is, and what has been read too far is in front of what comes. */
#include "engine/open/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "catena/beside.h"
#include "catena/diag.h"
#include "catena/handshake.h"

enum { PARTING_MS = 2000, PARTING_BYTES = 1 << 20 };

/* ---- the wire over a cursor ---- */

struct contact {
    struct wire wire;
    struct engine_wire engine; /* if it has reached a station */
};

static int contact_open(struct line *l, int side, const struct addr *a, struct contact *c,
                        struct err *e)
{
    if (line_face_program(l, side, e) < 0)
        return -1;
    struct station *s = l->pending[side];
    c->engine = (struct engine_wire){s ? &s->engine : NULL, !side};
    int rc = wire_init(&c->wire, s ? &wire_over_engine : &wire_over_port,
                       s ? (void *)&c->engine : l->port[side], l->run, handshake_patience(a), e);
    c->wire.end_fd = l->fds[side][0];
    return rc;
}

static int put_in_front(struct line *l, int side, struct buf *front, struct err *e)
{
    struct buf b, *out;
    if (front->len == 0)
        return 0;
    if (!l->pending[side])
        return port_unread(l->port[side], buf_data(front), front->len, e);
    out = stack_out(&l->pending[side]->engine, !side);
    if (buf_init(&b, front->len + out->cap) < 0)
        return err_nomem(e);
    buf_move(&b, front);
    buf_move(&b, out);
    buf_swap(&b, out);
    buf_fini(&b);
    return 0;
}

/* All has been said: the line goes on with packets beside the connection, of which what came too far is no part. */
static int go_beside(struct line *l, int side, struct wire *w, struct err *e)
{
    struct port *p = w->beside, *control;
    if (line_face_descriptors(l, side, e) < 0)
        return -1;
    control = l->port[side];
    l->port[side] = p;
    w->beside = NULL;
    return beside_keep(p, control, e);
}

/* What was read too far goes back in front of what comes. */
static int contact_close(struct line *l, int side, struct contact *c, int rc, struct err *e)
{
    if (rc == 0)
        rc = c->wire.beside ? go_beside(l, side, &c->wire, e) : put_in_front(l, side, &c->wire.in, e);
    if (rc == 0 && c->wire.on.len > 0) {
        rc = buf_grow(&l->on[side], l->on[side].len + c->wire.on.len) < 0 ? err_nomem(e) : 0;
        if (rc == 0)
            buf_move(&l->on[side], &c->wire.on);
    }
    wire_fini(&c->wire);
    return rc;
}

int dialog_hand_on(struct line *l, int side, struct err *e)
{
    int rc = put_in_front(l, side, &l->on[side], e);
    buf_fini(&l->on[side]);
    return rc;
}

/* ---- the halves ---- */

static const struct negotiator_ops *ops_of(const struct dialog *d)
{
    return d->addr->form->ops.negotiator;
}

bool dialog_talks_beyond(const struct plan_item *item)
{
    return item->kind == ITEM_DIALOG && item->link->fwd->form->ops.negotiator->talks_beyond;
}

static void forget(struct dialog *d)
{
    if (d->state && ops_of(d)->forget)
        ops_of(d)->forget(d->state);
    free(d->state);
    *d = (struct dialog){0};
}

/* What is read through an engine may be in it already, where no descriptor tells. */
static bool may_rest(const struct line *l, const struct dialog *d)
{
    return ops_of(d)->rests && l->defers && d->side == LEFT && !l->pending[LEFT] && port_lives_with_edges(l->port[LEFT]);
}

/* Gives 1 where the peer is to say something first. */
static int learn_on(struct line *l, struct dialog *d, struct wire *w, struct err *e)
{
    int rc;
    do {
        w->rests = w->in.len == 0 && may_rest(l, d); /* what is there would be taken before more is asked for */
        rc = ERR_ASKED(e, ops_of(d)->learn(d->state, d->addr, l->run, w, e));
    } while (rc > 0);
    if (rc < 0 && w->left)
        return 1;
    return rc < 0 ? err_wrap(e, "%s", d->addr->label) : 0;
}

static int learn(struct line *l, struct dialog *d, struct err *e)
{
    struct contact c;
    size_t n = ops_of(d)->state_size;
    if (n > 0 && !d->state && !(d->state = calloc(1, n)))
        return err_nomem(e);
    if (contact_open(l, d->side, d->addr, &c, e) < 0)
        return -1;
    if (d->since != 0)
        c.wire.since = d->since;
    wire_patience(&c.wire, c.wire.patience);
    int rc = learn_on(l, d, &c.wire, e);
    d->since = c.wire.since;
    d->deadline = c.wire.deadline;
    return contact_close(l, d->side, &c, rc, e);
}

/* Begins with it, or goes on. */
static int take_up(struct line *l, struct dialog *d, const struct plan_link *link, int side, struct err *e)
{
    if (l->resting.link) {
        *d = l->resting;
        l->resting = (struct dialog){0};
        return 0;
    }
    *d = (struct dialog){.link = link, .side = side};
    return run_instance(l->run, link->fwd, &d->addr, e) < 0 || line_start(l, e) < 0 ? -1 : 0;
}

static int speak(struct line *l, struct dialog *d, struct contact *c, struct outcome *o,
                 int (*half)(void *, const struct addr *, struct run *, struct wire *, const struct outcome *, struct err *),
                 struct err *e)
{
    int rc = ERR_ASKED(e, half(d->state, d->addr, l->run, &c->wire, o, e));
    return rc < 0 ? err_wrap(e, "%s", d->addr->label) : 0;
}

static int say(struct line *l, struct dialog *d, struct contact *c, struct outcome *o, struct err *e)
{
    struct contact other;
    bool beyond = ops_of(d)->talks_beyond && !o->failed;
    if (beyond && contact_open(l, !d->side, d->addr, &other, e) < 0)
        return -1;
    o->beyond = beyond ? &other.wire : NULL;
    int rc = speak(l, d, c, o, ops_of(d)->answer, e);
    return beyond ? contact_close(l, !d->side, &other, rc, e) : rc;
}

/* Failed NULL: the rest stands. */
static int answer(struct line *l, struct dialog *d, const struct err *failed, struct err *e)
{
    struct contact c;
    struct outcome o = {.failed = failed, .run = l->run, .place = d->addr->place,
                        .to_right = d->side == LEFT,
                        .carries_records = !failed && line_carries_records(l, !d->side, d->link)};
    l->failed = d->link;
    if (contact_open(l, d->side, d->addr, &c, e) < 0)
        return -1;
    return contact_close(l, d->side, &c, say(l, d, &c, &o, e), e);
}

int dialog_meanwhile(struct line *l, struct err *e)
{
    struct dialog *d = &l->waiting;
    struct contact c;
    if (!d->link || !ops_of(d)->meanwhile)
        return 0;
    struct outcome o = {.run = l->run, .place = d->addr->place, .to_right = d->side == LEFT};
    if (contact_open(l, d->side, d->addr, &c, e) < 0)
        return -1;
    return contact_close(l, d->side, &c, speak(l, d, &c, &o, ops_of(d)->meanwhile, e), e);
}

/* ---- parting ---- */

/* Nothing follows what has been said. */
static int end_flow(struct line *l, int side, struct wire *w, struct err *e)
{
    struct station *s = l->pending[side];
    if (!s)
        return port_shutdown(l->port[side], e);
    engine_end_input(&s->engine, !side, "the dialog is over");
    return engine_turn(&s->engine, e) < 0 ? -1 : w->ops->write(w, "", 0, e);
}

/* An answer has been written behind which nothing comes. What the peer has sent and nobody reads would take
 * it away from him: a close resets the connection then. But who only sends is not listened to for long. */
static void part(struct line *l, struct dialog *d)
{
    struct contact c;
    struct err ignored;
    int eof = 0;
    if (contact_open(l, d->side, d->addr, &c, &ignored) < 0)
        return;
    wire_patience(&c.wire, PARTING_MS);
    if (end_flow(l, d->side, &c.wire, &ignored) == 0)
        for (size_t taken = 0; !eof && taken < PARTING_BYTES && !handshake_is_late(c.wire.deadline) &&
                               c.wire.ops->fill(&c.wire, &eof, &ignored) == 0;) {
            taken += c.wire.in.len;
            buf_consume(&c.wire.in, c.wire.in.len);
        }
    wire_fini(&c.wire);
}

static bool is_heard(const struct err *e)
{
    return e->kind != ERR_INTERRUPTED && e->kind != ERR_TIMEOUT;
}

/* ---- for the line ---- */

static bool rest_is_open(const struct line *l, int side)
{
    return side == RIGHT || l->port[RIGHT] || l->pending[RIGHT];
}

int dialog_hold(struct line *l, int side, size_t item, struct err *e)
{
    struct dialog d;
    if (take_up(l, &d, l->plan->items[item].link, side, e) < 0)
        return -1;
    int rc = learn(l, &d, e);
    if (rc > 0) {
        l->resting = d;
        return 1;
    }
    if (rc == 0 && plan_item_waits(l->plan, item) && !rest_is_open(l, side)) {
        l->waiting = d;
        return 0;
    }
    if (rc == 0 && ops_of(&d)->answer)
        rc = answer(l, &d, NULL, e);
    else if (rc < 0 && ops_of(&d)->answers_for_rest && is_heard(e))
        part(l, &d);
    forget(&d);
    return rc;
}

int dialog_answer(struct line *l, struct err *e)
{
    struct dialog d = l->waiting;
    l->waiting = (struct dialog){0};
    int rc = d.link ? answer(l, &d, NULL, e) : 0;
    if (d.link)
        forget(&d);
    return rc;
}

/* Who has shaken hands and sees the line fail behind him hears it from his session, if that has words for it. */
static void break_off(const struct line *l)
{
    struct station *s = l->pending[LEFT];
    struct err ignored;
    if (!s || s->program || !s->engine.side[LEFT].port)
        return;
    engine_start_closing(&s->engine);
    (void)engine_turn(&s->engine, &ignored);
}

/* The run has failed already: nothing that goes wrong here is news. */
void line_refuse(struct line *l, const struct err *why)
{
    struct dialog d = l->waiting;
    struct err e;
    l->waiting = (struct dialog){0};
    if (!d.link) {
        break_off(l);
        return;
    }
    if (why->kind != ERR_INTERRUPTED) {
        if (answer(l, &d, why, &e) == 0)
            part(l, &d);
        else
            diag_err(DIAG_INFO, &e);
    }
    forget(&d);
}

void dialog_drop(struct line *l, int side)
{
    buf_fini(&l->on[side]);
    if (l->waiting.link && l->waiting.side == side)
        forget(&l->waiting);
    if (l->resting.link && l->resting.side == side)
        forget(&l->resting);
}
