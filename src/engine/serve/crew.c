/* SPDX-License-Identifier: GPL-2.0-or-later
 * Leader and followers: see crew.h. There are two duties, and one member at a time has each: to accept, and to go
 * on with those who have said something to a dialog meanwhile (the lookout); and to go on with those who have
 * proved themselves. Who has to wait passes his duty on. A thread is
 * started only when nobody is free for that, and ends when it has been free for some time, so their
 * number is that of the openings that wait. */
#include "engine/serve/crew.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/thread.h"
#include "catena/wait.h"
#include "engine/relay/hub.h"
#include "engine/run/stats.h"
#include "engine/serve/lookout.h"

enum {
    STACK = 256 * 1024,
    IDLE_S = 2,     /* a free thread ends after so long */
    PAUSE_MS = 200, /* after a connection was lost for want of memory or threads */
};

enum duty { NONE, LEAD, RESUME, DUTIES };

struct member { /* a thread */
    struct crew *crew;
    struct member *others;
    pthread_t thread;
    enum duty duty;
    struct errand *next; /* while it accepts: for whom */
};

struct errand { /* a connection, from accept() to the end of its run */
    struct crew *crew;
    struct run run;
    struct line line;
    struct seat seat;
    struct guest guest;
    struct errand *next, **at; /* in the crew's list; at NULL: not counted */
    struct errand *after;      /* in the queue of those who have proved themselves */
};

struct crew {
    const struct crew_ops *ops;
    void *arg;
    struct run *parent;
    struct hubs *hubs;
    size_t max;
    int stop_fd;   /* readable: everything is to end */
    int quit_fd;   /* readable: nobody is accepted any more */
    int report_fd; /* accept() has failed */
    int room_fd;   /* a run has ended; stopping: or an accept() */

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct member *members, *ended; /* ended: to be joined */
    struct errand *errands; /* those that are counted in nruns */
    struct errand *proved, **proved_end; /* their opening is to go on */
    struct lookout lookout;              /* those whose dialog is to go on when they have said something */
    size_t nfree, nruns;
    bool is_free[DUTIES]; /* and somebody is called for it */
    bool resuming;        /* that duty is somebody's, or free */
    bool accepting, stopping, closed, reported;
    struct err why;
};

/* ---- the duties ---- */

static void *member_main(void *arg);

/* Under the lock. */
static int start_member(struct crew *c, enum duty duty)
{
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return ENOMEM;
    *m = (struct member){.crew = c, .others = c->members, .duty = duty};
    int rc = thread_start(&m->thread, STACK, &c->parent->peer, member_main, m);
    if (rc == 0)
        c->members = m;
    else
        free(m);
    return rc;
}

/* Somebody takes that duty. Under the lock. Gives an error number where no thread can be started: then
 * the first one that gets free takes it. */
static int offer(struct crew *c, enum duty duty)
{
    size_t called = (size_t)c->is_free[LEAD] + c->is_free[RESUME];
    int rc = 0;
    if (c->nfree <= called && (rc = start_member(c, duty)) == 0)
        return 0;
    c->is_free[duty] = true;
    (void)pthread_cond_signal(&c->wanted);
    return rc;
}

/* Under the lock. */
static void end_accepting(struct crew *c)
{
    c->accepting = false;
    if (c->stopping)
        (void)eventfd_write(c->room_fd, 1);
}

static void count_out(struct errand *t);

/* The run this thread is opening has to wait: somebody else does its duty meanwhile. */
static void pass_duty(void *arg)
{
    struct member *m = arg;
    struct crew *c = m->crew;
    if (m->duty == NONE)
        return;
    pthread_mutex_lock(&c->lock);
    if (m->next) { /* it accepts, and serves somebody else meanwhile */
        count_out(m->next);
        end_accepting(c);
        m->next = NULL;
    }
    if (m->duty == RESUME)
        c->resuming = c->proved != NULL;
    if (m->duty == LEAD ? !c->stopping : c->resuming)
        (void)offer(c, m->duty);
    pthread_mutex_unlock(&c->lock);
    m->duty = NONE;
}

/* Under the lock. */
static enum duty free_duty(const struct crew *c)
{
    return c->is_free[RESUME] ? RESUME : c->is_free[LEAD] && !c->stopping ? LEAD : NONE;
}

/* Gives false when this thread is not needed any more. */
static bool await_duty(struct member *m)
{
    struct crew *c = m->crew;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    int rc = 0;
    pthread_mutex_lock(&c->lock);
    c->nfree++;
    while (free_duty(c) == NONE && !c->stopping && rc == 0)
        rc = pthread_cond_timedwait(&c->wanted, &c->lock, &until);
    c->nfree--;
    m->duty = free_duty(c);
    c->is_free[m->duty] = false;
    pthread_mutex_unlock(&c->lock);
    return m->duty != NONE;
}

/* ---- a connection ---- */

static void free_errand(struct errand *t)
{
    run_fini(&t->run);
    free(t);
}

static struct errand *new_errand(struct crew *c, struct err *e)
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
    free_errand(t);
    return NULL;
}

/* Under the lock. */
static void count_in(struct errand *t)
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
static void count_out(struct errand *t)
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

static void add_served(void *crew, struct traffic *t)
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
    count_out(t);
    pthread_mutex_unlock(&c->lock);
    free_errand(t);
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
    t->run.on_wait = pass_duty;
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
        t->run.on_wait = pass_duty;
    } else {
        int rc = prove(t, e);
        if (rc != 0)
            return rc;
    }
    return c->ops->open(c->arg, &t->run, &t->line, e);
}

static void serve(struct member *m, struct errand *t)
{
    struct crew *c = m->crew;
    struct err e;
    (void)diag_about(&t->run.peer);
    t->run.on_wait = pass_duty;
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
        pass_duty(m);
    if (rc == 0)
        line_relay(&t->line);
    end_errand(t, rc, &e);
}

/* ---- going on with those who have proved themselves ---- */

static void resume(struct member *m)
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
            serve(m, t);
    }
}

/* The same in a hub's thread, which it may keep waiting: no other can be started. */
static void resume_here(struct crew *c)
{
    struct member self = {.crew = c, .duty = RESUME};
    while (self.duty == RESUME) {
        resume(&self);
        pthread_mutex_lock(&c->lock);
        self.duty = c->is_free[RESUME] ? RESUME : NONE;
        c->is_free[RESUME] = false;
        pthread_mutex_unlock(&c->lock);
    }
}

/* Gives false when that has not to be done here. Under the lock. */
static bool enqueue(struct crew *c, struct errand *t)
{
    t->after = NULL;
    *c->proved_end = t;
    c->proved_end = &t->after;
    bool here = !c->resuming && offer(c, RESUME) != 0;
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
    bool closed = c->closed, here = !closed && enqueue(c, t);
    pthread_mutex_unlock(&c->lock);
    if (here)
        resume_here(c);
    if (closed) {
        struct err e;
        end_errand(t, err_set(&e, ERR_INTERRUPTED, "stopped"), &e);
    }
}

/* ---- leading ---- */

static struct errand *errand_of_guest(struct guest *g)
{
    return (struct errand *)((char *)g - offsetof(struct errand, guest));
}

/* Who waited, and has said something. */
static struct errand *heard(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->lookout.heard)
        lookout_look(&c->lookout);
    struct guest *g = lookout_take(&c->lookout);
    pthread_mutex_unlock(&c->lock);
    return g ? errand_of_guest(g) : NULL;
}

/* Nobody accepts any more, or for some time, and so nobody looks out: whoever waits there is gone on with, and waited
 * for where that is. */
static void disperse(struct crew *c)
{
    bool here = false;
    pthread_mutex_lock(&c->lock);
    for (struct guest *g; (g = lookout_remove(&c->lookout));) {
        errand_of_guest(g)->line.defers = false;
        here |= enqueue(c, errand_of_guest(g));
    }
    pthread_mutex_unlock(&c->lock);
    if (here)
        resume_here(c);
}

static bool is_stopping(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    bool is = c->stopping;
    pthread_mutex_unlock(&c->lock);
    return is;
}

static int await_room(struct errand *t, struct err *e)
{
    struct crew *c = t->crew;
    for (bool told = false;; told = true) {
        pthread_mutex_lock(&c->lock);
        bool full = c->max > 0 && c->nruns >= c->max;
        if (!full)
            count_in(t);
        pthread_mutex_unlock(&c->lock);
        if (!full)
            return 0;
        if (!told)
            diag(DIAG_NOTICE, "maxchildren are active, waiting");
        if (wait_fd(&t->run, c->room_fd, POLLIN, -1, e) < 0)
            return -1;
        (void)eventfd_read(c->room_fd, &(eventfd_t){0});
    }
}

static void report(struct crew *c, const struct err *e)
{
    pthread_mutex_lock(&c->lock);
    c->why = *e;
    c->reported = true;
    (void)eventfd_write(c->report_fd, 1);
    pthread_mutex_unlock(&c->lock);
}

/* In a wait of who accepts: goes on with those who have said something. false: the wait is to end. */
static bool called(void *arg)
{
    struct member *m = arg;
    for (struct errand *t; m->duty == LEAD && (t = heard(m->crew));)
        serve(m, t);
    return m->duty == LEAD && !is_stopping(m->crew);
}

/* Gives false when nobody is to be accepted any more. */
static bool begin_accepting(struct member *m, struct errand *t)
{
    struct crew *c = m->crew;
    pthread_mutex_lock(&c->lock);
    bool may = !c->stopping;
    c->accepting = may;
    m->next = may ? t : NULL;
    pthread_mutex_unlock(&c->lock);
    t->run.stop_fd = c->lookout.fd;
    t->run.on_call = called;
    t->run.on_wait_arg = m;
    return may;
}

static void accepted(struct member *m, struct errand *t, bool is_there)
{
    struct crew *c = m->crew;
    t->run.stop_fd = c->stop_fd;
    t->run.on_call = NULL;
    pthread_mutex_lock(&c->lock);
    if (!is_there)
        count_out(t);
    if (m->next) /* and not somebody else's duty by now */
        end_accepting(c);
    m->next = NULL;
    pthread_mutex_unlock(&c->lock);
}

/* A connection comes in. Until it is there, quitting ends the wait, afterwards only a stop. */
static int accept_one(struct member *m, struct errand *t, struct err *e)
{
    struct crew *c = m->crew;
    if (!begin_accepting(m, t))
        return err_set(e, ERR_INTERRUPTED, "stopped");
    int rc = await_room(t, e);
    if (rc == 0)
        rc = c->ops->accept(c->arg, &t->run, &t->line, e);
    accepted(m, t, rc == 0);
    return rc;
}

static void end_lead(struct member *m, const struct err *why)
{
    m->duty = NONE;
    report(m->crew, why);
    disperse(m->crew);
}

/* For want of memory a connection has to wait, and the listener goes on. */
static void pause_lead(struct member *m, struct err *e)
{
    diag_err(DIAG_WARN, e);
    if (poll(&(struct pollfd){.fd = m->crew->quit_fd, .events = POLLIN}, 1, PAUSE_MS) <= 0)
        return;
    (void)err_set(e, ERR_INTERRUPTED, "stopped");
    end_lead(m, e);
}

static void drop_errand(struct errand *t)
{
    line_fini(&t->line);
    free_errand(t);
}

/* Serves connections as long as it leads. */
static void lead(struct member *m)
{
    struct crew *c = m->crew;
    struct errand *t;
    struct err e;
    while (m->duty == LEAD) {
        if ((t = heard(c))) {
            serve(m, t);
        } else if (!(t = new_errand(c, &e))) {
            pause_lead(m, &e);
        } else if (accept_one(m, t, &e) == 0) {
            serve(m, t);
        } else {
            drop_errand(t);
            if (m->duty == LEAD)
                end_lead(m, &e);
        }
    }
}

/* Members that have ended are joined by the next one. Under the lock. */
static void leave(struct member *m)
{
    struct crew *c = m->crew;
    struct member **p = &c->members;
    while (*p != m)
        p = &(*p)->others;
    *p = m->others;
    for (struct member *old; (old = c->ended);) {
        c->ended = old->others;
        (void)pthread_join(old->thread, NULL); /* it holds nothing any more */
        free(old);
    }
    m->others = NULL;
    c->ended = m;
}

static void *member_main(void *arg)
{
    struct member *m = arg;
    struct crew *c = m->crew;
    do {
        lead(m);
        resume(m);
    } while (await_duty(m));
    pthread_mutex_lock(&c->lock);
    leave(m);
    if (c->stopping)
        (void)eventfd_write(c->room_fd, 1);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- whose thread waits for signals ---- */

struct crew *crew_new(const struct crew_ops *ops, void *arg, struct run *parent, long long max,
                      struct err *e)
{
    pthread_condattr_t attr;
    struct crew *c = calloc(1, sizeof *c);
    if (!c) {
        (void)err_nomem(e);
        return NULL;
    }
    *c = (struct crew){.ops = ops,
                       .arg = arg,
                       .parent = parent,
                       .max = max > 0 ? (size_t)max : 0,
                       .stop_fd = eventfd(0, EFD_CLOEXEC),
                       .quit_fd = eventfd(0, EFD_CLOEXEC),
                       .report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                       .room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                       .lookout = {.fd = -1, .timer_fd = -1}};
    c->proved_end = &c->proved;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->wanted, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (c->stop_fd < 0 || c->quit_fd < 0 || c->report_fd < 0 || c->room_fd < 0)
        (void)err_sys(e, "eventfd()");
    else if (lookout_init(&c->lookout, c->quit_fd, e) == 0)
        c->hubs = hubs_new(e);
    if (c->hubs) {
        parent->add_served = add_served;
        parent->add_served_arg = c;
        return c;
    }
    crew_free(c, true);
    return NULL;
}

int crew_lead(struct crew *c, struct err *e)
{
    pthread_mutex_lock(&c->lock);
    int rc = offer(c, LEAD);
    if (rc != 0)
        c->is_free[LEAD] = false;
    pthread_mutex_unlock(&c->lock);
    errno = rc;
    return rc == 0 ? 0 : err_sys(e, "cannot start a thread");
}

int crew_wait(struct crew *c, struct err *e)
{
    for (;;) {
        if (wait_fd(c->parent, c->report_fd, POLLIN, -1, e) < 0)
            return -1;
        (void)eventfd_read(c->report_fd, &(eventfd_t){0});
        pthread_mutex_lock(&c->lock);
        bool reported = c->reported;
        c->reported = false;
        if (reported)
            *e = c->why;
        pthread_mutex_unlock(&c->lock);
        if (reported)
            return 1;
    }
}

size_t crew_runs(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->nruns;
    pthread_mutex_unlock(&c->lock);
    return n;
}

static bool is_accepting(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    bool is = c->accepting;
    pthread_mutex_unlock(&c->lock);
    return is;
}

static bool has_members(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    bool has = c->members != NULL;
    pthread_mutex_unlock(&c->lock);
    return has;
}

static void await_somebody(const struct crew *c)
{
    (void)poll(&(struct pollfd){.fd = c->room_fd, .events = POLLIN}, 1, -1);
    (void)eventfd_read(c->room_fd, &(eventfd_t){0});
}

void crew_quit(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    (void)pthread_cond_broadcast(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    if (c->quit_fd >= 0)
        (void)eventfd_write(c->quit_fd, 1);
    disperse(c);
    while (is_accepting(c)) /* told to end: it is a matter of moments */
        await_somebody(c);
}

void crew_free(struct crew *c, bool now)
{
    if (!c)
        return;
    crew_quit(c);
    while (!now && crew_runs(c) > 0) {
        now = wait_rest(c->parent, c->room_fd, -1) < 0;
        (void)eventfd_read(c->room_fd, &(eventfd_t){0});
    }
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_mutex_unlock(&c->lock);
    if (c->stop_fd >= 0)
        (void)eventfd_write(c->stop_fd, 1);
    while (has_members(c))
        await_somebody(c);
    hubs_free(c->hubs, c->parent);
    c->parent->add_served = NULL;
    while (c->ended) {
        struct member *m = c->ended;
        c->ended = m->others;
        (void)pthread_join(m->thread, NULL);
        free(m);
    }
    lookout_fini(&c->lookout);
    int *fds[] = {&c->stop_fd, &c->quit_fd, &c->report_fd, &c->room_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (*fds[i] >= 0)
            close(*fds[i]);
    (void)pthread_cond_destroy(&c->wanted);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}
