/* SPDX-License-Identifier: GPL-2.0-or-later
 * While planning a typical value stands in the place of each hole, so that what can be known wrong is
 * said then. Errors are of the one that is tried first. */
#ifndef CATENA_TEMPLATE_H
#define CATENA_TEMPLATE_H

#include "catena/facts.h"
#include "catena/option.h"

int template_sample(struct arena *a, const struct template *t, const char **out, struct err *e);
int opt_sample(struct arena *a, const struct catena *c, struct opt *o, struct err *e);

#endif
