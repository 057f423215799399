/* SPDX-License-Identifier: GPL-2.0-or-later
 * The run object: failures, removals, peers. Facts are in facts.c, children in children.c. */
#include "catena/run.h"

#include <errno.h>
#include <mqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/wait.h"

int run_init(struct run *r, const struct settings *s, const struct plan *p, int signal_fd,
             struct err *e)
{
    *r = (struct run){.settings = s, .plan = p, .signal_fd = signal_fd, .stop_fd = -1,
                      .broken_fd = -1, .peer.catena = s->catena};
    if (pthread_mutex_init(&r->lock, NULL) != 0)
        return err_set(e, ERR_OTHER, "pthread_mutex_init() failed");
    if (p && p->nfigures > 0 && !s->v1_name) /* without memory there are no figures of links */
        r->links = calloc(p->nfigures, sizeof *r->links);
    run_touch(r);
    return 0;
}

void run_touch(struct run *r)
{
    atomic_store_explicit(&r->last_activity, wait_now(), memory_order_relaxed);
}

void run_hold(struct run *r, int64_t until)
{
    int64_t before = atomic_load_explicit(&r->held_until, memory_order_relaxed);
    while (before < until && !atomic_compare_exchange_weak_explicit(&r->held_until, &before, until,
                                                                    memory_order_relaxed, memory_order_relaxed))
        ;
}

int64_t run_silent_since(const struct run *r)
{
    int64_t moved = atomic_load_explicit(&r->last_activity, memory_order_relaxed);
    int64_t held = atomic_load_explicit(&r->held_until, memory_order_relaxed);
    return held > moved ? held : moved;
}

static int remove_entry(const struct removal *m)
{
    const size_t n = strlen(RUN_QUEUE);
    struct stat st;
    if (strncmp(m->what, RUN_QUEUE, n) == 0)
        return mq_unlink(m->what + n);
    if (lstat(m->what, &st) < 0)
        return -1;
    if (st.st_dev == m->dev && st.st_ino == m->ino)
        return unlink(m->what);
    diag(DIAG_INFO, "\"%s\" is another one by now and stays", m->what);
    return 0;
}

static void removal_failed(const struct removal *m)
{
    struct err e;
    (void)err_sys(&e, "cannot remove \"%s\"", m->what);
    (void)err_call(&e, "unlink(\"%s\")", m->what);
    diag_err(e.sys == ENOENT ? DIAG_INFO : DIAG_WARN, &e);
}

static void free_removals(struct run *r, bool act)
{
    for (size_t i = r->nremovals; i-- > 0;) {
        const struct removal *m = &r->removals[i];
        if (act && remove_entry(m) < 0)
            removal_failed(m);
        free(m->what);
    }
    free(r->removals);
    r->removals = NULL;
    r->nremovals = 0;
}

void run_remove(struct run *r)
{
    free_removals(r, true);
}

void run_fini(struct run *r)
{
    run_remove(r);
    run_drop_instances(r);
    run_forget(r);
    run_forget_secrets(r);
    free(r->links);
    free(r->met);
    free(r->why);
    free((void *)(uintptr_t)atomic_load(&r->peer.name));
    if (r->broken_fd >= 0)
        close(r->broken_fd);
    r->broken_fd = -1;
    for (size_t i = 0; i < r->nchildren; i++)
        if (r->children[i].pidfd >= 0)
            close(r->children[i].pidfd);
    free(r->children);
    r->children = NULL;
    r->nchildren = 0;
    (void)pthread_mutex_destroy(&r->lock);
}

void run_after_fork(struct run *r)
{
    free_removals(r, false);
    for (size_t i = 0; i < r->nchildren; i++)
        r->children[i].done = true; /* somebody else's children now */
    r->forked = true;
}

/* Under the lock. */
static void keep_why(struct run *r, const struct err *e)
{
    if (!r->why && (r->why = malloc(sizeof *r->why)))
        *r->why = *e;
}

bool run_why(struct run *r, struct err *e)
{
    pthread_mutex_lock(&r->lock);
    bool known = r->why != NULL;
    if (known)
        *e = *r->why;
    pthread_mutex_unlock(&r->lock);
    return known;
}

void run_child_fails(struct run *r, const char *fmt, ...)
{
    struct err e = {.kind = ERR_OTHER, .code = ERR_PROGRAM};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&r->lock);
    r->child_failed = true;
    keep_why(r, &e);
    pthread_mutex_unlock(&r->lock);
}

void run_fail(struct run *r, const struct err *e)
{
    pthread_mutex_lock(&r->lock);
    bool is_first = !r->failed;
    r->failed = true;
    keep_why(r, e);
    pthread_mutex_unlock(&r->lock);
    diag_err(is_first && !r->quiet ? DIAG_ERROR : DIAG_INFO, e);
}

bool run_may_change_process(const struct run *r)
{
    return !r->threaded && catena_owns_process(r->settings->catena);
}

void run_experimental(const struct run *r, const char *what)
{
    if (!r->settings->experimental)
        diag(DIAG_WARN, "%s is experimental; --experimental switches this warning off", what);
}

/* Both store their own before they look at the other's: one of them tells. */
void run_broken(struct run *r)
{
    atomic_store(&r->broken, true);
    if (atomic_load(&r->transferring) && r->broken_fd >= 0)
        (void)eventfd_write(r->broken_fd, 1);
}

void run_transferring(struct run *r)
{
    if (atomic_load(&r->began) == 0)
        atomic_store(&r->began, wait_now());
    atomic_store(&r->transferring, true);
    if (atomic_load(&r->broken) && r->broken_fd >= 0)
        (void)eventfd_write(r->broken_fd, 1);
}

void run_asks_anew(struct run *r) { r->anew = true; }

void run_forget_failure(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    r->failed = false;
    free(r->why);
    r->why = NULL;
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->broken, false);
    for (int i = 0; i < 2; i++) {
        atomic_store(&r->lost[i], 0);
        atomic_store(&r->refuser[i], NULL);
    }
}

void run_cut(struct run *r)
{
    atomic_store(&r->cut[0], true);
    atomic_store(&r->cut[1], true);
}

/* ---- peers ---- */

bool run_wants_peer(const struct run *r)
{
    return r->plan && r->plan->has_peers && !atomic_load(&r->peer.name);
}

void run_meet(struct run *r, const char *who)
{
    if (!run_wants_peer(r))
        return;
    free(r->met);
    r->met = strdup(who);
}

char *run_give_met(struct run *r)
{
    char *who = r->met;
    r->met = NULL;
    return who;
}

void run_serves(struct run *r, int side)
{
    r->peer_side = side;
    r->peer_since = wait_now();
    atomic_store(&r->peer.name, run_give_met(r));
}

/* Messages of other threads may be about the one that was met, so his name stays. */
void run_introduce(struct run *r, const char *who)
{
    char *name = atomic_load(&r->peer.name) ? strdup(who) : NULL;
    if (!name)
        return;
    free(r->met);
    r->met = (char *)(uintptr_t)atomic_exchange(&r->peer.name, name);
}

void run_warn_lost(struct run *r, const struct err *e, const char *then)
{
    struct diag_peer met = {.catena = r->settings->catena};
    atomic_init(&met.name, r->met);
    const struct diag_peer *before = diag_about(&met);
    diag_coded(DIAG_WARN, err_code_of(e), "%s%s", diag_words(e), then);
    (void)diag_about(before);
}

void run_ends(struct run *r, enum run_end why)
{
    int unknown = END_UNKNOWN;
    if (why == END_IDLE)
        atomic_store(&r->end, why);
    else
        (void)atomic_compare_exchange_strong(&r->end, &unknown, (int)why);
}

static const char *why_ended(const struct run *r, bool failed, char *room, size_t cap)
{
    int end = atomic_load(&r->end);
    const char *who = end == (r->peer_side == LEFT ? END_LEFT : END_RIGHT) ? "it" : "our side";
    if (r->ended_signal)
        (void)snprintf(room, cap, "signal %d ended it", r->ended_signal);
    else if (failed)
        return "an error ended it";
    else if (end == END_IDLE)
        return "nothing came within -T";
    else if (end == END_STOPPED)
        return "the listener has ended";
    else if (end == END_UNKNOWN)
        return "it was ended by order";
    else
        (void)snprintf(room, cap, "%s ended first%s", who,
                       atomic_load(&r->over) ? ", the other not within -t" : "");
    return room;
}

void run_tell_end(struct run *r, bool failed)
{
    char room[64];
    const char *who = atomic_load(&r->peer.name);
    struct diag_peer nobody = {.catena = r->settings->catena};
    if (!who || !diag_shows(DIAG_NOTICE))
        return;
    const struct diag_peer *before = diag_about(&nobody); /* it is in the text, under every name */
    diag(DIAG_NOTICE,
         "connection with %s ended after %.3f s: %llu bytes from it, %llu bytes to it; %s", who,
         (double)(wait_now() - r->peer_since) / 1000,
         (unsigned long long)atomic_load(&r->bytes[r->peer_side]),
         (unsigned long long)atomic_load(&r->bytes[!r->peer_side]),
         why_ended(r, failed, room, sizeof room));
    (void)diag_about(before);
}
