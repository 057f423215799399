/* SPDX-License-Identifier: GPL-2.0-or-later
 * The programs a run has started: entered with a pidfd each, so that every run waits for its own
 * and nobody else's, in a process of its own or in a thread. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "catena/wait.h"

enum { GRACE_MS = 500, SILENT_MS = 200, DEATH_MS = 100 };

int run_add_child(struct run *r, const struct child *c, struct err *e)
{
    pthread_mutex_lock(&r->lock);
    struct child *more = reallocarray(r->children, r->nchildren + 1, sizeof *more);
    if (more) {
        r->children = more;
        more[r->nchildren] = *c;
        more[r->nchildren++].pidfd = pidfd_open(c->pid, 0);
    }
    pthread_mutex_unlock(&r->lock);
    return more ? 0 : err_nomem(e);
}

void run_child_eof(struct run *r, const char *label)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++)
        if (r->children[i].label == label)
            r->children[i].ended_output = true;
    pthread_mutex_unlock(&r->lock);
}

void run_end_child(struct run *r, const char *label)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++) {
        const struct child *c = &r->children[i];
        if (c->label == label && c->role == CHILD_ENDPOINT && !c->done && !c->ended_output)
            (void)kill(c->pid, SIGTERM);
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

static void note_end(struct run *r, struct child *c, const siginfo_t *info, bool killed)
{
    c->done = true;
    if (info->si_code == CLD_EXITED && info->si_status == 0) {
        diag(DIAG_INFO, "waitpid(): child %d exited with status 0", (int)c->pid);
        return;
    }
    /* readbytes, escape: nobody reads it any more, by order */
    killed |= info->si_code != CLD_EXITED && info->si_status == SIGPIPE &&
              (atomic_load(&r->cut[0]) || atomic_load(&r->cut[1]));
    /* its terminal was closed between its last words and its end */
    killed |= c->on_tty && info->si_code != CLD_EXITED && info->si_status == SIGHUP;
    enum diag_level level = killed ? DIAG_INFO : DIAG_WARN;
    int status = info->si_code == CLD_EXITED ? info->si_status << 8 : info->si_status;
    if (c->system)
        diag(level, "system(\"%s\") returned with status %d", c->system, status);
    if (info->si_code == CLD_EXITED)
        diag(level, "waitpid(): child %d exited with status %d", (int)c->pid, info->si_status);
    else
        diag(level, "waitpid(): child %d exited on signal %d", (int)c->pid, info->si_status);
    if (!killed)
        r->child_failed = true;
}

static bool reap(struct run *r, struct child *c, bool killed)
{
    siginfo_t info = {0};
    if (c->done)
        return true;
    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG) < 0) {
        c->done = errno == ECHILD;
        return c->done;
    }
    if (info.si_pid == 0)
        return false;
    note_end(r, c, &info, killed);
    return true;
}

/* Waits for the end of one child until the deadline, or a signal to us. */
static bool reap_until(struct run *r, struct child *c, int64_t deadline, bool killed)
{
    struct err ignored;
    while (!reap(r, c, killed)) {
        if (wait_now() >= deadline)
            return false;
        if (c->pidfd < 0) {
            if (wait_seconds(r, 0.005, &ignored) < 0)
                return false;
        } else if (wait_fd(r, c->pidfd, POLLIN, deadline, &ignored) < 0) {
            return false;
        }
    }
    return true;
}

void run_drop_children(struct run *r, size_t first)
{
    bool failed = r->child_failed;
    for (size_t i = first; i < r->nchildren; i++)
        if (!r->children[i].done)
            (void)kill(r->children[i].pid, SIGTERM);
    int64_t deadline = wait_now() + DEATH_MS;
    for (size_t i = first; i < r->nchildren; i++) {
        (void)reap_until(r, &r->children[i], deadline, true);
        if (r->children[i].pidfd >= 0)
            close(r->children[i].pidfd);
    }
    pthread_mutex_lock(&r->lock);
    r->nchildren = first < r->nchildren ? first : r->nchildren;
    pthread_mutex_unlock(&r->lock);
    r->child_failed = failed;
}

/* It has been told the end; one that says nothing about its own is not waited for long. */
static int64_t patience(const struct run *r, const struct child *c, int64_t now)
{
    if (c->role == CHILD_ENDPOINT && !c->ended_output)
        return now + SILENT_MS;
    if (c->role == CHILD_SINK && r->settings->linger < 0)
        return INT64_MAX;
    int64_t linger = (int64_t)(r->settings->linger * 1000);
    return now + (c->role == CHILD_SINK && linger > GRACE_MS ? linger : GRACE_MS);
}

/* Only the run's own thread adds and collects children when this is called: all engines are joined. */
void run_collect_children(struct run *r, bool hurry)
{
    int64_t now = wait_now();
    for (size_t i = 0; i < r->nchildren; i++) {
        struct child *c = &r->children[i];
        bool our_doing = c->on_tty && !c->ended_output;
        if (!reap(r, c, our_doing) && !hurry && c->role != CHILD_KEPT)
            (void)reap_until(r, c, patience(r, c, now), our_doing);
    }
    hurry |= r->ended_signal != 0;
    for (size_t i = 0; i < r->nchildren; i++) {
        struct child *c = &r->children[i];
        if (!c->done && c->role != CHILD_KEPT && (hurry || c->role != CHILD_SINK))
            (void)kill(c->pid, SIGTERM);
        else
            c->done = true;
    }
    now = wait_now();
    for (size_t i = 0; i < r->nchildren; i++)
        (void)reap_until(r, &r->children[i], now + DEATH_MS, true);
}
