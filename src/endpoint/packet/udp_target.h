/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP to many: each packet begins with where it goes to, or comes from, as SOCKS5 writes it (RFC 1928, 7). */
#ifndef CATENA_ENDPOINT_UDP_TARGET_H
#define CATENA_ENDPOINT_UDP_TARGET_H

#include "catena/endpoint.h"

/* An endpoint_ops.open. Takes answers from those that have been sent to. */
int udp_target_open(const struct addr *a, struct run *r, struct port **out, struct err *e);

#endif
