/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets that were taken out of a socket before somebody was there to get them, in the order they
 * came: those of clients that wait for their turn. Each client gets a socket of its own, connected to
 * it, beside the one that all new clients send to. Between bind() and connect() such a socket gets
 * packets of others, too, and the kernel may still put one in later that it has looked the socket up
 * for; these come back here. */
#ifndef CATENA_ENDPOINT_BACKLOG_H
#define CATENA_ENDPOINT_BACKLOG_H

#include <stdint.h>

#include "catena/endpoint.h"
#include "catena/sockaddr.h"

struct packet {
    struct packet *next;
    struct sockname from, at; /* at: the address of ours that it was sent to; len 0 not known */
    size_t n;
    unsigned char data[]; /* n bytes */
};

enum {
    BACKLOG_SEATED = 256,
    BACKLOG_GULP = 256, /* packets taken at a time: a flood that never dries up is not to keep anybody busy */
};

struct backlog {
    int fd;       /* new clients send there; borrowed */
    int back[2];  /* what got into the wrong socket is written to the second and read from the first */
    int ready_fd; /* readable: there is something to gather */
    struct packet *first, **last;
    size_t bytes;   /* of memory */
    uint32_t drops; /* packets that the socket is known to have had no room for */
    struct sockname seated[BACKLOG_SEATED]; /* the last ones that got a socket of their own */
    size_t nseated;                         /* ever */
};

/* Lets fd have all the room for packets that the system gives, unless an option says how much. */
int backlog_init(struct backlog *b, const struct addr *a, int fd, struct err *e);
/* forked: in a child, which may still have to give a packet back. */
void backlog_fini(struct backlog *b, bool forked);
/* Takes what waits for new clients, as far as the ceiling allows, without waiting itself. Gives how
 * many packets it were, or -1. What the system had to drop is told. */
int backlog_gather(struct backlog *b, struct err *e);
/* The same of a client's socket, bound to that address. */
int backlog_drain(struct backlog *b, int fd, const struct sockname *at, struct err *e);
/* The sender has a socket of its own now, and gets its packets. */
struct packet *backlog_seat(struct backlog *b, const struct sockname *from);
/* A packet of somebody else came out of a client's socket: it goes to back_fd. False: it cannot. */
bool backlog_give_back(int back_fd, int fd, const struct sockname *from, const void *data, size_t n);
void packets_free(struct packet *p); /* all of the list; NULL is fine */

#endif
