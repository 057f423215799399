/* SPDX-License-Identifier: GPL-2.0-or-later
 * SHA256: blocks stay blocks, the sum is that of all of them however they are cut, and no flow that is
 * cut has one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catena/run.h"
#include "inter/sum/opts_sum.h"
#include "inter/tap/opts_tap.h"
#include "lane.h"

extern const struct form forms_sha256[];

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MUCH "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
static const char much[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static struct opt text(const struct option_desc *row, const char *s)
{
    return (struct opt){.desc = row, .v = {.given = true, .s = s}};
}

/* A flow to the right that expects this sum. */
static struct run run;
static void flow(struct lane *l, struct addr *a, struct opt *o, const char *expect)
{
    run = (struct run){.lock = PTHREAD_MUTEX_INITIALIZER};
    *o = text(&opt_expect, expect);
    *a = (struct addr){.form = forms_sha256, .opts = o, .nopts = 1, .left = CTX_R, .label = "here"};
    assert_int_equal(forms_sha256->check(a, &l->e), 0);
    assert_int_equal(lane_open(l, forms_sha256->ops.codec->encode, a, 8192, 8192), 0);
    assert_int_equal(l->ops->start(l->st, &(struct codec_place){.addr = a, .run = &run, .to_right = true}, &l->e), 0);
    atomic_store(&run.transferring, true);
}

static void vectors(void **state)
{
    static const struct {
        const char *data, *sum;
    } rows[] = {{"", NOTHING}, {"abc", ABC}, {much, MUCH}};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t at = 0, n = strlen(rows[i].data); at <= n; at++)
            for (int right = 0; right < 2; right++) {
                struct lane l;
                struct addr a;
                struct opt o;
                flow(&l, &a, &o, right ? rows[i].sum : rows[(i + 1) % 3].sum);
                assert_int_equal(lane_feed(&l, rows[i].data, at, CODEC_IDLE), 0);
                assert_int_equal(lane_feed(&l, rows[i].data + at, n - at, CODEC_IDLE), 0);
                lane_expect(&l, rows[i].data, n);
                assert_int_equal(lane_push(&l, CODEC_END), right ? 0 : -1);
                if (!right) {
                    assert_non_null(strstr(l.e.text, rows[i].sum));
                    assert_non_null(strstr(l.e.text, rows[(i + 1) % 3].sum));
                }
                lane_close(&l);
                assert_false(run.failed);
            }
}

static void no_end_no_sum(void **state)
{
    struct lane l;
    struct addr a;
    struct opt o;
    (void)state;
    flow(&l, &a, &o, ABC);
    assert_int_equal(lane_feed(&l, "abc", 3, CODEC_IDLE), 0);
    assert_int_equal(lane_push(&l, CODEC_IDLE), 0);
    lane_close(&l);
    assert_true(run.failed);
    free(run.why);
}

/* What never ran is not complained of. */
static void nothing_began(void **state)
{
    struct lane l;
    struct addr a;
    struct opt o;
    (void)state;
    flow(&l, &a, &o, ABC);
    atomic_store(&run.transferring, false);
    lane_close(&l);
    assert_false(run.failed);
}

static void blocks_stay_blocks(void **state)
{
    struct lane l;
    struct addr a;
    struct opt o;
    (void)state;
    assert_true(forms_sha256->ops.codec->encode->looks);
    flow(&l, &a, &o, ABC);
    buf_put(&l.in, "ab", 2);
    assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e), 0);
    assert_int_equal(l.out.len, 2);
    buf_put(&l.in, "c", 1);
    assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_END, &l.e), 0); /* the first one is still there */
    assert_int_equal(l.out.len, 2);
    lane_collect(&l);
    assert_int_equal(lane_push(&l, CODEC_END), 0);
    lane_expect(&l, "abc", 3);
    lane_close(&l);
}

static void nonsense(void **state)
{
    const struct {
        struct opt o;
        enum ctx left;
        const char *why;
    } rows[] = {
        {text(&opt_expect, "abc"), CTX_R, "is no sum of 64 hexadecimal digits"},
        {text(&opt_expect, ABC "0"), CTX_R, "is no sum of 64"},
        {text(&opt_expect, ABC), CTX_B, "expect needs direction="},
        {text(&opt_direction, "up"), CTX_B, "none of both, right, left"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr a = {.form = forms_sha256, .opts = &rows[i].o, .nopts = 1, .left = rows[i].left};
        struct err e;
        assert_int_equal(forms_sha256->check(&a, &e), -1);
        assert_non_null(strstr(e.text, rows[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),       cmocka_unit_test(no_end_no_sum),      cmocka_unit_test(nonsense),
        cmocka_unit_test(nothing_began), cmocka_unit_test(blocks_stay_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
