/* SPDX-License-Identifier: GPL-2.0-or-later
 * From the wire: frames to messages, and messages to bytes or records. A stream gets the bytes as they come, a
 * record is whole before it is given out. */
#include <stdio.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "inter/proxy/target.h"
#include "inter/ws/ws.h"

/* ---- where the data go ---- */

/* What there is of a record goes first: it is whole, or has become a part of a stream. */
static bool hand_out(struct ws_session *s, const struct session_side *data)
{
    struct ws_in *i = &s->in;
    if (data->records && i->whole) {
        if (buf_holds(data->out))
            return false;
        buf_swap(&i->record, data->out);
        data->out->record = true;
    } else if (!data->records && i->record.len > 0) {
        buf_move(data->out, &i->record);
        if (i->record.len > 0)
            return false;
    }
    i->whole = false;
    return true;
}

/* Room for what is to come, at most so much; 0: not now. */
static size_t room_for(struct ws_session *s, const struct session_side *data, size_t n, unsigned char **at,
                       struct err *e)
{
    struct buf *b = data->records ? &s->in.record : data->out;
    size_t room = b->p ? buf_room(b, at) : 0;
    if (data->records && room < n) { /* it grows as the bytes come, whatever has been promised */
        if (buf_grow(b, 2 * b->len + n) < 0) {
            (void)err_nomem(e);
            return 0;
        }
        room = buf_room(b, at);
    }
    return room < n ? room : n;
}

static int took(struct ws_session *s, const struct session_side *data, struct session_side *wire,
                const unsigned char *at, size_t n)
{
    struct ws_in *i = &s->in;
    size_t most = data->records ? s->config->max_record : s->config->max_size;
    i->size += n;
    if (n > 0 && !s->peer_waits) {
        s->heard = true;
        s->heard_at = wait_now();
    }
    if (i->size > most)
        return ws_fail(s, wire, CLOSE_TOO_BIG, "a message of at least %llu bytes came, where one may have %zu "
                                               "(option max-size)", (unsigned long long)i->size, most);
    if (i->message == FRAME_TEXT && !utf8_scan(&i->utf8, at, n, NULL))
        return ws_fail(s, wire, CLOSE_NO_TEXT, "the peer sent a text that is no UTF-8");
    buf_commit(data->records ? &i->record : data->out, n);
    return 1;
}

/* ---- payloads ---- */

static void unmask(const struct ws_in *i, unsigned char *to, const unsigned char *from, size_t n)
{
    if (i->frame.masked)
        frame_mask(to, from, n, i->frame.key, i->frame.len - i->left);
    else
        memcpy(to, from, n);
}

static size_t at_hand(const struct ws_in *i, const struct session_side *wire, size_t room)
{
    size_t n = wire->in->len < room ? wire->in->len : room;
    return n < i->left ? n : (size_t)i->left;
}

static void take(struct ws_in *i, struct session_side *wire, unsigned char *to, size_t n)
{
    if (n == 0)
        return;
    unmask(i, to, buf_data(wire->in), n);
    buf_consume(wire->in, n);
    i->left -= n;
}

static int plain_payload(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    unsigned char *at;
    size_t n = at_hand(i, wire, SIZE_MAX);
    if (i->left == 0)
        return 1;
    if (n == 0 || (n = room_for(s, data, n, &at, e)) == 0)
        return e->kind == ERR_NONE ? 0 : -1;
    take(i, wire, at, n);
    int rc = took(s, data, wire, at, n);
    return rc < 0 ? -1 : i->left == 0;
}

static int packed_payload(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    bool dry = false;
    while (!dry || i->left > 0) {
        unsigned char *at, *to;
        size_t room = buf_room(&i->piece, &at), n = at_hand(i, wire, room);
        take(i, wire, at, n);
        buf_commit(&i->piece, n);
        if ((room = room_for(s, data, PIECE, &to, e)) == 0)
            return e->kind == ERR_NONE ? 0 : -1;
        ptrdiff_t got = ws_unpack(s, to, room, &dry);
        if (got < 0)
            return ws_fail(s, wire, CLOSE_NO_TEXT, "a compressed message is damaged");
        if (took(s, data, wire, to, (size_t)got) < 0)
            return -1;
        if (dry && i->left > 0 && wire->in->len == 0)
            return 0;
    }
    return 1;
}

static int end_data(struct ws_session *s, const struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    if (!i->frame.fin)
        return 1;
    if (i->utf8.missing > 0)
        return ws_fail(s, wire, CLOSE_NO_TEXT, "the peer sent a text that ends within a character");
    i->message = 0;
    if (data->records && buf_grow(&i->record, 1) < 0) /* an empty one is somewhere, too */
        return err_nomem(e);
    i->whole = data->records;
    return 1;
}

/* ---- frames of control ---- */

static bool is_failure(unsigned code)
{
    return code > CLOSE_AWAY && code < 3000 && code != CLOSE_NO_CODE;
}

static int take_close(struct ws_session *s, struct session_side *wire)
{
    struct ws_in *i = &s->in;
    char reason[CONTROL_MOST + 1] = "", shown[CONTROL_MOST + 1];
    struct utf8 u = {0};
    if (i->ncontrol == 1)
        return ws_fail(s, wire, CLOSE_PROTOCOL, "the peer said Close with half a code");
    s->got_code = i->ncontrol == 0 ? CLOSE_NO_CODE : (unsigned)(i->control[0] << 8 | i->control[1]);
    if (i->ncontrol > 0 && !close_code_is_valid(s->got_code))
        return ws_fail(s, wire, CLOSE_PROTOCOL, "the peer said Close with the code %u, which means nothing", s->got_code);
    if (i->ncontrol > 2) {
        if (!utf8_scan(&u, i->control + 2, i->ncontrol - 2, NULL) || u.missing > 0)
            return ws_fail(s, wire, CLOSE_NO_TEXT, "the peer said Close for a reason that is no UTF-8");
        memcpy(reason, i->control + 2, i->ncontrol - 2);
    }
    printable(shown, sizeof shown, reason);
    s->got_close = true;
    if (is_failure(s->got_code))
        return ws_fail(s, wire, s->got_code, "the peer broke off with the code %u%s%s", s->got_code,
                       shown[0] ? ": " : "", shown);
    if (i->message != 0)
        return ws_fail(s, wire, s->got_code, "the peer said Close within a message");
    diag(s->got_code >= CLOSE_AWAY && s->got_code != CLOSE_NO_CODE ? DIAG_NOTICE : DIAG_INFO,
         "the peer said Close, code %u%s%s", s->got_code, shown[0] ? ": " : "", shown);
    return 1;
}

static int control_payload(struct ws_session *s, struct session_side *wire)
{
    struct ws_in *i = &s->in;
    size_t n = at_hand(i, wire, CONTROL_MOST - i->ncontrol);
    take(i, wire, i->control + i->ncontrol, n);
    i->ncontrol += n;
    if (i->left > 0)
        return 0;
    if (i->frame.kind == FRAME_CLOSE)
        return take_close(s, wire);
    if (i->frame.kind == FRAME_PING) { /* of several the last one counts */
        memcpy(s->out.pong, i->control, i->ncontrol);
        s->out.npong = i->ncontrol;
        s->out.wants_pong = true;
    }
    return 1;
}

/* ---- heads ---- */

static const char *objection(const struct ws_session *s)
{
    const struct ws_in *i = &s->in;
    const struct frame *f = &i->frame;
    bool control = f->kind & FRAME_CONTROL, begins = f->kind == FRAME_TEXT || f->kind == FRAME_BINARY;
    unsigned known = s->packing.agreed && begins ? FRAME_PACKED : 0;
    if (f->masked != s->config->server)
        return f->masked ? "is masked, which is for clients" : "is not masked, as a client's has to be";
    if (f->reserved & ~known)
        return "has reserved bits set";
    if (f->kind > FRAME_PONG || (f->kind > FRAME_BINARY && !control))
        return "is of an unknown kind";
    if (control && (!f->fin || f->len > CONTROL_MOST))
        return f->fin ? "of control has more than 125 bytes" : "of control is a fragment";
    if (f->kind == FRAME_MORE && i->message == 0)
        return "goes on with a message that has not begun";
    return begins && i->message != 0 ? "begins a message within another" : NULL;
}

static int begin_frame(struct ws_session *s, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    const struct frame *f = &i->frame;
    const char *why = objection(s);
    if (why)
        return ws_fail(s, wire, CLOSE_PROTOCOL, "a frame of the peer %s", why);
    i->inside = true;
    i->left = f->len;
    i->ncontrol = 0;
    if (f->kind != FRAME_TEXT && f->kind != FRAME_BINARY)
        return 1;
    i->message = f->kind;
    i->packed = f->reserved & FRAME_PACKED;
    i->utf8 = (struct utf8){0};
    i->size = 0;
    return i->packed && ws_unpack_begin(s, e) < 0 ? -1 : 1;
}

/* Too large is said as soon as it is known; what a record may have counts only where there are such. */
static int check_size(struct ws_session *s, const struct session_side *data, struct session_side *wire)
{
    const struct ws_in *i = &s->in;
    size_t most = data->records && !data->unsettled ? s->config->max_record : s->config->max_size;
    bool is_data = !(i->frame.kind & FRAME_CONTROL) && !i->packed;
    if (!is_data || (i->size <= most && i->frame.len <= most - i->size))
        return 1;
    return ws_fail(s, wire, CLOSE_TOO_BIG, "a message of %s%llu bytes came, where one may have %zu (option max-size)",
                   i->frame.fin ? "" : "at least ", (unsigned long long)(i->size + i->frame.len), most);
}

static int take_head(struct ws_session *s, const struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    int rc = 0;
    while (rc == 0 && wire->in->len > 0) {
        i->head[i->nhead++] = *buf_data(wire->in);
        buf_consume(wire->in, 1);
        rc = frame_take(i->head, i->nhead, &i->frame);
    }
    if (rc == 0)
        return 0;
    i->nhead = 0;
    if (rc < 0)
        return ws_fail(s, wire, CLOSE_PROTOCOL, "the length of a frame of the peer is not written in the shortest way");
    return begin_frame(s, wire, e) < 0 ? -1 : check_size(s, data, wire);
}

/* ---- all of it ---- */

static int take_frame(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_in *i = &s->in;
    int rc;
    if (!i->inside)
        return take_head(s, data, wire, e);
    if (i->frame.kind & FRAME_CONTROL)
        rc = control_payload(s, wire);
    else if ((rc = i->packed ? packed_payload(s, data, wire, e) : plain_payload(s, data, wire, e)) > 0)
        rc = end_data(s, data, wire, e);
    i->inside = rc == 0;
    return rc;
}

int ws_receive(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    while (!s->got_close) {
        if (!hand_out(s, data))
            return 0;
        int rc = take_frame(s, data, wire, e);
        if (rc < 0)
            return -1;
        if (rc == 0 && wire->in_eof && wire->in->len == 0 && !buf_holds(data->out))
            return ws_fail(s, wire, 0, "the peer ended the WebSocket connection without Close (truncated)");
        if (rc == 0)
            return 0;
    }
    buf_consume(wire->in, wire->in->len); /* nothing counts behind it */
    data->out_eof = hand_out(s, data);
    return 0;
}
