/* SPDX-License-Identifier: GPL-2.0-or-later
 * The children that a listening (or reconnecting) address with option fork has set off: counted
 * against max-children and collected as they end. */
#ifndef CATENA_BROOD_H
#define CATENA_BROOD_H

#include <stddef.h>
#include <sys/types.h>

#include "catena/run.h"

struct brood_child {
    pid_t pid;
    struct diag_peer peer; /* whom it serves; owns the name */
};

struct brood {
    long long max; /* max-children, 0 no limit */
    struct brood_child *v;
    size_t n, cap;
};

void brood_init(struct brood *b, long long max);
/* From now on children that end are collected whenever r waits. */
void brood_watch(struct brood *b, struct run *r);
/* Takes the name of its peer, which may be NULL. */
int brood_add(struct brood *b, pid_t pid, char *peer, struct err *e);
void brood_forget(struct brood *b); /* in the child */
/* Waits while max-children children are active. */
int brood_wait_for_room(struct brood *b, struct run *r, struct err *e);
/* Forked children live on. */
void brood_fini(struct brood *b, struct run *r);

#endif
