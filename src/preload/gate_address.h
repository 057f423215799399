/* SPDX-License-Identifier: GPL-2.0-or-later
 * Addresses of the Internet between the program, the system and the helper. */
#ifndef CATENA_PRELOAD_GATE_ADDRESS_H
#define CATENA_PRELOAD_GATE_ADDRESS_H

#include "preload/protocol.h"
#include "preload/slots.h"

/* The name of an address in a program's call. False: it is of another kind, or none. */
bool address_take(const struct sockaddr *addr, socklen_t len, union address *out);
/* As the helper wants it: what is IPv4 in an IPv6 address is IPv4. */
void address_tell(const union address *a, struct preload_request *q);
/* Past the helper; to what has that name, if it has one. */
int address_connect(int fd, const union address *to, socklen_t len, const char *name);
/* The same for what is sent there: the address that the name has, of the same family. */
bool address_resolve(const char *name, union address *inout);
/* As getpeername() and its like give it. */
void address_give(const union address *a, struct sockaddr *out, socklen_t *len);
/* 127.0.0.1, for a socket of that domain. */
union address address_loopback(int domain, uint16_t port);
socklen_t address_length(const union address *a);
bool address_same(const union address *a, const union address *b);

#endif
