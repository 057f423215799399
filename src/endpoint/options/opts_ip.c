/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for sockets over IP version 4, most of which version 6 sockets take as well. */
#include <netinet/in.h>

#include "endpoint/options/apply.h"

#define GROUP_IP (GROUP_IP4 | GROUP_IP6)
#define IP_ROW(n, al, phase, type, f, opt, h)                                                      \
    OPTION(n, al, GROUP_IP, phase, type, h, .apply = apply_##f, .a = SOL_IP, .b = opt)
#define IP_NAMES(n, al, type, f, opt, h)                                                           \
    OPTION(n, al, GROUP_IP, PASTSOCKET, type, h, .apply = apply_##f, .look_up = look_up_mcast,     \
           .a = SOL_IP, .b = opt)
#define IP_INT(n, al, opt, h) IP_ROW(n, al, PASTSOCKET, INT, sockopt_int, opt, h)

OPTION_TABLE(ip) = {
    IP_NAMES("ip-add-membership", "add-membership ip-membership membership",
             MREQN, ip_membership, IP_ADD_MEMBERSHIP,
             "<group>:<interface>: receive what is sent to this multicast group"),
    IP_NAMES("ip-add-source-membership", "add-source-membership source-membership",
             MREQ_SOURCE, ip_source_membership, IP_ADD_SOURCE_MEMBERSHIP,
             "<group>:<interface address>:<source>: receive what this source sends to the group"),
    IP_INT("ip-freebind", "freebind ipfreebind", IP_FREEBIND,
           "allow binding to addresses the host does not have yet"),
    IP_INT("ip-hdrincl", "hdrincl iphdrincl", IP_HDRINCL,
           "raw sockets: data sent includes the IP header"),
    IP_INT("ip-mtu", "ipmtu mtu", IP_MTU, "path MTU of the connection (read-only)"),
    IP_INT("ip-mtu-discover", "ipmtudiscover mtudiscover", IP_MTU_DISCOVER,
           "path MTU discovery: 0 never, 1 wanted, 2 always"),
    IP_NAMES("ip-multicast-if", "multicast-if", IP4NAME, ip_multicast_if, IP_MULTICAST_IF,
             "interface (address, name or index) for multicasts sent"),
    IP_ROW("ip-multicast-loop", "ipmulticastloop mcloop multicast-loop multicastloop",
           PASTSOCKET, BYTE, sockopt_byte, IP_MULTICAST_LOOP,
           "multicasts sent come back to the host"),
    IP_ROW("ip-multicast-ttl", "ipmulticastttl multicast-ttl multicastttl",
           PASTSOCKET, BYTE, sockopt_byte, IP_MULTICAST_TTL, "time to live of multicasts sent"),
    IP_ROW("ip-options", "ipoptions", PASTSOCKET, BIN, ip_options, IP_OPTIONS,
           "IP options as binary data, appended to those given before"),
    IP_INT("ip-pktinfo", "ippktinfo pktinfo", IP_PKTINFO,
           "receive destination address and interface of packets"),
    IP_INT("ip-pktoptions", "ippktoptions pktoptions pktopts", IP_PKTOPTIONS,
           "ancillary data of the connection (read-only)"),
    IP_INT("ip-recverr", "iprecverr recverr", IP_RECVERR, "receive detailed error information"),
    IP_INT("ip-recvopts", "iprecvopts recvopts", IP_RECVOPTS, "receive the IP options of packets"),
    IP_INT("ip-recvtos", "iprecvtos recvtos", IP_RECVTOS, "receive the type of service of packets"),
    IP_INT("ip-recvttl", "iprecvttl recvttl", IP_RECVTTL, "receive the time to live of packets"),
    IP_INT("ip-retopts", "ipretopts retopts", IP_RETOPTS, "receive the IP options unprocessed"),
    IP_INT("ip-router-alert", "iprouteralert routeralert", IP_ROUTER_ALERT,
           "raw sockets: receive packets with the router alert option"),
    IP_INT("ip-tos", "iptos tos", IP_TOS, "type of service of packets sent"),
    IP_ROW("ip-transparent", "transparent", PREBIND, BOOL, sockopt_int, IP_TRANSPARENT,
           "allow binding to foreign addresses (transparent proxy)"),
    IP_INT("ip-ttl", "ipttl ttl", IP_TTL, "time to live of packets sent"),
    OPTION("ipv6-mtu-discover", "mtudiscover6", GROUP_IP, PASTSOCKET, INT,
           "path MTU discovery: 0 never, 1 wanted, 2 always",
           .apply = apply_sockopt_int, .a = SOL_IPV6, .b = IPV6_MTU_DISCOVER),
    OPTIONS_END,
};
