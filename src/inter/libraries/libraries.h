/* SPDX-License-Identifier: GPL-2.0-or-later
 * OpenSSL, libcrypt, zlib, zstd, lz4, brotli and nghttp2, loaded when a line needs them (catena/library.h). Who calls them includes their
 * own headers and knows nothing of this. */
#ifndef CATENA_INTER_LIBRARIES_H
#define CATENA_INTER_LIBRARIES_H

#include "catena/err.h"

/* To be called before the first call into that library. Any thread, any number of times. */
int libraries_load_crypt(struct err *e); /* hashes of passwords */
int libraries_load_crypto(struct err *e); /* libcrypto alone */
int libraries_load_openssl(struct err *e);
int libraries_load_zlib(struct err *e);
int libraries_load_zstd(struct err *e);
int libraries_load_lz4(struct err *e);
int libraries_load_brotli(struct err *e);
int libraries_load_nghttp2(struct err *e);

#endif
