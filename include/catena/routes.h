/* SPDX-License-Identifier: GPL-2.0-or-later
 * Maps of names, option to: where a connection goes is said by a line of a file,
 *
 *     <name in which * stands for anything>   <host>:<port> | <chain>
 *
 * and the first line that fits counts. They are read before anything is opened, by the planner, and a chain is planned
 * then, in the place of the right one, whose address is ROUTE. */
#ifndef CATENA_ROUTES_H
#define CATENA_ROUTES_H

#include <stddef.h>

#include "catena/err.h"

struct addr;
struct plan;
struct run;

struct route {
    unsigned line; /* its number */
    const char *pattern;
    const char *host, *port; /* NULL: it names a chain */
    const char *chain;       /* of a host, too */
    struct plan *plan;       /* with that right chain, if the plan has a ROUTE; else NULL */
    void **shared;           /* what its connections have in common */
};
struct routes {
    struct routes *next;
    const char *file;
    unsigned place; /* on the line, of whose map it is */
    struct route *v;
    size_t n;
};

/* Tells where to by the facts targethost and targetport, or route; a name that no line fits is ERR_DENIED. name may be
 * empty: only a line for everything fits. An address without a map tells nothing. */
int routes_choose(const struct addr *a, struct run *r, const char *name, struct err *e);
/* The route that has been told; NULL: none. */
const struct route *routes_chosen(struct run *r);

#endif
