/* SPDX-License-Identifier: GPL-2.0-or-later
 * Text for terminals: lines are broken between words. */
#ifndef CATENA_WRAP_H
#define CATENA_WRAP_H

#include <stdio.h>

/* Of standard output; 0: it is no terminal, or does not tell. */
size_t wrap_width(void);

/* What of a line goes on is indented by so much more than its beginning; width 0 breaks none. */
void wrap_print(FILE *f, const char *text, size_t width, size_t deeper);

#endif
