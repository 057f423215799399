/* SPDX-License-Identifier: GPL-2.0-or-later
 * How long a peer may take for what comes before the data: a handshake or a dialog as a whole, by
 * option handshake-timeout. Dialogs (wire.h) and sessions have it alike. */
#ifndef CATENA_HANDSHAKE_H
#define CATENA_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/api.h"
#include "catena/addr.h"
#include "catena/err.h"

/* Milliseconds, -1 for ever. */
int64_t handshake_patience(const struct addr *a) CATENA_API(handshake_patience);
/* The same of a session whose records the packets of that endpoint carry, which has options for that. */
int64_t handshake_patience_over(const struct addr *a, const struct addr *end);
/* When that is over if it begins now, in wait_now() milliseconds, -1 never; and is it? */
int64_t handshake_deadline(int64_t patience) CATENA_API(handshake_deadline);
bool handshake_is_late(int64_t deadline) CATENA_API(handshake_is_late);
/* Says that it was not over within that time. Returns -1. */
int handshake_late(int64_t patience, struct err *e) CATENA_API(handshake_late);

#endif
