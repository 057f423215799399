/* SPDX-License-Identifier: GPL-2.0-or-later
 * Text for terminals: lines are broken between words. */
#ifndef CATENA_WRAP_H
#define CATENA_WRAP_H

#include <stdio.h>

/* 0: f is no terminal, or does not tell. */
size_t wrap_width(FILE *f);

/* What of a line goes on is indented by two more than its beginning; width 0 breaks none. */
void wrap_print(FILE *f, const char *text, size_t width);

#endif
