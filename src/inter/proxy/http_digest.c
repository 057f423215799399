/* SPDX-License-Identifier: GPL-2.0-or-later
 * Digest: see http_digest.h. */
#include "inter/proxy/http_digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inter/libraries/libraries.h"

enum { DIGITS_MAX = 2 * 32 };
typedef const EVP_MD *hash_function(void);

static hash_function *const functions[DIGEST_UNKNOWN] = {
    [DIGEST_MD5] = EVP_md5,           [DIGEST_MD5_SESS] = EVP_md5,
    [DIGEST_SHA256] = EVP_sha256,     [DIGEST_SHA256_SESS] = EVP_sha256,
    [DIGEST_SHA512_256] = EVP_sha512_256, [DIGEST_SHA512_256_SESS] = EVP_sha512_256,
};

static bool is_sess(enum digest_algorithm a)
{
    return a == DIGEST_MD5_SESS || a == DIGEST_SHA256_SESS || a == DIGEST_SHA512_256_SESS;
}

static void to_digits(char *to, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

/* H of the texts with colons between them; NULL ends the list. In hexadecimal digits. */
static int hash(const struct digest_challenge *c, char to[DIGITS_MAX + 1], struct err *e, ...)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool good;
    va_list ap;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!md)
        return err_nomem(e);
    good = EVP_DigestInit_ex(md, functions[c->algorithm](), NULL);
    va_start(ap, e);
    const char *text = va_arg(ap, const char *);
    for (bool first = true; good && text; first = false, text = va_arg(ap, const char *))
        good = (first || EVP_DigestUpdate(md, ":", 1)) && EVP_DigestUpdate(md, text, strlen(text));
    va_end(ap);
    good = good && EVP_DigestFinal_ex(md, sum, &n) && 2 * n <= DIGITS_MAX;
    EVP_MD_CTX_free(md);
    if (!good)
        return err_set(e, ERR_OTHER, "the algorithm %s of the proxy is not to be had from libcrypto",
                       c->word ? c->word : "MD5");
    to_digits(to, sum, n);
    explicit_bzero(sum, sizeof sum);
    return 0;
}

static int respond(const struct digest_challenge *c, const struct digest_answer *w, const char *count,
                   char to[DIGITS_MAX + 1], struct err *e)
{
    char a1[DIGITS_MAX + 1], a2[DIGITS_MAX + 1];
    int rc = hash(c, a1, e, w->user, c->realm, w->password, NULL);
    if (rc == 0 && is_sess(c->algorithm))
        rc = hash(c, a1, e, a1, c->nonce, w->cnonce, NULL);
    if (rc == 0)
        rc = hash(c, a2, e, w->method, w->uri, NULL);
    if (rc == 0)
        rc = c->qop ? hash(c, to, e, a1, c->nonce, count, w->cnonce, "auth", a2, NULL) : hash(c, to, e, a1, c->nonce, a2, NULL);
    explicit_bzero(a1, sizeof a1);
    return rc;
}

/* ---- the field ---- */

static void put(struct buf *out, const char *s) { buf_put(out, s, strlen(s)); }

static void put_quoted(struct buf *out, const char *name, const char *value)
{
    put(out, name);
    put(out, "=\"");
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            put(out, "\\");
        buf_put(out, value, 1);
    }
    put(out, "\"");
}

/* RFC 8187: what is not ASCII, said so that every reader takes it for UTF-8. */
static void put_extended(struct buf *out, const char *value)
{
    char coded[4];
    put(out, "username*=UTF-8''");
    for (; *value; value++) {
        (void)snprintf(coded, sizeof coded, "%%%02X", (unsigned char)*value);
        put(out, coded);
    }
}

static bool is_ascii(const char *s)
{
    while (*s && (unsigned char)*s < 0x80)
        s++;
    return *s == '\0';
}

static int put_user(const struct digest_challenge *c, const char *user, struct buf *out, struct err *e)
{
    char hashed[DIGITS_MAX + 1];
    if (c->userhash && hash(c, hashed, e, user, c->realm, NULL) < 0)
        return -1;
    if (!c->userhash && c->utf8 && !is_ascii(user))
        put_extended(out, user);
    else
        put_quoted(out, "username", c->userhash ? hashed : user);
    return 0;
}

int digest_write(const struct digest_challenge *c, const struct digest_answer *w, struct buf *out, struct err *e)
{
    char response[DIGITS_MAX + 1], count[9];
    (void)snprintf(count, sizeof count, "%08x", w->count);
    size_t most = 2 * (strlen(c->realm) + strlen(c->nonce) + strlen(c->opaque) + strlen(w->uri)) + 3 * strlen(w->user) + 512;
    if (buf_grow(out, out->len + most) < 0)
        return err_nomem(e);
    if (libraries_load_crypto(e) < 0 || respond(c, w, count, response, e) < 0)
        return -1;
    put(out, "Digest ");
    if (put_user(c, w->user, out, e) < 0)
        return -1;
    put_quoted(out, ", realm", c->realm);
    put_quoted(out, ", nonce", c->nonce);
    put_quoted(out, ", uri", w->uri);
    put_quoted(out, ", response", response);
    if (c->word) {
        put(out, ", algorithm=");
        put(out, c->word);
    }
    if (c->opaque[0])
        put_quoted(out, ", opaque", c->opaque);
    if (c->qop || is_sess(c->algorithm))
        put_quoted(out, ", cnonce", w->cnonce);
    if (c->qop) {
        put(out, ", qop=auth, nc=");
        put(out, count);
    }
    if (c->userhash)
        put(out, ", userhash=true");
    return 0;
}

int digest_make_cnonce(char to[CNONCE_SIZE], struct err *e)
{
    unsigned char bytes[(CNONCE_SIZE - 1) / 2];
    if (libraries_load_crypto(e) < 0)
        return -1;
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, ERR_OTHER, "the system gives no random numbers");
    to_digits(to, bytes, sizeof bytes);
    return 0;
}
