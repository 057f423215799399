/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_pty.c that code asks for by name. */
#ifndef OPTS_PTY_H
#define OPTS_PTY_H

#include "catena/option.h"

extern const struct option_desc opt_openpty, opt_ptmx, opt_pty_interval, opt_pty_wait_slave,
    opt_sitout_eio, opt_pty_link, opt_track_line;

#endif
