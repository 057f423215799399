/* SPDX-License-Identifier: GPL-2.0-or-later
 * libraries.c's place in the static program: they are there. */
#include "inter/libraries/libraries.h"

#define LINKED(name)                                                                               \
    int libraries_load_##name(struct err *e)                                                       \
    {                                                                                              \
        (void)e;                                                                                   \
        return 0;                                                                                  \
    }

LINKED(crypt)
LINKED(crypto)
LINKED(openssl)
LINKED(zlib)
LINKED(zstd)
LINKED(lz4)
LINKED(brotli)
LINKED(nghttp2)
