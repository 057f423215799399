/* SPDX-License-Identifier: GPL-2.0-or-later
 * The children that a listening (or reconnecting) address with option fork has set off: counted
 * against max-children, and their ends told. */
#ifndef CATENA_BROOD_H
#define CATENA_BROOD_H

#include <stddef.h>
#include <sys/types.h>

#include "catena/run.h"

struct brood_child;

struct brood {
    struct run *run;
    size_t max; /* max-children, 0 no limit */
    size_t n;
    struct brood_child *youngest; /* first of all that live */
};

void brood_init(struct brood *b, struct run *r, long long max);
pid_t brood_fork(struct brood *b); /* as fork() */
/* The youngest serves that peer. Takes the name, which may be NULL. */
void brood_name(struct brood *b, char *peer);
/* Waits while max-children children are active. */
int brood_wait_for_room(struct brood *b, struct err *e);
/* Forked children live on. */
void brood_fini(struct brood *b);

#endif
