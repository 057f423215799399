/* SPDX-License-Identifier: GPL-2.0-or-later
 * Closing in helper threads: nobody waits for it but at the bound and at the end, and there a stop ends
 * the wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/run.h"
#include "engine/port/closer.h"

enum { MANY = 100, MOST = 16, SLOW_MS = 300, PATIENCE_MS = 20000 };

static struct err ignored;
static struct run run = {.signal_fd = -1, .stop_fd = -1}; /* nothing interrupts it */
static atomic_uint closing, peak, closed, told;
static int gate; /* readable: closing does not wait any more; -1: it takes SLOW_MS */

static void slow_close(struct port *p)
{
    unsigned now = atomic_fetch_add(&closing, 1) + 1, most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
    (void)poll(&(struct pollfd){.fd = gate, .events = POLLIN}, 1, gate < 0 ? SLOW_MS : -1);
    port_inner_close(p);
    atomic_fetch_sub(&closing, 1);
    atomic_fetch_add(&closed, 1);
}

static struct port *slow(void)
{
    static const struct port_ops ops = {.close = slow_close};
    struct port *p;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(port_open_fds(fd, fd, 0, PORT_SHUT_NONE, "slow", &p, &ignored), 0);
    assert_non_null(port_wrap(&p, &ops, 0, &ignored));
    return p;
}

static void tell(void *arg)
{
    (void)arg;
    atomic_fetch_add(&told, 1);
}

static void await(atomic_uint *count, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(count) < n; i++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(atomic_load(count), n);
}

static int begin(void **state)
{
    *state = closer_new(MOST, &ignored);
    closing = peak = closed = told = 0;
    gate = eventfd(0, EFD_CLOEXEC);
    run.stop_fd = -1;
    return *state && gate >= 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    if (gate >= 0)
        close(gate);
    return 0;
}

static void who_hands_over_does_not_wait(void **state)
{
    for (int i = 0; i < MOST; i++)
        closer_take(*state, slow(), i % 2 ? tell : NULL, NULL);
    await(&closing, MOST); /* all at once, and none has been closed */
    assert_int_equal(closed, 0);
    (void)eventfd_write(gate, 1);
    closer_end(*state, &run);
    assert_int_equal(closed, MOST);
    assert_int_equal(told, MOST / 2);
}

static void no_more_than_the_bound_are_closed_at_a_time(void **state)
{
    close(gate);
    gate = -1;
    for (unsigned i = 0; i < MANY; i++) {
        closer_take(*state, slow(), tell, NULL);
        assert_true(closed + MOST > i);
    }
    closer_end(*state, &run);
    assert_int_equal(closed, MANY);
    assert_int_equal(told, MANY);
    assert_true(peak <= MOST);
}

static void nothing_to_close_ends_at_once(void **state)
{
    closer_end(*state, &run);
    closer_end(NULL, &run);
}

static struct port *left; /* to the system */

static void *take_one(void *c)
{
    left = slow();
    closer_take(c, left, NULL, NULL);
    return NULL;
}

/* Also for somebody who waits at the bound, whose port is left to the system. */
static void a_stop_forces_the_end(void **state)
{
    pthread_t thread;
    int stop = eventfd(1, EFD_CLOEXEC);
    run.stop_fd = stop;
    for (int i = 0; i < MOST; i++)
        closer_take(*state, slow(), tell, NULL);
    assert_int_equal(pthread_create(&thread, NULL, take_one, *state), 0);
    await(&closing, MOST);
    (void)poll(NULL, 0, 50); /* mostly it waits by now; if it comes later it must not wait, either */
    closer_end(*state, &run);
    assert_int_equal(closed, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)eventfd_write(gate, 1);
    await(&told, MOST); /* they end by themselves */
    assert_int_equal(peak, MOST);
    close(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_hands_over_does_not_wait, begin, end),
        cmocka_unit_test_setup_teardown(no_more_than_the_bound_are_closed_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(nothing_to_close_ends_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_stop_forces_the_end, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
