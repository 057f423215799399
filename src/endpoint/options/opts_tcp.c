/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for TCP sockets. */
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "endpoint/options/apply.h"

#define TCP_ROW(n, al, phase, opt, h)                                                              \
    OPTION(n, al, GROUP_TCP, phase, INT, h, .apply = apply_sockopt_int, .a = SOL_TCP, .b = opt)
#define TCP_INT(n, al, opt, h) TCP_ROW(n, al, PASTSOCKET, opt, h)

OPTION_TABLE(tcp) = {
    TCP_INT("tcp-cork", "cork", TCP_CORK, "send full segments only"),
    TCP_INT("tcp-defer-accept", "defer-accept", TCP_DEFER_ACCEPT,
            "accept when data has arrived; seconds to wait for it"),
    TCP_INT("tcp-info", "info", TCP_INFO, "state of the connection (read-only)"),
    TCP_INT("tcp-keepcnt", "keepcnt", TCP_KEEPCNT, "unanswered probes that end a connection"),
    TCP_INT("tcp-keepidle", "keepidle", TCP_KEEPIDLE, "idle seconds before the first probe"),
    TCP_INT("tcp-keepintvl", "keepintvl", TCP_KEEPINTVL, "seconds between probes"),
    TCP_INT("tcp-linger2", "linger2", TCP_LINGER2, "seconds to stay in state FIN-WAIT-2"),
    TCP_INT("tcp-maxseg", "maxseg mss", TCP_MAXSEG, "maximum segment size, set before connecting"),
    TCP_ROW("tcp-maxseg-late", "maxseg-late mss-late", CONNECTED, TCP_MAXSEG,
            "maximum segment size, set when connected"),
    TCP_INT("tcp-md5sig", NULL, TCP_MD5SIG, "signatures on segments"),
    TCP_INT("tcp-nodelay", "nodelay", TCP_NODELAY, "send small segments at once"),
    TCP_INT("tcp-quickack", "quickack", TCP_QUICKACK, "acknowledge at once"),
    TCP_INT("tcp-syncnt", "syncnt", TCP_SYNCNT, "number of SYN segments before connecting fails"),
    TCP_INT("tcp-window-clamp", "window-clamp", TCP_WINDOW_CLAMP,
            "bound of the advertised window in bytes"),
    OPTIONS_END,
};
