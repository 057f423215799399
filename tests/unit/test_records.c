/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records in frames: what each format looks like on the wire, however it is cut there, and what is no frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "inter/records/opts_records.h"

extern const struct form forms_records[];

static const struct form *form_of(const char *keyword)
{
    const struct form *f = forms_records;
    while (strcmp(f->keyword, keyword) != 0)
        f++;
    return f;
}

/* One direction, and the records or bytes that have come out of it. */
struct way {
    const struct codec_ops *ops;
    void *st;
    struct buf out;
    struct err e;
    unsigned char *got;
    size_t ngot, room;
    size_t length[256], n; /* of each record */
};

static void way_open(struct way *w, const char *keyword, bool encode, const struct opt *opts, size_t nopts)
{
    const struct form *f = form_of(keyword);
    const struct addr a = {.form = f, .opts = opts, .nopts = nopts};
    *w = (struct way){.ops = encode ? f->ops.codec->encode : f->ops.codec->decode};
    w->st = calloc(1, w->ops->state_size);
    assert_non_null(w->st);
    assert_int_equal(f->check(&a, &w->e), 0);
    assert_int_equal(w->ops->init(w->st, &a, &w->e), 0);
}

static void way_close(struct way *w)
{
    w->ops->fini(w->st);
    free(w->st);
    free(w->got);
    buf_fini(&w->out);
}

static void collect(struct way *w)
{
    if (w->ops->gives_records && buf_holds(&w->out)) {
        assert_true(w->out.record);
        w->length[w->n++ % 256] = w->out.len;
    }
    if (w->ngot + w->out.len > w->room) {
        w->room = 2 * (w->ngot + w->out.len);
        w->got = realloc(w->got, w->room);
        assert_non_null(w->got);
    }
    if (w->out.len > 0)
        memcpy(w->got + w->ngot, buf_data(&w->out), w->out.len);
    w->ngot += w->out.len;
    buf_consume(&w->out, w->out.len);
}

/* n bytes at once, as a record if it is one; then the end, if that is the mode. */
static int feed(struct way *w, const void *p, size_t n, enum codec_mode mode)
{
    struct buf in;
    int rc = 0;
    assert_int_equal(buf_init(&in, n + 1), 0);
    (void)buf_put(&in, p, n);
    in.record = w->ops->takes_records && (n > 0 || mode == CODEC_RUN);
    while (rc == 0 && (buf_holds(&in) || mode == CODEC_END)) {
        rc = w->ops->push(w->st, &in, &w->out, mode, &w->e);
        collect(w);
    }
    buf_fini(&in);
    return rc < 0 ? -1 : 0;
}

/* ---- what each looks like ---- */

#define BYTES(s) (s), sizeof(s) - 1

static const struct vector {
    const char *keyword, *record;
    size_t n;
    const char *frame;
    size_t nframe;
} vectors[] = {
    {"LINES", BYTES("hello"), BYTES("hello\n")},
    {"LINES", BYTES(""), BYTES("\n")},
    {"LINES", BYTES("a\r"), BYTES("a\r\n")},
    {"NETSTRING", BYTES("hello world!"), BYTES("12:hello world!,")},
    {"NETSTRING", BYTES(""), BYTES("0:,")},
    {"LENGTH16", BYTES("hello"), BYTES("\0\5hello")},
    {"LENGTH16", BYTES(""), BYTES("\0\0")},
    {"LENGTH32", BYTES("hello"), BYTES("\0\0\0\5hello")},
    {"LENGTH32", BYTES(""), BYTES("\0\0\0\0")},
    {"VARINT", BYTES("hello"), BYTES("\5hello")},
    {"VARINT", BYTES(""), BYTES("\0")},
    {"SLIP", BYTES("a\300b\333c"), BYTES("\300a\333\334b\333\335c\300")},
    /* RFC 1662's check: good is F0B8; the FCS of "123456789" by CRC-16/X-25 is 906E */
    {"HDLC", BYTES("123456789"), BYTES("~123456789\x6e\x90~")},
    {"HDLC", BYTES(""), BYTES("~} } ~")},
    /* the examples of Cheshire and Baker's page */
    {"COBS", BYTES(""), BYTES("\1\0")},
    {"COBS", BYTES("\0"), BYTES("\1\1\0")},
    {"COBS", BYTES("\0\0"), BYTES("\1\1\1\0")},
    {"COBS", BYTES("\x11\x22\0\x33"), BYTES("\3\x11\x22\2\x33\0")},
    {"COBS", BYTES("\x11\0\0\0"), BYTES("\2\x11\1\1\1\0")},
};
enum { NVECTORS = sizeof vectors / sizeof vectors[0] };

static void frames_look_as_the_standards_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < NVECTORS; i++) {
        const struct vector *v = &vectors[i];
        struct way w;
        way_open(&w, v->keyword, true, NULL, 0);
        assert_int_equal(feed(&w, v->record, v->n, CODEC_RUN), 0);
        assert_int_equal(w.ngot, v->nframe);
        assert_memory_equal(w.got, v->frame, v->nframe);
        way_close(&w);
    }
}

static void cobs_groups_are_full_at_254(void **state)
{
    static const size_t sizes[] = {253, 254, 255, 508, 509};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char record[512];
        struct way w;
        memset(record, 'x', sizeof record);
        way_open(&w, "COBS", true, NULL, 0);
        assert_int_equal(feed(&w, record, sizes[i], CODEC_RUN), 0);
        /* a code for each 254 begun, and the 0 */
        assert_int_equal(w.ngot, sizes[i] + (sizes[i] + 253) / 254 + 1);
        assert_int_equal(w.got[0], sizes[i] >= 254 ? 255 : 254);
        way_close(&w);
    }
}

/* ---- cut and joined ---- */

static const char *const keywords[] = {"LINES", "NETSTRING", "LENGTH16", "LENGTH32", "VARINT", "SLIP", "HDLC", "COBS"};
enum { NKEYWORDS = sizeof keywords / sizeof keywords[0] };

static bool keeps_empty(const char *keyword)
{
    return strcmp(keyword, "SLIP") != 0;
}

static const struct {
    const char *p;
    size_t n;
} records[] = {{BYTES("one")}, {BYTES("")}, {BYTES("\300\333~}\0\1\377")}, {BYTES("x")}, {BYTES("")},
               {BYTES("a longer one, with, commas: and 9 digits")}};
enum { NRECORDS = sizeof records / sizeof records[0] };

static void encode_all(const char *keyword, struct way *w)
{
    way_open(w, keyword, true, NULL, 0);
    for (size_t i = 0; i < NRECORDS; i++)
        assert_int_equal(feed(w, records[i].p, records[i].n, CODEC_RUN), 0);
}

static void expect_records(const struct way *w, const char *keyword)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < NRECORDS; i++) {
        if (records[i].n == 0 && !keeps_empty(keyword))
            continue;
        assert_true(n < w->n);
        assert_int_equal(w->length[n++], records[i].n);
        if (records[i].n > 0)
            assert_memory_equal(w->got + at, records[i].p, records[i].n);
        at += records[i].n;
    }
    assert_int_equal(w->n, n);
}

static void frames_may_be_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t k = 0; k < NKEYWORDS; k++) {
        struct way there, back;
        encode_all(keywords[k], &there);
        for (size_t first = 0; first <= there.ngot; first++) {
            way_open(&back, keywords[k], false, NULL, 0);
            assert_int_equal(feed(&back, there.got, first, CODEC_RUN), 0);
            assert_int_equal(feed(&back, there.got + first, there.ngot - first, CODEC_END), 0);
            expect_records(&back, keywords[k]);
            way_close(&back);
        }
        for (size_t piece = 1; piece < 8; piece++) {
            way_open(&back, keywords[k], false, NULL, 0);
            for (size_t at = 0; at < there.ngot; at += piece)
                assert_int_equal(feed(&back, there.got + at, there.ngot - at < piece ? there.ngot - at : piece,
                                      CODEC_RUN), 0);
            assert_int_equal(feed(&back, "", 0, CODEC_END), 0);
            expect_records(&back, keywords[k]);
            way_close(&back);
        }
        way_close(&there);
    }
}

/* Where the stream ends: behind a frame all is well, within one it is an error that says what is missing. */
static void an_end_within_a_frame_is_an_error(void **state)
{
    (void)state;
    for (size_t k = 0; k < NKEYWORDS; k++) {
        struct way there, back;
        way_open(&there, keywords[k], true, NULL, 0);
        assert_int_equal(feed(&there, "hello\333", 6, CODEC_RUN), 0);
        for (size_t n = 0; n < there.ngot; n++) {
            bool between = n == 0 || (n == 1 && (strcmp(keywords[k], "SLIP") == 0 || strcmp(keywords[k], "HDLC") == 0));
            way_open(&back, keywords[k], false, NULL, 0);
            assert_int_equal(feed(&back, there.got, n, CODEC_END), between ? 0 : -1);
            assert_int_equal(back.n, 0);
            if (!between) {
                assert_int_equal(back.e.kind, ERR_PROTOCOL);
                assert_true(strstr(back.e.text, "missing") || strstr(back.e.text, "there"));
            }
            way_close(&back);
        }
        way_close(&there);
    }
}

/* An end that is cut already is told by who cut it. */
static void a_cut_flow_is_not_told_again(void **state)
{
    struct way w;
    (void)state;
    way_open(&w, "NETSTRING", false, NULL, 0);
    assert_int_equal(feed(&w, BYTES("5:hel"), CODEC_IDLE), 0);
    assert_int_equal(w.n, 0);
    way_close(&w);
}

/* ---- sizes ---- */

static void what_is_too_large_is_an_error_with_both_sizes(void **state)
{
    const struct opt max = {.desc = &opt_max_size, .v = {.i = 10, .given = true}};
    (void)state;
    for (size_t k = 0; k < NKEYWORDS; k++) {
        struct way there, back;
        way_open(&there, keywords[k], true, &max, 1);
        assert_int_equal(feed(&there, "0123456789", 10, CODEC_RUN), 0);
        assert_int_equal(feed(&there, "0123456789a", 11, CODEC_RUN), -1);
        assert_non_null(strstr(there.e.text, "11 bytes"));
        assert_non_null(strstr(there.e.text, "may have 10 (option max-size)"));
        way_open(&back, keywords[k], false, &max, 1);
        assert_int_equal(feed(&back, there.got, there.ngot, CODEC_RUN), 0);
        assert_int_equal(back.n, 1);
        way_close(&there);
        way_open(&there, keywords[k], true, NULL, 0);
        assert_int_equal(feed(&there, "0123456789abc", 13, CODEC_RUN), 0);
        assert_int_equal(feed(&back, there.got, there.ngot, CODEC_RUN), -1);
        assert_int_equal(back.n, 1);
        assert_non_null(strstr(back.e.text, "may have 10"));
        assert_int_equal(back.e.kind, ERR_PROTOCOL);
        way_close(&there);
        way_close(&back);
    }
}

static void what_comes_as_a_stream_is_cut_and_no_error(void **state)
{
    struct way w;
    struct buf in;
    unsigned char *much = calloc(1, 70000);
    (void)state;
    assert_non_null(much);
    way_open(&w, "LENGTH16", true, NULL, 0);
    assert_int_equal(buf_init(&in, 70000), 0);
    (void)buf_put(&in, much, 70000);
    while (in.len > 0) {
        assert_int_equal(w.ops->push(w.st, &in, &w.out, CODEC_RUN, &w.e), 0);
        collect(&w);
    }
    assert_int_equal(w.ngot, 70000 + 2 * 2);
    assert_memory_equal(w.got, "\377\377", 2);
    buf_fini(&in);
    way_close(&w);
    free(much);
}

/* A peer that promises much gets no memory for it before it comes. */
static void a_promised_length_costs_nothing(void **state)
{
    const struct opt max = {.desc = &opt_max_size, .v = {.i = 16 << 20, .given = true}};
    struct way w;
    (void)state;
    way_open(&w, "LENGTH32", false, &max, 1);
    assert_int_equal(feed(&w, BYTES("\1\0\0\0abc"), CODEC_RUN), 0);
    assert_int_equal(feed(&w, "", 0, CODEC_END), -1);
    assert_non_null(strstr(w.e.text, "16777213 of 16777220 bytes are missing"));
    way_close(&w);
}

/* A frame waits until there is room for all of it. */
static void frames_wait_for_room(void **state)
{
    struct way w;
    struct buf in;
    (void)state;
    way_open(&w, "SLIP", true, NULL, 0);
    assert_int_equal(buf_init(&w.out, 20), 0);
    assert_int_equal(buf_init(&in, 16), 0);
    for (int i = 0; i < 2; i++) {
        (void)buf_put(&in, "\300\300\300\300", 4);
        in.record = true;
        assert_int_equal(w.ops->push(w.st, &in, &w.out, CODEC_RUN, &w.e), 0);
        assert_int_equal(w.out.len, 10 + 10 * i);
        assert_int_equal(in.len, 0);
    }
    (void)buf_put(&in, "a", 1);
    in.record = true;
    assert_int_equal(w.ops->push(w.st, &in, &w.out, CODEC_END, &w.e), 0);
    assert_int_equal(in.len, 1);
    collect(&w);
    assert_int_equal(w.ops->push(w.st, &in, &w.out, CODEC_END, &w.e), 1);
    assert_int_equal(w.out.len, 3);
    buf_fini(&in);
    way_close(&w);
}

/* ---- what is no frame ---- */

static const struct {
    const char *keyword, *wire;
    size_t n;
    const char *says;
} broken[] = {
    {"NETSTRING", BYTES("5hello"), "byte 0x68 in the length of a netstring"},
    {"NETSTRING", BYTES(":"), "byte 0x3a in the length"},
    {"NETSTRING", BYTES("05:hello,"), "begins with a 0"},
    {"NETSTRING", BYTES("5:hello;"), "byte 0x3b behind a record of 5 bytes"},
    {"NETSTRING", BYTES("99999999999999999999999:"), "where one may have 1048576"},
    {"VARINT", BYTES("\200\200\200\200\200\1"), "more than 5 bytes"},
    {"VARINT", BYTES("\377\377\377\377\17"), "4294967295 bytes came"},
    {"LENGTH32", BYTES("\377\377\377\377"), "4294967295 bytes came, where one may have 1048576"},
    {"COBS", BYTES("\5abc\0"), "1 bytes of a group are missing"},
};

static void what_is_no_frame_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct way w;
        way_open(&w, broken[i].keyword, false, NULL, 0);
        assert_int_equal(feed(&w, broken[i].wire, broken[i].n, CODEC_RUN), -1);
        assert_int_equal(w.e.kind, ERR_PROTOCOL);
        if (!strstr(w.e.text, broken[i].says))
            fail_msg("%s: \"%s\"", broken[i].keyword, w.e.text);
        way_close(&w);
    }
}

static void hdlc_drops_what_its_checksum_does_not_fit(void **state)
{
    struct way w;
    (void)state;
    way_open(&w, "HDLC", false, NULL, 0);
    assert_int_equal(feed(&w, BYTES("noise~12345x789\x6e\x90~~~123456789\x6e\x90~given up}~a~123456789\x6e\x90~"),
                          CODEC_END), 0);
    assert_int_equal(w.n, 2);
    assert_int_equal(w.ngot, 18);
    assert_memory_equal(w.got, "123456789123456789", 18);
    way_close(&w);
}

static void slip_keeps_a_strange_escape(void **state)
{
    struct way w;
    (void)state;
    way_open(&w, "SLIP", false, NULL, 0);
    assert_int_equal(feed(&w, BYTES("\300\300a\333b\300\333\334\300"), CODEC_END), 0);
    assert_int_equal(w.n, 2);
    assert_memory_equal(w.got, "ab\300", 3);
    way_close(&w);
}

static void a_line_within_a_record_is_an_error(void **state)
{
    struct way w;
    (void)state;
    way_open(&w, "LINES", true, NULL, 0);
    assert_int_equal(feed(&w, BYTES("its own end\n"), CODEC_RUN), 0);
    assert_int_equal(w.ngot, 12);
    assert_int_equal(feed(&w, BYTES("two\nlines"), CODEC_RUN), -1);
    assert_non_null(strstr(w.e.text, "behind 3 bytes"));
    way_close(&w);
}

/* ---- options ---- */

static void lengths_as_others_write_them(void **state)
{
    const struct opt opts[] = {{.desc = &opt_little_endian, .v = {.i = 1}}, {.desc = &opt_include, .v = {.i = 1}}};
    struct way there, back;
    (void)state;
    way_open(&there, "LENGTH32", true, opts, 2);
    assert_int_equal(feed(&there, "abc", 3, CODEC_RUN), 0);
    assert_int_equal(there.ngot, 7);
    assert_memory_equal(there.got, "\7\0\0\0abc", 7);
    way_open(&back, "LENGTH32", false, opts, 2);
    assert_int_equal(feed(&back, there.got, 7, CODEC_RUN), 0);
    assert_int_equal(back.n, 1);
    assert_int_equal(feed(&back, BYTES("\3\0\0\0"), CODEC_RUN), -1);
    assert_non_null(strstr(back.e.text, "option include"));
    way_close(&there);
    way_close(&back);
}

static void lines_end_as_ordered(void **state)
{
    const struct opt crlf = {.desc = &opt_line_end, .v = {.s = "crlf"}}, nul = {.desc = &opt_line_end, .v = {.s = "nul"}};
    struct way w;
    (void)state;
    way_open(&w, "LINES", false, &crlf, 1);
    assert_int_equal(feed(&w, BYTES("a\nb\r"), CODEC_RUN), 0);
    assert_int_equal(feed(&w, BYTES("\n\r\n"), CODEC_END), 0);
    assert_int_equal(w.n, 2);
    assert_int_equal(w.length[0], 3);
    assert_int_equal(w.length[1], 0);
    way_close(&w);
    way_open(&w, "LINES", true, &nul, 1);
    assert_int_equal(feed(&w, "a\nb", 3, CODEC_RUN), 0);
    assert_memory_equal(w.got, "a\nb", 4);
    way_close(&w);
}

static void control_characters_are_quoted_as_ordered(void **state)
{
    const struct opt none = {.desc = &opt_accm, .v = {.i = 0}};
    struct way w;
    (void)state;
    way_open(&w, "HDLC", true, &none, 1);
    assert_int_equal(feed(&w, "\1\21~", 3, CODEC_RUN), 0);
    assert_memory_equal(w.got, "~\1\21}^", 5);
    way_close(&w);
}

static void bad_options_are_refused(void **state)
{
    const struct opt bad[] = {{.desc = &opt_max_size, .v = {.i = 65536}},
                              {.desc = &opt_line_end, .v = {.s = "x"}}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct addr a = {.form = form_of("LENGTH16"), .opts = &bad[i], .nopts = 1};
        struct err e;
        assert_int_equal(a.form->check(&a, &e), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_look_as_the_standards_say),
        cmocka_unit_test(cobs_groups_are_full_at_254),
        cmocka_unit_test(frames_may_be_cut_at_every_byte),
        cmocka_unit_test(an_end_within_a_frame_is_an_error),
        cmocka_unit_test(a_cut_flow_is_not_told_again),
        cmocka_unit_test(what_is_too_large_is_an_error_with_both_sizes),
        cmocka_unit_test(what_comes_as_a_stream_is_cut_and_no_error),
        cmocka_unit_test(a_promised_length_costs_nothing),
        cmocka_unit_test(frames_wait_for_room),
        cmocka_unit_test(what_is_no_frame_is_an_error),
        cmocka_unit_test(hdlc_drops_what_its_checksum_does_not_fit),
        cmocka_unit_test(slip_keeps_a_strange_escape),
        cmocka_unit_test(a_line_within_a_record_is_an_error),
        cmocka_unit_test(lengths_as_others_write_them),
        cmocka_unit_test(lines_end_as_ordered),
        cmocka_unit_test(control_characters_are_quoted_as_ordered),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
