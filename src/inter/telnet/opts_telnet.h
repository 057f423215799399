/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_telnet.c that code asks for by name. */
#ifndef OPTS_TELNET_H
#define OPTS_TELNET_H

#include "catena/option.h"

extern const struct option_desc opt_telnet_binary, opt_telnet_charset, opt_telnet_echo, opt_telnet_env, opt_telnet_term,
    opt_telnet_wait;
extern const struct option_desc opt_line_baud, opt_line_dtr, opt_line_flow, opt_line_lax, opt_line_parity, opt_line_rts,
    opt_line_signature, opt_line_size, opt_line_stop;
extern const struct option_desc *const options_telnet_client[], *const options_telnet_server[];
extern const struct option_desc *const options_rfc2217_client[], *const options_rfc2217_server[];

#endif
