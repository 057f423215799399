/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a process has ended, in people's words. */
#ifndef CATENA_ENDED_H
#define CATENA_ENDED_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* "exited with status 3", "exited on signal 9 (SIGKILL, Killed)". shell: it was one, which lends its
 * status to what it ran. */
void ended_words(const siginfo_t *how, bool shell, char *text, size_t size);
/* On that signal; shell: or what it ran did. */
bool ended_by(const siginfo_t *how, bool shell, int sig);
/* Ended by itself and well. */
bool ended_well(const siginfo_t *how);

#endif
