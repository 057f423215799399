/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_program.c that code asks for by name. */
#ifndef OPTS_PROGRAM_H
#define OPTS_PROGRAM_H

#include "catena/option.h"

extern const struct option_desc opt_commtype, opt_dash, opt_end_timeout, opt_left_fd, opt_left_in,
    opt_left_out, opt_path, opt_pipes, opt_pty, opt_right_fd, opt_right_in, opt_right_out,
    opt_shell, opt_sighup, opt_sigint, opt_sigquit, opt_stderr;

#endif
