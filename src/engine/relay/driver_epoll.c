/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a driver with many seats waits: with epoll(7). A port that lives with edges is entered once and
 * never again; others are waited for by level, for what they want when their seat has nothing more to
 * do. */
#include "engine/relay/driver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "catena/features.h"

enum { EVENTS = 64, FAILED_PAUSE_MS = 100 };
#define WATCH UINT32_MAX /* no seat's number: what stands above it is the descriptor of a watch */
enum { UNKNOWN = -1, EDGES = INT16_MAX, EDGES_IN = EDGES - 1 }; /* EDGES_IN: not of room by now */

/* Events name a number and its use, not a seat: they may come late, when a descriptor lives on in a
 * child that has not got to its exec() yet. */
struct number {
    struct seat *seat; /* NULL: free */
    uint32_t use;
    uint32_t next_free; /* + 1; 0 none */
};

struct epoll {
    int fd;
    pthread_mutex_t lock; /* guards what follows; held while a seat is taken */
    struct number *numbers;
    uint32_t nnumbers, first_free; /* first_free + 1; 0 none */
    size_t ntaken, nleft;          /* seats, from the beginning */
    bool closed;                   /* none is taken any more */
};

/* ---- names ---- */

static bool more_numbers(struct epoll *ep)
{
    uint32_t n = ep->nnumbers ? 2 * ep->nnumbers : 16;
    struct number *more = reallocarray(ep->numbers, n, sizeof *more);
    if (!more)
        return false;
    for (uint32_t i = n; i-- > ep->nnumbers;) {
        more[i] = (struct number){.next_free = ep->first_free};
        ep->first_free = i + 1;
    }
    ep->numbers = more;
    ep->nnumbers = n;
    return true;
}

static void give_back(struct epoll *ep, struct seat *s)
{
    struct number *k = &ep->numbers[s->number];
    k->seat = NULL;
    k->use++;
    k->next_free = ep->first_free;
    ep->first_free = s->number + 1;
}

/* The table may just be moving, when others get a seat. */
static uint64_t name_of(const struct seat *s, enum place p)
{
    return (uint64_t)s->use << 32 | (s->number * PLACES + p);
}

/* ---- what is waited for ---- */

static int control(const struct epoll *ep, struct seat *s, enum place p, int how, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.u64 = name_of(s, p)};
    return epoll_ctl(ep->fd, how, driver_fd(s, p), &ev);
}

/* Those that say when there is something anew need no more than that. */
static bool by_edges(const struct seat *s, enum place p)
{
    return !place_is_beside(p) &&
           port_lives_with_edges(s->engine->side[place_side(p)].port);
}

#define READS (EPOLLIN | EPOLLRDHUP | EPOLLET)

/* A fresh connection has room, which would wake a driver for nothing: that it has none is found out by writing. But a
 * seat with something to do, or a clock, has to have its turn. */
static bool starts_quiet(const struct seat *s)
{
    struct engine *e = s->engine;
    if (engine_deadline(e) >= 0)
        return false;
    for (int i = LEFT; i <= RIGHT; i++) {
        const struct port *p = e->side[i].port;
        if (!p || !(p->flags & PORT_ORDINARY) || !port_lives_with_edges(p) || port_has_more(p) || !stack_is_plain(e, i) ||
            !stack_is_empty(e, i) || !engine_has_in(e, i) || engine_in_ended(e, i))
            return false;
    }
    return true;
}

static int enter(const struct epoll *ep, struct seat *s, enum place p, bool quiet)
{
    bool edges = by_edges(s, p);
    uint32_t events = !edges ? EPOLLIN | EPOLLOUT : quiet ? READS : READS | EPOLLOUT;
    if (place_is_beside(p))
        events = EPOLLIN;
    if (quiet)
        s->engine->side[place_side(p)].has_room = true;
    if (control(ep, s, p, EPOLL_CTL_ADD, events) < 0)
        return -1;
    s->waits[p] = (int16_t)(!edges ? (int)events : quiet ? EDGES_IN : EDGES);
    return 0;
}

static void withdraw(const struct epoll *ep, struct seat *s)
{
    for (enum place p = 0; p < PLACES; p++) {
        if (s->waits[p] != UNKNOWN)
            (void)epoll_ctl(ep->fd, EPOLL_CTL_DEL, driver_fd(s, p), NULL);
        s->waits[p] = UNKNOWN;
    }
}

/* Gives false when the system cannot watch one of them, or there is none. The left side comes last: of who connected
 * there is something to be read by now, and the driver wakes at once, to find the seat being taken. */
static bool enter_all(const struct epoll *ep, struct seat *s)
{
    int entered = 0;
    bool quiet = starts_quiet(s);
    for (enum place p = 0; p < PLACES; p++)
        s->waits[p] = UNKNOWN;
    for (enum place p = PLACES; p-- > 0;) {
        if (driver_fd(s, p) < 0)
            continue;
        if (enter(ep, s, p, quiet) < 0) {
            withdraw(ep, s);
            return false;
        }
        entered++;
    }
    return entered > 0;
}

/* A peer that has gone would be told of again and again: nobody waits there without a wish. The
 * numbers of poll(2) are those of epoll(7). */
void driver_sync_epoll(struct driver *d, struct seat *s)
{
    const struct epoll *ep = d->epoll;
    for (enum place p = 0; p < PLACES; p++) {
        if (s->waits[p] == EDGES || driver_fd(s, p) < 0)
            continue;
        if (s->waits[p] == EDGES_IN) {
            if (engine_may_write(s->engine, place_side(p)) && control(ep, s, p, EPOLL_CTL_MOD, READS | EPOLLOUT) == 0)
                s->waits[p] = EDGES;
            continue;
        }
        int wanted = driver_interest(s, p), now = s->waits[p];
        if (wanted == now)
            continue;
        int how = wanted < 0 ? EPOLL_CTL_DEL : now < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        if (control(ep, s, p, how, wanted < 0 ? 0 : (uint32_t)wanted) == 0)
            s->waits[p] = (int16_t)wanted;
    }
}

/* ---- seats ---- */

bool driver_seat_from_afar(struct driver *d, struct seat *s)
{
    struct epoll *ep = d->epoll;
    bool taken = false;
    pthread_mutex_lock(&ep->lock);
    if (!ep->closed && (ep->first_free || more_numbers(ep))) {
        s->driver = d;
        s->number = ep->first_free - 1;
        s->use = ep->numbers[s->number].use;
        s->queued = false;
        for (int i = 0; i < 2; i++) {
            s->readable[i] = false; /* whatever is there comes as an event */
            s->writer_ended[i] = false;
            s->read_in[i] = 0;
        }
        ep->first_free = ep->numbers[s->number].next_free;
        ep->numbers[s->number].seat = s;
        taken = enter_all(ep, s);
        if (taken)
            ep->ntaken++;
        else
            give_back(ep, s);
    }
    pthread_mutex_unlock(&ep->lock);
    return taken;
}

/* What others hold, too, would be told of for ever. Edges of what is closed are no trouble. */
void driver_withdraw_epoll(struct driver *d, struct seat *s, bool stay_open)
{
    for (enum place p = 0; p < PLACES; p++)
        if (s->waits[p] != UNKNOWN && (stay_open || s->waits[p] < EDGES_IN))
            (void)epoll_ctl(d->epoll->fd, EPOLL_CTL_DEL, driver_fd(s, p), NULL);
}

void driver_leave_epoll(struct driver *d, struct seat *s)
{
    struct epoll *ep = d->epoll;
    pthread_mutex_lock(&ep->lock);
    give_back(ep, s);
    ep->nleft++;
    bool last = ep->closed && ep->nleft == ep->ntaken;
    pthread_mutex_unlock(&ep->lock);
    if (last)
        driver_release(d);
}

void driver_each_epoll(struct driver *d, void (*f)(struct driver *, struct seat *))
{
    struct epoll *ep = d->epoll;
    pthread_mutex_lock(&ep->lock);
    for (uint32_t i = 0; i < ep->nnumbers; i++)
        if (ep->numbers[i].seat)
            f(d, ep->numbers[i].seat);
    pthread_mutex_unlock(&ep->lock);
}

static void drop(struct driver *d, struct seat *s)
{
    run_ends(s->engine->run, END_STOPPED);
    engine_drop(s->engine);
    driver_wake(d, s);
}

void driver_drop_all(struct driver *d)
{
    struct epoll *ep = d->epoll;
    pthread_mutex_lock(&ep->lock);
    bool first = !ep->closed, none = ep->nleft == ep->ntaken;
    ep->closed = true;
    pthread_mutex_unlock(&ep->lock);
    if (first && none)
        driver_release(d);
    else if (first)
        driver_each_epoll(d, drop);
}

/* ---- waiting ---- */

static void tell_seat(struct driver *d, const struct epoll_event *ev)
{
    const struct epoll *ep = d->epoll;
    uint32_t number = (uint32_t)ev->data.u64 / PLACES, place = (uint32_t)ev->data.u64 % PLACES;
    if (number < ep->nnumbers && ep->numbers[number].use == ev->data.u64 >> 32 &&
        ep->numbers[number].seat)
        driver_heard(d, ep->numbers[number].seat, (enum place)place, (short)ev->events);
}

static bool is_watch(const struct epoll_event *ev)
{
    return (uint32_t)ev->data.u64 == WATCH;
}

static void tell_watch(struct driver *d, int fd)
{
    struct driver_watch *w = d->watches;
    while (w && w->fd != fd)
        w = w->next;
    if (w)
        w->act(w);
}

static void fail(struct driver *d, struct seat *s)
{
    struct err e;
    (void)err_set(&e, ERR_OTHER, "epoll_wait() fails: nothing can be heard of this connection any more");
    engine_failed(s->engine, &e);
    engine_drop(s->engine);
    driver_wake(d, s);
}

/* Nobody who has a seat would hear of anything again; who orders the end is still heard. */
static void wait_failed(struct driver *d)
{
    driver_each_epoll(d, fail);
    for (struct driver_watch *w = d->watches, *next; w; w = next) {
        struct pollfd pfd = {.fd = w->fd, .events = POLLIN};
        next = w->next;
        if (poll(&pfd, 1, FAILED_PAUSE_MS) != 0)
            w->act(w);
    }
}

/* A seat that is just being taken is seen whole: it is taken under the lock. */
void driver_wait_epoll(struct driver *d)
{
    struct epoll_event ev[EVENTS];
    int n = epoll_wait(d->epoll->fd, ev, EVENTS, driver_timeout(d));
    if (n < 0 && errno != EINTR) {
        wait_failed(d);
        return;
    }
    pthread_mutex_lock(&d->epoll->lock);
    for (int i = 0; i < n; i++)
        if (!is_watch(&ev[i]))
            tell_seat(d, &ev[i]);
    pthread_mutex_unlock(&d->epoll->lock);
    for (int i = 0; i < n; i++)
        if (is_watch(&ev[i]))
            tell_watch(d, (int)(ev[i].data.u64 >> 32));
}

/* ---- making and ending ---- */

int driver_init_many(struct driver *d, struct err *e)
{
    driver_init(d);
    struct epoll *ep = calloc(1, sizeof *ep);
    if (!ep)
        return err_nomem(e);
    ep->fd = epoll_create1(EPOLL_CLOEXEC);
    if (ep->fd < 0) {
        free(ep);
        return err_sys(e, "epoll_create1()");
    }
    /* Held for a few calls: an event about the seat that is just being taken may come meanwhile. */
    pthread_mutexattr_t attr;
    (void)pthread_mutexattr_init(&attr);
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_BRIEF);
    (void)pthread_mutex_init(&ep->lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    d->epoll = ep;
    driver_hold(d); /* until it is closed and empty */
    return 0;
}

int driver_watch_many(struct driver *d, struct driver_watch *w, struct err *e)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)w->fd << 32 | WATCH};
    if (epoll_ctl(d->epoll->fd, EPOLL_CTL_ADD, w->fd, &ev) < 0)
        return err_sys(e, "epoll_ctl()");
    driver_watch(d, w);
    return 0;
}

void driver_fini_many(struct driver *d)
{
    struct epoll *ep = d->epoll;
    if (!ep)
        return;
    close(ep->fd);
    (void)pthread_mutex_destroy(&ep->lock);
    free(ep->numbers);
    free(ep);
    d->epoll = NULL;
}
