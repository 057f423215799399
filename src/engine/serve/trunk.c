/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening trunks, their threads, and which of them gets the next stream: see trunk.h. */
#include "engine/serve/trunk.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/thread.h"
#include "catena/wait.h"
#include "engine/port/stream.h"
#include "engine/serve/passage.h"

enum {
    STACK = 256 * 1024,
    LAST_MS = 10000, /* for what lines that are gone have left to be sent */
};

struct trunks {
    pthread_mutex_t lock; /* guards the list */
    struct live *list;
    const struct plan *plan;
    struct run *parent;
    struct run common; /* whose what they share is */
    void **shared;
    _Atomic size_t most; /* streams of the one that was opened last */
};

struct live { /* a trunk */
    struct trunk meet;
    struct trunks *all;
    struct live *next;
    pthread_t thread;
    struct run run;
    struct line line;
    struct passage passage;
    bool opened;
    int stop_fd, done_fd; /* readable: it is to end now; it has ended */
};

static struct live *live_of(struct trunk *t) { return (struct live *)((char *)t - offsetof(struct live, meet)); }

/* ---- its thread ---- */

static int relay(struct passage *s, struct err *e)
{
    struct live *t = (struct live *)((char *)s - offsetof(struct live, passage));
    t->opened = true;
    atomic_store(&t->all->most, t->meet.most); /* no other thread changes it */
    trunk_opened(&t->meet);
    return passage_relay(s, e);
}

/* Lines tell what became of it, each for itself; where there is none, nothing is lost. */
static void tell_end(struct live *t, const struct err *why)
{
    if (why && t->opened)
        diag(DIAG_NOTICE, "a connection that is shared has ended: %s", diag_words(why));
    else if (t->opened)
        diag(DIAG_NOTICE, "a connection that is shared has ended");
    trunk_over(&t->meet, t->opened, why);
}

static void *live(void *arg)
{
    struct live *t = arg;
    struct err e = {.kind = ERR_NONE}, why;
    int rc = passage_open(&t->passage, LEFT, &e);
    port_close(t->passage.brought[LEFT]);
    (void)passage_finish(&t->passage, rc, &e);
    bool failed = run_why(&t->run, &why);
    tell_end(t, failed ? &why : rc < 0 ? &e : NULL);
    (void)eventfd_write(t->done_fd, 1);
    return NULL;
}

/* ---- making and ending ---- */

static void free_live(struct trunk *meet)
{
    struct live *t = live_of(meet);
    if (t->stop_fd >= 0)
        close(t->stop_fd);
    if (t->done_fd >= 0)
        close(t->done_fd);
    free(t);
}

static int begin(struct live *t, struct trunks *all, struct err *e)
{
    const struct plan *p = all->plan;
    if (run_init(&t->run, p->settings, p, -1, e) < 0)
        return -1;
    t->run.trunk = &t->meet;
    t->run.shared = all->shared;
    t->run.reaper = all->parent->reaper;
    t->run.stop_fd = t->stop_fd;
    t->run.threaded = t->run.quiet = true;
    t->passage = (struct passage){.run = &t->run, .line = &t->line, .plan = p, .last = relay};
    int rc = line_init(&t->line, &t->run, e) < 0 || trunk_port(&t->meet, &t->passage.brought[LEFT], e) < 0 ? -1 : 0;
    if (rc == 0 && (errno = thread_start(&t->thread, STACK, &t->run.peer, live, t)) != 0)
        rc = err_sys(e, "cannot start a thread for what is shared");
    if (rc == 0)
        return 0;
    port_close(t->passage.brought[LEFT]);
    line_fini(&t->line);
    run_fini(&t->run);
    return -1;
}

static struct live *new_live(struct trunks *all, struct err *e)
{
    struct live *t = calloc(1, sizeof *t);
    if (!t) {
        (void)err_nomem(e);
        return NULL;
    }
    if (trunk_init(&t->meet, atomic_load(&all->most), free_live, e) < 0) {
        free(t);
        return NULL;
    }
    t->all = all;
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    t->done_fd = eventfd(0, EFD_CLOEXEC);
    if (t->stop_fd >= 0 && t->done_fd >= 0)
        return t;
    (void)err_sys(e, "eventfd()");
    trunk_drop(&t->meet);
    return NULL;
}

/* Its thread has nothing more to do. */
static void end(struct live *t)
{
    (void)pthread_join(t->thread, NULL);
    run_fini(&t->run);
    trunk_drop(&t->meet);
}

static bool has_ended(const struct live *t) { return poll(&(struct pollfd){.fd = t->done_fd, .events = POLLIN}, 1, 0) > 0; }

/* Under the lock. */
static void bury(struct trunks *all)
{
    for (struct live **at = &all->list, *t; (t = *at);) {
        if (!has_ended(t)) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        end(t);
    }
}

/* ---- for lines ---- */

/* In one that is there, or a new one. Under the lock. */
static struct stream *find(struct trunks *all, size_t size, void (*forget)(void *), struct err *e)
{
    struct stream *s = NULL;
    e->kind = ERR_NONE;
    for (struct live *t = all->list; t && !s && e->kind == ERR_NONE; t = t->next)
        s = stream_new(&t->meet, size, forget, e);
    if (s || e->kind != ERR_NONE)
        return s;
    struct live *t = new_live(all, e);
    s = t ? stream_new(&t->meet, size, forget, e) : NULL; /* before it may be over */
    if (s && begin(t, all, e) == 0) {
        t->next = all->list;
        all->list = t;
        return s;
    }
    stream_leave(s);
    if (t)
        trunk_drop(&t->meet);
    return NULL;
}

struct stream *trunk_stream(struct run *r, size_t state_size, void (*forget)(void *), struct err *e)
{
    struct trunks *all = r->shared[plan_slot_of_trunks(r->plan)];
    pthread_mutex_lock(&all->lock);
    bury(all);
    struct stream *s = find(all, state_size, forget, e);
    pthread_mutex_unlock(&all->lock);
    return s;
}

/* ---- all of them ---- */

int trunks_prepare(const struct plan *trunk, struct run *r, void **trunks, struct err *e)
{
    struct trunks *all = calloc(1, sizeof *all);
    if (!all)
        return err_nomem(e);
    if (run_init(&all->common, trunk->settings, trunk, r->signal_fd, e) < 0) {
        free(all);
        return -1;
    }
    (void)pthread_mutex_init(&all->lock, NULL);
    atomic_init(&all->most, SIZE_MAX);
    all->plan = trunk;
    all->parent = r;
    all->common.reaper = r->reaper;
    all->shared = passage_slots(trunk);
    *trunks = all;
    int rc = passage_prepare(trunk, &all->common, all->shared, e);
    if (all->common.ended_signal)
        r->ended_signal = all->common.ended_signal;
    all->common.signal_fd = -1;
    return rc;
}

void trunks_release(void *trunks)
{
    struct trunks *all = trunks;
    if (!all)
        return;
    for (struct live *t = all->list; t; t = t->next)
        if (!trunk_stop(&t->meet))
            (void)eventfd_write(t->stop_fd, 1);
    int64_t until = wait_now() + LAST_MS;
    for (struct live *t = all->list, *next; t; t = next) {
        next = t->next;
        if (wait_rest(all->parent, t->done_fd, until) <= 0)
            (void)eventfd_write(t->stop_fd, 1);
        end(t);
    }
    passage_release(all->plan, all->shared);
    free(all->shared);
    run_fini(&all->common);
    (void)pthread_mutex_destroy(&all->lock);
    free(all);
}
