/* SPDX-License-Identifier: GPL-2.0-or-later
 * Forked children and run threads: see brood.h. */
#include "brood.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/wait.h"

enum { STACK = 256 * 1024 };

struct thread_run {
    struct thread_run *next;
    struct run run;
    pthread_t thread;
    void (*f)(struct run *, void *);
    void *arg;
    int done_fd;
    atomic_bool done;
};

void brood_init(struct brood *b, long long max)
{
    *b = (struct brood){.max = max, .stop_fd = -1, .done_fd = -1};
}

/* ---- processes ---- */

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

/* The system says who has ended; a child that is not ours hides the others, which are asked then. */
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

/* ---- threads ---- */


static void join_ended(struct brood *b)
{
    for (struct thread_run **p = &b->threads; *p;) {
        struct thread_run *t = *p;
        if (!atomic_load(&t->done)) {
            p = &t->next;
            continue;
        }
        (void)pthread_join(t->thread, NULL);
        *p = t->next;
        b->nthreads--;
        free(t);
    }
}

static void collect(void *arg)
{
    struct brood *b = arg;
    uint64_t n;
    ssize_t rc = b->done_fd >= 0 ? read(b->done_fd, &n, sizeof n) : 0;
    (void)rc;
    join_ended(b);
    collect_processes(b);
}

int brood_watch(struct brood *b, struct run *r, struct err *e)
{
    b->stop_fd = eventfd(0, EFD_CLOEXEC);
    b->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->stop_fd < 0 || b->done_fd < 0)
        return err_sys(e, ERR_PERMANENT, "eventfd()");
    r->on_children = collect;
    r->on_children_arg = b;
    r->children_fd = b->done_fd;
    return 0;
}

static void *thread_main(void *arg)
{
    struct thread_run *t = arg;
    const uint64_t one = 1;
    int done_fd = t->done_fd;
    t->f(&t->run, t->arg);
    run_fini(&t->run);
    atomic_store(&t->done, true);
    ssize_t rc = write(done_fd, &one, sizeof one); /* t may be gone by now */
    (void)rc;
    return NULL;
}

int brood_new_run(struct brood *b, struct run *parent, struct run **out, struct err *e)
{
    struct thread_run *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    if (run_init(&t->run, parent->settings, parent->plan, -1, e) < 0) {
        free(t);
        return -1;
    }
    t->run.stop_fd = b->stop_fd;
    t->run.threaded = true;
    t->done_fd = b->done_fd;
    for (size_t i = 0; i < parent->nfacts; i++) {
        if (run_set_fact(&t->run, parent->facts[i].name, parent->facts[i].value, e) < 0) {
            run_fini(&t->run);
            free(t);
            return -1;
        }
    }
    *out = &t->run;
    return 0;
}

int brood_start(struct brood *b, struct run *r, void (*f)(struct run *, void *), void *arg,
                struct err *e)
{
    struct thread_run *t = (struct thread_run *)((char *)r - offsetof(struct thread_run, run));
    pthread_attr_t attr;
    t->f = f;
    t->arg = arg;
    int rc = pthread_attr_init(&attr);
    if (rc == 0) {
        (void)pthread_attr_setstacksize(&attr, STACK);
        rc = pthread_create(&t->thread, &attr, thread_main, t);
        (void)pthread_attr_destroy(&attr);
    }
    if (rc != 0) {
        run_fini(&t->run);
        free(t);
        errno = rc;
        return err_sys(e, ERR_TRANSIENT, "cannot start a thread for the connection");
    }
    t->next = b->threads;
    b->threads = t;
    b->nthreads++;
    return 0;
}

/* ---- both ---- */

int brood_wait_for_room(struct brood *b, struct run *r, struct err *e)
{
    bool told = false;
    while (b->max > 0 && b->npids + b->nthreads >= (size_t)b->max) {
        if (!told)
            diag(DIAG_NOTICE, "maxchildren are active, waiting");
        told = true;
        /* the end of one is a signal or shows on done_fd: either way collect() is called */
        if (wait_fd(r, b->done_fd, POLLIN, wait_now() + 1000, e) < 0)
            return -1;
    }
    return 0;
}

void brood_fini(struct brood *b, struct run *r, bool hurry)
{
    const uint64_t one = 1;
    struct err ignored;
    while (b->threads && !hurry)
        hurry = wait_fd(r, -1, 0, wait_now() + 1000, &ignored) < 0;
    if (b->threads) {
        ssize_t rc = write(b->stop_fd, &one, sizeof one);
        (void)rc;
    }
    while (b->threads) {
        struct thread_run *t = b->threads;
        (void)pthread_join(t->thread, NULL);
        b->threads = t->next;
        free(t);
    }
    b->nthreads = 0;
    if (b->stop_fd >= 0)
        close(b->stop_fd);
    if (b->done_fd >= 0)
        close(b->done_fd);
    if (r->on_children_arg == b) {
        r->on_children = NULL;
        r->children_fd = -1;
    }
    free(b->pids);
    *b = (struct brood){.stop_fd = -1, .done_fd = -1};
}
