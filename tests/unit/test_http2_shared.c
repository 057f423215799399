/* SPDX-License-Identifier: GPL-2.0-or-later
 * One connection of HTTP/2 for many lines, in memory: a proxy that is a row of frames on one side, lines with streams on
 * the other. What one of them does, or does not, is no other one's trouble. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "engine/port/stream.h"
#include "inter/http2/http2.h"
#include "../home.h"
#include "http2_frames.h"

static const struct settings at_home = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                        .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};

/* ---- the connection ---- */

struct many {
    struct plan *plan;
    struct run run;
    struct trunk trunk;
    void *st;
    struct buf none, also_none, to_wire, from_wire;
    struct session_side data, wire;
    struct frames sent;
};

static const struct session_ops *ops(const struct many *m) { return m->plan->trunk->links[0].fwd->form->ops.session; }

static void not_freed(struct trunk *t) { (void)t; }

/* As the engine does, until nothing moves. What has been sent is kept as long as there is room. */
static int turn(struct many *m, struct err *e)
{
    (void)eventfd_read(m->trunk.look_fd, &(eventfd_t){0});
    for (bool moved = true; moved;) {
        size_t before = m->from_wire.len;
        if (ops(m)->step(m->st, &m->data, &m->wire, e) < 0)
            return -1;
        moved = m->to_wire.len > 0 || before != m->from_wire.len;
        if (m->sent.n + m->to_wire.len > sizeof m->sent.bytes)
            m->sent.n = 24;
        memcpy(m->sent.bytes + m->sent.n, buf_data(&m->to_wire), m->to_wire.len);
        m->sent.n += m->to_wire.len;
        buf_consume(&m->to_wire, m->to_wire.len);
    }
    return 0;
}

static int hear(struct many *m, const struct frames *f, struct err *e)
{
    assert_int_equal(buf_put(&m->from_wire, f->bytes, f->n), f->n);
    return turn(m, e);
}

/* most: streams at a time. */
static void begin(struct many *m, const char *options, unsigned char most)
{
    char address[200];
    struct frames f = {.n = 0};
    struct err e = {0};
    (void)snprintf(address, sizeof address, "proxy:www.example:443,http-version=2,share%s|pipe", options);
    *m = (struct many){.st = NULL};
    assert_int_equal(plan_make(&at_home, "tcp-l:1,thread", address, &m->plan, &e), 0);
    assert_non_null(m->plan->trunk);
    assert_int_equal(run_init(&m->run, m->plan->trunk->settings, m->plan->trunk, -1, &e), 0);
    assert_int_equal(trunk_init(&m->trunk, SIZE_MAX, not_freed, &e), 0);
    m->run.trunk = &m->trunk;
    assert_int_equal(buf_init(&m->to_wire, 90), 0);
    assert_int_equal(buf_init(&m->from_wire, 1 << 17), 0);
    m->data = (struct session_side){.in = &m->none, .out = &m->also_none, .unwanted = true};
    m->wire = (struct session_side){.in = &m->from_wire, .out = &m->to_wire};
    assert_int_equal(ops(m)->open(m->plan->trunk->links[0].fwd, &m->run, NULL, &m->st, &e), 0);
    assert_int_equal(turn(m, &e), 0);
    assert_false(ops(m)->ready(m->st));
    frame(&f, SETTINGS, 0, 0, (const unsigned char[]){0, 3, 0, 0, 0, most}, 6);
    frame(&f, SETTINGS, ACK, 0, NULL, 0);
    assert_int_equal(hear(m, &f, &e), 0);
    assert_true(ops(m)->ready(m->st));
    trunk_opened(&m->trunk);
}

static void over(struct many *m)
{
    ops(m)->close(m->st);
    trunk_over(&m->trunk, true, NULL);
    assert_int_equal(m->trunk.n, 0);
    assert_int_equal(m->trunk.refs, 1); /* every stream has been given back */
    trunk_drop(&m->trunk);
    run_fini(&m->run);
    plan_free(m->plan);
    buf_fini(&m->to_wire);
    buf_fini(&m->from_wire);
}

/* ---- a line ---- */

struct asker {
    struct run run;
    struct stream *s;
    struct port *port;
    int64_t patience;
    pthread_t thread;
    int rc;
    struct err e;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    a->rc = stream_ask(a->s, &a->run, a->patience, &a->e);
    return NULL;
}

static void forget(void *state)
{
    challenges_fini(&((struct http2_asking *)state)->challenges);
}

static void start(struct many *m, struct asker *a, int64_t patience)
{
    struct err e = {0};
    *a = (struct asker){.patience = patience};
    assert_int_equal(run_init(&a->run, &at_home, m->plan, -1, &e), 0);
    a->s = stream_new(&m->trunk, sizeof(struct http2_asking), forget, &e);
    assert_non_null(a->s);
    (void)snprintf(((struct http2_asking *)stream_state(a->s))->target, 20, "www.example:443");
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
    struct pollfd p = {.fd = m->trunk.look_fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(turn(m, &e), 0);
}

/* What stream_ask() has given it. */
static int told(struct asker *a)
{
    assert_int_equal(pthread_join(a->thread, NULL), 0);
    return a->rc;
}

static void leave(struct many *m, struct asker *a)
{
    struct err e;
    if (a->port)
        port_close(a->port);
    else
        stream_leave(a->s);
    run_fini(&a->run);
    assert_int_equal(turn(m, &e), 0);
}

/* It gets its tunnel, by a stream of that number. */
static void stand(struct many *m, struct asker *a, unsigned id)
{
    struct frames f = {.n = 0};
    struct err e = {0};
    start(m, a, -1);
    assert_int_equal(frames_seen(&m->sent, HEADERS).stream, id);
    status(&f, 0, id, "200", NULL);
    assert_int_equal(hear(m, &f, &e), 0);
    assert_int_equal(told(a), 0);
    assert_int_equal(((struct http2_asking *)stream_state(a->s))->status, 200);
    assert_int_equal(stream_port(a->s, "line", &a->port, &e), 0);
}

static bool is_readable(int fd) { return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1; }
static bool is_writable(int fd) { return poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 0) == 1; }

static void gets(struct asker *a, const char *s)
{
    char got[100];
    if (*s)
        assert_true(is_readable(a->port->rfd));
    assert_int_equal(port_read(a->port, got, sizeof got), strlen(s));
    assert_memory_equal(got, s, strlen(s));
}

static void gets_nothing(struct asker *a)
{
    char got[100];
    assert_false(is_readable(a->port->rfd));
    assert_int_equal(port_read(a->port, got, sizeof got), -1);
    assert_int_equal(errno, EAGAIN);
}

static void says(struct many *m, struct asker *a, const char *s)
{
    struct err e;
    m->sent.n = 24; /* the preface stays */
    assert_int_equal(port_write(a->port, s, strlen(s)), strlen(s));
    assert_int_equal(turn(m, &e), 0);
}

static void ends(struct many *m, struct asker *a)
{
    struct err e;
    m->sent.n = 24;
    assert_int_equal(port_shutdown(a->port, &e), 0);
    assert_int_equal(turn(m, &e), 0);
}

/* ---- tests ---- */

static void each_for_itself(void **state)
{
    struct many m;
    struct asker a, b;
    struct frames f = {.n = 0};
    struct err e = {0};
    (void)state;
    begin(&m, "=7", 100);
    stand(&m, &a, 1);
    stand(&m, &b, 3);
    text(&f, 0, 3, "to b");
    text(&f, 0, 1, "to a");
    assert_int_equal(hear(&m, &f, &e), 0);
    gets(&a, "to a");
    gets(&b, "to b");
    gets_nothing(&a);
    says(&m, &b, "from b");
    assert_int_equal(frames_seen(&m.sent, DATA).stream, 3);
    assert_int_equal(frames_seen(&m.sent, DATA).all, 6);
    /* an end is one flow's */
    ends(&m, &b);
    assert_int_equal(frames_seen(&m.sent, DATA).stream, 3);
    assert_true(frames_seen(&m.sent, DATA).flags & END);
    f.n = 0;
    text(&f, END, 1, "last of a");
    text(&f, 0, 3, "more for b");
    assert_int_equal(hear(&m, &f, &e), 0);
    gets(&a, "last of a");
    gets(&a, "");
    gets(&b, "more for b");
    gets_nothing(&b);
    says(&m, &a, "a goes on");
    assert_int_equal(frames_seen(&m.sent, DATA).stream, 1);
    ends(&m, &a);
    f.n = 0;
    text(&f, END, 3, "");
    assert_int_equal(hear(&m, &f, &e), 0);
    gets(&b, "");
    leave(&m, &a);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).n, 0);
    leave(&m, &b);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).n, 0);
    /* none is left, and none is waited for any more */
    assert_int_equal(frames_seen(&m.sent, GOAWAY).n, 0);
    assert_true(ops(&m)->due(m.st) > wait_now() + 6000 && ops(&m)->due(m.st) <= wait_now() + 7000);
    m.data.in_eof = true;
    assert_int_equal(turn(&m, &e), 0);
    assert_int_equal(frames_seen(&m.sent, GOAWAY).n, 1);
    assert_true(m.wire.out_eof);
    assert_null(stream_new(&m.trunk, 0, NULL, &e));
    over(&m);
}

static void who_goes(void **state)
{
    struct many m;
    struct asker a, b, c;
    struct err e = {0};
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    stand(&m, &b, 3);
    start(&m, &c, -1);
    says(&m, &a, "half");
    leave(&m, &a); /* without an end */
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).stream, 1);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).payload[3], NGHTTP2_CONNECT_ERROR);
    m.sent.n = 24;
    assert_int_equal(port_write(b.port, "all", 3), 3);
    assert_int_equal(port_shutdown(b.port, &e), 0);
    leave(&m, &b); /* with it */
    assert_int_equal(frames_seen(&m.sent, DATA).all, 3);
    assert_true(frames_seen(&m.sent, DATA).flags & END);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).n, 0);
    assert_true(ops(&m)->due(m.st) > wait_now() && ops(&m)->due(m.st) < wait_now() + 3000);
    assert_int_equal(m.trunk.n, 2);
    /* the connection has gone: nothing is known of what c has asked for */
    m.wire.in_eof = true;
    assert_int_equal(turn(&m, &e), 0);
    assert_int_equal(told(&c), 1);
    leave(&m, &c);
    over(&m);
}

static void nobody_takes_it(void **state)
{
    static char block[16000];
    enum { STALLED = 256 * 1024 };
    struct many m;
    struct asker a, b;
    struct frames to_a = {.n = 0}, to_b = {.n = 0};
    struct err e = {0};
    size_t sent = 0;
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    stand(&m, &b, 3);
    frame(&to_a, DATA, 0, 1, block, sizeof block);
    frame(&to_b, DATA, 0, 3, block, sizeof block);
    for (; sent + sizeof block <= STALLED; sent += sizeof block)
        assert_int_equal(hear(&m, &to_a, &e), 0);
    /* the other one gets much more than all may have on its way */
    for (size_t n = 0; n < 8u << 20; n += sizeof block) {
        m.sent.n = 24;
        assert_int_equal(hear(&m, &to_b, &e), 0);
        assert_int_equal(port_read(b.port, block, sizeof block), sizeof block);
        assert_int_equal(turn(&m, &e), 0);
        assert_int_equal(frames_seen(&m.sent, RST_STREAM).n + frames_seen(&m.sent, GOAWAY).n, 0);
    }
    /* more than was allowed is that one's end */
    m.sent.n = 24;
    for (int i = 0; i < 2; i++)
        assert_int_equal(hear(&m, &to_a, &e), 0);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).stream, 1);
    says(&m, &b, "well");
    assert_int_equal(frames_seen(&m.sent, DATA).stream, 3);
    leave(&m, &a);
    leave(&m, &b);
    over(&m);
}

static void they_take_nothing(void **state)
{
    static char block[16000];
    struct many m;
    struct asker a, b;
    struct frames f = {.n = 0};
    struct err e = {0};
    size_t kept = 0;
    ssize_t n;
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    stand(&m, &b, 3);
    frame(&f, WINDOW_UPDATE, 0, 0, (const unsigned char[]){0, 16, 0, 0}, 4);
    assert_int_equal(hear(&m, &f, &e), 0);
    while ((n = port_write(a.port, block, sizeof block)) > 0) {
        kept += (size_t)n;
        assert_int_equal(turn(&m, &e), 0);
    }
    assert_int_equal(errno, EAGAIN);
    assert_false(is_writable(a.port->wfd));
    assert_true(kept <= 65535 + 2 * STREAM_AHEAD); /* the window's, and what waits */
    assert_true(is_writable(b.port->wfd));
    says(&m, &b, "goes by");
    assert_int_equal(frames_seen(&m.sent, DATA).stream, 3);
    f.n = 0;
    frame(&f, WINDOW_UPDATE, 0, 1, (const unsigned char[]){0, 2, 0, 0}, 4);
    assert_int_equal(hear(&m, &f, &e), 0);
    assert_true(is_writable(a.port->wfd));
    leave(&m, &a);
    leave(&m, &b);
    over(&m);
}

/* Those above the last one that it says it knows ask elsewhere; the others go on. */
static void proxy_leaves(void **state)
{
    struct many m;
    struct asker a, b, c;
    struct frames f = {.n = 0};
    struct err e = {0};
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    start(&m, &b, -1);
    frame(&f, GOAWAY, 0, 0, (const unsigned char[]){0, 0, 0, 1, 0, 0, 0, 0}, 8);
    assert_int_equal(hear(&m, &f, &e), 0);
    assert_int_equal(told(&b), 1);
    leave(&m, &b);
    assert_null(stream_new(&m.trunk, 0, NULL, &e));
    says(&m, &a, "still there");
    assert_int_equal(frames_seen(&m.sent, DATA).all, 11);
    ends(&m, &a);
    assert_false(m.wire.out_eof);
    f.n = 0;
    text(&f, END, 1, "so am I");
    assert_int_equal(hear(&m, &f, &e), 0);
    gets(&a, "so am I");
    gets(&a, "");
    assert_true(m.wire.out_eof);
    leave(&m, &a);
    over(&m);
    /* too many, or refused as such */
    begin(&m, "", 1);
    stand(&m, &a, 1);
    assert_null(stream_new(&m.trunk, 0, NULL, &e));
    assert_int_equal(e.kind, ERR_NONE);
    leave(&m, &a);
    start(&m, &b, -1);
    f.n = 0;
    reset(&f, 3, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(hear(&m, &f, &e), 0);
    assert_int_equal(told(&b), 1);
    leave(&m, &b);
    /* asked before it was known how many there may be */
    trunk_has_room(&m.trunk, 5);
    stand(&m, &a, 5);
    start(&m, &c, -1);
    assert_int_equal(told(&c), 1);
    leave(&m, &c);
    leave(&m, &a);
    over(&m);
}

static void resets(void **state)
{
    static const struct {
        unsigned char code;
        bool stands;
        const char *text;
    } list[] = {
        {10, true, "second address, link 1 \"proxy\": the proxy reset the stream: CONNECT_ERROR"},
        {0, true, "second address, link 1 \"proxy\": the proxy closed the stream before its end"},
        {10, false, "the proxy reset the stream to www.example:443: CONNECT_ERROR"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct many m;
        struct asker a, b;
        struct frames f = {.n = 0};
        struct err e = {0};
        char got[10];
        begin(&m, "", 100);
        stand(&m, &b, 1);
        if (list[i].stands)
            stand(&m, &a, 3);
        else
            start(&m, &a, -1);
        if (list[i].stands)
            text(&f, 0, 3, "before");
        reset(&f, 3, list[i].code);
        assert_int_equal(hear(&m, &f, &e), 0);
        if (list[i].stands) {
            gets(&a, "before");
            assert_true(is_readable(a.port->rfd) && is_writable(a.port->wfd));
            assert_int_equal(port_read(a.port, got, sizeof got), -1);
            assert_int_equal(errno, ECONNRESET);
            assert_string_equal(a.port->why->text, list[i].text);
            assert_int_equal(port_write(a.port, "x", 1), -1);
            assert_int_equal(errno, EPIPE);
        } else {
            assert_int_equal(told(&a), -1);
            assert_int_equal(a.e.kind, ERR_REFUSED);
            assert_string_equal(a.e.text, list[i].text);
        }
        says(&m, &b, "well");
        assert_int_equal(frames_seen(&m.sent, DATA).stream, 1);
        leave(&m, &a);
        leave(&m, &b);
        over(&m);
    }
}

static void refusals(void **state)
{
    struct many m;
    struct asker a;
    struct frames f = {.n = 0};
    struct err e = {0};
    (void)state;
    begin(&m, "", 100);
    start(&m, &a, -1);
    status(&f, 0, 1, "407", "Basic realm=r");
    text(&f, END, 1, "a page that nobody reads");
    assert_int_equal(hear(&m, &f, &e), 0);
    assert_int_equal(told(&a), 0);
    const struct http2_asking *q = stream_state(a.s);
    assert_int_equal(q->status, 407);
    assert_string_equal(q->challenges.names, "Basic");
    leave(&m, &a);
    assert_int_equal(m.trunk.n, 0);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).stream, 1);
    over(&m);
}

/* A connection on which nothing comes any more is for nobody else. */
static void no_answer(void **state)
{
    struct many m;
    struct asker a, b;
    struct frames f = {.n = 0};
    struct err e = {0};
    (void)state;
    begin(&m, "", 100);
    start(&m, &a, 100);
    assert_int_equal(told(&a), -1);
    assert_int_equal(a.e.kind, ERR_TIMEOUT);
    assert_null(stream_new(&m.trunk, 0, NULL, &e));
    leave(&m, &a);
    assert_int_equal(frames_seen(&m.sent, RST_STREAM).payload[3], NGHTTP2_CANCEL);
    over(&m);
    /* one that speaks, but not of this */
    begin(&m, "", 100);
    stand(&m, &b, 1);
    start(&m, &a, 100);
    (void)poll(NULL, 0, 5);
    text(&f, 0, 1, "x");
    assert_int_equal(hear(&m, &f, &e), 0);
    assert_int_equal(told(&a), -1);
    assert_int_equal(a.e.kind, ERR_TIMEOUT);
    struct stream *s = stream_new(&m.trunk, 0, NULL, &e);
    assert_non_null(s);
    stream_leave(s);
    leave(&m, &a);
    leave(&m, &b);
    over(&m);
}

/* Whatever ends all of it is told to each. */
static void all_fail(void **state)
{
    struct many m;
    struct asker a, b;
    struct frames f = {.n = 0};
    struct err e = {0}, why = {.kind = ERR_OTHER, .text = "that is why"};
    char got[10];
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    start(&m, &b, -1);
    frame(&f, DATA, 0, 0, "x", 1); /* of no stream */
    int rc = hear(&m, &f, &e);
    assert_true(rc < 0 || frames_seen(&m.sent, GOAWAY).n > 0);
    ops(&m)->close(m.st);
    m.st = NULL;
    trunk_over(&m.trunk, true, &why);
    assert_int_equal(told(&b), 1);
    assert_int_equal(port_read(a.port, got, sizeof got), -1);
    assert_string_equal(a.port->why->text, "that is why");
    port_close(a.port);
    stream_leave(b.s);
    run_fini(&a.run);
    run_fini(&b.run);
    over(&m);
    /* it was never open */
    begin(&m, "", 100);
    m.trunk.state = TRUNK_OPENING;
    start(&m, &a, 1);
    struct stream *late = stream_new(&m.trunk, 0, NULL, &e);
    ops(&m)->close(m.st);
    m.st = NULL;
    trunk_over(&m.trunk, false, &why);
    assert_int_equal(told(&a), -1);
    assert_string_equal(a.e.text, "that is why");
    assert_int_equal(stream_ask(late, &a.run, 1, &e), -1);
    assert_string_equal(e.text, "that is why");
    stream_leave(late);
    stream_leave(a.s);
    run_fini(&a.run);
    over(&m);
}

/* What a line does while the session parts with its stream is no news, and asks for nothing. */
static void no_news_behind(void **state)
{
    struct many m;
    struct asker a;
    struct err e = {0};
    (void)state;
    begin(&m, "", 100);
    stand(&m, &a, 1);
    ops(&m)->close(m.st);
    m.st = NULL;
    assert_int_equal(port_write(a.port, "late", 4), 4);
    assert_true(is_readable(m.trunk.look_fd));
    stream_part(a.s);
    assert_null(trunk_next(&m.trunk));
    assert_int_equal(port_write(a.port, "later", 5), -1);
    assert_int_equal(port_shutdown(a.port, &e), 0);
    assert_null(trunk_next(&m.trunk));
    port_close(a.port);
    run_fini(&a.run);
    over(&m);
}

/* Who was refused while it was being opened is told, and nobody is taken in that has no room. */
static void told_early(void **state)
{
    struct trunk t;
    struct err e = {0};
    struct port *p;
    (void)state;
    assert_int_equal(trunk_init(&t, 1, not_freed, &e), 0);
    struct stream *s = stream_new(&t, 0, NULL, &e);
    assert_null(stream_new(&t, 0, NULL, &e));
    stream_refuse(s);
    trunk_opened(&t);
    assert_int_equal(stream_port(s, "line", &p, &e), 0);
    assert_true(is_readable(p->rfd));
    stream_part(s);
    port_close(p);
    assert_int_equal(t.n, 0);
    trunk_drop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_for_itself), cmocka_unit_test(who_goes), cmocka_unit_test(nobody_takes_it),
        cmocka_unit_test(they_take_nothing), cmocka_unit_test(proxy_leaves), cmocka_unit_test(resets),
        cmocka_unit_test(refusals), cmocka_unit_test(no_answer), cmocka_unit_test(all_fail),
        cmocka_unit_test(no_news_behind), cmocka_unit_test(told_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
