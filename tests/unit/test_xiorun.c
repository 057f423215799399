/* SPDX-License-Identifier: GPL-2.0-or-later
 * What xiorun's helper decides and answers: rules, names, questions to a name server. */
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xiorun/helper.h"
#include "xiorun/question.h"

/* ---- rules ---- */

static int add(struct rulebook *r, const char *text)
{
    char line[400];
    (void)snprintf(line, sizeof line, "%s", text);
    return rulebook_add_line(r, line);
}

static struct target target(const char *host, unsigned port, bool packets)
{
    struct target t = {.port = (uint16_t)port, .packets = packets};
    (void)snprintf(t.host, sizeof t.host, "%s", host);
    t.version = inet_pton(AF_INET, host, t.addr) == 1 ? 4 : inet_pton(AF_INET6, host, t.addr) == 1 ? 6 : 0;
    return t;
}

static void rules(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# nothing", "   ", "10.0.0.0/9 * * 1", "10.128.0.0/25 80 tcp 2", "[fd00::]/8 * udp 3", "2001:db8::1 * tcp 4",
        "*.Example 22,80-90 tcp \t 5 6\t\r\n", "0.0.0.0/0 443 * 7", "::/0 443 * 8", "h? * * direct", "* 65535 * refuse",
        "LOCAL* 5 * 9", "127.* 6 * 10",
    };
    static const struct {
        const char *host;
        unsigned port;
        bool packets;
        const char *chain; /* NULL: no rule */
    } rows[] = {
        {"10.127.255.255", 1, false, "1"}, {"10.127.0.1", 1, true, "1"}, {"10.128.0.127", 80, false, "2"},
        {"10.128.0.128", 80, false, NULL}, {"10.128.0.1", 80, true, NULL}, {"fdff::1", 9, true, "3"},
        {"fdff::1", 9, false, NULL}, {"2001:db8::1", 9, false, "4"}, {"2001:db8::2", 9, false, NULL},
        {"a.EXAMPLE", 85, false, "5 6"}, {"a.example", 22, false, "5 6"}, {"a.example", 91, false, NULL},
        {"example", 80, false, NULL}, {"1.2.3.4", 443, false, "7"}, {"::1", 443, true, "8"}, {"www", 443, false, NULL},
        {"h1", 1, false, ""}, {"h12", 1, false, NULL}, {"x", 65535, true, ""},
        {"localhost", 5, false, "9"}, {"127.1.2.3", 5, false, "9"}, {"127.1.2.3", 6, false, "10"}, {"::1", 5, true, "9"},
        {"::ffff:127.0.0.1", 5, false, "9"}, {"0.0.0.0", 5, false, "9"}, {"128.0.0.1", 5, false, NULL}, {"::2", 5, false, NULL},
        {"::ffff:128.0.0.1", 5, false, NULL},
    };
    struct rulebook r;
    rulebook_begin(&r);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(add(&r, lines[i]), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target t = target(rows[i].host, rows[i].port, rows[i].packets);
        const struct rule *rule = rulebook_match(&r, &t);
        const char *got = !rule ? NULL : rule->chain ? rule->chain : "";
        if (!got != !rows[i].chain || (got && strcmp(got, rows[i].chain) != 0))
            fail_msg("%s:%u: %s", rows[i].host, rows[i].port, got ? got : "none");
    }
    assert_false(rulebook_leave(&r, "h1")); /* which that is would not be known of its number */
    assert_false(rulebook_leave(&r, "h12"));
    assert_true(rulebook_leave(&r, "x.localhost"));
    assert_false(rulebook_leave(&r, "a.example"));
    assert_int_equal(rulebook_add_last(&r, "tcp:{host}:{port}"), 0);
    struct target ask = target("192.0.2.1", 53, true), other = target("h12", 1, false);
    assert_int_equal(rulebook_match(&r, &ask)->then, THEN_RESOLVE);
    assert_string_equal(rulebook_match(&r, &other)->chain, "tcp:{host}:{port}");
    rulebook_free(&r);
}

static void names_that_are_left(void **state)
{
    (void)state;
    static const struct {
        const char *lines[3], *host;
        bool leave;
    } rows[] = {
        {{"* * * direct"}, "a.example", true},
        {{"* * tcp direct"}, "a.example", true},
        {{"* 80 tcp direct"}, "a.example", false},
        {{"a.example * * direct"}, "a.example", false},
        {{"a.example 80 tcp refuse", "* * * direct"}, "a.example", false},
        {{"a.example 80 tcp refuse", "* * * direct"}, "A.example.", false},
        {{"a.example 80 tcp refuse", "* * * direct"}, "b.example", true},
        {{"* * tcp direct", "a.example * udp refuse"}, "a.example", false},
        {{"* * * direct", "a.example * * refuse"}, "a.example", true},
        {{"127.0.0.0/8 * * refuse"}, "localhost", true},
        {{"localhost * tcp refuse", "* * tcp direct"}, "localhost", false},
        {{"localhost * tcp refuse", "* * tcp direct"}, "LOCALHOST.", false},
        {{"localhost * tcp refuse"}, "a.localhost", true},
        {{"*.localhost * tcp refuse"}, "a.localhost", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rulebook r;
        rulebook_begin(&r);
        for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
            assert_int_equal(add(&r, rows[i].lines[k]), 0);
        if (rulebook_leave(&r, rows[i].host) != rows[i].leave)
            fail_msg("row %zu: %s", i, rows[i].host);
        rulebook_free(&r);
    }
}

static void wrong_rules(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
    } rows[] = {
        {"*", "port \"\""}, {"* *", "protocol \"\""}, {"* * tcp", "a chain is expected"}, {"* 0x5 * 1", "port \"0x5\""},
        {"* 65536 * 1", "port"}, {"* 1- * 1", "port"}, {"* -1 * 1", "port"}, {"* 1,,2 * 1", "port"}, {"* 1, * 1", "port"},
        {"* 5-4 * 1", "port"}, {"1.2.3.4/33 * * 1", "network"}, {"1.2.3.4/ * * 1", "network"}, {"::/129 * * 1", "network"},
        {"a/8 * * 1", "network"}, {"1.2.3.4/8x * * 1", "network"}, {"* * icmp 1", "protocol"}, {"* 53 tcp resolve", "udp"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rulebook r;
        rulebook_begin(&r);
        if (add(&r, rows[i].line) == 0 || !strstr(r.why, rows[i].words))
            fail_msg("%s: %s", rows[i].line, r.why);
        assert_null(r.first);
    }
}

/* ---- names ---- */

static void names(void **state)
{
    (void)state;
    struct names *n = names_new();
    uint8_t a4[4], a6[16], b4[4], b6[16];
    char name[256];
    assert_true(names_stand_in(n, "www.example", a4, a6));
    assert_true(names_stand_in(n, "WWW.example.", b4, b6));
    assert_memory_equal(a4, b4, 4);
    assert_memory_equal(a6, b6, 16);
    assert_true(names_find(n, 4, a4, name));
    assert_string_equal(name, "www.example");
    assert_true(names_find(n, 6, a6, name));
    assert_string_equal(name, "www.example");
    for (const char *const *bad = (const char *const[]){"", ".", "-a", "a..b", "a b", "a|b", "\xc3\xa9", NULL}; *bad; bad++)
        assert_false(names_stand_in(n, *bad, b4, b6));
    assert_false(names_find(n, 4, (const uint8_t[]){10, 0, 0, 1}, name));
    assert_true(names_find(n, 4, (const uint8_t[]){198, 19, 255, 255}, name));
    assert_string_equal(name, "");
    for (int i = 0; i < 131070; i++) { /* then the oldest is forgotten */
        (void)snprintf(name, sizeof name, "h%d", i);
        assert_true(names_stand_in(n, name, b4, b6));
    }
    assert_true(names_find(n, 4, a4, name));
    assert_string_equal(name, "h131069");
    assert_true(names_stand_in(n, "www.example", b4, b6));
    assert_memory_not_equal(a4, b4, 4);
    names_free(n);
}

/* ---- questions ---- */

static struct helper helper_of(struct rulebook *r)
{
    rulebook_begin(r);
    return (struct helper){.rules = r, .names = names_new()};
}

static size_t question(const char *name, unsigned type, uint8_t *out)
{
    static const uint8_t head[12] = {0x12, 0x34, 1, 0, 0, 1};
    memcpy(out, head, sizeof head);
    size_t n = sizeof head + question_encode(name, out + sizeof head);
    memcpy(out + n, (const uint8_t[]){(uint8_t)(type >> 8), (uint8_t)type, 0, 1}, 4);
    return n + 4;
}

static void questions(void **state)
{
    (void)state;
    struct rulebook r;
    struct helper h = helper_of(&r);
    uint8_t in[600], out[600];
    size_t n = question("far.example", QUESTION_A, in), m = resolver_answer(&h, in, n, out, sizeof out);
    assert_int_equal(m, n + 16);
    assert_memory_equal(out, ((const uint8_t[]){0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1}), 8);
    assert_memory_equal(out + m - 4, ((const uint8_t[]){198, 18, 0, 1}), 4);
    for (size_t i = 0; i < n; i++) /* cut anywhere it is no question */
        assert_int_equal(resolver_answer(&h, in, i, out, sizeof out), 0);
    assert_int_equal(resolver_answer(&h, in, n, out, n), 0); /* and no answer is cut */
    n = question("1.0.18.198.in-addr.arpa", QUESTION_PTR, in);
    m = resolver_answer(&h, in, n, out, sizeof out);
    assert_memory_equal(out + m - 13, "\3far\7example", 13);
    n = question("1.0.0.10.in-addr.arpa", QUESTION_PTR, in);
    assert_int_equal(resolver_answer(&h, in, n, out, sizeof out), n);
    assert_int_equal(out[3], 0x83);
    n = question("far.example", 28, in); /* AAAA: there is none */
    assert_int_equal(resolver_answer(&h, in, n, out, sizeof out), n);
    assert_int_equal(out[3], 0x80);
    n = question("no name", QUESTION_A, in);
    assert_int_equal(resolver_answer(&h, in, n, out, sizeof out), n);
    assert_int_equal(out[3], 0x83);
    n = question("localhost", QUESTION_A, in);
    m = resolver_answer(&h, in, n, out, sizeof out);
    assert_memory_equal(out + m - 4, ((const uint8_t[]){127, 0, 0, 1}), 4);
    in[2] = 0x80; /* an answer */
    assert_int_equal(resolver_answer(&h, in, n, out, sizeof out), 0);
    in[2] = 0;
    in[12] = 0xc0; /* a pointer */
    assert_int_equal(resolver_answer(&h, in, n, out, sizeof out), 0);
    names_free(h.names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules), cmocka_unit_test(names_that_are_left), cmocka_unit_test(wrong_rules),
                                       cmocka_unit_test(names), cmocka_unit_test(questions)};
    return cmocka_run_group_tests_name("xiorun", tests, unit_begin, unit_end);
}
