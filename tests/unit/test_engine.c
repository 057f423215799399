/* SPDX-License-Identifier: GPL-2.0-or-later
 * Engines as plain relays: both directions saturated, stalled readers, half-close either way,
 * messages, one way, stop requests, failing writes, the border's features. */
#include "bench.h"

#include <semaphore.h>
#include <stdatomic.h>

#include "engine/relay/hub.h"

/* ---- plain relays ---- */

static void saturated(const char *right, enum joint joint)
{
    struct bench *b = bench(right, joint);
    start(b);
    struct flow f[2] = {flow(b, LEFT, LOTS, false), flow(b, RIGHT, LOTS + 12345, false)};
    assert_true(traffic(b, f, PATIENCE_MS));
    came_through(&f[LEFT]);
    came_through(&f[RIGHT]);
    join(b);
    assert_false(b->run.failed);
    assert_int_equal((atomic_load(&b->run.lost[0]) + atomic_load(&b->run.lost[1])), 0);
    assert_int_equal(atomic_load(&b->run.bytes[LEFT]), LOTS);
    assert_int_equal(atomic_load(&b->run.bytes[RIGHT]), LOTS + 12345);
    bench_free(b);
}

static void both_ways_saturated(void **state)
{
    (void)state;
    saturated("pipe", SOCKETS);
    saturated("pipe", PIPES);
}

/* A reader that takes nothing stops its own direction only, and memory stays bounded. */
static void stalled_reader(void **state)
{
    (void)state;
    struct bench *b = bench("pipe", SOCKETS);
    start(b);
    for (int stalled = LEFT; stalled <= RIGHT; stalled++) {
        struct flow f[2];
        f[stalled] = flow(b, stalled, LOTS, true);
        f[!stalled] = flow(b, !stalled, LOTS, true);
        int to = f[stalled].to;
        f[stalled].to = -1;
        assert_false(traffic(b, f, 300)); /* the other direction is through, this one stands */
        came_through(&f[!stalled]);
        assert_true(f[stalled].sent < LOTS / 2);
        f[stalled].to = to;
        assert_true(traffic(b, f, PATIENCE_MS));
        came_through(&f[stalled]);
    }
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

static void half_close(enum joint joint, const char *right, int first)
{
    struct bench *b = bench(right, joint);
    start(b);
    struct flow none = {.from = -1, .to = -1}, f[2];
    f[first] = flow(b, first, 1000, false);
    f[!first] = none;
    assert_true(traffic(b, f, PATIENCE_MS)); /* bytes, then end of file */
    came_through(&f[first]);
    f[first] = none;
    f[!first] = flow(b, !first, 100000, false); /* the way back is open */
    assert_true(traffic(b, f, PATIENCE_MS));
    came_through(&f[!first]);
    join(b); /* both have ended: so does the engine */
    assert_false(b->run.failed);
    bench_free(b);
}

static void half_closes(void **state)
{
    (void)state;
    for (int first = LEFT; first <= RIGHT; first++) {
        half_close(SOCKETS, "pipe", first);
        half_close(PIPES, "pipe", first);
    }
}

static void messages(void **state)
{
    static const size_t sizes[] = {1, 100, 5000, 65536, 2};
    static unsigned char p[70000], q[70000];
    (void)state;
    struct bench *b = bench("pipe", MESSAGES);
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = byte_at(i);
    start(b);
    for (int side = LEFT; side <= RIGHT; side++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct pollfd w = {b->out[side][1], POLLOUT, 0}, r = {b->out[!side][0], POLLIN, 0};
            assert_int_equal(poll(&w, 1, PATIENCE_MS), 1);
            assert_int_equal(write(w.fd, p, sizes[i]), sizes[i]);
            if (i % 2 == 0)
                continue; /* two are on their way at once */
            for (size_t k = i - 1; k <= i; k++) {
                assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
                assert_int_equal(read(r.fd, q, sizeof q), sizes[k]);
                assert_memory_equal(p, q, sizes[k]);
            }
        }
    }
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

static void one_way(void **state)
{
    struct settings s = defaults();
    (void)state;
    s.to_left = false;
    struct bench *b = bench_flags("-", "create:x", s, SOCKETS, 0);
    start(b);
    struct flow f[2] = {flow(b, LEFT, LOTS, false), {.from = -1, .to = -1}};
    assert_int_equal(write(b->out[RIGHT][1], "never", 5), 5); /* nobody reads that side */
    assert_true(traffic(b, f, PATIENCE_MS));
    came_through(&f[LEFT]);
    join(b); /* without waiting for the other direction */
    char c;
    assert_true(read(b->out[LEFT][0], &c, 1) <= 0);
    assert_false(b->run.failed);
    bench_free(b);
}

/* Bytes that a dialog read too far come first. */
static void unread_first(void **state)
{
    struct err e;
    char text[16] = "";
    (void)state;
    struct bench *b = bench("pipe", SOCKETS);
    assert_int_equal(port_unread(b->engine.side[RIGHT].port, "lo ", 3, &e), 0);
    assert_int_equal(port_unread(b->engine.side[RIGHT].port, "hel", 3, &e), 0);
    assert_int_equal(write(b->out[RIGHT][1], "world", 5), 5);
    start(b);
    struct pollfd r = {b->out[LEFT][0], POLLIN, 0};
    for (size_t n = 0; n < 11;) {
        assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
        ssize_t k = read(r.fd, text + n, sizeof text - 1 - n);
        assert_true(k > 0);
        n += (size_t)k;
    }
    assert_string_equal(text, "hello world");
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

/* ---- ends ---- */

static void stop_request(void **state)
{
    const uint64_t one = 1;
    (void)state;
    struct bench *b = bench("pipe", SOCKETS);
    start(b);
    struct flow f[2] = {flow(b, LEFT, LOTS, true), {.from = -1, .to = -1}};
    f[LEFT].to = -1;
    assert_false(traffic(b, f, 300)); /* the reader is stalled, the engine holds bytes */
    assert_int_equal(write(b->stop_fd, &one, sizeof one), sizeof one);
    join(b);
    assert_true((atomic_load(&b->run.lost[0]) + atomic_load(&b->run.lost[1])) > 0); /* and says that they were not delivered */
    bench_free(b);
}

static void reader_gone(enum joint joint, unsigned flags, bool fails, bool loses)
{
    struct bench *b = bench_flags("-", "pipe", defaults(), joint, flags);
    start(b);
    struct flow f[2] = {flow(b, LEFT, LOTS, true), {.from = -1, .to = -1}};
    f[LEFT].to = -1;
    assert_false(traffic(b, f, 300));
    hang_up(b, RIGHT);
    struct pollfd r = {b->out[LEFT][0], POLLIN, 0}; /* the engine tells the left side */
    assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
    hang_up(b, LEFT);
    join(b);
    assert_int_equal(b->run.failed, fails);
    assert_int_equal((atomic_load(&b->run.lost[0]) + atomic_load(&b->run.lost[1])) > 0, loses);
    bench_free(b);
}

static void readers_gone(void **state)
{
    (void)state;
    reader_gone(PIPES, 0, true, false);               /* a failed write is the run's failure */
    reader_gone(PIPES, PORT_COOL_WRITE, false, false); /* unless the user does not mind */
    reader_gone(PIPES, PORT_JOINT, false, true); /* a neighbour's end is counted, not blamed */
    reader_gone(SOCKETS, 0, true, false);
    reader_gone(SOCKETS, PORT_JOINT, false, true);
}

/* Used one way, the reader may go while the source is idle: what comes later must not vanish. */
static void reader_gone_one_way(void **state)
{
    static const char *const chains[] = {"create:x", "gzip|create:x"};
    struct settings s = defaults();
    (void)state;
    s.to_left = false;
    for (size_t i = 0; i < 2; i++) {
        struct bench *b = bench_flags("-", chains[i], s, SOCKETS, 0);
        struct pollfd r = {b->out[RIGHT][0], POLLIN, 0};
        start(b);
        assert_int_equal(write(b->out[LEFT][1], "a", 1), 1);
        assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
        hang_up(b, RIGHT);
        (void)!write(b->out[LEFT][1], "b", 1); /* the engine may have noticed already */
        hang_up(b, LEFT);
        join(b);
        assert_true(b->run.failed);
        bench_free(b);
    }
}

/* ---- the border ---- */

static void border(const char *left, const char *right, const char *text, const char *becomes,
                   bool ends)
{
    char got[64];
    size_t n = 0;
    struct bench *b = bench_flags(left, right, defaults(), SOCKETS, 0);
    start(b);
    assert_int_equal(write(b->out[LEFT][1], text, strlen(text)), strlen(text));
    if (!ends)
        (void)shutdown(b->out[LEFT][1], SHUT_WR);
    struct pollfd r = {b->out[RIGHT][0], POLLIN, 0};
    for (ssize_t k = 1; k > 0; n += k > 0 ? (size_t)k : 0) {
        assert_int_equal(poll(&r, 1, PATIENCE_MS), 1);
        k = read(r.fd, got + n, sizeof got - 1 - n);
        assert_true(k >= 0); /* the end comes as end of file */
    }
    got[n] = '\0';
    assert_string_equal(got, becomes);
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    bench_free(b);
}

static void borders(void **state)
{
    (void)state;
    border("-", "pipe", "a\nb\r\nc", "a\nb\r\nc", false);
    border("-", "tcp:h:1,crnl", "a\nb\r\nc", "a\r\nb\r\r\nc", false);
    border("-", "tcp:h:1,cr", "a\nb", "a\rb", false);
    border("-,crnl", "pipe", "a\r\nb\rc\n", "a\nbc\n", false);
    border("-,cr", "tcp:h:1,crnl", "a\rb", "a\r\nb", false);
    border("-,readbytes=4", "pipe", "abcdefgh", "abcd", true);
    border("-,escape=88", "pipe", "abXcd", "ab", true);
    border("-,escape=88,readbytes=1", "pipe", "abXcd", "a", true);
}

/* ---- a port that says "again" ---- */

enum { IN_FRONT = 10000 };
static struct port_ops stutters;
static ssize_t (*reads)(struct port *, void *, size_t);
static atomic_uint in_front[2];
static unsigned luck;

/* So many packets in front that mean nothing, and now and then one between. What is behind them has no
 * edge of its own. */
static ssize_t stutter(struct port *p, void *buf, size_t cap)
{
    atomic_uint *n = p->state;
    luck = luck * 1103515245U + 12345U;
    if (*n > 0 || luck >> 16 & 1) {
        if (*n > 0)
            --*n;
        errno = EINTR;
        return -1;
    }
    return reads(p, buf, cap);
}

static struct bench *stuttering(void)
{
    struct bench *b = bench("pipe", SOCKETS);
    for (int i = 0; i < 2; i++) {
        struct port *p = b->engine.side[i].port;
        stutters = *p->ops;
        reads = stutters.read;
        stutters.read = stutter;
        in_front[i] = IN_FRONT;
        p->state = &in_front[i];
        p->ops = &stutters;
    }
    return b;
}

/* A question, its answer, and then the ends. */
static void comes_through_stutter(struct bench *b)
{
    for (int i = 0; i < 2; i++) {
        struct pollfd there = {b->out[!i][0], POLLIN, 0};
        char c = 0;
        in_front[i] = IN_FRONT;
        assert_int_equal(write(b->out[i][1], "x", 1), 1);
        assert_int_equal(poll(&there, 1, PATIENCE_MS), 1);
        assert_int_equal(read(there.fd, &c, 1), 1);
        assert_int_equal(c, 'x');
    }
    struct flow f[2] = {flow(b, LEFT, 100000, false), flow(b, RIGHT, 100000, false)};
    assert_true(traffic(b, f, PATIENCE_MS));
    came_through(&f[LEFT]);
    came_through(&f[RIGHT]);
}

static void again_in_a_thread(void **state)
{
    (void)state;
    struct bench *b = stuttering();
    start(b);
    comes_through_stutter(b);
    join(b);
    assert_false(b->run.failed);
    bench_free(b);
}

static sem_t left;
static void leaves(struct seat *s)
{
    (void)s;
    (void)sem_post(&left);
}

static void again_in_a_hub(void **state)
{
    (void)state;
    struct err e;
    struct timespec until;
    struct bench *b = stuttering();
    struct hubs *h = hubs_new(&e);
    struct seat seat = {.engine = &b->engine, .ended = leaves};
    assert_non_null(h);
    assert_return_code(sem_init(&left, 0, 0), errno);
    assert_true(hubs_add(h, &seat));
    comes_through_stutter(b);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    assert_return_code(sem_timedwait(&left, &until), errno);
    hubs_free(h, &b->run);
    assert_false(b->run.failed);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_saturated), cmocka_unit_test(stalled_reader),
        cmocka_unit_test(half_closes),         cmocka_unit_test(messages),
        cmocka_unit_test(one_way),             cmocka_unit_test(unread_first),
        cmocka_unit_test(stop_request),        cmocka_unit_test(readers_gone),
        cmocka_unit_test(reader_gone_one_way), cmocka_unit_test(borders),
        cmocka_unit_test(again_in_a_thread),   cmocka_unit_test(again_in_a_hub),
    };
    return cmocka_run_group_tests_name("engine", tests, quiet, NULL);
}
