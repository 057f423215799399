/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sessions as bytes, in memory that forked children share. Each is given out once. */
#ifndef CATENA_INTER_TLS_KEPT_H
#define CATENA_INTER_TLS_KEPT_H

#include <stddef.h>

struct kept;
enum { KEPT_KEY_MAX = 600, KEPT_MAX = 12 << 10 }; /* bytes */

struct kept *kept_new(void); /* NULL without memory */
void kept_free(struct kept *k);
/* The oldest makes room; what is too large is not kept. */
void kept_put(struct kept *k, const char *key, const unsigned char *bytes, size_t n);
/* The youngest with that key, which is gone then; gives its size, 0: there is none. */
size_t kept_take(struct kept *k, const char *key, unsigned char bytes[KEPT_MAX]);

#endif
