/* SPDX-License-Identifier: GPL-2.0-or-later
 * Data dumps (-v, -x) in v1's layout, always on standard error, and the names of raw dumps. */
#ifndef CATENA_DUMP_H
#define CATENA_DUMP_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct run;

/* One block: header, then text, hex, or both. offset: of its first byte in its direction. */
void dump_block(char direction, unsigned long long offset, const unsigned char *p, size_t n,
                bool text, bool hex);
/* Expands $PROGNAME $TIMESTAMP $MICROS $$ $NAME ${NAME} and \$, where unset variables are empty, and
 * {fact}. -1: the result does not fit, or a fact is no part of a name. */
int dump_file_name(struct run *r, const char *pattern, char *out, size_t cap, struct err *e);

#endif
