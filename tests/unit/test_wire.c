/* SPDX-License-Identifier: GPL-2.0-or-later
 * The wire over a port: lines, exact reads, deadlines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/port.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "catena/wire.h"

static struct run run = {.signal_fd = -1, .stop_fd = -1}; /* nothing interrupts it */

static void wire_over_a_port(void **state)
{
    int s[2];
    struct port *p;
    struct wire w;
    struct err e = {0};
    char line[8], got[8];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    assert_int_equal(port_open_fds(s[0], s[0], 0, PORT_SHUT_DOWN, "test", &p, &e), 0);
    assert_int_equal(wire_init(&w, &wire_over_port, p, &run, 30, &e), 0);

    assert_int_equal(wire_write(&w, "hello", 5, &e), 0);
    assert_int_equal(read(s[1], got, sizeof got), 5);
    assert_int_equal(write(s[1], "ab\r\nc\r\r\n\n1234567\nrest", 21), 21);
    assert_int_equal(wire_read_line(&w, line, sizeof line, &e), 0);
    assert_string_equal(line, "ab");
    assert_int_equal(wire_read_line(&w, line, sizeof line, &e), 0);
    assert_string_equal(line, "c\r");
    assert_int_equal(wire_read_line(&w, line, sizeof line, &e), 0);
    assert_string_equal(line, "");
    assert_int_equal(wire_read_line(&w, line, sizeof line, &e), 0);
    assert_string_equal(line, "1234567");
    assert_int_equal(wire_read(&w, got, 2, &e), 0);
    assert_memory_equal(got, "re", 2);

    assert_int_equal(wire_read(&w, got, 3, &e), -1); /* there are two: deadline */
    assert_int_equal(e.kind, ERR_TIMEOUT);
    assert_string_equal(e.text, "no answer from the peer in time (0.03 seconds; "
                                "handshake-timeout=<seconds> says how long to wait)");
    assert_int_equal(write(s[1], "12345678\n", 9), 9);
    w.deadline = -1;
    assert_int_equal(wire_read_line(&w, line, sizeof line, &e), -1);
    assert_int_equal(e.kind, ERR_PROTOCOL);
    close(s[1]);
    wire_fini(&w);
    port_close(p);
}

/* More than the peer takes at once: the deadline also holds for writing. */
static void wire_write_deadline(void **state)
{
    static char lots[4 << 20];
    int s[2];
    struct port *p;
    struct wire w;
    struct err e = {0};

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    assert_int_equal(port_open_fds(s[0], s[0], 0, PORT_SHUT_DOWN, "test", &p, &e), 0);
    assert_int_equal(wire_init(&w, &wire_over_port, p, &run, 30, &e), 0);
    assert_int_equal(wire_write(&w, lots, sizeof lots, &e), -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);
    close(s[1]);
    wire_fini(&w);
    port_close(p);
}

static ssize_t read_at_the_third_attempt(struct port *p, void *buf, size_t cap)
{
    unsigned *attempts = p->state;

    p->more = false; /* waiting from here on would be for ever */
    errno = EINTR;
    if (++*attempts < 3 || cap < 2)
        return -1;
    memcpy(buf, "ok", 2);
    return 2;
}

/* Of what a port has by itself no descriptor tells. */
static void what_says_again_is_read_again_without_waiting(void **state)
{
    static const struct port_ops ops = {.read = read_at_the_third_attempt};
    int s[2];
    struct port *p;
    struct wire w;
    struct err e = {0};
    char got[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    assert_int_equal(port_open_fds(s[0], s[0], 0, PORT_SHUT_DOWN, "test", &p, &e), 0);
    assert_non_null(port_wrap(&p, &ops, sizeof(unsigned), &e));
    assert_int_equal(wire_init(&w, &wire_over_port, p, &run, 1000, &e), 0);
    p->more = true;
    assert_int_equal(wire_read(&w, got, 2, &e), 0);
    assert_memory_equal(got, "ok", 2);

    w.deadline = 0; /* long ago */
    assert_int_equal(wire_read(&w, got, 2, &e), -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);
    close(s[1]);
    wire_fini(&w);
    port_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_over_a_port),
        cmocka_unit_test(what_says_again_is_read_again_without_waiting),
        cmocka_unit_test(wire_write_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
