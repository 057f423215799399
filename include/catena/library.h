/* SPDX-License-Identifier: GPL-2.0-or-later
 * Libraries that only some lines need, loaded when they do: a program that only relays starts and
 * forks in half the time without them, and need not have them. */
#ifndef CATENA_LIBRARY_H
#define CATENA_LIBRARY_H

#include <stdbool.h>

#include "catena/err.h"

struct library_symbol {
    const char *name;
    void *slot; /* the pointer that gets its address */
};

struct library {
    const char *file;
    const struct library_symbol *symbols; /* up to one without a name */
    bool loaded;
    const char *package; /* of Debian that has it, for people; or NULL */
};

/* Fills the slots. Any thread, any number of times; never unloaded, as it may keep state. A library
 * that is not there, or lacks a symbol, is an error with a sentence. */
int library_load(struct library *l, struct err *e);

/* What -V says of one. */
struct library_about {
    const char *name;
    const char *built; /* the version of the headers; NULL: they do not tell */
    int (*load)(struct err *e);
    const char *(*version)(char room[16]); /* of what has been loaded; NULL: it does not tell */
};

/* What this program goes without as it can load nothing, in words; NULL: it can. */
const char *library_limits(void);

#endif
