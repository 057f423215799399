/* SPDX-License-Identifier: GPL-2.0-or-later
 * Many engines in one thread, over epoll(7), edge-triggered: see hub.h. The seats with something to
 * do stand in a queue, and each gets some turns before the next. */
#include "engine/relay/hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/wait.h"

enum {
    HUBS_MOST = 8,
    EVENTS = 64,
    TURNS = 8, /* for one seat before it is the next one's turn */
    STACK = 256 * 1024,
};
#define WAKE UINT64_MAX

/* Which descriptor of a seat an event is about. */
enum place { LEFT_READS, LEFT_WRITES, RIGHT_READS, RIGHT_WRITES, PLACES };

/* Events name a number and its use, not a seat: they may come late, when a descriptor lives on in a
 * child that has not got to its exec() yet. */
struct number {
    struct hub_seat *seat; /* NULL: free */
    uint32_t use;
    uint32_t next_free; /* + 1; 0 none */
};

struct hub {
    pthread_t thread;
    int epfd, wake_fd;    /* wake_fd: look at `ending` */
    pthread_mutex_t lock; /* guards what follows; held while a seat is taken */
    struct number *numbers;
    uint32_t nnumbers, first_free; /* first_free + 1; 0 none */
    size_t n;                      /* seats taken */
    bool running, ending;

    /* the thread's own */
    struct hub_seat *queue, **queue_end;
    int64_t earliest; /* no seat has a deadline before that; -1 none */
    bool dropped;
};

struct hubs {
    pthread_mutex_t lock; /* guards next and the starting of threads */
    size_t n, next;
    struct hub hub[];
};

/* ---- seats ---- */

static void enqueue(struct hub *h, struct hub_seat *s)
{
    if (s->queued)
        return;
    s->queued = true;
    s->after = NULL;
    *h->queue_end = s;
    h->queue_end = &s->after;
}

static int fd_at(const struct engine *e, enum place place)
{
    const struct port *p = e->side[place / 2].port;
    if (!p)
        return -1;
    return place % 2 == 0 ? p->rfd : p->wfd != p->rfd ? p->wfd : -1;
}

static bool more_numbers(struct hub *h)
{
    uint32_t n = h->nnumbers ? 2 * h->nnumbers : 16;
    struct number *more = reallocarray(h->numbers, n, sizeof *more);
    if (!more)
        return false;
    for (uint32_t i = n; i-- > h->nnumbers;) {
        more[i] = (struct number){.next_free = h->first_free};
        h->first_free = i + 1;
    }
    h->numbers = more;
    h->nnumbers = n;
    return true;
}

static void give_back(struct hub *h, struct hub_seat *s)
{
    struct number *k = &h->numbers[s->number];
    k->seat = NULL;
    k->use++;
    k->next_free = h->first_free;
    h->first_free = s->number + 1;
}

/* Gives false when the system cannot watch one of them, or there is none. */
static bool watch(const struct hub *h, const struct hub_seat *s)
{
    int added = 0;
    for (unsigned i = 0; i < PLACES; i++) {
        int fd = fd_at(s->engine, i);
        uint64_t name = (uint64_t)h->numbers[s->number].use << 32 | s->number * PLACES | i;
        struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.u64 = name};
        if (fd < 0)
            continue;
        if (epoll_ctl(h->epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
            while (i-- > 0)
                if ((fd = fd_at(s->engine, i)) >= 0)
                    (void)epoll_ctl(h->epfd, EPOLL_CTL_DEL, fd, NULL);
            return false;
        }
        added++;
    }
    return added > 0;
}

static bool take_seat(struct hub *h, struct hub_seat *s)
{
    bool taken = false;
    pthread_mutex_lock(&h->lock);
    if (!h->ending && (h->first_free || more_numbers(h))) {
        s->number = h->first_free - 1;
        s->readable[LEFT] = s->readable[RIGHT] = true;
        s->queued = false;
        h->first_free = h->numbers[s->number].next_free;
        h->numbers[s->number].seat = s;
        taken = watch(h, s);
        if (taken)
            h->n++;
        else
            give_back(h, s);
    }
    pthread_mutex_unlock(&h->lock);
    return taken;
}

static void leave_seat(struct hub *h, struct hub_seat *s)
{
    engine_close(s->engine);
    pthread_mutex_lock(&h->lock);
    give_back(h, s);
    h->n--;
    pthread_mutex_unlock(&h->lock);
    s->ended(s);
}

/* ---- an engine's turn ---- */

/* Reads where something may be. True: something was. */
static bool read_sides(struct hub_seat *s, struct err *err)
{
    struct engine *e = s->engine;
    bool any = false;
    for (int i = 0; i < 2; i++) {
        if (!s->readable[i] || e->side[i].look_again || !engine_wants_input(e, i))
            continue;
        int rc = engine_read(e, i, err);
        if (rc < 0)
            engine_failed(e, err);
        s->readable[i] = rc != 0;
        any |= rc != 0;
    }
    return any;
}

/* Codecs whose input ran dry hold nothing back. True: one had something. */
static bool release_idle(struct engine *e, struct err *err)
{
    bool any = false;
    for (int i = 0; i < 2 && !e->closing; i++) {
        if (!engine_idle_due(e, i))
            continue;
        any = true;
        if (transform_idle(e, i, err) < 0)
            engine_failed(e, err);
    }
    return any;
}

static void note_deadline(struct hub *h, const struct engine *e)
{
    int64_t t = engine_deadline(e);
    if (t >= 0 && (h->earliest < 0 || t < h->earliest))
        h->earliest = t;
}

static void serve(struct hub *h, struct hub_seat *s)
{
    struct err err;
    for (int i = 0; i < TURNS; i++) {
        if (engine_work(s->engine, &err)) {
            leave_seat(h, s);
            return;
        }
        if (!read_sides(s, &err) && !release_idle(s->engine, &err)) {
            engine_rest(s->engine);
            note_deadline(h, s->engine);
            return;
        }
    }
    note_deadline(h, s->engine);
    enqueue(h, s);
}

static void serve_queue(struct hub *h)
{
    struct hub_seat *s = h->queue, *after;
    h->queue = NULL;
    h->queue_end = &h->queue;
    for (; s; s = after) {
        after = s->after;
        s->queued = false;
        (void)diag_about(&s->engine->run->peer);
        serve(h, s);
        (void)diag_about(NULL);
    }
}

/* ---- the thread ---- */

static void take_event(struct hub *h, const struct epoll_event *ev)
{
    uint32_t number = (uint32_t)ev->data.u64 / PLACES, place = (uint32_t)ev->data.u64 % PLACES;
    if (number >= h->nnumbers || h->numbers[number].use != ev->data.u64 >> 32 ||
        !h->numbers[number].seat)
        return;
    struct hub_seat *s = h->numbers[number].seat;
    int side = (int)place / 2;
    const struct port *p = s->engine->side[side].port;
    if (place % 2 == 0 && ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->readable[side] = true;
    bool writes = place % 2 == 1 || p->rfd == p->wfd;
    if (writes && ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        s->engine->side[side].has_room = true;
    if (writes && ev->events & (EPOLLHUP | EPOLLERR))
        s->engine->side[side].gone = true;
    enqueue(h, s);
}

/* A seat that is just being taken is seen whole: it is taken under the lock. */
static void take_events(struct hub *h, const struct epoll_event *ev, int n)
{
    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < n; i++)
        if (ev[i].data.u64 == WAKE)
            (void)eventfd_read(h->wake_fd, &(eventfd_t){0});
        else
            take_event(h, &ev[i]);
    pthread_mutex_unlock(&h->lock);
}

static void look_at_clock(struct hub *h)
{
    int64_t now = h->earliest < 0 ? 0 : wait_now();
    if (h->earliest < 0 || now < h->earliest)
        return;
    h->earliest = -1;
    pthread_mutex_lock(&h->lock);
    for (uint32_t i = 0; i < h->nnumbers; i++) {
        struct hub_seat *s = h->numbers[i].seat;
        int64_t t = s ? engine_deadline(s->engine) : -1;
        if (t < 0)
            continue;
        if (t > now) {
            note_deadline(h, s->engine);
            continue;
        }
        (void)diag_about(&s->engine->run->peer);
        engine_act_on_time(s->engine);
        (void)diag_about(NULL);
        s->readable[LEFT] = s->readable[RIGHT] = true;
        enqueue(h, s);
    }
    pthread_mutex_unlock(&h->lock);
}

/* Gives false when there is nothing left to do for ever. */
static bool look_at_order(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    bool drop = h->ending && !h->dropped;
    for (uint32_t i = 0; drop && i < h->nnumbers; i++) {
        struct hub_seat *s = h->numbers[i].seat;
        if (!s)
            continue;
        run_ends(s->engine->run, END_STOPPED);
        engine_drop(s->engine);
        enqueue(h, s);
    }
    h->dropped |= drop;
    bool go_on = !h->ending || h->n > 0;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static int timeout(const struct hub *h)
{
    if (h->queue)
        return 0;
    if (h->earliest < 0)
        return -1;
    int64_t left = h->earliest - wait_now();
    return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static void *hub_main(void *arg)
{
    struct hub *h = arg;
    struct epoll_event ev[EVENTS];
    while (look_at_order(h)) {
        int n = epoll_wait(h->epfd, ev, EVENTS, timeout(h));
        take_events(h, ev, n);
        look_at_clock(h);
        serve_queue(h);
    }
    return NULL;
}

/* ---- making and ending ---- */

static int hub_init(struct hub *h, struct err *e)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = WAKE};
    *h = (struct hub){.epfd = epoll_create1(EPOLL_CLOEXEC),
                      .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                      .earliest = -1};
    h->queue_end = &h->queue;
    (void)pthread_mutex_init(&h->lock, NULL);
    if (h->epfd < 0 || h->wake_fd < 0 || epoll_ctl(h->epfd, EPOLL_CTL_ADD, h->wake_fd, &ev) < 0)
        return err_sys(e, "epoll_create1()");
    return 0;
}

struct hubs *hubs_new(struct err *e)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : cpus > HUBS_MOST ? HUBS_MOST : (size_t)cpus;
    struct hubs *h = calloc(1, sizeof *h + n * sizeof h->hub[0]);
    if (!h) {
        (void)err_nomem(e);
        return NULL;
    }
    (void)pthread_mutex_init(&h->lock, NULL);
    for (; h->n < n; h->n++) {
        if (hub_init(&h->hub[h->n], e) < 0) {
            h->n++;
            hubs_free(h);
            return NULL;
        }
    }
    return h;
}

static bool start(struct hub *h)
{
    pthread_attr_t attr;
    if (h->running)
        return true;
    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setstacksize(&attr, STACK);
    h->running = pthread_create(&h->thread, &attr, hub_main, h) == 0;
    (void)pthread_attr_destroy(&attr);
    return h->running;
}

bool hubs_add(struct hubs *h, struct hub_seat *seat)
{
    pthread_mutex_lock(&h->lock);
    struct hub *hub = &h->hub[h->next++ % h->n];
    bool running = start(hub);
    pthread_mutex_unlock(&h->lock);
    return running && take_seat(hub, seat);
}

static void end(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->ending = true;
    pthread_mutex_unlock(&h->lock);
    if (h->running) {
        (void)eventfd_write(h->wake_fd, 1);
        (void)pthread_join(h->thread, NULL);
    }
    if (h->epfd >= 0)
        close(h->epfd);
    if (h->wake_fd >= 0)
        close(h->wake_fd);
    (void)pthread_mutex_destroy(&h->lock);
    free(h->numbers);
}

void hubs_free(struct hubs *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++)
        end(&h->hub[i]);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}
