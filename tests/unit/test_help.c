/* SPDX-License-Identifier: GPL-2.0-or-later
 * Help that memory does not suffice for is no help that was given. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/err.h"
#include "catena/registry.h"
#include "engine/cli/help.h"

static int calls_left = -1; /* until memory runs out; -1: it does not */

/* The one that the lists grow with, instead of the C library's. */
void *reallocarray(void *p, size_t n, size_t size)
{
    if (calls_left == 0 || (size && n > SIZE_MAX / size)) {
        errno = ENOMEM;
        return NULL;
    }
    calls_left -= calls_left > 0;
    return realloc(p, n * size);
}

/* Gives what help_print() gives; *text, to be freed, is what it printed. */
static int help(int level, int calls, char **text, struct err *e)
{
    size_t n;
    FILE *f = open_memstream(text, &n);
    assert_non_null(f);
    calls_left = calls;
    int rc = help_print(f, &builtin_registry, level, false, e);
    calls_left = -1;
    assert_int_equal(fclose(f), 0);
    return rc;
}

static void says_when_memory_ran_out(void **state)
{
    (void)state;
    for (int level = 1; level <= 3; level++) {
        struct err e = {0};
        char *text;
        int calls = 0;
        while (help(level, calls, &text, &e) != 0) {
            assert_string_equal(e.text, "not enough memory");
            free(text);
            assert_true(++calls < 100);
        }
        assert_true(calls >= (level < 2 ? 1 : 2));
        free(text);
    }
}

static void lists_what_there_is(void **state)
{
    struct err e;
    char *text;
    (void)state;
    assert_int_equal(help(3, -1, &text, &e), 0);
    assert_non_null(strstr(text, "\n      TCP-CONNECT:<host>:<port>\t"));
    assert_non_null(strstr(text, "\n      openssl-verify\t"));
    assert_non_null(strstr(text, "\n      verify\tis an alias for openssl-verify\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_when_memory_ran_out),
        cmocka_unit_test(lists_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
