/* SPDX-License-Identifier: GPL-2.0-or-later
 * Forked children: see brood.h. */
#include "brood.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/wait.h"

void brood_init(struct brood *b, long long max)
{
    *b = (struct brood){.max = max};
}

static void tell(pid_t pid, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        diag(DIAG_INFO, "waitpid(): child %d exited with status 0", (int)pid);
    else if (WIFEXITED(status))
        diag(DIAG_WARN, "waitpid(): child %d exited with status %d", (int)pid, WEXITSTATUS(status));
    else
        diag(DIAG_WARN, "waitpid(): child %d exited on signal %d", (int)pid, WTERMSIG(status));
}

static bool take_status(struct brood *b, size_t i)
{
    int status;
    pid_t pid = waitpid(b->pids[i], &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    if (pid > 0)
        tell(pid, status);
    b->pids[i] = b->pids[--b->npids];
    return true;
}

static size_t index_of(const struct brood *b, pid_t pid)
{
    size_t i = 0;
    while (i < b->npids && b->pids[i] != pid)
        i++;
    return i;
}

/* The system says who has ended; a child that is not ours hides the others, which then are asked
 * one by one. */
static void collect_processes(struct brood *b)
{
    siginfo_t ended = {0};
    while (b->npids > 0 && waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0) {
        size_t i = index_of(b, ended.si_pid);
        if (ended.si_pid == 0)
            return;
        if (i == b->npids || !take_status(b, i))
            break;
        ended.si_pid = 0;
    }
    for (size_t i = 0; i < b->npids;)
        i += !take_status(b, i);
}

int brood_add(struct brood *b, pid_t pid, struct err *e)
{
    if (b->npids == b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 16;
        pid_t *more = reallocarray(b->pids, cap, sizeof *more);
        if (!more)
            return err_nomem(e);
        b->pids = more;
        b->cap = cap;
    }
    b->pids[b->npids++] = pid;
    return 0;
}

void brood_forget(struct brood *b)
{
    b->npids = 0;
}

static void collect(void *arg)
{
    collect_processes(arg);
}

void brood_watch(struct brood *b, struct run *r)
{
    r->on_children = collect;
    r->on_children_arg = b;
}

int brood_wait_for_room(struct brood *b, struct run *r, struct err *e)
{
    bool told = false;
    while (b->max > 0 && b->npids >= (size_t)b->max) {
        if (!told)
            diag(DIAG_NOTICE, "maxchildren are active, waiting");
        told = true;
        /* the end of one is a signal: when it shows it has been acted on */
        if (wait_fd(r, r->signal_fd, POLLIN, wait_now() + 1000, e) < 0)
            return -1;
    }
    return 0;
}

void brood_fini(struct brood *b, struct run *r)
{
    if (r->on_children_arg == b)
        r->on_children = NULL;
    free(b->pids);
    *b = (struct brood){0};
}
