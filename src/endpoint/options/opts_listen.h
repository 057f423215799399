/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_listen.c that code asks for by name. */
#ifndef OPTS_LISTEN_H
#define OPTS_LISTEN_H

#include "catena/option.h"

extern const struct option_desc opt_accept_timeout, opt_backlog, opt_range, opt_tcpwrap_etc,
    opt_tcpwrap_allow, opt_tcpwrap_deny;

#endif
