/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sockets of packets, UDP and the like: where the rules say so they go their way, or through a chain that carries
 * packets; questions to a name server are answered by the helper. */
#ifndef CATENA_PRELOAD_PACKETS_H
#define CATENA_PRELOAD_PACKETS_H

#include "preload/slots.h"

int packets_connect(int fd, struct slot *s, const union address *to, socklen_t len);
/* A packet is to be sent there. False: it must not, errno says why. Else *to is where it really goes, unless
 * *connected is true: then the socket has become one that leads there. */
bool packets_to(int fd, union address *to, bool *connected);
/* A packet has come: its sender as the program knows him, in a buffer of that capacity. */
void packets_from(int fd, struct sockaddr *from, socklen_t cap, socklen_t *len);

#endif
