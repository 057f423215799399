/* SPDX-License-Identifier: GPL-2.0-or-later
 * Variables that name proxies: their parts, and the targets that they do not hold for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inter/proxy/from_env.h"

static void urls(void **state)
{
    static const struct {
        const char *text, *scheme, *userinfo, *host, *port, *wrong;
    } list[] = {
        {"p", "http", NULL, "p", "1080"},
        {"p:3128", "http", NULL, "p", "3128"},
        {"HTTPS://p", "https", NULL, "p", "443"},
        {"socks5h://p:/x", "socks5h", NULL, "p", "1080"},
        {"http://a:b%40c%3A@[::1]:1/?#", "http", "a:b@c:", "[::1]", "1"},
        {"http://a@b:c@p", "http", "a@b:c", "p", "1080"},
        {"http://%zz%4@p", "http", "%zz%4", "p", "1080"},
        {"@p", "http", "", "p", "1080"},
        {"x://p:65535", "x", NULL, "p", "65535"},
        {"", .wrong = "it has no host"},
        {"http://", .wrong = "it has no host"},
        {"http://u@:1", .wrong = "it has no host"},
        {"p:0", .wrong = "its port is no number from 1 to 65535"},
        {"p:65536", .wrong = "its port is no number from 1 to 65535"},
        {"p:000000001", .wrong = "its port is no number from 1 to 65535"},
        {"p:1x", .wrong = "its port is no number from 1 to 65535"},
        {"[::1", .wrong = "the bracket of its IPv6 address is not closed"},
        {"[::1]x", .wrong = "something stands between the host and its port"},
        {"a%00b@p", .wrong = "its user or password has a line end or NUL in it"},
        {"a%0d@p", .wrong = "its user or password has a line end or NUL in it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct proxy_url u;
        char text[64];
        strcpy(text, list[i].text);
        const char *wrong = from_env_parse(text, &u);
        if (list[i].wrong) {
            assert_non_null(wrong);
            assert_string_equal(wrong, list[i].wrong);
            continue;
        }
        assert_null(wrong);
        assert_string_equal(u.scheme, list[i].scheme);
        assert_string_equal(u.host, list[i].host);
        assert_string_equal(u.port, list[i].port);
        assert_int_equal(u.userinfo != NULL, list[i].userinfo != NULL);
        if (u.userinfo)
            assert_string_equal(u.userinfo, list[i].userinfo);
    }
}

static void exceptions(void **state)
{
    static const struct {
        const char *list, *host;
        bool direct;
    } list[] = {
        {"", "a.b", false},           {"*", "a.b", true},          {"*", "::1", true},          {"*, x", "a.b", false},
        {"b", "a.b", true},           {".b", "a.b", true},         {"a.b", "b", false},         {"b.", "a.b.", true},
        {"x,A.B", "a.b", true},       {"x\ta.b y", "a.b", true},   {"ab", "a.b", false},        {",,", "a", false},
        {".", "a", false},            {"..", "a", false},          {"10.0.0.0/8", "10.9.8.7", true},
        {"10.0.0.0/8", "11.9.8.7", false}, {"10.9.8.6/31", "10.9.8.7", true}, {"10.9.8.6/32", "10.9.8.7", false},
        {"10.9.8.7/33", "10.9.8.7", false}, {"10.9.8.7/", "10.9.8.7", false}, {"10.9.8.7/x", "10.9.8.7", false},
        {"1.1.1.1/0", "10.9.8.7", true}, {"9.8.7", "10.9.8.7", false}, {"fe80::/10", "[febf::1]", true},
        {"fe80::/10", "[fec0::1]", false}, {"::1", "[::1]", true}, {"[::1]", "::1", true}, {"::/0", "1.2.3.4", false},
        {"::1/128", "::1", true},     {"10.9.8.7", "10.9.8.7.b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (from_env_excepts(list[i].list, list[i].host) != list[i].direct)
            fail_msg("no_proxy \"%s\", host %s", list[i].list, list[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(exceptions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
