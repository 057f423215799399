/* SPDX-License-Identifier: GPL-2.0-or-later
 * TCP addresses: nothing but what makes them TCP; see inet.c. */
#include <netinet/in.h>

#include "endpoint/socket/sock.h"

#define TCP(family_)                                                                               \
    {                                                                                              \
        .family = (family_), .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .reuseaddr = true,      \
        .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN,                                           \
    }
static const struct sock_kind tcp = TCP(AF_UNSPEC), tcp4 = TCP(AF_INET), tcp6 = TCP(AF_INET6);

#define CONNECT_GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_TCP)
#define LISTEN_GROUPS  (CONNECT_GROUPS | GROUP_LISTEN | GROUP_RANGE)

#define CONNECT_FORM                                                                               \
    .params = ":<host>:<port>", .min_params = 2, .max_params = 2, .left = CTX_RWB,                 \
    .right = RIGHT_NONE, .role = ROLE_CLIENT, .gives = GIVES_PEER, .target = 1, .check = inet_check,                    \
    .foresee = inet_foresee,                                                                       \
    .kind = FORM_ENDPOINT, .ops.endpoint = &inet_connect_ops
#define LISTEN_FORM                                                                                \
    .params = ":<port>", .min_params = 1, .max_params = 1, .left = CTX_RWB, .right = RIGHT_NONE,   \
    .role = ROLE_SERVER, .admits = access_admits, .gives = GIVES_PEER, .check = inet_check, .foresee = inet_foresee,                             \
    .kind = FORM_ENDPOINT,                                                                         \
    .ops.endpoint = &inet_listen_ops

extern const struct form forms_tcp[];
const struct form forms_tcp[] = {
    {
        .keyword = "TCP-CONNECT",
        .aliases = "TCP INET",
        .groups = CONNECT_GROUPS | GROUP_IP4 | GROUP_IP6,
        .help = "connects to a TCP port",
        .arg = &tcp,
        CONNECT_FORM,
    },
    {
        .keyword = "TCP4-CONNECT",
        .aliases = "TCP4 INET4",
        .groups = CONNECT_GROUPS | GROUP_IP4,
        .help = "connects to a TCP port over IPv4",
        .arg = &tcp4,
        CONNECT_FORM,
    },
    {
        .keyword = "TCP6-CONNECT",
        .aliases = "TCP6 INET6",
        .groups = CONNECT_GROUPS | GROUP_IP6,
        .help = "connects to a TCP port over IPv6",
        .arg = &tcp6,
        CONNECT_FORM,
    },
    {
        .keyword = "TCP-LISTEN",
        .aliases = "TCP-L INET-LISTEN INET-L",
        .groups = LISTEN_GROUPS | GROUP_IP4 | GROUP_IP6,
        .help = "accepts a connection on a TCP port",
        .arg = &tcp,
        LISTEN_FORM,
    },
    {
        .keyword = "TCP4-LISTEN",
        .aliases = "TCP4-L INET4-LISTEN INET4-L",
        .groups = LISTEN_GROUPS | GROUP_IP4,
        .help = "accepts a connection on a TCP port over IPv4",
        .arg = &tcp4,
        LISTEN_FORM,
    },
    {
        .keyword = "TCP6-LISTEN",
        .aliases = "TCP6-L INET6-LISTEN INET6-L",
        .groups = LISTEN_GROUPS | GROUP_IP6,
        .help = "accepts a connection on a TCP port over IPv6",
        .arg = &tcp6,
        LISTEN_FORM,
    },
    {.keyword = NULL},
};
