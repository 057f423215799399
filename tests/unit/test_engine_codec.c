/* SPDX-License-Identifier: GPL-2.0-or-later
 * Engines with a codec: marks, two back to back saturated in both directions, nothing held back,
 * half-close, streams cut short. */
#include "bench.h"

static void codec_marks(void **state)
{
    char got[16] = "";
    (void)state;
    struct bench *b = bench("test|pipe", SOCKETS);
    start(b);
    for (int side = LEFT; side <= RIGHT; side++) {
        struct pollfd r = {b->out[!side][0], POLLIN, 0};
        assert_int_equal(write(b->out[side][1], "ab", 2), 2);
        for (size_t n = 0; n < 3;) {
            assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
            ssize_t k = read(r.fd, got + n, sizeof got - n);
            assert_true(k > 0);
            n += (size_t)k;
        }
        assert_memory_equal(got, side == LEFT ? "ab>" : "ab<", 3);
    }
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

/* Two engines back to back: what one compresses the other expands, in both directions. */
static struct bench *gzip_pair(struct bench **second)
{
    struct err e;
    int fd[2];
    struct bench *a = bench("gzip|pipe", SOCKETS), *b = bench("^gzip|pipe", SOCKETS);
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), errno);
    hang_up(a, RIGHT);
    port_close(a->engine.side[RIGHT].port);
    assert_int_equal(port_open_fds(fd[0], fd[0], PORT_JOINT, PORT_SHUT_DOWN, "joint",
                                   &a->engine.side[RIGHT].port, &e), 0);
    hang_up(b, LEFT);
    port_close(b->engine.side[LEFT].port);
    assert_int_equal(port_open_fds(fd[1], fd[1], PORT_JOINT, PORT_SHUT_DOWN, "joint",
                                   &b->engine.side[LEFT].port, &e), 0);
    a->out[RIGHT][0] = b->out[RIGHT][0]; /* the pair's outsides, for traffic() */
    a->out[RIGHT][1] = b->out[RIGHT][1];
    b->out[RIGHT][0] = b->out[RIGHT][1] = -1;
    start(a);
    start(b);
    *second = b;
    return a;
}

static void codec_saturated(void **state)
{
    (void)state;
    struct bench *b, *a = gzip_pair(&b);
    struct flow f[2] = {flow(a, LEFT, LOTS, false), flow(a, RIGHT, LOTS, false)};
    assert_true(traffic(a, f, PATIENCE_MS));
    came_through(&f[LEFT]);
    came_through(&f[RIGHT]);
    join(a);
    join(b);
    assert_false(a->run.failed || b->run.failed);
    bench_free(a);
    bench_free(b);
}

/* Nothing is held back that a reader may wait for. */
static void codec_is_prompt(void **state)
{
    (void)state;
    struct bench *b, *a = gzip_pair(&b);
    for (int i = 0; i < 6; i++) {
        struct flow none = {.from = -1, .to = -1}, f[2] = {none, none};
        f[i % 2] = flow(a, i % 2, 1000, true);
        assert_true(traffic(a, f, PATIENCE_MS));
        came_through(&f[i % 2]);
    }
    struct flow f[2] = {flow(a, LEFT, 10, false), flow(a, RIGHT, 10, false)};
    assert_true(traffic(a, f, PATIENCE_MS));
    bench_free(a);
    bench_free(b);
}

/* A peer that always has more, and one that takes everything: the flow between them never rests. It
 * is a gzip stream without an end, of stored blocks, that the engine expands. */
static ssize_t endless_read(struct port *p, void *buf, size_t cap)
{
    static const unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3},
                               stored[] = {0, 0, 16, 0xff, 0xef};
    size_t *at = p->state, n = 0;
    unsigned char *to = buf;
    for (; n < cap; n++, ++*at) {
        size_t i = *at < sizeof header ? 0 : (*at - sizeof header) % (sizeof stored + 4096);
        to[n] = *at < sizeof header ? header[*at] : i < sizeof stored ? stored[i] : 'x';
    }
    return (ssize_t)n;
}

static ssize_t endless_write(struct port *p, const void *buf, size_t n)
{
    if (p->flags & PORT_SOCKET_W) /* the wire: for the test to look at */
        return write(p->wfd, buf, n);
    return (ssize_t)n;
}

/* ... however busy the other direction is: nothing but its own input decides. */
static void codec_is_prompt_beside_traffic(void **state)
{
    (void)state;
    static struct port_ops from_left, from_right;
    struct bench *b = bench("gzip|pipe", SOCKETS);
    struct port *left = b->engine.side[LEFT].port, *right = b->engine.side[RIGHT].port;
    size_t at = 0;
    unsigned char p[1000];
    from_left = *left->ops;
    from_left.write = endless_write;
    left->ops = &from_left;
    left->flags &= ~(unsigned)PORT_SOCKET_W;
    left->shut = PORT_SHUT_NONE;
    from_right = *right->ops;
    from_right.read = endless_read;
    from_right.write = endless_write;
    right->ops = &from_right;
    right->state = &at;
    assert_int_equal(write(b->out[RIGHT][1], "x", 1), 1); /* readable for ever */
    start(b);
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = byte_at(i);
    for (int i = 0; i < 3; i++) {
        unsigned char answer[8192] = {0};
        size_t got = 0;
        assert_int_equal(write(b->out[LEFT][1], p, sizeof p), sizeof p);
        /* what is flushed ends so */
        while (got < 4 || memcmp(answer + got - 4, "\0\0\xff\xff", 4) != 0) {
            struct pollfd r = {b->out[RIGHT][0], POLLIN, 0};
            assert_int_equal(poll(&r, 1, PATIENCE_MS / 3), 1);
            ssize_t n = read(r.fd, answer + got, sizeof answer - got);
            assert_true(n > 0);
            got += (size_t)n;
        }
    }
    const uint64_t one = 1;
    assert_int_equal(write(b->stop_fd, &one, sizeof one), sizeof one);
    bench_free(b);
}

static void codec_half_close(void **state)
{
    (void)state;
    for (int first = LEFT; first <= RIGHT; first++) {
        struct bench *b, *a = gzip_pair(&b);
        struct flow none = {.from = -1, .to = -1}, f[2];
        f[first] = flow(a, first, 1000, false);
        f[!first] = none;
        assert_true(traffic(a, f, PATIENCE_MS));
        came_through(&f[first]);
        f[first] = none;
        f[!first] = flow(a, !first, 100000, false);
        assert_true(traffic(a, f, PATIENCE_MS));
        came_through(&f[!first]);
        join(a);
        join(b);
        assert_false(a->run.failed || b->run.failed);
        bench_free(a);
        bench_free(b);
    }
}

/* A stream that is cut short is an error, not an end. */
static void codec_truncated(void **state)
{
    static const unsigned char start_of_gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b};
    (void)state;
    struct bench *b = bench("gzip|pipe", SOCKETS);
    start(b);
    assert_int_equal(write(b->out[RIGHT][1], start_of_gzip, sizeof start_of_gzip),
                     sizeof start_of_gzip);
    hang_up(b, RIGHT);
    join(b);
    assert_true(b->run.failed);
    bench_free(b);
}

/* Keeps what comes for a while, and gives it out although nothing more comes. */
enum { WHILE_MS = 80 };
static struct late {
    int64_t due;
    char kept[16];
    size_t n;
} late;

static int late_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    (void)st, (void)e;
    if (in->len > 0) {
        late.n = in->len;
        memcpy(late.kept, buf_data(in), in->len);
        buf_consume(in, in->len);
        late.due = wait_now() + WHILE_MS;
    }
    if (late.n > 0 && (mode == CODEC_END || wait_now() >= late.due)) {
        assert_int_equal(buf_put(out, late.kept, late.n), late.n);
        late.n = 0;
    }
    return mode != CODEC_RUN;
}

static int64_t late_due(const void *st)
{
    (void)st;
    return late.n > 0 ? late.due : -1;
}

static void codec_has_a_clock(void **state)
{
    static const struct codec_ops ops = {.push = late_push, .due = late_due};
    (void)state;
    struct bench *b = bench("test|pipe", SOCKETS);
    struct pollfd r = {b->out[RIGHT][0], POLLIN, 0};
    char got[16];
    for (size_t i = 0; i < b->engine.nlayers; i++)
        if (b->engine.layer[i].lane[LEFT].ops)
            b->engine.layer[i].lane[LEFT].ops = &ops;
    start(b);
    for (int i = 0; i < 3; i++) {
        int64_t begin = wait_now();
        assert_int_equal(write(b->out[LEFT][1], "abc", 3), 3);
        assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
        assert_true(wait_now() >= begin + WHILE_MS);
        assert_int_equal(read(r.fd, got, sizeof got), 3);
        assert_memory_equal(got, "abc", 3);
    }
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

/* The source never rests, but for who comes behind a throttle it does. Gives what got through when all that may be
 * given out for that has been. */
static size_t behind(const char *chain)
{
    static char data[8192];
    struct err e;
    struct bench *b = bench(chain, SOCKETS);
    for (size_t i = 0; i < b->plan->nitems; i++)
        if (i != b->plan->border)
            assert_int_equal(engine_push(&b->engine, LEFT, &b->plan->items[i], false, &e), 0);
    assert_int_equal(write(b->out[LEFT][1], data, sizeof data), sizeof data);
    assert_int_equal(engine_read(&b->engine, LEFT, &e), 1);
    assert_int_equal(engine_turn(&b->engine, &e), 0);
    if (engine_idle_due(&b->engine, LEFT, false))
        assert_int_equal(stack_release(&b->engine, LEFT, false, &e), 0);
    assert_int_equal(engine_turn(&b->engine, &e), 0);
    ssize_t n = read(b->out[RIGHT][0], data, sizeof data);
    bench_free(b);
    return n > 0 ? (size_t)n : 0;
}

static void behind_a_throttle(void **state)
{
    (void)state;
    assert_true(behind("throttle:10k|gzip|pipe") > 20); /* more than the header */
    assert_int_equal(behind("gzip|delay:1|pipe"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_throttle),
        cmocka_unit_test(codec_marks),      cmocka_unit_test(codec_saturated),
        cmocka_unit_test(codec_is_prompt),  cmocka_unit_test(codec_is_prompt_beside_traffic),
        cmocka_unit_test(codec_half_close), cmocka_unit_test(codec_truncated),
        cmocka_unit_test(codec_has_a_clock),
    };
    return cmocka_run_group_tests_name("engine with a codec", tests, quiet, NULL);
}
