/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a driver with one seat waits: with poll(2), by level. Few descriptors need no more. */
#include "engine/relay/driver.h"

#include <errno.h>
#include <poll.h>

#include "catena/diag.h"

enum { MOST = PLACES + 8 }; /* descriptors: the seat's, and those that are watched */

/* Only what matters is named: poll() takes no more entries than there may be descriptors. */
struct waiting {
    struct pollfd fds[MOST];
    nfds_t n;
    enum place place[PLACES];
    nfds_t nplaces;
};

static void add(struct waiting *w, int fd, short events)
{
    if (fd >= 0 && w->n < MOST)
        w->fds[w->n++] = (struct pollfd){.fd = fd, .events = events};
}

static void gather(const struct driver *d, struct waiting *w)
{
    for (enum place p = 0; d->alone && p < PLACES; p++) {
        int fd = driver_fd(d->alone, p), events = fd < 0 ? -1 : driver_interest(d->alone, p);
        if (events < 0)
            continue;
        w->place[w->n] = p;
        add(w, fd, (short)events);
    }
    w->nplaces = w->n;
    for (const struct driver_watch *one = d->watches; one; one = one->next)
        add(w, one->fd, POLLIN);
}

/* A neighbour is woken for little only when nothing more comes at once. */
static int settle(const struct driver *d, struct waiting *w, int timeout)
{
    struct port *left = d->alone ? d->alone->engine->side[LEFT].port : NULL;
    struct port *right = d->alone ? d->alone->engine->side[RIGHT].port : NULL;
    if (timeout == 0 || !left || !right || (!left->due && !right->due))
        return 0;
    int n = poll(w->fds, w->n, 0);
    if (n == 0) {
        port_settle(left);
        port_settle(right);
    }
    return n;
}

static void tell(struct driver *d, const struct waiting *w)
{
    struct driver_watch *next = d->watches;
    struct seat *s = d->alone;
    for (nfds_t i = 0; i < w->nplaces; i++)
        driver_heard(d, s, w->place[i], w->fds[i].revents);
    for (nfds_t i = w->nplaces; i < w->n; i++) {
        while (next->fd < 0)
            next = next->next;
        struct driver_watch *one = next;
        next = next->next;
        if (w->fds[i].revents)
            one->act(one);
    }
}

/* Nobody can wait any more: what is watched is looked at, and all of it ends. */
static void give_up(struct driver *d)
{
    struct err e;
    (void)err_sys(&e, "poll()");
    driver_failed(d, &e);
    for (struct driver_watch *one = d->watches, *next; one; one = next) {
        next = one->next;
        if (one->fd >= 0)
            one->act(one);
    }
}

void driver_wait_poll(struct driver *d)
{
    struct waiting w;
    w.n = 0;
    gather(d, &w);
    bool ready = d->alone && driver_is_ready(d->alone);
    int timeout = ready ? 0 : driver_timeout(d), n = settle(d, &w, timeout);
    if (n == 0)
        n = poll(w.fds, w.n, timeout);
    if (n < 0 && errno != EINTR) {
        give_up(d);
        return;
    }
    if (d->alone)
        driver_wake(d, d->alone);
    if (n > 0)
        tell(d, &w);
}
