/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program and what it has started: a shell's SIGTERM is not its command's. */
#ifndef CATENA_FAMILY_H
#define CATENA_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

/* To the program, which has not been collected yet, and all that descends from it; leads: and to all
 * of its process group. Who has left for a parent of its own choice (a daemon) is left alone. */
void family_signal(pid_t pid, bool leads, int sig);
/* The program has ended: to those of its group that it has left behind. */
void family_signal_orphans(pid_t pid, int sig);

#endif
