/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_unix.c that code asks for by name. */
#ifndef OPTS_UNIX_H
#define OPTS_UNIX_H

#include "catena/option.h"

extern const struct option_desc opt_bind_tempname, opt_tightsocklen;

#endif
