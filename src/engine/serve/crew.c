/* SPDX-License-Identifier: GPL-2.0-or-later
 * Leader and followers: see crew.h. There are two duties, and one member at a time has each: to accept, and to go
 * on with those who have said something to a dialog meanwhile (lead.c); and to go on with those who have proved
 * themselves (errand.c). Who has to wait passes his duty on. A thread is
 * started only when nobody is free for that, and ends when it has been free for some time, so their
 * number is that of the openings that wait. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "catena/thread.h"
#include "catena/wait.h"
#include "engine/serve/crew_inside.h"

enum {
    STACK = 256 * 1024,
    IDLE_S = 2, /* a free thread ends after so long */
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
int crew_offer(struct crew *c, enum duty duty)
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
void crew_end_accepting(struct crew *c)
{
    c->accepting = false;
    if (c->stopping)
        (void)eventfd_write(c->room_fd, 1);
}

/* The run this thread is opening has to wait: somebody else does its duty meanwhile. */
void crew_pass_duty(void *arg)
{
    struct member *m = arg;
    struct crew *c = m->crew;
    if (m->duty == NONE)
        return;
    pthread_mutex_lock(&c->lock);
    if (m->next) { /* it accepts, and serves somebody else meanwhile */
        errand_count_out(m->next);
        crew_end_accepting(c);
        m->next = NULL;
    }
    if (m->duty == RESUME)
        c->resuming = c->proved != NULL;
    if (m->duty == LEAD ? !c->stopping : c->resuming)
        (void)crew_offer(c, m->duty);
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
        crew_accept(m);
        errand_resume(m);
    } while (await_duty(m));
    pthread_mutex_lock(&c->lock);
    leave(m);
    if (c->stopping)
        (void)eventfd_write(c->room_fd, 1);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- whose thread waits for signals ---- */

/* Somebody may have to be looked out for. */
static bool may_rest(const struct plan *p)
{
    for (size_t i = 0; i < p->nlinks; i++)
        if (p->links[i].fate == FATE_DIALOG && p->links[i].fwd->form->ops.negotiator->rests)
            return true;
    return false;
}

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
                       .lookout = {.fd = -1, .timer_fd = -1, .rings = INT64_MAX}};
    c->proved_end = &c->proved;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->wanted, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (c->stop_fd < 0 || c->quit_fd < 0 || c->report_fd < 0 || c->room_fd < 0)
        (void)err_sys(e, "eventfd()");
    else if (!may_rest(parent->plan) || lookout_init(&c->lookout, c->quit_fd, e) == 0)
        c->hubs = hubs_new(e);
    if (c->hubs) {
        parent->add_served = errand_add_served;
        parent->add_served_arg = c;
        return c;
    }
    crew_free(c, true);
    return NULL;
}

int crew_lead(struct crew *c, struct err *e)
{
    pthread_mutex_lock(&c->lock);
    int rc = crew_offer(c, LEAD);
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
    crew_disperse(c);
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
