/* SPDX-License-Identifier: GPL-2.0-or-later
 * Option range: what is a range, and who is in it. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint/address/range.h"

static const struct addr no_options;

static struct sockname ip(const char *text)
{
    struct sockname n;
    bool six = strchr(text, ':') != NULL;

    sockname_wildcard(&n, six ? AF_INET6 : AF_INET);
    if (six)
        assert_int_equal(inet_pton(AF_INET6, text, &n.u.in6.sin6_addr), 1);
    else
        assert_int_equal(inet_pton(AF_INET, text, &n.u.in4.sin_addr), 1);
    return n;
}

static const struct match_case {
    const char *range;
    int family;
    const char *peer;
    bool in;
} matches[] = {
    {"127.0.0.1/32", AF_INET, "127.0.0.1", true},
    {"127.0.0.1/32", AF_INET, "127.0.0.2", false},
    {"127.0.0.1/8", AF_INET, "127.255.0.2", true}, /* bits behind the mask do not count */
    {"127.0.0.0/8", AF_INET, "128.0.0.1", false},
    {"10.1.2.128/25", AF_INET, "10.1.2.129", true},
    {"10.1.2.128/25", AF_INET, "10.1.2.127", false},
    {"1.2.3.4/0", AF_INET, "200.0.0.1", true},
    {"10.0.0.0:255.0.0.0", AF_INET, "10.9.9.9", true},
    {"10.0.0.0:255.0.0.0", AF_INET, "11.9.9.9", false},
    {"0.0.0.5:0.0.0.255", AF_INET, "9.9.9.5", true},
    {"127.1/32", AF_INET, "127.0.0.1", true},
    {"[::1]/128", AF_INET6, "::1", true},
    {"[::1]/128", AF_INET6, "::2", false},
    {"[2001:db8::]/33", AF_INET6, "2001:db8:7fff::1", true},
    {"[2001:db8::]/33", AF_INET6, "2001:db8:8000::1", false},
    {"[2001:db8::/33]", AF_INET6, "2001:db8:7fff::1", true},
    {"[::]/0", AF_INET6, "::ffff:1.2.3.4", true},
    {"[::ffff:127.0.0.0]/104", AF_INET6, "::ffff:127.1.2.3", true},
    {"[::ffff:127.0.0.0]/104", AF_INET6, "::ffff:128.1.2.3", false},
    {"127.0.0.0/8", AF_UNSPEC, "::ffff:127.1.2.3", true}, /* a socket of both versions */
    {"127.0.0.0/8", AF_UNSPEC, "::1", false},
    {"[::1]/128", AF_UNSPEC, "::1", true},
    {"0.0.0.0/0", AF_INET, "::1", false}, /* all of IPv4 is not all of IPv6 */
};

static void matching(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        const struct match_case *c = &matches[i];
        struct sockname peer = ip(c->peer);
        struct range range;
        struct err e = {0};

        if (range_parse(&no_options, NULL, c->range, c->family, &range, &e) != 0)
            fail_msg("%s: %s", c->range, e.text);
        if (range_match(&range, &peer) != c->in)
            fail_msg("%s and %s", c->range, c->peer);
    }
}

static const struct bad_case {
    const char *range;
    int family;
    const char *says;
} bads[] = {
    {"1.2.3.4", AF_INET, "missing netmask delimiter"},
    {"", AF_INET, "missing netmask delimiter"},
    {"1.2.3.4/33", AF_INET, "too large"},
    {"1.2.3.4/4294967304", AF_INET, "too large"},
    {"1.2.3.4/99999999999999999999", AF_INET, "too large"},
    {"1.2.3.4/", AF_INET, "not a valid netmask"},
    {"1.2.3.4/x", AF_INET, "not a valid netmask"},
    {"1.2.3.4/8x", AF_INET, "not a valid netmask"},
    {"1.2.3.4/-1", AF_INET, "not a valid netmask"},
    {"1.2.3.4:x", AF_INET, "not a valid netmask"},
    {"/8", AF_INET, "resolve"},
    {"127.0.0.0/8", AF_INET6, "missing brackets"},
    {"::1/128", AF_INET6, "missing brackets"},
    {"[::1]", AF_INET6, "missing mask bits delimiter"},
    {"[::1]/129", AF_INET6, "too large"},
    {"[::1/128", AF_INET6, "[<IPv6 address>]/<bits>"},
    {"[::1]x/128", AF_INET6, "[<IPv6 address>]/<bits>"},
    {"[127.0.0.1]/8", AF_INET6, "address family"},
    {"x7f000001:xff", RANGE_BINARY, "the address has 4 bytes and the mask 1"},
    {"x7f:xffffffff", RANGE_BINARY, "the address has 1 bytes and the mask 4"},
};

static void refusing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        const struct bad_case *c = &bads[i];
        struct range range;
        struct err e = {0};

        assert_int_equal(range_parse(&no_options, NULL, c->range, c->family, &range, &e), -1);
        if (strstr(e.text, c->says) == NULL)
            fail_msg("%s: %s", c->range, e.text);
    }
}

static void other_families(void **state)
{
    struct range range = {.len = 2, .addr = {'/', 't'}, .mask = {0xff, 0xff}};
    struct range all = {.ip = true, .len = 16};
    struct sockname peer;
    struct err e = {0};

    (void)state;
    assert_int_equal(sockname_unix(&peer, "/tmp/x", false, true, &e), 0);
    assert_true(range_match(&range, &peer));
    assert_false(range_match(&all, &peer)); /* a UNIX peer is in no range of IP addresses */
    assert_int_equal(sockname_unix(&peer, "/var/x", false, true, &e), 0);
    assert_false(range_match(&range, &peer));
    assert_int_equal(sockname_unix(&peer, "/", false, true, &e), 0);
    assert_false(range_match(&range, &peer)); /* shorter than the range */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(refusing),
        cmocka_unit_test(other_families),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
