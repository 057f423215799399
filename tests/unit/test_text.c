/* SPDX-License-Identifier: GPL-2.0-or-later
 * BASE64 and HEX: the vectors of RFC 4648, any cut, what they skip and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inter/compress/opts_compress.h"
#include "inter/text/opts_text.h"
#include "lane.h"

extern const struct form forms_base64[], forms_hex[];

static struct opt number(const struct option_desc *row, long long i)
{
    return (struct opt){.desc = row, .v = {.given = true, .i = i}};
}

static struct opt text(const struct option_desc *row, const char *s)
{
    return (struct opt){.desc = row, .v = {.given = true, .s = s}};
}

static void end(struct lane *l, const struct form *f, bool encodes, const struct opt *opts, size_t nopts,
                size_t in, size_t out)
{
    struct addr a = {.form = f, .opts = opts, .nopts = nopts};
    assert_int_equal(f->check(&a, &l->e), 0);
    assert_int_equal(lane_open(l, encodes ? f->ops.codec->encode : f->ops.codec->decode, &a, in, out), 0);
}

/* What it becomes; cut at every byte, with outputs of every size. */
static void becomes(const struct form *f, bool encodes, const struct opt *opts, size_t nopts, const void *from,
                    size_t n, const char *want, size_t nwant)
{
    for (size_t at = 0; at <= n; at++)
        for (size_t size = 0; size < NSIZES; size += 3) {
            struct lane l;
            end(&l, f, encodes, opts, nopts, 8192, sizes[size]);
            assert_int_equal(lane_feed(&l, from, at, CODEC_RUN), 0);
            assert_int_equal(lane_feed(&l, (const char *)from + at, n - at, CODEC_RUN), 0);
            assert_int_equal(lane_push(&l, CODEC_END), 0);
            assert_int_equal(lane_push(&l, CODEC_END), 0);
            lane_expect(&l, want, nwant);
            lane_close(&l);
        }
}

static void refuses(const struct form *f, const struct opt *opts, size_t nopts, const char *from, const char *why)
{
    for (size_t at = 0; at <= strlen(from); at++) {
        struct lane l;
        end(&l, f, false, opts, nopts, 8192, 8192);
        int rc = lane_feed(&l, from, at, CODEC_RUN);
        rc = rc < 0 ? rc : lane_feed(&l, from + at, strlen(from) - at, CODEC_RUN);
        rc = rc < 0 ? rc : lane_push(&l, CODEC_END);
        assert_int_equal(rc, -1);
        assert_int_equal(l.e.kind, ERR_PROTOCOL);
        if (!strstr(l.e.text, why))
            fail_msg("\"%s\": %s", from, l.e.text);
        lane_close(&l);
    }
}

static void vectors(void **state)
{
    static const struct {
        const char *plain, *base64, *hex;
    } rows[] = {{"", "", ""},
                {"f", "Zg==", "66"},
                {"fo", "Zm8=", "666f"},
                {"foo", "Zm9v", "666f6f"},
                {"foob", "Zm9vYg==", "666f6f62"},
                {"fooba", "Zm9vYmE=", "666f6f6261"},
                {"foobar", "Zm9vYmFy", "666f6f626172"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].plain);
        becomes(forms_base64, true, NULL, 0, rows[i].plain, n, rows[i].base64, strlen(rows[i].base64));
        becomes(forms_base64, false, NULL, 0, rows[i].base64, strlen(rows[i].base64), rows[i].plain, n);
        becomes(forms_hex, true, NULL, 0, rows[i].plain, n, rows[i].hex, 2 * n);
        becomes(forms_hex, false, NULL, 0, rows[i].hex, 2 * n, rows[i].plain, n);
    }
}

static void alphabets(void **state)
{
    struct opt url = number(&opt_url, 1), upper = text(&opt_case, "upper");
    (void)state;
    becomes(forms_base64, true, NULL, 0, "\xfb\xff\xfe", 3, "+//+", 4);
    becomes(forms_base64, true, &url, 1, "\xfb\xff\xfe", 3, "-__-", 4);
    becomes(forms_base64, false, &url, 1, "-__-", 4, "\xfb\xff\xfe", 3);
    refuses(forms_base64, NULL, 0, "ab-d", "\"-\" (0x2d) at offset 2 is no base64 (the alphabet with \"url\" has it)");
    refuses(forms_base64, &url, 1, "a+bd", "\"+\" (0x2b) at offset 1 is no base64 (the alphabet without");
    becomes(forms_hex, true, &upper, 1, "\xfb\x0a", 2, "FB0A", 4);
    becomes(forms_hex, false, NULL, 0, "fB0a", 4, "\xfb\x0a", 2);
}

static void padding(void **state)
{
    struct opt strict = text(&opt_padding, "strict"), none = text(&opt_padding, "none");
    (void)state;
    becomes(forms_base64, true, &none, 1, "foob", 4, "Zm9vYg", 6);
    becomes(forms_base64, false, &none, 1, "Zm9vYg", 6, "foob", 4);
    becomes(forms_base64, false, NULL, 0, "Zm9vYg", 6, "foob", 4);
    becomes(forms_base64, false, NULL, 0, "Zg==Zm8=Zm9v", 12, "ffofoo", 6); /* streams in a row */
    becomes(forms_base64, false, NULL, 0, "Zh==", 4, "f", 1);
    becomes(forms_base64, false, &strict, 1, "Zg==\n", 5, "f", 1);
    refuses(forms_base64, &strict, 1, "Zm9vYg", "no padding at offset 6");
    refuses(forms_base64, &strict, 1, "Zg==Zm8=", "\"Z\" (0x5a) at offset 4 is behind the padding");
    refuses(forms_base64, &strict, 1, "Zh==", "hides bits");
    refuses(forms_base64, &none, 1, "Zg==", "padding where none belongs");
    refuses(forms_base64, NULL, 0, "Z===", "\"=\" (0x3d) at offset 1 is padding where none belongs");
    refuses(forms_base64, NULL, 0, "Zm9v=", "padding where none belongs");
    refuses(forms_base64, NULL, 0, "Zg=v", "in the middle of padding");
    refuses(forms_base64, NULL, 0, "Zg=", "cut short");
    refuses(forms_base64, NULL, 0, "Zm9vY", "cut short in the middle of a group, at offset 5");
}

static void lines_and_blanks(void **state)
{
    struct opt four = number(&opt_line_length, 4), five = number(&opt_line_length, 5);
    struct opt hex[] = {number(&opt_line_length, 6), text(&opt_separator, ":")};
    (void)state;
    becomes(forms_base64, true, &four, 1, "foobar", 6, "Zm9v\nYmFy\n", 10);
    becomes(forms_base64, true, &five, 1, "foobar", 6, "Zm9vY\nmFy\n", 10);
    becomes(forms_base64, true, &five, 1, "", 0, "", 0);
    becomes(forms_base64, false, NULL, 0, " Zm\t9v\r\nYm\nFy\n", 14, "foobar", 6);
    becomes(forms_hex, true, hex, 2, "foobar", 6, "66:6f:\n6f:62:\n61:72\n", 20);
    becomes(forms_hex, false, NULL, 0, "66:6f-\n6f,62 6 1\t72\n", 20, "foobar", 6);
    becomes(forms_hex, false, hex + 1, 1, "66:6f", 5, "fo", 2);
    refuses(forms_hex, hex + 1, 1, "66-6f", "\"-\" (0x2d) at offset 2 is no hexadecimal digit");
    refuses(forms_hex, NULL, 0, "6:6", "\":\" (0x3a) at offset 1 is in the middle of a byte");
    refuses(forms_hex, NULL, 0, "66 6", "cut short in the middle of a byte, at offset 4");
    refuses(forms_hex, NULL, 0, "6\x01", "byte 0x01 at offset 1 is no hexadecimal digit");
    refuses(forms_base64, NULL, 0, "Zm\x80", "byte 0x80 at offset 2 is no base64");
}

/* Who waits for it gets what came before the pause, and all of it. */
static void rests(void **state)
{
    static const struct {
        const char *policy;
        enum codec_mode mode;
        const char *out, *all;
    } rows[] = {
        {"idle", CODEC_IDLE, "Zm9vYg==", "Zm9vYg==YXI="}, {"idle", CODEC_RUN, "Zm9v", "Zm9vYmFy"},
        {"always", CODEC_RUN, "Zm9vYg==", "Zm9vYg==YXI="}, {"never", CODEC_IDLE, "Zm9v", "Zm9vYmFy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct opt o = text(&opt_flush, rows[i].policy);
        struct lane l;
        end(&l, forms_base64, true, &o, 1, 8192, 8192);
        assert_int_equal(lane_feed(&l, "foob", 4, rows[i].mode), 0);
        lane_expect(&l, rows[i].out, strlen(rows[i].out));
        assert_int_equal(lane_push(&l, rows[i].mode), 0);
        lane_expect(&l, rows[i].out, strlen(rows[i].out));
        assert_int_equal(lane_feed(&l, "ar", 2, CODEC_RUN), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        lane_expect(&l, rows[i].all, strlen(rows[i].all));
        lane_close(&l);
    }
}

static void much(void **state)
{
    enum { N = 100000 };
    unsigned char *data = sample(N);
    (void)state;
    for (size_t line = 0; line < 80; line += 19)
        for (size_t i = 0; i < NSIZES; i++) {
            const struct form *forms[] = {forms_base64, forms_hex};
            for (size_t f = 0; f < 2; f++) {
                struct opt o = number(&opt_line_length, (long long)line);
                struct lane there, back;
                end(&there, forms[f], true, &o, 1, sizes[i], sizes[NSIZES - 1 - i]);
                assert_int_equal(lane_feed(&there, data, N / 10, CODEC_IDLE), 0);
                assert_int_equal(lane_push(&there, CODEC_END), 0);
                end(&back, forms[f], false, NULL, 0, sizes[i], sizes[NSIZES - 1 - i]);
                assert_int_equal(lane_feed(&back, there.got, there.ngot, CODEC_RUN), 0);
                assert_int_equal(lane_push(&back, CODEC_END), 0);
                lane_expect(&back, data, N / 10);
                lane_close(&there);
                lane_close(&back);
            }
        }
    free(data);
}

static void nonsense(void **state)
{
    const struct {
        const struct form *form;
        struct opt o;
        const char *why;
    } rows[] = {
        {forms_base64, text(&opt_padding, "some"), "padding \"some\" is none of optional, strict, none"},
        {forms_base64, text(&opt_flush, "often"), "flush \"often\""},
        {forms_hex, text(&opt_case, "camel"), "case \"camel\" is none of lower, upper"},
        {forms_hex, text(&opt_separator, ""), "separator: 1 to 8 characters are expected"},
        {forms_hex, text(&opt_separator, "a"), "separator \"a\" has a digit in it"},
        {forms_hex, text(&opt_separator, ":::::::::"), "has more than 8 characters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr a = {.form = rows[i].form, .opts = &rows[i].o, .nopts = 1};
        struct err e;
        assert_int_equal(a.form->check(&a, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_non_null(strstr(e.text, rows[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(alphabets),        cmocka_unit_test(padding),
        cmocka_unit_test(rests),   cmocka_unit_test(lines_and_blanks), cmocka_unit_test(much),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
