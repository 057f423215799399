/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is possible and yet hardly meant: notes of the plan. Used by plan.c only. */
#ifndef CATENA_PLAN_WARN_H
#define CATENA_PLAN_WARN_H

#include "catena/plan.h"

/* Adds notes about wires that lead to the wrong side and about packets that become a stream; sets
 * plan->merged. Fails only without memory. */
int plan_warn(struct plan *p, struct err *e);

#endif
