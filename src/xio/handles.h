/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stands behind the numbers that callers have: a table, by which a handle that is closed, or never was
 * one, is an error, and one that is closed while another thread is at it lasts until that has left. */
#ifndef CATENA_XIO_HANDLES_H
#define CATENA_XIO_HANDLES_H

#include <stdbool.h>

struct xio;
struct handle;

/* A number for it, NULL without memory. It is in use until handles_leave(), by whoever made it. */
struct xio *handles_add(struct handle *h);
/* The handle of that number, in use from now on; NULL: there is none. */
struct handle *handles_enter(struct xio *x);
/* From now on nobody enters it any more. False: somebody else has said so before. */
bool handles_close(struct xio *x);
/* Does anybody use it beside the caller, who does? */
bool handles_shared(struct xio *x);
/* Not in use any more. True: it is closed, and nobody else uses it; the number is gone. */
bool handles_leave(struct xio *x);

#endif
