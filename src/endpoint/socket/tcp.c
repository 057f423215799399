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

#define CONNECT(name, others, ip, arg_, words)                                                     \
    {.keyword = name, .aliases = others, .groups = CONNECT_GROUPS | (ip), .help = words,           \
     .arg = &(arg_), .params = ":<host>:<port>", .min_params = 2, .max_params = 2,                 \
     .left = CTX_RWB, .right = RIGHT_NONE, .role = ROLE_CLIENT, .gives = GIVES_PEER, .target = 1,  \
     .check = inet_check, .foresee = inet_foresee, .kind = FORM_ENDPOINT,                          \
     .ops.endpoint = &inet_connect_ops}
#define LISTEN(name, others, ip, arg_, words)                                                      \
    {.keyword = name, .aliases = others, .groups = LISTEN_GROUPS | (ip), .help = words,            \
     .arg = &(arg_), .params = ":<port>", .min_params = 1, .max_params = 1, .left = CTX_RWB,       \
     .right = RIGHT_NONE, .role = ROLE_SERVER, .admits = access_admits, .gives = GIVES_PEER,       \
     .check = inet_check, .foresee = inet_foresee, .kind = FORM_ENDPOINT,                          \
     .ops.endpoint = &inet_listen_ops}

extern const struct form forms_tcp[];
const struct form forms_tcp[] = {
    CONNECT("TCP-CONNECT", "TCP INET", GROUP_IP4 | GROUP_IP6, tcp, "connects to a TCP port"),
    CONNECT("TCP4-CONNECT", "TCP4 INET4", GROUP_IP4, tcp4, "connects to a TCP port over IPv4"),
    CONNECT("TCP6-CONNECT", "TCP6 INET6", GROUP_IP6, tcp6, "connects to a TCP port over IPv6"),
    LISTEN("TCP-LISTEN", "TCP-L INET-LISTEN INET-L", GROUP_IP4 | GROUP_IP6, tcp,
           "accepts a connection on a TCP port"),
    LISTEN("TCP4-LISTEN", "TCP4-L INET4-LISTEN INET4-L", GROUP_IP4, tcp4,
           "accepts a connection on a TCP port over IPv4"),
    LISTEN("TCP6-LISTEN", "TCP6-L INET6-LISTEN INET6-L", GROUP_IP6, tcp6,
           "accepts a connection on a TCP port over IPv6"),
    {.keyword = NULL},
};
