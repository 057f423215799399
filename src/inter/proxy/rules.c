/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where clients may be connected to: see rules.h. */
#include "inter/proxy/rules.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/host.h"
#include "inter/proxy/opts_server.h"

/* ---- numbers ---- */

/* "1.2.3.4", "[::1]" or "::1"; 16 bytes. Gives 32 or 128, the bits it has, 0: it is no number. */
static unsigned number(const char *text, size_t n, unsigned char *out)
{
    char copy[INET6_ADDRSTRLEN + 2];
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
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

/* ---- reading ---- */

static bool digits(const char *s, size_t n, int most, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || *value > most)
            return false;
        *value = *value * 10 + (s[i] - '0');
    }
    return n > 0 && *value <= most;
}

static bool read_ports(const char *s, size_t n, struct rule *rule)
{
    const char *dash = memchr(s, '-', n);
    size_t first = dash ? (size_t)(dash - s) : n;
    if (!digits(s, first, UINT16_MAX, &rule->from))
        return false;
    rule->to = rule->from;
    return !dash || (digits(dash + 1, n - first - 1, UINT16_MAX, &rule->to) && rule->to >= rule->from);
}

bool rule_network(const char *s, size_t n, struct rule *rule)
{
    const char *slash = memchr(s, '/', n);
    size_t len = slash ? (size_t)(slash - s) : n;
    unsigned all = number(s, len, rule->address);
    int bits = (int)all;
    if (all == 0 || (slash && !digits(slash + 1, n - len - 1, (int)all, &bits)))
        return false;
    rule->network = true;
    set_mask(rule, (unsigned)bits + 128 - all);
    return true;
}

static bool read_pattern(const char *s, size_t n)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*";
    return n <= RULE_HOST_MAX && strspn(s, signs) >= n;
}

/* Where the host ends: at the last colon, but for those of IPv6. */
static size_t host_length(const char *s, size_t n)
{
    const char *close = s[0] == '[' ? memchr(s, ']', n) : NULL;
    const char *colon = memchr(close ? close : s, ':', n - (close ? (size_t)(close - s) : 0));
    return colon ? (size_t)(colon - s) : n;
}

static bool read_rule(const char *s, size_t n, struct rule *rule)
{
    size_t host = host_length(s, n);
    rule->from = 0;
    rule->to = UINT16_MAX;
    if (host < n && !read_ports(s + host + 1, n - host - 1, rule))
        return false;
    if (host == 0)
        rule->pattern = strdup("*");
    else if (rule_network(s, host, rule))
        return true;
    else if (read_pattern(s, host))
        rule->pattern = strndup(s, host - (host > 1 && s[host - 1] == '.')); /* it is the same name */
    return rule->pattern != NULL;
}

static int keep(struct rules *rules, const struct rule *rule, struct err *e)
{
    struct rule *v = reallocarray(rules->v, rules->n + 1, sizeof *v);
    if (!v)
        return err_nomem(e);
    rules->v = v;
    rules->v[rules->n++] = *rule;
    rules->allows |= !rule->deny;
    return 0;
}

static int read_option(struct rules *rules, const struct opt *o, bool deny, struct err *e)
{
    const char *s = o->v.s ? o->v.s : "";
    static const char between[] = " \t,";
    if (s[strspn(s, between)] == '\0')
        return err_at(e, o->at, "%s: nothing is named", o->desc->name);
    for (s += strspn(s, between); *s;) {
        size_t n = strcspn(s, between);
        struct rule rule = {.deny = deny, .said = o->v.s};
        if (!read_rule(s, n, &rule)) {
            free(rule.pattern);
            return err_at(e, o->at, "%s: \"%.*s\" is not [<host>][:<port>[-<port>]], where a host is a name in which "
                                    "* stands for anything, a number, or a network like 10.0.0.0/8 or [fc00::]/7",
                          o->desc->name, (int)n, s);
        }
        if (keep(rules, &rule, e) < 0) {
            free(rule.pattern);
            return -1;
        }
        s += n + strspn(s + n, between);
    }
    return 0;
}

int rules_load(struct rules *rules, const struct addr *a, struct err *e)
{
    struct rules looked = {0}, *to = rules ? rules : &looked;
    int rc = 0;
    *to = (struct rules){0};
    for (size_t i = 0; rc == 0 && i < a->nopts; i++) {
        bool deny = option_is(a->opts[i].desc, &opt_deny);
        if (deny || option_is(a->opts[i].desc, &opt_allow))
            rc = read_option(to, &a->opts[i], deny, e);
    }
    if (rc < 0 || !rules)
        rules_free(to);
    return rc;
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->v[i].pattern);
    free(rules->v);
    *rules = (struct rules){0};
}

/* ---- judging ---- */

struct asked {
    const char *name;             /* without a dot at its end */
    const unsigned char *address; /* NULL: not known */
    int port;
};

static bool applies(const struct rule *rule, const struct asked *q)
{
    if (q->port < rule->from || q->port > rule->to)
        return false;
    return rule->network ? q->address && rule_contains(rule, q->address)
                         : fnmatch(rule->pattern, q->name, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

/* Denied by one rule, or not allowed although some allow. */
static bool is_denied(const struct rules *rules, const struct asked *q)
{
    bool allowed = !rules->allows;
    for (size_t i = 0; i < rules->n; i++) {
        if (!applies(&rules->v[i], q))
            continue;
        if (rules->v[i].deny)
            return true;
        allowed = true;
    }
    return !allowed;
}

/* Does it depend on the address that a name has? */
static bool needs_address(const struct rules *rules, const struct asked *q)
{
    bool allowed = !rules->allows, depends = false;
    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *rule = &rules->v[i];
        bool at_port = q->port >= rule->from && q->port <= rule->to;
        if (!rule->network && !rule->deny && applies(rule, q))
            allowed = true;
        depends |= at_port && rule->network && rule->deny;
    }
    for (size_t i = 0; !allowed && i < rules->n; i++)
        depends |= rules->v[i].network;
    return depends;
}

static int deny(const char *host, int port, struct err *e)
{
    return err_set(e, ERR_DENIED, "%.*s:%d may not be reached (options allow and deny)", RULE_HOST_MAX, host, port);
}

/* The first of its addresses that may be reached. */
static int judge_addresses(const struct rules *rules, const struct names *found, struct asked *q, char *host,
                           struct err *e)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];
    for (size_t i = 0; i < found->n; i++) {
        const struct sockname *one = &found->v[i];
        bool ip6 = sockname_family(one) == AF_INET6;
        if (!sockname_ip_bytes(one, bytes))
            continue;
        q->address = bytes;
        if (is_denied(rules, q))
            continue;
        (void)inet_ntop(ip6 ? AF_INET6 : AF_INET, ip6 ? (const void *)&one->u.in6.sin6_addr : &one->u.in4.sin_addr,
                        text, sizeof text);
        (void)snprintf(host, RULE_HOST_MAX + 1, ip6 ? "[%s]" : "%s", text);
        return 0;
    }
    return deny(q->name, q->port, e);
}

static int judge_name(const struct rules *rules, const struct addr *a, struct run *r, struct asked *q, char *host,
                      struct err *e)
{
    struct ip_version version;
    struct names found;
    if (resolve_version(a, r, AF_UNSPEC, false, &version, e) < 0 ||
        resolve_host(a, r, q->name, q->port, &version, false, &found, e) < 0)
        return -1;
    int rc = judge_addresses(rules, &found, q, host, e);
    names_fini(&found);
    return rc;
}

int rules_judge(const struct rules *rules, const struct addr *a, struct run *r, char *host, int port, struct err *e)
{
    char name[RULE_HOST_MAX + 1];
    unsigned char bytes[16];
    if (rules->n == 0)
        return 0;
    size_t n = strlen(host);
    n -= n > 1 && host[n - 1] == '.'; /* it is the same name */
    memcpy(name, host, n);
    name[n] = '\0';
    struct asked q = {.name = name, .port = port, .address = number(host, strlen(host), bytes) ? bytes : NULL};
    if (!q.address && !is_denied(rules, &q) && !needs_address(rules, &q))
        return 0;
    if (!q.address && needs_address(rules, &q))
        return judge_name(rules, a, r, &q, host, e);
    return is_denied(rules, &q) ? deny(host, port, e) : 0;
}
