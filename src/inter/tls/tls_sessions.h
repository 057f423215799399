/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sessions that a client may resume, by a key. Each is given out once. */
#ifndef CATENA_INTER_TLS_SESSIONS_H
#define CATENA_INTER_TLS_SESSIONS_H

#include <openssl/ssl.h>

struct sessions;

struct sessions *sessions_new(void); /* NULL without memory */
void sessions_free(struct sessions *s);
/* Takes a reference, or makes a copy. The oldest makes room. */
void sessions_put(struct sessions *s, const char *key, SSL_SESSION *session);
/* The youngest with that key, to be freed; NULL: there is none. */
SSL_SESSION *sessions_take(struct sessions *s, const char *key);

#endif
