/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of the servers that connect their clients to wherever they want. */
#include "inter/proxy/opts_server.h"

#include "catena/option_row.h"
#include "catena/options.h"

const struct option_desc opt_auth =
    SECRET_TEXT_FIELDS("auth", NULL, 0, LATE, "<user>:<password> that clients have to log in with");
const struct option_desc opt_auth_env =
    SECRET_ENV_FIELDS("auth", NULL, 0, LATE, "<user>:<password> that clients have to log in with", &opt_auth);
NAMED_OPTION(opt_auth_file, "auth-file", NULL, 0, LATE, STRING,
             "a line <user>:<password or its hash> for each who may log in", .file = true);
NAMED_OPTION(opt_allow, "allow", NULL, 0, LATE, STRING,
             "the only targets that may be reached: names with *, networks, ports, with blanks between");
NAMED_OPTION(opt_deny, "deny", NULL, 0, LATE, STRING, "targets that may not be reached, written as with allow");
NAMED_OPTION(opt_open, "open", NULL, 0, LATE, BOOL, "anybody who reaches this may use it");
NAMED_OPTION(opt_commands, "commands", NULL, 0, LATE, STRING, "what clients may ask for, with blanks between");
NAMED_OPTION(opt_udp_address, "udp-address", NULL, 0, LATE, STRING,
             "the address for packets, instead of the one that the server has or tells");
NAMED_OPTION(opt_udp_ports, "udp-ports", NULL, 0, LATE, STRING,
             "<first>-<last>, the ports at which packets of clients are awaited; default any");
NAMED_OPTION(opt_realm, "realm", NULL, 0, LATE, STRING, "what clients are told they log in to, default catena");

OPTION_TABLE(socks_server) = {
    &opt_allow, &opt_auth, &opt_auth_env, &opt_auth_file, &opt_commands, &opt_deny, &opt_handshake_timeout, &opt_open,
    &opt_reload, &opt_udp_address, &opt_udp_ports,
    OPTIONS_END,
};
OPTION_TABLE(socks_udp) = {
    &opt_udp_address,
    OPTIONS_END,
};
OPTION_TABLE(proxy_server) = {
    &opt_allow, &opt_auth, &opt_auth_env, &opt_auth_file, &opt_commands, &opt_deny, &opt_handshake_timeout, &opt_open,
    &opt_realm, &opt_reload,
    OPTIONS_END,
};
