/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signals are blocked in every thread and taken from one signalfd; no handler does work. */
#ifndef CATENA_SIGNALS_H
#define CATENA_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "catena/err.h"
#include "catena/settings.h"

struct run;

/* Once, before the first thread: blocks what is caught, ignores those that
 * write(2) tells as an error. Gives the signalfd. */
int signals_init(const struct settings *s, struct err *e);
/* Takes what has arrived. Gives true when the run has to end; r->ended_signal says by which.
 * SIGCHLD goes to r->reaper. */
bool signals_take(struct run *r);

#endif
