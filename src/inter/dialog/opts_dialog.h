/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_dialog.c that code asks for by name. */
#ifndef OPTS_DIALOG_H
#define OPTS_DIALOG_H

#include "catena/option.h"

extern const struct option_desc opt_await, opt_send, opt_abort, opt_timeout, opt_on_fail, opt_say_end;
extern const struct option_desc *const options_dialog[];

#endif
