/* SPDX-License-Identifier: GPL-2.0-or-later
 * Telnet in memory: options are agreed upon without going round in circles, every byte may be the last of a
 * read, text and BINARY, terminals, serial lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "inter/telnet/qmethod.h"
#include "../home.h"

/* ---- the Q method ---- */

/* One option between two of us: what either says reaches the other, in order. */
struct talk {
    struct q q[2];
    int line[2][8]; /* to that side: 1 on, 0 off */
    size_t n[2];
    unsigned said;
};

static void say(struct talk *t, int to, enum q_says says)
{
    if (says == Q_SILENT)
        return;
    assert_in_range(t->n[to], 0, 7);
    t->line[to][t->n[to]++] = says == Q_ON;
    t->said++;
}

static bool hear(struct talk *t, int side)
{
    if (t->n[side] == 0)
        return false;
    bool on = t->line[side][0];
    memmove(t->line[side], t->line[side] + 1, sizeof t->line[side] - sizeof t->line[side][0]);
    t->n[side]--;
    say(t, !side, q_hear(&t->q[side], on));
    return true;
}

/* Six moves of all kinds in all orders: each side asks, changes its mind, hears. In the end both agree. */
static void nobody_goes_round_in_circles(void **state)
{
    (void)state;
    for (unsigned may = 0; may < 4; may++)
        for (unsigned moves = 0; moves < 6 * 6 * 6 * 6 * 6 * 6; moves++) {
            struct talk t = {.q = {{.may = may & 1}, {.may = may & 2}}};
            for (unsigned i = 0, m = moves; i < 6; i++, m /= 6) {
                int side = m % 2;
                unsigned what = m % 6 / 2;
                if (what < 2)
                    say(&t, !side, q_want(&t.q[side], what));
                else
                    (void)hear(&t, side);
            }
            while (hear(&t, 0) || hear(&t, 1))
                assert_true(t.said < 40);
            for (int i = 0; i < 2; i++)
                assert_true(q_is_settled(&t.q[i]) && !t.q[i].opposite);
            assert_int_equal(t.q[0].state, t.q[1].state);
        }
}

/* Answers, nonsense among them, as RFC 1143 has them. */
static void answers_of_all_kinds(void **state)
{
    static const struct {
        struct q before;
        bool on;
        enum q_says says;
        enum q_state after;
    } rows[] = {
        {{Q_WANT_NO, false, true}, false, Q_SILENT, Q_NO},   {{Q_WANT_NO, true, true}, false, Q_ON, Q_WANT_YES},
        {{Q_WANT_NO, false, true}, true, Q_SILENT, Q_NO},    {{Q_WANT_NO, true, true}, true, Q_SILENT, Q_YES},
        {{Q_WANT_YES, false, true}, true, Q_SILENT, Q_YES},  {{Q_WANT_YES, true, true}, true, Q_OFF, Q_WANT_NO},
        {{Q_WANT_YES, false, true}, false, Q_SILENT, Q_NO},  {{Q_WANT_YES, true, true}, false, Q_SILENT, Q_NO},
        {{Q_NO, false, false}, true, Q_OFF, Q_NO},           {{Q_NO, false, true}, true, Q_ON, Q_YES},
        {{Q_NO, false, true}, false, Q_SILENT, Q_NO},        {{Q_YES, false, false}, false, Q_OFF, Q_NO},
        {{Q_YES, false, true}, true, Q_SILENT, Q_YES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct q q = rows[i].before;
        assert_int_equal(q_hear(&q, rows[i].on), rows[i].says);
        assert_int_equal(q.state, rows[i].after);
        assert_false(q.opposite);
    }
}

/* ---- a session and its peer, bytes by hand ---- */

static struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                   .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
static char term[] = "TERM=vt100", *environment[] = {term, NULL};

struct end {
    struct plan *plan;
    struct run run;
    const struct session_ops *ops;
    void *st;
    struct buf buf[4];
    struct session_side data, wire;
    unsigned char got[200000], said[200000]; /* what came out: of the data, on the wire */
    size_t ngot, nsaid;
    struct control control[16];
    size_t ncontrols;
};

static struct end *end_open(const char *chain)
{
    struct err e = {.kind = ERR_NONE};
    struct end *x = calloc(1, sizeof *x);
    char text[200];
    assert_non_null(x);
    snprintf(text, sizeof text, "%s|pipe", chain);
    if (plan_make(&settings, "-", text, &x->plan, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(run_init(&x->run, &settings, x->plan, -1, &e), 0);
    const struct addr *a = x->plan->links[0].fwd;
    x->ops = a->form->ops.session;
    for (int i = 0; i < 4; i++)
        assert_int_equal(buf_init(&x->buf[i], 8192), 0);
    x->data = (struct session_side){.in = &x->buf[0], .out = &x->buf[1]};
    x->wire = (struct session_side){.in = &x->buf[2], .out = &x->buf[3]};
    assert_int_equal(x->ops->open(a, &x->run, NULL, &x->st, &e), 0);
    return x;
}

static void end_close(struct end *x)
{
    x->ops->close(x->st);
    for (int i = 0; i < 4; i++)
        buf_fini(&x->buf[i]);
    run_fini(&x->run);
    plan_free(x->plan);
    free(x);
}

static void take(struct buf *b, unsigned char *to, size_t *n)
{
    memcpy(to + *n, buf_data(b), b->len);
    *n += b->len;
    buf_consume(b, b->len);
}

/* Until nothing moves; what comes out is kept. Gives what step() gave. */
static int turn_once(struct end *x, struct err *e)
{
    for (size_t before = (size_t)-1, now = 0; before != now;) {
        before = now;
        if (x->ops->step(x->st, &x->data, &x->wire, e) < 0)
            return -1;
        if (x->data.out->control.kind) {
            assert_int_equal(x->data.out->len, 0);
            assert_in_range(x->ncontrols, 0, 15);
            x->control[x->ncontrols++] = x->data.out->control;
            buf_consume(x->data.out, 0);
        }
        take(x->data.out, x->got, &x->ngot);
        take(x->wire.out, x->said, &x->nsaid);
        now = x->ngot + x->nsaid + x->ncontrols + x->wire.in->len + x->data.in->len + x->data.in->control.kind;
    }
    return 0;
}

static void turn(struct end *x)
{
    struct err e = {.kind = ERR_NONE};
    if (turn_once(x, &e) < 0)
        fail_msg("%s", e.text);
}

static void give(struct end *x, struct buf *to, const char *text, size_t n, size_t piece)
{
    for (size_t i = 0; i < n; i += piece) {
        size_t k = n - i < piece ? n - i : piece;
        assert_int_equal(buf_put(to, text + i, k), k);
        turn(x);
    }
}

#define FROM_WIRE(x, text) give(x, (x)->wire.in, text, sizeof text - 1, 100000)
#define TO_WIRE(x, text) give(x, (x)->data.in, text, sizeof text - 1, 100000)

static void expect(struct end *x, const char *got, size_t ngot, const char *said, size_t nsaid)
{
    assert_int_equal(x->ngot, ngot);
    assert_memory_equal(x->got, got, ngot);
    assert_int_equal(x->nsaid, nsaid);
    assert_memory_equal(x->said, said, nsaid);
    x->ngot = x->nsaid = 0;
}
#define EXPECT(x, got, said) expect(x, got, sizeof got - 1, said, sizeof said - 1)

#define I "\377"
#define SB I "\372"
#define SE I "\360"
#define WILL I "\373"
#define WONT I "\374"
#define DO I "\375"
#define DONT I "\376"
#define BINARY "\0"
#define ECHO_ "\1"
#define SGA "\3"
#define TTYPE "\30"
#define NAWS "\37"
#define ENVIRON "\47"
#define CHARSET "\52"
#define COMPORT "\54"

/* What is not known is refused, whichever it is; and once. */
static void all_options(void **state)
{
    (void)state;
    static const unsigned char verbs[] = {0373, 0374, 0375, 0376};
    struct end *x = end_open("telnet,binary=0,term=");
    turn(x);
    x->nsaid = 0;
    for (unsigned option = 0; option < 256; option++)
        for (unsigned i = 0; i < 8; i++) {
            const unsigned char verb = verbs[i % 4], command[] = {0377, verb, (unsigned char)option};
            bool known = option == 1 || option == 3, on = verb == 0373 || verb == 0375;
            if (known)
                continue;
            give(x, x->wire.in, (const char *)command, 3, 3);
            const unsigned char no[] = {0377, verb == 0373 ? 0376 : 0374, (unsigned char)option};
            expect(x, "", 0, (const char *)no, on ? 3 : 0);
        }
    end_close(x);
}

static void it_says_what_it_wants(void **state)
{
    (void)state;
    struct end *x = end_open("telnet");
    turn(x);
    EXPECT(x, "", DO SGA WILL BINARY DO BINARY);
    FROM_WIRE(x, WILL ECHO_ WILL SGA DO TTYPE DO NAWS);
    EXPECT(x, "", DO ECHO_ WILL TTYPE WONT NAWS);
    FROM_WIRE(x, SB TTYPE "\1" SE);
    EXPECT(x, "", SB TTYPE "\0VT100" SE);
    x->data.in->control = control_window(255, 50);
    turn(x);
    EXPECT(x, "", WILL NAWS);
    FROM_WIRE(x, DO NAWS);
    EXPECT(x, "", SB NAWS "\0\377\377\0\62" SE);
    end_close(x);

    x = end_open("telnet-server");
    turn(x);
    EXPECT(x, "", WILL ECHO_ DO NAWS DO TTYPE DO ENVIRON WILL SGA WILL BINARY DO BINARY);
    assert_false(x->ops->ready(x->st));
    FROM_WIRE(x, WILL TTYPE WILL ENVIRON);
    EXPECT(x, "", SB TTYPE "\1" SE SB ENVIRON "\1" SE);
    FROM_WIRE(x, SB TTYPE "\0X\33TERM\n" SE);
    assert_false(x->ops->ready(x->st));
    FROM_WIRE(x, SB ENVIRON "\0\0USER\1joe\3FOO\1b" SE);
    assert_true(x->ops->ready(x->st));
    struct err e;
    assert_int_equal(x->ops->opened(x->st, x->plan->links[0].fwd, &x->run, &e), 0);
    char *type = run_get_fact(&x->run, "TERM"), *user = run_get_fact(&x->run, "USER");
    assert_string_equal(type ? type : "", "xterm");
    assert_string_equal(user ? user : "", "joe");
    free(type);
    free(user);
    FROM_WIRE(x, WILL NAWS SB NAWS "\0\120\0\31" SE SB NAWS "\0\0\0\0" SE SB NAWS "\0\1" SE "x" I "\363");
    assert_int_equal(x->ncontrols, 2);
    assert_int_equal(x->control[0].kind, CONTROL_WINDOW);
    assert_int_equal(control_columns(x->control[0]), 80);
    assert_int_equal(control_rows(x->control[0]), 25);
    assert_int_equal(x->control[1].kind, CONTROL_BREAK);
    end_close(x);
}

static void variables_and_character_sets(void **state)
{
    (void)state;
    struct end *x = end_open("telnet,binary=0,env=USER=joe,env=TEST=a=\x01z,charset=UTF-8");
    turn(x);
    x->nsaid = 0;
    FROM_WIRE(x, DO ENVIRON);
    EXPECT(x, "", WILL ENVIRON);
    FROM_WIRE(x, SB ENVIRON "\1" SE);
    EXPECT(x, "", SB ENVIRON "\0\0USER\1joe\3TEST\1a=\2\1z" SE);
    FROM_WIRE(x, SB ENVIRON "\1\3" SE SB ENVIRON "\1\0ACCT" SE);
    EXPECT(x, "", SB ENVIRON "\0\3TEST\1a=\2\1z" SE SB ENVIRON "\0" SE);
    FROM_WIRE(x, DO CHARSET);
    EXPECT(x, "", SB CHARSET "\1;UTF-8" SE);
    FROM_WIRE(x, WILL CHARSET SB CHARSET "\1 latin1 utf-8" SE SB CHARSET "\1[TTABLE]\1;utf-9" SE SB CHARSET "\4\1" SE);
    EXPECT(x, "", DO CHARSET SB CHARSET "\2UTF-8" SE SB CHARSET "\3" SE SB CHARSET "\5" SE);
    end_close(x);
}

/* Text has its own line ends and CRs, bytes have none; and the rest is between commands. */
static void text_and_bytes(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 40; piece++) {
        static const char in[] = "a\r\nb\r\0c" I I I "\361d\r" I I "e" I "\7f\n\r\0\r\n\0";
        struct end *x = end_open("telnet-server,binary=0,wait=0");
        turn(x);
        x->nsaid = 0;
        give(x, x->wire.in, in, sizeof in - 1, piece);
        EXPECT(x, "a\nb\rc" I "d\r" I "e\7f\n\r\n\0", "");
        give(x, x->data.in, "a\nb\r\nc\rd" I "\r\r\n\0", 13, piece);
        EXPECT(x, "", "a\r\nb\r\nc\r\0d" I I "\r\0\r\n\0");
        end_close(x);

        x = end_open("telnet,binary=0");
        turn(x);
        x->nsaid = 0;
        give(x, x->wire.in, in, sizeof in - 1, piece);
        EXPECT(x, "a\r\nb\rc" I "d\r" I "e\7f\n\r\r\n\0", "");
        end_close(x);

        x = end_open("telnet");
        turn(x);
        FROM_WIRE(x, WILL BINARY DO BINARY);
        x->nsaid = 0;
        give(x, x->wire.in, "a\r\nb\r\0c" I I I "\361\r\r" I "\372\7" I I SE "\n", 21, piece);
        EXPECT(x, "a\r\nb\r\0c" I "\r\r\n", "");
        give(x, x->data.in, "a\nb\r\nc\rd" I "\r\r\n\0", 13, piece);
        EXPECT(x, "", "a\nb\r\nc\rd" I I "\r\r\n\0");
        end_close(x);
    }
}

/* A CR that stays alone is not waited with for ever, and its second half may come later. */
static void a_cr_alone(void **state)
{
    (void)state;
    struct end *x = end_open("telnet-server,binary=0,wait=0");
    turn(x);
    x->nsaid = 0;
    FROM_WIRE(x, "x\r");
    TO_WIRE(x, "y\r");
    EXPECT(x, "x", "y\r");
    int64_t due = x->ops->due(x->st);
    assert_true(due >= 0);
    while (x->ops->due(x->st) >= 0) {
        struct timespec ms = {.tv_nsec = 1000000};
        nanosleep(&ms, NULL);
        turn(x);
    }
    EXPECT(x, "\r", "\0");
    FROM_WIRE(x, "\0z");
    TO_WIRE(x, "\nz");
    EXPECT(x, "z", "\r\nz");
    end_close(x);
}

/* Data wait for the answer to WILL BINARY, but not for ever; and the end of either side is passed on. */
static void data_wait_for_binary(void **state)
{
    (void)state;
    struct end *x = end_open("telnet");
    TO_WIRE(x, "a\r\n");
    EXPECT(x, "", DO SGA WILL BINARY DO BINARY);
    FROM_WIRE(x, DO BINARY);
    EXPECT(x, "", "a\r\n");
    TO_WIRE(x, "b");
    x->data.in_eof = true;
    turn(x);
    EXPECT(x, "", "b");
    assert_true(x->wire.out_eof && !x->data.out_eof);
    FROM_WIRE(x, "late" WILL ECHO_);
    x->wire.in_eof = true;
    turn(x);
    EXPECT(x, "late", "");
    assert_true(x->data.out_eof);
    end_close(x);

    x = end_open("telnet");
    TO_WIRE(x, "a");
    x->wire.in_eof = true; /* nobody answers any more */
    turn(x);
    EXPECT(x, "", DO SGA WILL BINARY DO BINARY "a");
    end_close(x);
}

static void what_is_too_long(void **state)
{
    (void)state;
    static char flood[3 * 20000];
    struct end *x = end_open("telnet-server,binary=0,wait=0");
    turn(x);
    FROM_WIRE(x, WILL NAWS WILL TTYPE SB TTYPE "\0");
    for (int i = 0; i < 10; i++)
        give(x, x->wire.in, flood, 5000, 5000);
    x->nsaid = 0;
    FROM_WIRE(x, SE "ok");
    EXPECT(x, "ok", "");
    /* who asks and asks, and takes no answer, is not read any more */
    for (size_t i = 0; i < sizeof flood; i += 3)
        memcpy(flood + i, DO "\143", 3);
    size_t taken = 0;
    struct err e;
    x->wire.out = &(struct buf){0};
    for (int i = 0; i < 100; i++) {
        size_t n = buf_put(x->wire.in, flood, sizeof flood) / 3 * 3;
        x->wire.in->len -= x->wire.in->len % 3;
        (void)n;
        size_t before = x->wire.in->len;
        assert_int_equal(x->ops->step(x->st, &x->data, &x->wire, &e), 0);
        taken += before - x->wire.in->len;
    }
    assert_in_range(taken, 3, 8192);
    end_close(x);
}

/* ---- serial lines ---- */

static void expect_control(struct end *x, size_t i, enum control_kind kind, bool asks, uint32_t value)
{
    assert_true(x->ncontrols > i);
    assert_int_equal(x->control[i].kind, kind);
    assert_int_equal(x->control[i].asks, asks);
    assert_int_equal(x->control[i].value, value);
}

static const struct line_row { /* what a client says, what becomes of it, what the line says, what the client hears */
    const char *asks;
    size_t nasks;
    enum control_kind kind;
    uint32_t value, is;
    const char *hears;
    size_t nhears;
} line_rows[] = {
#define ROW(asks, kind, value, is, hears) {asks, sizeof asks - 1, kind, value, is, hears, sizeof hears - 1}
    ROW("\1\0\1\302\0", CONTROL_BAUD, 115200, 115200, "\145\0\1\302\0"),
    ROW("\1\0\0\0\0", CONTROL_BAUD, 0, 65535, "\145\0\0" I I I I),
    ROW("\1\0\0\377\377\377\377", CONTROL_BAUD, 65535, 9600, "\145\0\0\45\200"),
    ROW("\2\7", CONTROL_DATA, 7, 8, "\146\10"),
    ROW("\3\3", CONTROL_PARITY, 3, 3, "\147\3"),
    ROW("\4\2", CONTROL_STOP, 2, 1, "\150\1"),
    ROW("\5\3", CONTROL_FLOW, 3, 3, "\151\3"),
    ROW("\5\17", CONTROL_FLOW, 2, 2, "\151\17"),
    ROW("\5\15", CONTROL_FLOW, 0, 1, "\151\16"),
    ROW("\5\23", CONTROL_FLOW, 0, 1, "\151\1"),
    ROW("\5\11", CONTROL_DTR, SWITCH_OFF, SWITCH_OFF, "\151\11"),
    ROW("\5\7", CONTROL_DTR, SWITCH_ASK, SWITCH_ON, "\151\10"),
    ROW("\5\13", CONTROL_RTS, SWITCH_ON, SWITCH_ON, "\151\13"),
    ROW("\14\3", CONTROL_PURGE, 3, 3, "\160\3"),
    ROW("\7\0", CONTROL_MODEM_STATE, 0, 0x30, "\153\60"),
};

static struct end *server_open(void)
{
    struct end *x = end_open("rfc2217-server,signature=me");
    turn(x);
    EXPECT(x, "", DO COMPORT WILL SGA WILL BINARY DO BINARY);
    FROM_WIRE(x, WILL COMPORT WILL BINARY DO BINARY);
    expect_control(x, 0, CONTROL_MODEM_STATE, true, 0);
    x->data.in->control = (struct control){CONTROL_MODEM_STATE, false, 0xb0};
    turn(x);
    EXPECT(x, "", SB COMPORT "\153\260" SE);
    return x;
}

static void a_server_answers_what_is_so(void **state)
{
    (void)state;
    struct end *x = server_open();
    for (size_t i = 0; i < sizeof line_rows / sizeof line_rows[0]; i++) {
        const struct line_row *r = &line_rows[i];
        x->ncontrols = 0;
        for (size_t k = 0; k < 4; k++) /* a subnegotiation in pieces, data around it */
            give(x, x->wire.in, k == 0 ? "d" SB COMPORT : k == 1 ? r->asks : k == 2 ? SE : "e",
                 k == 0 ? 4 : k == 1 ? r->nasks : k == 2 ? 2 : 1, 1);
        assert_int_equal(x->ncontrols, 1);
        expect_control(x, 0, r->kind, true, r->value);
        EXPECT(x, "de", "");
        x->data.in->control = (struct control){(unsigned char)r->kind, false, r->is};
        turn(x);
        char said[32];
        size_t n = 3 + r->nhears + 2;
        memcpy(said, SB COMPORT, 3);
        memcpy(said + 3, r->hears, r->nhears);
        memcpy(said + 3 + r->nhears, SE, 2);
        expect(x, "", 0, said, n);
    }
    end_close(x);
}

static void a_server_with_a_line_that_says_nothing(void **state)
{
    (void)state;
    struct end *x = server_open();
    FROM_WIRE(x, SB COMPORT "\1\0\0\45\200" SE SB COMPORT "\3\0" SE SB COMPORT "\5\0" SE);
    EXPECT(x, "", "");
    while (x->ops->due(x->st) >= 0) {
        struct timespec ms = {.tv_nsec = 5000000};
        nanosleep(&ms, NULL);
        turn(x);
    }
    EXPECT(x, "", SB COMPORT "\145\0\0\45\200" SE SB COMPORT "\147\1" SE SB COMPORT "\151\1" SE);
    end_close(x);
}

static void breaks_masks_and_pauses(void **state)
{
    (void)state;
    struct end *x = server_open();
    x->ncontrols = 0;
    FROM_WIRE(x, SB COMPORT "\5\5" SE SB COMPORT "\5\4" SE SB COMPORT "\5\6" SE I "\363");
    EXPECT(x, "", SB COMPORT "\151\5" SE SB COMPORT "\151\5" SE SB COMPORT "\151\6" SE);
    expect_control(x, 0, CONTROL_BREAK, false, BREAK_ON);
    expect_control(x, 1, CONTROL_BREAK, false, BREAK_OFF);
    expect_control(x, 2, CONTROL_BREAK, false, BREAK_USUAL);
    FROM_WIRE(x, SB COMPORT "\0" SE SB COMPORT "\0you" SE SB COMPORT "\13\20" SE SB COMPORT "\12\377\377" SE);
    EXPECT(x, "", SB COMPORT "\144me" SE SB COMPORT "\157\20" SE SB COMPORT "\156\377\377" SE);
    x->data.in->control = (struct control){CONTROL_MODEM_STATE, false, 0x82}; /* not what the mask wants */
    turn(x);
    x->data.in->control = (struct control){CONTROL_MODEM_STATE, false, 0x91};
    turn(x);
    x->data.in->control = (struct control){CONTROL_LINE_STATE, false, 0x10};
    turn(x);
    EXPECT(x, "", SB COMPORT "\153\20" SE SB COMPORT "\152\20" SE);
    FROM_WIRE(x, SB COMPORT "\10" SE);
    TO_WIRE(x, "held");
    EXPECT(x, "", "");
    FROM_WIRE(x, SB COMPORT "\11" SE);
    EXPECT(x, "", "held");
    end_close(x);
}

static void a_client_asks_and_learns(void **state)
{
    (void)state;
    struct end *x = end_open("rfc2217,baud=9600,parity=even,stop=1.5,dtr=0");
    turn(x);
    EXPECT(x, "", WILL COMPORT DO SGA WILL BINARY DO BINARY);
    FROM_WIRE(x, DO COMPORT DO BINARY);
    EXPECT(x, "", SB COMPORT "\13\377\377" SE SB COMPORT "\12\36" SE SB COMPORT "\1\0\0\45\200" SE SB COMPORT "\3\3" SE
                  SB COMPORT "\4\3" SE SB COMPORT "\5\11" SE);
    FROM_WIRE(x, SB COMPORT "\145\0\0\45\200" SE SB COMPORT "\147\3" SE SB COMPORT "\150\2" SE SB COMPORT "\151\11" SE);
    assert_int_equal(x->ncontrols, 1); /* all is as it was wanted, but for one */
    expect_control(x, 0, CONTROL_STOP, false, 2);
    x->ncontrols = 0;
    /* of two questions that are under way only the last answer counts */
    x->data.in->control = (struct control){CONTROL_BAUD, false, 1200};
    turn(x);
    x->data.in->control = (struct control){CONTROL_BAUD, false, 2400};
    turn(x);
    EXPECT(x, "", SB COMPORT "\1\0\0\4\260" SE SB COMPORT "\1\0\0\11\140" SE);
    FROM_WIRE(x, SB COMPORT "\145\0\0\4\260" SE SB COMPORT "\145\0\0\11\140" SE);
    assert_int_equal(x->ncontrols, 0);
    FROM_WIRE(x, "a" SB COMPORT "\145\0\0\1\54" SE "b" SB COMPORT "\153\21" SE);
    assert_int_equal(x->ncontrols, 2);
    expect_control(x, 0, CONTROL_BAUD, false, 300);
    expect_control(x, 1, CONTROL_MODEM_STATE, false, 0x11);
    x->data.in->control = (struct control){CONTROL_MODEM_STATE, false, 0xb0};
    turn(x);
    x->data.in->control = (struct control){CONTROL_BREAK, false, BREAK_USUAL};
    turn(x);
    EXPECT(x, "ab", I "\363");
    end_close(x);
}

static void a_server_without_rfc2217(void **state)
{
    (void)state;
    struct err e = {.kind = ERR_NONE};
    struct end *x = end_open("rfc2217");
    turn(x);
    (void)buf_put(x->wire.in, DONT COMPORT, 3);
    assert_int_equal(turn_once(x, &e), -1);
    assert_int_equal(e.kind, ERR_REFUSED);
    end_close(x);
    x = end_open("rfc2217,lax");
    FROM_WIRE(x, DONT COMPORT "text");
    assert_int_equal(x->ngot, 4);
    end_close(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_goes_round_in_circles),
        cmocka_unit_test(answers_of_all_kinds),
        cmocka_unit_test(all_options),
        cmocka_unit_test(it_says_what_it_wants),
        cmocka_unit_test(variables_and_character_sets),
        cmocka_unit_test(text_and_bytes),
        cmocka_unit_test(a_cr_alone),
        cmocka_unit_test(data_wait_for_binary),
        cmocka_unit_test(what_is_too_long),
        cmocka_unit_test(a_server_answers_what_is_so),
        cmocka_unit_test(a_server_with_a_line_that_says_nothing),
        cmocka_unit_test(breaks_masks_and_pauses),
        cmocka_unit_test(a_client_asks_and_learns),
        cmocka_unit_test(a_server_without_rfc2217),
    };
    home.environment = environment;
    return cmocka_run_group_tests_name("telnet", tests, NULL, NULL);
}
