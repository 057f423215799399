/* SPDX-License-Identifier: GPL-2.0-or-later
 * Tables that only the command asks for by themselves; the others make the registry. */
#ifndef CATENA_CLI_TABLES_H
#define CATENA_CLI_TABLES_H

#include "catena/library.h"

extern const struct library_about *const library_tables[]; /* up to NULL; each up to one without a name */

#endif
