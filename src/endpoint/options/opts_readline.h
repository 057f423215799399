/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_readline.c that code asks for by name. */
#ifndef OPTS_READLINE_H
#define OPTS_READLINE_H

#include "catena/option.h"

extern const struct option_desc opt_noecho, opt_noprompt, opt_prompt;

#endif
