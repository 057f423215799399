/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tables say, for people and scripts: -h, -hh, -hhh, -V. */
#ifndef CATENA_HELP_H
#define CATENA_HELP_H

#include <stdbool.h>
#include <stdio.h>

struct err;
struct registry;

/* level 1 to 3 */
int help_print(FILE *f, const struct registry *known, int level, struct err *e);
/* Scripts look for "socat version" under that name. */
void help_version(FILE *f, const struct registry *known, bool v1_name);

#endif
