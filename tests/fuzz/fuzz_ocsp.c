/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a server staples to its certificate. An even first byte: the rest is the response. An odd one: the rest are
 * changes of one that is good, an offset and what becomes of the byte there. Nobody without the authority's key makes
 * a good one: whatever is good says what the good one says, and that it is an answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "inter/libraries/libraries.h"
#include "inter/tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static STACK_OF(X509) *chain;
static X509_STORE *trusted;
static unsigned char *good;
static int ngood;

static X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * 365);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(cert, key);
    if (!issuer) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(cert, ca, -1);
        X509_EXTENSION_free(ca);
    }
    if (!X509_sign(cert, signer, EVP_sha256()))
        abort();
    return cert;
}

static void make_good(X509 *cert, X509 *ca, EVP_PKEY *key)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, ca);
    ASN1_TIME *from = X509_gmtime_adj(NULL, -60), *until = X509_gmtime_adj(NULL, 86400L * 365);
    if (!OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, until) ||
        !OCSP_basic_sign(basic, ca, key, EVP_sha256(), NULL, OCSP_NOCERTS))
        abort();
    OCSP_RESPONSE *whole = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    ngood = i2d_OCSP_RESPONSE(whole, &good);
    OCSP_RESPONSE_free(whole);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    if (tls_judge_staple(good, ngood, chain, trusted))
        abort();
}

static void prepare(void)
{
    struct err e;
    if (libraries_load_openssl(&e) < 0) /* calls of this file go that way, too */
        abort();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = make_certificate("ca", key, NULL, key), *cert = make_certificate("localhost", key, ca, key);
    chain = sk_X509_new_null();
    trusted = X509_STORE_new();
    if (!sk_X509_push(chain, cert) || !sk_X509_push(chain, ca) || !X509_STORE_add_cert(trusted, ca))
        abort();
    make_good(cert, ca, key);
    EVP_PKEY_free(key);
}

/* What was signed, in der. */
static int signed_part(const unsigned char *at, size_t n, unsigned char **der)
{
    OCSP_RESPONSE *whole = d2i_OCSP_RESPONSE(NULL, &at, (long)n);
    OCSP_BASICRESP *basic = whole && OCSP_response_status(whole) == OCSP_RESPONSE_STATUS_SUCCESSFUL
                                ? OCSP_response_get1_basic(whole) : NULL;
    int len = basic ? i2d_OCSP_RESPDATA((OCSP_RESPDATA *)(uintptr_t)OCSP_resp_get0_respdata(basic), der) : 0;
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(whole);
    return len;
}

static bool says_the_same(const unsigned char *at, size_t n)
{
    unsigned char *one = NULL, *other = NULL;
    int len = signed_part(at, n, &one);
    bool same = len > 0 && signed_part(good, (size_t)ngood, &other) == len && memcmp(one, other, (size_t)len) == 0;
    OPENSSL_free(one);
    OPENSSL_free(other);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!chain)
        prepare();
    if (size < 1)
        return 0;
    const unsigned char *der = data + 1;
    size_t n = size - 1;
    unsigned char changed[4096];
    if (data[0] & 1) {
        memcpy(changed, good, (size_t)ngood);
        for (size_t i = 1; i + 2 < size; i += 3)
            changed[(size_t)(data[i] << 8 | data[i + 1]) % (size_t)ngood] = data[i + 2];
        der = changed;
        n = (size_t)ngood;
    }
    if (!tls_judge_staple(der, (long)n, chain, trusted) && !says_the_same(der, n))
        abort();
    return 0;
}
