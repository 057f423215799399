/* SPDX-License-Identifier: GPL-2.0-or-later
 * Is the peer who it has to be? The chain is OpenSSL's to judge; the name is compared in
 * tls_names.c. */
#include "inter/tls/tls.h"
#include "inter/tls/tls_psk.h"
#include "inter/tls/tls_resume.h"

#include <openssl/bio.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <stdio.h>

const char *tls_peer_word(const struct tls_context *t)
{
    return t->server ? "client" : "server";
}

void tls_subject(const X509_NAME *name, char *text, size_t size)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = 0;
    if (b && name && X509_NAME_print_ex(b, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(b, &p);
    (void)snprintf(text, size, "%.*s", n > 0 ? (int)n : 0, p ? p : "");
    BIO_free(b);
}

/* OpenSSL's own words, unless there are better ones; and the way out besides verify=0. */
#define TRUST_IT "cafile=<file> with its issuer makes it trusted"
#define TAKE_WEAK "cipher=DEFAULT:@SECLEVEL=0 accepts it"
static const struct {
    int verdict;
    enum err_kind code;
    const char *words, *way_out;
} verdicts[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_ISSUER, NULL, "cafile=<file> with it makes it trusted"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, ERR_TLS_ISSUER, "it signed itself and is not trusted here", TRUST_IT},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, ERR_TLS_ISSUER, "its issuer is not known here", TRUST_IT},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ERR_TLS_ISSUER, "its issuer is not known here", TRUST_IT},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, ERR_TLS_ISSUER, "its issuer is not known here", TRUST_IT},
    {X509_V_ERR_INVALID_PURPOSE, ERR_TLS_UNTRUSTED, "it is made for another purpose than this", NULL},
    {X509_V_ERR_INVALID_CA, ERR_TLS_UNTRUSTED, "its issuer is no CA and must not sign", NULL},
    {X509_V_ERR_PERMITTED_VIOLATION, ERR_TLS_UNTRUSTED, "its authorities may not certify such a name", NULL},
    {X509_V_ERR_EXCLUDED_VIOLATION, ERR_TLS_UNTRUSTED, "its authorities may not certify such a name", NULL},
    {X509_V_ERR_CERT_HAS_EXPIRED, ERR_TLS_EXPIRED, "it has expired", NULL},
    {X509_V_ERR_CERT_NOT_YET_VALID, ERR_TLS_EXPIRED, "it is not yet valid, or the clock here is wrong", NULL},
    {X509_V_ERR_CERT_REVOKED, ERR_TLS_REVOKED, "it has been revoked", NULL},
    {X509_V_ERR_UNABLE_TO_GET_CRL, ERR_TLS_REVOKED, "there is no revocation list of its issuer",
     "crlfile=<file> and crlpath=<directory> need one for each authority"},
    {X509_V_ERR_CRL_HAS_EXPIRED, ERR_TLS_REVOKED, "the revocation list of its issuer is out of date", NULL},
    {X509_V_ERR_EE_KEY_TOO_SMALL, ERR_TLS_UNTRUSTED, "its key is too short", TAKE_WEAK},
    {X509_V_ERR_CA_KEY_TOO_SMALL, ERR_TLS_UNTRUSTED, "its key is too short", TAKE_WEAK},
    {X509_V_ERR_CA_MD_TOO_WEAK, ERR_TLS_UNTRUSTED, "it is signed with a digest that is too weak", TAKE_WEAK},
};

void tls_describe(const X509 *cert, char *text, size_t size)
{
    char subject[240], issuer[240], from[TLS_TIME], until[TLS_TIME];
    tls_subject(X509_get_subject_name(cert), subject, sizeof subject);
    tls_subject(X509_get_issuer_name(cert), issuer, sizeof issuer);
    tls_time(X509_get0_notBefore(cert), from);
    tls_time(X509_get0_notAfter(cert), until);
    (void)snprintf(text, size, "%s, issued by %s, valid from %s to %s", subject, issuer, from, until);
}

static int untrusted(const struct tls_session *s, X509_STORE_CTX *store, struct err *e)
{
    int verdict = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    char about[TLS_DESCRIPTION] = "";
    const char *words = X509_verify_cert_error_string(verdict), *way_out = NULL;
    enum err_kind code = ERR_TLS_UNTRUSTED;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].verdict == verdict) {
            words = verdicts[i].words ? verdicts[i].words : words;
            way_out = verdicts[i].way_out;
            code = verdicts[i].code;
        }
    if (cert)
        tls_describe(cert, about, sizeof about);
    return err_set(e, code,
                   "the %s's certificate is not trusted: %s%s: %s (%s%sverify=0 accepts any certificate)",
                   tls_peer_word(s->shared), depth > 0 ? "its issuer " : "", about, words,
                   way_out ? way_out : "", way_out ? ", " : "");
}

int tls_verify_callback(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
    if (!s || !s->e)
        return 0;
    if (!ok) {
        (void)untrusted(s, store, s->e);
        return 0;
    }
    /* Said within the handshake, so that the peer hears of it by an alert. */
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (X509_STORE_CTX_get_error_depth(store) == 0 &&
        tls_check_name(s, cert, X509_STORE_CTX_get0_chain(store), s->e) < 0) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
        return 0;
    }
    return 1;
}

int tls_verify_peer(const struct tls_session *s, struct err *e)
{
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    if (tls_check_agreed(s, e) < 0 || tls_psk_require(s, e) < 0)
        return -1;
    if (tls_psk_used(s))
        return 0;
    if (tls_check_pin(s, cert, e) < 0)
        return -1;
    if (!s->shared->verify || tls_resumed(s))
        return 0;
    /* The callback has seen every certificate there was; this is about ciphers without one, and
     * about nobody ever getting past the callback by another way. */
    long verdict = SSL_get_verify_result(s->ssl);
    if (!cert)
        return err_set(e, ERR_TLS_NO_CERT, "the %s sent no certificate (verify=0 accepts that)",
                       tls_peer_word(s->shared));
    if (verdict != X509_V_OK)
        return err_set(e, ERR_TLS_UNTRUSTED, "the %s's certificate is not trusted: %s", tls_peer_word(s->shared),
                       X509_verify_cert_error_string(verdict));
    return tls_check_name(s, cert, SSL_get0_verified_chain(s->ssl), e) < 0 ? -1 : tls_check_staple(s, e);
}
