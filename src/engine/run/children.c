/* SPDX-License-Identifier: GPL-2.0-or-later
 * The programs a run has started: entered with a pidfd each, so that every run waits for its own
 * and nobody else's, in a process of its own or in a thread. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/family.h"
#include "catena/reaper.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "engine/run/ended.h"

enum { GRACE_MS = 500, SILENT_MS = 200, DEATH_MS = 100, LOOK_AGAIN_MS = 5 };

int run_add_child(struct run *r, const struct child *c, struct err *e)
{
    pthread_mutex_lock(&r->lock);
    struct child *more = reallocarray(r->children, r->nchildren + 1, sizeof *more);
    if (more) {
        r->children = more;
        more[r->nchildren++] = *c;
    }
    pthread_mutex_unlock(&r->lock);
    return more ? 0 : err_nomem(e);
}

/* ---- has it ended? ---- */

static bool reap(const struct run *r, struct child *c)
{
    if (c->done)
        return true;
    int rc = reaper_status(r->reaper, c->pid, &c->how);
    if (rc < 0)
        c->how.si_pid = 0;
    c->done = rc != 0;
    return c->done;
}

/* Waits for the end of one child until the deadline, or a signal to us. */
static bool reap_until(struct run *r, struct child *c, int64_t deadline)
{
    while (!reap(r, c)) {
        int64_t now = wait_now(), soon = now + LOOK_AGAIN_MS;
        if (now >= deadline || wait_rest(r, c->pidfd, c->pidfd < 0 && soon < deadline ? soon : deadline) < 0)
            return false;
    }
    return true;
}

/* Nobody asks for it any more. */
static void leave_alone(const struct run *r, struct child *c)
{
    if (!c->done)
        reaper_forget(r->reaper, c->pid);
    c->done = true;
}

/* ---- while it runs ---- */

void run_child_eof(struct run *r, const char *label)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++)
        if (r->children[i].label == label)
            r->children[i].ended_output = true;
    pthread_mutex_unlock(&r->lock);
}

bool run_signal_child(struct run *r, struct child *c, int sig)
{
    return !reap(r, c) && kill(c->pid, sig) == 0;
}

static void end_child(const struct run *r, struct child *c, int sig)
{
    if (reap(r, c))
        return;
    c->killed = true;
    family_signal(c->pid, c->leads, sig);
}

void run_end_child(struct run *r, const char *label)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++) {
        struct child *c = &r->children[i];
        if (c->label == label && c->role == CHILD_ENDPOINT && !c->ended_output)
            end_child(r, c, SIGTERM);
    }
    pthread_mutex_unlock(&r->lock);
}

int run_watch_child(struct run *r, const char *label)
{
    int fd = -1;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++)
        if (r->children[i].label == label && r->children[i].pidfd >= 0 && fd < 0)
            fd = fcntl(r->children[i].pidfd, F_DUPFD_CLOEXEC, 3);
    pthread_mutex_unlock(&r->lock);
    return fd;
}

/* ---- what its end means ---- */

/* A filter whose reader has had enough dies of it. */
static bool broke_pipe(const struct run *r, const struct child *c)
{
    bool any = atomic_load(&r->cut[0]) || atomic_load(&r->cut[1]); /* nobody reads on, by order */
    for (size_t i = 0; i < r->nchildren; i++)
        any |= &r->children[i] != c && r->children[i].how.si_pid != 0 &&
               ended_well(&r->children[i].how);
    return any && ended_by(&c->how, c->system != NULL, SIGPIPE);
}

/* Our doing: asked to end, or its terminal was closed between its last words and its end. */
static bool was_ended(const struct child *c)
{
    return c->killed || (c->on_tty && c->how.si_code != CLD_EXITED && c->how.si_status == SIGHUP);
}

/* v1's lines are what scripts look for. */
static void tell_v1(const struct child *c, enum diag_level level)
{
    bool exited = c->how.si_code == CLD_EXITED;
    int status = exited ? c->how.si_status << 8 : c->how.si_status;
    if (c->system && status != 0)
        diag(level, "system(\"%s\") returned with status %d", c->system, status);
    if (exited)
        diag(level, "waitpid(): child %d exited with status %d", (int)c->pid, c->how.si_status);
    else
        diag(level, "waitpid(): child %d exited on signal %d", (int)c->pid, c->how.si_status);
}

static void judge(struct run *r, struct child *c)
{
    char words[120];
    if (!c->done || c->how.si_pid == 0)
        return;
    c->well = ended_well(&c->how) || broke_pipe(r, c);
    bool failed = !c->well && !was_ended(c);
    enum diag_level level = failed ? DIAG_WARN : DIAG_INFO;
    ended_words(&c->how, c->system != NULL, words, sizeof words);
    if (failed)
        run_child_fails(r, "%s: child %d %s", c->label, (int)c->pid, words);
    if (r->settings->v1_name)
        tell_v1(c, level);
    else
        diag_coded(level, failed ? ERR_PROGRAM : ERR_NONE, "%s: child %d %s", c->label, (int)c->pid, words);
}

/* ---- the end of the run ---- */

void run_drop_children(struct run *r, size_t first)
{
    for (size_t i = first; i < r->nchildren; i++)
        end_child(r, &r->children[i], SIGTERM);
    int64_t deadline = wait_now() + DEATH_MS;
    for (size_t i = first; i < r->nchildren; i++) {
        (void)reap_until(r, &r->children[i], deadline);
        leave_alone(r, &r->children[i]);
        if (r->children[i].pidfd >= 0)
            close(r->children[i].pidfd);
    }
    pthread_mutex_lock(&r->lock);
    r->nchildren = first < r->nchildren ? first : r->nchildren;
    pthread_mutex_unlock(&r->lock);
}

/* It has been told the end; one that says nothing about its own is not waited for long. Once the run
 * has failed, or ends by order, there is nothing left to finish. */
static int64_t patience(const struct run *r, const struct child *c, int64_t now)
{
    bool silent = c->role == CHILD_ENDPOINT && !c->ended_output;
    bool ordered = atomic_load(&r->cut[0]) || atomic_load(&r->cut[1]);
    if (silent && c->end_timeout >= 0 && !r->failed && !ordered)
        return now + wait_ms(c->end_timeout);
    if (silent)
        return now + SILENT_MS;
    if (c->role == CHILD_SINK && r->settings->linger < 0)
        return INT64_MAX;
    int64_t linger = wait_ms(r->settings->linger);
    return now + (c->role == CHILD_SINK && linger > GRACE_MS ? linger : GRACE_MS);
}

static bool told_to_end(const struct run *r)
{
    return r->ended_signal ||
           (r->stop_fd >= 0 &&
            poll(&(struct pollfd){.fd = r->stop_fd, .events = POLLIN}, 1, 0) > 0);
}

/* Its time is up. */
static void end_or_leave(struct run *r, struct child *c, bool hurry)
{
    if (c->role == CHILD_KEPT || (c->role == CHILD_SINK && !hurry)) {
        leave_alone(r, c);
        return;
    }
    if (reap(r, c)) {
        if (c->leads && told_to_end(r))
            family_signal_orphans(c->pid, SIGTERM);
        return;
    }
    if (!hurry && c->end_timeout >= 0) {
        diag(DIAG_NOTICE, "%s: child %d still runs although nobody talks to it any more; it gets "
             "SIGHUP and SIGTERM", c->label, (int)c->pid);
        end_child(r, c, SIGHUP);
        (void)reap_until(r, c, wait_now() + GRACE_MS);
    }
    end_child(r, c, SIGTERM);
}

/* Only the run's own thread adds and collects children when this is called: all engines are joined. */
void run_collect_children(struct run *r, bool hurry)
{
    int64_t now = wait_now();
    if (r->nchildren == 0)
        return;
    for (size_t i = 0; i < r->nchildren; i++) {
        struct child *c = &r->children[i];
        c->killed |= c->on_tty && !c->ended_output;
        if (!reap(r, c) && !hurry && c->role != CHILD_KEPT)
            (void)reap_until(r, c, patience(r, c, now));
    }
    hurry |= told_to_end(r);
    for (size_t i = 0; i < r->nchildren; i++)
        end_or_leave(r, &r->children[i], hurry);
    now = wait_now();
    for (size_t i = 0; i < r->nchildren; i++)
        (void)reap_until(r, &r->children[i], now + DEATH_MS);
    for (size_t i = 0; i < r->nchildren; i++)
        judge(r, &r->children[i]);
    for (size_t i = 0; i < r->nchildren; i++)
        leave_alone(r, &r->children[i]);
}

/* ---- what was lost at a program ---- */

void run_lose(struct run *r, int from, size_t n, const char *refuser)
{
    const char *none = NULL;
    if (atomic_load(&r->cut[from]))
        return;
    atomic_fetch_add(&r->lost[from], n);
    if (refuser)
        (void)atomic_compare_exchange_strong(&r->refuser[from], &none, refuser);
}

static const struct child *ended_reader(const struct run *r, const char *label)
{
    const struct child *found = NULL;
    for (size_t i = 0; label && i < r->nchildren; i++) {
        const struct child *c = &r->children[i];
        if (c->label == label && !c->well)
            return NULL;
        if (c->label == label)
            found = c;
    }
    return found;
}

void run_judge_losses(struct run *r)
{
    unsigned long long lost = 0;
    struct err e;
    for (int from = 0; from < 2; from++) {
        unsigned long long n = atomic_load(&r->lost[from]);
        const struct child *reader = ended_reader(r, atomic_load(&r->refuser[from]));
        const char *how = reader && ended_well(&reader->how) ? " with status 0" : "";
        if (!reader)
            lost += n;
        else if (n > 0)
            diag(DIAG_NOTICE, "%s: ended%s without reading %llu bytes", reader->label, how, n);
        else if (!r->settings->v1_name)
            diag(DIAG_NOTICE, "%s: ended%s without reading all of its input", reader->label, how);
    }
    if (lost > 0 && !r->failed && !r->ended_signal) {
        (void)err_set(&e, ERR_LOST, "%llu bytes could not be delivered", lost);
        run_fail(r, &e);
    }
}
