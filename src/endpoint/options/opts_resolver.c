/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for name resolution, in force while their address resolves names; the resolving code
 * asks for them. */
#include "catena/option_row.h"

#define GROUP_IP (GROUP_IP4 | GROUP_IP6)
#define FLAG(row, n, al, h) NAMED_OPTION(row, n, al, GROUP_IP, OFFSET, BOOL, h)

FLAG(opt_ai_addrconfig, "ai-addrconfig", "addrconfig",
     "only addresses of versions the host itself has");
FLAG(opt_ai_all, "ai-all", NULL,
     "with ai-v4mapped: version 4 addresses besides those of version 6");
FLAG(opt_ai_passive, "ai-passive", "passive", "no name means any local address");
FLAG(opt_ai_v4mapped, "ai-v4mapped", "v4mapped",
     "version 4 addresses as mapped ones where version 6 is wanted");
NAMED_OPTION(opt_res_aaonly, "res-aaonly", "aaonly", GROUP_IP, INIT, BOOL,
             "accept authoritative answers only (no effect in current libraries)");
FLAG(opt_res_debug, "res-debug", NULL, "the resolver prints what it does");
FLAG(opt_res_defnames, "res-defnames", "defnames", "append the default domain to single words");
FLAG(opt_res_dnsrch, "res-dnsrch", "dnsrch", "search the domains configured");
FLAG(opt_res_igntc, "res-igntc", "igntc", "ignore truncated answers");
NAMED_OPTION(opt_res_nsaddr, "res-nsaddr", "dns nameserver nsaddr", GROUP_IP, OFFSET, IP4SOCK,
             "ask this name server, <host>[:<port>]");
NAMED_OPTION(opt_res_primary, "res-primary", "primary", GROUP_IP, INIT, BOOL,
             "ask primary servers only (no effect in current libraries)");
FLAG(opt_res_recurse, "res-recurse", "recurse", "the server asks others");
NAMED_OPTION(opt_res_retrans, "res-retrans", "res-maxretrans retrans", GROUP_IP, OFFSET, INT,
             "seconds between queries");
NAMED_OPTION(opt_res_retry, "res-retry", "res-maxretry", GROUP_IP, OFFSET, INT,
             "number of queries");
FLAG(opt_res_stayopen, "res-stayopen", "stayopen", "keep the TCP connection between queries");
FLAG(opt_res_usevc, "res-usevc", "usevc", "ask over TCP");

OPTION_TABLE(resolver) = {
    &opt_ai_addrconfig, &opt_ai_all, &opt_ai_passive, &opt_ai_v4mapped, &opt_res_aaonly,
    &opt_res_debug, &opt_res_defnames, &opt_res_dnsrch, &opt_res_igntc, &opt_res_nsaddr,
    &opt_res_primary, &opt_res_recurse, &opt_res_retrans, &opt_res_retry, &opt_res_stayopen,
    &opt_res_usevc,
    OPTIONS_END,
};
