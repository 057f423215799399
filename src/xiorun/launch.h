/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a program is started with all that makes its connections go through chains. */
#ifndef CATENA_XIORUN_LAUNCH_H
#define CATENA_XIORUN_LAUNCH_H

#include <stdbool.h>

#include "xiorun/rulebook.h"

enum { WRONG = 1, NOT_RUN = 126, NOT_FOUND = 127 };

struct wishes {
    const char *chain, *rules;
    bool quiet, strict;
    int lease; /* --helper */
};

/* Says what is wrong; gives -1. */
int complain(const char *what, const char *why);

/* The program takes the place of the process, with the lease. Comes back with an exit status if that is not to be. */
int launch(const struct wishes *w, int lease, const char *path, char **argv);
/* Do our own connections go through the chain of another xiorun? */
bool is_within_another(void);
/* Where nothing is to be read or written any more. */
void leave_input_and_output(void);

/* strict_run.c: the program as a child, --strict. Gives the exit status. */
int run_strictly(const struct wishes *w, const struct rulebook *rules, const char *path, char **argv);

#endif
