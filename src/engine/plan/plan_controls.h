/* SPDX-License-Identifier: GPL-2.0-or-later
 * What travels beside the data (control.h): who on the line gives such, who takes them. */
#ifndef CATENA_PLAN_CONTROLS_H
#define CATENA_PLAN_CONTROLS_H

#include "catena/plan.h"

/* Tells the ends whether somebody takes what they give, and gives what they take. */
int plan_settle_controls(struct plan *p, struct err *e);
/* Notes where they are lost between such. */
int plan_warn_controls(struct plan *p, struct err *e);

#endif
