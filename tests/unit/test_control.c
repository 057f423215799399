/* SPDX-License-Identifier: GPL-2.0-or-later
 * Controls: in order with the data through rings, through layers that know nothing of them, and past what
 * only looks; what takes none drops them; who gives and who takes is planned. */
#include "bench.h"

#include "catena/control.h"
#include "engine/port/ring.h"

/* ---- a port that gives what a script says, and one that writes down what comes ---- */

static const char *at;
static struct port_ops gives, takes;
static char seen[4096];
static unsigned busy; /* so often there is no room for a control */

static ssize_t script_read(struct port *p, void *buf, size_t cap)
{
    size_t n = strcspn(at, "^");
    (void)cap;
    p->more = true;
    if (*at == '\0')
        return 0;
    if (n > 0) {
        n = n > 3 ? 3 : n; /* blocks of three bytes at most */
        memcpy(buf, at, n);
        at += n;
        return (ssize_t)n;
    }
    p->control = control_window((unsigned)at[1], (unsigned)at[2]);
    at += 3;
    return 0;
}

static ssize_t note_write(struct port *p, const void *buf, size_t n)
{
    (void)p;
    (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s", (int)n, (const char *)buf);
    return (ssize_t)n;
}

static int note_control(struct port *p, const struct control *c)
{
    (void)p;
    if (busy > 0 && busy-- > 0) {
        errno = ENOBUFS;
        return -1;
    }
    assert_int_equal(c->kind, CONTROL_WINDOW);
    (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "^%c%c", (int)control_columns(*c),
                   (int)control_rows(*c));
    return 0;
}

/* All that stands in that chain in one engine; what comes out on the right. */
static const char *through(const char *chain, const char *what, bool taken)
{
    struct err e;
    struct bench *b = bench(chain, SOCKETS);
    for (size_t i = 0; i < b->plan->nitems; i++)
        if (i != b->plan->border && b->plan->items[i].link)
            assert_int_equal(engine_push(&b->engine, LEFT, &b->plan->items[i], false, &e), 0);
    struct port *left = b->engine.side[LEFT].port, *right = b->engine.side[RIGHT].port;
    gives = *left->ops;
    gives.read = script_read;
    left->ops = &gives;
    left->more = true;
    takes = *right->ops;
    takes.write = note_write;
    takes.control = taken ? note_control : NULL;
    right->ops = &takes;
    at = what;
    seen[0] = '\0';
    assert_return_code(shutdown(b->out[RIGHT][1], SHUT_WR), errno);
    driver_relay(&b->engine, -1);
    assert_false(b->run.failed);
    size_t data = 0;
    for (const char *p = what; *p; p++)
        *p == '^' ? (void)(p += 2) : (void)data++;
    assert_int_equal(atomic_load(&b->run.bytes[LEFT]), data);
    bench_free(b);
    return seen;
}

static void in_order_through_layers(void **state)
{
    (void)state;
    static const char *const chains[] = {"pipe", "tap:/dev/null|pipe", "base64|unbase64|pipe", "gzip|^gzip|pipe",
                                         "hex|zstd|^zstd|unhex|pipe", "slip|^slip|pipe",
                                         "recode:utf-8:utf-16|recode:utf-16:utf-8|pipe"};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        assert_string_equal(through(chains[i], "^PQabcdefgh^RSij", true), "^PQabcdefgh^RSij");
        busy = 3;
        assert_string_equal(through(chains[i], "abcd^RS", true), "abcd^RS");
        assert_string_equal(through(chains[i], "abcd^RSefgh", false), "abcdefgh");
    }
}

/* Line ends are converted, dumps are written: by the border's layer. */
static void in_order_over_the_border(void **state)
{
    (void)state;
    assert_string_equal(through("pipe,readbytes=100", "ab^PQcd", true), "ab^PQcd");
}

static void through_a_ring(void **state)
{
    struct port *a, *b;
    struct buf buf = {0};
    struct err e;
    (void)state;
    assert_int_equal(ring_pair("a", "b", &a, &b, &e), 0);
    assert_int_equal(buf_init(&buf, 100), 0);
    assert_int_equal(buf_put(&buf, "xy", 2), 2);
    assert_int_equal(a->ops->give(a, &buf), 2);
    buf.control = control_window(80, 25);
    assert_true(buf_holds(&buf));
    assert_int_equal(a->ops->give(a, &buf), 0);
    assert_false(buf_holds(&buf));
    assert_int_equal(b->ops->take(b, &buf), 2);
    assert_int_equal(buf.control.kind, CONTROL_NONE);
    buf_consume(&buf, 2);
    assert_int_equal(b->ops->take(b, &buf), 0);
    assert_int_equal(control_columns(buf.control), 80);
    assert_int_equal(control_rows(buf.control), 25);
    buf_consume(&buf, 0);
    assert_false(buf_holds(&buf));
    buf_fini(&buf);
    port_close(a);
    port_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_a_ring),
        cmocka_unit_test(in_order_through_layers),
        cmocka_unit_test(in_order_over_the_border),
    };
    return cmocka_run_group_tests_name("controls", tests, quiet, NULL);
}
