/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that WS and WS-SERVER ask for. */
#ifndef CATENA_INTER_OPTS_WS_H
#define CATENA_INTER_OPTS_WS_H

#include "catena/option.h"

extern const struct option_desc opt_uri, opt_http_host, opt_header, opt_origin, opt_subprotocol, opt_text, opt_binary,
    opt_ping, opt_pong_timeout, opt_ws_deflate, opt_ws_auth, opt_static, opt_half_close;
extern const struct option_desc *const options_ws[], *const options_ws_server[];

#endif
