/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a TLS client says first, read without being its server. Pure. */
#ifndef CATENA_INTER_CLIENT_HELLO_H
#define CATENA_INTER_CLIENT_HELLO_H

#include <stddef.h>

enum {
    HELLO_MAX = 16384,  /* bytes of the message, in however many records ... */
    HELLO_LOOK = 32768, /* ... that have so many bytes together */
    HELLO_NAME_MAX = 255,
};

enum hello_is { HELLO_SHORT, HELLO_WHOLE, HELLO_NO_TLS, HELLO_WRONG };

struct client_hello {
    char name[HELLO_NAME_MAX + 1]; /* of the server, small letters, no dot at its end; empty: he names none */
    char alpn[HELLO_NAME_MAX + 1]; /* protocols that he offers, with commas between; empty: none */
    const char *wrong;             /* why, if it is */
};

/* The first n bytes of the connection. HELLO_SHORT: more have to come. */
enum hello_is client_hello_read(const unsigned char *p, size_t n, struct client_hello *out);

#endif
