/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for sockets over IP version 6. */
#include <netinet/in.h>

#include "endpoint/options/apply.h"

#define IP6_ROW(n, al, phase, type, f, opt, h)                                                     \
    OPTION(n, al, GROUP_IP6, phase, type, h, .apply = apply_##f, .a = SOL_IPV6, .b = opt)
#define IP6_NAMES(n, al, type, f, opt, h)                                                          \
    OPTION(n, al, GROUP_IP6, PASTSOCKET, type, h, .apply = apply_##f, .look_up = look_up_mcast,    \
           .a = SOL_IPV6, .b = opt)
#define IP6_INT(n, al, opt, h) IP6_ROW(n, al, PASTSOCKET, INT, sockopt_int, opt, h)

OPTION_TABLE(ip6) = {
    IP6_INT("ipv6-authhdr", "authhdr", IPV6_AUTHHDR, "receive the authentication header"),
    IP6_INT("ipv6-dstopts", "dstopts", IPV6_DSTOPTS, "destination options of packets sent"),
    IP6_INT("ipv6-hoplimit", "hoplimit", IPV6_HOPLIMIT, "hop limit of packets sent"),
    IP6_INT("ipv6-hopopts", "hopopts", IPV6_HOPOPTS, "hop-by-hop options of packets sent"),
    IP6_NAMES("ipv6-join-group", "ipv6-add-membership join-group",
              MREQN, ip6_membership, IPV6_JOIN_GROUP,
              "<[group]>:<interface>: receive what is sent to this multicast group"),
    IP6_NAMES("ipv6-join-source-group", "ipv6-add-source-membership join-source-group",
              GENERIC, ip6_source_membership, MCAST_JOIN_SOURCE_GROUP,
              "<[group]>:<interface>:<[source]>: receive what this source sends to the group"),
    IP6_INT("ipv6-multicast-loop", "ipv6-mcloop mcloop6", IPV6_MULTICAST_LOOP,
            "multicasts sent come back to the host"),
    IP6_INT("ipv6-pktinfo", NULL, IPV6_PKTINFO, "source address and interface of packets sent"),
    IP6_INT("ipv6-recvdstopts", "recvdstopts", IPV6_RECVDSTOPTS,
            "receive the destination options of packets"),
    IP6_INT("ipv6-recverr", NULL, IPV6_RECVERR, "receive detailed error information"),
    IP6_INT("ipv6-recvhoplimit", "recvhoplimit", IPV6_RECVHOPLIMIT,
            "receive the hop limit of packets"),
    IP6_INT("ipv6-recvhopopts", "recvhopopts", IPV6_RECVHOPOPTS,
            "receive the hop-by-hop options of packets"),
    IP6_INT("ipv6-recvpathmtu", NULL, IPV6_RECVPATHMTU, "receive changes of the path MTU"),
    IP6_INT("ipv6-recvpktinfo", "recvpktinfo", IPV6_RECVPKTINFO,
            "receive destination address and interface of packets"),
    IP6_INT("ipv6-recvrthdr", "recvrthdr", IPV6_RECVRTHDR, "receive the routing header of packets"),
    IP6_INT("ipv6-recvtclass", NULL, IPV6_RECVTCLASS, "receive the traffic class of packets"),
    IP6_INT("ipv6-rthdr", "rthdr", IPV6_RTHDR, "routing header of packets sent"),
    IP6_INT("ipv6-tclass", NULL, IPV6_TCLASS, "traffic class of packets sent"),
    IP6_INT("ipv6-unicast-hops", "unicast-hops", IPV6_UNICAST_HOPS,
            "hop limit of unicast packets sent"),
    IP6_ROW("ipv6-v6only", "ipv6only v6only", PREBIND, INT, sockopt_int, IPV6_V6ONLY,
            "serve version 6 only, not version 4 as well"),
    OPTIONS_END,
};
