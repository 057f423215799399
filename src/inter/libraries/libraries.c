/* SPDX-License-Identifier: GPL-2.0-or-later
 * For each function in the tables there is one of the same name here that calls the library's own
 * through a slot, which is filled when the library is loaded: a jump, once it is optimized. A row is
 * CALL(result, function, parameters, arguments), or VOID(...) for one without a result. The compiler
 * holds it against the library's header, and the linker says when one is missing. */
#include "inter/libraries/libraries.h"

/* Theirs would have it otherwise: see below. */
#define HIDDEN __attribute__((visibility("hidden")))
#define LZ4FLIB_VISIBILITY HIDDEN
#define LZ4LIB_VISIBILITY HIDDEN
#define ZSTDLIB_VISIBLE HIDDEN
#define ZSTDERRORLIB_VISIBLE HIDDEN
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <crypt.h>
#include <lz4.h>
#include <lz4frame.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ocsp.h>
#include <openssl/opensslv.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "catena/library.h"

/* Hidden, as what the libraries call of each other is not to come this way. In parentheses, as some
 * names are those of macros as well. */
#define SLOT(function, slot)                                                                       \
    static __typeof__(&(function)) slot; HIDDEN
#define CALL(result, function, params, args)                                                       \
    SLOT(function, slot_##function) result(function) params { return slot_##function args; }
#define VOID(function, params, args)                                                               \
    SLOT(function, slot_##function) void(function) params { slot_##function args; }
#include "inter/libraries/libcrypt.def"
#include "inter/libraries/libcrypto.def"
#include "inter/libraries/libssl.def"
#include "inter/libraries/libz.def"
#include "inter/libraries/libzstd.def"
#include "inter/libraries/liblz4.def"
#include "inter/libraries/libbrotlienc.def"
#include "inter/libraries/libbrotlidec.def"
#include "inter/libraries/libnghttp2.def"
#undef CALL
#undef VOID

#define STRING(x) STRING_(x)
#define STRING_(x) #x
#define CALL(result, function, params, args) {STRING(function), &slot_##function},
#define VOID(function, params, args) CALL(void, function, params, args)

static const struct library_symbol crypt_symbols[] = {
#include "inter/libraries/libcrypt.def"
    {0},
};
static const struct library_symbol crypto_symbols[] = {
#include "inter/libraries/libcrypto.def"
    {0},
};
static const struct library_symbol ssl_symbols[] = {
#include "inter/libraries/libssl.def"
    {0},
};
static const struct library_symbol z_symbols[] = {
#include "inter/libraries/libz.def"
    {0},
};
static const struct library_symbol zstd_symbols[] = {
#include "inter/libraries/libzstd.def"
    {0},
};
static const struct library_symbol lz4_symbols[] = {
#include "inter/libraries/liblz4.def"
    {0},
};
static const struct library_symbol brotlienc_symbols[] = {
#include "inter/libraries/libbrotlienc.def"
    {0},
};
static const struct library_symbol brotlidec_symbols[] = {
#include "inter/libraries/libbrotlidec.def"
    {0},
};

static const struct library_symbol nghttp2_symbols[] = {
#include "inter/libraries/libnghttp2.def"
    {0},
};

#define VERSION STRING(OPENSSL_SHLIB_VERSION)
static struct library passwords = {"libcrypt.so.1", crypt_symbols, false, "libcrypt1"};
static struct library crypto = {"libcrypto.so." VERSION, crypto_symbols, false, "libssl" VERSION};
static struct library ssl = {"libssl.so." VERSION, ssl_symbols, false, "libssl" VERSION};
static struct library z = {"libz.so.1", z_symbols, false, "zlib1g"};
static struct library zstd = {"libzstd.so.1", zstd_symbols, false, "libzstd1"};
static struct library lz4 = {"liblz4.so.1", lz4_symbols, false, "liblz4-1"};
static struct library brotlienc = {"libbrotlienc.so.1", brotlienc_symbols, false, "libbrotli1"};
static struct library brotlidec = {"libbrotlidec.so.1", brotlidec_symbols, false, "libbrotli1"};
static struct library nghttp2 = {"libnghttp2.so.14", nghttp2_symbols, false, "libnghttp2-14"};

int libraries_load_crypt(struct err *e) { return library_load(&passwords, e); }
int libraries_load_crypto(struct err *e) { return library_load(&crypto, e); }

int libraries_load_openssl(struct err *e)
{
    return libraries_load_crypto(e) < 0 ? -1 : library_load(&ssl, e);
}

int libraries_load_zlib(struct err *e) { return library_load(&z, e); }
int libraries_load_zstd(struct err *e) { return library_load(&zstd, e); }
int libraries_load_lz4(struct err *e) { return library_load(&lz4, e); }
int libraries_load_brotli(struct err *e)
{
    return library_load(&brotlienc, e) < 0 ? -1 : library_load(&brotlidec, e);
}
int libraries_load_nghttp2(struct err *e) { return library_load(&nghttp2, e); }
