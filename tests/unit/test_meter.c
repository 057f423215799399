/* SPDX-License-Identifier: GPL-2.0-or-later
 * The texts of a meter, and the sizes it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inter/meter/reading.h"

enum { K = 1024, M = K * K };

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t n; /* 0: none */
    } rows[] = {{"1", 1}, {"5000", 5000}, {"1k", K}, {"1.5K", 1536}, {"700M", 700ULL * M}, {"2g", 2ULL * K * M},
                {"1T", 1ULL * M * M}, {"8000000T", 8000000ULL * M * M}, {"", 0}, {"0", 0}, {"-1", 0}, {"k", 0}, {"1kk", 0},
                {"1kB", 0}, {"1 k", 0}, {"nan", 0}, {"inf", 0}, {"0x10", 0}, {"1e30", 0}, {"9999999T", 0}, {"0.5", 0}, {"1p", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t n = 0;
        assert_int_equal(reading_size(rows[i].text, &n), rows[i].n > 0);
        assert_int_equal(n, rows[i].n);
    }
}

static const struct reading one_way = {
    .label = "x", .seconds = 2, .lately = 1, .flow = {{true, 3 * M, 1 * M, 6 * M}}};

static void lines(void **state)
{
    char out[READING_MAX];
    struct reading r = one_way;
    (void)state;
    (void)reading_line(&r, out);
    assert_string_equal(out, "x: 2.0 s, 3.00 MiB, 2.00 MiB/s, average 1.50 MiB/s, 50 %, 0:00:02 left");
    r.end = true;
    r.peer = "host:1";
    r.flow[1] = (struct reading_flow){true, 1023, 0, 0};
    (void)reading_line(&r, out);
    assert_string_equal(out, "host:1: x: 2.0 s, 3.00 MiB to the right, average 1.50 MiB/s, 50 %; 1023 B to the left, average 512 B/s");
    r = (struct reading){.label = "x", .flow = {{.is = true}}};
    (void)reading_line(&r, out);
    assert_string_equal(out, "x: 0.0 s, 0 B, 0 B/s");
    r.flow[0] = (struct reading_flow){true, UINT64_MAX, 0, 5};
    (void)reading_line(&r, out);
    assert_string_equal(out, "x: 0.0 s, 16.0 EiB, 0 B/s, 1000000000000000 %");
    r.flow[0] = (struct reading_flow){true, 6144, 0, 1024}; /* more than was expected */
    (void)reading_line(&r, out);
    assert_string_equal(out, "x: 0.0 s, 6.00 KiB, 0 B/s, 600 %");
    r.flow[0] = (struct reading_flow){true, 999, 0, 1000}; /* some of it is missing yet */
    (void)reading_line(&r, out);
    assert_string_equal(out, "x: 0.0 s, 999 B, 0 B/s, 99 %");
}

static void json(void **state)
{
    char out[READING_MAX];
    struct reading r = one_way;
    (void)state;
    r.label = "say \"x\"\n\\";
    (void)reading_json(&r, out);
    assert_string_equal(out, "{\"link\":\"say \\\"x\\\"\\u000a\\\\\",\"seconds\":2.000,\"end\":false,\"to_right\":{\"bytes\":3145728,"
                             "\"rate\":2097152,\"average\":1572864,\"size\":6291456,\"left\":2}}");
}

/* However wide the terminal is, and whatever is to be said, it stays within. */
static void bars(void **state)
{
    char out[READING_MAX];
    struct reading r = one_way;
    (void)state;
    assert_int_equal(reading_bar(&r, 60, out), 60);
    assert_string_equal(out, "3.00 MiB [2.00 MiB/s] 0:00:02 [=====>    ]  50 % ETA 0:00:02");
    for (size_t columns = 0; columns < 2000; columns += columns < 100 ? 1 : 77)
        for (int i = 0; i < 8; i++) {
            r.end = i & 1;
            r.flow[1] = (struct reading_flow){i & 2, UINT64_MAX, 0, i & 4 ? 1 : 0};
            assert_true(reading_bar(&r, columns, out) <= columns);
            assert_true(strlen(out) < READING_MAX);
        }
    r = (struct reading){.label = "x", .seconds = 3725, .lately = 1, .flow = {[1] = {true, 10, 0, 0}}};
    (void)reading_bar(&r, 80, out);
    assert_string_equal(out, "10 B [10 B/s] 1:02:05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(lines),
        cmocka_unit_test(json),
        cmocka_unit_test(bars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
