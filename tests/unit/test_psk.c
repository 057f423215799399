/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pre-shared keys in text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inter/tls/psk.h"

#define KEY "000102030405060708090a0b0c0d0e0F"

static void names_and_keys(void **state)
{
    static const unsigned char key[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct psks p = {0};
    struct err e;
    (void)state;
    assert_int_equal(psk_add(&p, "alice:" KEY, &e), 0);
    assert_int_equal(psk_add(&p, "b:o b:" KEY "ff", &e), 0);
    assert_int_equal(p.n, 2);
    assert_int_equal(psk_find(&p, "alice")->n, 16);
    assert_memory_equal(psk_find(&p, "alice")->key, key, 16);
    assert_int_equal(psk_find(&p, "b:o b")->n, 17);
    assert_int_equal(psk_find(&p, "b:o b")->key[16], 0xff);
    assert_null(psk_find(&p, "Alice"));
    assert_null(psk_find(&p, ""));
    psk_free(&p);
    psk_free(&p);
}

static void lines(void **state)
{
    struct psks p = {0};
    struct err e;
    (void)state;
    assert_int_equal(psk_add_lines(&p, "# keys\n\na:" KEY " \t\r\n   \nb:" KEY, &e), 0);
    assert_int_equal(p.n, 2);
    assert_non_null(psk_find(&p, "a"));
    assert_non_null(psk_find(&p, "b"));
    assert_int_equal(psk_add_lines(&p, "", &e), 0);
    assert_int_equal(psk_add_lines(&p, "\n#\nc:" KEY "\nc:" KEY "\n", &e), -1);
    assert_non_null(strstr(e.text, "line 4: there is a key \"c\" already"));
    psk_free(&p);
}

/* What is wrong is said, and no key is in it. */
static void mistakes(void **state)
{
    static const struct {
        const char *text, *word;
    } wrong[] = {
        {"", "<identity>:<key"},
        {KEY, "<identity>:<key"},
        {":" KEY, "<identity>:<key"},
        {"a:", "key of 0 bytes can be guessed"},
        {"a:000102030405060708090a0b0c0d0e", "key of 15 bytes"},
        {"a:" KEY "0", "two hexadecimal digits"},
        {"a:" KEY "0g", "hexadecimal digits"},
        {"a:0x" KEY, "hexadecimal digits"},
        {"a: " KEY " ", "hexadecimal digits"},
        {"a:" KEY "\n", "two hexadecimal digits"},
    };
    struct psks p = {0};
    struct err e;
    char text[PSK_NAME_MAX + 2 * PSK_MOST + 10];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(psk_add(&p, wrong[i].text, &e), -1);
        if (!strstr(e.text, wrong[i].word) || strstr(e.text, "0001"))
            fail_msg("%s: %s", wrong[i].text, e.text);
    }
    assert_int_equal(p.n, 0);
    memset(text, 'a', PSK_NAME_MAX);
    strcpy(text + PSK_NAME_MAX, ":" KEY);
    assert_int_equal(psk_add(&p, text, &e), 0);
    memset(text, 'b', PSK_NAME_MAX + 1);
    strcpy(text + PSK_NAME_MAX + 1, ":" KEY);
    assert_int_equal(psk_add(&p, text, &e), -1);
    strcpy(text, "long:");
    memset(text + 5, '7', 2 * PSK_MOST);
    text[5 + 2 * PSK_MOST] = '\0';
    assert_int_equal(psk_add(&p, text, &e), 0);
    strcat(text, "77");
    text[0] = 'L';
    assert_int_equal(psk_add(&p, text, &e), -1);
    assert_int_equal(p.n, 2);
    psk_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_keys),
        cmocka_unit_test(lines),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
