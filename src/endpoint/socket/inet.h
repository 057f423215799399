/* SPDX-License-Identifier: GPL-2.0-or-later
 * What all sockets over IP share: where a client binds and whom it can reach from there, and the
 * address a passive one is bound to. */
#ifndef CATENA_ENDPOINT_INET_H
#define CATENA_ENDPOINT_INET_H

#include "endpoint/socket/sock.h"

/* Where a client binds before it connects or sends: bind=, sourceport=, lowport. */
struct inet_local {
    bool wanted;
    struct names names; /* with port */
    bool lowport;
};

/* The targets of <host> in the order to be tried, with that port, and the local addresses; targets
 * that cannot be reached from those are left out. Both are to be released, also on failure. */
int inet_targets(const struct addr *a, struct run *r, const struct sock_kind *kind, int port,
                 struct names *targets, struct inet_local *local, struct err *e);
/* A sock_bind_fn; arg is a struct inet_local. Binds only if wanted. */
int inet_bind_local(const struct addr *a, int fd, const struct sockname *target, const void *arg,
                    struct err *e);

/* A socket connected to <host>:<port>, or -1. */
int inet_connected(const struct addr *a, struct run *r, struct err *e);

/* A bound socket for a passive address, and who may talk to it. The port is 0 to 65535 or a service
 * name; bind= says which address. Gives the descriptor or -1. */
int inet_bound(const struct addr *a, struct run *r, const struct sock_kind *kind, const char *port,
               struct access *access, struct err *e);

#endif
