/* SPDX-License-Identifier: GPL-2.0-or-later
 * PKCS #12 files (.p12, .pfx). What they are encrypted with may be so old that it is kept in a module of the library
 * that nothing else is to get at: so they are opened in a context of the library that lasts as long as that. */
#include "inter/tls/tls_certs.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

#include "catena/key_file.h"

struct box {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *usual, *old; /* old: NULL where the library comes without */
    PKCS12 *p12;
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) *others;
};

static void box_close(struct box *b)
{
    EVP_PKEY_free(b->key);
    X509_free(b->cert);
    sk_X509_pop_free(b->others, X509_free);
    PKCS12_free(b->p12);
    OSSL_PROVIDER_unload(b->old);
    OSSL_PROVIDER_unload(b->usual);
    OSSL_LIB_CTX_free(b->library);
}

static bool box_open(struct box *b, const char *path)
{
    BIO *file = BIO_new_file(path, "rb");
    b->library = OSSL_LIB_CTX_new();
    b->usual = b->library ? OSSL_PROVIDER_load(b->library, "default") : NULL;
    b->old = b->usual ? OSSL_PROVIDER_load(b->library, "legacy") : NULL;
    b->p12 = b->usual && file ? PKCS12_init_ex(NID_pkcs7_data, b->library, NULL) : NULL;
    PKCS12 *read = b->p12 ? d2i_PKCS12_bio(file, &b->p12) : NULL; /* which frees it if there is nothing to read */
    if (file && b->p12)
        ERR_clear_error(); /* what is not there may not be needed */
    BIO_free(file);
    return read != NULL;
}

/* What stays has nothing to do with that context any more. */
static X509 *copy_certificate(X509 *from)
{
    unsigned char *der = NULL;
    int n = i2d_X509(from, &der);
    const unsigned char *at = der;
    X509 *copy = n > 0 ? d2i_X509(NULL, &at, n) : NULL;
    OPENSSL_free(der);
    return copy;
}

static EVP_PKEY *copy_key(const EVP_PKEY *from)
{
    unsigned char *der = NULL;
    int n = i2d_PrivateKey(from, &der);
    const unsigned char *at = der;
    EVP_PKEY *copy = n > 0 ? d2i_AutoPrivateKey(NULL, &at, n) : NULL;
    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    return copy;
}

static bool add_copy(struct tls_identity *id, X509 *from)
{
    X509 *ca = copy_certificate(from);
    if (!id->chain)
        id->chain = sk_X509_new_null();
    if (ca && id->chain && sk_X509_push(id->chain, ca))
        return true;
    X509_free(ca);
    return false;
}

/* Who has signed that one, if it was not itself. */
static X509 *find_issuer(const struct box *b, X509 *of)
{
    for (int i = 0; i < sk_X509_num(b->others) && X509_check_issued(of, of) != X509_V_OK; i++)
        if (X509_check_issued(sk_X509_value(b->others, i), of) == X509_V_OK)
            return sk_X509_value(b->others, i);
    return NULL;
}

/* Peers want each authority behind what it has signed; these files have them in any order. */
static bool copy_all(const struct box *b, struct tls_identity *id)
{
    X509 *ca = b->cert;
    id->cert = copy_certificate(b->cert);
    id->key = copy_key(b->key);
    for (int i = 0; i < sk_X509_num(b->others) && (ca = find_issuer(b, ca)); i++)
        if (!add_copy(id, ca))
            return false;
    return id->cert && id->key;
}

static bool fits(const struct box *b, const char *phrase)
{
    bool is = PKCS12_verify_mac(b->p12, phrase, -1) == 1;
    ERR_clear_error();
    return is;
}

static bool parse(struct box *b, const char *phrase)
{
    return PKCS12_parse(b->p12, phrase, &b->key, &b->cert, &b->others) == 1;
}

static int parse_encrypted(struct box *b, const struct opt *o, struct tls_phrase *p, struct err *e)
{
    const char *phrase = tls_phrase_get(p, "Enter pass phrase of the PKCS #12 file:", NULL);
    if (!phrase)
        return err_set(e, ERR_TLS_FILE, "%s=%s: it is encrypted, and there is no terminal to ask for the pass phrase "
                                     "(passphrase-file=<file> gives it)", o->desc->name, o->v.s);
    if (PKCS12_mac_present(b->p12) && !fits(b, phrase))
        return err_set(e, ERR_TLS_FILE, "%s=%s: the pass phrase is not that of the file", o->desc->name, o->v.s);
    return parse(b, phrase) ? 0 : tls_option_error(o, e);
}

/* A file without a pass phrase has none, or an empty one; and without a seal only trying tells. */
static int parse_any(struct box *b, const struct opt *o, struct tls_phrase *p, struct err *e)
{
    bool sealed = PKCS12_mac_present(b->p12);
    if (sealed && (fits(b, NULL) || fits(b, "")))
        return parse(b, fits(b, NULL) ? NULL : "") ? 0 : tls_option_error(o, e);
    if (!sealed && parse(b, NULL))
        return 0;
    ERR_clear_error();
    return parse_encrypted(b, o, p, e);
}

static int unpack(struct box *b, const struct opt *o, struct tls_identity *id, struct tls_phrase *p, struct err *e)
{
    static const char convert[] = "what it is encrypted with may be too old for the TLS library: openssl pkcs12 -legacy "
                                  "-nodes -in <file> -out <file.pem> makes a PEM file of it, for cert=";
    if (parse_any(b, o, p, e) < 0)
        return b->old ? -1 : err_hint(e, convert);
    if (!b->cert || !b->key)
        return err_set(e, ERR_TLS_FILE, "%s=%s: there is no %s in it", o->desc->name, o->v.s,
                       b->cert ? "private key" : "certificate with a private key");
    return copy_all(b, id) ? 0 : tls_option_error(o, e);
}

/* The library has no words for a file that ends before it begins. */
static int no_box(const struct opt *o, struct err *e)
{
    if (ERR_peek_error() == 0)
        return err_at(e, o->at, "%s=%s: it is empty, or no PKCS #12 file; PEM files go to cert=", o->desc->name, o->v.s);
    (void)tls_option_error(o, e);
    return e->sys ? -1 : err_hint(e, "a PKCS #12 file is wanted; PEM files go to cert=");
}

int tls_p12_read(const struct opt *o, struct tls_identity *id, struct tls_phrase *p, struct run *r, struct err *e)
{
    struct box b = {0};
    struct tls_file f;
    if (tls_file_open(&f, o, r, e) < 0)
        return -1;
    bool there = box_open(&b, f.path);
    tls_file_close(&f);
    int rc = there ? unpack(&b, o, id, p, e) : no_box(o, e);
    box_close(&b);
    if (rc < 0)
        e->where = o->at;
    return rc;
}
