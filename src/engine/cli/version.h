/* SPDX-License-Identifier: GPL-2.0-or-later
 * What -V prints: the program, what it was built with and what it has found here. */
#ifndef CATENA_CLI_VERSION_H
#define CATENA_CLI_VERSION_H

#include <stdbool.h>
#include <stdio.h>

#include "catena/registry.h"

void version_print(FILE *f, const struct registry *known, bool v1_name);

#endif
