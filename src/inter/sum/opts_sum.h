/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_sum.c that code asks for by name. */
#ifndef OPTS_SUM_H
#define OPTS_SUM_H

#include "catena/option.h"

extern const struct option_desc opt_expect;
extern const struct option_desc *const options_sum[];

#endif
