/* SPDX-License-Identifier: GPL-2.0-or-later
 * Scenarios of the torture run: command lines, and what stands at their other end. */
#ifndef CATENA_TESTS_TORTURE_H
#define CATENA_TESTS_TORTURE_H

#include <stdbool.h>
#include <stdio.h>

/* The other end, a process of its own. Whatever it gets from the program goes to `got`. */
struct other_end {
    const char *address; /* 127.x.y.z, this driver's own */
    int listener;        /* its socket, listening before the program starts */
    int terminal;        /* the master of the program's terminal, -1 */
    int alive;           /* readable when the program has ended */
    FILE *got;
};

struct scenario {
    const char *name;
    const char *args[12]; /* '@' becomes the address, '+' the directory with the certificate */
    const char *input;    /* standard input; NULL: /dev/null */
    int (*other)(struct other_end *); /* NULL: nobody; gives an exit status */
    enum { LISTEN_NONE, LISTEN_TCP, LISTEN_DATAGRAM } listens; /* what `other` wants: TCP port 4711,
                                                                  or the UNIX socket "peer" */
    bool terminal; /* the program's standard input and output are a terminal */
    bool serves;   /* does not end by itself: SIGTERM when `other` is done */
    bool bulk;     /* standard input is some more */
    bool messages; /* packets: a fault may lose one, as the network may */
};

extern const struct scenario scenarios[];

#endif
