/* SPDX-License-Identifier: GPL-2.0-or-later
 * Communication types: what joins two neighbours of a chain, or the relay and a program. */
#ifndef CATENA_ENDPOINT_COMM_H
#define CATENA_ENDPOINT_COMM_H

#include <stdbool.h>

#include "catena/addr.h"
#include "catena/err.h"
#include "catena/port.h"

enum comm_type {
    COMM_SOCKETPAIRS, /* two UNIX stream socketpairs, one for each direction */
    COMM_SOCKETPAIR,  /* one for both */
    COMM_PIPES,
    COMM_PTYS, /* two raw ptys, one for each direction */
    COMM_PTY,  /* one for both; end a is the master. No half close */
    COMM_TCP,  /* a connection over loopback */
    COMM_TCPS, /* two; nobody asks for them by name */
    COMM_COUNT
};

struct comm_info {
    const char *letters; /* of -c */
    const char *name;    /* of commtype= */
    enum comm_type apart; /* the same with descriptors of its own for each direction */
    enum port_shut shut; /* how a port over an end says that nothing follows */
    unsigned flags;      /* ... and its PORT_* flags */
};

/* One end: the two descriptors are the same one where comm_is_one_fd(). */
struct comm_ends {
    int rfd, wfd;
};

const struct comm_info *comm_info(enum comm_type type);
bool comm_is_one_fd(enum comm_type type); /* an end is one descriptor for both directions */
/* By the letter of -c, by the name of commtype=. */
int comm_by_letter(char letter, enum comm_type *out, struct err *e);
int comm_by_name(const char *name, enum comm_type *out, struct err *e);
/* What the options commtype, pipes, pty, openpty, ptmx of an address ask for; the last one counts,
 * otherwise it is what the caller says. */
int comm_of_addr(const struct addr *a, enum comm_type otherwise, enum comm_type *out,
                 struct err *e);

/* The family of a pair of sockets, which pf= may choose. */
int comm_family(const struct addr *a, int *family, struct err *e);
/* Makes both ends, all descriptors CLOEXEC and blocking. What is written to a.wfd is read from
 * b.rfd and the other way round. */
int comm_pair(enum comm_type type, struct comm_ends *a, struct comm_ends *b, struct err *e);
/* Closes what is open of an end (-1: nothing) and forgets it. */
void comm_close(struct comm_ends *end);

#endif
