/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets beside a connection: a UDP socket that lives as long as a connection over which two have agreed on it
 * (SOCKS5, UDP ASSOCIATE). A dialog makes it and puts it into its wire (wire.beside). */
#ifndef CATENA_BESIDE_H
#define CATENA_BESIDE_H

#include "catena/port.h"
#include "catena/sockaddr.h"

/* The addresses of the connection whose descriptor that is; IPv4 as such, also where it came by IPv6. Gives 0, or
 * -1: it is none over IP. */
int beside_addresses(int fd, struct sockname *local, struct sockname *peer, struct err *e);
/* A socket that exchanges packets with that address. */
int beside_connect(const struct addr *a, const struct sockname *to, struct port **out, struct err *e);
struct beside_ports {
    int first, last; /* 0: any */
};
/* A socket there, on a free one of those ports, which *at gets, for packets of one peer: his port is that of the first
 * packet from his address. */
int beside_await(const struct addr *a, struct sockname *at, struct beside_ports ports, const struct sockname *peer,
                 struct port **out, struct err *e);
/* The connection: p ends when that does, and closes it. Takes control, a port of descriptors, also on failure. */
int beside_keep(struct port *p, struct port *control, struct err *e);

#endif
