/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where lines share what is right of an address (catena/trunk.h), the line ends with it, and what is behind becomes a
 * plan of its own. */
#ifndef CATENA_PLAN_TRUNK_H
#define CATENA_PLAN_TRUNK_H

#include "engine/plan/bind.h"

/* If one of these chains has such an address, cuts it off there; made: plan.c's way to make a plan of two chains. */
int plan_split(struct plan *p, struct chain c[2], int (*make)(struct plan *, const struct chain[2], struct err *), struct err *e);
/* What plan_look_up() finds missing of the trunk is missing of the line. */
int plan_look_up_trunk(struct plan *p, struct err *e);
void plan_free_trunk(struct plan *p);

#endif
