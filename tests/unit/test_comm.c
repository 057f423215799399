/* SPDX-License-Identifier: GPL-2.0-or-later
 * Communication types: names, both directions, ends of file, nothing lost, nothing inherited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/comm.h"

enum { PATIENCE_MS = 5000 };

/* Reads until n bytes are there or the stream ends; gives how many. */
static size_t read_some(int fd, char *p, size_t n)
{
    size_t got = 0;

    while (got < n) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
        ssize_t m = read(fd, p + got, n - got);

        if (m == 0 || (m == -1 && errno == EIO)) /* a pty's way to say so */
            break;
        assert_true(m > 0);
        got += (size_t)m;
    }
    return got;
}

static void pass(int wfd, int rfd)
{
    static const char text[] = "\x03\x04 a\r\n\x7f\xff";
    char got[sizeof text];

    assert_int_equal(write(wfd, text, sizeof text), sizeof text);
    assert_int_equal(read_some(rfd, got, sizeof got), sizeof got);
    assert_memory_equal(got, text, sizeof text);
}

static void assert_cloexec(const struct comm_ends *end)
{
    assert_true(fcntl(end->rfd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(end->wfd, F_GETFD) & FD_CLOEXEC);
}

static void test_both_ways(void **state)
{
    (void)state;
    for (int t = 0; t < COMM_COUNT; t++) {
        struct comm_ends a, b;
        struct err e = {0};

        print_message("%s\n", comm_info((enum comm_type)t)->name ? comm_info((enum comm_type)t)->name : "apart");
        assert_int_equal(comm_pair((enum comm_type)t, &a, &b, &e), 0);
        assert_cloexec(&a);
        assert_cloexec(&b);
        assert_int_equal(a.rfd == a.wfd, comm_is_one_fd((enum comm_type)t));
        assert_int_equal(b.rfd == b.wfd, comm_is_one_fd((enum comm_type)t));
        pass(a.wfd, b.rfd);
        pass(b.wfd, a.rfd);
        comm_close(&a);
        comm_close(&b);
        assert_int_equal(a.rfd, -1);
    }
}

static void half_close(enum comm_type type, struct comm_ends *end)
{
    if (comm_info(type)->shut == PORT_SHUT_DOWN) {
        assert_int_equal(shutdown(end->wfd, SHUT_WR), 0);
    } else {
        close(end->wfd);
        end->wfd = -1;
    }
}

struct writer {
    int fd;
    size_t n;
};

static void *write_much(void *arg)
{
    struct writer *w = arg;
    char block[1000];

    memset(block, 'x', sizeof block);
    for (size_t left = w->n; left > 0;) {
        ssize_t n = write(w->fd, block, left < sizeof block ? left : sizeof block);

        if (n <= 0)
            return w;
        left -= (size_t)n;
    }
    close(w->fd);
    return NULL;
}

/* A direction is ended while the other goes on; and what was written before is not lost. */
static void test_half_close(void **state)
{
    (void)state;
    for (int t = 0; t < COMM_COUNT; t++) {
        enum comm_type type = (enum comm_type)t;
        struct comm_ends a, b;
        struct err e = {0};
        char c[8];

        if (comm_info(type)->shut == PORT_SHUT_NONE)
            continue;
        assert_int_equal(comm_pair(type, &a, &b, &e), 0);
        assert_int_equal(write(a.wfd, "last", 4), 4);
        half_close(type, &a);
        assert_int_equal(read_some(b.rfd, c, sizeof c), 4);
        assert_memory_equal(c, "last", 4);
        pass(b.wfd, a.rfd);
        half_close(type, &b);
        assert_int_equal(read_some(a.rfd, c, sizeof c), 0);
        comm_close(&a);
        comm_close(&b);
    }
}

static void test_much(void **state)
{
    enum { AMOUNT = 1000000 };

    (void)state;
    for (int t = 0; t < COMM_COUNT; t++) {
        enum comm_type type = (enum comm_type)t;
        struct comm_ends a, b;
        struct err e = {0};
        struct writer w = {.n = AMOUNT};
        static char got[AMOUNT + 1];
        pthread_t thread;
        void *failed;

        if (comm_is_one_fd(type))
            continue;
        assert_int_equal(comm_pair(type, &a, &b, &e), 0);
        w.fd = a.wfd;
        a.wfd = -1;
        assert_int_equal(pthread_create(&thread, NULL, write_much, &w), 0);
        assert_int_equal(read_some(b.rfd, got, sizeof got), AMOUNT);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
        comm_close(&a);
        comm_close(&b);
    }
}

static void test_names(void **state)
{
    static const struct {
        char letter;
        const char *name;
        enum comm_type type;
    } known[] = {
        {'S', "socketpairs", COMM_SOCKETPAIRS}, {'s', "socketpair", COMM_SOCKETPAIR},
        {'p', "pipes", COMM_PIPES},             {'P', "pipes", COMM_PIPES},
        {'Y', "ptys", COMM_PTYS},               {'y', "pty", COMM_PTY},
        {'t', "tcp", COMM_TCP},
    };
    struct err e = {0};
    enum comm_type type;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(comm_by_letter(known[i].letter, &type, &e), 0);
        assert_int_equal(type, known[i].type);
        assert_int_equal(comm_by_name(known[i].name, &type, &e), 0);
        assert_int_equal(type, known[i].type);
    }
    assert_int_equal(comm_by_letter('x', &type, &e), -1);
    assert_non_null(strstr(e.text, "bad chain communication type \"x\""));
    assert_int_equal(comm_by_letter('\0', &type, &e), -1);
    assert_int_equal(comm_by_name("udp", &type, &e), -1);
    assert_non_null(strstr(e.text, "bad communication type \"udp\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
