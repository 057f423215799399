/* SPDX-License-Identifier: GPL-2.0-or-later
 * The names of raw dumps (-r, -R). */
#ifndef CATENA_DUMP_H
#define CATENA_DUMP_H

#include <stddef.h>

struct err;
struct run;

/* Expands $PROGNAME $TIMESTAMP $MICROS $$ $NAME ${NAME} and \$, where unset variables are empty, and
 * {fact}. -1: the result does not fit, or a fact is no part of a name. */
int dump_file_name(struct run *r, const char *pattern, char *out, size_t cap, struct err *e);

#endif
