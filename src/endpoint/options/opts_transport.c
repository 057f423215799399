/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for all protocols with ports, and for the rarer of them. */
#include <linux/dccp.h>
#include <sys/socket.h>

#include "endpoint/options/apply.h"

/* The system's headers leave these out. */
enum { LEVEL_UDPLITE = 136, UDPLITE_SEND = 10, UDPLITE_RECV = 11, LEVEL_DCCP = 269 };

#define GROUP_PORTS (GROUP_UDP | GROUP_TCP | GROUP_SCTP | GROUP_DCCP | GROUP_UDPLITE)

NAMED_OPTION(opt_lowport, "lowport", NULL, GROUP_PORTS, LATE, BOOL,
             "clients: use a source port of 640..1023; servers: accept only such");
NAMED_OPTION(opt_sourceport, "sourceport", "sp", GROUP_PORTS, LATE, USHORT,
             "clients: use this source port; servers: accept only it");

OPTION_TABLE(transport) = {
    &opt_lowport, &opt_sourceport,
    OPTION("dccp-set-ccid", "ccid", GROUP_DCCP, PASTSOCKET, BYTE, "congestion control id",
           .apply = apply_sockopt_byte, .a = LEVEL_DCCP, .b = DCCP_SOCKOPT_CCID),
    OPTION("udplite-recv-cscov", NULL, GROUP_UDPLITE, FD, INT,
           "least checksum coverage of packets received",
           .apply = apply_sockopt_int, .a = LEVEL_UDPLITE, .b = UDPLITE_RECV),
    OPTION("udplite-send-cscov", NULL, GROUP_UDPLITE, FD, INT, "checksum coverage of packets sent",
           .apply = apply_sockopt_int, .a = LEVEL_UDPLITE, .b = UDPLITE_SEND),
    OPTIONS_END,
};
