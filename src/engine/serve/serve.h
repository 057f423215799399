/* SPDX-License-Identifier: GPL-2.0-or-later
 * From a plan to its runs: opens both chains (again and again where fork, thread or retry say so)
 * and lets the line relay. */
#ifndef CATENA_SERVE_H
#define CATENA_SERVE_H

#include <stdbool.h>

#include "catena/plan.h"
#include "catena/settings.h"

/* Does everything the plan says and gives the exit status. Errors have been logged. *forked: this is
 * a child by now, for which nothing of its parent's need be freed. */
int serve(const struct settings *s, const struct plan *p, int signal_fd, bool *forked);

#endif
