/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tables and the manual say, for people and scripts: -h, -hh, -hhh. */
#ifndef CATENA_HELP_H
#define CATENA_HELP_H

#include <stdbool.h>
#include <stdio.h>

struct err;
struct registry;

/* All there is, in lines as v1 writes them; level 1 to 3. sentences: behind each line what it is. */
int help_print(FILE *f, const struct registry *known, int level, bool sentences, struct err *e);
/* What fits on a screen: the names, and how to ask for more. */
void help_screen(FILE *f, const struct registry *known);
/* About whatever is called so; whole: with all options. Fails when nothing is. */
int help_topic(FILE *f, const struct registry *known, const char *name, bool whole, struct err *e);
/* The keyword that it is with a 4 or 6 in it: TCP-LISTEN of TCP4-LISTEN; NULL: it is none such. */
const char *help_plain(const struct registry *known, const char *keyword);

#endif
