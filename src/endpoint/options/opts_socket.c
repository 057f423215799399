/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for sockets of any family. Where the system only lets an option be read, setting it is
 * tried all the same and its answer reported. */
#include <linux/sockios.h>
#include <sys/socket.h>

#include "endpoint/options/apply.h"

#define SO_ROW(n, al, phase, type, f, opt, h)                                                      \
    OPTION(n, al, GROUP_SOCKET, phase, type, h, .apply = apply_sockopt_##f, .a = SOL_SOCKET,       \
           .b = opt)
#define SO_INT(n, al, opt, h) SO_ROW(n, al, PASTSOCKET, INT, int, opt, h)

NAMED_OPTION(opt_bind, "bind", NULL, GROUP_SOCKET, BIND, STRING,
             "bind to this address, written as the family writes them");
NAMED_OPTION(opt_connect_timeout, "connect-timeout", NULL, GROUP_SOCKET, PASTSOCKET, TIMEVAL,
             "give a connection attempt up after so many seconds");
NAMED_OPTION(opt_so_rcvtimeo, "so-rcvtimeo", "rcvtimeo", GROUP_SOCKET, PASTSOCKET, TIMEVAL,
             "seconds after which receiving gives up", .apply = apply_sockopt_timeval, .a = SOL_SOCKET,
             .b = SO_RCVTIMEO);
NAMED_OPTION(opt_pf, "protocol-family", "pf", GROUP_SOCKET, PRESOCKET, STRING,
             "protocol family: ip4, ip6 or a number");
NAMED_OPTION(opt_so_protocol, "so-protocol", "protocol prototype so-prototype", GROUP_SOCKET,
             SOCKET, INT, "protocol number for socket()");
NAMED_OPTION(opt_so_type, "so-type", "socktype type", GROUP_SOCKET, SOCKET, INT,
             "socket type for socket(): 1 stream, 2 datagram, 3 raw, 5 seqpacket");
NAMED_OPTION(opt_so_linger, "so-linger", "linger", GROUP_SOCKET, PASTSOCKET, LINGER,
             "closing waits so many seconds for unsent data", .apply = apply_sockopt_linger, .a = SOL_SOCKET,
             .b = SO_LINGER);
NAMED_OPTION(opt_null_eof, "null-eof", NULL, GROUP_SOCKET, OFFSET, BOOL,
             "an empty packet is end of file");
NAMED_OPTION(opt_reuseaddr, "so-reuseaddr", "reuseaddr", GROUP_SOCKET, PREBIND, INT_NULL,
             "allow binding while old connections linger; an empty value leaves it alone",
             .apply = apply_sockopt_int_null, .a = SOL_SOCKET, .b = SO_REUSEADDR);

OPTION_TABLE(socket) = {
    /* what socket(), bind() and connect() are called with */
    &opt_bind, &opt_connect_timeout, &opt_pf, &opt_so_protocol, &opt_so_type, &opt_null_eof,
    /* level SOL_SOCKET */
    SO_INT("so-acceptconn", "acceptconn", SO_ACCEPTCONN, "socket is listening (read-only)"),
    SO_INT("so-attach-filter", "attach-filter attachfilter", SO_ATTACH_FILTER,
           "attach a packet filter"),
    SO_ROW("so-bindtodevice", "bindtodevice if interface",
           PASTSOCKET, STRING, string, SO_BINDTODEVICE, "use this network interface only"),
    SO_INT("so-broadcast", "broadcast", SO_BROADCAST,
           "allow sending to and receiving from broadcast addresses"),
    SO_INT("so-bsdcompat", "bsdcompat", SO_BSDCOMPAT, "report errors as old BSD systems did"),
    SO_INT("so-debug", "debug", SO_DEBUG, "record debugging information in the kernel"),
    SO_INT("so-detach-filter", "detach-filter detachfilter", SO_DETACH_FILTER,
           "remove the packet filter"),
    SO_INT("so-dontroute", "dontroute", SO_DONTROUTE, "reach directly connected hosts only"),
    SO_INT("so-error", "error", SO_ERROR, "pending error (read-only)"),
    SO_ROW("so-keepalive", "keepalive", FD, INT, int, SO_KEEPALIVE, "probe idle connections"),
    &opt_so_linger,
    SO_INT("so-no-check", "no-check nocheck", SO_NO_CHECK, "send without checksums"),
    SO_INT("so-oobinline", "oobinline", SO_OOBINLINE, "leave urgent data in the stream"),
    SO_INT("so-passcred", "passcred", SO_PASSCRED, "receive the sender's credentials (UNIX)"),
    SO_ROW("so-peercred", "peercred", PASTSOCKET, INT3, int3, SO_PEERCRED,
           "pid, uid and gid of the peer (read-only)"),
    SO_INT("so-priority", "priority", SO_PRIORITY, "priority of packets sent"),
    SO_INT("so-rcvbuf", "rcvbuf recvbuf", SO_RCVBUF, "size of the receive buffer in bytes"),
    SO_ROW("so-rcvbuf-late", "rcvbuf-late", LATE, INT, int, SO_RCVBUF,
           "size of the receive buffer, set when connected"),
    SO_INT("so-rcvlowat", "rcvlowat", SO_RCVLOWAT,
           "least number of bytes that make the socket readable"),
    &opt_so_rcvtimeo,
    &opt_reuseaddr,
    SO_ROW("so-reuseport", "reuseport", PREBIND, INT, int, SO_REUSEPORT,
           "allow several sockets on one port"),
    SO_INT("so-security-authentication", "security-authentication securityauthentication",
           SO_SECURITY_AUTHENTICATION, "authentication level"),
    SO_INT("so-security-encryption-network",
           "security-encryption-network securityencryptionnetwork",
           SO_SECURITY_ENCRYPTION_NETWORK, "encryption level of the network layer"),
    SO_INT("so-security-encryption-transport",
           "security-encryption-transport securityencryptiontransport",
           SO_SECURITY_ENCRYPTION_TRANSPORT, "encryption level of the transport layer"),
    SO_INT("so-sndbuf", "sndbuf", SO_SNDBUF, "size of the send buffer in bytes"),
    SO_ROW("so-sndbuf-late", "sndbuf-late", LATE, INT, int, SO_SNDBUF,
           "size of the send buffer, set when connected"),
    SO_INT("so-sndlowat", "sndlowat", SO_SNDLOWAT,
           "least free space that makes the socket writable"),
    SO_ROW("so-sndtimeo", "sndtimeo", PASTSOCKET, TIMEVAL, timeval, SO_SNDTIMEO,
           "seconds after which sending gives up"),
    SO_INT("so-timestamp", "timestamp", SO_TIMESTAMP, "receive the time of arrival of packets"),
    /* anything else */
    OPTION("fiosetown", NULL, GROUP_SOCKET, PASTSOCKET, INT,
           "process or group to signal about the socket",
           .apply = apply_ioctl_fixed, .a = FIOSETOWN),
    OPTION("siocspgrp", NULL, GROUP_SOCKET, PASTSOCKET, INT,
           "process group to signal about the socket", .apply = apply_ioctl_fixed, .a = SIOCSPGRP),
    OPTION("setsockopt", "sockopt", GROUP_SOCKET, CONNECTED, INT_INT_BIN,
           "<level>:<name>:<data>: setsockopt() on the connected socket",
           .apply = apply_any_sockopt_bin),
    OPTION("setsockopt-bin", "sockopt-bin", GROUP_SOCKET, CONNECTED, INT_INT_BIN,
           "<level>:<name>:<data>: setsockopt() on the connected socket",
           .apply = apply_any_sockopt_bin),
    OPTION("setsockopt-connected", "sockopt-conn", GROUP_SOCKET, CONNECTED, INT_INT_BIN,
           "<level>:<name>:<data>: setsockopt() on the connected socket",
           .apply = apply_any_sockopt_bin),
    OPTION("setsockopt-int", "sockopt-int", GROUP_SOCKET, CONNECTED, INT_INT_INT,
           "<level>:<name>:<number>: setsockopt() on the connected socket",
           .apply = apply_any_sockopt_int),
    OPTION("setsockopt-listen", "sockopt-listen", GROUP_SOCKET, PREBIND, INT_INT_BIN,
           "<level>:<name>:<data>: setsockopt() before bind()", .apply = apply_any_sockopt_bin),
    OPTION("setsockopt-socket", "sockopt-sock", GROUP_SOCKET, PASTSOCKET, INT_INT_BIN,
           "<level>:<name>:<data>: setsockopt() right after socket()",
           .apply = apply_any_sockopt_bin),
    OPTION("setsockopt-string", "sockopt-string", GROUP_SOCKET, CONNECTED, INT_INT_STRING,
           "<level>:<name>:<text>: setsockopt() on the connected socket",
           .apply = apply_any_sockopt_string),
    OPTIONS_END,
};
