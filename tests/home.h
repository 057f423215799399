/* SPDX-License-Identifier: GPL-2.0-or-later
 * The instance that a test is at home in: knows what the program knows, owns the process, and has no
 * variables. Silent until home_speaks(). For one test program each: all is static. */
#ifndef CATENA_TESTS_HOME_H
#define CATENA_TESTS_HOME_H

#include "catena/catena.h"
#include "catena/registry.h"

static struct catena home = {.known = &builtin_registry, .owns_process = true};
static struct diag_peer home_peer __attribute__((unused)) = {.catena = &home};

/* From now on this thread's messages up to that level go to standard error, or where home.log says. */
static inline void home_speaks(enum diag_level level)
{
    home.log.level = level;
    (void)diag_about(&home_peer);
}

#endif
