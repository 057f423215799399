/* SPDX-License-Identifier: GPL-2.0-or-later
 * RECODE: characters cut at every byte, sets with states and marks, and what is no character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inter/recode/opts_recode.h"
#include "lane.h"

extern const struct form forms_recode[];

static int end(struct lane *l, const char *from, const char *to, const char *on_error, bool back, size_t in,
               size_t out)
{
    const char *params[] = {from, to};
    struct span at[2] = {{0}};
    struct opt o = {.desc = &opt_on_error, .v = {.given = true, .s = on_error}};
    struct addr a = {.form = forms_recode, .params = params, .param_at = at, .nparams = 2,
                     .opts = &o, .nopts = on_error ? 1 : 0};
    const struct codec_pair *p = forms_recode->ops.codec;
    assert_int_equal(forms_recode->check(&a, &l->e), 0);
    return lane_open(l, back ? p->decode : p->encode, &a, in, out);
}

/* Cut at every byte, with outputs of every size. rc: of the end, or of what came before. */
static void becomes(const char *from, const char *to, const char *on_error, bool back, const char *data,
                    size_t n, const char *want, size_t nwant, const char *why)
{
    for (size_t at = 0; at <= n; at++)
        for (size_t size = 0; size < NSIZES; size++) {
            struct lane l;
            assert_int_equal(end(&l, from, to, on_error, back, at % 3 ? 8192 : 1, sizes[size]), 0);
            int rc = lane_feed(&l, data, at, CODEC_IDLE);
            rc = rc < 0 ? rc : lane_feed(&l, data + at, n - at, CODEC_RUN);
            rc = rc < 0 ? rc : lane_push(&l, CODEC_END);
            rc = rc < 0 ? rc : lane_push(&l, CODEC_END);
            assert_int_equal(rc, why ? -1 : 0);
            lane_expect(&l, want, nwant);
            if (why && !strstr(l.e.text, why))
                fail_msg("%s", l.e.text);
            lane_close(&l);
        }
}
#define BECOMES(from, to, on_error, back, data, want)                                              \
    becomes(from, to, on_error, back, data, sizeof(data) - 1, want, sizeof(want) - 1, NULL)
#define FAILS(from, to, data, want, why)                                                           \
    becomes(from, to, NULL, false, data, sizeof(data) - 1, want, sizeof(want) - 1, why)

static void both_ways(void **state)
{
    (void)state;
    BECOMES("CP437", "UTF-8", NULL, false, "\xc9\xcd\xbb \x81", "\xe2\x95\x94\xe2\x95\x90\xe2\x95\x97 \xc3\xbc");
    BECOMES("CP437", "UTF-8", NULL, true, "\xe2\x95\x94\xe2\x95\x90\xe2\x95\x97 \xc3\xbc", "\xc9\xcd\xbb \x81");
    BECOMES("CP437", "UTF-8", NULL, false, "\x1b[1m\r\n\x07", "\x1b[1m\r\n\x07"); /* control bytes pass */
    BECOMES("UTF-8", "UTF-16LE", NULL, false, "a\xe2\x82\xac\xf0\x9f\x98\x80", "a\0\xac\x20\x3d\xd8\x00\xde");
    BECOMES("UTF-8", "UTF-16LE", NULL, true, "a\0\xac\x20\x3d\xd8\x00\xde", "a\xe2\x82\xac\xf0\x9f\x98\x80");
    BECOMES("UTF-8", "ISO-8859-1", NULL, false, "", "");
}

/* Sets with states end in the first one; marks of the order of bytes stand at the beginning alone. */
static void states(void **state)
{
    (void)state;
    BECOMES("UTF-8", "ISO-2022-JP", NULL, false, "a\xe6\x97\xa5\xe6\x9c\xac", "a\x1b$BF|K\\\x1b(B");
    BECOMES("UTF-8", "ISO-2022-JP", NULL, true, "a\x1b$BF|K\\\x1b(B!", "a\xe6\x97\xa5\xe6\x9c\xac!");
    BECOMES("UTF-8", "UTF-16", NULL, false, "ab", "\xff\xfe" "a\0b\0");
    BECOMES("UTF-8", "UTF-16", NULL, true, "\xfe\xff\0a\0b", "ab");
    BECOMES("UTF-8", "UTF-7", NULL, false, "\xc3\xa9", "+AOk-");
    BECOMES("CP1255", "UTF-8", NULL, false, "\xe0", "\xd7\x90"); /* it might have got a point */
}

static void what_is_none(void **state)
{
    (void)state;
    FAILS("UTF-8", "ISO-8859-1", "ab\xff" "cd", "ab", "byte 0xff at offset 2 is no UTF-8");
    FAILS("UTF-8", "ISO-8859-1", "ab\xe2\x82" "cd", "ab", "byte 0xe2 at offset 2 is no UTF-8");
    FAILS("UTF-8", "ISO-8859-1", "ab\xe2\x82\xac" "cd", "ab", "character 3, U+20AC, is none of ISO-8859-1");
    FAILS("UTF-8", "ISO-8859-1", "ab\xe2\x82", "ab", "the end comes in the middle of a character of UTF-8");
    FAILS("UTF-16LE", "UTF-8", "a\0b", "a", "the end comes in the middle of a character of UTF-16LE, at offset 2");
    BECOMES("UTF-8", "ISO-8859-1", "skip", false, "a\xff" "b\xe2\x82\xac" "c\xe2\x82", "abc");
    BECOMES("UTF-8", "ISO-8859-1", "replace", false, "a\xff" "b\xe2\x82\xac" "c\xe2\x82", "a?b?c?");
    BECOMES("UTF-8", "UTF-16LE", "replace", false, "a\xff" "b", "a\0\xfd\xff" "b\0");
    BECOMES("UTF-8", "UTF-16", "replace", false, "\xff" "b", "\xff\xfe\xfd\xff" "b\0");
    BECOMES("UTF-8", "ISO-2022-JP", "replace", false, "\xe6\x97\xa5\xff\xe6\x9c\xac", "\x1b$BF|\x1b(B?\x1b$BK\\\x1b(B");
    BECOMES("CP437", "UTF-8", "replace", true, "\xe2\x82\xac\xc3\xbc", "?\x81");
    BECOMES("ASCII", "UTF-8", "replace", false, "a\x80" "b", "a\xef\xbf\xbd" "b");
}

static void unknown_sets(void **state)
{
    struct lane l;
    (void)state;
    assert_int_equal(end(&l, "UTF-8", "KLINGON-7", NULL, false, 10, 10), -1);
    assert_int_equal(l.e.kind, ERR_ABSENT);
    assert_non_null(strstr(l.e.text, "\"KLINGON-7\" is not known here"));
    lane_close(&l);
    assert_int_equal(end(&l, "KLINGON-8", "UTF-8", NULL, true, 10, 10), -1);
    assert_non_null(strstr(l.e.text, "\"KLINGON-8\" is not known here"));
    lane_close(&l);
}

static void nonsense(void **state)
{
    const char *params[] = {"UTF-8", ""};
    struct span at[2] = {{0}};
    struct opt o = {.desc = &opt_on_error, .v = {.given = true, .s = "shrug"}};
    struct addr a = {.form = forms_recode, .params = params, .param_at = at, .nparams = 2};
    struct err e;
    (void)state;
    assert_int_equal(forms_recode->check(&a, &e), -1);
    assert_non_null(strstr(e.text, "no name of a character set"));
    params[1] = "CP437";
    a.opts = &o;
    a.nopts = 1;
    assert_int_equal(forms_recode->check(&a, &e), -1);
    assert_non_null(strstr(e.text, "on-error \"shrug\" is none of fail, replace, skip"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),    cmocka_unit_test(states),   cmocka_unit_test(what_is_none),
        cmocka_unit_test(unknown_sets), cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
