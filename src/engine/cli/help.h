/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tables say, for people and scripts: -h, -hh, -hhh, -V. */
#ifndef CATENA_HELP_H
#define CATENA_HELP_H

#include <stdbool.h>
#include <stdio.h>

struct err;

int help_print(FILE *f, int level, struct err *e); /* level 1 to 3 */
void help_version(FILE *f, bool v1_name); /* scripts look for "socat version" under that name */

#endif
