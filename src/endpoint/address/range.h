/* SPDX-License-Identifier: GPL-2.0-or-later
 * Access control on passive sockets: who may come in. Options range, sourceport, lowport and those
 * of tcpwrap. */
#ifndef CATENA_ENDPOINT_RANGE_H
#define CATENA_ENDPOINT_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/addr.h"
#include "catena/run.h"
#include "catena/sockaddr.h"

/* An address and a mask over as many bytes: of IP addresses 16, IPv4 as mapped into IPv6; of other
 * families the bytes behind the family number. */
struct range {
    bool ip;
    size_t len;
    unsigned char addr[sizeof(struct sockaddr_storage)], mask[sizeof(struct sockaddr_storage)];
};

/* A family for range_parse() and access_init(): sockets whose addresses are binary data. */
enum { RANGE_BINARY = -1 };

/* Parses "addr/bits" and "addr:mask" (IPv4), "[addr]/bits" and "[addr/bits]" (IPv6); addr may be a
 * name. family AF_UNSPEC: an IPv6 socket that serves both versions, takes either form.
 * RANGE_BINARY: "addr:mask", both as binary data. a and r are for the lookup of names. */
int range_parse(const struct addr *a, struct run *r, const char *text, int family,
                struct range *out, struct err *e);
/* What can be known wrong about option range= without looking names up. */
int range_check(const struct addr *a, int family, struct err *e);
bool range_match(const struct range *range, const struct sockname *peer);

/* form.admits of listening sockets: what these options and bind= say. */
enum admits access_admits(const struct addr *a);

struct access {
    bool ranged, wrapped, lowport;
    struct range range;
    int sourceport; /* -1: any */
};

/* family: as for range_parse(). */
int access_init(const struct addr *a, struct run *r, int family, struct access *out, struct err *e);
/* May this peer come in? 1 yes; 0 no, and *why is the option that says so; -1 the check could not
 * be made. Logs what permits it. fd: the connection, or a datagram socket on which the peer's
 * packet waits. */
int access_check(const struct access *access, const struct addr *a, struct run *r, int fd,
                 const struct sockname *peer, const char **why, struct err *e);

/* tcpwrap.c: is the peer of fd allowed by the hosts_access(5) tables? fd -1: that peer. 1, 0, -1. */
int tcpwrap_check(const struct addr *a, struct run *r, int fd, const struct sockname *peer, struct err *e);
/* Loads the library, so that its absence is known when the listener is opened. */
int tcpwrap_load(struct err *e);

#endif
