/* SPDX-License-Identifier: GPL-2.0-or-later
 * Libraries loaded late: what is found is called, and what is missing is an error with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <zlib.h>

#include "catena/library.h"
#include "inter/libraries/libraries.h"

static double (*cosine)(double);
static void *nothing;

static void a_function_is_found_once_for_all(void **state)
{
    static const struct library_symbol symbols[] = {{"cos", &cosine}, {0}};
    struct library l = {"libm.so.6", symbols, false};
    struct err e;
    (void)state;
    assert_int_equal(library_load(&l, &e), 0);
    assert_true(cosine(0) == 1);
    cosine = NULL;
    assert_int_equal(library_load(&l, &e), 0);
    assert_null(cosine); /* not looked up again */
}

static void a_library_that_is_not_there(void **state)
{
    static const struct library_symbol none[] = {{0}};
    struct library l = {"libnowhere.so.7", none, false};
    struct err e;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(library_load(&l, &e), -1);
        assert_int_equal(e.kind, ERR_OTHER);
        assert_int_equal(e.code, ERR_LIBRARY);
        assert_non_null(strstr(e.text, "a library cannot be loaded: libnowhere.so.7"));
        assert_null(strstr(e.text, "package"));
    }
    l.package = "libnowhere7";
    assert_int_equal(library_load(&l, &e), -1);
    assert_non_null(strstr(e.text, "(Debian's package libnowhere7 has it)"));
}

static void a_function_that_is_missing(void **state)
{
    static const struct library_symbol symbols[] = {
        {"cos", &cosine}, {"cosine_of_time", &nothing}, {0}};
    struct library l = {"libm.so.6", symbols, false};
    struct err e;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(library_load(&l, &e), -1);
        assert_string_equal(e.text, "libm.so.6 has no cosine_of_time");
        assert_false(l.loaded);
    }
}

static void *load_zlib(void *failed)
{
    struct err e;
    *(bool *)failed = libraries_load_zlib(&e) < 0 || crc32_z(0, (const Bytef *)"123456789", 9) != 0xcbf43926;
    return NULL;
}

static void threads_may_load_at_once(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    bool failed[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_zlib, &failed[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(failed[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_found_once_for_all),
        cmocka_unit_test(a_library_that_is_not_there),
        cmocka_unit_test(a_function_that_is_missing),
        cmocka_unit_test(threads_may_load_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
