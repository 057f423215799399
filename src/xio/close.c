/* SPDX-License-Identifier: GPL-2.0-or-later
 * The end of handles: see handle.h. What was written leaves first; the other direction ends by order. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "catena/port.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "xio/error.h"
#include "xio/handle.h"

/* Who has a copy of a plain one's socket, as a child has, goes on with it if nobody has to be woken. */
void handle_wake(struct handle *h, bool others)
{
    if (atomic_exchange(&h->closing, true))
        return;
    atomic_store(&h->run.cut[RIGHT], true); /* nobody reads on, and that is nobody's fault */
    if (h->plain && others) {
        if (h->socket && !h->detached)
            (void)shutdown(h->fd, SHUT_RDWR);
        else if (h->stop_fd >= 0)
            handle_set_clock(h, 0);
    } else if (h->behind) {
        if (!h->detached)
            (void)shutdown(h->fd, SHUT_RDWR);
    } else if (h->listens) {
        handle_set_clock(h, 0);
    }
}

bool handle_wait(struct handle *h, short events)
{
    struct pollfd p[] = {{.fd = h->fd, .events = events}, {.fd = h->stop_fd, .events = POLLIN}};
    if (!h->plain || h->socket || h->stop_fd < 0 || h->chain->opts.flags & O_NONBLOCK)
        return true;
    return poll(p, 2, -1) > 0 && !atomic_load(&h->closing);
}

/* Has the thread ended by then? */
static bool ended_by(struct handle *h, int64_t when)
{
    struct timespec t = {.tv_sec = (time_t)(when / 1000), .tv_nsec = (long)(when % 1000) * 1000000};
    int rc = 0;
    pthread_mutex_lock(&h->lock);
    while (!h->ended && rc == 0)
        rc = pthread_cond_timedwait(&h->over, &h->lock, &t);
    bool ended = h->ended;
    pthread_mutex_unlock(&h->lock);
    return ended;
}

/* As long as something moves; then what has not left is lost. */
static void wait_for_thread(struct handle *h)
{
    int64_t began = wait_now(), moved, due;
    do {
        moved = atomic_load(&h->run.last_activity);
        due = (moved > began ? moved : began) + h->chain->opts.linger;
    } while (!ended_by(h, due) && atomic_load(&h->run.last_activity) > moved);
    handle_set_clock(h, 0);
    (void)pthread_join(h->thread, NULL);
}

static void free_handle(struct handle *h)
{
    while (h->facts) {
        struct kept_fact *f = h->facts;
        h->facts = f->next;
        free(f);
    }
    if (h->stop_fd >= 0)
        close(h->stop_fd);
    if (h->witness >= 0)
        close(h->witness);
    run_fini(&h->run);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->over);
    chain_drop(h->chain);
    free(h);
}

static int end_line(struct handle *h, struct err *e)
{
    struct err ignored; /* whoever looks at it has been told rc < 0 */
    if (h->behind) {
        if (!h->detached)
            close(h->fd);
        wait_for_thread(h);
    } else {
        port_close(h->end);
        h->end = NULL;
        if (!h->plain && h->fd >= 0) /* of a pair that has come to nothing */
            close(h->fd);
        h->status = passage_finish(&h->passage, 0, &ignored);
    }
    return h->status == 0 || !run_why(&h->run, e) ? 0 : -1;
}

int handle_close(struct handle *h, struct err *e)
{
    struct catena_visit visit;
    struct chain *c = h->chain;
    int rc = 0;
    chain_hold(c);
    handle_visit(&visit, c, &c->nobody);
    handle_wake(h, false);
    if (h->listens)
        open_release(&h->passage.end[RIGHT], false);
    else
        rc = end_line(h, e);
    if (rc < 0)
        error_settle(c, e);
    free_handle(h);
    catena_leave(&visit);
    chain_drop(c);
    return rc;
}

void handle_leave(struct handle *h)
{
    if (h->listens)
        open_release(&h->passage.end[RIGHT], true);
    else if (h->plain)
        port_abandon(h->end);
    else
        line_leave(&h->line);
    if (h->fd >= 0 && h->behind && !h->detached)
        close(h->fd);
    if (h->witness >= 0)
        close(h->witness);
    if (h->stop_fd >= 0)
        close(h->stop_fd);
}

int handle_lend(const struct handle *h, struct port **out, struct err *e)
{
    int fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_sys(e, "fcntl(%d, F_DUPFD_CLOEXEC)", h->fd);
    enum port_shut shut = h->socket ? PORT_SHUT_DOWN : PORT_SHUT_NONE;
    return port_open_fds(chain_reads(h->chain) ? fd : -1, chain_writes(h->chain) ? fd : -1, 0, shut, "handle", out,
                         e);
}
