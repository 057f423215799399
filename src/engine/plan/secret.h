/* SPDX-License-Identifier: GPL-2.0-or-later
 * Secrets (options with option_desc.secret) stay out of sight: of the process list, of messages, of
 * what programs inherit. */
#ifndef CATENA_SECRET_H
#define CATENA_SECRET_H

#include "catena/err.h"
#include "catena/plan.h"

/* Overwrites values of secret options in the text of an argument with asterisks. Goes by the text
 * alone, before anything could be said about it; in doubt it hides too much. v1: there are no
 * chains. Fails without memory only. */
int secret_mask(const struct registry *known, char *argument, bool v1, struct err *e);
/* The same for an argument of the command line. Gives a copy of what it was in *copy (to free with
 * secret_free), which messages never show; NULL when there is nothing to hide. */
int secret_hide_argument(const struct registry *known, char *argument, bool v1, char **copy,
                         struct err *e);
void secret_free(char *copy);

#endif
