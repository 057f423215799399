/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which proxies are believed: see proxy_believed.h. */
#include "inter/front/proxy_believed.h"

#include <string.h>

#include "catena/options.h"
#include "inter/front/opts_front.h"
#include "inter/proxy/rules.h"

static const char usually[] = "unix 127.0.0.0/8 [::1] 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 [fc00::]/7 [fe80::]/10";

static bool is_word(const char *word, size_t n, const char *other)
{
    return strlen(other) == n && strncasecmp(word, other, n) == 0;
}

/* Does that word let him in? known: he has an address of IP. -1: it is none. */
static int lets_in(const char *word, size_t n, const unsigned char *ip, bool local)
{
    struct rule rule;
    if (is_word(word, n, "any"))
        return 1;
    if (is_word(word, n, "unix"))
        return local;
    if (!rule_network(word, n, &rule))
        return -1;
    return ip && rule_contains(&rule, ip);
}

static int is_believed(const char *list, const unsigned char *ip, bool local, size_t *bad)
{
    int found = 0;
    for (const char *s = list + strspn(list, " \t,"); *s;) {
        size_t n = strcspn(s, " \t,");
        int rc = lets_in(s, n, ip, local);
        *bad = (size_t)(s - list);
        if (rc < 0)
            return -1;
        found |= rc;
        s += n + strspn(s + n, " \t,");
    }
    return found;
}

bool proxy_is_believed(const struct addr *a, const unsigned char *ip, bool local)
{
    size_t at;
    return is_believed(opt_string(a, &opt_front_from, usually), ip, local, &at) > 0;
}

int proxy_believed_check(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_front_from);
    size_t at = 0;
    if (!o)
        return 0;
    if (o->v.s[strspn(o->v.s, " \t,")] == '\0')
        return err_at(e, o->at, "from: nothing is named");
    if (is_believed(o->v.s, NULL, false, &at) >= 0)
        return 0;
    return err_at(e, o->at, "from: \"%.*s\" is neither a network like 10.0.0.0/8 or [fc00::]/7, nor \"unix\" (peers on this "
                            "host without an address), nor \"any\"", (int)strcspn(o->v.s + at, " \t,"), o->v.s + at);
}

enum admits proxy_believed_who(const struct addr *a)
{
    static const char between[] = " \t,";
    for (const char *s = opt_string(a, &opt_front_from, usually); *(s += strspn(s, between)); s += strcspn(s, between)) {
        size_t n = strcspn(s, between);
        if (is_word(s, n, "any") || (n > 2 && memcmp(s + n - 2, "/0", 2) == 0))
            return ADMITS_ANYBODY;
    }
    return ADMITS_SOME;
}
