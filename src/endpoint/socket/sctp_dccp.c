/* SPDX-License-Identifier: GPL-2.0-or-later
 * SCTP and DCCP addresses: nothing but what makes them so; see inet.c. Not every kernel has
 * them. */
#include <netinet/in.h>

#include "endpoint/socket/sock.h"

#define KIND(family_, type_, transport)                                                            \
    {                                                                                              \
        .family = (family_), .type = (type_), .protocol = IPPROTO_##transport, .name = #transport, \
        .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN,                                           \
    }
#define KINDS(type, transport)                                                                     \
    {                                                                                              \
        KIND(AF_UNSPEC, type, transport), KIND(AF_INET, type, transport),                          \
            KIND(AF_INET6, type, transport)                                                        \
    }
static const struct sock_kind sctp[] = KINDS(SOCK_STREAM, SCTP);
static const struct sock_kind dccp[] = KINDS(SOCK_DCCP, DCCP);

#define BASE (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY)
/* The two addresses of a transport over one IP version. */
#define TWO(transport, version, over, g, kind_, records_)                                          \
    {                                                                                              \
        .keyword = transport version "-CONNECT", .aliases = transport version,                     \
        .params = ":<host>:<port>", .min_params = 2, .max_params = 2, .target = 1,                 \
        .left = CTX_RWB, .right = RIGHT_NONE, .groups = BASE | (g),                                \
        .help = "connects to a " transport " port" over, .check = inet_check,                      \
        .foresee = inet_foresee,                                                                   \
        .kind = FORM_ENDPOINT, .ops.endpoint = &inet_connect_ops, .arg = (kind_),                  \
        .role = ROLE_CLIENT, .gives = GIVES_PEER, .records = (records_),                                                \
    },                                                                                             \
    {                                                                                              \
        .keyword = transport version "-LISTEN", .aliases = transport version "-L",                 \
        .params = ":<port>", .min_params = 1, .max_params = 1, .left = CTX_RWB,                    \
        .right = RIGHT_NONE, .groups = BASE | GROUP_LISTEN | GROUP_RANGE | (g),                    \
        .help = "accepts a connection on a " transport " port" over, .check = inet_check,          \
        .foresee = inet_foresee,                                                                   \
        .kind = FORM_ENDPOINT, .ops.endpoint = &inet_listen_ops, .arg = (kind_),                   \
        .role = ROLE_SERVER, .admits = access_admits, .gives = GIVES_PEER, .records = (records_),                                                \
    }
#define SIX(transport, group, kinds, records)                                                      \
    TWO(transport, "", "", (group) | GROUP_IP4 | GROUP_IP6, &(kinds)[0], records),                 \
        TWO(transport, "4", " over IPv4", (group) | GROUP_IP4, &(kinds)[1], records),              \
        TWO(transport, "6", " over IPv6", (group) | GROUP_IP6, &(kinds)[2], records)

extern const struct form forms_sctp_dccp[];
const struct form forms_sctp_dccp[] = {
    SIX("SCTP", GROUP_SCTP, sctp, RECORDS_NONE),
    SIX("DCCP", GROUP_DCCP, dccp, RECORDS_MANY),
    {.keyword = NULL},
};
