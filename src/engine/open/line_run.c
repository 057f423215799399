/* SPDX-License-Identifier: GPL-2.0-or-later
 * Running the line: the threads of its engines, and in the run's own thread a driver with the engine at
 * the border, that hears of signals, orders, and the ends of the others, too. See line.h. */
#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include "catena/diag.h"
#include "catena/thread.h"
#include "catena/wait.h"
#include "engine/open/line.h"
#include "engine/run/signals.h"

enum {
    OVER_S = 5, /* seconds without a byte moving, once -t has ended the run */
    STACK = 256 * 1024,
};

/* ---- engines in threads of their own ---- */

static void *station_thread(void *arg)
{
    struct station *s = arg;
    driver_relay(&s->engine, s->stop_fd);
    atomic_store(&s->ended, true);
    (void)eventfd_write(s->done_fd, 1);
    return NULL;
}

static int start_thread(struct line *l, struct station *s, struct err *e)
{
    if (l->done_fd < 0)
        l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->run->broken_fd < 0)
        l->run->broken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (l->done_fd < 0 || s->stop_fd < 0 || l->run->broken_fd < 0)
        return err_sys(e, "eventfd()");
    s->done_fd = l->done_fd;
    engine_await_peer(&s->engine);
    int rc = thread_start(&s->thread, STACK, &l->run->peer, station_thread, s);
    if (rc != 0) {
        errno = rc;
        return err_sys(e, "cannot start an engine thread");
    }
    s->started = true;
    return 0;
}

int line_start(struct line *l, struct err *e)
{
    for (size_t i = 0; i < l->plan->nitems; i++) {
        struct station *s = &l->stations[i];
        if (s->due && start_thread(l, s, e) < 0)
            return -1;
        s->due = false;
    }
    return 0;
}

void station_stop(struct station *s)
{
    if (s->started && !s->joined)
        (void)eventfd_write(s->stop_fd, 1);
}

void station_join(struct station *s)
{
    if (s->started && !s->joined)
        (void)pthread_join(s->thread, NULL);
    s->joined = s->started;
}

static bool any_started(const struct line *l)
{
    bool any = false;
    for (size_t i = 0; i < l->plan->nitems; i++)
        any |= l->stations[i].started;
    return any;
}

/* What done_fd counts are all ends, those of attempts that have been undone, too. */
static bool any_at_work(const struct line *l)
{
    bool any = false;
    for (size_t i = 0; i < l->plan->nitems; i++)
        any |= l->stations[i].started && !atomic_load(&l->stations[i].ended);
    return any;
}

/* ---- the run's own thread ---- */

struct supervisor {
    struct line *line;
    struct driver driver;
    struct seat border;
    struct driver_watch signals, orders, others, broken;
    bool relays, hurried; /* the border's engine is at work; all have been told to end now */
};

static void stop_others(struct supervisor *v)
{
    for (size_t i = 0; i < v->line->plan->nitems; i++)
        station_stop(&v->line->stations[i]);
}

static void end_now(struct supervisor *v)
{
    v->hurried = true;
    atomic_store(&v->line->run->stop, true);
    if (v->relays) {
        engine_drop(v->border.engine);
        driver_wake(&v->driver, &v->border);
    }
    stop_others(v);
}

/* It may also have come while the border waited for its dump. */
static void take_signal(struct driver_watch *w)
{
    struct supervisor *v = w->arg;
    struct run *r = v->line->run;
    if (v->hurried || (!r->ended_signal && !signals_take(r)))
        return;
    run_cut(r);
    end_now(v);
}

static int64_t signal_deadline(const struct driver_watch *w)
{
    const struct supervisor *v = w->arg;
    return v->line->run->ended_signal && !v->hurried ? 0 : -1;
}

static void take_order(struct driver_watch *w)
{
    struct supervisor *v = w->arg;
    run_ends(v->line->run, END_STOPPED);
    driver_unwatch(&v->driver, w);
    end_now(v);
}

/* The others drain what they have accepted. Only -T, signals, and -t hurry them. */
static int64_t others_deadline(const struct driver_watch *w)
{
    const struct supervisor *v = w->arg;
    struct run *r = v->line->run;
    double quiet = r->settings->idle;
    if (v->relays || v->hurried)
        return -1;
    if (atomic_load(&r->over) && (quiet < 0 || quiet > OVER_S))
        quiet = r->settings->linger > OVER_S ? r->settings->linger : OVER_S;
    return quiet < 0 ? -1 : run_silent_since(r) + wait_ms(quiet);
}

static void look_at_others(struct driver_watch *w)
{
    struct supervisor *v = w->arg;
    (void)eventfd_read(w->fd, &(eventfd_t){0});
    if (!any_at_work(v->line)) {
        driver_unwatch(&v->driver, w);
        driver_release(&v->driver);
        return;
    }
    int64_t t = others_deadline(w);
    if (t >= 0 && wait_now() >= t)
        end_now(v);
}

static void border_ended(struct seat *s)
{
    struct supervisor *v = (struct supervisor *)((char *)s - offsetof(struct supervisor, border));
    v->relays = false;
    if (atomic_load(&v->line->run->stop)) {
        v->hurried = true;
        stop_others(v);
    }
}

static void supervise(struct supervisor *v, struct line *l)
{
    struct run *r = l->run;
    *v = (struct supervisor){.line = l, .relays = true,
                             .border = {.engine = line_begin(l), .ended = border_ended},
                             .signals = {r->signal_fd, take_signal, signal_deadline, v, NULL},
                             .orders = {r->stop_fd, take_order, NULL, v, NULL},
                             .others = {l->done_fd, look_at_others, others_deadline, v, NULL},
                             .broken = {r->broken_fd, driver_break, NULL, &v->border, NULL}};
    driver_init(&v->driver);
    driver_watch(&v->driver, &v->signals);
    driver_watch(&v->driver, &v->orders);
    driver_watch(&v->driver, &v->broken);
    if (any_at_work(l)) {
        driver_watch(&v->driver, &v->others);
        driver_hold(&v->driver);
    }
    driver_seat(&v->driver, &v->border);
}

void line_relay(struct line *l)
{
    struct supervisor v;
    supervise(&v, l);
    driver_run(&v.driver);
    for (size_t i = 0; i < l->plan->nitems; i++)
        station_join(&l->stations[i]);
}

/* ---- or a hub's ---- */

/* Another station's, if that has taken its layers. */
static struct engine *border_of(const struct line *l)
{
    size_t i = l->plan->border;
    for (size_t k = 0; k < l->plan->nitems; k++)
        if (l->stations[k].engine.border)
            i = k;
    return &l->stations[i].engine;
}

bool line_is_one_engine(const struct line *l)
{
    bool programs = false;
    for (size_t i = 0; i < l->plan->nitems; i++)
        programs |= l->stations[i].program;
    return !any_started(l) && !programs && l->run->nchildren == 0 && !l->run->sinks_wait && !l->run->waits;
}

struct engine *line_begin(struct line *l)
{
    struct engine *border = border_of(l);
    if (l->spare.p)
        buf_swap(&border->spare, &l->spare);
    run_transferring(l->run);
    run_touch(l->run);
    engine_await_peer(border);
    return border;
}
