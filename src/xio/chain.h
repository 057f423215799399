/* SPDX-License-Identifier: GPL-2.0-or-later
 * A chain as it was planned for a caller's wishes, with an instance of its own. Const once it is made, and
 * held by all handles that were opened by it. */
#ifndef CATENA_XIO_CHAIN_H
#define CATENA_XIO_CHAIN_H

#include <xio.h>

#include "catena/catena.h"
#include "catena/plan.h"
#include "catena/settings.h"
#include "engine/serve/modules.h"

struct chain {
    /* Its number of threads counts the handles, too: who was left behind in a call that does not end
     * outlives them. */
    struct catena catena;
    struct diag_peer nobody;
    struct settings settings;
    struct xio_opts opts;
    struct modules modules; /* whose addresses it may have */
    char *text, *shown; /* shown: without its secrets; NULL: it has none */
    char **environment;
    char **facts;  /* that the caller tells: names and values in turn */
    char *told;    /* their names, as settings.facts has them */
    struct plan *plan;
    void **shared; /* what its connections have in common; NULL: not prepared */
    bool plain;    /* nothing is done to what goes through it once it is open */
    bool talks;    /* to the caller, while it is opened */
    bool records;  /* messages go through the caller's end */
};

/* What is behind the caller's end: a chain, or NULL: one more such end. Gives a hold on it. */
int chain_make(const char *text, const struct xio_opts *opts, struct chain **out, struct err *e);
void chain_hold(struct chain *c);
void chain_drop(struct chain *c); /* NULL is fine */

/* The wishes, checked, with what is 0 filled in. */
int chain_check(const struct xio_opts *given, struct xio_opts *out, struct err *e);
static inline bool chain_reads(const struct chain *c) { return c->settings.to_left; }
static inline bool chain_writes(const struct chain *c) { return c->settings.to_right; }

#endif
