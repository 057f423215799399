/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a TLS connection has learnt goes into the run's facts, and from there into the environment
 * of programs: OPENSSL_CIPHER, OPENSSL_PROTO_VERSION, OPENSSL_X509_<field>, OPENSSL_X509V3_DNS, and
 * SNI on the side of the server, ALPN on both. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
#include "inter/tls/tls_psk.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SEPARATOR " // "
enum { SUBJECT_MAX = 4096 }; /* bytes */

struct teller {
    struct run *run;
    const struct addr *addr;
};

static int tell(const struct teller *t, const char *name, const char *value, struct err *e)
{
    return run_set_fact(t->run, t->addr, name, value, e);
}

/* Takes what was written into b as the fact's value. */
static int fact_from_bio(const struct teller *t, const char *name, BIO *b, struct err *e)
{
    if (BIO_write(b, "", 1) != 1)
        return err_nomem(e);
    char *text = NULL;
    (void)BIO_get_mem_data(b, &text);
    return tell(t, name, text, e);
}

/* A string of the certificate as UTF-8. Control characters, NUL above all, are escaped: a fact is
 * no place for a peer to put line feeds or cut names short. */
static void print_string(BIO *b, const ASN1_STRING *s)
{
    (void)ASN1_STRING_print_ex(b, s, ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL);
}

/* commonName becomes openssl_x509_commonname. */
static void field_name(const ASN1_OBJECT *field, char *name, size_t size)
{
    char text[80];
    (void)OBJ_obj2txt(text, sizeof text, field, 0);
    int n = snprintf(name, size, "openssl_x509_%s", text);
    for (int i = 0; i < n && (size_t)i < size - 1; i++)
        name[i] = isalnum((unsigned char)name[i]) ? (char)tolower((unsigned char)name[i]) : '_';
}

/* One fact for each kind of entry of the subject; several entries of a kind are joined. */
static int tell_subject(const X509_NAME *subject, const struct teller *t, struct err *e)
{
    int count = X509_NAME_entry_count(subject), rc = 0;
    for (int i = 0; i < count && rc == 0; i++) {
        const ASN1_OBJECT *field = X509_NAME_ENTRY_get_object(X509_NAME_get_entry(subject, i));
        if (X509_NAME_get_index_by_OBJ(subject, field, -1) < i)
            continue; /* came with the first of its kind */
        BIO *b = BIO_new(BIO_s_mem());
        if (!b)
            return err_nomem(e);
        for (int k = i; k >= 0; k = X509_NAME_get_index_by_OBJ(subject, field, k)) {
            if (k > i)
                (void)BIO_puts(b, SEPARATOR);
            print_string(b, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, k)));
        }
        char name[128];
        field_name(field, name, sizeof name);
        rc = fact_from_bio(t, name, b, e);
        BIO_free(b);
    }
    return rc;
}

static void print_general_name(BIO *b, const GENERAL_NAME *san)
{
    char text[INET6_ADDRSTRLEN];
    if (san->type == GEN_DNS) {
        print_string(b, san->d.dNSName);
        return;
    }
    int n = ASN1_STRING_length(san->d.iPAddress);
    if ((n == 4 || n == 16) &&
        inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(san->d.iPAddress), text,
                  sizeof text))
        (void)BIO_puts(b, text);
}

static int tell_sans(const GENERAL_NAMES *sans, int type, const char *name,
                     const struct teller *t, struct err *e)
{
    BIO *b = BIO_new(BIO_s_mem());
    bool any = false;
    if (!b)
        return err_nomem(e);
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);
        if (san->type != type)
            continue;
        if (any)
            (void)BIO_puts(b, SEPARATOR);
        print_general_name(b, san);
        any = true;
    }
    int rc = any ? fact_from_bio(t, name, b, e) : 0;
    BIO_free(b);
    return rc;
}

static int tell_certificate(X509 *cert, const struct teller *t, struct err *e)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    char text[SUBJECT_MAX];

    tls_subject(subject, text, sizeof text);
    if (tell(t, "openssl_x509_subject", text, e) != 0)
        return -1;
    tls_subject(X509_get_issuer_name(cert), text, sizeof text);
    if (tell(t, "openssl_x509_issuer", text, e) != 0 || tell_subject(subject, t, e) != 0)
        return -1;

    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int rc = 0;
    /* The manual's name, and the ones that v1 really uses. */
    if (sans && (tell_sans(sans, GEN_DNS, "openssl_x509v3_dns", t, e) != 0 ||
                 tell_sans(sans, GEN_DNS, "openssl_x509v3_subjectaltname_dns", t, e) != 0 ||
                 tell_sans(sans, GEN_IPADD, "openssl_x509v3_subjectaltname_ipadd", t, e) != 0))
        rc = -1;
    GENERAL_NAMES_free(sans);
    return rc;
}

static int tell_agreed(const struct tls_session *s, const struct teller *t, struct err *e)
{
    const char *name;
    char text[256]; /* a name is at most 255 bytes long, and one that we know */
    size_t n = tls_agreed(s, &name);
    (void)snprintf(text, sizeof text, "%.*s", (int)n, n > 0 ? name : "");
    return n > 0 ? tell(t, "alpn", text, e) : 0;
}

int tls_tell_facts(const struct tls_session *s, const struct addr *a, struct run *r,
                   struct err *e)
{
    const struct teller t = {r, a};
    if (!run_wants_facts(r))
        return 0;
    const char *sni = s->shared->server ? SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
    if (tell(&t, "openssl_cipher", SSL_get_cipher_name(s->ssl), e) != 0 ||
        tell(&t, "openssl_proto_version", SSL_get_version(s->ssl), e) != 0 ||
        (sni && tell(&t, "sni", sni, e) != 0) || tell_agreed(s, &t, e) != 0)
        return -1;
    const char *key = tls_psk_name(s);
    if (key && tell(&t, "openssl_psk_identity", key, e) != 0)
        return -1;
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    return cert ? tell_certificate(cert, &t, e) : 0;
}

/* A client that is not to be verified is not asked for a certificate. */
const char *tls_untold(const struct addr *a, const struct fact_desc *f)
{
    const struct tls_role *role = a->form->arg;
    if (strcmp(f->name, "openssl_psk_identity") == 0 && !tls_psk_given(a))
        return "with option psk";
    bool of_certificate = strncmp(f->name, "openssl_x509", strlen("openssl_x509")) == 0;
    if (of_certificate && tls_psk_given(a) && !opt_find(a, &opt_tls_cert))
        return "without psk";
    if (strcmp(f->name, "alpn") == 0 && !opt_find(a, &opt_tls_alpn) && !a->speaks)
        return "with option alpn";
    return role->server && of_certificate && tls_admits(a) == ADMITS_ANYBODY ? "without verify=0" : NULL;
}
