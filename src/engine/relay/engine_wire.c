/* SPDX-License-Identifier: GPL-2.0-or-later
 * Using an engine that is not running yet, in the opening thread: its handshake, and a dialog of
 * the link beside it. So a proxy dialog inside a TLS tunnel costs no thread and no socketpair. */
#include <poll.h>

#include "catena/handshake.h"
#include "catena/wait.h"
#include "engine/relay/engine.h"

/* Waits for the far side to take or give something, and reads what it gave; no longer than until a layer
 * has something to do. */
static int far_side(struct engine *e, int far, struct run *r, int64_t patience,
                    int64_t deadline, struct err *err)
{
    struct engine_side *s = &e->side[far];
    bool out = engine_wants_output(e, far), in = engine_wants_input(e, far);
    if (!out && !in)
        return err_set(err, ERR_CUT, "the peer closed the connection during the dialog");
    if (handshake_is_late(deadline))
        return handshake_late(patience, err);
    if (!port_ready(s->port, in, out)) {
        port_settle(s->port);
        bool one = s->port->rfd == s->port->wfd, writes = out && !one;
        int64_t due = stack_due(e), until = due >= 0 && (deadline < 0 || due < deadline) ? due : deadline;
        int rc = wait_fd(r, writes ? s->port->wfd : s->port->rfd,
                         writes ? POLLOUT : port_events(s->port, in, out), until, err);
        if (rc <= 0)
            return rc == 0 && handshake_is_late(deadline) ? handshake_late(patience, err) : rc;
    }
    return in && engine_read(e, far, err) < 0 ? -1 : 0;
}

/* Works until nothing moves. The far side is going to be waited for, so no layer holds back what it may want to
 * have for its answer, in either direction: a codec below a session, or above. */
static int work(struct engine *e, struct err *err)
{
    for (bool held = true; held;) {
        if (engine_turn(e, err) < 0)
            return -1;
        held = false;
        for (int i = 0; i < 2; i++) {
            if (!stack_holds(e, i, true))
                continue;
            held = true;
            if (stack_release(e, i, true, err) < 0)
                return -1;
        }
    }
    return 0;
}

bool engine_shakes_hands(const struct engine *e)
{
    return e->nlayers > 0 && !e->closing && stack_unopened(e);
}

bool engine_has_proved(const struct engine *e)
{
    return e->proving && !e->closing && !stack_unopened(e);
}

static int64_t patience_of(const struct engine *e, const struct layer *l)
{
    const struct addr *a = run_addr(e->run, l->link->fwd);
    return l->session->over_records
               ? handshake_patience_over(a, run_addr(e->run, e->run->plan->end[l->link->wire].fwd))
               : handshake_patience(a);
}

void engine_await_peer(struct engine *e)
{
    const struct layer *l = engine_shakes_hands(e) ? stack_unopened(e) : NULL;
    e->patience = l ? patience_of(e, l) : -1;
    e->shake_until = handshake_deadline(e->patience);
}

void engine_peer_is_late(struct engine *e)
{
    struct err err;
    (void)handshake_late(e->patience, &err);
    (void)err_wrap(&err, "%s: handshake", stack_unopened(e)->link->fwd->label);
    engine_failed(e, &err);
}

int engine_handshake(struct engine *e, struct err *err)
{
    const struct layer *l = stack_unopened(e);
    engine_await_peer(e);
    while (!l->opened) {
        if (work(e, err) < 0)
            return -1;
        if (l->opened)
            break;
        if (far_side(e, l->link->wire, e->run, e->patience, e->shake_until, err) < 0)
            return err_wrap(err, "%s: handshake", l->link->fwd->label);
    }
    return engine_turn(e, err);
}

static int fill(struct wire *w, int *eof, struct err *err)
{
    struct engine_wire *ew = w->carrier;
    struct engine *e = ew->engine;
    for (;;) {
        struct buf *out = stack_out(e, ew->side);
        if (work(e, err) < 0)
            return -1;
        if (out->len == 0) /* a dialog is a stream, and knows no empty messages */
            buf_consume(out, 0);
        if (buf_move(&w->in, out) > 0)
            return 0;
        if (engine_out_ended(e, ew->side)) {
            *eof = 1;
            return 0;
        }
        if (far_side(e, !ew->side, w->run, w->patience, w->deadline, err) < 0)
            return -1;
    }
}

static int send(struct wire *w, const void *data, size_t n, struct err *err)
{
    struct engine_wire *ew = w->carrier;
    struct engine *e = ew->engine;
    const char *p = data;
    while (n > 0 || stack_in(e, ew->side)->len > 0 || engine_wants_output(e, !ew->side) ||
           stack_holds(e, ew->side, true)) {
        struct buf *in = stack_in(e, ew->side);
        if (buf_grow(in, e->block) < 0)
            return err_nomem(err);
        size_t k = n > 0 ? buf_put(in, p, n) : 0;
        p += k;
        n -= k;
        if (work(e, err) < 0)
            return -1;
        /* what it did not take yet waits for the far side: to have room, or to answer */
        if ((engine_wants_output(e, !ew->side) || in->len > 0) &&
            far_side(e, !ew->side, w->run, w->patience, w->deadline, err) < 0)
            return -1;
    }
    return 0;
}

const struct wire_ops wire_over_engine = {fill, send};
