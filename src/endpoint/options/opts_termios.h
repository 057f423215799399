/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_termios.c that code asks for by name. */
#ifndef OPTS_TERMIOS_H
#define OPTS_TERMIOS_H

#include "catena/option.h"

extern const struct option_desc opt_ctty;

#endif
