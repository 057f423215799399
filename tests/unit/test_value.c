/* SPDX-License-Identifier: GPL-2.0-or-later
 * Option values of every type, good and bad, and the notation for binary data. */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catena/arena.h"
#include "catena/option.h"
#include "catena/registry.h"
#include "../home.h"

static struct arena memory;

static int convert(const char *name, const char *text, struct value *v, struct err *e)
{
    const struct option_desc *d = option_lookup(&builtin_registry, name);
    struct span at = {"x:y,opt=value", 4, 9};
    assert_non_null(d);
    *e = (struct err){.kind = ERR_NONE};
    return value_convert(&memory, &home, d, text, at, v, e) < 0 ||
                   value_look_up(&memory, d, at, v, e) < 0
               ? -1
               : 0;
}

static struct value good(const char *name, const char *text)
{
    struct value v;
    struct err e;
    if (convert(name, text, &v, &e) != 0)
        fail_msg("%s=%s: %s", name, text ? text : "(none)", e.text);
    assert_true(v.given == (text != NULL));
    return v;
}

/* An error of the command line, at its place, that says so. */
static void bad(const char *name, const char *text, const char *says)
{
    struct value v;
    struct err e;
    if (convert(name, text, &v, &e) == 0)
        fail_msg("%s=%s is accepted", name, text ? text : "(none)");
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(e.where.off, 4);
    assert_int_equal(e.where.len, 9);
    if (!strstr(e.text, says))
        fail_msg("%s=%s: \"%s\" does not say \"%s\"", name, text ? text : "(none)", e.text, says);
}

static void numbers(void **state)
{
    static const struct {
        const char *name, *text;
        long long i;
    } rows[] = {
        {"keepalive", NULL, 1},         {"keepalive", "0", 0},
        {"fork", "7", 7},               {"rcvbuf", "  +12", 12},
        {"rcvbuf", "0x10", 16},         {"rcvbuf", "010", 8},
        {"ttl", "-1", -1},              {"rcvbuf", "0xffffffff", -1},
        {"rcvbuf", "2147483647", INT32_MAX}, {"retry", "-1", UINT32_MAX},
        {"retry", "4294967295", UINT32_MAX}, {"fdin", "65535", 65535},
        {"mcloop", "255", 255},         {"readbytes", "-1", -1},
        {"readbytes", "0x100000000", 4294967296}, {"seek", "-5", -5},
        {"seek", NULL, 1},              {"mode", "644", 0644},
        {"mode", "0644", 0644},         {"umask", "7777", 07777},
        {"linger", "0", 0},             {"sourceport", "080", 80},
        {"reuseaddr", "0", 0},          {"reuseaddr", NULL, 1},
        {"cr", NULL, 1},                {"mq-maxmsg", "10", 10},
        {"ioctl-void", "0x80045430", (int)0x80045430},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct value v = good(rows[i].name, rows[i].text);
        if (v.i != rows[i].i)
            fail_msg("%s=%s gives %lld", rows[i].name, rows[i].text, v.i);
    }
    assert_string_equal(good("reuseaddr", "").s, "");
    assert_null(good("reuseaddr", NULL).s);
}

static void bad_numbers(void **state)
{
    static const struct {
        const char *name, *text, *says;
    } rows[] = {
        {"keepalive", "yes", "missing numerical value"},
        {"keepalive", "", "missing numerical value"},
        {"retry", "x", "missing numerical value"},
        {"retry", "1x", "trailing garbage"},
        {"rcvbuf", "64k", "trailing garbage"},
        {"rcvbuf", "1e1", "trailing garbage"},
        {"rcvbuf", "1 ", "trailing garbage"},
        {"rcvbuf", "2147483648", "-2147483648..2147483647"},
        {"rcvbuf", "0x1ffffffff", "out of range"},
        {"rcvbuf", "99999999999999999999", "out of range"},
        {"retry", "4294967296", "0..4294967295"},
        {"retry", "-2", "out of range"},
        {"mcloop", "256", "0..255"},
        {"fdin", "65536", "0..65535"},
        {"mode", "8", "missing numerical value"},
        {"mode", "0x1ff", "trailing garbage"},
        {"mode", "u+x", "missing numerical value"},
        {"mode", "10000", "0..7777"},
        {"mode", NULL, "value required"},
        {"linger", "1.5", "trailing garbage"},
        {"linger", NULL, "value required"},
        {"sourceport", "70000", "0..65535"},
        {"sourceport", "80x", "trailing garbage"},
        {"sourceport", "0x50", "trailing garbage"},
        {"sourceport", "nosuchservice", "nosuchservice"},
        {"sourceport", NULL, "value required"},
        {"cr", "1", "no value permitted"},
        {"cs8", "", "no value permitted"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        bad(rows[i].name, rows[i].text, rows[i].says);
}

static void times(void **state)
{
    static const struct {
        const char *text;
        double t;
    } rows[] = {{"0.3", 0.3}, {".3", 0.3}, {"3e-1", 0.3}, {"0x1", 1}, {"-1", -1}, {"60", 60}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(good("interval", rows[i].text).t == rows[i].t);
        assert_true(good("connect-timeout", rows[i].text).t == rows[i].t);
    }
    bad("interval", "1s", "trailing garbage");
    bad("interval", "", "missing numerical value");
    bad("interval", "abc", "missing numerical value");
    bad("interval", "nan", "missing numerical value");
    bad("interval", "inf", "missing numerical value");
    bad("interval", "1e300", "out of range");
    bad("interval", NULL, "value required");
}

static void texts(void **state)
{
    (void)state;
    assert_string_equal(good("cafile", "a b").s, "a b");
    assert_string_equal(good("commonname", "").s, "");
    assert_string_equal(good("tcpwrap", "").s, "");
    assert_null(good("tcpwrap", NULL).s);
    assert_string_equal(good("membership", "224.1.1.1:lo").s, "224.1.1.1:lo");
    assert_string_equal(good("join-group", "[ff02::5]:lo").s, "[ff02::5]:lo");
    assert_string_equal(good("join-source-group", "[ff3e::1]:1:[::1]").s, "[ff3e::1]:1:[::1]");
    assert_string_equal(good("multicast-if", "127.0.0.1").s, "127.0.0.1");
    assert_string_equal(good("dns", "1.2.3.4:53").s, "1.2.3.4:53");
    bad("cafile", NULL, "value required");
    bad("membership", "224.1.1.1", "missing ':'");
    bad("join-group", "[ff02::5]", "missing ':'");
    bad("source-membership", "1:2:3:4", "too many ':'");
}

static void users_and_groups(void **state)
{
    (void)state;
    struct value v = good("user", "root");
    assert_int_equal(v.i, 0);
    assert_string_equal(v.ids->name, "root");
    assert_int_equal(good("user", "0x0").i, 0);
    assert_int_equal(good("user", "54321").i, 54321);
    assert_int_equal(good("group", "0").i, 0);
    assert_int_equal(good("group", "root").i, 0);

    v = good("su", "root");
    const struct passwd *root = getpwuid(0);
    assert_non_null(root);
    assert_string_equal(v.ids->home, root->pw_dir);
    assert_string_equal(v.ids->shell, root->pw_shell);
    assert_true(v.ids->ngroups >= 1);
    assert_int_equal(v.ids->groups[0], root->pw_gid);

    bad("user", "nosuchuser", "no such user");
    bad("user", "", "no such user");
    bad("user", "12ab", "trailing garbage");
    bad("user", "99999999999", "out of range");
    bad("user", NULL, "value required");
    bad("su", "54321", "no such user");
    bad("group", "nosuchgroup", "no such group");
}

static void tuples(void **state)
{
    (void)state;
    struct value v = good("setsockopt", "1:0x9:i1");
    assert_int_equal(v.i, 1);
    assert_int_equal(v.i2, 9);
    assert_int_equal(v.nbin, sizeof(int));
    v = good("setsockopt-int", "1:2:-3");
    assert_true(v.i == 1 && v.i2 == 2 && v.i3 == -3);
    v = good("setsockopt-string", "1:25:lo:x");
    assert_true(v.i == 1 && v.i2 == 25);
    assert_string_equal(v.s, "lo:x");
    v = good("ioctl-bin", "0x80045430:x00000000");
    assert_true(v.i == 0x80045430 && v.nbin == 4);
    v = good("winsz", "80:24");
    assert_true(v.i == 80 && v.i2 == 24);
    v = good("ip-options", "x01010101");
    assert_int_equal(v.nbin, 4);

    bad("setsockopt", NULL, "value required");
    bad("setsockopt", "1", "3 arguments required");
    bad("setsockopt", "1:2", "3 arguments required");
    bad("setsockopt", "x:2:1", "missing numerical value");
    bad("setsockopt", "1:2:x1", "problem with \"x1\" data");
    bad("setsockopt-int", "1:2:3x", "trailing garbage");
    bad("setsockopt-int", "1:2:3:4", "trailing garbage");
    bad("setsockopt-int", "1:2:", "missing numerical value");
    bad("winsz", "80", "2 arguments required");
    bad("ioctl-int", "99999999999:1", "out of range");
}

static void every_type_converts(void **state)
{
    /* one good value for each, so that no type lacks a converter */
    static const char *const names[VALUE_TYPE_COUNT][2] = {
        [VALUE_BOOL] = {"fork", "1"},           [VALUE_INT] = {"rcvbuf", "1"},
        [VALUE_INT_NULL] = {"reuseaddr", ""},   [VALUE_UINT] = {"retry", "1"},
        [VALUE_USHORT] = {"fdin", "1"},         [VALUE_BYTE] = {"mcloop", "1"},
        [VALUE_LONG] = {"mq-maxmsg", "1"},      [VALUE_SIZE] = {"readbytes", "1"},
        [VALUE_OFF] = {"lseek32", "1"},         [VALUE_OFF64] = {"lseek64", "1"},
        [VALUE_MODE] = {"mode", "1"},           [VALUE_UID] = {"user", "1"},
        [VALUE_GID] = {"group", "1"},           [VALUE_STRING] = {"bind", "1"},
        [VALUE_STRING_NULL] = {"tcpwrap", "1"}, [VALUE_CONST] = {"cr", NULL},
        [VALUE_TIMEVAL] = {"rcvtimeo", "1"},    [VALUE_TIMESPEC] = {"interval", "1"},
        [VALUE_LINGER] = {"linger", "1"},       [VALUE_BIN] = {"ip-options", "1"},
        [VALUE_INT_INT] = {"winsz", "1:1"},     [VALUE_INT_INTP] = {"ioctl-intp", "1:1"},
        [VALUE_INT_BIN] = {"ioctl-bin", "1:1"}, [VALUE_INT_STRING] = {"ioctl-string", "1:1"},
        [VALUE_INT_ULONG] = {"setflags", "1:1"}, [VALUE_INT_INT_INT] = {"sockopt-int", "1:1:1"},
        [VALUE_INT_INT_BIN] = {"sockopt", "1:1:1"},
        [VALUE_INT_INT_STRING] = {"sockopt-string", "1:1:1"},
        [VALUE_INT3] = {"peercred", "1:1:1"},   [VALUE_IP4NAME] = {"multicast-if", "1"},
        [VALUE_IP4SOCK] = {"dns", "1"},         [VALUE_MREQN] = {"membership", "1:1"},
        [VALUE_MREQ_SOURCE] = {"source-membership", "1:1:1"},
        [VALUE_GENERIC] = {"join-source-group", "1:1:1"},
    };
    (void)state;
    for (int t = 0; t < VALUE_TYPE_COUNT; t++) {
        assert_non_null(names[t][0]);
        assert_int_equal(option_lookup(&builtin_registry, names[t][0])->type, t);
        good(names[t][0], names[t][1]);
    }
}

/* --- binary data --- */

static void data_is(const char *text, const void *expected, size_t n)
{
    const unsigned char *bytes;
    size_t got;
    struct err e;
    if (dalan_convert(&memory, text, &bytes, &got, &e) != 0)
        fail_msg("%s: %s", text, e.text);
    if (got != n || memcmp(bytes, expected, n) != 0)
        fail_msg("%s gives %zu other bytes", text, got);
}

static void data_is_bad(const char *text)
{
    const unsigned char *bytes;
    size_t n;
    struct err e = {.kind = ERR_NONE};
    char says[64];
    if (dalan_convert(&memory, text, &bytes, &n, &e) == 0)
        fail_msg("%s is accepted", text);
    snprintf(says, sizeof says, "problem with \"%s\" data", text);
    assert_non_null(strstr(e.text, says));
}

static void binary_data(void **state)
{
    (void)state;
    int one_two[] = {1, 2}, minus = -1000;
    long five = 5;
    short seven = -7;
    struct {
        short s;
        unsigned char i[sizeof(int)];
    } packed = {.s = 1};
    memcpy(packed.i, &one_two[1], sizeof(int));

    data_is("", "", 0);
    data_is("1", one_two, sizeof(int));
    data_is("i1 2", one_two, sizeof one_two);
    data_is(" i1i2 ", one_two, sizeof one_two);
    data_is("i-1000", &minus, sizeof minus);
    data_is("L5", &five, sizeof five);
    data_is("s-7", &seven, sizeof seven);
    assert_int_equal(sizeof packed, 6);
    data_is("s1 i2", &packed, 6);
    data_is("s1i2", &packed, 6);
    data_is("b-1B255", "\377\377", 2);
    data_is("B1 2 3", "\1\2\3", 3);
    data_is("x7f000001", "\177\0\0\1", 4);
    data_is("x01 02", "\1\2", 2);
    data_is("\"ab\\n\"", "ab\n", 3);
    data_is("\"\\0\\e\\\"\"B1", "\0\033\"\1", 4);
    data_is("'a''\\n'", "a\n", 2);
    data_is("x0aB1\"z\"", "\x0a\xb1z", 3); /* hex digits are taken as long as there are any */

    data_is_bad("x1");
    data_is_bad("zz");
    data_is_bad("i");
    data_is_bad("i1z");
    data_is_bad("b300");
    data_is_bad("B-1");
    data_is_bad("b-129");
    data_is_bad("4294967296");
    data_is_bad("i99999999999999999999999");
    data_is_bad("\"ab");
    data_is_bad("'a");
    data_is_bad("'");
}

static int release(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(times),
        cmocka_unit_test(texts),
        cmocka_unit_test(users_and_groups),
        cmocka_unit_test(tuples),
        cmocka_unit_test(every_type_converts),
        cmocka_unit_test(binary_data),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
