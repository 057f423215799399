/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signals are blocked in every thread and taken from one descriptor; no handler does work. */
#ifndef CATENA_SIGNAL_FD_H
#define CATENA_SIGNAL_FD_H

#include "catena/err.h"
#include "catena/settings.h"

/* Once, before the first thread: blocks what is caught, ignores those that write(2) tells as an error.
 * Gives the signalfd. */
int signal_fd_open(const struct settings *s, struct err *e);

#endif
