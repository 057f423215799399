/* SPDX-License-Identifier: GPL-2.0-or-later
 * A lookout for clients whose turn it is to say something: so many of them wait in one descriptor, and none of them
 * costs a thread. Not thread-safe: its owner has a lock. */
#ifndef CATENA_LOOKOUT_H
#define CATENA_LOOKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/err.h"

struct guest { /* who waits; part of what its owner knows of him, and stays where it is until he is taken */
    struct guest *next, *prev;
    int fd;
    int64_t deadline; /* wait_now() */
};

struct lookout {
    int fd;       /* readable: lookout_look() finds somebody, or the other descriptor is readable */
    int timer_fd;
    int64_t rings;              /* when the timer does; INT64_MAX not */
    struct guest *first, *last; /* by deadline */
    struct guest *heard, **heard_end;
    size_t n; /* who waits, and who has been heard and not taken */
};

/* other: one more descriptor to be heard of by fd; borrowed. */
int lookout_init(struct lookout *l, int other, struct err *e);
void lookout_fini(struct lookout *l); /* nobody waits any more */
/* He waits until something can be read, or he is late (deadline -1: never). false, with errno: he cannot. */
bool lookout_add(struct lookout *l, struct guest *g, int fd, int64_t deadline);
void lookout_look(struct lookout *l);            /* Who can be heard? Does not wait. */
struct guest *lookout_take(struct lookout *l);   /* of those, the first; NULL there is none */
struct guest *lookout_remove(struct lookout *l); /* anybody; NULL there is nobody */

#endif
