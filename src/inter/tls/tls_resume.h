/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sessions that are resumed, as client and as server: a connection that goes on where an earlier one had proved
 * who is there. It may do so while what was found then holds. */
#ifndef CATENA_INTER_TLS_RESUME_H
#define CATENA_INTER_TLS_RESUME_H

#include "inter/tls/tls.h"

/* For the context: resume=, default two hours. */
int tls_resume_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
void tls_resume_release(struct tls_context *t);
/* A client's new connection offers a session of an earlier one, if there is one that still holds. */
void tls_resume_offer(const struct addr *a, struct tls_session *s);
/* Before a server sends data: now is the time for a ticket. */
void tls_resume_give(struct tls_session *s);
/* The handshake is done, and the peer accepted. */
void tls_resume_opened(const struct tls_session *s);
/* Does it go on from a connection in which the peer was accepted? */
bool tls_resumed(const struct tls_session *s);

#endif
