/* SPDX-License-Identifier: GPL-2.0-or-later
 * Binding one sub-address of the syntax tree: form, context, options. Used by plan.c only. */
#ifndef CATENA_BIND_H
#define CATENA_BIND_H

#include "catena/plan.h"
#include "catena/spec.h"

struct binder {
    struct plan *plan;
    int chain;    /* LEFT or RIGHT */
    bool chained; /* the argument has inter addresses or a dual */
    size_t link;  /* number of the piece in its chain, from 1 */
};

enum ctx ctx_mirror(enum ctx c);

/* An inter address used in context left (lane: as one half of a dual). */
int bind_inter(const struct binder *b, const struct single_spec *s, enum ctx left, bool lane,
               const struct addr **out, struct err *e);
/* An endpoint used in that context. A compound gives its inter address too (else *inter NULL). */
int bind_endpoint(const struct binder *b, const struct single_spec *s, enum ctx left,
                  const struct addr **inter, const struct addr **out, struct err *e);

#endif
