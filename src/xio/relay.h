/* SPDX-License-Identifier: GPL-2.0-or-later
 * Relaying in the caller's thread. */
#ifndef CATENA_XIO_RELAY_H
#define CATENA_XIO_RELAY_H

#include "xio/handle.h"

/* Until both directions have ended. b NULL: to the chain of c. Both handles can be closed afterwards. */
int relay_run(struct chain *c, struct handle *a, struct handle *b, struct err *e);

#endif
