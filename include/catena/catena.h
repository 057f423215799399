/* SPDX-License-Identifier: GPL-2.0-or-later
 * An instance: what whoever runs lines decides for all of them, and what would be global otherwise.
 * Several may be at work in a process. Settings name theirs; a thread knows whose it is (diag_about). */
#ifndef CATENA_CATENA_H
#define CATENA_CATENA_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "catena/api.h"
#include "catena/diag.h"
#include "catena/err.h"

struct registry;

struct catena_limits { /* 0: the program's own */
    size_t block;   /* bytes of a stream that an engine reads at once */
    size_t message; /* bytes of a message that is relayed as one */
    size_t threads; /* at work at a time */
};

struct catena {
    struct diag_log log;
    const struct registry *known; /* addresses and options */
    /* Variables that addresses ask for and programs inherit, ended by NULL; NULL: none. Borrowed. */
    char *const *environment;
    char **own_environment; /* ... unless it has been changed */
    struct catena_limits limits;
    /* The process is ours: children that nobody knows are collected, and options of addresses may
     * change it. Otherwise it is a host's, and nothing of it changes. */
    bool owns_process;
    /* Threads at work, those included that are left behind in a call that does not end. The instance
     * has to stay until there are none. */
    _Atomic size_t threads;
    _Atomic unsigned hups;  /* how often somebody has asked for files to be read again (SIGHUP, where plan.reloads) */
    _Atomic unsigned asked; /* how often somebody has asked how things stand (SIGUSR1) */
    void (*unused)(struct catena *c); /* called by the last of them, if that is not NULL */
};

void catena_fini(struct catena *c); /* frees what is its own */

/* The value of a variable, or NULL. c may be NULL: there are none. */
const char *catena_variable(const struct catena *c, const char *name) CATENA_EXPORT;
/* For programs that are started from now on. While there is one thread. */
int catena_set_variable(struct catena *c, const char *name, const char *value, struct err *e);

/* c may be NULL here, too. */
const struct catena_limits *catena_limits(const struct catena *c);
static inline bool catena_owns_process(const struct catena *c) { return c && c->owns_process; }
/* What a limit allows of n. */
static inline size_t catena_limited(size_t limit, size_t n)
{
    return limit > 0 && limit < n ? limit : n;
}

/* A thread goes into the instance of `about` and leaves again: in between its messages are the
 * instance's, and in a host's process it gets an error instead of SIGPIPE and SIGXFSZ. */
struct catena_visit {
    const struct diag_peer *before;
    bool guest;
    sigset_t mask, pending;
};
void catena_enter(struct catena_visit *v, const struct diag_peer *about);
void catena_leave(struct catena_visit *v);

#endif
