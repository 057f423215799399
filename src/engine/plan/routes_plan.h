/* SPDX-License-Identifier: GPL-2.0-or-later
 * The planner's side of maps of names: see catena/routes.h. */
#ifndef CATENA_ROUTES_PLAN_H
#define CATENA_ROUTES_PLAN_H

#include "catena/plan.h"
#include "catena/routes.h"

/* plan_make() for a line of a map, which is for those names. */
int plan_make_route(const struct settings *s, const char *left, const char *right, const char *pattern, struct plan **out,
                    struct err *e);
/* Reads the maps of a plan; may wait. */
int routes_read(struct plan *p, struct err *e);
void routes_free(struct plan *p);

#endif
