/* SPDX-License-Identifier: GPL-2.0-or-later
 * Keys that both sides have beforehand, each with a name (the identity), in the place of certificates. */
#ifndef CATENA_INTER_TLS_PSK_H
#define CATENA_INTER_TLS_PSK_H

#include "inter/tls/tls.h"

/* Is one given? */
bool tls_psk_given(const struct addr *a);
/* A client's options: what does not go together with a key. */
int tls_psk_check(const struct addr *a, struct err *e);
/* For the context: psk=, psk-file=. */
int tls_psk_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
void tls_psk_release(struct tls_context *t);
/* Has the peer of this connection, or of the one it goes on from, shown that it has the key? */
bool tls_psk_used(const struct tls_session *s);
/* A client has a key: the server has to have it too, whatever else it may show. */
int tls_psk_require(const struct tls_session *s, struct err *e);
/* The handshake has failed: is it about the key? Called while OpenSSL's error queue is full; gives what to say
 * before it, or NULL. */
const char *tls_psk_blame(const struct tls_session *s, char *text, size_t size);
/* A client has named that key; false without memory. */
bool tls_psk_met(struct tls_session *s, const char *name);
/* The name of the client's key, if it has shown one; NULL. */
const char *tls_psk_name(const struct tls_session *s);
/* Says so, if that is how the peer has proved who it is. */
bool tls_psk_opened(const struct tls_session *s);

#endif
