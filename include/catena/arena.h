/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory that is given back all at once: what parser and planner build lives in one arena. */
#ifndef CATENA_ARENA_H
#define CATENA_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* zero-initialise */
};

/* n bytes of zeroed memory, aligned for any type; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);
/* A NUL-terminated copy of n bytes. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
