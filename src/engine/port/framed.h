/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records over a joint that is a stream: between two engines of ours, so its frames are nobody else's. */
#ifndef CATENA_FRAMED_H
#define CATENA_FRAMED_H

#include "catena/port.h"

/* Lays it over *p, for reading, for writing, or both; see port_wrap(). */
int port_frame(struct port **p, bool reads, bool writes, struct err *e);

#endif
