/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who waits in a lookout is heard when something is to be read, or when he is late, once, and is gone from it then. */
#include "unit.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/wait.h"
#include "engine/serve/lookout.h"

enum { MANY = 50 };

static struct lookout l;
static int other;

static int make(void **state)
{
    struct err e;
    (void)state;
    other = eventfd(0, EFD_CLOEXEC);
    return lookout_init(&l, other, &e);
}

static int end(void **state)
{
    (void)state;
    lookout_fini(&l);
    return close(other);
}

static bool calls(int ms)
{
    return poll(&(struct pollfd){.fd = l.fd, .events = POLLIN}, 1, ms) > 0;
}

static struct guest *take(void)
{
    lookout_look(&l);
    return lookout_take(&l);
}

static void heard_when_something_is_there(void **state)
{
    struct guest g[MANY];
    int fds[MANY];
    bool taken[MANY] = {false};
    (void)state;
    for (int i = 0; i < MANY; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC);
        assert_true(lookout_add(&l, &g[i], fds[i], -1));
    }
    assert_false(calls(0));
    assert_null(take());
    for (int i = 0; i < MANY; i += 2)
        assert_int_equal(eventfd_write(fds[i], 1), 0);
    assert_true(calls(0));
    for (int i = 0; i < MANY / 2; i++) {
        struct guest *one = take();
        assert_non_null(one);
        assert_false(taken[one - g]);
        assert_int_equal((one - g) % 2, 0);
        taken[one - g] = true;
    }
    assert_null(take());
    assert_false(calls(0)); /* who has been taken, and still has something to read, calls no more */
    assert_int_equal(l.n, MANY / 2);
    for (int i = 0; i < MANY / 2; i++)
        assert_int_equal((lookout_remove(&l) - g) % 2, 1);
    assert_null(lookout_remove(&l));
    assert_int_equal(l.n, 0);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

/* In the order in which they are late, whatever the order in which they came; nobody is waited for who has gone. */
static void heard_when_late(void **state)
{
    static const int after[] = {40, 10, 90, 20, 10};
    struct guest g[5], silent;
    int fd[6];
    (void)state;
    int64_t began = wait_now();
    for (int i = 0; i < 6; i++)
        fd[i] = eventfd(0, EFD_CLOEXEC);
    assert_true(lookout_add(&l, &silent, fd[5], -1));
    for (int i = 0; i < 5; i++)
        assert_true(lookout_add(&l, &g[i], fd[i], began + after[i]));
    eventfd_write(fd[2], 1);
    assert_ptr_equal(take(), &g[2]);
    static const int order[] = {1, 4, 3, 0};
    for (int i = 0; i < 4; i++) {
        struct guest *one;
        while (!(one = take()))
            assert_true(calls(5000));
        assert_ptr_equal(one, &g[order[i]]);
        assert_true(wait_now() >= one->deadline);
    }
    assert_null(take());
    while (calls(150)) /* the timer of somebody who was heard in time may ring once more, and then no more */
        assert_null(take());
    assert_int_equal(l.n, 1);
    assert_ptr_equal(lookout_remove(&l), &silent);
    for (int i = 0; i < 6; i++)
        close(fd[i]);
}

/* With nobody left a timer that rings is read all the same: it would call for ever. */
static void a_timer_rings_once(void **state)
{
    struct guest g;
    int fd = eventfd(1, EFD_CLOEXEC);
    (void)state;
    assert_true(lookout_add(&l, &g, fd, wait_now() + 20));
    assert_ptr_equal(take(), &g);
    assert_true(calls(5000));
    while (l.rings != INT64_MAX)
        assert_null(take());
    assert_false(calls(0));
    close(fd);
}

static void the_other_one_is_heard(void **state)
{
    (void)state;
    assert_int_equal(eventfd_write(other, 1), 0);
    assert_true(calls(0));
    assert_null(take());
    assert_true(calls(0));
}

static void what_cannot_be_waited_for(void **state)
{
    struct guest g;
    char name[] = "/tmp/lookoutXXXXXX";
    int fd = mkstemp(name);
    (void)state;
    unlink(name);
    assert_false(lookout_add(&l, &g, fd, -1)); /* no epoll for files */
    assert_int_equal(l.n, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(heard_when_something_is_there, make, end),
        cmocka_unit_test_setup_teardown(heard_when_late, make, end),
        cmocka_unit_test_setup_teardown(a_timer_rings_once, make, end),
        cmocka_unit_test_setup_teardown(the_other_one_is_heard, make, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_waited_for, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
