/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoint_ops of packets over IP: UDP, UDP-Lite, raw IP. Which of them is said by the form's
 * struct sock_kind; for raw IP the last parameter is a protocol instead of a port. */
#ifndef CATENA_ENDPOINT_INET_DGRAM_H
#define CATENA_ENDPOINT_INET_DGRAM_H

#include "endpoint/socket/sock.h"

extern const struct endpoint_ops inet_sendto_ops, inet_datagram_ops, inet_recv_ops,
    inet_recvfrom_ops;
/* form.check of raw IP. */
int inet_check_protocol(const struct addr *a, struct err *e);
int inet_foresee_protocol(const struct addr *a, struct err *e);
/* udp_listen.c: the first packet makes a connection of it. */
extern const struct endpoint_ops udp_connect_ops, udp_listen_ops;

#endif
