/* SPDX-License-Identifier: GPL-2.0-or-later
 * Text on a terminal that has less lines: through PAGER, or less. */
#ifndef CATENA_PAGER_H
#define CATENA_PAGER_H

#include <stddef.h>

/* Shows the text on standard output. Where no pager can be had it is just written. Gives 0, or -1 with
 * errno when it cannot be written. */
int pager_show(const char *text, size_t n);

#endif
