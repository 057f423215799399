/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY over HTTP/2 in memory: a proxy that is a row of frames, cut at every byte; ends of either side, late answers,
 * resets, windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/http2/http2.h"
#include "../home.h"
#include "http2_frames.h"

static const struct settings at_home = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                        .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};

/* ---- the tunnel ---- */

struct end {
    struct plan *plan;
    struct run run;
    void *st;
    struct buf to_data, from_data, to_wire, from_wire;
    struct session_side data, wire;
    struct frames sent; /* since the preface */
    char got[4096];
    size_t ngot;
    bool taking; /* somebody reads what it gives */
};

static const struct session_ops *ops(const struct end *t) { return t->plan->links[0].fwd->form->ops.session; }

static void over(struct end *t)
{
    ops(t)->close(t->st);
    run_fini(&t->run);
    plan_free(t->plan);
    buf_fini(&t->to_data);
    buf_fini(&t->from_data);
    buf_fini(&t->to_wire);
    buf_fini(&t->from_wire);
}

/* As the engine does, until nothing moves. */
static int turn(struct end *t, struct err *e)
{
    for (int quiet = 0; quiet < 2; quiet++) {
        size_t before = t->from_data.len + t->from_wire.len;
        if (ops(t)->step(t->st, &t->data, &t->wire, e) < 0)
            return -1;
        bool moved = t->to_wire.len > 0 || before != t->from_data.len + t->from_wire.len;
        assert_true(t->sent.n + t->to_wire.len <= sizeof t->sent.bytes);
        memcpy(t->sent.bytes + t->sent.n, buf_data(&t->to_wire), t->to_wire.len);
        t->sent.n += t->to_wire.len;
        buf_consume(&t->to_wire, t->to_wire.len);
        if (t->taking && t->to_data.len > 0) {
            if (t->ngot + t->to_data.len > sizeof t->got)
                t->ngot = 0; /* nobody looks at so much */
            memcpy(t->got + t->ngot, buf_data(&t->to_data), t->to_data.len);
            t->ngot += t->to_data.len;
            buf_consume(&t->to_data, t->to_data.len);
            moved = true;
        }
        quiet -= moved;
    }
    return 0;
}

static void begin(struct end *t, const char *address)
{
    struct err e = {0};
    *t = (struct end){.taking = true};
    assert_int_equal(plan_make(&at_home, "-", address, &t->plan, &e), 0);
    assert_int_equal(t->plan->links[0].fwd->form->kind, FORM_SESSION);
    assert_int_equal(run_init(&t->run, &at_home, t->plan, -1, &e), 0);
    assert_int_equal(buf_init(&t->to_data, 100), 0);
    assert_int_equal(buf_init(&t->from_data, 100), 0);
    assert_int_equal(buf_init(&t->to_wire, 90), 0);
    assert_int_equal(buf_init(&t->from_wire, 1 << 16), 0);
    t->data = (struct session_side){.in = &t->from_data, .out = &t->to_data};
    t->wire = (struct session_side){.in = &t->from_wire, .out = &t->to_wire};
    assert_int_equal(ops(t)->open(t->plan->links[0].fwd, &t->run, NULL, &t->st, &e), 0);
    assert_int_equal(turn(t, &e), 0); /* nobody answers before he is asked */
}

static int hear(struct end *t, const struct frames *f, struct err *e)
{
    assert_int_equal(buf_put(&t->from_wire, f->bytes, f->n), f->n);
    return turn(t, e);
}

static int say(struct end *t, const char *s, bool ends, struct err *e)
{
    assert_int_equal(buf_put(&t->from_data, s, strlen(s)), strlen(s));
    t->data.in_eof = ends;
    return turn(t, e);
}

static struct seen seen(const struct end *t, unsigned type) { return frames_seen(&t->sent, type); }

static void same_got(const struct end *t, const char *s)
{
    assert_int_equal(t->ngot, strlen(s));
    assert_memory_equal(t->got, s, strlen(s));
}

#define ADDRESS "proxy:www.example:443,http-version=2|pipe"

static void stand(struct end *t, const char *address)
{
    struct frames f = {.n = 0};
    struct err e = {0};
    begin(t, address);
    frame(&f, SETTINGS, 0, 0, NULL, 0);
    frame(&f, SETTINGS, ACK, 0, NULL, 0);
    assert_false(ops(t)->ready(t->st));
    status(&f, 0, 1, "103", NULL);
    status(&f, 0, 1, "200", NULL);
    assert_int_equal(hear(t, &f, &e), 0);
    assert_true(ops(t)->ready(t->st));
}

static bool is_over(const struct end *t)
{
    return t->data.out_eof && t->wire.out_eof && seen(t, GOAWAY).n == 1 && seen(t, RST_STREAM).n == 0;
}

/* ---- ends ---- */

/* Each side's end is its own, whichever comes first, and what follows it from the other side arrives. */
static void ends(void **state)
{
    struct frames f;
    struct err e = {0};
    struct end t;
    (void)state;
    for (int first = 0; first < 2; first++) {
        stand(&t, ADDRESS);
        struct seen settings = seen(&t, SETTINGS);
        assert_true(settings.n >= 1);
        assert_int_equal(say(&t, "question", first == 0, &e), 0);
        assert_int_equal(seen(&t, DATA).all, 8);
        assert_int_equal(seen(&t, DATA).flags & END, first == 0);
        f.n = 0;
        text(&f, 0, 1, "late ");
        text(&f, first == 1 ? END : 0, 1, "answer");
        assert_int_equal(hear(&t, &f, &e), 0);
        same_got(&t, "late answer");
        assert_int_equal(t.data.out_eof, first == 1);
        assert_false(t.wire.out_eof);
        f.n = 0;
        text(&f, END, 1, "");
        assert_int_equal(first == 1 ? say(&t, " and more", true, &e) : hear(&t, &f, &e), 0);
        assert_int_equal(seen(&t, DATA).all, first == 1 ? 17 : 8);
        assert_true(seen(&t, DATA).flags & END);
        assert_true(is_over(&t));
        over(&t);
    }
}

/* Wherever what the proxy says is cut in two, it means the same; wherever it is cut off, that is no end. */
static void cut_anywhere(void **state)
{
    struct frames f = {.n = 0};
    (void)state;
    frame(&f, SETTINGS, 0, 0, (const unsigned char[]){0, 4, 0, 1, 0, 0}, 6);
    status(&f, 0, 1, "100", NULL);
    status(&f, 0, 1, "204", NULL);
    text(&f, 0, 1, "one ");
    frame(&f, WINDOW_UPDATE, 0, 1, (const unsigned char[]){0, 0, 1, 0}, 4);
    frame(&f, 250, 0, 1, "nobody knows this one", 21);
    text(&f, END, 1, "two");
    for (size_t at = 0; at <= f.n; at++) {
        struct err e = {0};
        struct end t;
        begin(&t, ADDRESS);
        buf_put(&t.from_data, "early", 5);
        t.data.in_eof = true;
        buf_put(&t.from_wire, f.bytes, at);
        assert_int_equal(turn(&t, &e), 0);
        buf_put(&t.from_wire, f.bytes + at, f.n - at);
        assert_int_equal(turn(&t, &e), 0);
        same_got(&t, "one two");
        assert_int_equal(seen(&t, DATA).all, 5);
        assert_true(is_over(&t));
        over(&t);

        begin(&t, ADDRESS);
        t.wire.in_eof = true;
        buf_put(&t.from_wire, f.bytes, at);
        int rc = turn(&t, &e);
        assert_int_equal(rc, at == f.n ? 0 : -1);
        assert_int_equal(t.data.out_eof, at == f.n);
        if (rc < 0)
            assert_int_equal(e.kind, ERR_PROTOCOL);
        over(&t);
    }
}

static void resets(void **state)
{
    static const struct {
        unsigned char code;
        bool stands;
        enum err_kind kind;
        const char *text;
    } list[] = {
        {10, true, ERR_REFUSED, "the proxy reset the stream: CONNECT_ERROR"},
        {0, true, ERR_REFUSED, "the proxy closed the stream before its end"},
        {10, false, ERR_REFUSED, "the proxy reset the stream to www.example:443: CONNECT_ERROR"},
        {7, false, ERR_BUSY, "the proxy reset the stream to www.example:443: REFUSED_STREAM"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct frames f = {.n = 0};
        struct err e = {0};
        struct end t;
        begin(&t, ADDRESS);
        frame(&f, SETTINGS, 0, 0, NULL, 0);
        if (list[i].stands) {
            status(&f, 0, 1, "200", NULL);
            text(&f, 0, 1, "before");
        }
        reset(&f, 1, list[i].code);
        buf_put(&t.from_data, "x", 1);
        assert_int_equal(hear(&t, &f, &e), -1);
        assert_int_equal(e.kind, list[i].kind);
        assert_string_equal(e.text, list[i].text);
        assert_int_equal(t.ngot + t.to_data.len, list[i].stands ? 6 : 0);
        assert_false(t.data.out_eof);
        over(&t);
    }
}

/* What came without its end has none there, either. */
static void cuts_are_passed_on(void **state)
{
    struct err e = {0};
    struct end t;
    (void)state;
    stand(&t, ADDRESS);
    t.data.in_cut = true;
    assert_int_equal(say(&t, "half", false, &e), 0);
    assert_int_equal(seen(&t, DATA).all, 4);
    assert_int_equal(seen(&t, DATA).flags & END, 0);
    assert_int_equal(seen(&t, RST_STREAM).n, 1);
    assert_int_equal(seen(&t, RST_STREAM).payload[3], 10);
    over(&t);
}

/* ---- windows ---- */

static void nobody_takes_it(void **state)
{
    static char block[16000];
    struct frames f = {.n = 0};
    struct err e = {0};
    struct end t;
    int rc = 0;
    size_t sent = 0;
    (void)state;
    stand(&t, ADDRESS);
    unsigned updates = seen(&t, WINDOW_UPDATE).n;
    assert_int_equal(updates, 1); /* of the connection; the stream's stands in SETTINGS */
    t.taking = false;
    frame(&f, DATA, 0, 1, block, sizeof block);
    for (; rc == 0 && sent + sizeof block <= HTTP2_WINDOW; sent += sizeof block)
        rc = hear(&t, &f, &e);
    assert_int_equal(rc, 0);
    assert_int_equal(seen(&t, WINDOW_UPDATE).n, updates);
    assert_int_equal(((struct tunnel *)t.st)->got.len + t.to_data.len, sent);
    assert_true(((struct tunnel *)t.st)->got.cap <= 2 * HTTP2_WINDOW + sizeof block);
    /* more than was allowed */
    for (int i = 0; rc == 0 && i < 2; i++)
        rc = hear(&t, &f, &e);
    assert_true(rc < 0 || seen(&t, GOAWAY).n + seen(&t, RST_STREAM).n > 0);
    t.data.unwanted = true;
    rc = turn(&t, &e);
    over(&t);
    /* who takes it makes room, and nothing is kept */
    stand(&t, ADDRESS);
    for (sent = 0; sent < 3 * HTTP2_WINDOW; sent += sizeof block) {
        assert_int_equal(hear(&t, &f, &e), 0);
        t.ngot = t.sent.n = 0;
    }
    assert_true(((struct tunnel *)t.st)->got.cap <= 65536);
    over(&t);
}

/* What may not go yet stays where it is. */
static void their_window(void **state)
{
    struct frames f = {.n = 0};
    struct err e = {0};
    struct end t;
    (void)state;
    begin(&t, ADDRESS);
    frame(&f, SETTINGS, 0, 0, (const unsigned char[]){0, 4, 0, 0, 0, 5}, 6);
    status(&f, 0, 1, "200", NULL);
    assert_int_equal(hear(&t, &f, &e), 0);
    assert_int_equal(say(&t, "0123456789", true, &e), 0);
    assert_int_equal(seen(&t, DATA).all, 5);
    assert_int_equal(seen(&t, DATA).flags & END, 0);
    assert_int_equal(t.from_data.len, 5);
    f.n = 0;
    frame(&f, WINDOW_UPDATE, 0, 1, (const unsigned char[]){0, 0, 0, 5}, 4);
    assert_int_equal(hear(&t, &f, &e), 0);
    assert_int_equal(seen(&t, DATA).all, 10);
    assert_true(seen(&t, DATA).flags & END);
    over(&t);
}

/* ---- who we are ---- */

static void refusals(void **state)
{
    static const struct {
        const char *options, *status, *challenge;
        unsigned requests; /* in all */
        enum err_kind kind;
        const char *text; /* NULL: it is asked once more */
    } list[] = {
        {"", "502", NULL, 1, ERR_UNREACHABLE, "the proxy refused www.example:443: 502"},
        {"", "407", "Basic realm=r", 1, ERR_DENIED, "the proxy refused www.example:443: 407; give proxy-authorization (it offers Basic)"},
        {",proxyauth=u:p", "407", "Basic realm=r", 1, ERR_DENIED,
         "the proxy refused www.example:443: 407 (the credentials were sent; it offers Basic)"},
        {",proxyauth=u:p", "407", "Digest realm=r, nonce=n, qop=auth, algorithm=SHA-256", 2},
        {",proxyauth=u:p,proxy-auth-scheme=any", "407", "Basic realm=r", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct frames f = {.n = 0};
        struct err e = {0};
        struct end t;
        char address[200];
        (void)snprintf(address, sizeof address, "proxy:www.example:443,http-version=2%s|pipe", list[i].options);
        begin(&t, address);
        frame(&f, SETTINGS, 0, 0, NULL, 0);
        status(&f, 0, 1, list[i].status, list[i].challenge);
        text(&f, END, 1, "a page that nobody reads");
        int rc = hear(&t, &f, &e);
        assert_int_equal(seen(&t, HEADERS).n, list[i].requests);
        assert_int_equal(rc, list[i].text ? -1 : 0);
        if (list[i].text) {
            assert_int_equal(e.kind, list[i].kind);
            assert_string_equal(e.text, list[i].text);
        } else {
            f.n = 0;
            status(&f, 0, 3, "200", NULL);
            text(&f, END, 3, "well");
            assert_int_equal(hear(&t, &f, &e), 0);
            same_got(&t, "well");
        }
        over(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),          cmocka_unit_test(cut_anywhere), cmocka_unit_test(resets), cmocka_unit_test(cuts_are_passed_on),
        cmocka_unit_test(nobody_takes_it), cmocka_unit_test(their_window), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
