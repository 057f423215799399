/* SPDX-License-Identifier: GPL-2.0-or-later
 * Serial lines over telnet (RFC 2217). What the client asks for goes as a control to whatever is behind the
 * server, and what that then tells goes back as the answer: so it says what is so, not what was wanted. */
#include <string.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "inter/telnet/opts_telnet.h"
#include "inter/telnet/telnet.h"

enum code {
    SIGNATURE, SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL, NOTIFY_LINESTATE, NOTIFY_MODEMSTATE,
    FLOWCONTROL_SUSPEND, FLOWCONTROL_RESUME, SET_LINESTATE_MASK, SET_MODEMSTATE_MASK, PURGE_DATA,
    SERVER = 100, /* is added by a server */
};
enum { LINE, MODEM };
enum {
    ANSWER_MS = 300,    /* the line behind may take so long; then its server answers for it */
    MODEM_READY = 0xb0, /* ... as one that is connected */
};

/* ---- codes and kinds of control ---- */

static const struct code_row {
    unsigned char code, kind;
    unsigned char bytes;  /* of the value */
    uint32_t otherwise;   /* what a line that says nothing is taken for */
} codes[] = {
    {SET_BAUDRATE, CONTROL_BAUD, 4, 9600},
    {SET_DATASIZE, CONTROL_DATA, 1, 8},
    {SET_PARITY, CONTROL_PARITY, 1, 1},
    {SET_STOPSIZE, CONTROL_STOP, 1, 1},
    {NOTIFY_LINESTATE, CONTROL_LINE_STATE, 1, 0},
    {NOTIFY_MODEMSTATE, CONTROL_MODEM_STATE, 1, MODEM_READY},
    {PURGE_DATA, CONTROL_PURGE, 1, 0},
};

/* SET-CONTROL has several settings under one code: `ask` asks for one, and its values follow. */
static const struct control_row {
    unsigned char ask, last, kind;
    uint32_t otherwise;
} controls[] = {
    {0, 3, CONTROL_FLOW, 1},
    {4, 6, CONTROL_BREAK, BREAK_OFF},
    {7, 9, CONTROL_DTR, SWITCH_ON},
    {10, 12, CONTROL_RTS, SWITCH_ON},
    {13, 16, CONTROL_FLOW, 1}, /* of what comes in */
    {17, 19, CONTROL_FLOW, 1}, /* by lines that no termios has: answered with what is so */
};

static const struct code_row *row_of_code(unsigned code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

static const struct code_row *row_of_kind(unsigned kind)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].kind == kind)
            return &codes[i];
    return NULL;
}

static const struct control_row *control_of_value(unsigned value)
{
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        if (value >= controls[i].ask && value <= controls[i].last)
            return &controls[i];
    return NULL;
}

static const struct control_row *control_of_kind(unsigned kind)
{
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        if (controls[i].kind == kind)
            return &controls[i];
    return NULL;
}

/* ---- saying ---- */

static void say(struct telnet *t, unsigned code, uint32_t value, size_t bytes)
{
    unsigned char text[5] = {(unsigned char)(code + (t->role->server ? SERVER : 0))};
    for (size_t i = 0; i < bytes; i++)
        text[1 + i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
    telnet_say(t, TO_COMPORT, text, 1 + bytes);
}

static void say_setting(struct telnet *t, unsigned kind, uint32_t value)
{
    const struct code_row *row = row_of_kind(kind);
    const struct control_row *control = control_of_kind(kind);
    unsigned from = t->role->server && kind == CONTROL_FLOW && t->line.set[kind].form == 13 ? 13 : control ? control->ask : 0;
    if (row)
        say(t, row->code, value, row->bytes);
    else if (control)
        say(t, SET_CONTROL, from + value, 1);
}

static void say_signature(struct telnet *t)
{
    char text[200] = {(char)(SIGNATURE + (t->role->server ? SERVER : 0))};
    const char *name = opt_string(t->a, &opt_line_signature, "catena");
    size_t n = strlen(name) < sizeof text - 1 ? strlen(name) : sizeof text - 1;
    memcpy(text + 1, name, n);
    telnet_say(t, TO_COMPORT, text, 1 + n);
}

static void give(struct telnet *t, unsigned kind, bool asks, uint32_t value)
{
    t->give = (struct control){(unsigned char)kind, asks, value};
}

/* ---- server: what a client wants, and what the line says ---- */

static void owe(struct telnet *t, unsigned kind, uint32_t value, unsigned form)
{
    struct setting *s = &t->line.set[kind];
    s->asked = value;
    s->form = (unsigned char)form;
    s->until = wait_now() + ANSWER_MS;
    give(t, kind, true, value);
}

static void hear_set_control(struct telnet *t, unsigned value)
{
    const struct control_row *row = control_of_value(value);
    if (!row)
        return;
    uint32_t wanted = value - row->ask;
    if (row->kind == CONTROL_BREAK) {
        uint32_t is = wanted != BREAK_ASK ? wanted : t->line.set[CONTROL_BREAK].asked ? t->line.set[CONTROL_BREAK].asked : BREAK_OFF;
        t->line.set[CONTROL_BREAK].asked = is;
        say(t, SET_CONTROL, row->ask + is, 1);
        if (wanted != BREAK_ASK)
            give(t, CONTROL_BREAK, false, wanted);
        return;
    }
    owe(t, row->kind, row->ask == 17 ? 0 : wanted, row->ask);
}

static void hear_client(struct telnet *t, unsigned code, const unsigned char *p, size_t n, uint32_t value)
{
    const struct code_row *row = row_of_code(code);
    if (code == SIGNATURE && n > 0)
        diag(DIAG_NOTICE, "rfc2217: the client is \"%.*s\"", (int)n, (const char *)p);
    else if (code == SIGNATURE)
        say_signature(t);
    else if (code == FLOWCONTROL_SUSPEND || code == FLOWCONTROL_RESUME)
        t->line.suspended = code == FLOWCONTROL_SUSPEND;
    else if ((code == SET_LINESTATE_MASK || code == SET_MODEMSTATE_MASK) && n == 1)
        say(t, code, t->line.masks[code == SET_LINESTATE_MASK ? LINE : MODEM] = value, 1);
    else if (code == SET_CONTROL && n == 1)
        hear_set_control(t, value);
    else if (code == NOTIFY_MODEMSTATE)
        owe(t, CONTROL_MODEM_STATE, 0, 0);
    else if (row && row->bytes == n && code != NOTIFY_LINESTATE)
        owe(t, row->kind, value, 0);
}

/* Changes of states are told as far as the client wants them; what it has asked for anyway. */
static void answer(struct telnet *t, unsigned kind, uint32_t value)
{
    struct setting *s = &t->line.set[kind];
    bool owed = s->until != 0, state = kind == CONTROL_LINE_STATE || kind == CONTROL_MODEM_STATE;
    uint32_t mask = t->line.masks[kind == CONTROL_LINE_STATE ? LINE : MODEM];
    s->until = 0;
    if (t->line.agreed && (owed || !state || value & mask))
        say_setting(t, kind, state && !owed ? value & mask : value);
}

int64_t comport_due(const struct telnet *t)
{
    int64_t first = 0;
    for (size_t i = 0; t->role->comport && i < CONTROL_KINDS; i++) {
        int64_t until = t->line.set[i].until;
        if (until && (!first || until < first))
            first = until;
    }
    return first;
}

void comport_act(struct telnet *t)
{
    int64_t due = comport_due(t);
    if (!due || wait_now() < due)
        return;
    for (unsigned i = 0; i < CONTROL_KINDS; i++) {
        const struct setting *s = &t->line.set[i];
        if (!s->until || s->until > wait_now())
            continue;
        const struct code_row *row = row_of_kind(i);
        const struct control_row *control = control_of_kind(i);
        answer(t, i, s->asked ? s->asked : row ? row->otherwise : control ? control->otherwise : 0);
    }
}

/* ---- client: what the data side wants, and what the server says ---- */

static void ask(struct telnet *t, const struct control *c)
{
    struct setting *s = &t->line.set[c->kind];
    if (c->kind == CONTROL_LINE_STATE || (c->kind == CONTROL_MODEM_STATE && !c->asks)) /* no client tells its own */
        return;
    s->asked = c->value;
    s->asks |= c->asks;
    s->pending++;
    say_setting(t, c->kind, c->value);
}

static void break_line(struct telnet *t, const struct control *c)
{
    static const unsigned char brk[] = {T_IAC, T_BREAK};
    if (c->value == BREAK_USUAL)
        (void)buf_put(&t->say, brk, sizeof brk);
    else
        say_setting(t, CONTROL_BREAK, c->value);
}

/* An answer that is none to the last question, or says what was wanted, is news to nobody. */
static void learn(struct telnet *t, unsigned kind, uint32_t value)
{
    struct setting *s = &t->line.set[kind];
    bool asked = s->pending > 0, state = kind == CONTROL_LINE_STATE || kind == CONTROL_MODEM_STATE;
    if (asked && --s->pending > 0 && !state)
        return;
    bool news = s->asks || (kind != CONTROL_PURGE && (!asked || state || (s->asked && value != s->asked)));
    if (asked && s->asked && value != s->asked && !state && kind != CONTROL_PURGE)
        diag(DIAG_WARN, "rfc2217: the server does not set %u, the line has %u (setting %u)", (unsigned)s->asked, (unsigned)value, kind);
    s->asks = false;
    if (news && kind != CONTROL_BREAK)
        give(t, kind, false, value);
}

static void hear_server(struct telnet *t, unsigned code, const unsigned char *p, size_t n, uint32_t value)
{
    const struct code_row *row = row_of_code(code);
    const struct control_row *control = code == SET_CONTROL && n == 1 ? control_of_value(value) : NULL;
    if (code == SIGNATURE && n > 0)
        diag(DIAG_NOTICE, "rfc2217: the server is \"%.*s\"", (int)n, (const char *)p);
    else if (code == SIGNATURE)
        say_signature(t);
    else if (code == FLOWCONTROL_SUSPEND || code == FLOWCONTROL_RESUME)
        t->line.suspended = code == FLOWCONTROL_SUSPEND;
    else if (control)
        learn(t, control->kind, value - control->ask);
    else if (row && row->bytes == n)
        learn(t, row->kind, value);
}

/* ---- both ---- */

void comport_hear(struct telnet *t, const unsigned char *p, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 1; i < n && i < 5; i++)
        value = value << 8 | p[i];
    if (n > 0 && t->role->server && p[0] < SERVER)
        hear_client(t, p[0], p + 1, n - 1, value);
    else if (n > 0 && !t->role->server && p[0] >= SERVER)
        hear_server(t, p[0] - SERVER, p + 1, n - 1, value);
}

void comport_take(struct telnet *t, const struct control *c)
{
    bool known = row_of_kind(c->kind) || control_of_kind(c->kind);
    if (!known)
        return;
    if (t->role->server)
        answer(t, c->kind, c->value);
    else if (c->kind == CONTROL_BREAK)
        break_line(t, c);
    else
        ask(t, c);
}

/* ---- beginning ---- */

static const char *const parities[] = {"", "none", "odd", "even", "mark", "space", NULL};
static const char *const stops[] = {"", "1", "2", "1.5", NULL};
static const char *const flows[] = {"", "none", "xonxoff", "rtscts", NULL};

static const struct wish { /* an option of the client's */
    const struct option_desc *row;
    unsigned char kind;
    const char *const *words;
    const char *all;
    unsigned least, most;
} wishes[] = {
    {&opt_line_baud, CONTROL_BAUD, NULL, "1 to 4294967295", 1, UINT32_MAX},
    {&opt_line_size, CONTROL_DATA, NULL, "5 to 8", 5, 8},
    {&opt_line_parity, CONTROL_PARITY, parities, "none, odd, even, mark, space", 1, 5},
    {&opt_line_stop, CONTROL_STOP, stops, "1, 2, 1.5", 1, 3},
    {&opt_line_flow, CONTROL_FLOW, flows, "none, xonxoff, rtscts", 1, 3},
    {&opt_line_dtr, CONTROL_DTR, NULL, "0, 1", 0, 1},
    {&opt_line_rts, CONTROL_RTS, NULL, "0, 1", 0, 1},
};

static int value_of(const struct opt *o, const struct wish *w, uint32_t *value, struct err *e)
{
    if (!w->words && o->v.i >= w->least && o->v.i <= w->most) {
        bool line = w->kind == CONTROL_DTR || w->kind == CONTROL_RTS;
        *value = line ? (o->v.i ? SWITCH_ON : SWITCH_OFF) : (uint32_t)o->v.i;
        return 0;
    }
    for (uint32_t i = w->least; w->words && i <= w->most; i++)
        if (strcmp(w->words[i], o->v.s) == 0) {
            *value = i;
            return 0;
        }
    return w->words ? err_at(e, o->at, "%s \"%s\" is none of %s", w->row->name, o->v.s, w->all)
                    : err_at(e, o->at, "%s %lld is none of %s", w->row->name, o->v.i, w->all);
}

int comport_check(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        uint32_t value;
        const struct opt *o = opt_find(a, wishes[i].row);
        if (o && value_of(o, &wishes[i], &value, e) < 0)
            return -1;
    }
    return 0;
}

void comport_begin(struct telnet *t)
{
    t->q[TO_ECHO][HIM].may = true;
    t->q[TO_COMPORT][US].may = t->q[TO_COMPORT][HIM].may = true; /* some have it the other way round, or both */
    t->line.masks[MODEM] = 0xff;
    telnet_want(t, t->role->server ? HIM : US, TO_COMPORT, true);
}

static void begin_client(struct telnet *t)
{
    struct err ignored;
    say(t, SET_MODEMSTATE_MASK, 0xff, 1);
    say(t, SET_LINESTATE_MASK, 0x1e, 1);
    if (opt_find(t->a, &opt_line_signature))
        say_signature(t);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct control c = {wishes[i].kind, false, 0};
        const struct opt *o = opt_find(t->a, wishes[i].row);
        if (o && value_of(o, &wishes[i], &c.value, &ignored) == 0)
            ask(t, &c);
    }
}

int comport_agreed(struct telnet *t, struct err *e)
{
    bool was = t->line.agreed, refused = t->q[TO_COMPORT][t->role->server ? HIM : US].state == Q_NO;
    t->line.agreed = telnet_on(t, US, TO_COMPORT) || telnet_on(t, HIM, TO_COMPORT);
    if (was == t->line.agreed && (was || !refused))
        return 0;
    if (!t->line.agreed && !t->role->server && !opt_true(t->a, &opt_line_lax))
        return err_set(e, ERR_REFUSED, "the server does not do RFC 2217; option lax goes on without");
    if (!t->line.agreed)
        diag(DIAG_WARN, "rfc2217: the peer does not do RFC 2217: its line cannot be set");
    else if (!t->role->server)
        begin_client(t);
    else /* clients want to know before anything changes */
        owe(t, CONTROL_MODEM_STATE, 0, 0);
    return 0;
}
