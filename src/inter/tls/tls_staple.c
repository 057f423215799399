/* SPDX-License-Identifier: GPL-2.0-or-later
 * OCSP as a server has it: ocsp-file= holds what the authority said of one of its certificates, and clients that ask get
 * that, as long as it holds. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_certs.h"
#include "inter/tls/tls_memory.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <string.h>

#include "catena/diag.h"
#include "catena/key_file.h"

struct said { /* in all processes, of each certificate: that what was stapled to it has run out */
    struct tls_memory memory;
    bool of[];
};

static bool is_over(const struct tls_identity *id)
{
    return id->staple.until && X509_cmp_current_time(id->staple.until) < 0;
}

/* The authority's certificate may not be at hand, but its name is in ours. */
static bool is_about(const OCSP_CERTID *id, const X509 *cert)
{
    ASN1_OCTET_STRING *name = NULL;
    ASN1_OBJECT *digest = NULL;
    ASN1_INTEGER *serial = NULL;
    unsigned char own[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    (void)OCSP_id_get0_info(&name, &digest, NULL, &serial, (OCSP_CERTID *)(uintptr_t)id);
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    return md && X509_NAME_digest(X509_get_issuer_name(cert), md, own, &n) == 1 && (int)n == ASN1_STRING_length(name) &&
           memcmp(own, ASN1_STRING_get0_data(name), n) == 0 &&
           ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(cert)) == 0;
}

static struct tls_identity *find_identity(const struct tls_certs *c, const OCSP_SINGLERESP *one)
{
    for (size_t i = 0; i < c->n; i++)
        if (is_about(OCSP_SINGLERESP_get0_id(one), c->v[i].cert))
            return &c->v[i];
    return NULL;
}

static void keep(struct tls_identity *id, OCSP_RESPONSE *whole, OCSP_SINGLERESP *one)
{
    ASN1_GENERALIZEDTIME *until = NULL;
    unsigned char *der = NULL;
    int n = i2d_OCSP_RESPONSE(whole, &der);
    OPENSSL_free(id->staple.der);
    ASN1_STRING_free(id->staple.until);
    (void)OCSP_single_get0_status(one, NULL, NULL, NULL, &until);
    id->staple.der = der;
    id->staple.len = n > 0 ? (size_t)n : 0;
    id->staple.until = until ? ASN1_STRING_dup(until) : NULL;
}

/* Is it about any of our certificates? */
static bool share_out(const struct tls_certs *c, OCSP_RESPONSE *whole, OCSP_BASICRESP *basic, const char *path)
{
    bool any = false;
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
        struct tls_identity *id = find_identity(c, one);
        if (!id)
            continue;
        any = true;
        keep(id, whole, one);
        if (is_over(id))
            diag(DIAG_WARN, "%s is out of date, so clients do not get it", path);
        if (c->said)
            ((struct said *)c->said)->of[id - c->v] = is_over(id);
    }
    return any;
}

static int no_response(const struct opt *o, struct err *e)
{
    (void)tls_option_error(o, e);
    return e->sys ? -1 : err_hint(e, "an OCSP response is wanted, as openssl ocsp -respout writes it");
}

static int read_response(const struct tls_context *t, const struct opt *o, BIO *file, struct err *e)
{
    OCSP_RESPONSE *whole = file ? d2i_OCSP_RESPONSE_bio(file, NULL) : NULL;
    bool answers = whole && OCSP_response_status(whole) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
    OCSP_BASICRESP *basic = answers ? OCSP_response_get1_basic(whole) : NULL;
    int rc = 0;
    if (!whole)
        rc = no_response(o, e);
    else if (!basic)
        rc = err_at(e, o->at, "%s=%s: it says \"%s\", and nothing about a certificate", o->desc->name, o->v.s,
                    OCSP_response_status_str(OCSP_response_status(whole)));
    else if (!share_out(t->certs, whole, basic, o->v.s))
        rc = err_at(e, o->at, "%s=%s: it is not about the server's certificate", o->desc->name, o->v.s);
    ERR_clear_error();
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(whole);
    return rc;
}

static int read_staple(const struct tls_context *t, const struct opt *o, struct run *r, struct err *e)
{
    struct tls_file f;
    if (tls_file_open(&f, o, r, e) < 0)
        return -1;
    BIO *file = BIO_new_file(f.path, "rb");
    int rc = read_response(t, o, file, e);
    BIO_free(file);
    tls_file_close(&f);
    return rc;
}

/* ---- giving ---- */

/* Is it for us to say? */
static bool is_news(const struct tls_certs *c, const struct tls_identity *id)
{
    struct said *said = (struct said *)c->said;
    if (!said)
        return false;
    tls_memory_lock(&said->memory);
    bool *of = &said->of[id - c->v], news = !*of;
    *of = true;
    tls_memory_unlock(&said->memory);
    return news;
}

static void tell_over(const struct tls_certs *c, const struct tls_identity *id)
{
    char until[TLS_TIME], subject[240];
    if (!is_news(c, id))
        return;
    tls_time(id->staple.until, until);
    tls_subject(X509_get_subject_name(id->cert), subject, sizeof subject);
    diag(DIAG_WARN, "the OCSP response about %s is out of date since %s, so clients do not get it any more (with reload a newer "
                    "ocsp-file=<file> is read)", subject, until);
}

static const struct tls_identity *shown_to(const SSL *ssl)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    const struct tls_certs *c = s->shared->certs;
    const X509 *cert = SSL_get_certificate(ssl);
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].cert == cert)
            return &c->v[i];
    return NULL;
}

/* A client asks; its certificate is chosen by now. */
static int give(SSL *ssl, void *arg)
{
    const struct tls_identity *id = shown_to(ssl);
    (void)arg;
    if (!id || !id->staple.der)
        return SSL_TLSEXT_ERR_NOACK;
    if (is_over(id)) {
        tell_over(((const struct tls_session *)SSL_get_app_data(ssl))->shared->certs, id);
        return SSL_TLSEXT_ERR_NOACK;
    }
    unsigned char *copy = OPENSSL_memdup(id->staple.der, id->staple.len);
    if (!copy)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    (void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)id->staple.len);
    return SSL_TLSEXT_ERR_OK;
}

int tls_set_staples(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    bool any = false;
    if (opt_find(a, &opt_tls_ocsp_file))
        t->certs->said = tls_memory_new(sizeof(struct said) + t->certs->n); /* without it nothing is said */
    for (size_t i = 0; i < a->nopts; i++) {
        if (!option_is(a->opts[i].desc, &opt_tls_ocsp_file))
            continue;
        if (read_staple(t, &a->opts[i], r, e) < 0)
            return -1;
        any = true;
    }
    if (any)
        (void)SSL_CTX_set_tlsext_status_cb(t->ctx, give);
    return 0;
}
