/* SPDX-License-Identifier: GPL-2.0-or-later
 * OCSP (RFC 6960) as a client has it: the server staples to its certificate what the authority said of it lately. Nothing
 * is ever fetched. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <strings.h>

enum {
    LEEWAY = 300,      /* seconds by which clocks may differ */
    STATUS_REQUEST = 5 /* what RFC 7633 has in a certificate that must not come without */
};

int tls_check_ocsp(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_tls_ocsp);
    if (!o)
        return 0;
    if (strcasecmp(o->v.s ? o->v.s : "", "staple") != 0 && strcasecmp(o->v.s ? o->v.s : "", "require") != 0)
        return err_at(e, o->at, "%s=%s: give staple (what a server staples has to be good) or require (it has to be there, too)",
                      o->desc->name, o->v.s ? o->v.s : "");
    if (opt_int(a, &opt_tls_verify, 1) == 0)
        return err_at(e, o->at, "%s: with verify=0 no certificate is looked at", o->desc->name);
    return 0;
}

/* The response that is about this certificate; NULL: none is. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, const X509 *cert, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
        OCSP_CERTID *about = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(one);
        ASN1_OBJECT *digest = NULL;
        (void)OCSP_id_get0_info(NULL, &digest, NULL, NULL, about);
        const EVP_MD *md = EVP_get_digestbyobj(digest);
        OCSP_CERTID *own = md ? OCSP_cert_to_id(md, cert, issuer) : NULL;
        bool same = own && OCSP_id_cmp(own, about) == 0;
        OCSP_CERTID_free(own);
        if (same)
            return one;
    }
    return NULL;
}

/* NULL: it is good. */
static const char *objection(OCSP_SINGLERESP *one)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    int reason, status = OCSP_single_get0_status(one, &reason, &revoked, &from, &until);
    if (!OCSP_check_validity(from, until, LEEWAY, -1))
        return "its OCSP response is out of date, or the clock here is wrong";
    return status == V_OCSP_CERTSTATUS_GOOD      ? NULL
           : status == V_OCSP_CERTSTATUS_REVOKED ? "it has been revoked, as its OCSP response says"
                                                 : "its authority does not know it, as its OCSP response says";
}

static const char *judge_basic(OCSP_BASICRESP *basic, STACK_OF(X509) *chain, X509_STORE *trusted)
{
    int n = sk_X509_num(chain);
    if (n < 1 || OCSP_basic_verify(basic, chain, trusted, 0) != 1)
        return "its OCSP response is not signed by its authority";
    OCSP_SINGLERESP *one = find_single(basic, sk_X509_value(chain, 0), sk_X509_value(chain, n > 1 ? 1 : 0));
    return one ? objection(one) : "its OCSP response is about another one";
}

const char *tls_judge_staple(const unsigned char *der, long n, STACK_OF(X509) *chain, X509_STORE *trusted)
{
    OCSP_RESPONSE *whole = d2i_OCSP_RESPONSE(NULL, &der, n);
    bool answers = whole && OCSP_response_status(whole) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
    OCSP_BASICRESP *basic = answers ? OCSP_response_get1_basic(whole) : NULL;
    const char *why = basic ? judge_basic(basic, chain, trusted) : "its OCSP response cannot be read, or is none but an error";
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(whole);
    ERR_clear_error();
    return why;
}

static bool has_to_be_stapled(const X509 *cert)
{
    int there = -1;
    STACK_OF(ASN1_INTEGER) *features = X509_get_ext_d2i(cert, NID_tlsfeature, &there, NULL);
    bool has = !features && there >= 0; /* what cannot be read may be that */
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
        has |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    TLS_FEATURE_free(features);
    return has;
}

static int missing(const X509 *cert, struct err *e)
{
    char about[TLS_DESCRIPTION] = "it has none";
    if (cert)
        tls_describe(cert, about, sizeof about);
    return err_set(e, ERR_TLS_REVOKED, "the server has stapled no OCSP response to its certificate, and "
                                  "ocsp=require wants one (ocsp=staple goes without): %s", about);
}

int tls_check_staple(const struct tls_session *s, struct err *e)
{
    const unsigned char *der = NULL;
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    if (s->shared->ocsp == TLS_OCSP_NONE || SSL_session_reused(s->ssl)) /* which was asked when it began */
        return 0;
    long n = SSL_get_tlsext_status_ocsp_resp(s->ssl, &der);
    const char *why = NULL;
    if (cert && der && n > 0)
        why = tls_judge_staple(der, n, SSL_get0_verified_chain(s->ssl),
                               SSL_CTX_get_cert_store(SSL_get_SSL_CTX(s->ssl)));
    else if (s->shared->ocsp == TLS_OCSP_REQUIRE)
        return missing(cert, e);
    else if (cert && has_to_be_stapled(cert))
        why = "no OCSP response is stapled to it, and it says itself that there has to be one";
    if (!why)
        return 0;
    char about[TLS_DESCRIPTION] = "there is none";
    if (cert)
        tls_describe(cert, about, sizeof about);
    return err_set(e, ERR_TLS_REVOKED, "the server's certificate is not trusted: %s: %s", about, why);
}

/* Said within the handshake, so that the server hears of it by an alert. */
static int told(SSL *ssl, void *arg)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    (void)arg;
    return s && s->e && tls_check_staple(s, s->e) == 0;
}

int tls_set_ocsp(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_tls_ocsp);
    (void)r;
    if (!o)
        return 0;
    if (tls_check_ocsp(a, e) < 0)
        return -1;
    t->ocsp = strcasecmp(o->v.s, "require") == 0 ? TLS_OCSP_REQUIRE : TLS_OCSP_STAPLE;
    (void)SSL_CTX_set_tlsext_status_type(t->ctx, TLSEXT_STATUSTYPE_ocsp);
    (void)SSL_CTX_set_tlsext_status_cb(t->ctx, told);
    return 0;
}
