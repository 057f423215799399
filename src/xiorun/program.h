/* SPDX-License-Identifier: GPL-2.0-or-later
 * The program that is to be run: where it is, and whether a preload library reaches it. */
#ifndef CATENA_XIORUN_PROGRAM_H
#define CATENA_XIORUN_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* As execvp() finds it. False: errno is ENOENT, or what is there cannot be executed. */
bool program_find(const char *name, char path[PATH_MAX]);
/* Why the library does not reach it; NULL: it does, as far as can be seen. Scripts count as what interprets them. */
const char *program_is_out_of_reach(const char *path);
/* Does it get more rights than its caller has? */
bool program_gains_rights(const char *path);

#endif
