/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who has ended: see catena/reaper.h. The lock is held from before fork() until the child is entered,
 * so that nobody who collects meets one that is not known yet. */
#include "catena/reaper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/features.h"

static bool make_room(struct reaper *r)
{
    if (r->n < r->cap)
        return true;
    bool first = r->born == r->first;
    struct born *more = reallocarray(first ? NULL : r->born, 2 * r->cap, sizeof *more);
    if (!more)
        return false;
    if (first)
        memcpy(more, r->first, sizeof r->first);
    r->born = more;
    r->cap *= 2;
    return true;
}

/* Once it is over its number may be another's. */
static struct born *find(struct reaper *r, pid_t pid, bool over)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->born[i].pid == pid && r->born[i].over == over)
            return &r->born[i];
    return NULL;
}

static void forget(struct reaper *r, struct born *b)
{
    *b = r->born[--r->n];
}

int reaper_init(struct reaper *r, struct err *e)
{
    *r = (struct reaper){.born = r->first, .cap = sizeof r->first / sizeof r->first[0]};
    if (pthread_mutex_init(&r->lock, NULL) != 0)
        return err_nomem(e);
    reaper_collect(r);
    return 0;
}

void reaper_fini(struct reaper *r)
{
    if (!r)
        return;
    (void)pthread_mutex_destroy(&r->lock);
    if (r->born != r->first)
        free(r->born);
}

/* Before it can be collected: afterwards its number means nothing. */
static pid_t fork_watched(int *pidfd)
{
    pid_t pid = fork();
    if (pidfd && pid > 0)
        *pidfd = pidfd_open(pid, 0);
    else if (pidfd && pid < 0)
        *pidfd = -1;
    return pid;
}

pid_t reaper_fork(struct reaper *r, reaper_ended *ended, void *arg, int *pidfd)
{
    if (!r)
        return fork_watched(pidfd);
    pthread_mutex_lock(&r->lock);
    pid_t pid = -1;
    if (make_room(r))
        pid = fork_watched(pidfd);
    else
        errno = ENOMEM;
    if (pid > 0)
        r->born[r->n++] = (struct born){.pid = pid, .ended = ended, .arg = arg};
    else if (pid == 0)
        r->n = 0;
    pthread_mutex_unlock(&r->lock);
    return pid;
}

static void tell(const struct born *b, siginfo_t *how)
{
    *how = (siginfo_t){.si_signo = SIGCHLD, .si_code = b->code};
    how->si_pid = b->pid;
    how->si_status = b->status;
}

static int ask(pid_t pid, siginfo_t *how)
{
    *how = (siginfo_t){0};
    if (waitid(P_PID, (id_t)pid, how, WEXITED | WNOHANG) < 0)
        return errno == EINTR ? 0 : -1;
    return how->si_pid != 0;
}

int reaper_status(struct reaper *r, pid_t pid, siginfo_t *how)
{
    if (!r)
        return ask(pid, how);
    pthread_mutex_lock(&r->lock);
    struct born *b = find(r, pid, true);
    int rc = b ? 1 : -1;
    if (b)
        tell(b, how);
    else if ((b = find(r, pid, false)))
        rc = ask(pid, how);
    if (b && rc != 0)
        forget(r, b);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

void reaper_await(struct reaper *r, pid_t pid)
{
    siginfo_t how;
    (void)waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT);
    (void)reaper_status(r, pid, &how);
}

void reaper_forget(struct reaper *r, pid_t pid)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    struct born *b = find(r, pid, true);
    if (b || (b = find(r, pid, false)))
        forget(r, b);
    pthread_mutex_unlock(&r->lock);
}

void reaper_forget_all(struct reaper *r, const void *arg)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    for (size_t i = r->n; i-- > 0;)
        if (r->born[i].arg == arg)
            forget(r, &r->born[i]);
    pthread_mutex_unlock(&r->lock);
}

static void settle(struct reaper *r, const siginfo_t *how)
{
    struct born *b = find(r, how->si_pid, false);
    if (!b) {
        diag(DIAG_DEBUG, "process %d, which was not started here, has ended", (int)how->si_pid);
    } else if (b->ended) {
        struct born gone = *b;
        forget(r, b);
        gone.ended(gone.arg, how);
    } else {
        b->over = true;
        b->code = how->si_code;
        b->status = how->si_status;
    }
}

void reaper_collect(struct reaper *r)
{
    siginfo_t how;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        how = (siginfo_t){0};
        if (waitid(P_ALL, 0, &how, WEXITED | WNOHANG) < 0 || how.si_pid == 0)
            break;
        settle(r, &how);
    }
    pthread_mutex_unlock(&r->lock);
}
