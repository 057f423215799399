/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_tap.c that code asks for by name. */
#ifndef OPTS_TAP_H
#define OPTS_TAP_H

#include "catena/option.h"

extern const struct option_desc opt_format, opt_direction, opt_label;
extern const struct option_desc *const options_tap[];

#endif
