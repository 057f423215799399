/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY over HTTP/2 where a connection to the proxy is for all lines of a listener (catena/trunk.h): each has a stream
 * of it. A line asks in its own thread, and judges the answer there; the trunk's thread moves what there is. A reader
 * that takes nothing holds up his own stream alone, by its window. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/handshake.h"
#include "catena/run.h"
#include "catena/trunk.h"
#include "catena/wait.h"
#include "inter/http2/http2.h"
#include "inter/proxy/opts_proxy.h"

enum {
    WINDOW = 256 * 1024,  /* bytes that may be on their way to one line ... */
    WHOLE = 4 << 20,      /* ... and, not read from the connection, to all */
    ELSEWHERE = 4,        /* streams that are asked for, one after the other, where nothing came of them */
    IDLE_S = 60,          /* without a stream */
    UNSENT_MS = 30000,    /* for what is left to be said by somebody who is gone ... */
    PARTING_MS = 2000,    /* ... and then for the target to take it, and end */
};

/* ---- what a line asks, and hears ---- */

static void forget(void *state)
{
    struct http2_asking *q = state;
    if (q->login.p)
        explicit_bzero(q->login.p, q->login.cap);
    buf_fini(&q->login);
    challenges_fini(&q->challenges);
}

struct visit {
    const struct addr *addr;
    struct run *run;
    struct target target;
    struct auth auth;
};

static struct stream *ask_once(struct visit *v, int *rc, struct err *e)
{
    struct stream *s = trunk_stream(v->run, sizeof(struct http2_asking), forget, e);
    struct http2_asking *q = s ? stream_state(s) : NULL;
    *rc = -1;
    if (!s)
        return NULL;
    memcpy(q->target, v->target.text, sizeof q->target);
    *rc = auth_write(&v->auth, v->target.text, &q->login, e);
    if (*rc == 0)
        *rc = stream_ask(s, v->run, handshake_patience(v->addr), e);
    if (*rc == 0)
        return s;
    stream_leave(s);
    return NULL;
}

/* What nobody has done anything about is asked for again, of another connection. */
static struct stream *ask(struct visit *v, struct err *e)
{
    int rc = 1;
    struct stream *s = NULL;
    for (int i = 0; rc > 0 && i < ELSEWHERE; i++)
        s = ask_once(v, &rc, e);
    if (rc > 0)
        (void)err_set(e, ERR_BUSY, "the proxy takes no stream to %s, on any connection", v->target.text);
    return s;
}

/* Gives 1 to be asked once more. */
static int hear(struct visit *v, struct stream *s, int turn, struct err *e)
{
    const struct http2_asking *q = stream_state(s);
    if (q->status / 100 == 2) {
        diag(DIAG_INFO, "the proxy connected to %s: %d", v->target.text, q->status);
        auth_granted(&v->auth);
        return 0;
    }
    int rc = q->status == 407 && turn < HTTP2_TURNS ? auth_go_on(&v->auth, &q->challenges, e) : 0;
    return rc == 0 ? http2_refuse(&v->target, &v->auth, q->status, &q->challenges, e) : rc;
}

static int visit(struct visit *v, struct port **out, struct err *e)
{
    for (int turn = 0;; turn++) {
        struct stream *s = ask(v, e);
        int rc = s ? hear(v, s, turn, e) : -1;
        if (rc == 0)
            return stream_port(s, v->addr->label, out, e);
        stream_leave(s);
        if (rc < 0)
            return -1;
    }
}

static int end_open(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    struct visit v = {.addr = a, .run = r};
    (void)state;
    if (target_parse(a, false, &v.target, e) < 0 ||
        (opt_true(a, &opt_proxy_resolve) && target_resolve_ip4(a, &v.target, r, e) < 0))
        return -1;
    diag(DIAG_INFO, "asking the proxy for a connection to %s over HTTP/2, which is shared", v.target.text);
    int rc = auth_begin(&v.auth, a, r, handshake_deadline(handshake_patience(a)), e);
    if (rc == 0)
        rc = visit(&v, out, e);
    auth_end(&v.auth);
    return rc;
}

/* ---- the trunk ---- */

struct lane { /* a stream, of which libnghttp2 knows */
    struct h2_stream h2;
    struct stream *line;
    struct lane *next, **at; /* of all */
    struct lane *after;      /* of those that are to be looked at */
    bool touched, told, told_end, parts;
    int64_t until; /* nobody is there any more, and so long it may go on */
};

struct shared {
    struct h2 h2;
    const struct addr *addr;
    struct trunk *trunk;
    struct lane *lanes, *touched;
    size_t n, norphans;
    int64_t idle_ms, idle_since;
    bool parts;
};

static struct lane *lane_of(struct h2_stream *s) { return (struct lane *)((char *)s - offsetof(struct lane, h2)); }
static struct shared *shared_of(struct h2 *h) { return (struct shared *)((char *)h - offsetof(struct shared, h2)); }

static void touch(struct shared *t, struct lane *l)
{
    if (l->touched)
        return;
    l->touched = true;
    l->after = t->touched;
    t->touched = l;
}

static void touched(struct h2 *h, struct h2_stream *s) { touch(shared_of(h), lane_of(s)); }

static int take(struct h2 *h, struct h2_stream *s, const uint8_t *data, size_t n)
{
    (void)h;
    return stream_give(lane_of(s)->line, data, n);
}

static size_t give(struct h2 *h, struct h2_stream *s, uint8_t *to, size_t n, bool *ends)
{
    struct stream *line = lane_of(s)->line;
    if (line->said.len == 0 && !line->ended)
        (void)stream_more(line);
    n = n < line->said.len ? n : line->said.len;
    if (n > 0) {
        memcpy(to, buf_data(&line->said), n);
        buf_consume(&line->said, n);
    }
    *ends = line->said.len == 0 && line->ended;
    if (*ends)
        touch(shared_of(h), lane_of(s));
    return n;
}

static const struct h2_use many_tunnels = {
    .touched = touched, .take = take, .give = give, .window = WINDOW, .whole = WHOLE, .many = true,
};

static void drop(struct shared *t, struct lane *l)
{
    h2_forget(&t->h2, &l->h2);
    t->norphans -= l->until > 0;
    t->n--;
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    l->line->own = NULL;
    free(l);
}

static void shared_close(void *st)
{
    struct shared *t = st;
    if (!t)
        return;
    while (t->lanes)
        drop(t, t->lanes); /* what is left of their lines hears why from who ends the trunk */
    h2_close(&t->h2);
    free(t);
}

static int shared_open(const struct addr *a, struct run *r, void *common, void **st, struct err *e)
{
    const struct opt *share = opt_find(a, &opt_share);
    struct shared *t = calloc(1, sizeof *t);
    (void)common;
    if (!t)
        return err_nomem(e);
    if (h2_open(&t->h2, &many_tunnels, e) < 0) {
        shared_close(t);
        return -1;
    }
    t->addr = a;
    t->trunk = r->trunk;
    t->idle_ms = (share && share->v.given ? share->v.i : IDLE_S) * 1000;
    *st = t;
    return 0;
}

/* ---- a line's news ---- */

/* One that is too many here, or comes too late, asks elsewhere. */
static int begin(struct shared *t, struct stream *line, struct err *e)
{
    struct http2_asking *q = stream_state(line);
    struct lane *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(e);
    int rc = t->n < t->h2.most && !t->h2.leaves && !t->parts ? h2_ask(&t->h2, &l->h2, q->target, &q->login, e) : 1;
    if (rc != 0) {
        free(l);
        if (rc > 0)
            stream_refuse(line);
        stream_part(line);
        return rc < 0 ? -1 : 0;
    }
    l->line = line;
    line->own = l;
    l->next = t->lanes;
    l->at = &t->lanes;
    if (l->next)
        l->next->at = &l->next;
    t->lanes = l;
    t->n++;
    return 0;
}

static int hear_lines(struct shared *t, struct err *e)
{
    for (struct stream *line; (line = trunk_next(t->trunk));) {
        if (line->own)
            touch(t, line->own);
        else if (line->left)
            stream_part(line);
        else if (begin(t, line, e) < 0) /* which may have parted with it */
            return -1;
    }
    return 0;
}

/* ---- a lane ---- */

static void tell_answer(struct lane *l)
{
    struct http2_asking *q = stream_state(l->line);
    q->status = l->h2.status;
    q->challenges = l->h2.challenges;
    l->h2.challenges = (struct challenges){0};
    l->told = true;
    stream_answer(l->line);
}

/* It was reset, or went before its end, or takes no more. */
static void tell_closed(const struct shared *t, struct lane *l)
{
    struct err why;
    bool stands = h2_stands(&l->h2), whole = l->h2.peer_ended && l->h2.code == NGHTTP2_NO_ERROR;
    if (!l->told && l->h2.code == NGHTTP2_REFUSED_STREAM) {
        stream_refuse(l->line);
    } else if (!l->h2.cut && !(stands && whole && l->h2.ended)) {
        const struct http2_asking *q = stream_state(l->line);
        (void)h2_why_closed(&l->h2, l->told ? NULL : q->target, &why);
        if (l->told)
            (void)err_wrap(&why, "%s", t->addr->label);
        stream_fail(l->line, &why);
    }
}

/* Whoever is gone has said all, or was cut off; what the target still says is for nobody. Nor is it for ever. */
static void see_off(struct shared *t, struct lane *l)
{
    int64_t now = wait_now();
    if (l->until == 0)
        t->norphans++;
    if (l->until == 0 || (l->h2.ended && !l->parts))
        l->until = now + (l->h2.ended ? PARTING_MS : UNSENT_MS);
    l->parts = l->h2.ended;
    if (!l->line->cut && now < l->until)
        return;
    if (!l->line->cut && !l->h2.ended)
        diag(DIAG_WARN, "the proxy has not taken all that a connection had to say that is over");
    h2_reset(&t->h2, &l->h2, l->h2.ended || !l->told ? NGHTTP2_CANCEL : NGHTTP2_CONNECT_ERROR);
}

static int look_at(struct shared *t, struct lane *l, struct err *e)
{
    struct stream *line = l->line;
    size_t taken = line->taken;
    line->taken = 0;
    if (h2_taken(&t->h2, &l->h2, taken, e) < 0)
        return -1;
    if (l->h2.answered && !l->told)
        tell_answer(l);
    if (l->h2.peer_ended && h2_stands(&l->h2) && !l->told_end) {
        l->told_end = true;
        stream_end(line);
    }
    if (line->left && !l->h2.closed)
        see_off(t, l);
    if (line->said.len > 0 || line->ended)
        h2_resume(&t->h2, &l->h2);
    if (!l->h2.closed)
        return 0;
    tell_closed(t, l);
    drop(t, l);
    stream_part(line);
    return 0;
}

static int look_at_touched(struct shared *t, struct err *e)
{
    for (struct lane *l; (l = t->touched);) {
        t->touched = l->after;
        l->touched = false;
        if (look_at(t, l, e) < 0)
            return -1;
    }
    return 0;
}

static void look_at_orphans(struct shared *t)
{
    int64_t now = wait_now();
    for (struct lane *l = t->norphans > 0 ? t->lanes : NULL; l; l = l->next)
        if (l->until > 0 && now >= l->until && !l->h2.cut)
            touch(t, l);
}

/* ---- the connection ---- */

/* Nothing comes any more: who has asked and heard nothing asks elsewhere, the others have lost theirs. */
static void end_all(struct shared *t)
{
    for (struct lane *l; (l = t->lanes);) {
        struct stream *line = l->line;
        if (!l->told)
            l->h2.code = NGHTTP2_REFUSED_STREAM;
        tell_closed(t, l);
        t->touched = NULL;
        drop(t, l);
        stream_part(line);
    }
}

static bool is_idle(struct shared *t)
{
    if (t->n > 0 || !t->h2.settled)
        t->idle_since = 0;
    else if (t->idle_since == 0)
        t->idle_since = wait_now();
    return t->idle_since > 0 && wait_now() >= t->idle_since + t->idle_ms;
}

/* No stream is there, and none is to come: by order, by the proxy's, or because none has come for long. */
static bool wants_to_part(struct shared *t, const struct session_side *data, const struct session_side *wire)
{
    bool gone = wire->in_eof && wire->in->len == 0;
    if (gone || t->h2.leaves)
        trunk_leaves(t->trunk);
    if (gone)
        end_all(t);
    bool idle = is_idle(t);
    return t->n == 0 && (gone || t->h2.leaves || data->in_eof || idle) && trunk_may_close(t->trunk);
}

static int move(struct shared *t, struct session_side *wire, struct err *e)
{
    size_t before = wire->in->len, most = t->h2.most;
    if (h2_receive(&t->h2, wire, e) < 0)
        return -1;
    if (wire->in->len != before)
        trunk_heard(t->trunk);
    if (t->h2.most != most)
        trunk_has_room(t->trunk, t->h2.most);
    if (t->h2.settled && hear_lines(t, e) < 0)
        return -1;
    look_at_orphans(t);
    do { /* what goes out closes some */
        if (look_at_touched(t, e) < 0 || h2_put_out(&t->h2, wire, e) < 0)
            return -1;
    } while (t->touched);
    return 0;
}

static int shared_step(void *st, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct shared *t = st;
    bool out;
    if (move(t, wire, e) < 0)
        return -1;
    if (!t->h2.parting && !t->h2.leaves && !nghttp2_session_want_read(t->h2.session))
        return err_set(e, ERR_PROTOCOL, "what the proxy says is no HTTP/2");
    if (!t->h2.settled && wire->in_eof && wire->in->len == 0)
        return err_set(e, ERR_PROTOCOL, "the proxy closed the connection before it had said anything");
    t->parts = t->parts || wants_to_part(t, data, wire);
    if (!t->parts)
        return 0;
    if (h2_part(&t->h2, wire, &out, e) < 0)
        return -1;
    data->out_eof |= out;
    wire->out_eof |= out;
    return 0;
}

static int64_t shared_due(const void *st)
{
    const struct shared *t = st;
    int64_t first = t->n == 0 && t->idle_since > 0 && !t->parts ? t->idle_since + t->idle_ms : -1;
    for (const struct lane *l = t->norphans > 0 ? t->lanes : NULL; l; l = l->next)
        if (l->until > 0 && !l->h2.cut && (first < 0 || l->until < first))
            first = l->until;
    return first;
}

/* Only then it is known how many streams there may be. */
static bool shared_ready(const void *st) { return ((const struct shared *)st)->h2.settled; }

static int shared_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    const struct shared *t = st;
    (void)a;
    (void)r;
    (void)e;
    diag(DIAG_NOTICE, "a connection to the proxy is open, to be shared by at most %zu at a time", t->h2.most);
    return 0;
}

/* ---- forms ---- */

static const struct endpoint_ops end_ops = {.open = end_open};
static const struct sharing auth_common = AUTH_COMMON;
static const struct session_ops session_ops = {
    .open = shared_open, .step = shared_step, .ready = shared_ready, .opened = shared_opened, .due = shared_due, .close = shared_close,
};

static const struct form end_form = {
    .keyword = "PROXY-HTTP2",
    .params = ":<host>:<port>",
    .min_params = 2,
    .max_params = 2,
    .left = CTX_RWB,
    .groups = GROUP_CHILD | GROUP_RETRY | GROUP_HTTP,
    .role = ROLE_CLIENT,
    .target = 1,
    .help = "has a stream of a connection to an HTTP proxy that is shared",
    .foresee = target_foresee,
    .common = &auth_common,
    .kind = FORM_ENDPOINT,
    .ops.endpoint = &end_ops,
};

static const struct form session_form = {
    .keyword = "PROXY-HTTP2",
    .left = CTX_RWB,
    .right = RIGHT_BOTH,
    .groups = GROUP_CHILD | GROUP_HTTP,
    .role = ROLE_CLIENT,
    .speaks = "h2",
    .help = "speaks HTTP/2 with an HTTP proxy, with a stream for each connection",
    .kind = FORM_SESSION,
    .ops.session = &session_ops,
};

const struct trunk_form http2_shared = {&opt_share, &end_form, &session_form};
