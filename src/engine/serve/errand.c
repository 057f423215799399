/* SPDX-License-Identifier: GPL-2.0-or-later
 * A connection on its way through a crew: it is opened by whoever has it, waits in a hub for a handshake or in the
 * lookout for what its client says, and is relayed in a hub, or by the thread that has opened it. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "catena/diag.h"
#include "engine/run/stats.h"
#include "engine/serve/crew_inside.h"

void errand_free(struct errand *t)
{
    run_fini(&t->run);
    free(t);
}

struct errand *errand_new(struct crew *c, struct err *e)
{
    struct errand *t = calloc(1, sizeof *t);
    if (!t) {
        (void)err_nomem(e);
        return NULL;
    }
    t->crew = c;
    if (run_init(&t->run, c->parent->settings, c->parent->plan, -1, e) < 0) {
        free(t);
        return NULL;
    }
    t->run.shared = c->parent->shared;
    t->run.reaper = c->parent->reaper;
    t->run.stop_fd = c->stop_fd;
    t->run.threaded = true;
    if (run_copy_facts(&t->run, c->parent, e) == 0 && line_init(&t->line, &t->run, e) == 0) {
        t->line.defers = true;
        return t;
    }
    errand_free(t);
    return NULL;
}

/* Under the lock. */
void errand_count_in(struct errand *t)
{
    struct crew *c = t->crew;
    c->nruns++;
    t->next = c->errands;
    t->at = &c->errands;
    if (t->next)
        t->next->at = &t->next;
    c->errands = t;
}

/* What it has moved stays in the parent's counters. Under the lock. */
void errand_count_out(struct errand *t)
{
    struct crew *c = t->crew;
    if (!t->at)
        return;
    c->nruns--;
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
    t->at = NULL;
    stats_keep(c->parent, &t->run);
    if (c->max > 0 || c->stopping)
        (void)eventfd_write(c->room_fd, 1);
}

void errand_add_served(void *crew, struct traffic *t)
{
    struct crew *c = crew;
    pthread_mutex_lock(&c->lock);
    stats_add(t, c->parent);
    for (struct errand *one = c->errands; one; one = one->next)
        stats_add(t, &one->run);
    pthread_mutex_unlock(&c->lock);
}

/* The run is over: its connection is counted out. */
static void end_errand(struct errand *t, int rc, struct err *e)
{
    struct crew *c = t->crew;
    (void)diag_about(&t->run.peer); /* in whichever thread this is */
    c->ops->finish(c->arg, &t->run, &t->line, rc, e);
    (void)diag_about(&c->parent->peer);
    pthread_mutex_lock(&c->lock);
    errand_count_out(t);
    pthread_mutex_unlock(&c->lock);
    errand_free(t);
}

static struct errand *errand_of(struct seat *seat)
{
    return (struct errand *)((char *)seat - offsetof(struct errand, seat));
}

static void seat_ended(struct seat *seat)
{
    struct err none = {0};
    end_errand(errand_of(seat), 0, &none);
}

static bool take_seat(struct errand *t, struct engine *engine, void (*ended)(struct seat *))
{
    t->seat = (struct seat){.engine = engine, .ended = ended};
    (void)diag_about(&t->crew->parent->peer);
    if (hubs_add(t->crew->hubs, &t->seat))
        return true; /* it is the hub's, and may be over by now */
    (void)diag_about(&t->run.peer);
    return false;
}

/* Its dialog rests: it waits in the lookout, of which the leader hears. */
static bool look_out(struct errand *t)
{
    struct crew *c = t->crew;
    int64_t deadline;
    int fd = line_rests_at(&t->line, &deadline);
    (void)diag_about(&c->parent->peer);
    pthread_mutex_lock(&c->lock);
    bool waits = !c->stopping && lookout_add(&c->lookout, &t->guest, fd, deadline);
    pthread_mutex_unlock(&c->lock);
    if (waits)
        return true; /* whoever leads may have taken it by now */
    (void)diag_about(&t->run.peer);
    return false;
}

static void seat_proved(struct seat *seat);

/* What ops->open() left to a handshake: that waits in a hub (1), or, where it cannot, here. */
static int prove(struct errand *t, struct err *e)
{
    struct engine *engine = t->line.proving;
    engine->proving = true;
    engine_await_peer(engine);
    if (take_seat(t, engine, seat_proved))
        return 1;
    engine->proving = t->line.defers = false;
    t->run.on_wait = crew_pass_duty;
    return engine_handshake(engine, e);
}

/* What it left to somebody else (1); where nobody can, here. */
static int leave_open(struct member *m, struct errand *t, struct err *e)
{
    struct crew *c = m->crew;
    int64_t ignored;
    if (line_rests_at(&t->line, &ignored) >= 0) {
        if (look_out(t))
            return 1;
        t->line.defers = false;
        t->run.on_wait = crew_pass_duty;
    } else {
        int rc = prove(t, e);
        if (rc != 0)
            return rc;
    }
    return c->ops->open(c->arg, &t->run, &t->line, e);
}

void errand_serve(struct member *m, struct errand *t)
{
    struct crew *c = m->crew;
    struct err e;
    (void)diag_about(&t->run.peer);
    t->run.on_wait = crew_pass_duty;
    t->run.on_wait_arg = m;
    int rc = c->ops->open(c->arg, &t->run, &t->line, &e);
    t->run.on_wait = NULL;
    if (rc > 0 && (rc = leave_open(m, t, &e)) > 0)
        return;
    t->run.on_wait = NULL;
    if (rc == 0)
        run_transferring(c->parent);
    if (rc == 0 && line_is_one_engine(&t->line) && take_seat(t, line_begin(&t->line), seat_ended))
        return;
    if (rc == 0 || t->run.nchildren > 0)
        crew_pass_duty(m);
    if (rc == 0)
        line_relay(&t->line);
    end_errand(t, rc, &e);
}

/* ---- going on with those who have proved themselves ---- */

void errand_resume(struct member *m)
{
    struct crew *c = m->crew;
    while (m->duty == RESUME) {
        pthread_mutex_lock(&c->lock);
        struct errand *t = c->proved;
        if (t && !(c->proved = t->after))
            c->proved_end = &c->proved;
        if (!t) {
            c->resuming = false;
            m->duty = NONE;
        }
        pthread_mutex_unlock(&c->lock);
        if (t)
            errand_serve(m, t);
    }
}

/* The same in a hub's thread, which it may keep waiting: no other can be started. */
void errand_resume_here(struct crew *c)
{
    struct member self = {.crew = c, .duty = RESUME};
    while (self.duty == RESUME) {
        errand_resume(&self);
        pthread_mutex_lock(&c->lock);
        self.duty = c->is_free[RESUME] ? RESUME : NONE;
        c->is_free[RESUME] = false;
        pthread_mutex_unlock(&c->lock);
    }
}

/* Gives false when that has not to be done here. Under the lock. */
bool errand_enqueue(struct crew *c, struct errand *t)
{
    t->after = NULL;
    *c->proved_end = t;
    c->proved_end = &t->after;
    bool here = !c->resuming && crew_offer(c, RESUME) != 0;
    if (here)
        c->is_free[RESUME] = false;
    c->resuming = true;
    return here;
}

/* In a hub's thread: who connected has shaken hands, or failed to. */
static void seat_proved(struct seat *seat)
{
    struct errand *t = errand_of(seat);
    struct crew *c = t->crew;
    bool goes_on = engine_has_proved(seat->engine);
    seat->engine->proving = false;
    if (!goes_on) {
        seat_ended(seat);
        return;
    }
    pthread_mutex_lock(&c->lock);
    bool closed = c->closed, here = !closed && errand_enqueue(c, t);
    pthread_mutex_unlock(&c->lock);
    if (here)
        errand_resume_here(c);
    if (closed) {
        struct err e;
        end_errand(t, err_set(&e, ERR_INTERRUPTED, "stopped"), &e);
    }
}
