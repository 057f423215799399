/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_appl.c that code asks for by name. */
#ifndef OPTS_APPL_H
#define OPTS_APPL_H

#include "catena/option.h"

extern const struct option_desc opt_ignoreeof;

#endif
