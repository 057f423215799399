/* SPDX-License-Identifier: GPL-2.0-or-later
 * One engine: the loop that waits for its two ports, the clock, a signal or a stop request, and the
 * end. Each direction makes progress on its own; EOF travels down, broken pipes travel up. */
#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "border.h"
#include "catena/diag.h"
#include "catena/wait.h"
#include "signals.h"

enum {
    BLOCK = 65536,       /* bytes, unless -b says otherwise */
    STALLED_MS = 10000,  /* while closing: give up on a reader that takes nothing for so long */
    GOODBYE_MS = 2000,   /* one-way TLS: time for the peer to take everything and close */
    ENDLESS_MS = 500,    /* terminals and packet sockets, which have no end, are not waited for */
};

/* ---- making ---- */

/* A plain flow gets its buffer when something comes (lane.c). */
static int make_buffers(struct engine *e, struct err *err)
{
    bool active = e->border && e->border->active;
    size_t cap = active ? 2 * e->block : e->block;
    if (!active && lane_is_plain(e, LEFT) && lane_is_plain(e, RIGHT))
        return 0;
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        if (buf_init(&s->in, cap) < 0 || buf_init(&s->out, cap) < 0)
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
                         .border_side = border_side, .stop_fd = -1};
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

void engine_fini(struct engine *e)
{
    transform_fini(e);
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        port_close(s->port);
        s->port = NULL;
        lane_fini(&e->lane[i]);
        buf_fini(&s->in);
        buf_fini(&s->out);
        buf_fini(&s->rx);
        buf_fini(&s->tx);
    }
}

/* ---- ending ---- */

/* Only what is ready is still written. */
static void start_closing(struct engine *e)
{
    e->closing = true;
    e->closing_since = wait_now();
}

static void drop_everything(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        bool stalled = s->port && s->port->flags & PORT_STALL; /* never meant to get it */
        if (s->has_out && !s->out_shut && !stalled && !atomic_load(&e->run->cut[!i]))
            atomic_fetch_add(&e->run->lost, engine_waiting(e, i));
        s->out_shut = true;
    }
    start_closing(e);
}

/* Once the run has been stopped (-T, a signal) what breaks is only a consequence. */
static void failed(struct engine *e, const struct err *err)
{
    if (!atomic_load(&e->run->stop))
        run_fail(e->run, err);
    start_closing(e);
}

/* One-way use of a session: all is written, but its peer has not said goodbye. */
static bool awaits_goodbye(const struct engine *e)
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
    return !awaits_goodbye(e);
}

/* A two-way peer that has said all and takes nothing any more ends the other direction quietly: what
 * has not been read yet is still its owner's. One-way, the next write tells (and fails loudly). */
static void settle_gone(struct engine *e)
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        if (s->gone && s->has_in && s->in_eof && !s->out_shut && !engine_wants_output(e, i) &&
            e->side[!i].has_out && e->side[!i].out_shut)
            engine_end_flow_to(e, i);
    }
}

/* ---- the clock ---- */

static void sooner(int64_t *deadline, int64_t t)
{
    if (*deadline < 0 || t < *deadline)
        *deadline = t;
}

static bool one_flow_ended(const struct engine *e)
{
    return e->side[LEFT].out_shut != e->side[RIGHT].out_shut && e->side[LEFT].has_out &&
           e->side[RIGHT].has_out;
}

/* Milliseconds after the last byte at which the half-closed run ends, -1 never. */
static int64_t linger_ms(const struct engine *e)
{
    double t = e->run->settings->linger;
    if (t >= 0)
        return (int64_t)(t * 1000);
    for (int i = 0; i < 2; i++)
        if (!e->side[!i].out_shut && e->side[i].port->flags & (PORT_TTY | PORT_ENDLESS))
            return ENDLESS_MS;
    return -1;
}

static int64_t next_deadline(const struct engine *e)
{
    int64_t deadline = -1, active = atomic_load_explicit(&e->run->last_activity, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        if (e->side[i].look_again)
            sooner(&deadline, e->side[i].look_again);
    if (e->closing)
        sooner(&deadline, (e->closing_since > active ? e->closing_since : active) + STALLED_MS);
    if (e->side[LEFT].out_shut && e->side[RIGHT].out_shut && awaits_goodbye(e))
        sooner(&deadline, active + (e->run->settings->linger >= 0
                                        ? (int64_t)(e->run->settings->linger * 1000)
                                        : GOODBYE_MS));
    if (!e->border || e->closing)
        return deadline;
    if (one_flow_ended(e) && linger_ms(e) >= 0)
        sooner(&deadline, active + linger_ms(e));
    if (e->run->settings->idle >= 0)
        sooner(&deadline, active + (int64_t)(e->run->settings->idle * 1000));
    return deadline;
}

/* A deadline has passed: which? */
static void act_on_time(struct engine *e)
{
    int64_t now = wait_now();
    int64_t quiet = now - atomic_load_explicit(&e->run->last_activity, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        if (e->side[i].look_again && now >= e->side[i].look_again)
            e->side[i].look_again = 0;
    if (e->closing) {
        if (quiet >= STALLED_MS && now - e->closing_since >= STALLED_MS)
            drop_everything(e);
        return;
    }
    if (e->side[LEFT].out_shut && e->side[RIGHT].out_shut && awaits_goodbye(e)) {
        int64_t ms = e->run->settings->linger >= 0 ? (int64_t)(e->run->settings->linger * 1000)
                                                   : GOODBYE_MS;
        if (quiet >= ms)
            start_closing(e);
        return;
    }
    if (!e->border)
        return;
    if (e->run->settings->idle >= 0 && quiet >= (int64_t)(e->run->settings->idle * 1000)) {
        diag(DIAG_NOTICE, "inactivity timeout triggered");
        atomic_store(&e->run->stop, true);
        drop_everything(e);
    } else if (one_flow_ended(e) && linger_ms(e) >= 0 && quiet >= linger_ms(e)) {
        diag(DIAG_INFO, "the other direction did not end in time, closing it");
        atomic_store(&e->run->cut[e->side[RIGHT].out_shut ? RIGHT : LEFT], true);
        atomic_store(&e->run->over, true);
        start_closing(e);
    }
}

/* ---- waiting ---- */

enum { POLL_LR, POLL_LW, POLL_RR, POLL_RW, POLL_SIGNAL, POLL_STOP, POLL_N };

static bool readable_now(const struct engine *e, int side)
{
    return engine_wants_input(e, side) && e->side[side].port->pending.len > 0;
}

static void interests(const struct engine *e, struct pollfd fds[POLL_N])
{
    for (int i = 0; i < 2; i++) {
        const struct engine_side *s = &e->side[i];
        bool in = engine_wants_input(e, i) && !s->look_again, out = engine_wants_output(e, i);
        bool watch = out || (s->has_out && !s->out_shut && !s->gone);
        bool one = s->port->rfd == s->port->wfd;
        fds[2 * i] = (struct pollfd){.fd = in || (one && watch) ? s->port->rfd : -1,
                                     .events = (short)((in ? POLLIN : 0) | (one && out ? POLLOUT : 0))};
        fds[2 * i + 1] = (struct pollfd){.fd = watch && !one ? s->port->wfd : -1,
                                         .events = (short)(out ? POLLOUT : 0)};
    }
    fds[POLL_SIGNAL] = (struct pollfd){.fd = e->threaded ? -1 : e->run->signal_fd, .events = POLLIN};
    fds[POLL_STOP] = (struct pollfd){.fd = e->stop_fd, .events = POLLIN};
}

/* A codec holds something back and there is room to give it out. */
static bool idle_due(const struct engine *e, int source)
{
    const struct engine_side *s = &e->side[source];
    return e->lane[source].idle_due && s->in.len == 0 && e->side[!source].out.len == 0 &&
           !(s->port && s->port->pending.len > 0);
}

/* The codecs whose input ran dry hold nothing back, however busy the other direction is. */
static int release_idle(struct engine *e, const struct pollfd fds[POLL_N], struct err *err)
{
    for (int i = 0; i < 2; i++) {
        if (!idle_due(e, i) || fds[2 * i].revents & POLLIN)
            continue;
        if (transform_idle(e, i, err) < 0)
            return -1;
    }
    return 0;
}

static int poll_timeout(const struct engine *e)
{
    int64_t deadline = next_deadline(e), now = deadline < 0 ? 0 : wait_now();
    if (readable_now(e, LEFT) || readable_now(e, RIGHT) || idle_due(e, LEFT) || idle_due(e, RIGHT))
        return 0;
    return deadline < 0                ? -1
           : deadline <= now           ? 0
           : deadline - now > 1000000  ? 1000000
                                       : (int)(deadline - now);
}

/* Gives what poll() gave, but -1 only on a real failure. */
static int wait_ports(struct engine *e, struct pollfd fds[POLL_N])
{
    interests(e, fds);
    int n = poll(fds, POLL_N, poll_timeout(e));
    if (n < 0 && errno == EINTR)
        return 0;
    int64_t deadline = n == 0 ? next_deadline(e) : -1;
    if (deadline >= 0 && wait_now() >= deadline)
        act_on_time(e);
    return n;
}

static void take_ports(struct engine *e, const struct pollfd fds[POLL_N])
{
    struct err err;
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        short r = fds[2 * i].revents, w = fds[2 * i + 1].revents;
        if (s->port->rfd == s->port->wfd)
            w = r;
        if (w & (POLLERR | POLLHUP | POLLNVAL))
            s->gone = true;
        if (engine_wants_input(e, i) && !s->look_again &&
            (r & (POLLIN | POLLHUP | POLLERR | POLLNVAL) || s->port->pending.len > 0) &&
            engine_read(e, i, &err) < 0)
            failed(e, &err);
    }
}

/* The stop request of the run, or a signal. Gives false when the loop is to end. */
static bool go_on(struct engine *e, const struct pollfd fds[POLL_N])
{
    if (fds[POLL_SIGNAL].revents && signals_take(e->run)) {
        run_cut(e->run);
        drop_everything(e);
        atomic_store(&e->run->stop, true);
        return false;
    }
    if (fds[POLL_STOP].revents) {
        drop_everything(e);
        return false;
    }
    return true;
}

void engine_relay(struct engine *e)
{
    struct err err;
    for (;;) {
        if (engine_turn(e, &err) < 0) {
            failed(e, &err);
            continue;
        }
        settle_gone(e);
        if (finished(e))
            break;
        struct pollfd fds[POLL_N] = {{0}};
        int rc = wait_ports(e, fds);
        if (rc < 0) {
            (void)err_sys(&err, ERR_PERMANENT, "poll()");
            failed(e, &err);
            break;
        }
        if (rc > 0 && !go_on(e, fds))
            break;
        take_ports(e, fds);
        if (!e->closing && release_idle(e, fds, &err) < 0)
            failed(e, &err);
    }
    for (int i = 0; i < 2; i++) {
        port_close(e->side[i].port);
        e->side[i].port = NULL;
    }
}
