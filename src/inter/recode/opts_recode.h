/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_recode.c that code asks for by name. */
#ifndef OPTS_RECODE_H
#define OPTS_RECODE_H

#include "catena/option.h"

extern const struct option_desc opt_on_error;
extern const struct option_desc *const options_recode[];

#endif
