/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of WS and WS-SERVER. */
#include "inter/ws/opts_ws.h"

#include "catena/option_row.h"
#include "catena/options.h"
#include "inter/proxy/opts_server.h"
#include "inter/records/opts_records.h"

NAMED_OPTION(opt_uri, "uri", NULL, 0, SPECIFIC, STRING,
             "path, and query, that is asked for (default /), or that alone is served");
NAMED_OPTION(opt_http_host, "host", NULL, 0, SPECIFIC, STRING,
             "client: the host and port that are asked for; default: where the chain leads");
NAMED_OPTION(opt_header, "header", NULL, 0, SPECIFIC, STRING,
             "one more \"<name>: <value>\" for the request or the answer; may be given again");
NAMED_OPTION(opt_origin, "origin", NULL, 0, SPECIFIC, STRING,
             "client: the origin to tell; server: a pattern of those that may come (empty: those without one), may be "
             "given again");
NAMED_OPTION(opt_subprotocol, "subprotocol", NULL, 0, SPECIFIC, STRING,
             "what the messages are; several, with blanks between them, of which the peer may choose");
NAMED_OPTION(opt_text, "text", NULL, 0, SPECIFIC, BOOL, "send text, which has to be UTF-8");
NAMED_OPTION(opt_binary, "binary", NULL, 0, SPECIFIC, BOOL, "send bytes (default)");
NAMED_OPTION(opt_ping, "ping", NULL, 0, SPECIFIC, TIMEVAL,
             "seconds without anything from the peer, after which it is asked whether it is there",
             FROM_TO(0, 1000000));
NAMED_OPTION(opt_pong_timeout, "pong-timeout", NULL, 0, SPECIFIC, TIMEVAL,
             "seconds that the peer may take for the answer to that, default 30, 0 for ever", FROM_TO(0, 1000000));
NAMED_OPTION(opt_ws_deflate, "deflate", NULL, 0, SPECIFIC, INT_NULL,
             "compress messages if the peer can (RFC 7692); 1 (fast) to 9 (best), default 6", FROM_TO(0, 9));
NAMED_SECRET(opt_ws_auth, "auth", NULL, NULL, NULL, 0, SPECIFIC, "<user>:<password> for the server");
NAMED_OPTION(opt_static, "static", NULL, 0, SPECIFIC, STRING,
             "server: the file that other requests get, or 404");
NAMED_OPTION(opt_half_close, "half-close", NULL, 0, SPECIFIC, BOOL,
             "say Close at the end of the data (default); 0: when the peer has, too");

static const struct option_desc max_size =
    OPTION_FIELDS("max-size", NULL, 0, SPECIFIC, LONG,
                  "bytes that a message may have; default: any number, and 1048576 where it becomes a packet",
                  FROM_TO(1, 1099511627776), .same_as = &opt_max_size);

#define BOTH                                                                                                           \
    &opt_uri, &opt_header, &opt_origin, &opt_subprotocol, &opt_text, &opt_binary, &opt_ping, &opt_pong_timeout,       \
        &max_size, &opt_ws_deflate, &opt_half_close, &opt_handshake_timeout

OPTION_TABLE(ws) = {BOTH, &opt_http_host, NAMED_SECRET_ROWS(opt_ws_auth), OPTIONS_END};
OPTION_TABLE(ws_server) = {BOTH, &opt_static, &opt_auth, &opt_auth_env, &opt_auth_file, &opt_reload,
                           OPTIONS_END};
