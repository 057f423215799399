/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening handles, by the steps of a passage (engine/serve/passage.h): see handle.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "catena/port.h"
#include "catena/run.h"
#include "catena/thread.h"
#include "xio/error.h"
#include "xio/handle.h"

enum { STACK = 256 * 1024 };

/* ---- the clock ---- */

void handle_set_clock(const struct handle *h, int ms)
{
    struct itimerspec t = {0};
    if (h->stop_fd < 0)
        return;
    if (ms >= 0) {
        t.it_value.tv_sec = ms / 1000;
        t.it_value.tv_nsec = ms % 1000 * 1000000L + (ms == 0);
    }
    (void)timerfd_settime(h->stop_fd, 0, &t, NULL);
}

static int make_clock(struct handle *h, struct err *e)
{
    if (h->stop_fd < 0)
        h->stop_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    h->run.stop_fd = h->stop_fd;
    return h->stop_fd < 0 ? err_sys(e, "timerfd_create()") : 0;
}

/* What the time has run out for says so. */
static void tell_timeout(const struct handle *h, struct err *e)
{
    if (e->kind == ERR_INTERRUPTED && !atomic_load(&h->closing))
        (void)err_set(e, ERR_TIMEOUT, "not open within the deadline of %d ms", h->chain->opts.deadline);
}

/* ---- making and unmaking ---- */

/* Copies of handles in a child are not its own. Counting is much cheaper than to ask who one is. */
static struct forks {
    pthread_mutex_t lock;
    atomic_bool counted;
    unsigned n; /* changes where there is one thread */
} forks = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void count_fork(void)
{
    forks.n++;
}

static bool begin_to_count(void)
{
    pthread_mutex_lock(&forks.lock);
    if (!atomic_load(&forks.counted))
        atomic_store(&forks.counted, pthread_atfork(NULL, NULL, count_fork) == 0);
    pthread_mutex_unlock(&forks.lock);
    return atomic_load(&forks.counted);
}

static bool forks_are_counted(void)
{
    return atomic_load(&forks.counted) || begin_to_count();
}

bool handle_is_ours(const struct handle *h)
{
    return h->forks == forks.n;
}

static int init_condition(pthread_cond_t *c, struct err *e)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    errno = pthread_cond_init(c, &attr);
    (void)pthread_condattr_destroy(&attr);
    return errno ? err_sys(e, "pthread_cond_init()") : 0;
}

static int tell_facts(struct run *r, char *const *facts, struct err *e)
{
    for (size_t i = 0; facts[i]; i += 2)
        if (run_set_fact(r, NULL, facts[i], facts[i + 1], e) < 0)
            return -1;
    return 0;
}

static struct handle *new_handle(struct chain *c, struct err *e)
{
    struct handle *h = forks_are_counted() ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        (void)err_nomem(e);
        return NULL;
    }
    h->chain = c;
    h->fd = h->stop_fd = h->witness = -1;
    h->forks = forks.n;
    h->passage = (struct passage){.run = &h->run, .line = &h->line, .plan = c->plan};
    if (run_init(&h->run, &c->settings, c->plan, -1, e) < 0) {
        free(h);
        return NULL;
    }
    if (tell_facts(&h->run, c->facts, e) < 0 || init_condition(&h->over, e) < 0) {
        run_fini(&h->run);
        free(h);
        return NULL;
    }
    (void)pthread_mutex_init(&h->lock, NULL);
    h->run.threaded = true;
    h->run.shared = c->shared;
    chain_hold(c);
    return h;
}

static struct handle *new_line(struct chain *c, struct err *e)
{
    struct handle *h = new_handle(c, e);
    if (h && (line_init(&h->line, &h->run, e) < 0 || ((!c->plain || c->opts.deadline) && make_clock(h, e) < 0))) {
        (void)handle_close(h, e);
        return NULL;
    }
    return h;
}

/* ---- the caller's end ---- */

static int make_pair(struct handle *h, struct err *e)
{
    const struct chain *c = h->chain;
    int fd[2], mode = c->opts.flags & O_NONBLOCK ? SOCK_NONBLOCK : 0;
    int type = c->records ? SOCK_SEQPACKET : SOCK_STREAM;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | mode, 0, fd) < 0)
        return err_sys(e, "socketpair()");
    h->fd = fd[0];
    h->socket = true;
    if (c->opts.detach && (h->witness = fcntl(fd[1], F_DUPFD_CLOEXEC, 3)) < 0) {
        (void)err_sys(e, "fcntl(%d, F_DUPFD_CLOEXEC)", fd[1]);
        close(fd[1]);
        return -1;
    }
    return port_open_fds(chain_writes(c) ? fd[1] : -1, chain_reads(c) ? fd[1] : -1, PORT_JOINT, PORT_SHUT_DOWN, "handle",
                         &h->end, e);
}

/* What it ends in is a descriptor that anybody can use as we would. */
static bool is_plain(const struct handle *h, const struct port *p)
{
    const unsigned special = PORT_EIO_EOF | PORT_IGNORE_EOF | PORT_NULL_EOF | PORT_STALL | PORT_BORROWED;
    bool one = p->rfd < 0 || p->wfd < 0 || p->rfd == p->wfd;
    return h->chain->plain && one && port_is_bare(p, p) && !(p->flags & special) && p->shut != PORT_SHUT_NULL &&
           port_held(p) == 0 && p->writer_fd < 0 && !h->line.waiting.link;
}

static int take_plain(struct handle *h, struct port *p, struct err *e)
{
    bool socket = p->flags & (PORT_SOCKET_R | PORT_SOCKET_W), waits = !(h->chain->opts.flags & O_NONBLOCK);
    h->line.port[RIGHT] = NULL;
    p->flags &= ~(unsigned)PORT_SHUT_BOTH; /* who has a copy goes on with it, as with any descriptor */
    h->plain = true;
    h->end = p;
    h->fd = p->rfd >= 0 ? p->rfd : p->wfd;
    h->socket = socket;
    h->pipe = !socket && p->flags & PORT_FINAL_W;
    if (!socket && waits && make_clock(h, e) < 0)
        return -1;
    if (socket == waits) /* ports make others non-blocking, and leave sockets as they are */
        return 0;
    int mode = fcntl(h->fd, F_GETFL);
    if (mode < 0 || fcntl(h->fd, F_SETFL, waits ? mode & ~O_NONBLOCK : mode | O_NONBLOCK) < 0)
        return err_sys(e, "fcntl(%d, F_SETFL)", h->fd);
    return 0;
}

static bool names_option(const struct addr *a, const char *name)
{
    for (size_t i = 0; a && i < a->nopts; i++)
        if (strcmp(a->opts[i].desc->name, name) == 0)
            return true;
    return false;
}

/* The end of messages is none of them, unless somebody wants it to be. */
static void end_silently(struct handle *h)
{
    struct port *p = h->line.port[RIGHT];
    if (h->chain->records && p && p->shut == PORT_SHUT_NULL && !names_option(h->chain->plan->end[RIGHT].fwd, "shut-null"))
        p->shut = PORT_SHUT_NONE;
}

/* The last step where the chain is opened first: it is the handle, or a line is made of it. */
static int settle(struct passage *s, struct err *e)
{
    struct handle *h = (struct handle *)((char *)s - offsetof(struct handle, passage));
    struct port *p = h->line.port[RIGHT];
    if (p && is_plain(h, p))
        return take_plain(h, p, e);
    end_silently(h);
    if (make_clock(h, e) < 0 || make_pair(h, e) < 0)
        return -1;
    line_put_end(&h->line, LEFT, h->end);
    h->end = NULL;
    return passage_join(s, e);
}

/* ---- behind ---- */

static int relay_opened(struct passage *s, struct err *e)
{
    struct handle *h = (struct handle *)((char *)s - offsetof(struct handle, passage));
    if (!atomic_load(&h->closing))
        handle_set_clock(h, -1);
    end_silently(h);
    return passage_relay(s, e);
}

static int open_behind(struct handle *h, struct err *e)
{
    struct passage *s = &h->passage;
    s->last = relay_opened;
    if (!h->accepted) {
        s->brought[LEFT] = h->end;
        h->end = NULL;
        int rc = passage_open(s, LEFT, e);
        port_close(s->brought[LEFT]); /* it has come to nothing before: who reads hears of it */
        s->brought[LEFT] = NULL;
        return rc;
    }
    line_put_end(&h->line, LEFT, h->end);
    h->end = NULL;
    if (line_open_chain(&h->line, LEFT, e) < 0 || line_prove(&h->line, e) < 0 ||
        line_open_chain(&h->line, RIGHT, e) < 0)
        return -1;
    return passage_go_on(s, RIGHT, e);
}

static void *live_behind(void *arg)
{
    struct handle *h = arg;
    struct err e = {.kind = ERR_NONE};
    int rc = 0;
    if (h->end) {
        rc = open_behind(h, &e);
        if (rc < 0)
            tell_timeout(h, &e);
    } else {
        line_relay(&h->line);
    }
    rc = passage_finish(&h->passage, rc, &e);
    if (h->witness >= 0) /* as if it were not there */
        (void)shutdown(h->witness, SHUT_RDWR);
    pthread_mutex_lock(&h->lock);
    h->status = rc;
    h->ended = true;
    (void)pthread_cond_signal(&h->over);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static int go_behind(struct handle *h, struct err *e)
{
    int rc = thread_start(&h->thread, STACK, &h->run.peer, live_behind, h);
    errno = rc;
    if (rc != 0)
        return err_sys(e, "cannot start a thread for the handle");
    h->behind = true;
    return 0;
}

/* ---- all of it ---- */

static int prepare(struct chain *c, struct run *r, struct err *e)
{
    if (c->plan->nlinks == 0)
        return 0;
    c->shared = passage_slots(c->plan);
    return passage_prepare(c->plan, r, c->shared, e);
}

static int open_now(struct handle *h, struct err *e)
{
    struct passage *s = &h->passage;
    s->last = settle;
    h->line.bare = h->chain->plain;
    int rc = !h->accepted                                    ? passage_open(s, RIGHT, e)
             : line_open_chain(&h->line, RIGHT, e) < 0       ? -1
                                                             : passage_go_on(s, RIGHT, e);
    handle_set_clock(h, -1);
    if (rc < 0) {
        tell_timeout(h, e);
        return -1;
    }
    return h->plain ? 0 : go_behind(h, e);
}

/* The clock runs from now on. */
static int open_it(struct handle *h, struct err *e)
{
    const struct chain *c = h->chain;
    if (c->opts.deadline)
        handle_set_clock(h, c->opts.deadline);
    if (c->opts.background || c->talks)
        return make_clock(h, e) < 0 || make_pair(h, e) < 0 ? -1 : go_behind(h, e);
    return open_now(h, e);
}

/* An attempt that has failed is told as that, and nothing of it stays. */
static int give(struct handle *h, int rc, struct handle **out, struct err *e)
{
    struct err ignored;
    if (rc < 0) {
        run_fail(&h->run, e);
        error_settle(h->chain, e);
        (void)diag_about(NULL);
        (void)handle_close(h, &ignored);
        return -1;
    }
    *out = h;
    return 0;
}

int handle_open(struct chain *c, struct handle **out, struct err *e)
{
    struct catena_visit visit;
    struct handle *h = new_line(c, e);
    if (!h)
        return -1;
    handle_visit(&visit, c, &h->run.peer);
    int rc = c->shared || prepare(c, &h->run, e) == 0 ? 0 : -1;
    rc = rc < 0 ? rc : open_it(h, e);
    rc = give(h, rc, out, e);
    catena_leave(&visit);
    return rc;
}

/* ---- listeners ---- */

static int begin_to_listen(struct handle *h, struct err *e)
{
    const struct plan_end *end = &h->chain->plan->end[RIGHT];
    if (!open_is_passive(end))
        return err_at(e, end->fwd->at, "%s: waits for nobody; xioopen() opens it", end->fwd->label);
    return make_clock(h, e) < 0 || prepare(h->chain, &h->run, e) < 0
               ? -1
               : open_prepare(&h->passage.end[RIGHT], end, &h->run, e);
}

int handle_listen(struct chain *c, struct handle **out, struct err *e)
{
    struct catena_visit visit;
    struct handle *h = new_handle(c, e);
    if (!h)
        return -1;
    h->listens = true;
    catena_enter(&visit, &h->run.peer);
    int rc = give(h, begin_to_listen(h, e), out, e);
    if (rc == 0)
        h->fd = open_waits_at(&h->passage.end[RIGHT]);
    catena_leave(&visit);
    return rc;
}

/* One at a time asks the listener. */
static int take_client(struct handle *l, struct handle *h, struct err *e)
{
    struct port *p = NULL;
    pthread_mutex_lock(&l->lock);
    h->run.stop_fd = l->stop_fd;
    int rc = open_port(&l->passage.end[RIGHT], &h->run, &p, e);
    h->run.stop_fd = h->stop_fd;
    pthread_mutex_unlock(&l->lock);
    if (rc == 0)
        line_put_end(&h->line, RIGHT, p);
    h->accepted = rc == 0;
    return rc;
}

int handle_accept(struct handle *l, struct handle **out, struct err *e)
{
    struct catena_visit visit;
    struct handle *h = new_line(l->chain, e);
    if (!h)
        return -1;
    handle_visit(&visit, l->chain, &h->run.peer);
    int rc = take_client(l, h, e);
    rc = rc < 0 ? rc : open_it(h, e);
    rc = give(h, rc, out, e);
    catena_leave(&visit);
    return rc;
}
