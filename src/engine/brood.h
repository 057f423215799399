/* SPDX-License-Identifier: GPL-2.0-or-later
 * The runs a listening (or reconnecting) address has set off: forked children or threads, counted
 * against max-children and collected as they end. */
#ifndef CATENA_BROOD_H
#define CATENA_BROOD_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

#include "catena/run.h"

struct thread_run;
struct brood {
    long long max; /* max-children, 0 no limit */
    pid_t *pids;
    size_t npids, cap;
    struct thread_run *threads; /* list */
    size_t nthreads;
    int stop_fd, done_fd; /* eventfds for threads: all are to end; one has ended */
};

void brood_init(struct brood *b, long long max);
/* From now on runs that end are collected whenever r waits. */
int brood_watch(struct brood *b, struct run *r, struct err *e);
int brood_add(struct brood *b, pid_t pid, struct err *e);
void brood_forget(struct brood *b); /* in the child */
/* Waits while max-children runs are active. */
int brood_wait_for_room(struct brood *b, struct run *r, struct err *e);

/* A run like the parent's, with the facts the parent has learnt about the connection. */
int brood_new_run(struct brood *b, struct run *parent, struct run **out, struct err *e);
/* Lets f(run, arg) go on in a thread; takes the run, also on failure. */
int brood_start(struct brood *b, struct run *r, void (*f)(struct run *, void *), void *arg,
                struct err *e);
/* Runs in threads are joined (hurry, or a signal: told to end); forked children live on. */
void brood_fini(struct brood *b, struct run *r, bool hurry);

#endif
