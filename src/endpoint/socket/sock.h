/* SPDX-License-Identifier: GPL-2.0-or-later
 * The life of a socket, for every address family: make, bind, connect, listen, accept, each step
 * with the options of its phase. What differs between families (how names become addresses, what
 * binding leaves behind) stays in their files. */
#ifndef CATENA_ENDPOINT_SOCK_H
#define CATENA_ENDPOINT_SOCK_H

#include <stdbool.h>

#include "catena/endpoint.h"
#include "endpoint/address/range.h"
#include "catena/host.h"
#include "catena/sockaddr.h"

/* What sort of socket a form stands for; its struct form points here with .arg. */
struct sock_kind {
    int family;         /* AF_UNSPEC: an IP version that is decided when it is opened */
    int type, protocol; /* unless so-type=, so-protocol= say otherwise */
    bool reuseaddr;     /* passive: SO_REUSEADDR is 1 by default */
    bool peer_port;     /* beside bind=, sourceport= is about the packets of others */
    bool abstract;      /* UNIX domain: not in the file system */
    bool raw_ip;        /* packets of IPv4 come with their header, which is not data */
    const char *name;   /* of a transport that not every system has, for messages; else NULL */
    unsigned flags;     /* of the port: PORT_SHUT_BOTH, PORT_MSG ... */
    enum port_shut shut;
};

/* Makes a socket of that family and applies the options up to PREBIND. passive: it is going to
 * wait for others. Gives the descriptor or -1. */
int sock_open(const struct addr *a, struct run *r, const struct sock_kind *kind, int family,
              bool passive, struct err *e);
/* One that sock_connect() is going to have. */
int sock_open_to_connect(const struct addr *a, struct run *r, const struct sock_kind *kind, int family, struct err *e);
/* Binds, with the options of BIND and PASTBIND around. */
int sock_bind(const struct addr *a, int fd, const struct sockname *name, struct err *e);
/* Connects within connect-timeout. A signal ends the wait. */
int sock_connect(const struct addr *a, struct run *r, int fd, const struct sockname *to,
                 struct err *e);

/* Binds the fresh socket of a client as the target demands, or not at all. */
typedef int sock_bind_fn(const struct addr *a, int fd, const struct sockname *target,
                         const void *arg, struct err *e);
/* Tries the targets in turn, a new socket for each, until one connects. bind may be NULL. Gives
 * the connected descriptor or -1. */
int sock_connect_any(const struct addr *a, struct run *r, const struct sock_kind *kind,
                     const struct names *targets, sock_bind_fn *bind, const void *arg,
                     struct err *e);
/* A client has connected: log line, options and facts. Closes the descriptor on failure. */
int sock_is_connected(const struct addr *a, struct run *r, int fd, struct err *e);
/* The end of a client's open(): takes the connected descriptor and makes a port of it. */
int sock_connected(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                   struct port **out, struct err *e);

/* What a listening address keeps between connections: the state of endpoint_ops. */
struct sock_listener {
    int fd;
    const struct sock_kind *kind;
    struct access access;
    bool inherited; /* others listen there too: options act on our connections alone */
    bool blocking;  /* it was, before us */
};
/* The end of a passive address's listen(): takes the bound descriptor. */
int sock_listen(const struct addr *a, const struct sock_kind *kind, int fd,
                const struct access *access, void **state, struct err *e);
/* endpoint_ops.open and .unlisten of every address that accepts. accept-timeout that runs out is
 * ERR_NOBODY. */
int sock_accept(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e);
int64_t sock_accept_deadline(const struct addr *a); /* by accept-timeout=, 0 is for ever */
int sock_timed_out(struct err *e); /* what accept-timeout= then does */
int sock_waits_at(const void *state);
void sock_unlisten(const struct addr *a, void *state, bool forked);

/* inet.c: endpoint_ops of connecting to <host>:<port> and of listening on <port>, for whatever
 * struct sock_kind the form has: TCP, and other transports over IP. */
extern const struct endpoint_ops inet_connect_ops, inet_listen_ops;
/* form.check of addresses whose last parameter is a port; of the options alone. */
int inet_check(const struct addr *a, struct err *e);
int inet_check_options(const struct addr *a, struct err *e);
int inet_foresee(const struct addr *a, struct err *e); /* form.foresee of the same */

#endif
