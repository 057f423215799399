/* SPDX-License-Identifier: GPL-2.0-or-later
 * The libraries that only some lines need, loaded when they do: a program that only relays starts
 * and forks in half the time without them. Where the architecture is not known to libraries_lazy.c
 * they are linked as usual (libraries_linked.c), and loading them does nothing. */
#ifndef CATENA_INTER_LIBRARIES_H
#define CATENA_INTER_LIBRARIES_H

#include "catena/err.h"

/* To be called before the first call into that library. Any thread, any number of times. */
int libraries_load_openssl(struct err *e);
int libraries_load_zlib(struct err *e);

#endif
