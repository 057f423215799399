/* SPDX-License-Identifier: GPL-2.0-or-later
 * To the wire: what is at hand becomes a message, of one frame unless it is compressed; between frames those of
 * control go first. */
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/wait.h"
#include "inter/ws/ws.h"

enum { QUIET_MS = 1000 }; /* without a word: what there was to say has been said */

/* ---- frames ---- */

/* Asking for one each time would cost more than the frame. */
static bool next_mask(struct ws_out *o, unsigned char key[4])
{
    if (o->nmasks == 0) {
        if (RAND_bytes(o->masks[0], sizeof o->masks) != 1)
            return false;
        o->nmasks = MASKS;
    }
    memcpy(key, o->masks[--o->nmasks], sizeof o->masks[0]);
    return true;
}

/* Gives false if there is no room, or no mask: then *e says so. */
static bool put_head(struct ws_session *s, struct buf *to, const struct frame *f, size_t payload, struct err *e)
{
    struct ws_out *o = &s->out;
    unsigned char *at;
    o->frame = *f;
    o->frame.masked = !s->config->server;
    if (buf_room(to, &at) < FRAME_HEAD + payload)
        return false;
    if (o->frame.masked && !next_mask(o, o->frame.key)) {
        (void)err_set(e, ERR_BUSY, "there are no random bytes for a mask");
        return false;
    }
    buf_commit(to, frame_put(at, &o->frame));
    return true;
}

static void put_payload(const struct ws_out *o, struct buf *to, const unsigned char *p, size_t n, uint64_t phase)
{
    unsigned char *at;
    (void)buf_room(to, &at);
    if (o->frame.masked)
        frame_mask(at, p, n, o->frame.key, phase);
    else
        memcpy(at, p, n);
    buf_commit(to, n);
}

static bool control(struct ws_session *s, struct session_side *wire, unsigned kind, const unsigned char *p, size_t n,
                    struct err *e)
{
    if (s->out.left > 0 || !put_head(s, wire->out, &(struct frame){.fin = true, .kind = kind, .len = n}, n, e))
        return false;
    if (n > 0)
        put_payload(&s->out, wire->out, p, n, 0);
    return true;
}

bool ws_say_close(struct ws_session *s, struct session_side *wire, unsigned code)
{
    const unsigned char body[] = {(unsigned char)(code >> 8), (unsigned char)code};
    struct err ignored;
    return s->out.said_close ||
           (s->out.said_close =
                control(s, wire, FRAME_CLOSE, body, code == CLOSE_NO_CODE ? 0 : sizeof body, &ignored));
}

int ws_fail(struct ws_session *s, struct session_side *wire, unsigned code, const char *fmt, ...)
{
    va_list ap;
    char text[512];
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!(s->why = calloc(1, sizeof *s->why)))
        return -1;
    (void)err_set(s->why, ERR_PROTOCOL, "%s", text);
    if (code != 0)
        (void)ws_say_close(s, wire, code);
    return -1;
}

/* What of the frame under way there is room for. Gives true when all of it is out. */
static bool go_on(struct ws_session *s, struct session_side *wire)
{
    struct ws_out *o = &s->out;
    unsigned char *at;
    size_t room = buf_room(wire->out, &at), n = room < o->left ? room : (size_t)o->left;
    if (n > 0) {
        put_payload(o, wire->out, buf_data(o->from), n, o->frame.len - o->left);
        o->left -= n;
        buf_consume(o->from, n);
    }
    return o->left == 0;
}

/* ---- messages ---- */

static bool begin_frame(struct ws_session *s, struct session_side *wire, struct buf *from, size_t n, unsigned kind,
                        bool fin, unsigned reserved, struct err *e)
{
    struct frame f = {.fin = fin, .kind = kind, .reserved = reserved, .len = n};
    if (!put_head(s, wire->out, &f, 0, e))
        return false;
    s->out.from = from;
    s->out.left = n;
    s->sent = true;
    s->heard = false;
    s->sent_since |= s->got_close;
    return true;
}

static unsigned kind_of(const struct ws_session *s)
{
    return s->config->text ? FRAME_TEXT : FRAME_BINARY;
}

/* What of text can be sent: up to the end of a character. Of a record that is all, or it is none. */
static int gather_text(struct ws_session *s, struct session_side *data, struct session_side *wire, size_t *n,
                       struct err *e)
{
    struct ws_out *o = &s->out;
    size_t had = o->text.len, more = data->in->len, whole = 0;
    if (buf_grow(&o->text, o->text.off + had + more + 1) < 0)
        return err_nomem(e);
    if (more > 0)
        (void)buf_put(&o->text, buf_data(data->in), more);
    buf_consume(data->in, more);
    struct utf8 u = {0};
    bool good = utf8_scan(&u, buf_data(&o->text), o->text.len, &whole);
    if (!good || (data->packets && u.missing > 0))
        return ws_fail(s, wire, CLOSE_FAILED, "what is to be sent as text is no UTF-8 (option binary)");
    *n = whole;
    return 0;
}

static bool put_packed(struct ws_session *s, struct session_side *wire, bool last, struct err *e)
{
    struct ws_out *o = &s->out;
    unsigned kind = o->packing.begun ? FRAME_MORE : kind_of(s), reserved = o->packing.begun ? 0 : FRAME_PACKED;
    if (!begin_frame(s, wire, &o->packed, o->packed.len - (last ? 0 : TAIL), kind, last, reserved, e))
        return false;
    o->packing.begun = true;
    if (last)
        o->packing = (struct ws_message){0};
    return true;
}

static bool has_room(const struct session_side *wire)
{
    unsigned char *at;
    return buf_room(wire->out, &at) >= FRAME_HEAD;
}

/* The next frame of a message that is compressed. */
static int next_packed(struct ws_session *s, struct session_side *wire, struct err *e)
{
    int rc = ws_pack(s, e);
    if (rc < 0)
        return -1;
    return put_packed(s, wire, rc > 0, e) ? 1 : e->kind == ERR_NONE ? 0 : -1;
}

static int next_message(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct buf *from = data->in;
    size_t n = from->len;
    if (!buf_holds(data->in))
        return 0;
    bool record = data->packets;
    if (s->config->text) {
        from = &s->out.text;
        if (gather_text(s, data, wire, &n, e) < 0)
            return -1;
        if (n == 0 && !record)
            return 0;
    }
    if (ws_packs(s) && n > 0) {
        s->out.packing = (struct ws_message){.from = from, .left = n};
        return next_packed(s, wire, e);
    }
    if (!begin_frame(s, wire, from, n, kind_of(s), true, 0, e))
        return e->kind == ERR_NONE ? 0 : -1;
    if (n == 0)
        buf_consume(data->in, 0);
    return 1;
}

/* ---- the end ---- */

/* All that is to be sent is out, or never will be. */
static int say_goodbye(struct ws_session *s, const struct session_side *data, struct session_side *wire)
{
    bool all = data->in_eof && !buf_holds(data->in);
    if (all && s->out.text.len > 0)
        return ws_fail(s, wire, CLOSE_FAILED, "what is to be sent as text ends within a character (option binary)");
    if (all && (s->config->half_close || s->got_close)) {
        s->spoke_last = !s->got_close && s->sent && (!s->heard || wait_now() - s->heard_at < QUIET_MS);
        (void)ws_say_close(s, wire, s->got_close ? s->got_code : CLOSE_NORMAL);
    } else if (data->in_cut && !buf_holds(data->in))
        (void)ws_say_close(s, wire, data->by_order ? CLOSE_AWAY : CLOSE_FAILED);
    return 0;
}

/* It has said Close and gone, instead of waiting for ours. (Who is known to wait may well have ended its half of
 * the connection: TLS below has a goodbye of its own.) */
static bool is_deserted(const struct ws_session *s, const struct session_side *data, const struct session_side *wire)
{
    bool owes = s->sent_since || s->out.left > 0 || s->out.packing.from || buf_holds(data->in);
    return !s->peer_waits && s->got_close && !s->out.said_close && wire->in_eof && owes;
}

/* Nobody takes what we send any more: what was on its way into a frame has been dropped under us, and that frame
 * is the last. */
static bool is_silenced(const struct ws_out *o)
{
    return (o->left > 0 && o->from->len < o->left) || (o->packing.from && o->packing.from->len < o->packing.left);
}

int ws_send(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_out *o = &s->out;
    if (is_deserted(s, data, wire))
        return ws_fail(s, wire, 0, "the peer has said Close and gone, without waiting for what was still to be said to it");
    if (is_silenced(o)) {
        o->left = 0;
        o->packing = (struct ws_message){0};
        o->said_close = true;
    }
    while (!o->said_close && go_on(s, wire) && has_room(wire)) {
        if (o->wants_pong && (s->got_close || control(s, wire, FRAME_PONG, o->pong, o->npong, e)))
            o->wants_pong = false;
        if (o->wants_ping && (s->got_close || control(s, wire, FRAME_PING, NULL, 0, e))) {
            o->wants_ping = false;
            s->ping_leaves = true;
        }
        if (e->kind != ERR_NONE)
            return -1;
        if (o->wants_pong || o->wants_ping) /* there was no room */
            return 0;
        int rc = o->packing.from ? next_packed(s, wire, e) : next_message(s, data, wire, e);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return say_goodbye(s, data, wire);
    }
    return 0;
}
