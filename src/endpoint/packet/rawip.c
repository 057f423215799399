/* SPDX-License-Identifier: GPL-2.0-or-later
 * Raw IP addresses: nothing but what makes them raw; see inet_dgram.c. */
#include <netinet/in.h>

#include "endpoint/packet/ancillary.h"
#include "endpoint/packet/inet_dgram.h"

#define RAW(family_)                                                                               \
    {                                                                                              \
        .family = (family_), .type = SOCK_RAW, .raw_ip = true, .shut = PORT_SHUT_NONE              \
    }
static const struct sock_kind raw = RAW(AF_UNSPEC), raw4 = RAW(AF_INET), raw6 = RAW(AF_INET6);

#define BASE (GROUP_FD | GROUP_SOCKET)
#define TO_HOST .params = ":<host>:<protocol>", .min_params = 2, .max_params = 2, .target = 1
#define OF_PROTOCOL .params = ":<protocol>", .min_params = 1, .max_params = 1

#define FORM(keyword_, aliases_, params_, left_, groups_, ops_, arg_, records_, gives_, help_)     \
    {                                                                                              \
        .keyword = keyword_, .aliases = aliases_, params_, .left = (left_), .right = RIGHT_NONE,   \
        .groups = (groups_), .kind = FORM_ENDPOINT, .ops.endpoint = &(ops_), .arg = (arg_),        \
        .help = help_, .check = inet_check_protocol, .foresee = inet_foresee_protocol,             \
        .records = (records_), .gives = (gives_), .untold = ancillary_untold                       \
    }
/* The four addresses of one IP version. */
#define FOUR(name, over, g, arg_)                                                                  \
    FORM(name "-SENDTO", name " " name "-SEND", TO_HOST, CTX_W | CTX_B, BASE | (g),                \
         inet_sendto_ops, arg_, RECORDS_MANY, NULL,                                                \
         "sends raw IP packets to a host and takes its answers" over),                             \
    FORM(name "-DATAGRAM", name "-DGRAM", TO_HOST, CTX_RWB, BASE | GROUP_RANGE | (g),              \
         inet_datagram_ops, arg_, RECORDS_MANY, NULL,                                              \
         "sends raw IP packets to a host or group and takes anybody's" over),                      \
    FORM(name "-RECV", NULL, OF_PROTOCOL, CTX_R, BASE | GROUP_RANGE | (g), inet_recv_ops, arg_,    \
         RECORDS_MANY, NULL,                                                                       \
         "receives anybody's raw IP packets of one protocol" over),                                \
    FORM(name "-RECVFROM", NULL, OF_PROTOCOL, CTX_R | CTX_B,                                       \
         BASE | GROUP_CHILD | GROUP_RANGE | (g), inet_recvfrom_ops, arg_, RECORDS_ONE,            \
         GIVES_NAMES GIVES_PACKET,                                                                 \
         "receives one raw IP packet of a protocol and answers its sender" over)

extern const struct form forms_rawip[];
const struct form forms_rawip[] = {
    FOUR("IP", "", GROUP_IP4 | GROUP_IP6, &raw),
    FOUR("IP4", " over IPv4", GROUP_IP4, &raw4),
    FOUR("IP6", " over IPv6", GROUP_IP6, &raw6),
    {.keyword = NULL},
};
