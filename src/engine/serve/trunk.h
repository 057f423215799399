/* SPDX-License-Identifier: GPL-2.0-or-later
 * The trunks of a plan: see catena/trunk.h. Each is a passage of its own over the part of the right chain that is
 * shared, with all the lines as its left end. */
#ifndef CATENA_SERVE_TRUNK_H
#define CATENA_SERVE_TRUNK_H

#include "catena/plan.h"
#include "catena/run.h"
#include "catena/trunk.h"

/* Before there is any connection: what trunks of that plan have in common. */
int trunks_prepare(const struct plan *trunk, struct run *r, void **trunks, struct err *e);
/* When there is none any more: what is under way goes out, then they end. NULL is fine. */
void trunks_release(void *trunks);

#endif
