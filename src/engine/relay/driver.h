/* SPDX-License-Identifier: GPL-2.0-or-later
 * A driver is a loop in one thread over all that the thread has to hear of: the ports of the engines
 * that have a seat in it, their clocks, and watches (signals, orders, threads that have ended). It is
 * the same loop for one engine and for thousands; only how it waits differs (driver_poll.c,
 * driver_epoll.c).
 *
 * What a port has to say is asked until it says "later"; nothing but that, and no event, makes the
 * driver wait. Descriptors are waited for by level, but where the port's operations live with edges. */
#ifndef CATENA_DRIVER_H
#define CATENA_DRIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "catena/err.h"
#include "engine/relay/engine.h"

struct driver;

/* The descriptors of a seat, and what they are for. */
enum place { LEFT_READS, RIGHT_READS, LEFT_WRITES, RIGHT_WRITES, LEFT_WRITER, RIGHT_WRITER, LEFT_NOTICE, RIGHT_NOTICE, PLACES };
static inline int place_side(enum place p) { return p % 2; }
static inline bool place_is_beside(enum place p) { return p >= LEFT_WRITER; } /* nothing is read or written there */

/* An engine in a driver. Memory of who adds it, for as long as the driver has it. */
struct seat {
    struct engine *engine;
    /* In the driver's thread, or the closer's; the seat is free again. The ports are closed, but of an engine that has
     * proved its peer. May be NULL. */
    void (*ended)(struct seat *);

    /* the driver's own */
    struct driver *driver;
    struct seat *after; /* in the queue of those with work to do */
    uint32_t number, use; /* epoll: its name in events */
    atomic_int open; /* reasons why it is not free yet: its driver, ports that are being closed */
    bool queued;
    bool readable[2];    /* by side: it has not said "later" yet */
    unsigned read_in[2]; /* the driver's round of the last read */
    bool writer_ended[2];
    int16_t waits[PLACES]; /* epoll: what is waited for, -1 the descriptor is not known there */
};

/* Something else to hear of. Memory of who adds it. */
struct driver_watch {
    int fd; /* readable: act; -1 none */
    void (*act)(struct driver_watch *); /* may unwatch itself, and no other */
    int64_t (*deadline)(const struct driver_watch *); /* wait_now() when to act, too; -1 not. May be NULL */
    void *arg;
    struct driver_watch *next;
};

struct driver {
    struct seat *queue, **queue_end; /* those with something to do */
    struct driver_watch *watches;
    size_t holds;     /* reasons to go on: seats, and what else is held */
    unsigned rounds;  /* how often it has waited */
    int64_t earliest; /* no seat has a deadline before that; -1 none */
    struct seat *alone; /* poll: the one seat */
    struct epoll *epoll; /* NULL: poll */
    struct closer *closer; /* closes what may wait; borrowed; NULL: that is closed here */
};

/* ---- the loop; to be called in its thread only ---- */
void driver_init(struct driver *d); /* for one seat at most; it waits with poll(2) */
void driver_watch(struct driver *d, struct driver_watch *w);
void driver_unwatch(struct driver *d, struct driver_watch *w);
void driver_hold(struct driver *d); /* it goes on until that is released as often */
void driver_release(struct driver *d);
void driver_seat(struct driver *d, struct seat *s);
/* Something about it has changed: it is looked at. */
void driver_wake(struct driver *d, struct seat *s);
void driver_run(struct driver *d);
/* All of that for one engine in a thread of its own; it ends at once when stop_fd (-1 none) is readable. */
void driver_relay(struct engine *e, int stop_fd);
/* For a watch of run.broken_fd, whose arg is a seat: another engine of its run has failed. */
void driver_break(struct driver_watch *w);

/* ---- for those that wait ---- */
/* Events of poll(2) at that place of a seat. */
void driver_heard(struct driver *d, struct seat *s, enum place p, short events);
/* What is to be waited for there: events of poll(2), 0 only for its peer's end; -1 nothing. */
int driver_interest(const struct seat *s, enum place p);
int driver_fd(const struct seat *s, enum place p); /* -1 none, or another place has it */
/* Milliseconds, as poll(2) takes them. */
int driver_timeout(const struct driver *d);
/* Waiting itself has failed. */
void driver_failed(struct driver *d, const struct err *e);
/* Not to be waited for: a ring tells it. */
bool driver_is_ready(const struct seat *s);
void driver_wait_poll(struct driver *d);
void driver_wait_epoll(struct driver *d);
void driver_withdraw_epoll(struct driver *d, struct seat *s, bool stay_open); /* before its descriptors are closed ... */
void driver_leave_epoll(struct driver *d, struct seat *s); /* ... and afterwards */
void driver_each_epoll(struct driver *d, void (*f)(struct driver *, struct seat *));
void driver_sync_epoll(struct driver *d, struct seat *s);

/* ---- many seats ---- */
int driver_init_many(struct driver *d, struct err *e);
int driver_watch_many(struct driver *d, struct driver_watch *w, struct err *e);
void driver_fini_many(struct driver *d);
/* From any thread. False: the system cannot watch one of its descriptors (a regular file), or there is
 * no memory; it is the caller's still. */
bool driver_seat_from_afar(struct driver *d, struct seat *s);
/* As many seats as are taken end at once; none is taken any more. */
void driver_drop_all(struct driver *d);

#endif
