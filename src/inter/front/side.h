/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where on the line the sides of an address are, for those who ask what has been told there. */
#ifndef CATENA_INTER_SIDE_H
#define CATENA_INTER_SIDE_H

#include "catena/plan.h"
#include "catena/run.h"

/* LEFT or RIGHT: where its data side is; its wire side is the other one. */
static inline int side_of_data(const struct run *r, const struct addr *a)
{
    for (size_t i = 0; i < r->plan->nlinks; i++)
        if (r->plan->links[i].fwd->place == a->place)
            return !r->plan->links[i].wire;
    return LEFT;
}

#endif
