/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sealing below a session: what it sends leaves it open, and the port that its wire ends in makes records of it,
 * with keys that the session tells. So far the kernel does it for TLS over TCP. What is no data (an alert, a change of
 * keys) goes there as a control. */
#ifndef CATENA_SEAL_H
#define CATENA_SEAL_H

#include <stddef.h>

#include "catena/err.h"

struct port;

struct seal {
    const char *protocol; /* the kernel's name for it: TCP_ULP */
    const void *keys;     /* ... and what it wants to know: TLS_TX */
    size_t size;
};

/* Is there a kernel that can? 0, or -1 and why not, and what to do about it. */
int seal_possible(const char *protocol, struct err *e);
/* From the next write on; failing, what is written stays as it is. *p is a layer over it then. With new keys it may be
 * called again. */
int port_seal(struct port **p, const struct seal *how, struct err *e);

#endif
