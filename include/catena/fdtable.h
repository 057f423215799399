/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table of descriptors that -D shows: what filan prints about them, from inside the process. */
#ifndef CATENA_FDTABLE_H
#define CATENA_FDTABLE_H

#include <stddef.h>

/* A header line and a long line for each of fds that is open, in this order and each once (below a
 * terminal's, one more line with its window size), as data of the log. */
void fdtable_print(const int fds[], size_t n);

#endif
