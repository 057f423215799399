/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lines for terminals. */
#include <stdlib.h>

#include "engine/cli/wrap.h"
#include "unit.h"

static void gives(size_t width, const char *text, const char *want)
{
    char *got = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&got, &n);
    assert_non_null(f);
    wrap_print(f, text, width, 2);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(got, want);
    free(got);
}

static void lines_are_broken_between_words(void **state)
{
    (void)state;
    gives(0, "as it  is\n\n  is\n", "as it  is\n\n  is\n");
    gives(9, "as it  is\n", "as it  is\n");
    gives(8, "as it  is\n", "as it\n  is\n");
    gives(10, "  one two three four\n", "  one two\n    three\n    four\n");
    gives(11, "   one two \n", "   one two \n");
    gives(5, "a-long-word of one\nb\n", "a-long-word\n  of\n  one\nb\n");
    gives(2, "    in the margin\n", "    in the margin\n");
    gives(20, "no end", "no end\n");
    gives(4, "      \n", "      \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_broken_between_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
