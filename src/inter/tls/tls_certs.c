/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who we are: cert= and p12= in the order given, each with the key that is its own. */
#include "inter/tls/tls_certs.h"

#include <openssl/err.h>

#include <stdlib.h>

#include "catena/diag.h"
#include "catena/key_file.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_memory.h"

/* What key= names. */
struct own_key {
    EVP_PKEY *key;
    const struct opt *from;
    bool used;
};

struct reading {
    const struct addr *a;
    struct tls_context *t;
    struct run *r;
    struct tls_phrase *phrase;
    size_t nkeys;
    struct own_key *keys;
    EVP_PKEY *dh;
};

void tls_identity_free(struct tls_identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    sk_X509_pop_free(id->chain, X509_free);
    OPENSSL_free(id->staple.der);
    ASN1_STRING_free(id->staple.until);
}

void tls_certs_free(struct tls_certs *c)
{
    for (size_t i = 0; c && i < c->n; i++)
        tls_identity_free(&c->v[i]);
    for (size_t i = 0; c && i < c->nnames; i++)
        free(c->names[i].text);
    if (c) {
        tls_memory_free(c->said);
        free(c->v);
        free(c->names);
    }
    free(c);
}

static bool is_given(const struct opt *o, const struct option_desc *row)
{
    return option_is(o->desc, row) && o->v.s && *o->v.s;
}

static size_t count(const struct addr *a, const struct option_desc *row)
{
    size_t n = 0;
    for (size_t i = 0; i < a->nopts; i++)
        n += is_given(&a->opts[i], row);
    return n;
}

/* ---- reading ---- */

static int read_keys(struct reading *x, struct err *e)
{
    size_t n = count(x->a, &opt_tls_key);
    x->keys = n > 0 ? calloc(n, sizeof *x->keys) : NULL;
    if (n > 0 && !x->keys)
        return err_nomem(e);
    for (size_t i = 0; i < x->a->nopts; i++) {
        const struct opt *o = &x->a->opts[i];
        struct tls_file f;
        if (!is_given(o, &opt_tls_key))
            continue;
        if (tls_file_open(&f, o, x->r, e) < 0)
            return -1;
        EVP_PKEY *key = tls_pem_key(f.path, x->phrase);
        tls_file_close(&f);
        if (!key) {
            (void)tls_option_error(o, e);
            return err_wrap(e, "no private key");
        }
        x->keys[x->nkeys++] = (struct own_key){key, o, false};
    }
    return 0;
}

/* Of the keys that key= names the one that belongs to it. */
static EVP_PKEY *find_key(struct reading *x, const X509 *cert)
{
    EVP_PKEY *found = NULL;
    for (size_t i = 0; i < x->nkeys && !found; i++)
        if (X509_check_private_key(cert, x->keys[i].key) == 1 && EVP_PKEY_up_ref(x->keys[i].key) == 1) {
            x->keys[i].used = true;
            found = x->keys[i].key;
        }
    ERR_clear_error();
    return found;
}

static int wrong_key(const struct own_key *k, const struct tls_identity *id, const struct opt *cert, struct err *e)
{
    (void)X509_check_private_key(id->cert, k->key);
    (void)tls_option_error(k->from, e);
    return err_wrap(e, "the key is not the one of the certificate in %s=%s",
                    option_is(cert->desc, &opt_tls_cert) ? "cert" : cert->desc->name, cert->v.s);
}

static int foreign_key(const struct opt *o, struct err *e)
{
    ERR_clear_error();
    return err_at(e, o->at, "%s=%s: the private key in it is not the one of the certificate", o->desc->name, o->v.s);
}

static int read_pem(struct reading *x, const struct opt *o, const char *path, struct tls_identity *id, struct err *e)
{
    if (tls_pem_chain(path, id, x->phrase) < 0)
        return tls_option_error(o, e);
    id->key = find_key(x, id->cert);
    if (!id->key)
        id->key = tls_pem_key(path, x->phrase);
    if (!id->key && x->nkeys > 0)
        return wrong_key(&x->keys[0], id, o, e);
    if (!id->key) {
        (void)tls_option_error(o, e);
        return err_wrap(e, "no private key, and key=<file> is not given");
    }
    if (X509_check_private_key(id->cert, id->key) != 1)
        return foreign_key(o, e);
    if (!x->dh && x->t->server)
        x->dh = tls_dh_read(path);
    ERR_clear_error();
    return 0;
}

static int read_one(struct reading *x, const struct opt *o, struct tls_identity *id, struct err *e)
{
    struct tls_file f;
    if (!option_is(o->desc, &opt_tls_cert))
        return tls_p12_read(o, id, x->phrase, x->r, e);
    if (tls_file_open(&f, o, x->r, e) < 0)
        return -1;
    int rc = read_pem(x, o, f.path, id, e);
    tls_file_close(&f);
    return rc;
}

/* A key that no certificate has taken is a mistake. */
static int miss_keys(const struct reading *x, const struct opt *last, struct err *e)
{
    const struct tls_certs *c = x->t->certs;
    for (size_t i = 0; i < x->nkeys; i++) {
        const struct own_key *k = &x->keys[i];
        if (!k->used && c->n == 1)
            return wrong_key(k, &c->v[0], last, e);
        if (!k->used && (c->n > 0 || !x->r->settings->v1_name))
            return err_at(e, k->from->at, "%s=%s: no certificate is given that this is the key of",
                          k->from->desc->name, k->from->v.s);
    }
    return 0;
}

static int read_all(struct reading *x, struct err *e)
{
    struct tls_certs *c = x->t->certs;
    size_t n = count(x->a, &opt_tls_cert) + count(x->a, &opt_tls_p12);
    const struct opt *last = NULL;
    c->v = n > 0 ? calloc(n, sizeof *c->v) : NULL;
    if (n > 0 && !c->v)
        return err_nomem(e);
    if (read_keys(x, e) < 0)
        return -1;
    for (size_t i = 0; i < x->a->nopts; i++) {
        const struct opt *o = &x->a->opts[i];
        if (!is_given(o, &opt_tls_cert) && !is_given(o, &opt_tls_p12))
            continue;
        last = o;
        if (read_one(x, o, &c->v[c->n++], e) < 0)
            return -1;
    }
    return miss_keys(x, last, e);
}

/* ---- using ---- */

static bool has_anonymous_cipher(const SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(list, i)) == NID_auth_null)
            return true;
    return false;
}

/* There are ciphers that do without. Version 1 leaves it to the client to find none. */
static int do_without(const struct reading *x, struct err *e)
{
    if (x->r->settings->v1_name)
        diag(DIAG_WARN, "no certificate given; consider option \"cert\"");
    else if (!has_anonymous_cipher(x->t->ctx))
        return err_at(e, x->a->at,
                      "a TLS server needs a certificate: cert=<file> (PEM, with the "
                      "private key in it or in key=<file>), or psk=<identity>:<key>");
    return 0;
}

static const struct opt *nth_certificate(const struct addr *a, size_t n)
{
    for (size_t i = 0; i < a->nopts; i++)
        if ((is_given(&a->opts[i], &opt_tls_cert) || is_given(&a->opts[i], &opt_tls_p12)) && n-- == 0)
            return &a->opts[i];
    return NULL;
}

static int use(const struct reading *x, const struct tls_identity *id, struct err *e)
{
    if (SSL_CTX_use_cert_and_key(x->t->ctx, id->cert, id->key, id->chain, 0) == 1)
        return 0;
    return tls_option_error(nth_certificate(x->a, (size_t)(id - x->t->certs->v)), e);
}

static bool is_in(const struct tls_picks *picks, const struct tls_identity *id)
{
    for (size_t i = 0; i < picks->n; i++)
        if (picks->v[i] == id)
            return true;
    return false;
}

/* Does any name lead to it? */
static bool is_reached(const struct tls_certs *c, const struct tls_identity *id)
{
    struct tls_picks picks;
    tls_certs_default(c, &picks);
    bool is = is_in(&picks, id);
    for (size_t i = 0; i < c->nnames && !is; i++)
        if (&c->v[c->names[i].of] == id) {
            tls_certs_find(c, c->names[i].text, &picks);
            is = is_in(&picks, id);
        }
    return is;
}

/* A client has no names to choose by, but its server says which kinds of keys it takes. */
static int use_all(const struct reading *x, struct err *e)
{
    const struct tls_certs *c = x->t->certs;
    for (size_t i = 0; i < c->n; i++)
        if (use(x, &c->v[i], e) < 0)
            return -1;
    return 0;
}

static int use_by_name(const struct reading *x, struct err *e)
{
    struct tls_certs *c = x->t->certs;
    struct tls_picks usual;
    if (tls_certs_index(c, e) < 0)
        return -1;
    tls_certs_default(c, &usual);
    for (size_t i = 0; i < usual.n; i++)
        if (use(x, usual.v[i], e) < 0)
            return -1;
    for (size_t i = 0; i < c->n; i++)
        if (!is_reached(c, &c->v[i])) {
            const struct opt *o = nth_certificate(x->a, i);
            diag(DIAG_WARN, "%s=%s is never used: those before it have all its names", o->desc->name, o->v.s);
        }
    c->strict = opt_true(x->a, &opt_tls_strict_sni);
    if (c->n > 1 || c->strict)
        SSL_CTX_set_client_hello_cb(x->t->ctx, tls_sni_choose, NULL);
    return 0;
}

static int use_them(struct reading *x, struct err *e)
{
    if (!x->t->server)
        return use_all(x, e);
    if (x->t->certs->n == 0 && !x->t->psks && do_without(x, e) < 0)
        return -1;
    return use_by_name(x, e) < 0 ? -1 : tls_dh_set(x->a, x->t, &x->dh, x->r, e);
}

int tls_set_identity(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    struct reading x = {.a = a, .t = t, .r = r};
    t->certs = calloc(1, sizeof *t->certs);
    if (!t->certs)
        return err_nomem(e);
    x.phrase = tls_phrase_new(a, r, e);
    if (!x.phrase)
        return -1;
    int rc = read_all(&x, e);
    if (rc < 0)
        tls_phrase_reason(x.phrase, e);
    tls_phrase_free(x.phrase);
    if (rc == 0)
        rc = use_them(&x, e);
    for (size_t i = 0; i < x.nkeys; i++)
        EVP_PKEY_free(x.keys[i].key);
    free(x.keys);
    EVP_PKEY_free(x.dh);
    return rc;
}
