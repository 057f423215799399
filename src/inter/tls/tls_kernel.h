/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS whose records the kernel makes of what we send (ktls), once the library has shaken hands; private to tls*.c.
 * For TLS 1.3: the keys of older versions do not tell which nonces the library has used with them. */
#ifndef CATENA_INTER_TLS_KERNEL_H
#define CATENA_INTER_TLS_KERNEL_H

#include "inter/tls/tls.h"

struct seal;

int tls_kernel_check(const struct addr *a, struct err *e); /* the option */
/* Wanted, and there is a kernel that can: t->in_kernel. */
int tls_kernel_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_kernel_open(struct tls_session *s, struct err *e);
void tls_kernel_close(struct tls_session *s);
/* A line of the library's for key logs. */
void tls_kernel_secret(struct tls_session *s, const char *line);
/* There are data, and who seals is not settled yet: they stay where they are. */
bool tls_kernel_waits(struct tls_session *s, const struct session_side *data);
bool tls_kernel_seals(const struct tls_session *s);
/* Then: data go out as they are (true: all have gone), behind what is to be said beside them (true: they may). */
bool tls_kernel_say(struct tls_session *s, struct buf *out);
bool tls_kernel_send(struct tls_session *s, struct buf *in, struct buf *out);
bool tls_kernel_has_said_all(const struct tls_session *s);
/* session_ops.seal and .sealed */
const struct seal *tls_kernel_seal(void *st);
int tls_kernel_sealed(void *st, bool done, struct err *e);

#endif
