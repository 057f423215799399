/* SPDX-License-Identifier: GPL-2.0-or-later
 * The session of a tunnel over HTTP/2: see http2.h. */
#include "inter/http2/http2.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/handshake.h"
#include "inter/proxy/http_reply.h"
#include "inter/proxy/opts_proxy.h"

enum { FRAME_BYTES_MAX = 16384, KEPT_MAX = 65536 };

/* ---- what the session asks for ---- */

int http2_keep(struct buf *b, const uint8_t *data, size_t n)
{
    const size_t wanted = b->len + n;
    if (wanted > b->cap && buf_grow(b, wanted < FRAME_BYTES_MAX ? FRAME_BYTES_MAX : 2 * wanted) < 0)
        return -1;
    buf_put(b, data, n);
    return 0;
}

static struct tunnel *tunnel_of(struct h2_stream *s)
{
    return (struct tunnel *)((char *)s - offsetof(struct tunnel, stream));
}

static int take(struct h2 *h, struct h2_stream *s, const uint8_t *data, size_t n)
{
    (void)h;
    return http2_keep(&tunnel_of(s)->got, data, n);
}

static size_t give(struct h2 *h, struct h2_stream *s, uint8_t *to, size_t n, bool *ends)
{
    struct tunnel *t = tunnel_of(s);
    (void)h;
    if (!t->give)
        return 0;
    n = n < t->give->len ? n : t->give->len;
    if (n > 0) {
        memcpy(to, buf_data(t->give), n);
        buf_consume(t->give, n);
    }
    *ends = t->give->len == 0 && t->give_ends;
    return n;
}

static const struct h2_use one_tunnel = {.take = take, .give = give, .window = HTTP2_WINDOW, .whole = HTTP2_WINDOW};

/* ---- one connection ---- */

static void tunnel_close(void *st)
{
    struct tunnel *t = st;
    if (!t)
        return;
    h2_close(&t->h2);
    auth_end(&t->auth);
    challenges_fini(&t->stream.challenges);
    buf_fini(&t->got);
    free(t);
}

static int ask(struct tunnel *t, struct err *e)
{
    struct buf login = {0};
    if (auth_write(&t->auth, t->target.text, &login, e) < 0) {
        buf_fini(&login);
        return -1;
    }
    int rc = h2_ask(&t->h2, &t->stream, t->target.text, &login, e);
    return rc > 0 ? err_set(e, ERR_OTHER, "the connection has had all the streams that it can have") : rc;
}

static int begin(struct tunnel *t, const struct addr *a, struct run *r, struct err *e)
{
    if (target_parse(a, false, &t->target, e) < 0 ||
        (opt_true(a, &opt_proxy_resolve) && target_resolve_ip4(a, &t->target, r, e) < 0))
        return -1;
    diag(DIAG_INFO, "asking the proxy for a connection to %s over HTTP/2", t->target.text);
    return auth_begin(&t->auth, a, r, handshake_deadline(handshake_patience(a)), e) < 0 ||
                   h2_open(&t->h2, &one_tunnel, e) < 0 || ask(t, e) < 0
               ? -1
               : 0;
}

static int session_open(const struct addr *a, struct run *r, void *shared, void **st, struct err *e)
{
    struct tunnel *t = calloc(1, sizeof *t);
    (void)shared;
    if (!t)
        return err_nomem(e);
    t->addr = a;
    if (begin(t, a, r, e) < 0) {
        tunnel_close(t);
        return -1;
    }
    *st = t;
    return 0;
}

/* ---- the answer ---- */

int http2_refuse(const struct target *t, const struct auth *u, int status, const struct challenges *c, struct err *e)
{
    char more[256] = "", shown[16];
    (void)snprintf(shown, sizeof shown, "%d", status);
    if (status == 407)
        auth_hint(u, c, more, sizeof more);
    (void)err_set(e, http_status_kind(status), "the proxy refused %s: %s%s", t->text, shown, more);
    return err_more_precisely(e, ERR_PROXY_STATUS);
}

/* Asked for in a stream of its own, what belongs to the one before is not waited for. */
static int hear(struct tunnel *t, struct err *e)
{
    struct h2_stream *s = &t->stream;
    if (h2_stands(s)) {
        diag(DIAG_INFO, "the proxy connected to %s: %d", t->target.text, s->status);
        auth_granted(&t->auth);
        return 0;
    }
    int rc = s->status == 407 && t->turns++ < HTTP2_TURNS ? auth_go_on(&t->auth, &s->challenges, e) : 0;
    if (rc <= 0)
        return rc < 0 ? -1 : http2_refuse(&t->target, &t->auth, s->status, &s->challenges, e);
    h2_reset(&t->h2, s, NGHTTP2_CANCEL);
    h2_forget(&t->h2, s);
    t->heard = false;
    return ask(t, e);
}

static bool stands(const struct tunnel *t) { return h2_stands(&t->stream); }

/* What is taken makes room in the windows. */
static int deliver(struct tunnel *t, struct session_side *data, struct err *e)
{
    size_t n = data->unwanted ? t->got.len : buf_move(data->out, &t->got);
    if (data->unwanted)
        buf_consume(&t->got, n);
    if (t->got.len == 0 && t->got.cap > KEPT_MAX)
        buf_fini(&t->got);
    if (h2_taken(&t->h2, &t->stream, n, e) < 0)
        return -1;
    if (stands(t) && t->stream.peer_ended && t->got.len == 0)
        data->out_eof = true;
    return 0;
}

static void feed(struct tunnel *t, struct session_side *data)
{
    struct h2_stream *s = &t->stream;
    t->give = data->in;
    t->give_ends = data->in_eof && !data->in_cut;
    /* the target is to see that it was no end */
    if (data->in_cut && data->in->len == 0 && !s->cut && !s->closed && !s->ended)
        h2_reset(&t->h2, s, data->by_order ? NGHTTP2_CANCEL : NGHTTP2_CONNECT_ERROR);
    if (data->in->len > 0 || t->give_ends)
        h2_resume(&t->h2, s);
}

/* ---- ends ---- */

/* Nothing more comes, nor goes. */
static bool is_gone(const struct tunnel *t, const struct session_side *wire)
{
    return t->stream.closed || (wire->in_eof && wire->in->len == 0);
}

/* It was reset, went before its end, or does not take what there still is to say. */
static bool has_failed(const struct tunnel *t, const struct session_side *data, const struct session_side *wire)
{
    const struct h2_stream *s = &t->stream;
    bool good = s->peer_ended && stands(t) && !(s->closed && s->code != NGHTTP2_NO_ERROR);
    return !s->cut && is_gone(t, wire) && (!good || (!s->ended && data->in->len > 0));
}

/* It is told when what came before it has been handed on. */
static int fail(const struct tunnel *t, const struct session_side *data, struct err *e)
{
    if (!data->unwanted && (t->got.len > 0 || data->out->len > 0))
        return 0;
    return h2_why_closed(&t->stream, stands(t) ? NULL : t->target.text, e);
}

/* Nobody takes any more, or it has been ended from our side. */
static bool is_deaf(const struct session_side *data) { return data->unwanted || data->out_eof; }

static bool wants_to_part(const struct tunnel *t, const struct session_side *data, const struct session_side *wire)
{
    return t->h2.parting || is_gone(t, wire) || (t->stream.ended && (t->stream.peer_ended || is_deaf(data)));
}

/* The connection is for this one tunnel. */
static int part(struct tunnel *t, struct session_side *data, struct session_side *wire, struct err *e)
{
    bool out;
    if (h2_part(&t->h2, wire, &out, e) < 0)
        return -1;
    if (out) {
        data->out_eof |= t->got.len == 0;
        wire->out_eof = true;
    }
    return 0;
}

static int session_step(void *st, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct tunnel *t = st;
    if (h2_receive(&t->h2, wire, e) < 0)
        return -1;
    if (t->stream.answered && !t->heard) {
        t->heard = true;
        if (hear(t, e) < 0)
            return -1;
    }
    if (deliver(t, data, e) < 0)
        return -1;
    feed(t, data);
    bool failed = has_failed(t, data, wire);
    if (failed && fail(t, data, e) < 0)
        return -1;
    int rc = h2_put_out(&t->h2, wire, e);
    if (rc == 0 && !t->h2.parting && !t->stream.closed && !nghttp2_session_want_read(t->h2.session))
        return err_set(e, ERR_PROTOCOL, "what the proxy says is no HTTP/2");
    if (rc == 0 && !failed && stands(t) && wants_to_part(t, data, wire))
        rc = part(t, data, wire, e);
    t->give = NULL;
    return rc;
}

static bool session_ready(const void *st) { return stands(st); }

static bool session_said_all(const void *st)
{
    const struct tunnel *t = st;
    return t->stream.ended || t->stream.cut;
}

static int session_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    (void)st;
    (void)a;
    (void)r;
    (void)e;
    return 0;
}

static const struct session_ops http2_ops = {
    .common = AUTH_COMMON, .open = session_open, .step = session_step, .ready = session_ready, .opened = session_opened,
    .said_all = session_said_all,
    .close = tunnel_close,
};

int http2_check(const struct addr *a, struct err *e)
{
    const struct opt *helper = opt_find(a, &opt_auth_helper), *lines = opt_find(a, &opt_ignorecr);
    if (lines)
        return err_at(e, lines->at, "HTTP/2 has no lines: ignorecr is for HTTP/1");
    if (helper)
        return err_at(e, helper->at, "NTLM and Negotiate belong to a connection, which HTTP/2 has for many: proxy-auth-helper is for HTTP/1");
    return target_check(a, e) < 0 ? -1 : auth_check(a, e);
}

const struct form forms_http2[] = {
    {
        .keyword = "PROXY-HTTP2",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_HTTP,
        .role = ROLE_CLIENT,
        .target = 1,
        .speaks = "h2",
        .help = "asks an HTTP proxy for a connection over HTTP/2 (PROXY with http-version=2)",
        .check = http2_check,
        .foresee = target_foresee,
        .shares = &http2_shared,
        .kind = FORM_SESSION,
        .ops.session = &http2_ops,
    },
    {0},
};
