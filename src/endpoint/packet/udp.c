/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP and UDP-Lite addresses: nothing but what makes them so; see inet_dgram.c and udp_listen.c. */
#include <netinet/in.h>

#include "endpoint/packet/ancillary.h"
#include "endpoint/packet/inet_dgram.h"

#define KIND(family_, protocol_, ...)                                                              \
    {                                                                                              \
        .family = (family_), .type = SOCK_DGRAM, .protocol = (protocol_), __VA_ARGS__              \
    }
/* Of those that are connected, and of the others. */
#define KINDS(protocol_)                                                                           \
    {                                                                                              \
        KIND(AF_UNSPEC, protocol_, .shut = PORT_SHUT_NULL, .flags = PORT_SHUT_BOTH),               \
        KIND(AF_INET, protocol_, .shut = PORT_SHUT_NULL, .flags = PORT_SHUT_BOTH),                 \
        KIND(AF_INET6, protocol_, .shut = PORT_SHUT_NULL, .flags = PORT_SHUT_BOTH)                 \
    }
#define LOOSE_KINDS(protocol_)                                                                     \
    {                                                                                              \
        KIND(AF_UNSPEC, protocol_, .shut = PORT_SHUT_NONE),                                        \
        KIND(AF_INET, protocol_, .shut = PORT_SHUT_NONE),                                          \
        KIND(AF_INET6, protocol_, .shut = PORT_SHUT_NONE)                                          \
    }
static const struct sock_kind udp[3] = KINDS(IPPROTO_UDP), udp_loose[3] = LOOSE_KINDS(IPPROTO_UDP);
static const struct sock_kind lite[3] = KINDS(IPPROTO_UDPLITE),
                              lite_loose[3] = LOOSE_KINDS(IPPROTO_UDPLITE);

#define BASE (GROUP_FD | GROUP_SOCKET | GROUP_UDP)
#define TO_HOST .params = ":<host>:<port>", .min_params = 2, .max_params = 2, .target = 1
#define AT_PORT .params = ":<port>", .min_params = 1, .max_params = 1

#define FORM(keyword_, aliases_, params_, left_, groups_, ops_, arg_, records_, gives_, help_)     \
    {                                                                                              \
        .keyword = keyword_, .aliases = aliases_, params_, .left = (left_), .right = RIGHT_NONE,   \
        .groups = (groups_), .kind = FORM_ENDPOINT, .ops.endpoint = &(ops_), .arg = (arg_),        \
        .help = help_, .check = inet_check, .foresee = inet_foresee,                               \
        .records = (records_), .gives = (gives_), .untold = ancillary_untold                       \
    }
/* The six addresses of one protocol and IP version. */
#define SIX(name, transport, over, g, fixed, loose)                                                \
    FORM(name "-CONNECT", name, TO_HOST, CTX_RWB, BASE | (g), udp_connect_ops, fixed, RECORDS_MANY,\
         GIVES_PEER,                                                                               \
         "exchanges packets with a " transport " port" over),                                      \
    FORM(name "-LISTEN", name "-L", AT_PORT, CTX_R | CTX_B,                                        \
         BASE | GROUP_LISTEN | GROUP_CHILD | GROUP_RANGE | (g), udp_listen_ops, fixed,             \
         RECORDS_MANY, GIVES_PEER,                                                                 \
         "waits for a " transport " client and serves it" over),                                   \
    FORM(name "-SENDTO", name "-SEND", TO_HOST, CTX_W | CTX_B, BASE | (g), inet_sendto_ops, loose, \
         RECORDS_MANY, NULL,                                                                       \
         "sends packets to a " transport " port and takes its answers" over),                      \
    FORM(name "-DATAGRAM", name "-DGRAM", TO_HOST, CTX_RWB, BASE | GROUP_RANGE | (g),              \
         inet_datagram_ops, loose, RECORDS_MANY, NULL,                                             \
         "sends packets to a " transport " port, also a group's, and takes anybody's" over),       \
    FORM(name "-RECV", NULL, AT_PORT, CTX_R, BASE | GROUP_RANGE | (g), inet_recv_ops, loose,       \
         RECORDS_MANY, NULL,                                                                       \
         "receives anybody's " transport " packets" over),                                         \
    FORM(name "-RECVFROM", NULL, AT_PORT, CTX_R | CTX_B, BASE | GROUP_CHILD | GROUP_RANGE | (g),   \
         inet_recvfrom_ops, loose, RECORDS_ONE, GIVES_PEER GIVES_PACKET,                           \
         "receives one " transport " packet and answers its sender" over)

extern const struct form forms_udp[];
const struct form forms_udp[] = {
    SIX("UDP", "UDP", "", GROUP_IP4 | GROUP_IP6, &udp[0], &udp_loose[0]),
    SIX("UDP4", "UDP", " over IPv4", GROUP_IP4, &udp[1], &udp_loose[1]),
    SIX("UDP6", "UDP", " over IPv6", GROUP_IP6, &udp[2], &udp_loose[2]),
    SIX("UDPLITE", "UDP-Lite", "", GROUP_IP4 | GROUP_IP6 | GROUP_UDPLITE, &lite[0], &lite_loose[0]),
    SIX("UDPLITE4", "UDP-Lite", " over IPv4", GROUP_IP4 | GROUP_UDPLITE, &lite[1], &lite_loose[1]),
    SIX("UDPLITE6", "UDP-Lite", " over IPv6", GROUP_IP6 | GROUP_UDPLITE, &lite[2], &lite_loose[2]),
    {.keyword = NULL},
};
