/* SPDX-License-Identifier: GPL-2.0-or-later
 * TELNET and TELNET-SERVER (RFC 854, 855): data on one side, data and commands on the wire. What is not
 * agreed upon as BINARY is text for a terminal: there CR LF is the end of a line, and CR NUL a CR. */
#include "inter/telnet/telnet.h"

#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "inter/telnet/opts_telnet.h"

enum parse { P_DATA, P_IAC, P_VERB, P_SB, P_SB_IAC };
enum {
    SAY_MOST = 8192, /* bytes of commands that wait for room on the wire; with more nothing is read */
    AT_ONCE = 8192,  /* bytes that are looked at and copied while they are in the cache */
    LONGEST = 4,     /* bytes that one of data may become */
    CR_MS = 100,     /* a CR that comes alone is passed on then */
    NUL_MS = 10,     /* ... and one that is sent alone gets its NUL */
    HOLD_MS = 1000,  /* for a peer to answer in, if he speaks telnet */
};

/* ---- commands ---- */

bool telnet_on(const struct telnet *t, enum telnet_side side, unsigned option)
{
    return t->q[option][side].state == Q_YES;
}

static bool has_room_to_say(const struct telnet *t)
{
    return t->say.len + 2 * SB_MOST + 16 <= SAY_MOST;
}

static void say_option(struct telnet *t, enum telnet_side side, unsigned option, enum q_says says)
{
    static const unsigned char verbs[2][3] = {{0, T_WILL, T_WONT}, {0, T_DO, T_DONT}};
    const unsigned char command[] = {T_IAC, verbs[side][says], (unsigned char)option};
    if (says != Q_SILENT)
        (void)buf_put(&t->say, command, sizeof command);
}

void telnet_want(struct telnet *t, enum telnet_side side, unsigned option, bool on)
{
    say_option(t, side, option, q_want(&t->q[option][side], on));
}

void telnet_say(struct telnet *t, unsigned option, const void *data, size_t n)
{
    const unsigned char *p = data, head[] = {T_IAC, T_SB, (unsigned char)option}, end[] = {T_IAC, T_SE};
    (void)buf_put(&t->say, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        (void)buf_put(&t->say, &p[i], 1);
        if (p[i] == T_IAC)
            (void)buf_put(&t->say, &p[i], 1);
    }
    (void)buf_put(&t->say, end, sizeof end);
}

static bool flush_say(struct telnet *t, struct buf *out)
{
    if (t->say.len > 0)
        (void)buf_move(out, &t->say);
    return t->say.len == 0;
}

static int begin(struct telnet *t, struct err *e)
{
    if (buf_grow(&t->say, SAY_MOST) < 0)
        return err_nomem(e);
    t->begun = true;
    bool binary = !opt_find(t->a, &opt_telnet_binary) || opt_true(t->a, &opt_telnet_binary);
    t->q[TO_SGA][US].may = t->q[TO_SGA][HIM].may = true;
    t->q[TO_BINARY][US].may = t->q[TO_BINARY][HIM].may = binary;
    if (t->role->comport)
        comport_begin(t);
    else
        terminal_begin(t);
    telnet_want(t, t->role->server ? US : HIM, TO_SGA, true);
    if (binary) {
        telnet_want(t, US, TO_BINARY, true);
        telnet_want(t, HIM, TO_BINARY, true);
        t->hold_until = wait_now() + HOLD_MS;
    }
    return 0;
}

/* ---- from the wire ---- */

static int agree(struct telnet *t, unsigned option, struct err *e)
{
    enum telnet_side side = t->verb == T_DO || t->verb == T_DONT ? US : HIM;
    struct q *q = &t->q[option][side];
    bool settled = q_is_settled(q), was = q->state == Q_YES;
    say_option(t, side, option, q_hear(q, t->verb == T_DO || t->verb == T_WILL));
    if (!q_is_settled(q) || (settled && was == (q->state == Q_YES)))
        return 0;
    diag(DIAG_INFO, "telnet: option %u of %s is %s", option, side == US ? "ours" : "the peer", q->state == Q_YES ? "on" : "off");
    if (option == TO_COMPORT)
        return comport_agreed(t, e);
    terminal_agreed(t, side, option);
    return 0;
}

static void hear(struct telnet *t)
{
    unsigned option = t->nsb > 0 ? t->sb[0] : 0;
    if (t->nsb > SB_MOST) {
        diag(t->told_long ? DIAG_INFO : DIAG_WARN, "telnet: a subnegotiation of more than %d bytes has been dropped", SB_MOST);
        t->told_long = true;
    } else if (t->nsb > 0 && (telnet_on(t, US, option) || telnet_on(t, HIM, option))) {
        if (option == TO_COMPORT)
            comport_hear(t, t->sb + 1, t->nsb - 1);
        else
            terminal_hear(t, option, t->sb + 1, t->nsb - 1);
    }
}

/* What a key of the terminal would give, for whom such commands are (RFC 854, 1184); -1 none. */
static int key_of(unsigned char command)
{
    static const struct {
        unsigned char command, key;
    } keys[] = {{T_IP, 3}, {T_EC, 0x7f}, {T_EL, 0x15}, {T_EOF, 4}, {T_SUSP, 0x1a}, {T_ABORT, 0x1c}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].command == command)
            return keys[i].key;
    return -1;
}

static void obey(struct telnet *t, unsigned char command, struct buf *out)
{
    static const char here[] = "\r\n[yes]\r\n";
    int key = t->role->server && !t->role->comport ? key_of(command) : -1;
    t->state = P_DATA;
    if (command >= T_WILL && command != T_IAC) {
        t->verb = command;
        t->state = P_VERB;
    } else if (command == T_SB) {
        t->state = P_SB;
        t->nsb = 0;
    } else if (command == T_BREAK) {
        t->give = (struct control){CONTROL_BREAK, false, BREAK_USUAL};
    } else if (command == T_AYT && t->role->server) {
        (void)buf_put(&t->say, here, sizeof here - 1);
    } else if (key >= 0) {
        (void)buf_put(out, &(unsigned char){(unsigned char)key}, 1);
    } else if (command < T_EOF || command == T_IAC) { /* or what followed the DM that came out of band */
        (void)buf_put(out, &command, 1);
    }
}

static void gather(struct telnet *t, unsigned char c)
{
    if (t->nsb < SB_MOST)
        t->sb[t->nsb] = c;
    if (t->nsb <= SB_MOST)
        t->nsb++;
}

static int command_byte(struct telnet *t, unsigned char c, struct buf *out, struct err *e)
{
    switch ((enum parse)t->state) {
    case P_IAC: obey(t, c, out); return 0;
    case P_VERB: t->state = P_DATA; return agree(t, c, e);
    case P_SB:
        if (c == T_IAC)
            t->state = P_SB_IAC;
        else
            gather(t, c);
        return 0;
    case P_SB_IAC:
        t->state = c == T_IAC ? P_SB : P_DATA;
        if (c == T_IAC)
            gather(t, c);
        else
            hear(t);
        if (c != T_IAC && c != T_SE) /* its end has been lost, and this is the next command */
            obey(t, c, out);
        return 0;
    default: return 0;
    }
}

/* A server's client has ended a line; a client shows it on a terminal. */
static void give_line_end(const struct telnet *t, struct buf *out)
{
    (void)buf_put(out, t->role->server ? "\n" : "\r\n", t->role->server ? 1 : 2);
}

static void give_cr(struct telnet *t, struct buf *out)
{
    (void)buf_put(out, "\r", 1);
    t->cr_until = 0;
}

/* The byte behind a CR of text. True: it has been dealt with. */
static bool behind_cr(struct telnet *t, unsigned char c, struct buf *out)
{
    bool given = t->cr_given;
    t->cr_given = false;
    if (given)
        return c == '\0' || c == '\n';
    if (c == '\n') {
        t->cr_until = 0;
        give_line_end(t, out);
        return true;
    }
    give_cr(t, out);
    return c == '\0';
}

static size_t least3(size_t a, size_t b, size_t c)
{
    size_t n = a < b ? a : b;
    return n < c ? n : c;
}

/* Bytes with each IAC once, up to a command; *command: it begins behind them. Gives how many are done with. */
static size_t halve(unsigned char *to, size_t room, const unsigned char *p, size_t n, size_t *given, bool *command)
{
    size_t i = 0, o = 0;
    *command = false;
    while (i < n && o < room && !*command) {
        size_t most = least3(n - i, room - o, AT_ONCE);
        const unsigned char *end = memccpy(to + o, p + i, T_IAC, most);
        size_t k = end ? (size_t)(end - (to + o)) : most;
        i += k;
        o += k;
        if (end && i < n && p[i] == T_IAC)
            i++;
        else if (end)
            *command = true, o--;
    }
    *given = o;
    return i;
}

static void give_bytes(struct telnet *t, struct buf *in, struct buf *out)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), given;
    bool command;
    buf_consume(in, halve(to, room, buf_data(in), in->len, &given, &command));
    buf_commit(out, given);
    if (command)
        t->state = P_IAC;
}

/* Data up to a command, or a CR of text, as much as there is room for. */
static void give_text(struct telnet *t, struct buf *in, struct buf *out, size_t room)
{
    const unsigned char *p = buf_data(in);
    size_t n = in->len < room ? in->len : room;
    const unsigned char *mark = memchr(p, T_IAC, n);
    n = mark ? (size_t)(mark - p) : n;
    const unsigned char *cr = n == 0 ? NULL : memchr(p, '\r', n);
    n = cr ? (size_t)(cr - p) : n;
    (void)buf_put(out, p, n);
    buf_consume(in, n);
    if (cr) {
        t->cr_until = wait_now() + CR_MS;
        buf_consume(in, 1);
    } else if (mark) {
        t->state = P_IAC;
        buf_consume(in, 1);
    }
}

static int receive(struct telnet *t, struct buf *in, struct buf *out, bool eof, struct err *e)
{
    unsigned char *at;
    size_t room;
    while (!t->give.kind && !out->control.kind && in->len > 0 && has_room_to_say(t) && (room = buf_room(out, &at)) >= LONGEST) {
        unsigned char c = *buf_data(in);
        if (t->state != P_DATA) {
            buf_consume(in, 1);
            if (command_byte(t, c, out, e) < 0)
                return -1;
        } else if ((t->cr_until || t->cr_given) && c != T_IAC && behind_cr(t, c, out)) {
            buf_consume(in, 1);
        } else {
            if (t->cr_until) /* a command may stand between it and its second half */
                give_cr(t, out);
            if (telnet_on(t, HIM, TO_BINARY))
                give_bytes(t, in, out);
            else
                give_text(t, in, out, room - LONGEST + 1);
        }
    }
    if (t->cr_until && in->len == 0 && (eof || wait_now() >= t->cr_until) && buf_room(out, &at) >= LONGEST) {
        give_cr(t, out);
        t->cr_given = !eof;
    }
    if (t->give.kind && !buf_holds(out)) {
        out->control = t->give;
        t->give.kind = CONTROL_NONE;
    }
    return 0;
}

/* ---- to the wire ---- */

static void take_control(struct telnet *t, const struct control *c)
{
    static const unsigned char brk[] = {T_IAC, T_BREAK};
    if (t->role->comport)
        comport_take(t, c);
    else if (c->kind == CONTROL_WINDOW && !t->role->server)
        terminal_window(t, c->value);
    else if (c->kind == CONTROL_BREAK && c->value != BREAK_OFF)
        (void)buf_put(&t->say, brk, sizeof brk);
}

static void end_cr(struct telnet *t, struct buf *out)
{
    (void)buf_put(out, "", 1);
    t->nul_until = 0;
}

/* Bytes with each IAC twice. Gives how many are done with. */
static size_t twice(unsigned char *to, size_t room, const unsigned char *p, size_t n, size_t *given)
{
    size_t i = 0, o = 0;
    while (i < n && o + 2 <= room) {
        size_t most = least3(n - i, room - o - 1, AT_ONCE);
        const unsigned char *end = memccpy(to + o, p + i, T_IAC, most);
        size_t k = end ? (size_t)(end - (to + o)) : most;
        i += k;
        o += k;
        if (end)
            to[o++] = T_IAC;
    }
    *given = o;
    return i;
}

static void send_bytes(struct buf *in, struct buf *out)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), given;
    buf_consume(in, twice(to, room, buf_data(in), in->len, &given));
    buf_commit(out, given);
}

/* Text that means nothing to the wire, and then a byte that does. */
static void send_text(struct telnet *t, struct buf *in, struct buf *out, size_t room)
{
    const unsigned char *p = buf_data(in);
    size_t n = in->len < room ? in->len : room, i = 0;
    while (i < n && p[i] != T_IAC && p[i] != '\r' && p[i] != '\n')
        i++;
    (void)buf_put(out, p, i);
    if (i < n) {
        if (p[i] == T_IAC)
            (void)buf_put(out, (const unsigned char[]){T_IAC, T_IAC}, 2);
        else if (p[i] == '\n')
            (void)buf_put(out, "\r\n", 2);
        else
            (void)buf_put(out, "\r", 1), t->nul_until = wait_now() + NUL_MS;
        i++;
    }
    buf_consume(in, i);
}

/* What is sent between WILL BINARY and its answer would be taken for either. */
static bool holds_back(struct telnet *t)
{
    if (t->hold_until && (q_is_settled(&t->q[TO_BINARY][US]) || wait_now() >= t->hold_until))
        t->hold_until = 0;
    return t->hold_until || t->line.suspended;
}

static void send_data(struct telnet *t, struct buf *in, struct buf *out, bool eof)
{
    unsigned char *at;
    size_t room;
    while (!holds_back(t) && in->len > 0 && (room = buf_room(out, &at)) >= 2 * LONGEST) {
        if (t->nul_until && *buf_data(in) == '\n') {
            (void)buf_put(out, "\n", 1);
            buf_consume(in, 1);
            t->nul_until = 0;
            continue;
        }
        if (t->nul_until)
            end_cr(t, out);
        if (telnet_on(t, US, TO_BINARY))
            send_bytes(in, out);
        else
            send_text(t, in, out, room - LONGEST);
    }
    bool stays_alone = in->control.kind || (in->len == 0 && (eof || (t->nul_until && wait_now() >= t->nul_until)));
    if (t->nul_until && stays_alone && buf_room(out, &at) > 0)
        end_cr(t, out);
}

static void send_all(struct telnet *t, struct buf *in, struct buf *out, bool eof)
{
    while (flush_say(t, out) && !out->control.kind) {
        send_data(t, in, out, eof);
        if (!in->control.kind || t->nul_until)
            return;
        take_control(t, &in->control);
        buf_consume(in, 0);
    }
}

/* ---- the session ---- */

/* A client of RFC 2217 without lax: nothing is opened, nor is the end one, before the server knows it, too. */
static bool has_to_agree(const struct telnet *t)
{
    return t->role->comport && !t->role->server && !t->line.agreed && !opt_true(t->a, &opt_line_lax);
}

/* Nothing more comes from the wire. */
static int ends_well(struct telnet *t, struct err *e)
{
    bool within = t->state != P_DATA;
    t->state = P_DATA;
    if (has_to_agree(t))
        return err_set(e, ERR_REFUSED, "the server has ended without a word about RFC 2217; option lax goes on without");
    return within ? err_set(e, ERR_CUT, "the stream ends within a telnet command") : 0;
}

static int telnet_step(void *st, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct telnet *t = st;
    if (!t->begun && begin(t, e) < 0)
        return -1;
    if (t->role->comport)
        comport_act(t);
    unsigned char *at;
    if ((wire->in_eof && wire->in->len == 0) || wire->out_eof) { /* nothing more is answered */
        t->hold_until = t->ask_until = 0;
        t->line.suspended = false;
    }
    if (buf_room(data->out, &at) < LONGEST) /* what comes is data by now */
        t->ask_until = 0;
    if (!wire->out_eof)
        (void)flush_say(t, wire->out);
    if (wire->in->control.kind)
        buf_consume(wire->in, 0);
    if (receive(t, wire->in, data->out, wire->in_eof, e) < 0)
        return -1;
    if (wire->out_eof) /* who has ended answers nothing */
        buf_consume(&t->say, t->say.len);
    else
        send_all(t, data->in, wire->out, data->in_eof);
    if (wire->in_eof && wire->in->len == 0 && ends_well(t, e) < 0)
        return -1;
    if (wire->in_eof && wire->in->len == 0 && !t->give.kind && !t->cr_until)
        data->out_eof = true;
    if (data->in_eof && data->in->len == 0 && t->say.len == 0 && !t->nul_until)
        wire->out_eof = true;
    return 0;
}

static void sooner(int64_t *first, int64_t t)
{
    if (t > 0 && (*first < 0 || t < *first))
        *first = t;
}

static int64_t telnet_due(const void *st)
{
    const struct telnet *t = st;
    int64_t first = -1;
    sooner(&first, t->cr_until);
    sooner(&first, t->nul_until);
    sooner(&first, t->hold_until);
    sooner(&first, t->begun && !terminal_knows(t) ? t->ask_until : 0);
    sooner(&first, comport_due(t));
    return first;
}

static bool telnet_ready(const void *st)
{
    const struct telnet *t = st;
    return t->begun && !has_to_agree(t) && (terminal_knows(t) || wait_now() >= t->ask_until);
}

static int telnet_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    struct telnet *t = st;
    t->ask_until = 0;
    return (t->term[0] && run_tell(r, a, "term", t->term, strlen(t->term), e) < 0) ||
                   (t->user[0] && run_tell(r, a, "user", t->user, strlen(t->user), e) < 0)
               ? -1
               : 0;
}

static int telnet_open(const struct addr *a, struct run *r, void *shared, void **st, struct err *e)
{
    struct telnet *t = calloc(1, sizeof *t);
    (void)shared;
    if (!t)
        return err_nomem(e);
    t->role = a->form->arg;
    t->a = a;
    t->run = r;
    *st = t;
    return 0;
}

static void telnet_close(void *st)
{
    struct telnet *t = st;
    if (t)
        buf_fini(&t->say);
    free(t);
}

static const struct session_ops telnet_ops = {
    .controls = true,
    .bare_end = true,
    .common = {.prepare = telnet_prepare, .release = telnet_release},
    .open = telnet_open,
    .step = telnet_step,
    .ready = telnet_ready,
    .opened = telnet_opened,
    .due = telnet_due,
    .close = telnet_close,
};

static const struct telnet_role client = {false, false}, server = {true, false}, line_client = {false, true},
                                line_server = {true, true};

extern const struct form forms_telnet[];
const struct form forms_telnet[] = {
    {
        .keyword = "TELNET",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_telnet_client,
        .help = "speaks telnet as client with what is on its right",
        .check = telnet_check,
        .foresee = telnet_foresee,
        .kind = FORM_SESSION,
        .ops.session = &telnet_ops,
        .role = ROLE_CLIENT,
        .arg = &client,
    },
    {
        .keyword = "TELNET-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_telnet_server,
        .check = telnet_check,
        .foresee = telnet_foresee,
        .help = "speaks telnet as server with what is on its right",
        .kind = FORM_SESSION,
        .ops.session = &telnet_ops,
        .role = ROLE_SERVER,
        .gives = "term user",
        .arg = &server,
    },
    {
        .keyword = "RFC2217",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_rfc2217_client,
        .help = "uses the serial line of an RFC 2217 server on its right",
        .check = comport_check,
        .kind = FORM_SESSION,
        .ops.session = &telnet_ops,
        .role = ROLE_CLIENT,
        .arg = &line_client,
    },
    {
        .keyword = "RFC2217-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_rfc2217_server,
        .help = "lets RFC 2217 clients on its right use the serial line on its left",
        .kind = FORM_SESSION,
        .ops.session = &telnet_ops,
        .role = ROLE_SERVER,
        .arg = &line_server,
    },
    {0},
};
