/* SPDX-License-Identifier: GPL-2.0-or-later
 * The texts of socket addresses, which scripts and children read. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/host.h"
#include "catena/sockaddr.h"

static struct sockname ip(const char *text, int port)
{
    struct sockname n;

    if (strchr(text, ':') != NULL) {
        sockname_wildcard(&n, AF_INET6);
        assert_int_equal(inet_pton(AF_INET6, text, &n.u.in6.sin6_addr), 1);
    } else {
        sockname_wildcard(&n, AF_INET);
        assert_int_equal(inet_pton(AF_INET, text, &n.u.in4.sin_addr), 1);
    }
    sockname_set_port(&n, port);
    return n;
}

static void expect(const struct sockname *n, const char *text, const char *host, int port)
{
    char buf[SOCKNAME_TEXT];

    assert_string_equal(sockname_text(n, buf), text);
    assert_string_equal(sockname_host(n, buf), host);
    assert_int_equal(sockname_port(n), port);
}

static void ip_addresses(void **state)
{
    struct sockname n;

    (void)state;
    n = ip("127.0.0.1", 80);
    expect(&n, "AF=2 127.0.0.1:80", "127.0.0.1", 80);
    n = ip("0.0.0.0", 65535);
    expect(&n, "AF=2 0.0.0.0:65535", "0.0.0.0", 65535);
    n = ip("::1", 0);
    expect(&n, "AF=10 [0000:0000:0000:0000:0000:0000:0000:0001]:0",
           "[0000:0000:0000:0000:0000:0000:0000:0001]", 0);
    n = ip("::ffff:127.0.0.1", 443);
    expect(&n, "AF=10 [0000:0000:0000:0000:0000:ffff:7f00:0001]:443",
           "[0000:0000:0000:0000:0000:ffff:7f00:0001]", 443);
}

static void unix_addresses(void **state)
{
    struct sockname n;
    struct err e = {0};
    char longest[109], text[SOCKNAME_TEXT];

    (void)state;
    assert_int_equal(sockname_unix(&n, "/tmp/s", false, true, &e), 0);
    assert_int_equal(n.len, offsetof(struct sockaddr_un, sun_path) + 6);
    expect(&n, "AF=1 \"/tmp/s\"", "/tmp/s", -1);
    assert_int_equal(sockname_unix(&n, "/tmp/s", false, false, &e), 0);
    assert_int_equal(n.len, sizeof(struct sockaddr_un));
    expect(&n, "AF=1 \"/tmp/s\"", "/tmp/s", -1);
    assert_int_equal(sockname_unix(&n, "name", true, true, &e), 0);
    assert_int_equal(n.len, offsetof(struct sockaddr_un, sun_path) + 5);
    expect(&n, "AF=1 \"\\0name\"", "\\0name", -1);

    memset(longest, 'x', sizeof longest);
    longest[107] = '\0';
    assert_int_equal(sockname_unix(&n, longest, false, true, &e), 0);
    assert_string_equal(sockname_host(&n, text), longest);
    longest[107] = 'x';
    longest[108] = '\0';
    assert_int_equal(sockname_unix(&n, longest, false, true, &e), -1);
    assert_non_null(strstr(e.text, "107"));
    assert_int_equal(sockname_unix(&n, "", false, true, &e), -1);

    /* the worst case of an abstract name: nothing but NULs */
    memset(&n, 0, sizeof n);
    n.u.un.sun_family = AF_UNIX;
    n.len = sizeof n.u.un;
    assert_int_equal(strlen(sockname_host(&n, text)), 2 * sizeof n.u.un.sun_path);
    assert_int_equal(strlen(sockname_text(&n, text)), 2 * sizeof n.u.un.sun_path + 7);
}

static void of_descriptors(void **state)
{
    struct sockname n;
    int sv[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
    sockname_peer(&n, sv[0]);
    expect(&n, "AF=1 \"<anon>\"", "<anon>", -1);
    sockname_local(&n, -1);
    assert_int_equal(sockname_family(&n), AF_UNSPEC);
    close(sv[0]);
    close(sv[1]);
}

static const struct split_case {
    const char *text, *host, *port;
    int rc;
} splits[] = {
    {"host", "host", NULL, 0}, {"host:80", "host", "80", 0}, {":80", NULL, "80", 0},
    {"", NULL, NULL, 0},       {"[::1]", "[::1]", NULL, 0},  {"[::1]:80", "[::1]", "80", 0},
    {"::1", "::1", NULL, 0},   {"[::1", NULL, NULL, -1},     {"[::1]x", NULL, NULL, -1},
};

static void splitting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        const struct split_case *c = &splits[i];
        const char *host, *port;
        char *storage;
        struct err e = {0};

        assert_int_equal(resolve_split(c->text, &storage, &host, &port, &e), c->rc);
        if (c->rc == 0) {
            assert_int_equal(host == NULL, c->host == NULL);
            assert_int_equal(port == NULL, c->port == NULL);
            if (host != NULL)
                assert_string_equal(host, c->host);
            if (port != NULL)
                assert_string_equal(port, c->port);
        }
        free(storage);
    }
}

static void port_numbers(void **state)
{
    struct err e = {0};
    int port = -1;

    (void)state;
    assert_int_equal(resolve_port(NULL, "0", SOCK_STREAM, &port, &e), 0);
    assert_int_equal(port, 0);
    assert_int_equal(resolve_port(NULL, " 065535", SOCK_STREAM, &port, &e), 0);
    assert_int_equal(port, 65535);
    assert_int_equal(resolve_port(NULL, "65536", SOCK_STREAM, &port, &e), -1);
    assert_int_equal(resolve_port(NULL, "99999999999999999999", SOCK_STREAM, &port, &e), -1);
    assert_int_equal(resolve_port(NULL, "", SOCK_STREAM, &port, &e), -1);
    assert_int_equal(resolve_port(NULL, "  ", SOCK_STREAM, &port, &e), -1);
}

static const struct addr no_options;

/* What a literal becomes; "" if it is refused. */
static void expect_host(const char *host, int forced, const char *text)
{
    struct ip_version version = {.forced = forced, .preferred = forced};
    struct names names;
    struct err e = {0};
    char buf[SOCKNAME_TEXT];
    int rc = resolve_host(&no_options, NULL, host, 7, &version, true, &names, &e);

    if (*text == '\0') {
        assert_int_equal(rc, -1);
        return;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(names.n, 1);
    assert_string_equal(sockname_text(&names.v[0], buf), text);
    names_fini(&names);
}

static void literals(void **state)
{
    (void)state;
    expect_host("127.0.0.1", AF_UNSPEC, "AF=2 127.0.0.1:7");
    expect_host("127.1", AF_INET, "AF=2 127.0.0.1:7");
    expect_host("0", AF_INET, "AF=2 0.0.0.0:7");
    expect_host("2130706433", AF_INET, "AF=2 127.0.0.1:7");
    expect_host("[::1]", AF_UNSPEC, "AF=10 [0000:0000:0000:0000:0000:0000:0000:0001]:7");
    expect_host("::1", AF_INET6, "AF=10 [0000:0000:0000:0000:0000:0000:0000:0001]:7");
    expect_host("[::1]", AF_INET, "");
    expect_host("127.0.0.1", AF_INET6, "");
    expect_host("", AF_UNSPEC, "");
    expect_host("[]", AF_UNSPEC, "");
    expect_host(NULL, AF_INET, "AF=2 0.0.0.0:7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_addresses),   cmocka_unit_test(unix_addresses),
        cmocka_unit_test(of_descriptors), cmocka_unit_test(splitting),
        cmocka_unit_test(port_numbers),   cmocka_unit_test(literals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
