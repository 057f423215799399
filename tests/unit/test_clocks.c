/* SPDX-License-Identifier: GPL-2.0-or-later
 * THROTTLE's bucket under a clock of the test's own; what PACE, DELAY and NETEM give, and when not yet; that a seed
 * gives the same again. Times are only lower bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catena/wait.h"
#include "inter/clocks/bucket.h"
#include "inter/clocks/clocks.h"
#include "inter/clocks/opts_clocks.h"
#include "lane.h"

extern const struct form forms_throttle[], forms_delay[], forms_pace[], forms_netem[];

/* ---- the bucket ---- */

/* Ten seconds at that rate, looked at when asked for, but up to `late` ms later. Gives the bytes. */
static double ten_seconds(double rate, size_t block, bool whole, int64_t late)
{
    struct bucket b;
    double passed = 0;
    int64_t now = 1000000, end = now + 10000, until = 0;
    uint32_t x = 1;
    bucket_init(&b, rate, 0, now);
    for (size_t left = block; now < end; left = left > 0 ? left : block) {
        size_t n = bucket_take(&b, left, whole, now, &until);
        assert_true(n <= left && (n == left || n == 0 || !whole));
        passed += (double)n;
        left -= n;
        if (n > 0)
            continue;
        assert_true(until > now);
        x = x * 1664525u + 1013904223u;
        now = until + (late > 0 ? (int64_t)(x >> 16) % late : 0);
    }
    return passed;
}

static void within_two_percent(void **state)
{
    static const double rates[] = {50, 1000, 9600, 100e3, 1e6, 12.5e6, 1e9};
    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        for (int64_t late = 0; late <= 60; late += 20)
            for (int whole = 0; whole < 2; whole++) {
                size_t block = whole ? (size_t)rates[i] / 100 + 10 : 65536;
                double n = ten_seconds(rates[i], block, whole, late), want = rates[i] * 10;
                /* a burst more at the beginning; a message more at the end */
                if (n < want * 0.98 || n > want * 1.011 + (whole ? (double)block : 0))
                    fail_msg("%g/s, late %d: %g", rates[i], (int)late, n);
            }
}

/* After a pause no more than the burst passes at once; a message that is larger passes when the bucket is half full,
 * and is paid for. */
static void bursts(void **state)
{
    struct bucket b;
    int64_t until;
    (void)state;
    bucket_init(&b, 1000, 200, 0);
    assert_int_equal(bucket_take(&b, 1000, false, 50000, &until), 200);
    assert_int_equal(bucket_take(&b, 1000, false, 50000, &until), 0);
    assert_true(until > 50000 && until <= 50020);
    assert_int_equal(bucket_take(&b, 1000, true, 50099, &until), 0);
    assert_int_equal(until, 50100);
    assert_int_equal(bucket_take(&b, 1000, true, 50200, &until), 1000);
    assert_int_equal(bucket_take(&b, 1, false, 50999, &until), 0);
    assert_int_equal(bucket_take(&b, 1, false, 51020, &until), 1);
    bucket_init(&b, 0.1, 0, 0); /* the slowest there is */
    assert_int_equal(bucket_take(&b, 10, false, 0, &until), 1);
    assert_int_equal(bucket_take(&b, 10, false, 0, &until), 0);
    assert_int_equal(until, 9900);
}

/* ---- codecs ---- */

static struct addr address(const struct form *forms, const char **param, struct opt *opts, size_t n)
{
    static const struct span at;
    return (struct addr){.form = forms, .label = "it", .params = param, .param_at = &at, .nparams = *param ? 1 : 0,
                         .opts = opts, .nopts = n};
}

static struct opt text(const struct option_desc *row, const char *value)
{
    return (struct opt){.desc = row, .v = {.given = true, .s = value}};
}

static void open_lane(struct lane *l, const struct addr *a, bool to_right)
{
    struct codec_place place = {.addr = a, .to_right = to_right};
    assert_int_equal(a->form->check(a, &l->e), 0);
    const struct codec_ops *ops = a->form->ops.codec->encode;
    assert_int_equal(lane_open(l, ops, a, 65536, 65536), 0);
    assert_int_equal(ops->start(l->st, &place, &l->e), 0);
}

static int push(struct lane *l, enum codec_mode mode)
{
    int rc = l->ops->push(l->st, &l->in, &l->out, mode, &l->e);
    lane_collect(l);
    return rc;
}

/* Until it says that it has ended; gives how long that took, in ms. */
static int64_t end(struct lane *l, int64_t since)
{
    while (push(l, CODEC_END) == 0) {
        int64_t due = l->ops->due(l->st), now = wait_now();
        if (due > now)
            usleep((useconds_t)(due - now) * 1000);
    }
    assert_int_equal(l->ops->due(l->st) > wait_now(), 0);
    return wait_now() - since;
}

static void put(struct lane *l, const char *data, bool record)
{
    buf_put(&l->in, data, strlen(data));
    l->in.record = record;
}

static void delayed(void **state)
{
    const char *ms = "40ms";
    struct addr a = address(forms_delay, &ms, NULL, 0);
    struct lane l = {0};
    (void)state;
    open_lane(&l, &a, true);
    int64_t since = wait_now();
    put(&l, "one", false);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(l.in.len, 0);
    assert_int_equal(l.ops->held(l.st), 3);
    assert_true(l.ops->due(l.st) >= since + 40);
    put(&l, "two", false);
    assert_true(end(&l, since) >= 40); /* as late as the last byte, not twice */
    assert_int_equal(l.ops->held(l.st), 0);
    lane_expect(&l, "onetwo", 6);
    lane_close(&l);

    open_lane(&l, &a, true); /* an end has its delay, too */
    since = wait_now();
    assert_true(end(&l, since) >= 40);
    lane_close(&l);

    open_lane(&l, &a, true); /* what is cut has no end to wait for, but is given out in time */
    put(&l, "x", false);
    since = wait_now();
    assert_int_equal(push(&l, CODEC_IDLE), 0);
    while (push(&l, CODEC_IDLE) == 0)
        usleep(1000);
    assert_true(wait_now() - since >= 40);
    lane_expect(&l, "x", 1);
    lane_close(&l);
}

/* The size of a window comes behind the bytes that were typed before. */
static void delay_keeps_order(void **state)
{
    const char *ms = "20ms";
    struct addr a = address(forms_delay, &ms, NULL, 0);
    struct lane l = {0};
    (void)state;
    open_lane(&l, &a, true);
    put(&l, "one", false);
    assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e), 0);
    l.in.control = control_window(80, 25);
    while (!buf_holds(&l.out))
        assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e), 0);
    assert_int_equal(l.out.len, 3);
    assert_int_equal(l.out.control.kind, CONTROL_NONE);
    assert_false(buf_holds(&l.in));
    buf_consume(&l.out, 3);
    while (!buf_holds(&l.out))
        assert_int_equal(l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e), 0);
    assert_int_equal(l.out.control.kind, CONTROL_WINDOW);
    buf_consume(&l.out, 0);
    lane_close(&l);
}

/* Messages keep what they are; nothing overtakes; the memory is bounded. */
static void delay_keeps(void **state)
{
    const char *ms = "20ms";
    struct opt opts[] = {text(&opt_jitter, "20ms"), text(&opt_buffer, "1k")};
    struct addr a = address(forms_delay, &ms, opts, 2);
    struct lane l = {0};
    char want[2000] = "";
    (void)state;
    open_lane(&l, &a, false);
    unsigned n = 0;
    do { /* until no more is taken */
        char piece[16];
        snprintf(piece, sizeof piece, "%u.", n++);
        strcat(want, piece);
        put(&l, piece, true);
        l.ops->push(l.st, &l.in, &l.out, CODEC_RUN, &l.e);
        assert_true(!buf_holds(&l.out) || l.out.record);
        lane_collect(&l);
        assert_true(l.ops->held(l.st) <= 1024 && n < 400);
    } while (!buf_holds(&l.in));
    end(&l, 0);
    lane_expect(&l, want, strlen(want));
    put(&l, "", true);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(buf_holds(&l.in), 0);
    lane_close(&l); /* with something in it */
}

static void paced(void **state)
{
    const char *baud = "10000";
    struct opt lines = text(&opt_line_delay, "30ms");
    struct addr a = address(forms_pace, &baud, &lines, 0);
    struct lane l = {0};
    (void)state;
    open_lane(&l, &a, true);
    int64_t since = wait_now();
    put(&l, "12345678901234567890123456789012345678901", false); /* a byte a millisecond */
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_true(l.ngot < 20);
    assert_true(end(&l, since) >= 39);
    assert_int_equal(l.ngot, 41);
    usleep(30000);
    put(&l, "12345678901234567890", false);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_true(l.ngot < 41 + 10); /* a silence is not caught up with */
    lane_close(&l);

    a.nopts = 1;
    a.nparams = 0;
    open_lane(&l, &a, true);
    since = wait_now();
    put(&l, "a\nb\nc", false);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    lane_expect(&l, "a\n", 2);
    assert_true(end(&l, since) >= 60);
    lane_expect(&l, "a\nb\nc", 5);
    lane_close(&l);
}

static void throttled(void **state)
{
    const char *rate = "1000";
    struct opt other = text(&opt_to_left, "1M");
    struct addr a = address(forms_throttle, &rate, &other, 1);
    char data[201];
    struct lane l = {0};
    (void)state;
    memset(data, 'x', 200);
    data[200] = '\0';
    open_lane(&l, &a, true);
    int64_t since = wait_now();
    put(&l, data, false);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(l.ngot, 101); /* a tenth of a second's, and one */
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(l.ngot, 101);
    assert_true(l.ops->due(l.st) > since);
    assert_true(end(&l, since) >= 98);
    lane_expect(&l, data, 200);
    lane_close(&l);
    open_lane(&l, &a, false); /* the other direction has its own */
    put(&l, data, true);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(l.ngot, 200);
    lane_close(&l);
}

/* ---- netem ---- */

enum { PACKETS = 20000 };

/* Numbered packets; those that leave are counted by number. Gives how many have left. */
static unsigned through(struct opt *opts, size_t n, bool to_right, unsigned char count[PACKETS], unsigned *later,
                        unsigned *wrong, unsigned *sum)
{
    const char *none = NULL;
    struct addr a = address(forms_netem, &none, opts, n);
    struct lane l = {0};
    unsigned left = 0, highest = 0;
    open_lane(&l, &a, to_right);
    memset(count, 0, PACKETS);
    *later = *wrong = *sum = 0;
    for (unsigned i = 0; i <= PACKETS;) {
        enum codec_mode mode = i < PACKETS ? CODEC_RUN : CODEC_END;
        if (mode == CODEC_RUN && !buf_holds(&l.in)) {
            uint32_t packet[3] = {i, ~i, 0};
            buf_put(&l.in, packet, sizeof packet);
            l.in.record = true;
        }
        int rc = l.ops->push(l.st, &l.in, &l.out, mode, &l.e);
        assert_true(rc >= 0);
        if (buf_holds(&l.out)) {
            uint32_t packet[3];
            assert_true(l.out.record && l.out.len == sizeof packet);
            memcpy(packet, buf_data(&l.out), sizeof packet);
            left++;
            *sum = *sum * 31 + packet[0];
            if (packet[0] != ~packet[1] || packet[2] != 0)
                (*wrong)++;
            else {
                count[packet[0]]++;
                *later += packet[0] < highest;
                highest = packet[0] > highest ? packet[0] : highest;
            }
            buf_consume(&l.out, l.out.len);
        }
        i += rc == 1 || (mode == CODEC_RUN && !buf_holds(&l.in));
    }
    lane_close(&l);
    return left;
}

static void packets(void **state)
{
    static unsigned char count[PACKETS];
    struct opt seed = {.desc = &opt_seed, .v = {.given = true, .i = 7}};
    struct opt opts[] = {seed, text(&opt_loss, "5%"), text(&opt_duplicate, "2"), text(&opt_reorder, "3"),
                         text(&opt_corrupt, "1")};
    unsigned later, wrong, sum, again, gone = 0, twice = 0;
    (void)state;
    unsigned n = through(opts, 5, true, count, &later, &wrong, &sum);
    for (unsigned i = 0; i < PACKETS; i++) {
        gone += count[i] == 0;
        twice += count[i] == 2;
    }
    assert_in_range(n, PACKETS * 0.96, PACKETS * 0.98);
    assert_in_range(gone, PACKETS * 0.05, PACKETS * 0.07); /* the spoilt ones, too */
    assert_in_range(twice, PACKETS * 0.015, PACKETS * 0.025);
    assert_in_range(later, PACKETS * 0.02, PACKETS * 0.04);
    assert_in_range(wrong, PACKETS * 0.007, PACKETS * 0.013);
    assert_int_equal(through(opts, 5, true, count, &later, &wrong, &again), n);
    assert_int_equal(again, sum); /* the same seed gives the same */
    through(opts, 5, false, count, &later, &wrong, &again);
    assert_int_not_equal(again, sum); /* each direction has its own row */
    opts[0].v.i = 8;
    through(opts, 5, true, count, &later, &wrong, &again);
    assert_int_not_equal(again, sum);

    struct opt all[] = {seed, text(&opt_loss, "100")};
    assert_int_equal(through(all, 2, true, count, &later, &wrong, &sum), 0);
    all[1] = text(&opt_duplicate, "100");
    assert_int_equal(through(all, 2, true, count, &later, &wrong, &sum), 2 * PACKETS);
    all[1] = text(&opt_reorder, "100");
    assert_int_equal(through(all, 2, true, count, &later, &wrong, &sum), PACKETS);
    assert_int_equal(later, PACKETS / 2);
}

/* One that is to come later comes even if it is the last. */
static void alone(void **state)
{
    const char *none = NULL;
    struct opt all = text(&opt_reorder, "100");
    struct addr a = address(forms_netem, &none, &all, 1);
    struct lane l = {0};
    (void)state;
    open_lane(&l, &a, true);
    put(&l, "last", true);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    assert_int_equal(l.ngot, 0);
    assert_int_equal(l.ops->held(l.st), 4);
    assert_true(l.ops->due(l.st) > 0);
    usleep(51000);
    assert_int_equal(push(&l, CODEC_RUN), 0);
    lane_expect(&l, "last", 4);
    assert_int_equal(l.ops->due(l.st), -1);
    put(&l, "bytes", false); /* a stream is none of its business */
    assert_int_equal(push(&l, CODEC_RUN), -1);
    lane_close(&l);
}

/* ---- how it is written ---- */

static void written(void **state)
{
    static const struct {
        int (*read)(const char *, struct span, double *, struct err *);
        const char *text;
        double value; /* -1: refused */
    } rows[] = {
        {clocks_rate, "500", 500},          {clocks_rate, "20k", 20480},     {clocks_rate, "1.5M", 1.5 * 1048576},
        {clocks_rate, "1kB/s", 1024},       {clocks_rate, "64kbit", 8000},   {clocks_rate, "10Mbit/s", 1.25e6},
        {clocks_rate, "9600bit", 1200},     {clocks_rate, "", -1},           {clocks_rate, "0", -1},
        {clocks_rate, "-5", -1},            {clocks_rate, "nan", -1},        {clocks_rate, "1e300G", -1},
        {clocks_rate, "5x", -1},            {clocks_rate, " 5", -1},         {clocks_rate, "inf", -1},
        {clocks_size, "64k", 65536},        {clocks_size, "0", -1},          {clocks_size, "1kbit", -1},
        {clocks_chance, "5", 0.05},         {clocks_chance, "0.1%", 0.001},  {clocks_chance, "100", 1},
        {clocks_chance, "101", -1},         {clocks_chance, "x", -1},        {clocks_chance, "1k", -1},
    };
    struct span at = {0};
    struct err e;
    double v;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = rows[i].read(rows[i].text, at, &v, &e);
        if (rc != (rows[i].value < 0 ? -1 : 0) || (rc == 0 && (v > rows[i].value * 1.000001 || v < rows[i].value * 0.999999)))
            fail_msg("\"%s\": %d, %g", rows[i].text, rc, v);
    }
    assert_int_equal(clocks_time("200ms", at, 60000, &v, &e), 0);
    assert_true(v > 199.99 && v < 200.01);
    assert_int_equal(clocks_time("0.2", at, 60000, &v, &e), 0);
    assert_true(v > 199.99 && v < 200.01);
    assert_int_equal(clocks_time("200", at, 60000, &v, &e), -1);
    assert_non_null(strstr(e.text, "from 0 to 60 s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_two_percent), cmocka_unit_test(bursts),   cmocka_unit_test(delayed),
        cmocka_unit_test(delay_keeps),        cmocka_unit_test(delay_keeps_order),
        cmocka_unit_test(paced),    cmocka_unit_test(throttled),
        cmocka_unit_test(packets),            cmocka_unit_test(alone),    cmocka_unit_test(written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
