/* SPDX-License-Identifier: GPL-2.0-or-later
 * Numbers and networks in rules, and the numbers that clients ask for: see rules.h. */
#include <arpa/inet.h>
#include <string.h>

#include "inter/proxy/rules.h"

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

/* "1.2.3.4", "[::1]" or "::1"; 16 bytes. Gives 32 or 128, the bits it has, 0: it is no number. */
static unsigned number(const char *text, size_t n, unsigned char *out)
{
    char copy[INET6_ADDRSTRLEN + 2];
    if (n >= sizeof copy)
        return 0;
    memcpy(copy, text, n);
    copy[n] = '\0';
    bool brackets = n > 2 && copy[0] == '[' && copy[n - 1] == ']';
    if (brackets)
        copy[n - 1] = '\0';
    if (inet_pton(AF_INET6, copy + brackets, out) == 1)
        return 128;
    memcpy(out, mapped, sizeof mapped);
    return !brackets && inet_pton(AF_INET, copy, out + 12) == 1 ? 32 : 0;
}

static void set_mask(struct rule *rule, unsigned bits)
{
    for (unsigned i = 0; i < 16; i++, bits = bits > 8 ? bits - 8 : 0)
        rule->mask[i] = bits >= 8 ? 0xff : (unsigned char)(0xff00U >> bits);
}

bool rule_contains(const struct rule *rule, const unsigned char *address)
{
    for (size_t i = 0; i < 16; i++)
        if ((address[i] ^ rule->address[i]) & rule->mask[i])
            return false;
    return true;
}

/* Whoever connects to the unspecified address reaches this host. */
static bool is_nowhere(const unsigned char *address, unsigned char *own)
{
    static const unsigned char none[16];
    bool ip4 = memcmp(address, mapped, sizeof mapped) == 0;
    memcpy(own, address, 16);
    own[12] = ip4 ? 127 : 0;
    own[15] |= memcmp(address + 12, none, 4) == 0;
    return ip4 ? address[12] == 0 : memcmp(address, none, sizeof none) == 0;
}

bool rule_leads_to(const struct rule *rule, const unsigned char *address)
{
    unsigned char own[16];
    return rule_contains(rule, address) || (is_nowhere(address, own) && rule_contains(rule, own));
}

bool rule_digits(const char *s, size_t n, int most, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || *value > most)
            return false;
        *value = *value * 10 + (s[i] - '0');
    }
    return n > 0 && *value <= most;
}

/* "[fc00::/7]", as range has it, is "fc00::/7". */
bool rule_network(const char *s, size_t n, struct rule *rule)
{
    const char *slash = memchr(s, '/', n);
    if (slash && s[0] == '[' && s[n - 1] == ']') {
        s++;
        n -= 2;
    }
    size_t len = slash ? (size_t)(slash - s) : n;
    unsigned all = number(s, len, rule->address);
    int bits = (int)all;
    if (all == 0 || (slash && !rule_digits(slash + 1, n - len - 1, (int)all, &bits)))
        return false;
    rule->network = true;
    set_mask(rule, (unsigned)bits + 128 - all);
    return true;
}

bool rule_number(char *host, unsigned char *bytes)
{
    struct in_addr ip4;
    if (number(host, strlen(host), bytes))
        return true;
    if (!inet_aton(host, &ip4))
        return false;
    memcpy(bytes, mapped, sizeof mapped);
    memcpy(bytes + sizeof mapped, &ip4, sizeof ip4);
    return inet_ntop(AF_INET, &ip4, host, RULE_HOST_MAX) != NULL;
}
