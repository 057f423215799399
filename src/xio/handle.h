/* SPDX-License-Identifier: GPL-2.0-or-later
 * A handle. A plain one is the descriptor that its chain ends in, and its run rests until the end. Any other
 * is one end of a pair of sockets, and its line relays behind the other one, in a thread of its own. */
#ifndef CATENA_XIO_HANDLE_H
#define CATENA_XIO_HANDLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/serve/passage.h"
#include "xio/chain.h"

struct kept_fact { /* text that was given away */
    struct kept_fact *next;
    char text[];
};

struct handle {
    struct chain *chain;
    struct run run;
    struct line line; /* not of a listener */
    struct passage passage;
    bool accepted;         /* its chain is open: by a listener */
    bool plain;            /* it is the descriptor that the chain ends in */
    struct port *end;      /* plain: its; else the line's end until the line has it */
    int fd;                /* what the caller has; -1: none */
    bool socket, pipe;     /* what that is */
    int witness;           /* a copy of the line's end of the pair, which shows when nobody has fd; -1 none */
    bool detached;         /* fd has been given away, and if there is a line, is the witness */
    bool listens;
    bool behind;           /* a thread drives the line */
    pthread_t thread;
    int stop_fd;           /* a clock: readable when the time is up, be it at once; -1 none */
    unsigned forks;        /* of the process until then: a child of it has one more */
    atomic_bool closing;
    pthread_mutex_t lock;  /* accepting; and what follows */
    pthread_cond_t over;
    bool ended;            /* the thread has nothing more to do */
    bool asked;            /* a plain one's socket, whom it knows */
    struct kept_fact *facts;
    int status;            /* of the passage, when the thread has ended */
};

/* A thread of the caller's is at it, as catena_enter() has it. On a plain one nothing is written that could
 * break, which saves a few calls. */
static inline void handle_visit(struct catena_visit *v, const struct chain *c, const struct diag_peer *about)
{
    if (c->plain && c->plan->nitems == 1)
        *v = (struct catena_visit){.before = diag_about(about)};
    else
        catena_enter(v, about);
}

/* Is this the process that has opened it? */
bool handle_is_ours(const struct handle *h);

/* open.c */
int handle_open(struct chain *c, struct handle **out, struct err *e);
/* A listener's next connection. */
int handle_accept(struct handle *listener, struct handle **out, struct err *e);
int handle_listen(struct chain *c, struct handle **out, struct err *e);

/* close.c */
/* It is about to be closed; others: somebody is at it, and is woken. */
void handle_wake(struct handle *h, bool others);
/* Before a call on what cannot be shut down and may wait: false, it is closed, or errno tells. Sockets are woken in the call. */
bool handle_wait(struct handle *h, short events);
/* Ends it, and frees it: 0, or -1 and of what its line has failed. */
int handle_close(struct handle *h, struct err *e);
/* The same in a forked child, whose copy it is: the parent goes on with it. */
void handle_leave(struct handle *h);

/* One end for a relay: a port over a copy of its descriptor. */
int handle_lend(const struct handle *h, struct port **out, struct err *e);
/* Its clock: from now on so many milliseconds, 0 at once, -1 never. */
void handle_set_clock(const struct handle *h, int ms);

#endif
