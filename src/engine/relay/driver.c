/* SPDX-License-Identifier: GPL-2.0-or-later
 * The loop: see driver.h. The seats with something to do stand in a queue, and each gets some turns
 * before the next one. */
#include "engine/relay/driver.h"

#include <poll.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "engine/port/closer.h"

enum { TURNS = 8 }; /* for one seat before it is the next one's turn */
static const short ENDED = POLLERR | POLLHUP | POLLNVAL;

/* ---- what is there ---- */

void driver_init(struct driver *d)
{
    *d = (struct driver){.earliest = -1};
    d->queue_end = &d->queue;
}

void driver_hold(struct driver *d)
{
    d->holds++;
}

void driver_release(struct driver *d)
{
    d->holds--;
}

void driver_watch(struct driver *d, struct driver_watch *w)
{
    w->next = d->watches;
    d->watches = w;
}

void driver_unwatch(struct driver *d, struct driver_watch *w)
{
    struct driver_watch **p = &d->watches;
    while (*p && *p != w)
        p = &(*p)->next;
    if (*p)
        *p = w->next;
}

void driver_wake(struct driver *d, struct seat *s)
{
    if (s->queued)
        return;
    s->queued = true;
    s->after = NULL;
    *d->queue_end = s;
    d->queue_end = &s->after;
}

void driver_seat(struct driver *d, struct seat *s)
{
    s->driver = d;
    s->readable[LEFT] = s->readable[RIGHT] = false; /* whatever is there comes as an event */
    d->alone = s;
    driver_hold(d);
    driver_wake(d, s);
}

static void let_go(void *arg)
{
    struct seat *s = arg;
    if (atomic_fetch_sub(&s->open, 1) == 1 && s->ended)
        s->ended(s);
}

/* Nothing here may wait, as a socket that lingers or a terminal that drains would. */
static void close_ports(const struct driver *d, struct seat *s)
{
    for (int i = 0; i < 2; i++) {
        struct port *p = s->engine->side[i].port;
        s->engine->side[i].port = NULL;
        if (!d->closer || !p || !port_close_may_wait(p)) {
            port_close(p);
            continue;
        }
        atomic_fetch_add(&s->open, 1);
        closer_take(d->closer, p, let_go, s);
    }
}

/* Its ports are closed, unless its line is only now going to be completed. */
static void leave(struct driver *d, struct seat *s)
{
    bool goes_on = engine_has_proved(s->engine);
    atomic_store(&s->open, 1);
    if (d->epoll)
        driver_withdraw_epoll(d, s, goes_on);
    if (!goes_on)
        close_ports(d, s);
    if (d->epoll) {
        driver_leave_epoll(d, s);
    } else {
        d->alone = NULL;
        driver_release(d);
    }
    let_go(s);
}

void driver_failed(struct driver *d, const struct err *e)
{
    if (!d->alone)
        return;
    engine_failed(d->alone->engine, e);
    engine_drop(d->alone->engine);
    driver_wake(d, d->alone);
}

/* ---- what is waited for ---- */

int driver_fd(const struct seat *s, enum place place)
{
    const struct port *p = s->engine->side[place_side(place)].port;
    if (!p)
        return -1;
    switch (place) {
    case LEFT_READS:
    case RIGHT_READS: return p->rfd;
    case LEFT_WRITES:
    case RIGHT_WRITES: return p->wfd == p->rfd ? -1 : p->wfd;
    case LEFT_WRITER:
    case RIGHT_WRITER: return p->writer_fd;
    default: return p->notice_fd;
    }
}

static bool wants_to_write(const struct engine *e, int side)
{
    return engine_may_write(e, side) || engine_wants_room(e, side);
}

static bool wants_to_read(const struct engine *e, int side)
{
    return engine_wants_input(e, side) && !e->side[side].look_again;
}

int driver_interest(const struct seat *s, enum place place)
{
    int i = place_side(place);
    const struct engine *e = s->engine;
    const struct engine_side *side = &e->side[i];
    bool in = wants_to_read(e, i), out = wants_to_write(e, i);
    bool told = out || (engine_has_out(e, i) && !engine_out_shut(e, i) && !side->gone); /* of its peer's end */
    bool one = side->port->rfd == side->port->wfd;
    switch (place) {
    case LEFT_READS:
    case RIGHT_READS: return in || (one && told) ? port_events(side->port, in, one && out) : -1;
    case LEFT_WRITES:
    case RIGHT_WRITES: return told ? (out ? POLLOUT : 0) : -1;
    default: return in ? POLLIN : -1;
    }
}

bool driver_is_ready(const struct seat *s)
{
    const struct engine *e = s->engine;
    bool ready = false;
    for (int i = 0; i < 2; i++) {
        struct port *p = e->side[i].port;
        if (p && (p->ops->ready || port_has_more(p)))
            ready |= port_ready(p, wants_to_read(e, i), wants_to_write(e, i));
    }
    return ready;
}

static void sooner(int64_t *deadline, int64_t t)
{
    if (t >= 0 && (*deadline < 0 || t < *deadline))
        *deadline = t;
}

int driver_timeout(const struct driver *d)
{
    int64_t deadline = d->earliest;
    if (d->queue)
        return 0;
    for (const struct driver_watch *w = d->watches; w; w = w->next)
        sooner(&deadline, w->deadline ? w->deadline(w) : -1);
    if (deadline < 0)
        return -1;
    int64_t left = deadline - wait_now();
    return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

void driver_heard(struct driver *d, struct seat *s, enum place place, short events)
{
    int i = place_side(place);
    struct engine_side *side = &s->engine->side[i];
    bool one = side->port->rfd == side->port->wfd, reads = place == LEFT_READS || place == RIGHT_READS;
    bool notice = place == LEFT_NOTICE || place == RIGHT_NOTICE;
    if (!events)
        return;
    if (place == LEFT_WRITER || place == RIGHT_WRITER)
        s->writer_ended[i] = true;
    else if (notice || (reads && events & (POLLIN | POLLRDHUP | ENDED)))
        s->readable[i] = true;
    bool writes = (one && reads) || place == LEFT_WRITES || place == RIGHT_WRITES;
    if (writes && events & (POLLOUT | ENDED) && !side->port->ops->ready)
        side->has_room = true;
    if (writes && events & ENDED)
        side->gone = true;
    driver_wake(d, s);
}

/* ---- a seat's turn ---- */

/* A ring has no descriptor of its own to be asked: it is looked at. */
static void look_at_rings(struct seat *s)
{
    struct engine *e = s->engine;
    for (int i = 0; i < 2; i++) {
        struct port *p = e->side[i].port;
        if (!p || !p->ops->ready)
            continue;
        s->readable[i] = true;
        if (engine_wants_room(e, i))
            e->side[i].has_room = p->ops->ready(p, false, true);
        e->side[i].gone |= p->gone;
    }
}

/* After a read. By level the system tells again of what is still there; what filled its block is asked at
 * once, which is one wait less. */
static bool may_have_more(const struct driver *d, const struct seat *s, int side)
{
    const struct engine_lane *lane = &s->engine->lane[side];
    bool edges = port_lives_with_edges(s->engine->side[side].port);
    return edges && (d->epoll || lane->full > 0);
}

/* Reads where something may be. True: something was. */
static bool read_sides(const struct driver *d, struct seat *s, struct err *err)
{
    struct engine *e = s->engine;
    bool any = false;
    for (int i = 0; i < 2; i++) {
        struct port *p = e->side[i].port;
        bool ended = s->writer_ended[i];
        if (!p || !wants_to_read(e, i) || !(s->readable[i] || ended || port_has_more(p)))
            continue;
        int rc = engine_read(e, i, err);
        if (rc < 0)
            engine_failed(e, err);
        else if (rc == 0 && ended)
            (void)engine_end_of_input(e, i);
        s->readable[i] = rc == ENGINE_AGAIN || (rc > 0 && may_have_more(d, s, i));
        s->read_in[i] = rc > 0 ? d->rounds : d->rounds - 1;
        any |= rc != 0 || ended;
    }
    return any;
}

/* Nothing more comes from there at once. By level that is known when it has been waited for. */
static bool is_dry(const struct driver *d, const struct seat *s, int side)
{
    const struct port *p = s->engine->side[side].port;
    bool edges = d->epoll && p && port_lives_with_edges(p);
    return !s->readable[side] && (edges || s->read_in[side] != d->rounds);
}

/* Codecs whose input ran dry hold nothing back, however busy the other direction is. True: one had
 * something. */
static bool release_idle(const struct driver *d, struct seat *s, struct err *err)
{
    struct engine *e = s->engine;
    bool any = false;
    for (int i = 0; i < 2; i++) {
        bool dry = is_dry(d, s, i);
        if (!engine_idle_due(e, i, dry))
            continue;
        any = true;
        if (stack_release(e, i, dry, err) < 0)
            engine_failed(e, err);
    }
    return any;
}

static void go_to_sleep(struct driver *d, struct seat *s)
{
    struct engine *e = s->engine;
    engine_rest(e, !d->epoll); /* who is one of many keeps nothing */
    sooner(&d->earliest, engine_deadline(e));
    if (d->epoll)
        driver_sync_epoll(d, s);
    if (engine_idle_due(e, LEFT, true) || engine_idle_due(e, RIGHT, true))
        driver_wake(d, s); /* it waits without time, to see whether they are dry */
}

static void serve(struct driver *d, struct seat *s)
{
    struct err err;
    look_at_rings(s);
    for (int i = 0; i < TURNS; i++) {
        if (engine_work(s->engine, &err) || engine_has_proved(s->engine)) {
            leave(d, s);
            return;
        }
        if (s->engine->has_more)
            break;
        bool moved = read_sides(d, s, &err);
        moved |= release_idle(d, s, &err);
        if (!moved) {
            go_to_sleep(d, s);
            return;
        }
    }
    go_to_sleep(d, s);
    driver_wake(d, s);
}

static void serve_queue(struct driver *d)
{
    struct seat *s = d->queue, *after;
    d->queue = NULL;
    d->queue_end = &d->queue;
    for (; s; s = after) {
        after = s->after;
        s->queued = false;
        const struct diag_peer *before = diag_about(&s->engine->run->peer);
        serve(d, s);
        (void)diag_about(before);
    }
}

/* ---- the clocks ---- */

static void look_at_seat(struct driver *d, struct seat *s)
{
    int64_t t = engine_deadline(s->engine);
    if (t < 0)
        return;
    if (t > wait_now()) {
        sooner(&d->earliest, t);
        return;
    }
    const struct diag_peer *before = diag_about(&s->engine->run->peer);
    engine_act_on_time(s->engine);
    (void)diag_about(before);
    for (int i = 0; i < 2; i++) /* nothing tells again what is there after a pause */
        s->readable[i] |= s->engine->side[i].port && port_lives_with_edges(s->engine->side[i].port);
    driver_wake(d, s);
}

static void look_at_clocks(struct driver *d)
{
    for (struct driver_watch *w = d->watches, *next; w; w = next) {
        next = w->next;
        int64_t t = w->deadline ? w->deadline(w) : -1;
        if (t >= 0 && wait_now() >= t)
            w->act(w);
    }
    if (d->earliest < 0 || wait_now() < d->earliest)
        return;
    d->earliest = -1;
    if (d->epoll)
        driver_each_epoll(d, look_at_seat);
    else if (d->alone)
        look_at_seat(d, d->alone);
}

void driver_run(struct driver *d)
{
    while (d->holds > 0) {
        serve_queue(d); /* what has come is heard before the clocks are */
        look_at_clocks(d);
        if (d->holds == 0)
            break;
        if (d->epoll)
            driver_wait_epoll(d);
        else
            driver_wait_poll(d);
        d->rounds++;
    }
}

/* ---- one engine ---- */

static void end_now(struct driver_watch *w)
{
    struct seat *s = w->arg;
    run_ends(s->engine->run, END_STOPPED);
    engine_drop(s->engine);
    driver_unwatch(s->driver, w);
}

void driver_break(struct driver_watch *w)
{
    struct seat *s = w->arg;
    if (!s->engine->told_broken)
        engine_take_no_more(s->engine);
    driver_unwatch(s->driver, w);
}

void driver_relay(struct engine *e, int stop_fd)
{
    struct driver d;
    struct seat s = {.engine = e};
    struct driver_watch stop = {.fd = stop_fd, .act = end_now, .arg = &s};
    struct driver_watch broken = {.fd = e->run->broken_fd, .act = driver_break, .arg = &s};
    driver_init(&d);
    driver_watch(&d, &stop);
    driver_watch(&d, &broken);
    driver_seat(&d, &s);
    driver_run(&d);
}
