/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whose name has to be in the peer's certificate, and is it? Alternative names of hosts settle that
 * alone (RFC 6125); the commonName is asked where there are none, or where an option says so. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
#include "inter/tls/tls_psk.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
int tls_check_host(const struct addr *a, struct err *e)
{
    const struct opt *verify = opt_find(a, &opt_tls_verify);

    if ((verify && verify->v.i == 0) || a->host || opt_find(a, &opt_tls_commonname) ||
        tls_psk_given(a))
        return 0;
    return err_at(e, a->at, "the host this leads to is not known, so the name in the server's "
                            "certificate cannot be verified: commonname=<name> gives it, "
                            "commonname= accepts any name of a trusted certificate, verify=0 "
                            "any certificate");
}

/* A client without a certificate is none, but that of a pinned key, or who has one beforehand where nobody else gets in. */
enum admits tls_admits(const struct addr *a)
{
    const struct opt *verify = opt_find(a, &opt_tls_verify);
    bool keys_only = tls_psk_given(a) && !opt_find(a, &opt_tls_cert) && !opt_find(a, &opt_tls_p12);
    return verify && verify->v.i == 0 && !opt_find(a, &opt_tls_pin) && !keys_only ? ADMITS_ANYBODY : ADMITS_SOME;
}

bool tls_shares(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].hole && !option_is(a->opts[i].desc, &opt_tls_commonname) &&
            !option_is(a->opts[i].desc, &opt_tls_snihost))
            return false;
    return true;
}

static int send_name(struct tls_session *s, const char *name, struct err *e)
{
    unsigned char ip[16];
    char *sni = plain_name(name);
    int rc = 0;
    if (!sni)
        return err_nomem(e);
    if (*sni && parse_ip(sni, ip) == 0 && /* RFC 6066: names only */
        !SSL_set_tlsext_host_name(s->ssl, sni))
        rc = tls_error(e, ERR_USAGE,
                       "host name \"%s\" cannot be sent to the server (no-sni sends none, "
                       "snihost=<name> another)", sni);
    free(sni);
    return rc;
}

int tls_names(const struct addr *a, struct tls_session *s, struct err *e)
{
    const struct opt *cn = opt_find(a, &opt_tls_commonname);
    bool server = s->shared->server;
    const char *name = cn ? opt_string(a, &opt_tls_commonname, "") : server ? NULL : a->host;

    if (s->shared->verify && name && *name && !(s->expect = plain_name(name)))
        return err_nomem(e);
    if (server || opt_true(a, &opt_tls_no_sni))
        return 0;
    return send_name(s, opt_string(a, &opt_tls_snihost, name ? name : ""), e);
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
        if (n >= 0 && !memchr(text, '\0', (size_t)n))
            found = f((char *)text, arg);
        OPENSSL_free(text);
    }
    return found;
}

/* ---- is it the peer's? ---- */

static bool is_host_name(const GENERAL_NAME *name)
{
    return name->type == GEN_DNS || name->type == GEN_IPADD;
}

/* An extension that cannot be read counts as one that has such names. */
static bool has_host_names(X509 *cert)
{
    int found = -1;
    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, &found, NULL);
    bool has = !sans && found >= 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++)
        has |= is_host_name(sk_GENERAL_NAME_value(sans, i));
    GENERAL_NAMES_free(sans);
    return has;
}

static bool same_address(const char *cn, void *wanted)
{
    const struct tls_ip *w = wanted;
    struct tls_ip ip;
    char *plain = plain_name(cn);
    ip.n = plain ? parse_ip(plain, ip.bytes) : 0;
    free(plain);
    return ip.n == w->n && memcmp(ip.bytes, w->bytes, w->n) == 0;
}

/* "*" stands for a whole label (RFC 9525, 6.3). And what begins with a dot is no host: the library would take any host
 * of that domain. */
static bool is_host(X509 *cert, const char *host, unsigned where)
{
    return *host != '.' && X509_check_host(cert, host, 0, where | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* Version 1 compares ".example.com" with what is behind the "*". */
static bool is_wildcard_of(const char *name, void *domain)
{
    return *(const char *)domain == '.' && *name == '*' && strcasecmp(name + 1, domain) == 0;
}

static bool in_alternative_names(X509 *cert, const char *host, const struct tls_ip *ip)
{
    return ip->n > 0 ? X509_check_ip(cert, ip->bytes, ip->n, 0) == 1
                     : is_host(cert, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

static bool in_common_name(X509 *cert, const char *host, struct tls_ip *ip)
{
    return ip->n > 0 ? each_common_name(cert, same_address, ip)
                     : is_host(cert, host, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
}

/* ---- for people ---- */

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

bool tls_each_name(X509 *cert, bool (*f)(const char *name, void *arg), void *arg)
{
    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool any = false, done = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(sans) && !done; i++) {
        const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);
        char ip[INET6_ADDRSTRLEN], name[256];
        if (san->type == GEN_DNS) {
            (void)snprintf(name, sizeof name, "%.*s", ASN1_STRING_length(san->d.dNSName),
                           (const char *)ASN1_STRING_get0_data(san->d.dNSName));
            done = f(name, arg);
            any = true;
        } else if (san->type == GEN_IPADD) {
            int n = ASN1_STRING_length(san->d.iPAddress);
            int family = n == 4 ? AF_INET : n == 16 ? AF_INET6 : AF_UNSPEC;
            any = true;
            if (family != AF_UNSPEC &&
                inet_ntop(family, ASN1_STRING_get0_data(san->d.iPAddress), ip, sizeof ip))
                done = f(ip, arg);
        }
    }
    GENERAL_NAMES_free(sans);
    return any ? done : each_common_name(cert, f, arg);
}

static int not_for(const struct tls_session *s, X509 *cert, const char *but, struct err *e)
{
    struct name_list list = {.len = 0};
    (void)tls_each_name(cert, add_name, &list);
    return err_set(e, ERR_TLS_NAME,
                   "the %s's certificate is not for \"%s\", it is for %s%s (commonname=<name> names "
                   "whom to expect, commonname= accepts any name, verify=0 any certificate)",
                   tls_peer_word(s->shared), s->expect, list.len ? list.text : "no name at all", but);
}

int tls_check_name(const struct tls_session *s, X509 *cert, const STACK_OF(X509) *chain,
                   struct err *e)
{
    struct tls_ip ip;
    if (!s->expect)
        return 0;
    ip.n = parse_ip(s->expect, ip.bytes);
    if (in_alternative_names(cert, s->expect, &ip))
        return 0;
    if (s->run->settings->v1_name && tls_each_name(cert, is_wildcard_of, s->expect))
        return 0;
    if (!in_common_name(cert, s->expect, &ip))
        return not_for(s, cert, "", e);
    if (!s->shared->common_name && has_host_names(cert))
        return not_for(s, cert,
                       "; its commonName does not count beside these, unless "
                       "openssl-commonname-match says so", e);
    if (!tls_may_certify(chain, s->expect, &ip))
        return err_set(e, ERR_TLS_UNTRUSTED,
                       "the %s's certificate is not trusted: its commonName is \"%s\", but its "
                       "authorities may not certify that name (verify=0 accepts any certificate)",
                       tls_peer_word(s->shared), s->expect);
    return 0;
}
