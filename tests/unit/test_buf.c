/* SPDX-License-Identifier: GPL-2.0-or-later
 * Bounded buffers: what fits, what is left, and that nothing is written behind their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catena/buf.h"

enum { CAP = 8 };

/* A buffer within memory of ours, so that a byte behind its end shows. */
static unsigned char memory[CAP + 1];

static struct buf small(void)
{
    memory[CAP] = '!';
    return (struct buf){.p = memory, .cap = CAP};
}

static void holds(const struct buf *b, const char *text)
{
    assert_int_equal(b->len, strlen(text));
    assert_memory_equal(buf_data(b), text, b->len);
    assert_int_equal(memory[CAP], '!');
}

static void put_takes_what_fits(void **state)
{
    (void)state;
    struct buf b = small();
    assert_int_equal(buf_put(&b, "abcde", 5), 5);
    assert_int_equal(buf_put(&b, "fghi", 4), 3);
    holds(&b, "abcdefgh");
    assert_int_equal(buf_put(&b, "i", 1), 0);
    holds(&b, "abcdefgh");
}

static void room_is_made_at_the_front(void **state)
{
    (void)state;
    struct buf b = small();
    unsigned char *at;
    buf_put(&b, "abcdefgh", 8);
    buf_consume(&b, 3);
    assert_int_equal(buf_room(&b, &at), 3);
    assert_ptr_equal(at, memory + 5);
    holds(&b, "defgh");
    buf_consume(&b, 5);
    assert_int_equal(b.off, 0);
    assert_int_equal(buf_room(&b, &at), CAP);
}

static void a_short_tail_alone_moves_bytes(void **state)
{
    (void)state;
    struct buf b = small();
    unsigned char *at;
    buf_put(&b, "abcd", 4);
    buf_consume(&b, 1);
    assert_int_equal(buf_room(&b, &at), 4); /* half of it is enough */
    assert_int_equal(b.off, 1);
    holds(&b, "bcd");
    buf_put(&b, "e", 1);
    buf_consume(&b, 1);
    assert_int_equal(buf_room(&b, &at), 5); /* less is not */
    assert_int_equal(b.off, 0);
    holds(&b, "cde");
}

static void move_leaves_what_does_not_fit(void **state)
{
    (void)state;
    unsigned char other[] = "123456";
    struct buf b = small(), from = {.p = other, .cap = 6, .len = 6};
    buf_put(&b, "abcde", 5);
    assert_int_equal(buf_move(&b, &from), 3);
    holds(&b, "abcde123");
    assert_int_equal(from.len, 3);
    assert_memory_equal(buf_data(&from), "456", 3);
    buf_consume(&b, 8);
    assert_int_equal(buf_move(&b, &from), 3);
    holds(&b, "456");
    assert_int_equal(from.len, 0);
}

static void growing_keeps_what_is_in_it(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(buf_grow(&b, 4), 0);
    buf_put(&b, "abcd", 4);
    buf_consume(&b, 1);
    assert_int_equal(buf_grow(&b, 2), 0);
    assert_int_equal(b.cap, 4);
    assert_int_equal(buf_grow(&b, 100), 0);
    assert_int_equal(b.cap, 100);
    assert_int_equal(b.len, 3);
    assert_memory_equal(buf_data(&b), "bcd", 3);
    buf_fini(&b);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_takes_what_fits),
        cmocka_unit_test(room_is_made_at_the_front),
        cmocka_unit_test(a_short_tail_alone_moves_bytes),
        cmocka_unit_test(move_leaves_what_does_not_fit),
        cmocka_unit_test(growing_keeps_what_is_in_it),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
