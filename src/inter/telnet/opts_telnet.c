/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of TELNET, RFC2217 and their servers. */
#include "inter/telnet/opts_telnet.h"

#include "catena/option_row.h"

#define ROW(row, n, type, ...) NAMED_OPTION(row, n, NULL, 0, SPECIFIC, type, __VA_ARGS__)

ROW(opt_telnet_binary, "binary", BOOL, "telnet: bytes pass as they are, both ways, if the peer agrees; default 1");
ROW(opt_telnet_charset, "charset", STRING, "telnet: the character set to agree upon");
ROW(opt_telnet_echo, "echo", BOOL, "telnet server: what is typed is shown by this side, character by character; default 1");
ROW(opt_telnet_env, "env", STRING, "telnet client: a variable for a server that asks, <name>=<value>; may be repeated");
ROW(opt_telnet_term, "term", STRING, "telnet client: type of the terminal, for a server that asks; default $TERM");
ROW(opt_telnet_wait, "wait", TIMEVAL,
    "telnet server: seconds to wait for the client's type of terminal and user; default 1, 0 does not ask", FROM_TO(0, 1000000));

ROW(opt_line_baud, "baud", LONG, "rfc2217: the line's rate in bits per second", FROM_TO(1, UINT32_MAX));
ROW(opt_line_dtr, "dtr", BOOL, "rfc2217: the line's DTR");
ROW(opt_line_flow, "flow", STRING, "rfc2217: how senders are held back: none, xonxoff or rtscts");
ROW(opt_line_lax, "lax", BOOL, "rfc2217: go on with a server that does not know RFC 2217");
ROW(opt_line_parity, "parity", STRING, "rfc2217: none, odd, even, mark or space");
ROW(opt_line_rts, "rts", BOOL, "rfc2217: the line's RTS");
ROW(opt_line_signature, "signature", STRING, "rfc2217: the name to give to a peer that asks, default catena");
ROW(opt_line_size, "size", UINT, "rfc2217: bits of a character, 5 to 8", FROM_TO(5, 8));
ROW(opt_line_stop, "stop", STRING, "rfc2217: stop bits, 1, 2 or 1.5");

OPTION_TABLE(telnet_client) = {&opt_telnet_binary, &opt_telnet_charset, &opt_telnet_env, &opt_telnet_term, OPTIONS_END};
OPTION_TABLE(telnet_server) = {&opt_telnet_binary, &opt_telnet_charset, &opt_telnet_echo, &opt_telnet_wait, OPTIONS_END};
OPTION_TABLE(rfc2217_client) = {
    &opt_telnet_binary, &opt_line_baud, &opt_line_dtr,       &opt_line_flow, &opt_line_lax, &opt_line_parity,
    &opt_line_rts,      &opt_line_signature, &opt_line_size, &opt_line_stop, OPTIONS_END,
};
OPTION_TABLE(rfc2217_server) = {&opt_telnet_binary, &opt_line_signature, OPTIONS_END};
