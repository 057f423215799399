/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread for each port that is being closed: see closer.h. One that has ended is joined by the next
 * hand-over, or at the end. */
#include "engine/port/closer.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/thread.h"
#include "catena/wait.h"

enum { STACK = 128 * 1024 };

struct helper {
    struct closer *closer;
    struct helper *next;
    pthread_t thread;
    struct port *port;
    void (*closed)(void *arg);
    void *arg;
    struct diag_peer about; /* nobody: the run may be gone before it is closed */
};

struct closer {
    int ended_fd; /* eventfd: a helper has ended */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t room;
    unsigned most, busy;  /* helpers */
    unsigned users;       /* helpers, the owner, who hands over: the last one frees */
    struct helper *ended; /* to be joined */
    bool forced;
};

struct closer *closer_new(unsigned most, struct err *e)
{
    struct closer *c = calloc(1, sizeof *c);
    if (!c) {
        (void)err_nomem(e);
        return NULL;
    }
    *c = (struct closer){.most = most, .users = 1, .ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (c->ended_fd < 0) {
        (void)err_sys(e, "eventfd()");
        free(c);
        return NULL;
    }
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->room, NULL);
    return c;
}

/* Under the lock, which is free afterwards. */
static void leave(struct closer *c)
{
    bool last = --c->users == 0;
    pthread_mutex_unlock(&c->lock);
    if (!last)
        return;
    close(c->ended_fd);
    (void)pthread_cond_destroy(&c->room);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static void do_close(const struct helper *h)
{
    port_close(h->port);
    if (h->closed)
        h->closed(h->arg);
}

static void *helper_main(void *arg)
{
    struct helper *h = arg;
    struct closer *c = h->closer;
    do_close(h);
    (void)diag_about(NULL); /* whoever it was for may go now */
    pthread_mutex_lock(&c->lock);
    if (c->forced) { /* nobody joins any more */
        (void)pthread_detach(h->thread);
        free(h);
    } else {
        h->next = c->ended;
        c->ended = h;
    }
    c->busy--;
    (void)pthread_cond_signal(&c->room);
    (void)eventfd_write(c->ended_fd, 1);
    leave(c);
    return NULL;
}

/* Under the lock, which a helper that has ended does not want any more once it is in the list. */
static void join_ended(struct closer *c)
{
    while (c->ended) {
        struct helper *h = c->ended;
        c->ended = h->next;
        (void)pthread_join(h->thread, NULL);
        free(h);
    }
}

/* Under the lock, so that the thread is known before it can end. */
static bool start(struct helper *h)
{
    return thread_start(&h->thread, STACK, &h->about, helper_main, h) == 0;
}

void closer_take(struct closer *c, struct port *p, void (*closed)(void *arg), void *arg)
{
    struct helper plain = {c, .port = p, .closed = closed, .arg = arg, .about.catena = diag_home()};
    struct helper *h = malloc(sizeof *h);
    pthread_mutex_lock(&c->lock);
    c->users++;
    while (c->busy >= c->most && !c->forced)
        (void)pthread_cond_wait(&c->room, &c->lock);
    join_ended(c);
    bool forced = c->forced, started = false;
    if (h && !forced) {
        *h = plain;
        started = start(h);
    }
    c->busy += started;
    c->users += started;
    leave(c);
    if (!started)
        free(h);
    if (!started && !forced)
        do_close(&plain);
}

void closer_end(struct closer *c, struct run *r)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    while (c->busy > 0 && !c->forced) {
        pthread_mutex_unlock(&c->lock);
        bool told = wait_rest(r, c->ended_fd, -1) < 0;
        (void)eventfd_read(c->ended_fd, &(eventfd_t){0});
        pthread_mutex_lock(&c->lock);
        c->forced = told;
    }
    join_ended(c);
    (void)pthread_cond_broadcast(&c->room);
    leave(c);
}
