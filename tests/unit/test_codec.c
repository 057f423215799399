/* SPDX-License-Identifier: GPL-2.0-or-later
 * The codecs TEST, TESTUNI, TESTREV, GZIP and GUNZIP, driven as an engine would, but with buffers
 * of every awkward size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inter/compress/opts_compress.h"
#include "lane.h"

extern const struct form forms_nop[], forms_test[], forms_gzip[];

static struct option_desc level_row = {.name = "level", .same_as = &opt_level, .type = VALUE_INT};
static struct option_desc flush_row = {
    .name = "flush", .same_as = &opt_flush, .type = VALUE_STRING};

static struct option_desc threads_row = {
    .name = "threads", .same_as = &opt_threads, .type = VALUE_INT};

static struct opt level(long long i)
{
    return (struct opt){.desc = &level_row, .v = {.given = true, .i = i}};
}

static struct opt flush(const char *s)
{
    return (struct opt){.desc = &flush_row, .v = {.given = true, .s = s}};
}

static struct opt threads(long long i)
{
    return (struct opt){.desc = &threads_row, .v = {.given = true, .i = i}};
}

/* --- marks --- */

static void nop_passes(void **state)
{
    const struct codec_pair *nop = pair_of(forms_nop, "NOP");

    (void)state;
    assert_true(nop->passes);
    assert_null(nop->encode);
    assert_null(nop->decode);
}

static void marks_by_keyword(void **state)
{
    static const struct {
        const char *keyword, *forward, *back; /* NULL: no such direction */
    } rows[] = {{"TEST", "abc>", "abc<"}, {"TESTUNI", "abc>", NULL}, {"TESTREV", "abc<", NULL}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct codec_pair *pair = pair_of(forms_test, rows[i].keyword);
        const struct codec_ops *ops[] = {pair->encode, pair->decode};
        const char *want[] = {rows[i].forward, rows[i].back};

        for (size_t j = 0; j < 2; j++) {
            struct lane l;

            assert_true((ops[j] == NULL) == (want[j] == NULL));
            if (ops[j] == NULL)
                continue;
            lane_open(&l, ops[j], NULL, 100, 100);
            assert_int_equal(lane_feed(&l, "abc", 3, CODEC_IDLE), 0);
            assert_int_equal(lane_push(&l, CODEC_END), 0);
            lane_expect(&l, want[j], strlen(want[j]));
            lane_close(&l);
        }
    }
}

static void one_mark_a_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < NSIZES; i++)
        for (enum codec_mode mode = CODEC_RUN; mode <= CODEC_IDLE; mode++) {
            struct lane l;

            lane_open(&l, pair_of(forms_test, "TEST")->encode, NULL, 4, sizes[i]);
            assert_int_equal(lane_feed(&l, "abcdefghij", 10, mode), 0);
            assert_int_equal(lane_push(&l, CODEC_IDLE), 0);
            assert_int_equal(lane_push(&l, CODEC_END), 0);
            lane_expect(&l, "abcd>efgh>ij>", 13);
            lane_close(&l);
        }
}

/* What comes while a block is still being pushed out is the next block. */
static void block_grows_behind(void **state)
{
    struct lane l;

    (void)state;
    lane_open(&l, pair_of(forms_test, "TEST")->encode, NULL, 10, 2);
    buf_put(&l.in, "abc", 3);
    assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e), 0);
    buf_put(&l.in, "de", 2);
    assert_int_equal(lane_push(&l, CODEC_IDLE), 0);
    lane_expect(&l, "abc>de>", 7);
    lane_close(&l);
}

static void no_mark_without_data(void **state)
{
    struct lane l;

    (void)state;
    lane_open(&l, pair_of(forms_test, "TEST")->encode, NULL, 10, 10);
    assert_int_equal(lane_push(&l, CODEC_RUN), 0);
    assert_int_equal(lane_push(&l, CODEC_IDLE), 0);
    assert_int_equal(lane_push(&l, CODEC_END), 0);
    assert_int_equal(lane_push(&l, CODEC_END), 0);
    lane_expect(&l, "", 0);
    lane_close(&l);
}

/* --- gzip --- */

static const struct codec_ops *deflater(void)
{
    return pair_of(forms_gzip, "GZIP")->encode;
}
static const struct codec_ops *inflater(void)
{
    return pair_of(forms_gzip, "GZIP")->decode;
}

static void gunzip_is_gzip_mirrored(void **state)
{
    const struct codec_pair *gzip = pair_of(forms_gzip, "GZIP");
    const struct codec_pair *gunzip = pair_of(forms_gzip, "GUNZIP");

    (void)state;
    assert_ptr_equal(gzip->encode, gunzip->decode);
    assert_ptr_equal(gzip->decode, gunzip->encode);
}

static void round_trip(size_t in_cap, size_t out_cap, const char *policy, enum codec_mode mode,
                       size_t n)
{
    unsigned char *data = sample(n);
    struct opt o = flush(policy);
    struct addr a = {.opts = &o, .nopts = 1};
    struct lane pack, unpack;

    assert_int_equal(lane_open(&pack, deflater(), &a, in_cap, out_cap), 0);
    assert_int_equal(lane_feed(&pack, data, n, mode), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0); /* asked again: nothing more */

    assert_int_equal(lane_open(&unpack, inflater(), NULL, in_cap, out_cap), 0);
    assert_int_equal(lane_feed(&unpack, pack.got, pack.ngot, mode), 0);
    assert_int_equal(lane_push(&unpack, CODEC_END), 0);
    lane_expect(&unpack, data, n);
    lane_close(&pack);
    lane_close(&unpack);
    free(data);
}

static void gzip_round_trips(void **state)
{
    static const char *const policies[] = {"idle", "always", "never"};

    (void)state;
    for (size_t i = 0; i < NSIZES; i++)
        for (size_t o = 0; o < NSIZES; o++)
            for (size_t p = 0; p < 3; p++)
                for (enum codec_mode mode = CODEC_RUN; mode <= CODEC_IDLE; mode++)
                    round_trip(sizes[i], sizes[o], policies[p], mode, 3000);
    round_trip(8192, 8192, "idle", CODEC_RUN, 1000000);
    round_trip(65536, 7, "idle", CODEC_IDLE, 300000);
}

/* What a reader can expand after a block, before the stream's end. */
static void flush_policies_of(long long nthreads)
{
    static const struct {
        const char *policy;
        enum codec_mode mode;
        bool out;
    } rows[] = {
        {"idle", CODEC_IDLE, true},   {"idle", CODEC_RUN, false},  {"always", CODEC_RUN, true},
        {"always", CODEC_IDLE, true}, {"never", CODEC_RUN, false}, {"never", CODEC_IDLE, false},
    };

    for (size_t size = 0; size < NSIZES; size++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct opt o[] = {flush(rows[i].policy), threads(nthreads)};
            struct addr a = {.opts = o, .nopts = 2};
            struct lane pack, unpack;
            size_t packed;

            assert_int_equal(lane_open(&pack, deflater(), &a, 100, sizes[size]), 0);
            assert_int_equal(lane_open(&unpack, inflater(), NULL, 100, sizes[size]), 0);
            assert_int_equal(lane_push(&pack, CODEC_IDLE), 0);
            lane_expect(&pack, "", 0); /* nothing in, nothing to flush */
            assert_int_equal(lane_feed(&pack, "prompt> ", 8, rows[i].mode), 0);
            packed = pack.ngot;
            assert_int_equal(lane_feed(&unpack, pack.got, packed, CODEC_IDLE), 0);
            lane_expect(&unpack, "prompt> ", rows[i].out ? 8 : 0);

            assert_int_equal(lane_push(&pack, rows[i].mode), 0);
            assert_int_equal(pack.ngot, packed); /* a flush is not repeated */
            lane_close(&pack);
            lane_close(&unpack);
        }
}

static void flush_policies(void **state)
{
    (void)state;
    flush_policies_of(1);
    flush_policies_of(2);
}

static void gzip_program(void **state)
{
    enum { N = 100000 };
    unsigned char *data = sample(N), *other = malloc(2 * N);

    (void)state;
    assert_non_null(other);
    for (long long i = -1; i <= 9; i++) {
        struct opt o = level(i);
        struct addr a = {.opts = &o, .nopts = i < 0 ? 0 : 1};
        struct lane l;
        char command[16];
        size_t n;

        assert_int_equal(lane_open(&l, deflater(), &a, 8192, 8192), 0);
        assert_int_equal(lane_feed(&l, data, N, CODEC_IDLE), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        n = through_program("gzip -dc", l.got, l.ngot, other, 2 * N);
        assert_int_equal(n, N);
        assert_memory_equal(other, data, N);
        lane_close(&l);

        snprintf(command, sizeof command, "gzip -%lldc", i < 1 ? 1 : i);
        n = through_program(command, data, N, other, 2 * N);
        assert_int_equal(lane_open(&l, inflater(), NULL, 777, 8192), 0);
        assert_int_equal(lane_feed(&l, other, n, CODEC_RUN), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        lane_expect(&l, data, N);
        lane_close(&l);
    }
    free(data);
    free(other);
}

static void empty_is_a_valid_file(void **state)
{
    unsigned char to[16];

    (void)state;
    for (size_t i = 0; i < NSIZES; i++) {
        struct lane l, back;

        assert_int_equal(lane_open(&l, deflater(), NULL, 100, sizes[i]), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        assert_int_equal(l.ngot, 20);
        assert_int_equal(through_program("gzip -dc", l.got, l.ngot, to, sizeof to), 0);
        assert_int_equal(lane_open(&back, inflater(), NULL, 100, sizes[i]), 0);
        assert_int_equal(lane_feed(&back, l.got, l.ngot, CODEC_RUN), 0);
        assert_int_equal(lane_push(&back, CODEC_END), 0);
        lane_expect(&back, "", 0);
        lane_close(&l);
        lane_close(&back);
    }
}

/* "hi" as gzip -n makes it */
static const unsigned char hi[] = {0x1f, 0x8b, 8, 0,    0,    0,    0,    0, 0, 3, 0xcb,
                                   0xc8, 4,    0, 0xac, 0x2a, 0x93, 0xd8, 2, 0, 0, 0};

/* Expands parts one after the other (NULL: ten zeros), at odd splits. Gives NULL or the error. */
static const char *expand(const unsigned char *const parts[], const size_t lengths[], size_t n,
                          size_t split, const char *want)
{
    static const unsigned char zeros[10];
    static char text[1024];
    struct lane l;
    int rc = 0;

    assert_int_equal(lane_open(&l, inflater(), NULL, split, 3), 0);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = parts[i] == NULL ? lane_feed(&l, zeros, sizeof zeros, CODEC_IDLE)
                              : lane_feed(&l, parts[i], lengths[i], CODEC_IDLE);
    if (rc == 0)
        rc = lane_push(&l, CODEC_END);
    lane_expect(&l, want, strlen(want));
    lane_close(&l);
    if (rc == 0)
        return NULL;
    assert_int_equal(l.e.kind, ERR_PROTOCOL);
    memcpy(text, l.e.text, sizeof text);
    return text;
}

static void members_and_padding(void **state)
{
    static const char garbage[] = "garbage behind the end of the gzip stream";
    const unsigned char *x = (const unsigned char *)"x";

    (void)state;
    for (size_t i = 0; i < NSIZES; i++) {
        size_t s = sizes[i];
#define PARTS(...) (const unsigned char *const[]){__VA_ARGS__}
#define LENGTHS(...)                                                                               \
    (const size_t[])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
        assert_null(expand(PARTS(hi, hi, hi), LENGTHS(22, 22, 22), 3, s, "hihihi"));
        assert_null(expand(PARTS(hi, NULL), LENGTHS(22, 0), 2, s, "hi"));
        assert_null(expand(PARTS(hi, hi, NULL, NULL), LENGTHS(22, 22, 0, 0), 4, s, "hihi"));
        assert_string_equal(expand(PARTS(hi, x), LENGTHS(22, 1), 2, s, "hi"), garbage);
        assert_string_equal(expand(PARTS(hi, NULL, x), LENGTHS(22, 0, 1), 3, s, "hi"), garbage);
        assert_string_equal(expand(PARTS(hi, NULL, hi), LENGTHS(22, 0, 22), 3, s, "hi"), garbage);
    }
}

static void cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < NSIZES; i++)
        for (size_t n = 0; n < sizeof hi; n++) {
            /* The first letter ends in byte 12, the second in 13: what can be had is given. */
            const char *had = n < 12 ? "" : n < 13 ? "h" : "hi";
            char both[5] = "hi";
            const char *text = expand(PARTS(hi), LENGTHS(n), 1, sizes[i], had);

            assert_non_null(text);
            assert_string_equal(text, "gzip stream cut short");
            /* A second member is no less important. */
            strcat(both, had);
            text = expand(PARTS(hi, hi), LENGTHS(22, n), 2, sizes[i], both);
            assert_true((text == NULL) == (n == 0));
        }
}

static void damaged(void **state)
{
    unsigned char bad[sizeof hi];

    (void)state;
    memcpy(bad, hi, sizeof hi);
    bad[0] = 'x';
    assert_non_null(strstr(expand(PARTS(bad), LENGTHS(22), 1, 1, ""), "gzip stream is damaged: "));
    memcpy(bad, hi, sizeof hi);
    bad[14] ^= 1;
    assert_string_equal(expand(PARTS(bad), LENGTHS(22), 1, 5, "hi"),
                        "gzip stream is damaged: incorrect data check");
    memcpy(bad, hi, sizeof hi);
    bad[18] ^= 1;
    assert_string_equal(expand(PARTS(bad), LENGTHS(22), 1, 100, "hi"),
                        "gzip stream is damaged: incorrect length check");
}

static void bad_options(void **state)
{
    const struct opt bad[] = {flush("sometimes"), flush("")};
    static const char *const want[] = {
        "flush \"sometimes\" is none of idle, always, never",
        "flush \"\" is none of idle, always, never",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct addr a = {.opts = &bad[i], .nopts = 1};
        struct lane l;

        assert_int_equal(lane_open(&l, deflater(), &a, 10, 10), -1);
        assert_int_equal(l.e.kind, ERR_USAGE);
        assert_string_equal(l.e.text, want[i]);
        lane_close(&l);
    }
}

/* --- gzip with threads --- */

enum { PACK_BLOCK = 128 * 1024 }; /* what one of them is given */

static void lane_open_packing(struct lane *l, const struct opt *opts, size_t nopts, size_t in_cap,
                              size_t out_cap)
{
    struct addr a = {.opts = opts, .nopts = nopts};

    assert_int_equal(lane_open(l, deflater(), &a, in_cap, out_cap), 0);
}

/* One whole member, and nothing behind it: its trailer counts all bytes. */
static void expect_packed(const struct lane *pack, const void *data, size_t n)
{
    const unsigned char *trailer = pack->got + pack->ngot - 4;
    struct lane unpack;

    assert_true(pack->ngot >= 20);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(trailer[i], n >> 8 * i & 0xff);
    assert_int_equal(lane_open(&unpack, inflater(), NULL, 8192, 8192), 0);
    assert_int_equal(lane_feed(&unpack, pack->got, pack->ngot, CODEC_RUN), 0);
    assert_int_equal(lane_push(&unpack, CODEC_END), 0);
    lane_expect(&unpack, data, n);
    lane_close(&unpack);
}

static void threads_round_trip(long long nthreads, size_t in_cap, size_t out_cap,
                               const char *policy, enum codec_mode mode, size_t n)
{
    unsigned char *data = sample(n + 1);
    struct opt o[] = {threads(nthreads), flush(policy), level(1)};
    struct lane pack;

    lane_open_packing(&pack, o, 3, in_cap, out_cap);
    assert_int_equal(lane_feed(&pack, data, n, mode), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0);
    assert_int_equal(lane_push(&pack, CODEC_END), 0);
    expect_packed(&pack, data, n);
    lane_close(&pack);
    free(data);
}

static void threads_round_trips(void **state)
{
    static const size_t caps[] = {1, 7, 1000, 65536, 262144};
    static const size_t lengths[] = {
        0, 1, 20, 32768, PACK_BLOCK - 1, PACK_BLOCK, PACK_BLOCK + 1, 3 * PACK_BLOCK + 77};
    static const char *const policies[] = {"idle", "always", "never"};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (size_t p = 0; p < 3; p++)
            for (enum codec_mode mode = CODEC_RUN; mode <= CODEC_IDLE; mode++)
                threads_round_trip(2, 10000, 10000, policies[p], mode, lengths[i]);
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
        for (size_t o = 0; o < sizeof caps / sizeof caps[0]; o++)
            threads_round_trip(3, caps[i], caps[o], "idle", CODEC_RUN, 2 * PACK_BLOCK + 10000);
    threads_round_trip(0, 262144, 65536, "idle", CODEC_RUN, 20 * PACK_BLOCK);
    threads_round_trip(64, 262144, 65536, "never", CODEC_IDLE, 100 * PACK_BLOCK);
}

/* A flow that runs dry now and then: workers and the calling thread take turns. After each block
 * that ran dry, all can be read. */
static void threads_now_and_then(void **state)
{
    enum { N = 60 * PACK_BLOCK };
    unsigned char *data = sample(N);
    struct opt o[] = {threads(2), level(1)};
    struct lane pack, unpack;
    uint32_t x = 1;

    (void)state;
    lane_open_packing(&pack, o, 2, 262144, 30000);
    assert_int_equal(lane_open(&unpack, inflater(), NULL, 30000, 30000), 0);
    for (size_t at = 0, n, packed = 0; at < N; at += n) {
        x = x * 1664525u + 1013904223u;
        n = (x >> 8) % (x >> 30 ? 1000 : 3 * PACK_BLOCK);
        n = n < N - at ? n : N - at;
        assert_int_equal(lane_feed(&pack, data + at, n, CODEC_RUN), 0);
        if (x >> 29 & 1)
            continue;
        assert_int_equal(lane_push(&pack, CODEC_IDLE), 0);
        assert_int_equal(lane_feed(&unpack, pack.got + packed, pack.ngot - packed, CODEC_RUN), 0);
        assert_int_equal(unpack.ngot, at + n);
        packed = pack.ngot;
    }
    assert_int_equal(lane_push(&pack, CODEC_END), 0);
    expect_packed(&pack, data, N);
    lane_close(&pack);
    lane_close(&unpack);
    free(data);
}

/* A dialog becomes what it becomes without threads, byte for byte. */
static void threads_leave_dialogs_alone(void **state)
{
    enum { N = 3 * PACK_BLOCK };
    unsigned char *data = sample(N);
    struct lane l[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct opt o = threads(i == 0 ? 1 : 4);

        lane_open_packing(&l[i], &o, 1, 777, 8192);
        assert_int_equal(lane_feed(&l[i], data, N, CODEC_IDLE), 0);
        assert_int_equal(lane_push(&l[i], CODEC_END), 0);
    }
    lane_expect(&l[1], l[0].got, l[0].ngot);
    lane_close(&l[0]);
    lane_close(&l[1]);
    free(data);
}

static void threads_for_the_gzip_program(void **state)
{
    enum { N = 1000000 };
    unsigned char *data = sample(N), *other = malloc(N + 1);

    (void)state;
    assert_non_null(other);
    for (long long i = 0; i <= 9; i++) {
        struct opt o[] = {threads(2), level(i)};
        struct lane l;

        lane_open_packing(&l, o, 2, 262144, 65536);
        assert_int_equal(lane_feed(&l, data, N, CODEC_RUN), 0);
        assert_int_equal(lane_push(&l, CODEC_END), 0);
        assert_int_equal(through_program("{ gzip -t && echo; }", l.got, l.ngot, other, N), 1);
        assert_int_equal(through_program("gzip -dc", l.got, l.ngot, other, N + 1), N);
        assert_memory_equal(other, data, N);
        assert_true(i == 0 || l.ngot < N * 6 / 10);
        lane_close(&l);
    }
    free(data);
    free(other);
}

/* Abandoned at every stage: nothing is left, and nobody waits for ever. */
static void threads_abandoned(void **state)
{
    unsigned char *data = sample(8 * PACK_BLOCK);

    (void)state;
    for (size_t n = 0; n <= 8; n++)
        for (int collected = 0; collected < 2; collected++) {
            struct opt o = threads(2);
            struct lane l;

            lane_open_packing(&l, &o, 1, 8 * PACK_BLOCK, 1000);
            if (collected) {
                assert_int_equal(lane_feed(&l, data, n * PACK_BLOCK, CODEC_RUN), 0);
            } else {
                buf_put(&l.in, data, n * PACK_BLOCK);
                for (enum codec_mode mode = CODEC_RUN; mode <= CODEC_END; mode++)
                    assert_true(l.ops->push(l.st, &l.in, &l.out, mode, &l.e) >= 0);
                assert_true(n < 8 || l.in.len > 0); /* no more than so many blocks are held */
            }
            lane_close(&l);
        }
    free(data);
}

/* What is made and then forked works in both. */
static void threads_made_before_a_fork(void **state)
{
    enum { N = 5 * PACK_BLOCK };
    unsigned char *data = sample(N);
    struct opt o = threads(2);
    struct lane l;
    pid_t pid;
    int status = -1;

    (void)state;
    lane_open_packing(&l, &o, 1, 65536, 65536);
    assert_int_equal(lane_feed(&l, data, 100, CODEC_IDLE), 0); /* a dialog of the opening */
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        alarm(60);
    assert_int_equal(lane_feed(&l, data + 100, N - 100, CODEC_RUN), 0);
    assert_int_equal(lane_push(&l, CODEC_END), 0);
    expect_packed(&l, data, N);
    lane_close(&l);
    free(data);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nop_passes),
        cmocka_unit_test(marks_by_keyword),
        cmocka_unit_test(one_mark_a_block),
        cmocka_unit_test(block_grows_behind),
        cmocka_unit_test(no_mark_without_data),
        cmocka_unit_test(gunzip_is_gzip_mirrored),
        cmocka_unit_test(gzip_round_trips),
        cmocka_unit_test(flush_policies),
        cmocka_unit_test(gzip_program),
        cmocka_unit_test(empty_is_a_valid_file),
        cmocka_unit_test(members_and_padding),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(damaged),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(threads_round_trips),
        cmocka_unit_test(threads_now_and_then),
        cmocka_unit_test(threads_leave_dialogs_alone),
        cmocka_unit_test(threads_for_the_gzip_program),
        cmocka_unit_test(threads_abandoned),
        cmocka_unit_test(threads_made_before_a_fork),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
