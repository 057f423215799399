/* SPDX-License-Identifier: GPL-2.0-or-later
 * Address arguments to syntax trees: quoting, pieces, duals, short forms, places, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catena/spec.h"

static struct arena memory;

static struct chain_spec parse(const char *text, bool v1)
{
    struct chain_spec c;
    struct err e = {.kind = ERR_NONE};
    if (chain_parse(&memory, text, v1 ? PARSE_V1 : 0, &c, &e) != 0)
        fail_msg("%s: %s", text, e.text);
    assert_true(c.npieces > 0);
    return c;
}

static struct single_spec single(const char *text)
{
    struct chain_spec c = parse(text, false);
    assert_int_equal(c.npieces, 1);
    assert_int_equal(c.pieces[0].kind, PIECE_SINGLE);
    return c.pieces[0].fwd;
}

/* The text at that span is what was typed there. */
static void stands(const char *argument, struct span at, const char *typed)
{
    assert_string_equal(at.text, argument);
    assert_true(at.off + at.len <= strlen(argument));
    if (at.len != strlen(typed) || strncmp(argument + at.off, typed, at.len) != 0)
        fail_msg("%s: [%zu, +%zu) is not \"%s\"", argument, at.off, at.len, typed);
}

static void quoting(void **state)
{
    static const struct {
        const char *typed, *means;
    } rows[] = {
        {"abc", "abc"},
        {"\"ab\"", "ab"},
        {"a\"b c\"d", "ab cd"},
        {"'ab'", "ab"},
        {"'a\"b'", "a\"b"},
        {"'a,b:c'", "a,b:c"},
        {"\"a,b:c\"", "a,b:c"},
        {"(a:b,c)", "(a:b,c)"},
        {"[a:b,c]", "[a:b,c]"},
        {"{a,b}", "{a,b}"},
        {"(a \"b,c\" d)", "(a \"b,c\" d)"},
        {"[a (b]c) d]", "[a (b]c) d]"},
        {"\"(a)\"", "(a)"},
        {"\"'a'\"", "'a'"},
        {"\"(a,[b:c])\"", "(a,[b:c])"},
        {"'(a'", "(a"},
        {"a)", "a)"},
        {"a]b", "a]b"},
        {"a}", "a}"},
        {"(a\\)b)", "(a)b)"},
        {"a\\:b", "a:b"},
        {"a\\,b", "a,b"},
        {"a\\\"b", "a\"b"},
        {"a\\\\b", "a\\b"},
        {"a\\!!b", "a!!b"},
        {"\\(a", "(a"},
        {"a\\nb", "a\nb"},
        {"\\r\\t\\f\\b\\a", "\r\t\f\b\a"},
        {"'a\\nb'", "a\nb"},
        {"\"a\\nb\"", "a\nb"},
        {"(a\\nb)", "(a\nb)"},
        {"a\\eb", "aeb"},
        {"a\\x41", "ax41"},
        {"a\\0b", "a"},
        {" a", " a"},
        {"a\\|b", "a|b"},
        {"'a|b'", "a|b"},
        {"(a|b)", "(a|b)"},
        {"a\\%b", "a%b"},
        {"\"a%b\"", "a%b"},
        {"a^b", "a^b"},
        {"a!b", "a!b"},
        {"\"\"", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "x:%s", rows[i].typed);
        struct single_spec s = single(text);
        assert_int_equal(s.nparams, 1);
        assert_string_equal(s.params[0].s, rows[i].means);
        stands(text, s.params[0].at, rows[i].typed);
        (void)snprintf(text, sizeof text, "x:y,o=%s", rows[i].typed);
        s = single(text);
        assert_int_equal(s.nopts, 1);
        assert_true(s.opts[0].has_value);
        assert_string_equal(s.opts[0].value.s, rows[i].means);
    }
}

static void singles(void **state)
{
    (void)state;
    const char *t = "Tcp4:host:80,Bind=a:1=2,fork,x=,,ttl=3,";
    struct single_spec s = single(t);
    assert_string_equal(s.keyword.s, "Tcp4");
    stands(t, s.keyword.at, "Tcp4");
    stands(t, s.at, t);
    assert_int_equal(s.nparams, 2);
    stands(t, s.params[1].at, "80");
    assert_int_equal(s.nopts, 4); /* commas too many are harmless */
    assert_string_equal(s.opts[0].name.s, "Bind");
    assert_string_equal(s.opts[0].value.s, "a:1=2");
    stands(t, s.opts[0].value.at, "a:1=2");
    assert_false(s.opts[1].has_value);
    stands(t, s.opts[1].name.at, "fork");
    assert_true(s.opts[2].has_value);
    assert_string_equal(s.opts[2].value.s, "");
    assert_string_equal(s.opts[3].value.s, "3");

    s = single("x");
    assert_int_equal(s.nparams + s.nopts, 0);
    s = single("x:");
    assert_int_equal(s.nparams, 1);
    assert_string_equal(s.params[0].s, "");
    s = single("x::y:");
    assert_int_equal(s.nparams, 3);
    s = single("-,raw");
    assert_string_equal(s.keyword.s, "-");
    assert_int_equal(s.nopts, 1);
    s = single("");
    assert_string_equal(s.keyword.s, "");
    assert_int_equal(s.shortened, SHORT_NONE);
    s = single("exec:a b,c:d e"); /* a colon behind the first comma is the option's */
    assert_int_equal(s.nparams, 1);
    assert_string_equal(s.opts[0].name.s, "c:d e");
}

static void short_forms(void **state)
{
    static const struct {
        const char *typed;
        enum short_form form;
        const char *first;
    } rows[] = {
        {"0", SHORT_FD, "0"},           {"12", SHORT_FD, "12"},
        {"12,o-append", SHORT_FD, "12"}, {"01", SHORT_NONE, NULL},
        {"0x1", SHORT_NONE, NULL},      {"1a", SHORT_NONE, NULL},
        {"./x", SHORT_PATH, "./x"},     {"/tmp/a b,creat", SHORT_PATH, "/tmp/a b"},
        {"a/b", SHORT_PATH, "a/b"},     {"x:a/b", SHORT_NONE, "a/b"},
        {"gd", SHORT_NONE, NULL},       {"x,a=/b", SHORT_NONE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct single_spec s = single(rows[i].typed);
        if (s.shortened != rows[i].form)
            fail_msg("%s: short form %d", rows[i].typed, (int)s.shortened);
        assert_int_equal(s.nparams, rows[i].first != NULL);
        if (rows[i].first)
            assert_string_equal(s.params[0].s, rows[i].first);
        if (rows[i].form != SHORT_NONE)
            assert_string_equal(s.keyword.s, "");
    }
    assert_int_equal(single("/a:b:c").nparams, 3);
}

static void chains(void **state)
{
    (void)state;
    const char *t = " gzip | ^openssl,verify=0 |\ttcp:h:80 ";
    struct chain_spec c = parse(t, false);
    assert_true(c.chained);
    assert_int_equal(c.npieces, 3);
    assert_string_equal(c.pieces[0].fwd.keyword.s, "gzip");
    stands(t, c.pieces[0].at, "gzip");
    assert_true(c.pieces[1].fwd.reverse);
    assert_false(c.pieces[0].fwd.reverse || c.pieces[2].fwd.reverse);
    assert_string_equal(c.pieces[1].fwd.keyword.s, "openssl");
    stands(t, c.pieces[1].at, "^openssl,verify=0");
    stands(t, c.pieces[1].fwd.at, "openssl,verify=0");
    assert_string_equal(c.pieces[1].fwd.opts[0].value.s, "0");
    assert_string_equal(c.pieces[2].fwd.params[1].s, "80");
    stands(t, c.pieces[2].fwd.params[1].at, "80");

    c = parse("a|^ b|c", false);
    assert_true(c.pieces[1].fwd.reverse);
    assert_string_equal(c.pieces[1].fwd.keyword.s, "b");
    c = parse("^a", false);
    assert_true(c.chained);
    c = parse("a", false);
    assert_false(c.chained);
    c = parse("exec:'a|b'|c", false);
    assert_int_equal(c.npieces, 2);
    c = parse("x:(a|b)", false);
    assert_int_equal(c.npieces, 1);
    c = parse("a||b|", false); /* empty pieces are the planner's to refuse, at their place */
    assert_int_equal(c.npieces, 4);
    assert_int_equal(c.pieces[1].at.off, 2);
    assert_int_equal(c.pieces[3].at.off, 5);
    assert_string_equal(c.pieces[3].fwd.keyword.s, "");
}

/* Blanks and line ends, also behind a backslash, are allowed around the operators only. */
static void white_space(void **state)
{
    (void)state;
    struct chain_spec c = parse("a\n  |\n  b:x  y \\\n |  c:\\  \\\n", false);
    assert_int_equal(c.npieces, 3);
    assert_string_equal(c.pieces[0].fwd.keyword.s, "a");
    assert_string_equal(c.pieces[1].fwd.keyword.s, "b");
    assert_string_equal(c.pieces[1].fwd.params[0].s, "x  y");
    assert_string_equal(c.pieces[2].fwd.keyword.s, "c");
    assert_string_equal(c.pieces[2].fwd.params[0].s, " "); /* a protected blank stays */
    c = parse("a:1 % b:2 | c", false);
    assert_int_equal(c.pieces[0].kind, PIECE_DUAL);
    assert_string_equal(c.pieces[0].fwd.params[0].s, "1");
    assert_string_equal(c.pieces[0].back.keyword.s, "b");
    assert_string_equal(c.pieces[0].back.params[0].s, "2");
    c = parse("tcp:h:1,\\\n fork,\\\n ttl=3", false);
    assert_int_equal(c.pieces[0].fwd.nopts, 2);
    assert_string_equal(c.pieces[0].fwd.opts[0].name.s, "fork");
    assert_string_equal(c.pieces[0].fwd.opts[1].name.s, "ttl");
    assert_string_equal(parse("x: a ", true).pieces[0].fwd.params[0].s, " a ");
}

static void duals(void **state)
{
    (void)state;
    const char *t = "stdin,a!!exec:b";
    struct chain_spec c = parse(t, false);
    assert_false(c.chained); /* v1 knows it */
    assert_int_equal(c.pieces[0].kind, PIECE_V1DUAL);
    assert_string_equal(c.pieces[0].back.keyword.s, "stdin"); /* v1: the first is read */
    assert_string_equal(c.pieces[0].back.opts[0].name.s, "a");
    assert_string_equal(c.pieces[0].fwd.keyword.s, "exec");
    stands(t, c.pieces[0].fwd.at, "exec:b");

    t = "^test%^exec1:x y | stdout%stdin";
    c = parse(t, false);
    assert_true(c.chained);
    assert_int_equal(c.pieces[0].kind, PIECE_DUAL);
    assert_true(c.pieces[0].fwd.reverse && c.pieces[0].back.reverse);
    assert_string_equal(c.pieces[0].back.params[0].s, "x y");
    assert_int_equal(c.pieces[1].kind, PIECE_DUAL);
    assert_string_equal(c.pieces[1].fwd.keyword.s, "stdout"); /* v2: the first is written */
    assert_string_equal(c.pieces[1].back.keyword.s, "stdin");
    stands(t, c.pieces[1].back.at, "stdin");
    assert_true(parse("a%b", false).chained);
    assert_false(parse("x:a!b,c=!", false).pieces[0].kind != PIECE_SINGLE);
    assert_string_equal(single("x:a!b,c=!").opts[0].value.s, "!");
}

/* With v1's syntax alone, | % and ^ are plain characters. */
static void v1_only(void **state)
{
    (void)state;
    struct chain_spec c = parse("EXEC:date +%s | cat", true);
    assert_int_equal(c.npieces, 1);
    assert_false(c.chained);
    assert_string_equal(c.pieces[0].fwd.params[0].s, "date +%s | cat");
    assert_string_equal(parse("^x", true).pieces[0].fwd.keyword.s, "^x");
    c = parse("a%b!!c|d", true);
    assert_int_equal(c.pieces[0].kind, PIECE_V1DUAL);
    assert_string_equal(c.pieces[0].back.keyword.s, "a%b");
    assert_string_equal(c.pieces[0].fwd.keyword.s, "c|d");
}

static void errors(void **state)
{
    char deep[300], long_text[2100];
    memset(deep, '(', 200);
    memset(deep + 200, 0, sizeof deep - 200);
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    long_text[2050] = '"';
    const struct {
        const char *text;
        size_t off, len;
        const char *says;
    } rows[] = {
        {"x:\"ab", 2, 1, "unexpected end"},
        {"x:'ab", 2, 1, "unexpected end"},
        {"x:a(b", 3, 1, "unexpected end"},
        {"x:[b", 2, 1, "unexpected end"},
        {"x:{b", 2, 1, "unexpected end"},
        {"x:\"(a\"", 5, 1, "unexpected end"}, /* the quote inside the bracket */
        {"x:\"a'b\"", 4, 1, "unexpected end"},
        {"x:([a)", 3, 1, "unexpected end"},
        {"x:a\\", 3, 1, "unexpected end"},
        {"x:y,o=\"a", 6, 1, "syntax error"},
        {"x:y,o(", 5, 1, "unexpected end"},
        {"\"", 0, 1, "unexpected end"},
        {"a|b:\"c|d", 4, 1, "unexpected end"},
        {"a%b%c", 3, 1, "\"%\""},
        {"a!!b!!c", 4, 2, "\"!!\""},
        {"a%b!!c", 3, 2, "\"!!\""},
        {deep, 64, 1, "nested"},
        {long_text, 2050, 1, "unexpected end"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct chain_spec c;
        struct err e = {.kind = ERR_NONE};
        if (chain_parse(&memory, rows[i].text, 0, &c, &e) == 0)
            fail_msg("%s is accepted", rows[i].text);
        assert_int_equal(e.kind, ERR_USAGE);
        if (!strstr(e.text, rows[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, e.text, rows[i].says);
        if (e.where.text != rows[i].text || e.where.off != rows[i].off ||
            e.where.len != rows[i].len)
            fail_msg("%s: the caret is at [%zu, +%zu)", rows[i].text, e.where.off, e.where.len);
        if (chain_parse(&memory, rows[i].text, PARSE_LENIENT, &c, &e) != 0)
            fail_msg("%s is a mistake although none counts", rows[i].text);
    }
}

static int forget(void **state)
{
    (void)state;
    arena_free(&memory);
    memory = (struct arena){0};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(quoting, forget),     cmocka_unit_test_teardown(singles, forget),
        cmocka_unit_test_teardown(short_forms, forget), cmocka_unit_test_teardown(chains, forget),
        cmocka_unit_test_teardown(white_space, forget), cmocka_unit_test_teardown(duals, forget),
        cmocka_unit_test_teardown(v1_only, forget),     cmocka_unit_test_teardown(errors, forget),
    };
    return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
