/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors as callers see them: the last one of each thread. */
#ifndef CATENA_XIO_ERROR_H
#define CATENA_XIO_ERROR_H

#include <xio.h>

#include "catena/err.h"
#include "xio/chain.h"

/* What is left of the chain's text in an error that outlives it are the offsets, and no secrets. In the
 * chain's instance. */
void error_settle(const struct chain *c, struct err *e);
/* e, which has been settled, is the thread's last, and errno says it in short. Gives -1. */
int error_tell(const struct err *e);
/* What a call to the system has failed of, in few words and without cost. */
int error_tell_errno(const char *call);
/* In the caller's words. */
void error_show(const struct err *e, struct xio_error *out);
struct xio_error *error_last(void);

#endif
