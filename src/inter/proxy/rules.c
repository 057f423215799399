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

/* ---- reading ---- */

static bool read_ports(const char *s, size_t n, struct rule *rule)
{
    const char *dash = memchr(s, '-', n);
    size_t first = dash ? (size_t)(dash - s) : n;
    if (!rule_digits(s, first, UINT16_MAX, &rule->from) || rule->from == 0)
        return false;
    rule->to = rule->from;
    return !dash || (rule_digits(dash + 1, n - first - 1, UINT16_MAX, &rule->to) && rule->to >= rule->from);
}

static bool read_pattern(const char *s, size_t n)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*";
    return n <= RULE_HOST_MAX && strspn(s, signs) >= n;
}

/* Digits and * between dots: addresses are meant, and as a pattern of names it would be for none of them. */
static bool like_number(const char *s, size_t n)
{
    bool digit = false;
    for (const char *end = s + n; s < end; s++) {
        size_t len = strcspn(s, ".");
        len = len < (size_t)(end - s) ? len : (size_t)(end - s);
        bool hex = len > 2 && strncasecmp(s, "0x", 2) == 0;
        if (strspn(s, hex ? "0123456789abcdefABCDEFxX*" : "0123456789*") < len)
            return false;
        digit |= strcspn(s, "0123456789") < len;
        s += len;
    }
    return digit;
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
    else if (!like_number(s, host) && read_pattern(s, host))
        rule->pattern = strndup(s, host - (host > 1 && s[host - 1] == '.')); /* it is the same name */
    return rule->pattern != NULL;
}

static int refuse(const struct opt *o, const char *s, size_t n, struct err *e)
{
    if (like_number(s, host_length(s, n)))
        return err_at(e, o->at, "%s: \"%.*s\" is no whole address, and names are not made of numbers: a network is written "
                                "like 10.0.0.0/8 or [fc00::]/7, ports are 1 to 65535", o->desc->name, (int)n, s);
    return err_at(e, o->at, "%s: \"%.*s\" is not [<host>][:<port>[-<port>]], where a host is a name in which * stands for "
                            "anything, a number, or a network like 10.0.0.0/8 or [fc00::]/7, and ports are 1 to 65535",
                  o->desc->name, (int)n, s);
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
            return refuse(o, s, n, e);
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
    return rule->network ? q->address && rule_leads_to(rule, q->address)
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
    return err_set(e, ERR_RULES, "%.*s:%d may not be reached (options allow and deny)", RULE_HOST_MAX, host, port);
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
    bool numeric = rule_number(host, bytes);
    size_t n = strlen(host);
    n -= n > 1 && host[n - 1] == '.'; /* it is the same name */
    memcpy(name, host, n);
    name[n] = '\0';
    struct asked q = {.name = name, .port = port, .address = numeric ? bytes : NULL};
    if (!q.address && !is_denied(rules, &q) && !needs_address(rules, &q))
        return 0;
    if (!q.address && needs_address(rules, &q))
        return judge_name(rules, a, r, &q, host, e);
    return is_denied(rules, &q) ? deny(host, port, e) : 0;
}
