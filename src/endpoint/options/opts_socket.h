/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_socket.c that code asks for by name. */
#ifndef OPTS_SOCKET_H
#define OPTS_SOCKET_H

#include "catena/option.h"

extern const struct option_desc opt_bind, opt_pf, opt_so_protocol,
    opt_null_eof, opt_reuseaddr, opt_so_linger;

#endif
