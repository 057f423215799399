/* SPDX-License-Identifier: GPL-2.0-or-later
 * The name in a client's hello, cut and joined, and which certificates are those of a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "inter/libraries/libraries.h"
#include "inter/tls/tls_certs.h"

/* List of 12 bytes, type 0, name of 9. */
static const unsigned char localhost[] = "\0\x0c\0\0\x09localhost";
enum { WHOLE = sizeof localhost - 1 };

static bool parse(const unsigned char *ext, size_t n, char name[256])
{
    unsigned char *own = malloc(n ? n : 1); /* so that a byte too much is noticed */
    assert_non_null(own);
    memcpy(own, ext, n);
    bool is = tls_sni_parse(own, n, name, 256);
    free(own);
    return is;
}

static void names_are_read_whole_or_not(void **state)
{
    unsigned char ext[WHOLE + 4];
    char name[256];
    (void)state;
    assert_true(parse(localhost, WHOLE, name));
    assert_string_equal(name, "localhost");
    for (size_t n = 0; n < WHOLE; n++)
        assert_false(parse(localhost, n, name));
    memcpy(ext, localhost, WHOLE);
    memcpy(ext + WHOLE, "more", 4);
    assert_false(parse(ext, WHOLE + 4, name)); /* not in the list */
    ext[1] += 4;
    assert_true(parse(ext, WHOLE + 4, name)); /* another entry, of whatever kind, behind it */
    assert_string_equal(name, "localhost");
    for (size_t at = 0; at < 5; at++) {
        memcpy(ext, localhost, WHOLE);
        ext[at] ^= 0x80;
        assert_false(parse(ext, WHOLE, name));
    }
    memcpy(ext, localhost, WHOLE);
    ext[8] = '\0';
    assert_false(parse(ext, WHOLE, name));
    ext[8] = 'a';
    ext[WHOLE - 1] = '.';
    assert_true(parse(ext, WHOLE, name));
    assert_string_equal(name, "localhos");
}

static void the_longest_name_is_255_bytes(void **state)
{
    char name[256];
    (void)state;
    for (size_t len = 250; len < 300; len++) {
        unsigned char ext[5 + 300];
        memset(ext, 'a', sizeof ext);
        memcpy(ext, (unsigned char[]){(unsigned char)((len + 3) >> 8), (unsigned char)(len + 3), 0,
                                      (unsigned char)(len >> 8), (unsigned char)len}, 5);
        assert_int_equal(parse(ext, 5 + len, name), len <= 255);
        if (len <= 255)
            assert_int_equal(strlen(name), len);
    }
}

/* ---- which certificates ---- */

static struct tls_identity ids[4]; /* EC, RSA, EC, EC */
#define NAME(name, of) {(char[]){name}, of}
static struct tls_name names[] = {
    NAME("a.example", 0), NAME("a.example", 1),   NAME("*.example", 2),
    NAME("b.example", 3), NAME("*.c.example", 3), NAME("*.b.example", 2),
};
static const struct tls_certs certs = {.v = ids, .n = 4, .names = names, .nnames = sizeof names / sizeof names[0]};

static int make_keys(void **state)
{
    struct err e;
    (void)state;
    if (libraries_load_openssl(&e) < 0)
        return -1;
    for (size_t i = 0; i < 4; i++)
        ids[i].key = i == 1 ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
    return ids[0].key && ids[1].key && ids[2].key && ids[3].key ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        EVP_PKEY_free(ids[i].key);
    return 0;
}

/* wanted: their numbers, in order */
static void finds(const char *name, const char *wanted)
{
    struct tls_picks picks;
    char found[9] = "";
    if (name)
        tls_certs_find(&certs, name, &picks);
    else
        tls_certs_default(&certs, &picks);
    for (size_t i = 0; i < picks.n; i++)
        found[i] = (char)('0' + (picks.v[i] - ids));
    if (strcmp(found, wanted) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", name ? name : "default", found, wanted);
}

static void names_before_wildcards_of_one_label(void **state)
{
    (void)state;
    finds("a.example", "01"); /* of each kind one */
    finds("A.Example", "01");
    finds("b.example", "3"); /* the wildcard counts where no name does */
    finds("x.example", "2");
    finds("x.c.example", "3");
    finds("x.b.example", "2");
    finds("x.y.example", "");
    finds("example", "");
    finds(".example", "");
    finds("*.example", "2");
    finds("", "");
    finds(NULL, "01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_whole_or_not),
        cmocka_unit_test(the_longest_name_is_255_bytes),
        cmocka_unit_test(names_before_wildcards_of_one_label),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
