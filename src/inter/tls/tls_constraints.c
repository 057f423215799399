/* SPDX-License-Identifier: GPL-2.0-or-later
 * Name constraints (RFC 5280, 4.2.1.10) for a name that stands in the commonName. OpenSSL holds them
 * against alternative names; against a commonName only if it looks like a host name, which "*.x.org",
 * "localhost" and addresses do not. So whom we would believe is held against them here. */
#include "inter/tls/tls.h"

#include <openssl/x509v3.h>

#include <string.h>
#include <strings.h>

/* The name itself, or what is below it; one that begins with a dot: only what is below. */
static bool host_in(const ASN1_IA5STRING *tree, const char *host)
{
    const char *base = (const char *)ASN1_STRING_get0_data(tree);
    size_t n = (size_t)ASN1_STRING_length(tree), len = strlen(host);
    if (n == 0)
        return true;
    if (n > len || strncasecmp(host + len - n, base, n) != 0)
        return false;
    return n == len || base[0] == '.' || host[len - n - 1] == '.';
}

/* A tree is an address and a mask of the same size. */
static bool ip_in(const ASN1_OCTET_STRING *tree, const struct tls_ip *ip)
{
    const unsigned char *base = ASN1_STRING_get0_data(tree);
    if ((size_t)ASN1_STRING_length(tree) != 2 * ip->n)
        return false;
    for (size_t i = 0; i < ip->n; i++)
        if ((base[i] ^ ip->bytes[i]) & base[ip->n + i])
            return false;
    return true;
}

enum verdict { NOT_MENTIONED, INSIDE, OUTSIDE }; /* of the trees of that kind of name */

static enum verdict look_up(const STACK_OF(GENERAL_SUBTREE) *trees, const char *host,
                            const struct tls_ip *ip)
{
    enum verdict v = NOT_MENTIONED;
    for (int i = 0; v != INSIDE && i < sk_GENERAL_SUBTREE_num(trees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(trees, i)->base;
        if (base->type != (ip->n > 0 ? GEN_IPADD : GEN_DNS))
            continue;
        bool in = ip->n > 0 ? ip_in(base->d.iPAddress, ip) : host_in(base->d.dNSName, host);
        v = in ? INSIDE : OUTSIDE;
    }
    return v;
}

bool tls_may_certify(const STACK_OF(X509) *chain, const char *host, const struct tls_ip *ip)
{
    bool may = true;
    for (int i = 1; may && i < sk_X509_num(chain); i++) { /* 0 is the peer's own */
        int there = -1;
        NAME_CONSTRAINTS *nc =
            X509_get_ext_d2i(sk_X509_value(chain, i), NID_name_constraints, &there, NULL);
        may = nc ? look_up(nc->permittedSubtrees, host, ip) != OUTSIDE &&
                       look_up(nc->excludedSubtrees, host, ip) != INSIDE
                 : there < 0; /* one that cannot be read permits nothing */
        NAME_CONSTRAINTS_free(nc);
    }
    return may;
}
