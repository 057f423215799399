/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which versions of the libraries there are, for -V. */
#include <stdint.h>
#include <stdio.h>

#include <brotli/encode.h>
#include <crypt.h>
#include <lz4.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <zlib.h>
#include <zstd.h>

#include "catena/library.h"
#include "inter/libraries/libraries.h"

#ifndef XCRYPT_VERSION_STR /* a C library's own */
#define XCRYPT_VERSION_STR NULL
#endif

static const char *of_openssl(char room[16]) { return (void)room, OpenSSL_version(OPENSSL_VERSION_STRING); }
static const char *of_zlib(char room[16]) { return (void)room, zlibVersion(); }
static const char *of_zstd(char room[16]) { return (void)room, ZSTD_versionString(); }
static const char *of_lz4(char room[16]) { return (void)room, LZ4_versionString(); }
static const char *of_nghttp2(char room[16]) { return (void)room, nghttp2_version(0)->version_str; }

static const char *of_brotli(char room[16])
{
    uint32_t v = BrotliEncoderVersion();
    (void)snprintf(room, 16, "%u.%u.%u", v >> 24, v >> 12 & 0xfffU, v & 0xfffU);
    return room;
}

extern const struct library_about about_inter[];
const struct library_about about_inter[] = {
    {"OpenSSL", OPENSSL_VERSION_STR, libraries_load_openssl, of_openssl},
    {"zlib", ZLIB_VERSION, libraries_load_zlib, of_zlib},
    {"zstd", ZSTD_VERSION_STRING, libraries_load_zstd, of_zstd},
    {"lz4", LZ4_VERSION_STRING, libraries_load_lz4, of_lz4},
    {"brotli", NULL, libraries_load_brotli, of_brotli},
    {"nghttp2", NGHTTP2_VERSION, libraries_load_nghttp2, of_nghttp2},
    {"libcrypt", XCRYPT_VERSION_STR, libraries_load_crypt, NULL},
    {0},
};
