/* SPDX-License-Identifier: GPL-2.0-or-later
 * Forked children: see brood.h. */
#include "brood.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
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

static char *name_of(const struct brood_child *c)
{
    return (char *)(uintptr_t)atomic_load(&c->peer.name);
}

static bool take_status(struct brood *b, size_t i)
{
    struct brood_child *c = &b->v[i];
    int status;
    pid_t pid = waitpid(c->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    const struct diag_peer *before = diag_about(&c->peer);
    if (pid > 0)
        tell(pid, status);
    (void)diag_about(before);
    free(name_of(c));
    *c = b->v[--b->n];
    return true;
}

static size_t index_of(const struct brood *b, pid_t pid)
{
    size_t i = 0;
    while (i < b->n && b->v[i].pid != pid)
        i++;
    return i;
}

/* The system says who has ended; a child that is not ours hides the others, which then are asked
 * one by one. */
static void collect_processes(struct brood *b)
{
    siginfo_t ended = {0};
    while (b->n > 0 && waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0) {
        size_t i = index_of(b, ended.si_pid);
        if (ended.si_pid == 0)
            return;
        if (i == b->n || !take_status(b, i))
            break;
        ended.si_pid = 0;
    }
    for (size_t i = 0; i < b->n;)
        i += !take_status(b, i);
}

int brood_add(struct brood *b, pid_t pid, char *peer, struct err *e)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 16;
        struct brood_child *more = reallocarray(b->v, cap, sizeof *more);
        if (!more) {
            free(peer);
            return err_nomem(e);
        }
        b->v = more;
        b->cap = cap;
    }
    b->v[b->n++] = (struct brood_child){pid, {peer}};
    return 0;
}

void brood_forget(struct brood *b)
{
    b->n = 0; /* a child ends soon: the names are left as they are, in pages it shares */
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
    while (b->max > 0 && b->n >= (size_t)b->max) {
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
    for (size_t i = 0; i < b->n; i++)
        free(name_of(&b->v[i]));
    free(b->v);
    *b = (struct brood){0};
}
