/* SPDX-License-Identifier: GPL-2.0-or-later
 * A joint between two engines of ours: blocks change hands in memory (port_ops.take, .give), and
 * descriptors only wake who sleeps. Each of the two ports belongs to one thread, as every port does. */
#ifndef CATENA_RING_H
#define CATENA_RING_H

#include "catena/port.h"

/* Makes both ends. Labels are borrowed. */
int ring_pair(const char *label_a, const char *label_b, struct port **a, struct port **b,
              struct err *e);

#endif
