/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pins: whose key may it be, whoever vouches for it? pin-sha256= has the SHA-256 of its SubjectPublicKeyInfo in base64,
 * as HPKP, curl and RFC 7858 write it. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <stdlib.h>
#include <string.h>

enum { DIGEST = 32, CODED = 44, DECODED = 33 }; /* bytes, letters with one "=", bytes with what that stands for */

static bool is_coded(const char *s, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return n == CODED && strspn(s, letters) == CODED - 1 && s[CODED - 1] == '=';
}

/* The next pin of the value, which may be several, with ";" or blanks between them, and "sha256//" before each. Gives
 * its length; 0: that was all. */
static size_t next_pin(const char **s)
{
    static const char between[] = "; \t,", before[] = "sha256//";
    *s += strspn(*s, between);
    if (strncmp(*s, before, sizeof before - 1) == 0)
        *s += sizeof before - 1;
    return strcspn(*s, between);
}

static int count_pins(const struct opt *o, size_t *count, struct err *e)
{
    const char *s = o->v.s ? o->v.s : "";
    size_t n, all = 0;
    for (; (n = next_pin(&s)) > 0; s += n, all++)
        if (!is_coded(s, n))
            return err_at(e, o->at, "%s: \"%.*s\" is not the SHA-256 of a public key in base64 (%d letters, then =)",
                          o->desc->name, (int)n, s, CODED - 1);
    *count += all;
    return all > 0 ? 0 : err_at(e, o->at, "%s: no pin is given", o->desc->name);
}

static int count_all(const struct addr *a, size_t *count, struct err *e)
{
    *count = 0;
    for (size_t i = 0; i < a->nopts; i++)
        if (option_is(a->opts[i].desc, &opt_tls_pin) && count_pins(&a->opts[i], count, e) < 0)
            return -1;
    return 0;
}

int tls_check_pins(const struct addr *a, struct err *e)
{
    size_t count;
    return count_all(a, &count, e);
}

/* ---- whose key is it? ---- */

static bool digest_of(X509 *cert, unsigned char digest[DIGEST])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool is = n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return is;
}

static bool is_pinned(const struct tls_context *t, const unsigned char digest[DIGEST])
{
    for (size_t i = 0; i < t->npins; i++)
        if (memcmp(t->pins + i * DIGEST, digest, DIGEST) == 0)
            return true;
    return false;
}

int tls_check_pin(const struct tls_session *s, X509 *cert, struct err *e)
{
    unsigned char digest[DIGEST], text[CODED + 1];
    if (s->shared->npins == 0)
        return 0;
    if (!cert)
        return err_set(e, ERR_TLS_NO_CERT, "the %s sent no certificate, so there is no key to compare with pin-sha256",
                       tls_peer_word(s->shared));
    if (!digest_of(cert, digest))
        return tls_error(e, ERR_TLS_PIN, "the key of the %s's certificate", tls_peer_word(s->shared));
    if (is_pinned(s->shared, digest))
        return 0;
    (void)EVP_EncodeBlock(text, digest, DIGEST);
    return err_set(e, ERR_TLS_PIN, "the %s's key is none of those that are pinned, it is pin-sha256=%s",
                   tls_peer_word(s->shared), (const char *)text);
}

/* In the place of the library's own verification, so that the peer hears of it by an alert. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
    (void)arg;
    if (!s || !s->e)
        return 0;
    if (s->shared->verify && X509_verify_cert(store) != 1)
        return 0;
    if (tls_check_pin(s, X509_STORE_CTX_get0_cert(store), s->e) == 0)
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

int tls_set_pins(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    size_t count, n;
    (void)r;
    if (count_all(a, &count, e) < 0)
        return -1;
    if (count == 0)
        return 0;
    t->pins = malloc(count * DIGEST);
    if (!t->pins)
        return err_nomem(e);
    for (size_t i = 0; i < a->nopts; i++) {
        const char *s = a->opts[i].v.s;
        unsigned char whole[DECODED];
        if (!option_is(a->opts[i].desc, &opt_tls_pin))
            continue;
        for (; (n = next_pin(&s)) > 0; s += n) {
            (void)EVP_DecodeBlock(whole, (const unsigned char *)s, CODED);
            memcpy(t->pins + t->npins++ * DIGEST, whole, DIGEST);
        }
    }
    SSL_CTX_set_cert_verify_callback(t->ctx, verify, NULL);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, t->verify ? tls_verify_callback : NULL);
    return 0;
}
