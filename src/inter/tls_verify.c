/* SPDX-License-Identifier: GPL-2.0-or-later
 * Is the peer who it has to be? The chain is OpenSSL's to judge; the name is compared here, since a
 * certificate may carry it as subjectAltName or, as of old, as commonName, and an address too. */
#include "inter/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An address literal as bytes: gives 4 or 16, or 0 when it is none. */
static size_t parse_ip(const char *text, unsigned char ip[16])
{
    if (inet_pton(AF_INET, text, ip) == 1)
        return 4;
    return inet_pton(AF_INET6, text, ip) == 1 ? 16 : 0;
}

/* A copy as certificates write it: no brackets, no zone, no trailing dot. */
static char *plain_name(const char *name)
{
    size_t n = strlen(name);
    if (n >= 2 && name[0] == '[' && name[n - 1] == ']') {
        name++;
        n -= 2;
    }
    if (memchr(name, ':', n) && memchr(name, '%', n))
        n = (size_t)((const char *)memchr(name, '%', n) - name);
    if (n > 1 && name[n - 1] == '.')
        n--;
    return strndup(name, n);
}

/* Without a name to expect there is nothing to verify: said before anything is opened. */
int tls_check_client(const struct addr *a, struct err *e)
{
    const struct opt *verify = opt_find(a, OPT_TLS_VERIFY);

    if ((verify != NULL && verify->v.i == 0) || a->host != NULL ||
        opt_find(a, OPT_TLS_COMMONNAME) != NULL)
        return 0;
    return err_at(e, a->at, "the host this leads to is not known, so the name in the server's "
                            "certificate cannot be verified: commonname=<name> gives it, "
                            "commonname= accepts any name of a trusted certificate, verify=0 "
                            "any certificate");
}

int tls_names(const struct addr *a, struct tls_context *t, struct err *e)
{
    const struct opt *cn = opt_find(a, OPT_TLS_COMMONNAME);
    const char *name = cn ? opt_string(a, OPT_TLS_COMMONNAME, "") : t->server ? NULL : a->host;
    unsigned char ip[16];

    if (t->verify && name && *name && !(t->expect = plain_name(name)))
        return err_nomem(e);
    if (t->server || opt_true(a, OPT_TLS_NO_SNI))
        return 0;
    name = opt_string(a, OPT_TLS_SNIHOST, name ? name : "");
    if (!(t->sni = plain_name(name)))
        return err_nomem(e);
    if (!*t->sni || parse_ip(t->sni, ip) > 0) { /* RFC 6066: names only */
        free(t->sni);
        t->sni = NULL;
    }
    return 0;
}

/* Calls f for each commonName as UTF-8 without NUL, until it says true. */
static bool each_common_name(X509 *cert, bool (*f)(const char *cn, void *arg), void *arg)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    bool found = false;
    for (int i = -1; !found && (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
        unsigned char *text = NULL;
        int n =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
        if (n >= 0 && memchr(text, '\0', (size_t)n) == NULL)
            found = f((char *)text, arg);
        OPENSSL_free(text);
    }
    return found;
}

struct address {
    unsigned char ip[16];
    size_t n;
};

static bool same_address(const char *cn, void *wanted)
{
    const struct address *w = wanted;
    struct address a;
    char *plain = plain_name(cn);
    a.n = plain ? parse_ip(plain, a.ip) : 0;
    free(plain);
    return a.n == w->n && memcmp(a.ip, w->ip, w->n) == 0;
}

bool tls_name_matches(X509 *cert, const char *name)
{
    struct address wanted;
    wanted.n = parse_ip(name, wanted.ip);
    if (wanted.n > 0)
        return X509_check_ip(cert, wanted.ip, wanted.n, 0) == 1 ||
               each_common_name(cert, same_address, &wanted);
    return X509_check_host(cert, name, 0, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT, NULL) == 1;
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

/* The names a certificate holds, for people: "localhost, *.example.com, 127.0.0.1". */
struct name_list {
    char text[300];
    size_t len;
};

static bool add_name(const char *name, void *list)
{
    struct name_list *l = list;
    if (l->len < sizeof l->text) {
        int n = snprintf(l->text + l->len, sizeof l->text - l->len, "%s\"%s\"", l->len ? ", " : "",
                         name);
        l->len += n > 0 ? (size_t)n : 0;
    }
    return false;
}

static void list_names(X509 *cert, struct name_list *list)
{
    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);
        char ip[INET6_ADDRSTRLEN], name[256];
        if (san->type == GEN_DNS) {
            (void)snprintf(name, sizeof name, "%.*s", ASN1_STRING_length(san->d.dNSName),
                           (const char *)ASN1_STRING_get0_data(san->d.dNSName));
            (void)add_name(name, list);
        } else if (san->type == GEN_IPADD) {
            int n = ASN1_STRING_length(san->d.iPAddress);
            int family = n == 4 ? AF_INET : n == 16 ? AF_INET6 : AF_UNSPEC;
            if (family != AF_UNSPEC &&
                inet_ntop(family, ASN1_STRING_get0_data(san->d.iPAddress), ip, sizeof ip))
                (void)add_name(ip, list);
        }
    }
    GENERAL_NAMES_free(sans);
    if (list->len == 0)
        (void)each_common_name(cert, add_name, list);
}

static const char *peer_word(const struct tls_session *s)
{
    return s->shared->server ? "client" : "server";
}

static int wrong_name(const struct tls_session *s, X509 *cert, struct err *e)
{
    struct name_list list = {.len = 0};
    list_names(cert, &list);
    return err_set(e, ERR_PERMANENT,
                   "the %s's certificate is not for \"%s\", it is for %s (commonname=<name> names "
                   "whom to expect, commonname= accepts any name, verify=0 any certificate)",
                   peer_word(s), s->shared->expect, list.len ? list.text : "no name at all");
}

static int untrusted(const struct tls_session *s, X509_STORE_CTX *store, struct err *e)
{
    int verdict = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    char subject[300] = "";
    const char *way_out = "verify=0 accepts any certificate";
    switch (verdict) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        way_out = "cafile=<file> with it or its issuer makes it trusted, verify=0 accepts any";
        break;
    default:
        break;
    }
    if (cert)
        tls_subject(X509_get_subject_name(cert), subject, sizeof subject);
    return err_set(e, ERR_PERMANENT, "the %s's certificate is not trusted: %s: %s%s (%s)",
                   peer_word(s), subject, depth > 0 ? "(issuer) " : "",
                   X509_verify_cert_error_string(verdict), way_out);
}

int tls_verify_callback(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
    if (!s)
        return 0;
    if (!ok) {
        (void)untrusted(s, store, &s->why);
        return 0;
    }
    /* Said within the handshake, so that the peer hears of it by an alert. */
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (X509_STORE_CTX_get_error_depth(store) == 0 && s->shared->expect &&
        !tls_name_matches(cert, s->shared->expect)) {
        (void)wrong_name(s, cert, &s->why);
        X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
        return 0;
    }
    return 1;
}

int tls_verify_peer(const struct tls_session *s, struct err *e)
{
    if (!s->shared->verify)
        return 0;
    /* The callback has seen every certificate there was; this is about ciphers without one, and
     * about nobody ever getting past the callback by another way. */
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    long verdict = SSL_get_verify_result(s->ssl);
    if (!cert)
        return err_set(e, ERR_PERMANENT, "the %s sent no certificate (verify=0 accepts that)",
                       peer_word(s));
    if (verdict != X509_V_OK)
        return err_set(e, ERR_PERMANENT, "the %s's certificate is not trusted: %s", peer_word(s),
                       X509_verify_cert_error_string(verdict));
    if (s->shared->expect && !tls_name_matches(cert, s->shared->expect))
        return wrong_name(s, cert, e);
    return 0;
}
