/* SPDX-License-Identifier: GPL-2.0-or-later
 * DTLS over a datagram port: the port stays what it is, its reading and writing get records of DTLS
 * around them. */
#ifndef CATENA_ENDPOINT_DTLS_H
#define CATENA_ENDPOINT_DTLS_H

#include <stdatomic.h>

#include "catena/endpoint.h"
#include "inter/tls/tls.h"

enum { DTLS_ROOM = 65536 }; /* bytes: all that one datagram can carry */

/* What the connections of an address share; the last one that uses it frees it. */
struct dtls_shared {
    atomic_uint users;
    struct tls_context *tls;
    struct addr both; /* the address as used both ways, for a handshake goes both ways */
};

/* State of a port. */
struct dtls {
    struct tls_session tls;
    struct dtls_shared *shared;
    struct port *port;
    const struct port_ops *inner; /* of the datagram port */
    void *inner_state;
    bool inner_more; /* the inner port's `more` */
    int sys;         /* errno of the inner port's last failure */
    bool broken;     /* no more records */
    bool unread;     /* by the run, which only writes */
    size_t fragment; /* most bytes in a record */
    bool has_cookie;
    unsigned char cookie[16];
    unsigned char *record; /* DTLS_ROOM bytes, for those that nobody reads */
};

/* dtls_bio.c: a BIO over the datagram port. */
BIO_METHOD *dtls_bio_method(void);                  /* NULL without memory */
BIO *dtls_bio_new(BIO_METHOD *method, struct dtls *d); /* borrows d; NULL without memory */
/* The most bytes that a datagram to the peer can carry without being cut into pieces. */
long dtls_mtu(int fd);

/* dtls_port.c */
/* Makes p a DTLS port that has not shaken hands yet; takes p, also on failure. */
int dtls_port(struct port *p, struct dtls_shared *shared, struct err *e);
/* endpoint_ops.greet: the handshake. */
int dtls_greet(const struct addr *a, struct run *r, struct port *p, struct err *e);
struct dtls_shared *dtls_shared_new(const struct addr *a, const struct tls_role *role,
                                    struct run *r, struct err *e);
void dtls_shared_drop(struct dtls_shared *s);

#endif
