/* SPDX-License-Identifier: GPL-2.0-or-later
 * The session of a tunnel over HTTP/2: see http2.h. */
#include "inter/http2/http2.h"

#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/handshake.h"
#include "inter/proxy/http_reply.h"
#include "inter/proxy/opts_proxy.h"

enum { TURNS_MAX = 8, KEPT_MAX = 65536 };

/* ---- one connection ---- */

static void tunnel_close(void *st)
{
    struct tunnel *t = st;
    if (!t)
        return;
    if (t->session)
        nghttp2_session_del(t->session);
    auth_end(&t->auth);
    challenges_fini(&t->challenges);
    buf_fini(&t->got);
    free(t);
}

static int begin(struct tunnel *t, const struct addr *a, struct run *r, struct err *e)
{
    if (target_parse(a, false, &t->target, e) < 0 ||
        (opt_true(a, &opt_proxy_resolve) && target_resolve_ip4(a, &t->target, r, e) < 0))
        return -1;
    diag(DIAG_INFO, "asking the proxy for a connection to %s over HTTP/2", t->target.text);
    return auth_begin(&t->auth, a, r, handshake_deadline(handshake_patience(a)), e) < 0 || tunnel_open(t, e) < 0 ||
                   tunnel_ask(t, e) < 0
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

static int refuse(struct tunnel *t, struct err *e)
{
    char more[256] = "", shown[16];
    (void)snprintf(shown, sizeof shown, "%d", t->status);
    if (t->status == 407)
        auth_hint(&t->auth, &t->challenges, more, sizeof more);
    (void)err_set(e, http_status_kind(t->status), "the proxy refused %s: %s%s", t->target.text, shown, more);
    return err_more_precisely(e, ERR_PROXY_STATUS);
}

/* Asked for in a stream of its own, what belongs to the one before is not waited for. */
static int hear(struct tunnel *t, struct err *e)
{
    if (t->status / 100 == 2) {
        diag(DIAG_INFO, "the proxy connected to %s: %d", t->target.text, t->status);
        auth_granted(&t->auth);
        return 0;
    }
    int rc = t->status == 407 && t->turns++ < TURNS_MAX ? auth_go_on(&t->auth, &t->challenges, e) : 0;
    if (rc <= 0)
        return rc < 0 ? -1 : refuse(t, e);
    if (!t->closed)
        (void)nghttp2_submit_rst_stream(t->session, NGHTTP2_FLAG_NONE, t->stream, NGHTTP2_CANCEL);
    t->heard = false;
    return tunnel_ask(t, e);
}

static bool stands(const struct tunnel *t) { return t->answered && t->status / 100 == 2; }

/* ---- what comes ---- */

/* Who knows nothing of HTTP/2 answers the first request in his own way. 1: it is HTTP/2; 0: not known by now. */
static int greet(struct tunnel *t, const struct session_side *wire, struct err *e)
{
    static const char other[] = "HTTP/";
    size_t n = wire->in->len < sizeof other - 1 ? wire->in->len : sizeof other - 1;
    t->greeted |= memcmp(buf_data(wire->in), other, n) != 0;
    if (!t->greeted && n == sizeof other - 1)
        return err_set(e, ERR_PROTOCOL, "the proxy speaks HTTP/1, and no HTTP/2");
    return t->greeted;
}

static int receive(struct tunnel *t, struct session_side *wire, struct err *e)
{
    if (t->parting)
        buf_consume(wire->in, wire->in->len);
    int rc = wire->in->len > 0 ? greet(t, wire, e) : 0;
    if (rc <= 0)
        return rc;
    ssize_t n = nghttp2_session_mem_recv(t->session, buf_data(wire->in), wire->in->len);
    if (n < 0)
        return n == NGHTTP2_ERR_NOMEM || n == NGHTTP2_ERR_CALLBACK_FAILURE
                   ? err_nomem(e)
                   : err_set(e, ERR_PROTOCOL, "what the proxy says is no HTTP/2: %s", nghttp2_strerror((int)n));
    buf_consume(wire->in, (size_t)n);
    return 0;
}

/* What is taken makes room in the windows. */
static int deliver(struct tunnel *t, struct session_side *data, struct err *e)
{
    size_t n = data->unwanted ? t->got.len : buf_move(data->out, &t->got);
    if (data->unwanted)
        buf_consume(&t->got, n);
    if (t->got.len == 0 && t->got.cap > KEPT_MAX)
        buf_fini(&t->got);
    if (n > 0 && nghttp2_session_consume(t->session, t->stream, n) < 0)
        return err_nomem(e);
    if (stands(t) && t->peer_ended && t->got.len == 0)
        data->out_eof = true;
    return 0;
}

/* ---- what goes ---- */

static void feed(struct tunnel *t, struct session_side *data)
{
    t->give = data->in;
    t->give_ends = data->in_eof && !data->in_cut;
    if (data->in_cut && data->in->len == 0 && !t->cut && !t->closed && !t->ended) {
        t->cut = true; /* the target is to see that it was no end */
        (void)nghttp2_submit_rst_stream(t->session, NGHTTP2_FLAG_NONE, t->stream,
                                        data->by_order ? NGHTTP2_CANCEL : NGHTTP2_CONNECT_ERROR);
    }
    if (!t->cut && !t->ended && !t->closed && (data->in->len > 0 || t->give_ends))
        (void)nghttp2_session_resume_data(t->session, t->stream);
}

static int put_out(struct tunnel *t, struct session_side *wire, struct err *e)
{
    for (;;) {
        size_t n = t->nframes > 0 ? buf_put(wire->out, t->frames, t->nframes) : 0;
        t->frames = n > 0 ? t->frames + n : t->frames;
        t->nframes -= n;
        if (t->nframes > 0)
            return 0;
        ssize_t more = nghttp2_session_mem_send(t->session, &t->frames);
        if (more < 0)
            return err_set(e, ERR_OTHER, "HTTP/2: %s", nghttp2_strerror((int)more));
        if (more == 0)
            return 0;
        t->nframes = (size_t)more;
    }
}

/* ---- ends ---- */

/* Nothing more comes, nor goes. */
static bool is_gone(const struct tunnel *t, const struct session_side *wire)
{
    return t->closed || (wire->in_eof && wire->in->len == 0);
}

/* It was reset, went before its end, or does not take what there still is to say. */
static bool has_failed(const struct tunnel *t, const struct session_side *data, const struct session_side *wire)
{
    bool good = t->peer_ended && stands(t) && !(t->closed && t->code != NGHTTP2_NO_ERROR);
    return !t->cut && is_gone(t, wire) && (!good || (!t->ended && data->in->len > 0));
}

/* It is told when what came before it has been handed on. */
static int fail(const struct tunnel *t, const struct session_side *data, struct err *e)
{
    const char *where = stands(t) ? "" : t->target.text, *to = stands(t) ? "" : " to ";
    if (!data->unwanted && (t->got.len > 0 || data->out->len > 0))
        return 0;
    if (t->closed && t->code != NGHTTP2_NO_ERROR)
        return err_set(e, t->code == NGHTTP2_REFUSED_STREAM ? ERR_BUSY : ERR_REFUSED, "the proxy reset the stream%s%s: %s", to,
                       where, nghttp2_http2_strerror(t->code));
    if (t->peer_ended && stands(t))
        return err_set(e, ERR_REFUSED, "the proxy takes no more: it has closed the stream");
    return t->closed ? err_set(e, ERR_REFUSED, "the proxy closed the stream%s%s before its end", to, where)
                     : err_set(e, ERR_PROTOCOL, "the proxy closed the connection before the end of the stream");
}

/* Nobody takes any more, or it has been ended from our side. */
static bool is_deaf(const struct session_side *data) { return data->unwanted || data->out_eof; }

static bool wants_to_part(const struct tunnel *t, const struct session_side *data, const struct session_side *wire)
{
    return t->parting || is_gone(t, wire) || (t->ended && (t->peer_ended || is_deaf(data)));
}

/* The connection is for this one tunnel. */
static int part(struct tunnel *t, struct session_side *data, struct session_side *wire, struct err *e)
{
    if (!t->parting && nghttp2_session_terminate_session(t->session, NGHTTP2_NO_ERROR) < 0)
        return err_nomem(e);
    t->parting = true;
    if (put_out(t, wire, e) < 0)
        return -1;
    if (t->nframes == 0) {
        data->out_eof |= t->got.len == 0;
        wire->out_eof = true;
    }
    return 0;
}

static int session_step(void *st, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct tunnel *t = st;
    if (receive(t, wire, e) < 0)
        return -1;
    if (t->answered && !t->heard) {
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
    int rc = put_out(t, wire, e);
    if (rc == 0 && !t->parting && !t->closed && !nghttp2_session_want_read(t->session))
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
    return t->ended || t->cut;
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

static int http2_check(const struct addr *a, struct err *e)
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
        .kind = FORM_SESSION,
        .ops.session = &http2_ops,
    },
    {0},
};
