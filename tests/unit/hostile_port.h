/* SPDX-License-Identifier: GPL-2.0-or-later
 * A port that is as hostile as its contract (catena/port.h) allows, over one end of a socket pair.
 *
 * Its read drops packets of foreigners, thousands of them, before it gives anything, and says *again*
 * (EINTR) for each; it says *again* at random, and *later* (EAGAIN) although something is there. Its
 * write takes as much as it likes, says *again* and *later*, too, and has no room (ENOBUFS) at times.
 * Its close takes its time, or waits until it is let.
 *
 * What comes in by it and goes out of it is, for all that, what is written and read at the other end. */
#ifndef CATENA_TESTS_HOSTILE_PORT_H
#define CATENA_TESTS_HOSTILE_PORT_H

#include <stdbool.h>

#include "catena/port.h"

struct hostility {
    unsigned seed;     /* of its chances */
    unsigned foreign;  /* packets that are dropped before the first byte, and now and then again */
    int close_ms;      /* how long its close takes */
    int close_gate;    /* ... or until that descriptor is readable, if > 0. Borrowed */
};

/* Gives the port and the descriptor of its other end, which is non-blocking; both of them are close-on-
 * exec, and the caller's. -1 and errno. */
int hostile_port(const struct hostility *h, struct port **out, int *other_end);

#endif
