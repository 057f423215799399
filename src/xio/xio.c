/* SPDX-License-Identifier: GPL-2.0-or-later
 * The interface: see xio.h. Everything from outside is looked at here, and every failure is told here. */
#include <xio.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "catena/api.h"
#include "catena/facts.h"
#include "catena/sockaddr.h"
#include "xio/error.h"
#include "xio/handle.h"
#include "xio/handles.h"
#include "xio/relay.h"

/* ---- handles ---- */

static struct handle *enter(struct xio *x)
{
    struct handle *h = handles_enter(x);
    struct err e;
    if (!h) {
        errno = EBADF;
        (void)err_sys(&e, x ? "the handle is closed, or none" : "the handle is NULL");
        (void)error_tell(&e);
    }
    return h;
}

/* In a forked child the handle is a copy. */
static int really_close(struct handle *h, bool ours)
{
    struct err e;
    if (ours)
        return handle_close(h, &e) < 0 ? error_tell(&e) : 0;
    handle_leave(h);
    return 0;
}

/* errno and the error stay what the call has left. */
static void leave(struct xio *x, struct handle *h)
{
    int sys = errno;
    if (handles_leave(x)) {
        struct xio_error said = *error_last();
        (void)really_close(h, handle_is_ours(h));
        *error_last() = said;
    }
    errno = sys;
}

static struct xio *number(struct handle *h)
{
    struct err e;
    struct xio *x = handles_add(h);
    if (x) {
        (void)handles_leave(x); /* nobody is at it yet */
        return x;
    }
    (void)handle_close(h, &e);
    (void)err_nomem(&e);
    (void)error_tell(&e);
    return NULL;
}

static int wrong(const char *what)
{
    struct err e;
    (void)err_set(&e, ERR_USAGE, "%s", what);
    return error_tell(&e);
}

/* ---- opening ---- */

static int plan_chain(const char *text, const struct xio_opts *given, struct chain **c, struct err *e)
{
    struct xio_opts opts;
    if (!text)
        return err_set(e, ERR_USAGE, "the chain is NULL");
    return chain_check(given, &opts, e) < 0 ? -1 : chain_make(text, &opts, c, e);
}

static struct xio *open_chain(const char *text, const struct xio_opts *given, bool listens)
{
    struct chain *c = NULL;
    struct handle *h;
    struct err e;
    int rc = plan_chain(text, given, &c, &e);
    if (rc == 0)
        rc = listens ? handle_listen(c, &h, &e) : handle_open(c, &h, &e);
    chain_drop(c);
    if (rc == 0)
        return number(h);
    (void)error_tell(&e);
    return NULL;
}

CATENA_EXPORT struct xio *xioopen_opts(const char *chain, const struct xio_opts *opts)
{
    return open_chain(chain, opts, false);
}

CATENA_EXPORT int xiocheck(const char *chain, const struct xio_opts *opts)
{
    struct chain *c = NULL;
    struct err e;
    int rc = plan_chain(chain, opts, &c, &e);
    chain_drop(c);
    return rc < 0 ? error_tell(&e) : 0;
}

CATENA_EXPORT struct xio *(xioopen)(const char *chain, int flags)
{
    struct xio_opts opts = {.size = sizeof opts, .flags = flags};
    return open_chain(chain, &opts, false);
}

CATENA_EXPORT struct xio *xiolisten(const char *chain, const struct xio_opts *opts)
{
    return open_chain(chain, opts, true);
}

/* Is a call over because its handle has been closed meanwhile? Then that is its error. */
static bool was_closed(const struct handle *h)
{
    struct err e;
    if (!atomic_load(&h->closing))
        return false;
    (void)err_set(&e, ERR_INTERRUPTED, "the handle has been closed meanwhile");
    e.sys = EBADF;
    (void)error_tell(&e);
    return true;
}

static bool somebody_is_there(const struct handle *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    if (!(l->chain->opts.flags & O_NONBLOCK) || l->fd < 0 || poll(&p, 1, 0) > 0)
        return true;
    errno = EAGAIN;
    return false;
}

CATENA_EXPORT struct xio *xioaccept(struct xio *listener)
{
    struct handle *l = enter(listener), *h = NULL;
    struct err e;
    if (!l)
        return NULL;
    int rc = -1;
    if (!l->listens)
        (void)wrong("the handle is no listener; xiolisten() makes one");
    else if (somebody_is_there(l) && (rc = handle_accept(l, &h, &e)) < 0 && !was_closed(l))
        (void)error_tell(&e);
    leave(listener, l);
    return rc < 0 ? NULL : number(h);
}

/* ---- reading and writing ---- */

/* What its line has failed of is the thread's error. */
static int tell_line(struct handle *h)
{
    struct err e;
    if (!h->behind || !run_why(&h->run, &e))
        return 0;
    const struct diag_peer *before = diag_about(&h->chain->nobody);
    error_settle(h->chain, &e);
    (void)diag_about(before);
    return error_tell(&e);
}

static bool may(const struct handle *h, bool able, const char *otherwise)
{
    struct err e;
    if (!h->listens && !h->detached && able)
        return true;
    errno = EBADF;
    (void)err_sys(&e, "%s", h->listens    ? "the handle listens"
                            : h->detached ? "the handle's descriptor has been given away"
                                          : otherwise);
    (void)error_tell(&e);
    return false;
}

CATENA_EXPORT ssize_t xioread(struct xio *x, void *buf, size_t n)
{
    struct handle *h = enter(x);
    ssize_t got = -1;
    if (!h)
        return -1;
    if (!buf && n > 0) {
        (void)wrong("the buffer is NULL");
    } else if (may(h, chain_reads(h->chain), "the handle is for writing only")) {
        bool woken = n > 0 && !handle_wait(h, POLLIN);
        got = n == 0 ? 0 : woken ? -1 : h->socket ? recv(h->fd, buf, n, 0) : read(h->fd, buf, n);
        bool over = got < 0 ? errno == ECONNRESET : got == 0 && n > 0;
        if ((over || got < 0) && was_closed(h))
            got = -1;
        else if (over && tell_line(h) < 0)
            got = -1;
        else if (got < 0)
            (void)error_tell_errno("cannot read");
    }
    leave(x, h);
    return got;
}

/* Of a pipe that nobody reads the caller gets an error, and no signal. */
static ssize_t write_pipe(const struct handle *h, const void *buf, size_t n)
{
    struct catena_visit visit;
    catena_enter(&visit, &h->chain->nobody);
    ssize_t put = write(h->fd, buf, n);
    int sys = errno;
    catena_leave(&visit);
    errno = sys;
    return put;
}

CATENA_EXPORT ssize_t xiowrite(struct xio *x, const void *buf, size_t n)
{
    struct handle *h = enter(x);
    ssize_t put = -1;
    if (!h)
        return -1;
    if (!buf && n > 0) {
        (void)wrong("the buffer is NULL");
    } else if (may(h, chain_writes(h->chain), "the handle is for reading only")) {
        bool woken = !handle_wait(h, POLLOUT);
        put = woken ? -1 : h->socket ? send(h->fd, buf, n, MSG_NOSIGNAL) : write_pipe(h, buf, n);
        bool over = put < 0 && (errno == EPIPE || errno == ECONNRESET);
        if (put < 0 && !was_closed(h) && !(over && tell_line(h) < 0))
            (void)error_tell_errno("cannot write");
    }
    leave(x, h);
    return put;
}

/* ---- ending ---- */

static int shut_plain(struct handle *h, int how)
{
    struct err e;
    if (h->socket || how == SHUT_RD)
        return h->socket ? shutdown(h->fd, how) : 0;
    if (h->end->shut == PORT_SHUT_CLOSE) { /* its number stays the handle's */
        int none = open("/", O_PATH | O_CLOEXEC);
        int rc = none < 0 ? -1 : dup3(none, h->fd, O_CLOEXEC);
        if (none >= 0)
            close(none);
        return rc < 0 ? -1 : 0;
    }
    return port_shutdown(h->end, &e) < 0 ? error_tell(&e) : 0;
}

CATENA_EXPORT int xioshutdown(struct xio *x, int how)
{
    struct handle *h = enter(x);
    int rc = -1;
    if (!h)
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        (void)wrong("what is to be shut down: SHUT_RD, SHUT_WR or SHUT_RDWR is expected");
    else if (may(h, true, NULL) && (rc = h->behind ? shutdown(h->fd, how) : shut_plain(h, how)) < 0)
        (void)error_tell_errno("cannot shut down");
    leave(x, h);
    return rc;
}

/* Who is at it in another thread comes back, and the last one closes it. */
CATENA_EXPORT int xioclose(struct xio *x)
{
    struct handle *h = enter(x);
    if (!h)
        return -1;
    if (!handles_close(x)) {
        leave(x, h);
        errno = EBADF;
        return -1;
    }
    bool ours = handle_is_ours(h);
    if (ours)
        handle_wake(h, handles_shared(x));
    return handles_leave(x) ? really_close(h, ours) : 0;
}

/* ---- what is known ---- */

CATENA_EXPORT int xiofd(struct xio *x)
{
    struct handle *h = enter(x);
    if (!h)
        return -1;
    int fd = h->detached ? h->witness : h->fd;
    if (fd < 0)
        (void)wrong(h->detached ? "there is no line that would end" : "the listener has no descriptor that would tell");
    leave(x, h);
    return fd;
}

/* Of a plain one a copy: what it is closes with it. Under the lock, as two might ask. */
static int detach(struct handle *h)
{
    if (h->detached || h->listens || (h->behind && h->witness < 0))
        return wrong(h->detached  ? "the descriptor has been given away"
                     : h->listens ? "a listener's descriptor is not given away"
                                  : "xio_opts.detach was not set when the handle was opened");
    int fd = h->behind ? h->fd : fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return error_tell_errno("cannot copy the descriptor");
    h->detached = true;
    return fd;
}

CATENA_EXPORT int xiodetach(struct xio *x)
{
    struct handle *h = enter(x);
    if (!h)
        return -1;
    pthread_mutex_lock(&h->lock);
    int fd = detach(h);
    pthread_mutex_unlock(&h->lock);
    leave(x, h);
    return fd;
}

/* Of a plain one only its socket knows; it is asked once. Under the lock. */
static int ask_socket(struct handle *h, struct err *e)
{
    struct sockname local, peer;
    bool ask = !h->asked && h->plain && h->socket;
    h->asked = true;
    if (!ask)
        return 0;
    sockname_local(&local, h->fd);
    sockname_peer(&peer, h->fd);
    return sockname_tell(&h->run, h->chain->plan->end[RIGHT].fwd, &peer, &local, e);
}

/* Under the lock. */
static const char *keep(struct handle *h, const char *text)
{
    for (struct kept_fact *f = h->facts; f; f = f->next)
        if (strcmp(f->text, text) == 0)
            return f->text;
    size_t n = strlen(text) + 1;
    struct kept_fact *f = malloc(sizeof *f + n);
    if (!f)
        return NULL;
    memcpy(f->text, text, n);
    f->next = h->facts;
    h->facts = f;
    return f->text;
}

CATENA_EXPORT const char *xiofact(struct xio *x, const char *name)
{
    struct handle *h = enter(x);
    const char *found = NULL;
    char *value = NULL;
    struct err e;
    if (!h)
        return NULL;
    pthread_mutex_lock(&h->lock);
    int rc = !name || h->listens ? 0 : ask_socket(h, &e);
    value = name && rc == 0 ? run_get_fact(&h->run, name) : NULL;
    found = value ? keep(h, value) : NULL;
    bool no_memory = !found && (value || (name && rc == 0 && errno == ENOMEM));
    pthread_mutex_unlock(&h->lock);
    if (no_memory)
        (void)err_nomem(&e);
    else if (rc == 0)
        (void)err_set(&e, ERR_ABSENT, "nothing of that name is known: \"%.60s\"", name ? name : "");
    free(value);
    leave(x, h);
    if (!found)
        (void)error_tell(&e);
    return found;
}

CATENA_EXPORT const struct xio_error *xioerror(struct xio *x)
{
    struct xio_error *last = error_last();
    struct handle *h = x ? enter(x) : NULL;
    if (h) {
        *last = (struct xio_error){.kind = XIO_OK};
        (void)tell_line(h);
        leave(x, h);
    }
    return last;
}

/* ---- relays ---- */

static int relay(struct xio *x, struct xio *y, const char *text, const struct xio_opts *given)
{
    struct handle *a = enter(x), *b = y ? enter(y) : NULL;
    struct xio_opts opts;
    struct chain *c = NULL;
    struct err e;
    int rc = -1;
    if (a && (b || text) && may(a, true, NULL) && (!b || may(b, true, NULL))) {
        rc = chain_check(given, &opts, &e) < 0 || chain_make(text, &opts, &c, &e) < 0 ? -1 : relay_run(c, a, b, &e);
        if (was_closed(a) || (b && was_closed(b))) /* what has come through is not known to be all */
            rc = -1;
        else if (rc < 0)
            (void)error_tell(&e);
    }
    chain_drop(c);
    if (b)
        leave(y, b);
    if (a)
        leave(x, a);
    return rc;
}

CATENA_EXPORT int xiorelay(struct xio *a, struct xio *b, const struct xio_opts *opts)
{
    return b ? relay(a, b, NULL, opts) : wrong("the second handle is NULL");
}

CATENA_EXPORT int xiorelayto(struct xio *a, const char *chain, const struct xio_opts *opts)
{
    return chain ? relay(a, NULL, chain, opts) : wrong("the chain is NULL");
}
