/* SPDX-License-Identifier: GPL-2.0-or-later
 * SCTP addresses: nothing but what makes them SCTP; see inet.c. */
#include <netinet/in.h>

#include "sock.h"

#define KIND(family_)                                                                              \
    {                                                                                              \
        .family = (family_), .type = SOCK_STREAM, .protocol = IPPROTO_SCTP, .name = "SCTP",        \
        .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN,                                           \
    }
static const struct sock_kind any = KIND(AF_UNSPEC), over4 = KIND(AF_INET), over6 = KIND(AF_INET6);

#define BASE (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_SCTP)
/* The two addresses of one IP version. */
#define TWO(name, over, g, arg_)                                                                   \
    {                                                                                              \
        .keyword = name "-CONNECT", .aliases = name, .params = ":<host>:<port>", .min_params = 2,  \
        .max_params = 2, .target = 1, .left = CTX_RWB, .right = RIGHT_NONE,                        \
        .groups = BASE | (g), .help = "connects to a SCTP port" over, .kind = FORM_ENDPOINT,       \
        .ops.endpoint = &inet_connect_ops, .arg = (arg_),                                          \
    },                                                                                             \
    {                                                                                              \
        .keyword = name "-LISTEN", .aliases = name "-L", .params = ":<port>", .min_params = 1,     \
        .max_params = 1, .left = CTX_RWB, .right = RIGHT_NONE,                                     \
        .groups = BASE | GROUP_LISTEN | GROUP_RANGE | (g),                                         \
        .help = "accepts a connection on a SCTP port" over, .kind = FORM_ENDPOINT,                 \
        .ops.endpoint = &inet_listen_ops, .arg = (arg_),                                           \
    }

extern const struct form forms_sctp[];
const struct form forms_sctp[] = {
    TWO("SCTP", "", GROUP_IP4 | GROUP_IP6, &any),
    TWO("SCTP4", " over IPv4", GROUP_IP4, &over4),
    TWO("SCTP6", " over IPv6", GROUP_IP6, &over6),
    {.keyword = NULL},
};
