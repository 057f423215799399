/* SPDX-License-Identifier: GPL-2.0-or-later
 * Other views of a plan than -n's: in sentences, as JSON, as a picture for dot(1). None shows a secret. */
#ifndef CATENA_PLAN_VIEWS_H
#define CATENA_PLAN_VIEWS_H

#include <stdio.h>

#include "catena/plan.h"

void plan_explain(const struct plan *p, FILE *f);
void plan_json(const struct plan *p, FILE *f); /* one object, on one line */
void plan_json_error(const struct err *e, FILE *f); /* another one, where there is no plan */
void plan_dot(const struct plan *p, FILE *f);

/* Keyword in small letters and parameters, as they were typed. */
void plan_view_address(const struct addr *a, FILE *f);

#endif
