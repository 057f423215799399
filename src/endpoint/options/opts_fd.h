/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_fd.c that code asks for by name. */
#ifndef OPTS_FD_H
#define OPTS_FD_H

#include "catena/option.h"

extern const struct option_desc opt_o_append, opt_cool_write, opt_group, opt_shut_close,
    opt_shut_down, opt_shut_null, opt_user;

#endif
