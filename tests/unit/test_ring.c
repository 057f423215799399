/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rings: whole blocks in order, room, ends, wake-ups; and two threads that hurry and sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "catena/port.h"
#include "engine/port/ring.h"

enum { PATIENCE_MS = 20000, CAP = 4096, BLOCKS = 20000 };

struct joint {
    struct port *a, *b;
    struct buf buf; /* what is given and taken */
};

static int make(void **state)
{
    static struct joint j;
    struct err e;
    *state = &j;
    return ring_pair("a", "b", &j.a, &j.b, &e) < 0 || buf_init(&j.buf, CAP) < 0;
}

static int drop(void **state)
{
    struct joint *j = *state;
    port_close(j->a);
    port_close(j->b);
    buf_fini(&j->buf);
    *j = (struct joint){0};
    return 0;
}

static ssize_t give(struct port *p, struct buf *b, const char *text)
{
    assert_int_equal(buf_put(b, text, strlen(text)), strlen(text));
    return p->ops->give(p, b);
}

static void assert_wakes(struct port *p, bool yes)
{
    struct pollfd pfd = {.fd = p->rfd, .events = POLLIN};
    assert_int_equal(poll(&pfd, 1, yes ? PATIENCE_MS : 0), yes);
}

static void a_block_arrives_as_it_was_given(void **state)
{
    struct joint *j = *state;
    const unsigned char *memory = j->buf.p;
    assert_int_equal(j->b->ops->take(j->b, &j->buf), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(give(j->a, &j->buf, "one"), 3);
    assert_ptr_not_equal(j->buf.p, memory);
    assert_int_equal(j->buf.len, 0);
    assert_true(j->buf.cap >= CAP);
    assert_int_equal(give(j->a, &j->buf, "two two"), 7);
    assert_int_equal(j->b->ops->take(j->b, &j->buf), 3);
    assert_ptr_equal(j->buf.p, memory); /* nothing was copied */
    assert_memory_equal(buf_data(&j->buf), "one", 3);
    buf_consume(&j->buf, 3);
    assert_int_equal(j->b->ops->take(j->b, &j->buf), 7);
    assert_memory_equal(buf_data(&j->buf), "two two", 7);
}

static void it_is_bounded_and_told_when_there_is_room(void **state)
{
    struct joint *j = *state;
    size_t given = 0, taken = 0;
    while (give(j->a, &j->buf, "x") == 1)
        assert_true(++given < 1000);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(j->buf.len, 1); /* still the writer's */
    assert_false(port_ready(j->a, false, true));
    assert_wakes(j->a, false);
    struct buf b = {0};
    for (; j->b->ops->take(j->b, &b) == 1; taken++)
        buf_consume(&b, 1);
    assert_int_equal(taken, given);
    assert_wakes(j->a, true);
    assert_true(port_ready(j->a, false, true));
    buf_fini(&b);
}

static void a_sleeping_reader_is_woken_when_the_writer_rests(void **state)
{
    struct joint *j = *state;
    assert_false(port_ready(j->b, true, false));
    assert_int_equal(give(j->a, &j->buf, "x"), 1);
    assert_wakes(j->b, false); /* for so little only then */
    assert_true(j->a->due);
    port_settle(j->a);
    assert_wakes(j->b, true);
    assert_true(port_ready(j->b, true, false));
    buf_consume(&j->buf, j->buf.len);
    assert_int_equal(j->b->ops->take(j->b, &j->buf), 1);
    buf_consume(&j->buf, 1);
    assert_false(port_ready(j->b, true, false));
    assert_wakes(j->b, false);
}

static void what_was_given_is_there_before_the_end(void **state)
{
    struct joint *j = *state;
    struct err e;
    assert_int_equal(give(j->a, &j->buf, "last"), 4);
    assert_int_equal(port_shutdown(j->a, &e), 0);
    assert_wakes(j->b, true);
    assert_int_equal(j->b->ops->take(j->b, &j->buf), 4);
    buf_consume(&j->buf, 4);
    assert_int_equal(j->b->ops->take(j->b, &j->buf), 0);
    assert_int_equal(give(j->b, &j->buf, "back"), 4); /* the other direction goes on */
    assert_int_equal(j->a->ops->take(j->a, &j->buf), 4);
}

static void a_reader_that_is_gone_is_a_broken_pipe(void **state)
{
    struct joint *j = *state;
    port_stop_reading(j->b);
    assert_wakes(j->a, true);
    assert_int_equal(give(j->a, &j->buf, "x"), -1);
    assert_int_equal(errno, EPIPE);
    assert_false(port_ready(j->a, false, false));
    port_close(j->b);
    j->b = NULL;
    assert_wakes(j->a, true); /* whatever it waits for */
    assert_true(port_ready(j->a, false, false));
    assert_true(j->a->gone);
    assert_false(port_ready(j->a, false, false)); /* which is told once */
    assert_wakes(j->a, false);
    buf_consume(&j->buf, j->buf.len);
    assert_int_equal(j->a->ops->take(j->a, &j->buf), 0);
}

/* ---- two threads ---- */

static void sleep_on(struct port *p, bool in, bool out)
{
    struct pollfd pfd = {.fd = p->rfd, .events = POLLIN};
    if (port_ready(p, in, out))
        return;
    port_settle(p);
    assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
}

static size_t length_of(unsigned n)
{
    return 1 + n * 2654435761U % (n % 7 ? 16 : CAP);
}

static void *writer(void *arg)
{
    struct port *p = arg;
    struct err e;
    struct buf b;
    assert_int_equal(buf_init(&b, CAP), 0);
    for (unsigned n = 0; n < BLOCKS; n++) {
        unsigned char *at;
        assert_true(buf_room(&b, &at) >= CAP);
        memset(at, (int)(n & 0xff), length_of(n));
        buf_commit(&b, length_of(n));
        while (p->ops->give(p, &b) < 0)
            sleep_on(p, false, true);
        if (n % 1000 == 0) /* now and then nothing comes for a while */
            port_settle(p);
    }
    assert_int_equal(port_shutdown(p, &e), 0);
    buf_fini(&b);
    return NULL;
}

static void nothing_is_lost_between_two_threads(void **state)
{
    struct joint *j = *state;
    pthread_t thread;
    unsigned n = 0;
    ssize_t got;
    assert_int_equal(pthread_create(&thread, NULL, writer, j->a), 0);
    while ((got = j->b->ops->take(j->b, &j->buf)) != 0) {
        if (got < 0) {
            sleep_on(j->b, true, false);
            continue;
        }
        assert_int_equal(got, length_of(n));
        for (size_t i = 0; i < j->buf.len; i++)
            assert_int_equal(buf_data(&j->buf)[i], n & 0xff);
        buf_consume(&j->buf, j->buf.len);
        n++;
    }
    assert_int_equal(n, BLOCKS);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_block_arrives_as_it_was_given, make, drop),
        cmocka_unit_test_setup_teardown(it_is_bounded_and_told_when_there_is_room, make, drop),
        cmocka_unit_test_setup_teardown(a_sleeping_reader_is_woken_when_the_writer_rests, make, drop),
        cmocka_unit_test_setup_teardown(what_was_given_is_there_before_the_end, make, drop),
        cmocka_unit_test_setup_teardown(a_reader_that_is_gone_is_a_broken_pipe, make, drop),
        cmocka_unit_test_setup_teardown(nothing_is_lost_between_two_threads, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
