/* SPDX-License-Identifier: GPL-2.0-or-later
 * Telnet and RFC 2217. The first byte chooses an address and what comes to it: whatever stands in the rest,
 * in pieces, and controls from the other side; or its own counterpart, while the rest is data that has to
 * arrive as it is, both ways. What it says is telnet: no command is cut, no answer is without end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUF = 4096, MOST = 1 << 16, STEPS = 20000, ROLES = 6 };
static const char *const chains[ROLES] = {
    "telnet,term=vt100,env=USER=x,charset=UTF-8|pipe", "telnet-server,charset=UTF-8,wait=0|pipe", "rfc2217,lax,baud=9600|pipe",
    "rfc2217-server|pipe", "telnet,binary=0|pipe", "telnet-server,binary=0,wait=0|pipe",
};
static const struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                         .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
static struct plan *plans[ROLES];
static struct run shared;

struct end {
    const struct session_ops *ops;
    void *st;
    struct buf buf[4];
    struct session_side data, wire;
    enum { DATA, IAC, OPTION, SB, SB_IAC } says; /* where in a command it is */
    unsigned controls;
};

static void end_open(struct end *x, int role)
{
    struct err e;
    if (!plans[role] && plan_make(&settings, "-", chains[role], &plans[role], &e) < 0)
        abort();
    const struct addr *a = plans[role]->links[0].fwd;
    *x = (struct end){.ops = a->form->ops.session};
    for (int i = 0; i < 4; i++)
        if (buf_init(&x->buf[i], BUF) < 0)
            abort();
    x->data = (struct session_side){.in = &x->buf[0], .out = &x->buf[1]};
    x->wire = (struct session_side){.in = &x->buf[2], .out = &x->buf[3]};
    if (x->ops->open(a, &shared, NULL, &x->st, &e) < 0)
        abort();
}

static void end_close(struct end *x)
{
    x->ops->close(x->st);
    for (int i = 0; i < 4; i++)
        buf_fini(&x->buf[i]);
}

static void check_telnet(struct end *x, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];
        switch (x->says) {
        case DATA: x->says = c == 255 ? IAC : DATA; break;
        case IAC:
            if (c != 255 && c != 243 && (c < 250 || c == 255))
                abort();
            x->says = c == 250 ? SB : c > 250 && c < 255 ? OPTION : DATA;
            break;
        case OPTION: x->says = DATA; break;
        case SB: x->says = c == 255 ? SB_IAC : SB; break;
        case SB_IAC:
            if (c != 255 && c != 240)
                abort();
            x->says = c == 255 ? SB : DATA;
            break;
        }
    }
}

/* False: what came has been cut short, and it says so. */
static bool end_step(struct end *x)
{
    struct err e = {.kind = ERR_NONE};
    struct buf full = {0}, *out = x->data.out;
    full.control = out->control;
    if (out->control.kind) /* as an engine does it */
        x->data.out = &full;
    size_t before = x->wire.out->len;
    int rc = x->ops->step(x->st, &x->data, &x->wire, &e);
    if (rc < 0 && !x->wire.in_eof)
        abort();
    x->data.out = out;
    if (out->control.kind && out->len > 0)
        abort();
    check_telnet(x, buf_data(x->wire.out) + before, x->wire.out->len - before);
    return rc == 0;
}

/* Pieces of the rest; every eighth time a control comes from the data side instead. */
static void alone(int role, const uint8_t *p, size_t n)
{
    struct end x;
    end_open(&x, role);
    size_t given = 0, got = 0;
    for (unsigned turn = 0; turn < 2000; turn++) {
        size_t k = 1 + turn * 7 % 40;
        given += buf_put(x.wire.in, p + given, n - given < k ? n - given : k);
        x.wire.in_eof = given == n;
        if (turn % 8 == 3 && !buf_holds(x.data.in))
            x.data.in->control = (struct control){(unsigned char)(1 + turn / 8 % (CONTROL_KINDS - 1)), turn % 16 == 3, turn * 77};
        else if (!x.data.in->control.kind)
            (void)buf_put(x.data.in, "a\r\n\xff", 4);
        if (!end_step(&x))
            break;
        if (turn % 3 == 0) {
            got += x.data.out->len;
            buf_consume(x.data.out, x.data.out->len);
            buf_consume(x.wire.out, x.wire.out->len);
        }
        if (x.data.out_eof && x.wire.in->len == 0)
            break;
    }
    if (got > 2 * n + 64)
        abort();
    end_close(&x);
}

struct flow {
    const uint8_t *p;
    size_t n, given, got;
};

static void collect(struct end *x, struct flow *f, bool text)
{
    if (!end_step(x))
        abort();
    if (x->data.out->control.kind)
        x->controls++;
    for (size_t i = 0; !text && i < x->data.out->len; i++)
        if (f->got == f->n || buf_data(x->data.out)[i] != f->p[f->got++])
            abort();
    buf_consume(x->data.out, x->data.out->len);
}

/* f goes from one to the other, back the other way. */
static void carry(struct end *from, struct end *to, struct flow *f, struct flow *back, bool text, unsigned piece)
{
    if (!from->data.in->control.kind)
        f->given += buf_put(from->data.in, f->p + f->given, f->n - f->given < piece ? f->n - f->given : piece);
    from->data.in_eof = f->given == f->n && to->wire.in->len == 0;
    collect(from, back, text);
    unsigned char *at;
    size_t room = buf_room(to->wire.in, &at), k = from->wire.out->len < room ? from->wire.out->len : room;
    k = k < piece ? k : piece;
    (void)buf_put(to->wire.in, buf_data(from->wire.out), k);
    buf_consume(from->wire.out, k);
    to->wire.in_eof = from->wire.out_eof && from->wire.out->len == 0;
    collect(to, f, text);
}

static void between(int pair, const uint8_t *p, size_t n)
{
    struct end x[2];
    bool text = pair == 2;
    struct flow there = {.p = p, .n = n}, back = {.p = p + n / 3, .n = n - n / 3};
    end_open(&x[0], 2 * pair);
    end_open(&x[1], 2 * pair + 1);
    x[0].data.in->control = control_window(80, 255);
    for (unsigned i = 0; i < STEPS && !(x[0].data.out_eof && x[1].data.out_eof); i++) {
        carry(&x[0], &x[1], &there, &back, text, 1 + i % 97);
        carry(&x[1], &x[0], &back, &there, text, 1 + i % 89);
    }
    if (!x[0].data.out_eof || !x[1].data.out_eof || (!text && (there.got != there.n || back.got != back.n)))
        abort();
    end_close(&x[0]);
    end_close(&x[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    if (!shared.settings && run_init(&shared, &settings, NULL, -1, &e) < 0)
        abort();
    if (size < 1 || size > MOST)
        return 0;
    if (data[0] & 1)
        between(data[0] / 2 % (ROLES / 2), data + 1, size - 1);
    else
        alone(data[0] / 2 % ROLES, data + 1, size - 1);
    return 0;
}
