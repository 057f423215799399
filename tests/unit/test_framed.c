/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records over a joint that is a stream: whole, empty ones as well, however little it takes and gives at once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "engine/port/framed.h"

static void pair_of(struct port *p[2], bool both)
{
    struct err e;
    int fd[2], small = 4096;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
        assert_int_equal(port_open_fds(fd[i], fd[i], PORT_JOINT, PORT_SHUT_DOWN, "joint", &p[i], &e), 0);
        assert_int_equal(port_frame(&p[i], both || i == 1, both || i == 0, &e), 0);
    }
}

/* Writes as much as goes; gives how much of the record was taken. */
static size_t put(struct port *p, const unsigned char *record, size_t n)
{
    size_t done = 0;
    do {
        ssize_t k = port_write(p, record + done, n - done);
        if (k < 0) {
            assert_int_equal(errno, EAGAIN);
            break;
        }
        done += (size_t)k;
    } while (done < n);
    return done;
}

static void records_come_whole(void **state)
{
    static const size_t sizes[] = {1, 0, 300000, 0, 0, 4096, 7};
    enum { N = sizeof sizes / sizeof sizes[0], MOST = 300000 };
    unsigned char *record = malloc(MOST), *got = malloc(MOST);
    struct port *p[2];
    size_t in = 0, out = 0, done = 0;
    (void)state;
    assert_non_null(record);
    assert_non_null(got);
    for (size_t i = 0; i < MOST; i++)
        record[i] = (unsigned char)(i * 31 >> 3);
    pair_of(p, false);
    for (int turn = 0; in < N; turn++) {
        assert_true(turn < 10000);
        if (out < N) {
            done += put(p[0], record + done, sizes[out] - done);
            if (done == sizes[out] && sizes[out] > 0) {
                out++;
                done = 0;
            } else if (sizes[out] == 0) {
                out++; /* so small that there was room */
            }
        }
        ssize_t n = port_read(p[1], got, 5000);
        if (n < 0 && errno == EMSGSIZE) {
            assert_int_equal(p[1]->need, 300000);
            n = port_read(p[1], got, MOST);
        }
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            continue;
        }
        assert_int_equal(n, sizes[in++]);
        assert_int_equal(p[1]->blank, n == 0);
        assert_memory_equal(got, record, (size_t)n);
    }
    struct err e;
    assert_int_equal(port_shutdown(p[0], &e), 0);
    assert_int_equal(port_read(p[1], got, MOST), 0);
    assert_false(p[1]->blank);
    port_close(p[0]);
    port_close(p[1]);
    free(record);
    free(got);
}

static void the_other_direction_is_its_own(void **state)
{
    unsigned char got[8];
    struct port *p[2];
    (void)state;
    pair_of(p, false);
    assert_true(p[0]->flags & PORT_MSG_W && !(p[0]->flags & PORT_MSG_R));
    assert_int_equal(port_write(p[1], "plain", 5), 5);
    assert_int_equal(port_read(p[0], got, sizeof got), 5);
    port_close(p[0]);
    port_close(p[1]);
    pair_of(p, true);
    assert_int_equal(port_write(p[1], "abc", 3), 3);
    assert_int_equal(port_write(p[1], "d", 1), 1);
    assert_int_equal(port_read(p[0], got, sizeof got), 3);
    assert_int_equal(port_read(p[0], got, sizeof got), 1);
    port_close(p[0]);
    port_close(p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_whole),
        cmocka_unit_test(the_other_direction_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
