/* SPDX-License-Identifier: GPL-2.0-or-later
 * Waiting that a signal or a stop request ends: see catena/wait.h. */
#include "catena/wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "catena/thread.h"
#include "engine/run/signals.h"

int64_t wait_now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int interrupted(struct run *r, struct err *e)
{
    return err_set(e, ERR_INTERRUPTED, r->ended_signal ? "ended by signal %d" : "stopped",
                   r->ended_signal);
}

enum { NFDS = 3 };
static const double SHORTAGE_S = 0.5; /* before the next attempt */

static int wait_on(struct run *r, int fd, short events, int64_t deadline, struct err *e)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = fd, .events = events},
                               {.fd = r->signal_fd, .events = POLLIN},
                               {.fd = r->stop_fd, .events = POLLIN}};
        int64_t left = deadline < 0 ? -1 : deadline - wait_now();
        int timeout = deadline < 0 ? -1 : left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
        int n = poll(fds, NFDS, r->on_wait ? 0 : timeout);
        if (n == 0 && r->on_wait && timeout != 0) {
            r->on_wait(r->on_wait_arg);
            n = poll(fds, NFDS, timeout);
        }
        if (n < 0 && errno != EINTR)
            return err_sys(e, "poll()");
        if (n > 0 && fds[1].revents && signals_take(r))
            return interrupted(r, e);
        if (n > 0 && fds[2].revents) {
            if (!r->on_call || !r->on_call(r->on_wait_arg))
                return interrupted(r, e);
            continue;
        }
        if (n > 0 && fds[0].revents)
            return 1;
        if (deadline >= 0 && wait_now() >= deadline)
            return 0;
    }
}

bool wait_may_end(const struct run *r)
{
    return r->signal_fd >= 0 || r->stop_fd >= 0 || r->on_wait;
}

/* Who has been told to end stays told: a caller that made something else of an interruption, and goes on, hears it
 * again. */
int wait_fd(struct run *r, int fd, short events, int64_t deadline, struct err *e)
{
    return r->ended_signal ? interrupted(r, e) : wait_on(r, fd, events, deadline, e);
}

int wait_rest(struct run *r, int fd, int64_t deadline)
{
    struct err ignored;
    return wait_on(r, fd, POLLIN, deadline, &ignored);
}

int wait_seconds(struct run *r, double seconds, struct err *e)
{
    if (seconds <= 0)
        return 0;
    int64_t ms = wait_ms(seconds);
    int64_t deadline = wait_now() + ms;
    while (wait_now() < deadline)
        if (wait_fd(r, -1, 0, deadline, e) < 0)
            return -1;
    return 0;
}

int wait_for_more(struct run *r, struct err *e)
{
    if (e->sys != EMFILE && e->sys != ENFILE && e->sys != ENOMEM && e->sys != ENOBUFS)
        return -1;
    diag_coded(DIAG_WARN, err_code_of(e), "%s; trying again", diag_words(e));
    return wait_seconds(r, SHORTAGE_S, e);
}

struct job {
    void (*f)(void *), (*drop)(void *);
    void *arg;
    int done; /* eventfd */
    atomic_bool left; /* one of the two is not interested in it any more: the other one frees it */
    struct diag_peer about; /* nobody: the run may be gone before this is over */
};

static void job_free(struct job *j, bool dropped)
{
    if (dropped)
        j->drop(j->arg);
    if (j->done >= 0)
        close(j->done);
    free(j);
}

static void *work(void *arg)
{
    struct job *j = arg;
    j->f(j->arg);
    (void)eventfd_write(j->done, 1);
    if (atomic_exchange(&j->left, true))
        job_free(j, true);
    return NULL;
}

int wait_call(struct run *r, void (*f)(void *), void (*drop)(void *), void *arg, struct err *e)
{
    pthread_t thread;
    struct job *j = calloc(1, sizeof *j);
    if (!j) {
        drop(arg);
        return err_nomem(e);
    }
    *j = (struct job){.f = f, .drop = drop, .arg = arg, .done = eventfd(0, EFD_CLOEXEC),
                      .about.catena = r->settings->catena};
    int rc = j->done < 0 ? errno : thread_start(&thread, 0, &j->about, work, j);
    if (rc != 0) {
        job_free(j, true);
        errno = rc;
        return err_sys(e, "cannot start a helper thread");
    }
    if (wait_fd(r, j->done, POLLIN, -1, e) < 0) {
        (void)pthread_detach(thread); /* the process ends, or the thread's run does */
        if (atomic_exchange(&j->left, true))
            job_free(j, true);
        return -1;
    }
    (void)pthread_join(thread, NULL);
    job_free(j, false);
    return 0;
}
