/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stays of PROXY-SERVER when its client sends requests instead of making a tunnel: each head is written anew
 * for the target, bodies pass as they are. A connection leads to one target; a request for another one
 * ends the flow, and the client asks again on a new connection, as he has to be prepared to. */
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "inter/proxy/http_server.h"

enum { CHUNK_LINE_MAX = 4096, TRAILER_MAX = 65536 };

enum part {
    HEAD,       /* comes */
    GIVE,       /* what was made of it is given out */
    BODY,       /* so much is left */
    CHUNK_LINE, /* its size */
    CHUNK,
    CHUNK_END,  /* the line's end behind it */
    TRAILER,
    OVER,       /* it was the last one: what comes is nobody's */
};

struct forward {
    struct run *run;
    const struct admission *admission;
    struct buf head, made;
    enum part part;
    uint64_t left;        /* BODY, CHUNK */
    size_t line, trailer; /* bytes of a line around a chunk; of all that follow the last one */
    bool sized, ext, cr;  /* a chunk's line has digits; something behind them; has ended but for its LF */
    bool chunked, ends;   /* the request that is under way */
    bool begun;           /* there was one */
    char host[RULE_HOST_MAX + 1];
    int port;
    char login[2048]; /* as it was when it was verified */
};

static bool forward_needed(const struct addr *a, struct run *r)
{
    char proto[16];
    return run_told(r, a, "proto", proto, sizeof proto) && strcmp(proto, PROTO_FORWARD) == 0;
}

static int forward_init(void *st, const struct addr *a, struct err *e)
{
    struct forward *f = st;
    (void)a;
    if (buf_init(&f->head, 4096) < 0)
        return err_nomem(e);
    if (buf_init(&f->made, 4096) == 0)
        return 0;
    buf_fini(&f->head);
    return err_nomem(e);
}

static int forward_start(void *st, const struct codec_place *where, struct err *e)
{
    struct forward *f = st;
    (void)e;
    f->run = where->run;
    f->admission = run_shared_of(where->run, where->addr);
    return 0;
}

static void forward_fini(void *st)
{
    struct forward *f = st;
    buf_fini(&f->head);
    buf_fini(&f->made);
    explicit_bzero(f->login, sizeof f->login);
}

/* ---- a head ---- */

/* For the same target, by the same user; or by one who proves himself as well. */
static bool goes_on(struct forward *f, const struct http_request *q)
{
    char user[LOGIN_MAX + 1];
    bool same_target = !f->begun || (f->port == q->port && strcasecmp(f->host, q->host) == 0);
    bool same_login = f->begun && q->login.s && strlen(f->login) == q->login.n && memcmp(f->login, q->login.s, q->login.n) == 0;
    if (q->tunnel || !same_target || (!same_login && !http_admits(f->admission, f->run, q, user)))
        return false;
    if (q->login.n < sizeof f->login) {
        memcpy(f->login, q->login.s ? q->login.s : "", q->login.n);
        f->login[q->login.n] = '\0';
    }
    memcpy(f->host, q->host, sizeof f->host);
    f->port = q->port;
    f->begun = true;
    return true;
}

/* It is whole. Gives 2 when it ends the flow. */
static int take_head(struct forward *f, struct err *e)
{
    const char *head = (const char *)buf_data(&f->head);
    struct http_request q;
    if (http_request_parse(head, f->head.len, &q, e) < 0) {
        diag(DIAG_INFO, "what follows is no request: %s", e->text);
        return 2;
    }
    if (!goes_on(f, &q)) {
        diag(DIAG_INFO, "the next request is for %s:%d, or of somebody else: it needs a connection of its own", q.host, q.port);
        return 2;
    }
    if (q.counted && q.forwards == 0) {
        diag(DIAG_INFO, "the next request is for this proxy itself: it needs a connection of its own");
        return 2;
    }
    int rc = http_request_rewrite(head, f->head.len, &q, &f->made, e);
    f->left = q.length;
    f->chunked = q.chunked;
    f->ends = q.ends;
    f->part = GIVE;
    buf_consume(&f->head, f->head.len);
    return rc;
}

/* Bytes of it are taken up to its end. */
static int read_head(struct forward *f, struct buf *in, struct err *e)
{
    size_t had = f->head.len;
    const unsigned char *at = buf_data(in);
    while (had == 0 && in->len > 0 && (at[0] == '\r' || at[0] == '\n')) {
        buf_consume(in, 1);
        at = buf_data(in);
    }
    size_t n = in->len;
    if (had + n > HTTP_HEAD_MAX)
        n = HTTP_HEAD_MAX - had;
    if (in->len > 0 && n == 0)
        return err_set(e, ERR_PROTOCOL, "the request's head has more than %d bytes", HTTP_HEAD_MAX);
    if (buf_grow(&f->head, had + n) < 0)
        return err_nomem(e);
    buf_put(&f->head, at, n);
    size_t whole = http_head_length((const char *)buf_data(&f->head), f->head.len, had);
    if (whole == 0) {
        buf_consume(in, n);
        return 0;
    }
    f->head.len = whole;
    buf_consume(in, whole - had);
    return take_head(f, e);
}

/* ---- a body ---- */

static void end_request(struct forward *f)
{
    f->part = f->ends ? OVER : HEAD;
}

static void begin_line(struct forward *f, enum part part)
{
    f->part = part;
    f->line = 0;
    f->sized = f->ext = f->cr = false;
}

static int damaged(struct err *e)
{
    return err_set(e, ERR_PROTOCOL, "the body of the client's request is damaged: it is not chunked as it should be");
}

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The last byte of a line. */
static int end_line(struct forward *f, struct err *e)
{
    bool empty = !f->sized;
    switch (f->part) {
    case CHUNK_END: begin_line(f, CHUNK_LINE); return 0;
    case TRAILER:
        if (empty)
            end_request(f);
        else
            begin_line(f, TRAILER);
        return 0;
    default:
        if (empty)
            return damaged(e);
        begin_line(f, f->left > 0 ? CHUNK : TRAILER);
        f->trailer = 0;
        return 0;
    }
}

/* The digits of a size, and an extension behind them. */
static int size_byte(struct forward *f, unsigned char c, struct err *e)
{
    int d = f->ext ? -1 : hex(c);
    if (d < 0) {
        bool fits = f->sized && (f->ext ? c >= ' ' || c == '\t' : c != '\0' && strchr(" \t;", c));
        f->ext = true;
        return fits ? 0 : damaged(e);
    }
    if (f->left >> 56)
        return damaged(e);
    f->left = f->left << 4 | (unsigned)d;
    f->sized = true;
    return 0;
}

/* A byte of what frames chunks; strict, for the target reads it, too. */
static int frame_byte(struct forward *f, unsigned char c, struct err *e)
{
    if (++f->line > CHUNK_LINE_MAX || ++f->trailer > TRAILER_MAX || f->cr != (c == '\n'))
        return damaged(e);
    if (c == '\n')
        return end_line(f, e);
    f->cr = c == '\r';
    if (f->cr)
        return 0;
    if (f->part == CHUNK_LINE)
        return size_byte(f, c, e);
    f->sized = true;
    return f->part == TRAILER ? 0 : damaged(e);
}

static int pass_frame(struct forward *f, struct buf *in, struct buf *out, struct err *e)
{
    const unsigned char *at = buf_data(in);
    size_t room = out->cap - out->len, n = 0;
    int rc = 0;
    while (rc == 0 && n < in->len && n < room && (f->part == CHUNK_LINE || f->part == CHUNK_END || f->part == TRAILER))
        rc = frame_byte(f, at[n++], e);
    buf_put(out, at, n);
    buf_consume(in, n);
    return rc;
}

static void pass_data(struct forward *f, struct buf *in, struct buf *out)
{
    size_t n = in->len < f->left ? in->len : (size_t)f->left;
    n = buf_put(out, buf_data(in), n);
    buf_consume(in, n);
    f->left -= n;
    if (f->left > 0)
        return;
    if (f->part == CHUNK)
        begin_line(f, CHUNK_END);
    else
        end_request(f);
}

static void give(struct forward *f, struct buf *out)
{
    buf_move(out, &f->made);
    if (f->made.len > 0)
        return;
    if (f->chunked)
        begin_line(f, CHUNK_LINE);
    else if (f->left > 0)
        f->part = BODY;
    else
        end_request(f);
}

static int step(struct forward *f, struct buf *in, struct buf *out, struct err *e)
{
    switch (f->part) {
    case HEAD: return read_head(f, in, e);
    case GIVE: give(f, out); return 0;
    case BODY:
    case CHUNK: pass_data(f, in, out); return 0;
    case CHUNK_LINE:
    case CHUNK_END:
    case TRAILER: return pass_frame(f, in, out, e);
    case OVER: buf_consume(in, in->len); return 0;
    }
    return 0;
}

/* The client ends where a request may end. */
static int check_end(const struct forward *f, struct err *e)
{
    if (f->part == HEAD)
        return f->head.len == 0 ? 1 : err_set(e, ERR_PROTOCOL, "the client's stream ends within the head of a request");
    if (f->part == BODY)
        return err_set(e, ERR_PROTOCOL, "the client's stream ends within a request: %llu bytes of its body are missing",
                       (unsigned long long)f->left);
    return f->part == OVER ? 1 : err_set(e, ERR_PROTOCOL, "the client's stream ends within the chunks of a request's body");
}

static int forward_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct forward *f = st;
    while ((in->len > 0 || f->part == GIVE) && out->len < out->cap) {
        int rc = step(f, in, out, e);
        if (rc != 0)
            return rc;
    }
    if (f->part == GIVE || in->len > 0)
        return 0;
    return mode == CODEC_END ? check_end(f, e) : 1;
}

static const struct codec_ops decode = {
    .needed = forward_needed, .state_size = sizeof(struct forward), .init = forward_init, .start = forward_start,
    .push = forward_push, .fini = forward_fini,
};
const struct codec_pair http_forward = {.decode = &decode};
