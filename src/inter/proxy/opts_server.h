/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_server.c that code asks for by name. */
#ifndef OPTS_SERVER_H
#define OPTS_SERVER_H

#include "catena/option.h"

extern const struct option_desc opt_auth, opt_auth_env, opt_auth_file, opt_allow, opt_deny, opt_open, opt_commands, opt_realm, opt_udp_address,
    opt_udp_ports;
extern const struct option_desc *const options_socks_server[], *const options_proxy_server[],
    *const options_socks_udp[];

#endif
