/* SPDX-License-Identifier: GPL-2.0-or-later
 * The words of program addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint/program/argv.h"

enum { MOST = 8 };

static const struct split_case {
    const char *line;
    const char *words[MOST];
} splits[] = {
    {"p", {"p"}},
    {"p a  b", {"p", "a", "b"}},
    {"  p a", {"p", "a"}},
    {"p a ", {"p", "a", ""}},
    {"p a   ", {"p", "a", ""}},
    {"p a\tb", {"p", "a\tb"}},
    {"p a\nb c", {"p", "a\nb", "c"}},
    {"p \"a b\" c", {"p", "a b", "c"}},
    {"p 'a b' c", {"p", "a b", "c"}},
    {"p x\"a b\"y", {"p", "xa by"}},
    {"p a\"b\"'c'd", {"p", "abcd"}},
    {"p \"a\"\"b\"", {"p", "ab"}},
    {"p \"\" x", {"p", "", "x"}},
    {"p x ''", {"p", "x", ""}},
    {"p a\\ b", {"p", "a b"}},
    {"p a \\ ", {"p", "a", " "}},
    {"p a\\\\b", {"p", "a\\b"}},
    {"p a\\nb\\tc", {"p", "a\nb\tc"}},
    {"p 'a\\nb'", {"p", "a\nb"}},
    {"p a\\xb\\e", {"p", "axbe"}},
    {"p a\\0b c", {"p", "a", "c"}},
    {"p a\\\"b", {"p", "a\"b"}},
    {"p 'a\\'b'", {"p", "a'b"}},
    {"p (a b) [a b] {a,b}", {"p", "(a b)", "[a b]", "{a,b}"}},
    {"p {a b}x", {"p", "{a b}x"}},
    {"p (a \"b c\" d) e", {"p", "(a \"b c\" d)", "e"}},
    {"p (a\\)b c) d", {"p", "(a)b c)", "d"}},
    {"p [a (b]c) d] e", {"p", "[a (b]c) d]", "e"}},
    {"p [\"]\" x] y", {"p", "[\"]\" x]", "y"}},
    {"p \"(a b) c\"", {"p", "(a b) c"}},
    {"p \"'a b'\"", {"p", "'a b'"}},
    {"p '(a b'", {"p", "(a b"}},
    {"p '\"a b'", {"p", "\"a b"}},
    {"p a) b]", {"p", "a)", "b]"}},
    {"p $HOME *", {"p", "$HOME", "*"}},
    {"p a:b,c!!d", {"p", "a:b,c!!d"}},
};

static void test_splits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        struct err e = {0};
        char **argv = NULL;
        size_t n = 0;

        print_message("%s\n", splits[i].line);
        assert_int_equal(argv_split(splits[i].line, &argv, &e), 0);
        for (; n < MOST && splits[i].words[n]; n++) {
            assert_non_null(argv[n]);
            assert_string_equal(argv[n], splits[i].words[n]);
        }
        assert_null(argv[n]);
        free(argv);
    }
}

static void test_refused(void **state)
{
    static const char *const lines[] = {
        "", "   ", "\"\" x", "p \"a b", "p 'a b", "p (a b", "p [a (b]", "p \"(a\"", "p \"a'b\"",
        "p ('a b) c", "p a\\", "p 'a\\'",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct err e = {0};
        char **argv = NULL;

        print_message("%s\n", lines[i]);
        assert_int_equal(argv_split(lines[i], &argv, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_null(argv);
    }
}

/* As long and as deep as it gets: no recursion, no limit of its own. */
static void test_long(void **state)
{
    enum { DEPTH = 100000 };
    char *line = malloc(2 * DEPTH + 3);
    struct err e = {0};
    char **argv;

    (void)state;
    assert_non_null(line);
    memcpy(line, "p ", 2);
    memset(line + 2, '(', DEPTH);
    memset(line + 2 + DEPTH, ')', DEPTH);
    line[2 * DEPTH + 2] = '\0';
    assert_int_equal(argv_split(line, &argv, &e), 0);
    assert_string_equal(argv[1], line + 2);
    free(argv);

    for (size_t i = 0; i < 2 * DEPTH + 2; i++)
        line[i] = i % 2 ? ' ' : 'x';
    assert_int_equal(argv_split(line, &argv, &e), 0);
    assert_string_equal(argv[DEPTH], "x");
    assert_string_equal(argv[DEPTH + 1], "");
    assert_null(argv[DEPTH + 2]);
    free(argv);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
