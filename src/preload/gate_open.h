/* SPDX-License-Identifier: GPL-2.0-or-later
 * What gates and sockets of packets have in common. */
#ifndef CATENA_PRELOAD_GATE_OPEN_H
#define CATENA_PRELOAD_GATE_OPEN_H

#include "preload/protocol.h"
#include "preload/slots.h"

/* Asks for a way. Gives the descriptor where it will be told what has become of it, or -1 and the verdict. */
int gate_open(const struct slot *s, const union address *to, struct preload_answer *a);
/* Under the lock: the end of a chain takes the place of the socket, as far as it was set up; from is closed. */
void gate_serve(int fd, int from, struct slot *s);

#endif
