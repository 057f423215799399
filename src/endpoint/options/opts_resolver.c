/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for name resolution, in force while their address resolves names; the resolving code
 * asks for them. */
#include "catena/option_row.h"

#define GROUP_IP (GROUP_IP4 | GROUP_IP6)
#define AI(n, al, which, h)                                                                        \
    OPTION(n, al, GROUP_IP, OFFSET, BOOL, h, .id = OPT_AI_##which)
#define RES(n, al, which, h)                                                                       \
    OPTION(n, al, GROUP_IP, OFFSET, BOOL, h, .id = OPT_RES_##which)

OPTION_TABLE(resolver) = {
    AI("ai-addrconfig", "addrconfig", ADDRCONFIG, "only addresses of versions the host itself has"),
    AI("ai-all", NULL, ALL, "with ai-v4mapped: version 4 addresses besides those of version 6"),
    AI("ai-passive", "passive", PASSIVE, "no name means any local address"),
    AI("ai-v4mapped", "v4mapped", V4MAPPED,
       "version 4 addresses as mapped ones where version 6 is wanted"),
    OPTION("res-aaonly", "aaonly", GROUP_IP, INIT, BOOL,
           "accept authoritative answers only (no effect in current libraries)",
           .id = OPT_RES_AAONLY),
    RES("res-debug", NULL, DEBUG, "the resolver prints what it does"),
    RES("res-defnames", "defnames", DEFNAMES, "append the default domain to single words"),
    RES("res-dnsrch", "dnsrch", DNSRCH, "search the domains configured"),
    RES("res-igntc", "igntc", IGNTC, "ignore truncated answers"),
    OPTION("res-nsaddr", "dns nameserver nsaddr", GROUP_IP, OFFSET, IP4SOCK,
           "ask this name server, <host>[:<port>]", .id = OPT_RES_NSADDR),
    OPTION("res-primary", "primary", GROUP_IP, INIT, BOOL,
           "ask primary servers only (no effect in current libraries)", .id = OPT_RES_PRIMARY),
    RES("res-recurse", "recurse", RECURSE, "the server asks others"),
    OPTION("res-retrans", "res-maxretrans retrans", GROUP_IP, OFFSET, INT,
           "seconds between queries", .id = OPT_RES_RETRANS),
    OPTION("res-retry", "res-maxretry", GROUP_IP, OFFSET, INT, "number of queries",
           .id = OPT_RES_RETRY),
    RES("res-stayopen", "stayopen", STAYOPEN, "keep the TCP connection between queries"),
    RES("res-usevc", "usevc", USEVC, "ask over TCP"),
    OPTIONS_END,
};
