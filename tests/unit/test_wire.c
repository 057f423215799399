/* SPDX-License-Identifier: GPL-2.0-or-later
 * The wire over a port: lines, exact reads, deadlines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
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
    assert_string_equal(e.text, "the peer took too long (0.03 seconds; "
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

/* A peer in memory, whose bytes come in pieces. */
struct script {
    const char *left;
    size_t piece;
};
static int script_fill(struct wire *w, int *eof, struct err *e)
{
    struct script *s = w->carrier;
    unsigned char *at;
    (void)e;
    assert_true(buf_room(&w->in, &at) > 0); /* else nothing would look like an end */
    size_t n = buf_put(&w->in, s->left, strnlen(s->left, s->piece));
    s->left += n;
    *eof = n == 0;
    return 0;
}
static const struct wire_ops script_ops = {.fill = script_fill};

/* Sockets of ours are not asked before each read and write; but an end that is due is heard of all the same. */
static void who_goes_on_sending_keeps_no_order_unheard(void **state)
{
    int s[2], stop = eventfd(1, EFD_CLOEXEC);
    struct port *p;
    struct wire w;
    struct run told = {.signal_fd = -1, .stop_fd = stop};
    struct err e = {0};
    char got[16];
    int n = 0;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    assert_int_equal(port_open_fds(s[0], s[0], 0, PORT_SHUT_DOWN, "test", &p, &e), 0);
    assert_int_equal(wire_init(&w, &wire_over_port, p, &told, -1, &e), 0);
    while (n < 100 && write(s[1], "0123456789abcdef", 16) == 16 && wire_read(&w, got, sizeof got, &e) == 0)
        n++;
    assert_in_range(n, 1, 20);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    for (n = 0; n < 100 && wire_write(&w, "x", 1, &e) == 0;)
        n++;
    assert_in_range(n, 1, 20);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    close(s[1]);
    close(stop);
    wire_fini(&w);
    port_close(p);
}

static void looks_without_taking(void **state)
{
    static char lots[20001];
    (void)state;
    memset(lots, 'x', sizeof lots - 1);
    for (size_t piece = 1; piece <= 7; piece++) {
        struct script s = {"abc\ndefg", piece};
        const unsigned char *at;
        char line[8], got[8];
        struct wire w;
        struct err e = {0};
        assert_int_equal(wire_init(&w, &script_ops, &s, &run, -1, &e), 0);
        assert_int_equal(wire_look(&w, 3, &at, &e), 0);
        assert_memory_equal(at, "abc", 3);
        assert_int_equal(wire_look(&w, 1, &at, &e), 0);
        assert_memory_equal(at, "abc", 3);
        assert_int_equal(wire_read_line(&w, line, sizeof line, &e), 0);
        assert_string_equal(line, "abc");
        assert_int_equal(wire_hand_back(&w, "12", 2, &e), 0);
        assert_int_equal(wire_hand_back(&w, "0", 1, &e), 0);
        assert_int_equal(wire_look(&w, 5, &at, &e), 0);
        assert_memory_equal(at, "012de", 5);
        assert_int_equal(wire_look(&w, 8, &at, &e), -1); /* there are seven, and then the end */
        assert_int_equal(e.kind, ERR_PROTOCOL);
        assert_int_equal(w.in.len, 7);
        assert_int_equal(wire_read(&w, got, 7, &e), 0);
        assert_memory_equal(got, "012defg", 7);
        assert_int_equal(wire_hand_on(&w, "xy", 2, &e), 0);
        assert_int_equal(wire_hand_on(&w, "z", 1, &e), 0);
        assert_int_equal(w.on.len, 3);
        assert_memory_equal(buf_data(&w.on), "xyz", 3);
        wire_fini(&w);
    }
    struct script s = {lots, 1500};
    const unsigned char *at;
    struct wire w;
    struct err e = {0};
    assert_int_equal(wire_init(&w, &script_ops, &s, &run, -1, &e), 0);
    assert_int_equal(wire_look(&w, WIRE_AHEAD, &at, &e), 0);
    assert_int_equal(w.in.len, WIRE_AHEAD);
    assert_int_equal(wire_look(&w, WIRE_AHEAD + 1, &at, &e), -1);
    assert_string_equal(e.text, "the peer has sent more than 8192 bytes");
    assert_int_equal(wire_expect(&w, WIRE_AHEAD_MAX + 1, &e), -1);
    assert_int_equal(wire_expect(&w, 20000, &e), 0);
    assert_int_equal(wire_look(&w, 20000, &at, &e), 0);
    assert_memory_equal(at, lots, 20000);
    wire_fini(&w);
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
        cmocka_unit_test(who_goes_on_sending_keeps_no_order_unheard),
        cmocka_unit_test(looks_without_taking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
