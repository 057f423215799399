/* SPDX-License-Identifier: GPL-2.0-or-later
 * What signals do to a run, taken from the process's signalfd. */
#ifndef CATENA_SIGNALS_H
#define CATENA_SIGNALS_H

#include <stdbool.h>

struct run;

/* Takes what has arrived. Gives true when the run has to end; r->ended_signal says by which.
 * SIGCHLD goes to r->reaper. */
bool signals_take(struct run *r);

#endif
