/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who leads a crew: it accepts, and goes on with those who wait in the lookout and have said something. */
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "engine/serve/crew_inside.h"

enum { PAUSE_MS = 200 }; /* after a connection was lost for want of memory or threads */

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
void crew_disperse(struct crew *c)
{
    bool here = false;
    pthread_mutex_lock(&c->lock);
    for (struct guest *g; (g = lookout_remove(&c->lookout));) {
        errand_of_guest(g)->line.defers = false;
        here |= errand_enqueue(c, errand_of_guest(g));
    }
    pthread_mutex_unlock(&c->lock);
    if (here)
        errand_resume_here(c);
}

bool crew_is_stopping(struct crew *c)
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
            errand_count_in(t);
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
        errand_serve(m, t);
    return m->duty == LEAD && !crew_is_stopping(m->crew);
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
    t->run.stop_fd = c->lookout.fd >= 0 ? c->lookout.fd : c->quit_fd;
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
        errand_count_out(t);
    if (m->next) /* and not somebody else's duty by now */
        crew_end_accepting(c);
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
    crew_disperse(m->crew);
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
    errand_free(t);
}

/* Serves connections as long as it leads. */
void crew_accept(struct member *m)
{
    struct crew *c = m->crew;
    struct errand *t;
    struct err e;
    while (m->duty == LEAD) {
        if ((t = heard(c))) {
            errand_serve(m, t);
        } else if (!(t = errand_new(c, &e))) {
            pause_lead(m, &e);
        } else if (accept_one(m, t, &e) == 0) {
            errand_serve(m, t);
        } else {
            drop_errand(t);
            if (m->duty == LEAD)
                end_lead(m, &e);
        }
    }
}
