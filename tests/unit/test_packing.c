/* SPDX-License-Identifier: GPL-2.0-or-later
 * ZSTD, LZ4, BROTLI, ZLIB and DEFLATE: what they make, cut and joined at every byte, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../home.h"
#include "catena/arena.h"
#include "inter/compress/opts_compress.h"
#include "lane.h"

extern const struct form forms_gzip[], forms_zstd[], forms_lz4[], forms_brotli[];

static const struct format {
    const char *keyword, *inverse;
    const struct form *forms;
    bool joins; /* streams may stand behind each other */
} formats[] = {
    {"GZIP", "GUNZIP", forms_gzip, true},         {"ZLIB", "UNZLIB", forms_gzip, true},
    {"DEFLATE", "UNDEFLATE", forms_gzip, false},  {"ZSTD", "UNZSTD", forms_zstd, true},
    {"LZ4", "UNLZ4", forms_lz4, true},            {"BROTLI", "UNBROTLI", forms_brotli, false},
};
enum { NFORMATS = sizeof formats / sizeof formats[0] };

static const struct form *form_of(const struct format *f)
{
    const struct form *form = f->forms;
    while (strcmp(form->keyword, f->keyword) != 0)
        form++;
    return form;
}

static struct opt number(const struct option_desc *row, long long i)
{
    return (struct opt){.desc = row, .v = {.given = true, .i = i}};
}

static struct opt text(const struct option_desc *row, const char *s)
{
    return (struct opt){.desc = row, .v = {.given = true, .s = s}};
}

/* An end of it with these options. */
static int end(struct lane *l, const struct format *f, bool encodes, const struct opt *opts, size_t nopts,
               size_t in, size_t out)
{
    const struct form *form = form_of(f);
    struct addr a = {.form = form, .opts = opts, .nopts = nopts};
    const struct codec_pair *p = form->ops.codec;
    return lane_open(l, encodes ? p->encode : p->decode, &a, in, out);
}

static void packs(struct lane *l, const struct format *f, const void *data, size_t n)
{
    assert_int_equal(end(l, f, true, NULL, 0, 8192, 8192), 0);
    assert_int_equal(lane_feed(l, data, n, CODEC_RUN), 0);
    assert_int_equal(lane_push(l, CODEC_END), 0);
}

static void inverses_are_mirrored(void **state)
{
    (void)state;
    for (size_t i = 0; i < NFORMATS; i++) {
        const struct codec_pair *there = pair_of(formats[i].forms, formats[i].keyword);
        const struct codec_pair *back = pair_of(formats[i].forms, formats[i].inverse);
        assert_ptr_equal(there->encode, back->decode);
        assert_ptr_equal(there->decode, back->encode);
        assert_true(form_of(&formats[i])->heavy);
    }
}

static void round_trip(const struct format *f, const struct opt *opts, size_t nopts, size_t in, size_t out,
                       enum codec_mode mode, size_t n)
{
    unsigned char *data = sample(n);
    struct lane pack, unpack;
    assert_int_equal(end(&pack, f, true, opts, nopts, in, out), 0);
    assert_int_equal(lane_feed(&pack, data, n, mode), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0); /* asked again: nothing more */
    assert_int_equal(end(&unpack, f, false, NULL, 0, out, in), 0);
    assert_int_equal(lane_feed(&unpack, pack.got, pack.ngot, mode), 0);
    assert_int_equal(lane_push(&unpack, CODEC_END), 0);
    lane_expect(&unpack, data, n);
    lane_close(&pack);
    lane_close(&unpack);
    free(data);
}

static void there_and_back(void **state)
{
    static const char *const policies[] = {"idle", "always", "never"};
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++) {
        for (size_t i = 0; i < NSIZES; i++)
            for (size_t p = 0; p < 3; p++)
                for (enum codec_mode mode = CODEC_RUN; mode <= CODEC_IDLE; mode++) {
                    struct opt o = text(&opt_flush, policies[p]);
                    round_trip(&formats[f], &o, 1, sizes[i], sizes[NSIZES - 1 - i], mode, 1500);
                    round_trip(&formats[f], &o, 1, 100, sizes[i], mode, 1500);
                }
        round_trip(&formats[f], NULL, 0, 65536, 69632, CODEC_RUN, 1000000);
        round_trip(&formats[f], NULL, 0, 8192, 7, CODEC_IDLE, 100000);
    }
}

/* A reader gets what came before the pause. */
static void nothing_is_held_back(void **state)
{
    static const struct {
        const char *policy;
        enum codec_mode mode;
        bool out;
    } rows[] = {
        {"idle", CODEC_IDLE, true},   {"idle", CODEC_RUN, false},  {"always", CODEC_RUN, true},
        {"always", CODEC_IDLE, true}, {"never", CODEC_RUN, false}, {"never", CODEC_IDLE, false},
    };
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            for (size_t size = 0; size < NSIZES; size++) {
                struct opt o = text(&opt_flush, rows[i].policy);
                struct lane pack, unpack;
                assert_int_equal(end(&pack, &formats[f], true, &o, 1, 100, sizes[size]), 0);
                assert_int_equal(end(&unpack, &formats[f], false, NULL, 0, 100, sizes[size]), 0);
                assert_int_equal(lane_push(&pack, CODEC_IDLE), 0);
                lane_expect(&pack, "", 0); /* nothing in, nothing to flush */
                assert_int_equal(lane_feed(&pack, "prompt> ", 8, rows[i].mode), 0);
                size_t packed = pack.ngot;
                assert_int_equal(lane_feed(&unpack, pack.got, packed, CODEC_IDLE), 0);
                lane_expect(&unpack, "prompt> ", rows[i].out ? 8 : 0);
                assert_int_equal(lane_push(&pack, rows[i].mode), 0);
                assert_int_equal(pack.ngot, packed); /* a flush is not repeated */
                lane_close(&pack);
                lane_close(&unpack);
            }
}

static void cut_at_every_byte(void **state)
{
    enum { N = 600 };
    unsigned char *data = sample(N);
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++) {
        struct lane whole;
        packs(&whole, &formats[f], data, N);
        for (size_t at = 0; at <= whole.ngot; at++) {
            struct lane l;
            assert_int_equal(end(&l, &formats[f], false, NULL, 0, 8192, 8192), 0);
            assert_int_equal(lane_feed(&l, whole.got, at, CODEC_IDLE), 0);
            if (at == whole.ngot) {
                assert_int_equal(lane_push(&l, CODEC_END), 0);
            } else if (at % 2 == 0) { /* the rest comes later */
                assert_int_equal(lane_feed(&l, whole.got + at, whole.ngot - at, CODEC_RUN), 0);
                assert_int_equal(lane_push(&l, CODEC_END), 0);
                lane_expect(&l, data, N);
            } else { /* or never */
                assert_int_equal(lane_push(&l, CODEC_END), -1);
                assert_int_equal(l.e.kind, ERR_PROTOCOL);
                assert_non_null(strstr(l.e.text, "cut short"));
                assert_true(l.ngot <= N);
                assert_memory_equal(l.got ? l.got : data, data, l.ngot);
            }
            lane_close(&l);
        }
        lane_close(&whole);
    }
    free(data);
}

static void streams_in_a_row(void **state)
{
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++)
        for (size_t size = 0; size < NSIZES; size++) {
            struct lane a, b, l;
            packs(&a, &formats[f], "abc", 3);
            packs(&b, &formats[f], "defg", 4);
            assert_int_equal(end(&l, &formats[f], false, NULL, 0, sizes[size], sizes[NSIZES - 1 - size]), 0);
            assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), 0);
            int rc = lane_feed(&l, b.got, b.ngot, CODEC_RUN);
            if (formats[f].joins) {
                assert_int_equal(rc, 0);
                assert_int_equal(lane_push(&l, CODEC_END), 0);
                lane_expect(&l, "abcdefg", 7);
            } else {
                assert_int_equal(rc, -1);
                assert_non_null(strstr(l.e.text, "garbage behind the end"));
                lane_expect(&l, "abc", 3);
            }
            lane_close(&a);
            lane_close(&b);
            lane_close(&l);
        }
}

static void garbage(void **state)
{
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++) {
        struct lane a, l;
        packs(&a, &formats[f], "abc", 3);
        assert_int_equal(end(&l, &formats[f], false, NULL, 0, 8192, 8192), 0);
        assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), 0);
        assert_int_equal(lane_feed(&l, "!behind!", 8, CODEC_RUN), -1);
        assert_int_equal(l.e.kind, ERR_PROTOCOL);
        assert_non_null(strstr(l.e.text, "garbage behind the end"));
        lane_expect(&l, "abc", 3);
        lane_close(&l);
        assert_int_equal(end(&l, &formats[f], false, NULL, 0, 8192, 8192), 0);
        assert_int_equal(lane_feed(&l, "\377this is no such stream", 22, CODEC_RUN), -1);
        assert_int_equal(l.e.kind, ERR_PROTOCOL);
        lane_close(&l);
        lane_close(&a);
    }
}

static void bombs(void **state)
{
    enum { N = 8 << 20 };
    unsigned char *zeros = calloc(1, N);
    (void)state;
    for (size_t f = 0; f < NFORMATS; f++) {
        struct opt o = number(&opt_max_ratio, 20);
        struct lane a, l;
        packs(&a, &formats[f], zeros, N);
        assert_int_equal(end(&l, &formats[f], false, &o, 1, 8192, 65536), 0);
        assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), -1);
        assert_non_null(strstr(l.e.text, "more than 20 times"));
        assert_true(l.ngot > 0 && l.ngot <= (1 << 20) + 2 * 65536);
        lane_close(&l);
        o.v.i = 1000000;
        assert_int_equal(end(&l, &formats[f], false, &o, 1, 8192, 65536), 0);
        assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        lane_expect(&l, zeros, N);
        lane_close(&l);
        lane_close(&a);
    }
    free(zeros);
}

/* What a peer may ask us to remember. */
static void windows(void **state)
{
    static const struct format *zstd = &formats[3];
    struct opt wide = number(&opt_window, 28);
    struct lane a, l;
    (void)state;
    assert_int_equal(end(&a, zstd, true, &wide, 1, 8192, 8192), 0);
    assert_int_equal(lane_feed(&a, "abc", 3, CODEC_IDLE), 0);
    assert_int_equal(lane_push(&a, CODEC_END), 0);
    assert_int_equal(end(&l, zstd, false, NULL, 0, 8192, 8192), 0);
    assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), -1);
    assert_non_null(strstr(l.e.text, "window of more than 2^27"));
    lane_close(&l);
    assert_int_equal(end(&l, zstd, false, &wide, 1, 8192, 8192), 0);
    assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), 0);
    lane_expect(&l, "abc", 3);
    lane_close(&l);
    lane_close(&a);
}

/* Frames that are to be skipped are none of the stream. */
static void skippable_frames(void **state)
{
    static const char skip[] = "\x50\x2a\x4d\x18\x03\0\0\0xyz";
    (void)state;
    for (size_t f = 3; f <= 4; f++) {
        struct lane a, l;
        packs(&a, &formats[f], "abc", 3);
        assert_int_equal(end(&l, &formats[f], false, NULL, 0, 8192, 8192), 0);
        assert_int_equal(lane_feed(&l, skip, sizeof skip - 1, CODEC_RUN), 0);
        assert_int_equal(lane_feed(&l, a.got, a.ngot, CODEC_RUN), 0);
        assert_int_equal(lane_feed(&l, skip, sizeof skip - 1, CODEC_RUN), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        lane_expect(&l, "abc", 3);
        lane_close(&a);
        lane_close(&l);
    }
}

static void values_out_of_range(void **state)
{
    static const struct {
        size_t format;
        const struct option_desc *row;
        long long least, most;
    } rows[] = {
        {1, &opt_level, 0, 9},    {2, &opt_level, 0, 9},      {3, &opt_level, -100, 22},  {4, &opt_level, 0, 12},
        {5, &opt_level, 0, 11},   {3, &opt_window, 10, 30},   {5, &opt_window, 10, 24},   {1, &opt_threads, 0, 64},
        {3, &opt_threads, 0, 64}, {4, &opt_max_ratio, 1, 1000000000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct option_desc *const *d = form_of(&formats[rows[i].format])->options;
        const long long n[] = {rows[i].least, rows[i].most, rows[i].least - 1, rows[i].most + 1};
        struct arena mem = {0};
        struct value v;
        struct err e;
        while (!option_is(*d, rows[i].row))
            d++;
        for (size_t j = 0; j < 4; j++) {
            char text[32], says[64];
            (void)snprintf(text, sizeof text, "%lld", n[j]);
            (void)snprintf(says, sizeof says, "is no number from %lld to %lld", rows[i].least, rows[i].most);
            assert_int_equal(value_convert(&mem, &home, *d, text, (struct span){0}, &v, &e), j < 2 ? 0 : -1);
            assert_true(j < 2 ? v.i == n[j] : e.kind == ERR_USAGE && strstr(e.text, says));
        }
        arena_free(&mem);
    }
}

static void threads(void **state)
{
    static const size_t those[] = {0, 1, 2, 3};
    (void)state;
    for (size_t i = 0; i < sizeof those / sizeof those[0]; i++) {
        struct opt o[] = {number(&opt_threads, 3), number(&opt_level, 9)};
        round_trip(&formats[those[i]], o, 1, 65536, 69632, CODEC_RUN, 3000000);
        round_trip(&formats[those[i]], o, 1, 65536, 100, CODEC_IDLE, 300000);
        round_trip(&formats[those[i]], o, 2, 100, 7, CODEC_IDLE, 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverses_are_mirrored), cmocka_unit_test(there_and_back),
        cmocka_unit_test(nothing_is_held_back),  cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(streams_in_a_row),      cmocka_unit_test(garbage),
        cmocka_unit_test(bombs),                 cmocka_unit_test(windows),
        cmocka_unit_test(skippable_frames),      cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
