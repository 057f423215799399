/* SPDX-License-Identifier: GPL-2.0-or-later
 * A connection of HTTP/2 and its streams, as libnghttp2 tells of them: see session.h. */
#include "inter/http2/session.h"

#include <string.h>

#include "inter/libraries/libraries.h"

enum { TEXT_MAX = 8192 };

static bool is_field(const uint8_t *name, size_t n, const char *what)
{
    return n == strlen(what) && memcmp(name, what, n) == 0;
}

/* Whose it is; NULL: nobody's. */
static struct h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return id > 0 ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static void touch(struct h2 *h, struct h2_stream *s)
{
    if (h->use->touched)
        h->use->touched(h, s);
}

/* ---- what comes ---- */

static int take_challenge(struct h2_stream *s, const uint8_t *value, size_t n)
{
    char text[TEXT_MAX];
    if (n >= sizeof text || memchr(value, '\0', n))
        return 0;
    memcpy(text, value, n);
    text[n] = '\0';
    return challenges_add(&s->challenges, text);
}

static int status_of(const uint8_t *value, size_t n)
{
    int status = 0;
    for (size_t i = 0; i < 3; i++) {
        if (n != 3 || value[i] < '0' || value[i] > '9')
            return 0;
        status = status * 10 + (value[i] - '0');
    }
    return status;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *f, const uint8_t *name, size_t nname,
                     const uint8_t *value, size_t nvalue, uint8_t flags, void *arg)
{
    struct h2_stream *s = stream_of(session, f->hd.stream_id);
    (void)flags;
    (void)arg;
    if (!s || s->answered)
        return 0;
    if (is_field(name, nname, ":status"))
        s->status = status_of(value, nvalue);
    if (is_field(name, nname, "proxy-authenticate") && take_challenge(s, value, nvalue) < 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static void on_connection_frame(struct h2 *h, const nghttp2_frame *f)
{
    h->leaves |= f->hd.type == NGHTTP2_GOAWAY;
    if (f->hd.type != NGHTTP2_SETTINGS || f->hd.flags & NGHTTP2_FLAG_ACK)
        return;
    h->settled = true;
    h->most = nghttp2_session_get_remote_settings(h->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *f, void *arg)
{
    struct h2_stream *s = stream_of(session, f->hd.stream_id);
    if (f->hd.stream_id == 0)
        on_connection_frame(arg, f);
    if (!s)
        return 0;
    if (f->hd.type == NGHTTP2_HEADERS && s->status >= 200)
        s->answered = true;
    if ((f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && f->hd.flags & NGHTTP2_FLAG_END_STREAM)
        s->peer_ended = true;
    touch(arg, s);
    return 0;
}

/* What belongs to a refusal is nobody's. The window bounds what is kept. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s = stream_of(session, id);
    (void)flags;
    if (!s || s->status / 100 != 2)
        return nghttp2_session_consume(session, id, n) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    bool good = (!h->use->many || nghttp2_session_consume_connection(session, n) == 0) && h->use->take(h, s, data, n) == 0;
    return good ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    struct h2_stream *s = stream_of(session, id);
    if (!s)
        return 0;
    s->closed = true;
    s->code = code;
    touch(arg, s);
    return 0;
}

/* ---- making it ---- */

static bool set_up(struct h2 *h, nghttp2_session_callbacks *calls, nghttp2_option *options)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h->use->window},
    };
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_http_messaging(options, 1); /* it knows better what a 204 has, even of CONNECT */
    return nghttp2_session_client_new2(&h->session, calls, h, options) == 0 &&
           nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, (int32_t)h->use->whole) == 0;
}

int h2_open(struct h2 *h, const struct h2_use *use, struct err *e)
{
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_option *options = NULL;
    *h = (struct h2){.use = use};
    if (libraries_load_nghttp2(e) < 0)
        return -1;
    bool good = nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&options) == 0 && set_up(h, calls, options);
    if (calls)
        nghttp2_session_callbacks_del(calls);
    if (options)
        nghttp2_option_del(options);
    return good ? 0 : err_nomem(e);
}

void h2_close(struct h2 *h)
{
    if (h->session)
        nghttp2_session_del(h->session);
    h->session = NULL;
}

int h2_receive(struct h2 *h, struct session_side *wire, struct err *e)
{
    static const char other[] = "HTTP/";
    const size_t n = wire->in->len < sizeof other - 1 ? wire->in->len : sizeof other - 1;
    if (h->parting)
        buf_consume(wire->in, wire->in->len);
    if (wire->in->len == 0)
        return 0;
    /* Who knows nothing of HTTP/2 answers the first request in his own way. */
    h->greeted |= memcmp(buf_data(wire->in), other, n) != 0;
    if (!h->greeted)
        return n < sizeof other - 1 ? 0 : err_set(e, ERR_PROTOCOL, "the proxy speaks HTTP/1, and no HTTP/2");
    ssize_t got = nghttp2_session_mem_recv(h->session, buf_data(wire->in), wire->in->len);
    if (got < 0)
        return got == NGHTTP2_ERR_NOMEM || got == NGHTTP2_ERR_CALLBACK_FAILURE
                   ? err_nomem(e)
                   : err_set(e, ERR_PROTOCOL, "what the proxy says is no HTTP/2: %s", nghttp2_strerror((int)got));
    buf_consume(wire->in, (size_t)got);
    return 0;
}

/* ---- what goes ---- */

/* As much as fits into a frame; nothing there: it is asked again when there is. */
static ssize_t give_data(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s = stream_of(session, id);
    bool ends = false;
    (void)source;
    if (!s || s->status / 100 != 2) /* not before there is a tunnel */
        return NGHTTP2_ERR_DEFERRED;
    n = h->use->give(h, s, to, n, &ends);
    s->ended |= ends;
    *flags |= ends ? NGHTTP2_DATA_FLAG_EOF : 0U;
    return n > 0 || ends ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
}

static nghttp2_nv field(const char *name, const char *value, size_t n, uint8_t flags)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), n, flags};
}

int h2_ask(struct h2 *h, struct h2_stream *s, const char *authority, struct buf *login, struct err *e)
{
    static const char prefix[] = "Proxy-authorization: ", end[] = "\r\n";
    const nghttp2_data_provider give = {.read_callback = give_data};
    const size_t around = sizeof prefix - 1 + sizeof end - 1;
    nghttp2_nv fields[3];
    size_t n = 0;
    fields[n++] = field(":method", "CONNECT", 7, NGHTTP2_NV_FLAG_NONE);
    fields[n++] = field(":authority", authority, strlen(authority), NGHTTP2_NV_FLAG_NONE);
    if (login->len > around)
        fields[n++] = field("proxy-authorization", (char *)buf_data(login) + sizeof prefix - 1, login->len - around,
                            NGHTTP2_NV_FLAG_NO_INDEX);
    challenges_fini(&s->challenges);
    const int32_t id = nghttp2_submit_request(h->session, NULL, fields, n, &give, s);
    *s = (struct h2_stream){.id = id > 0 ? id : 0};
    if (login->p)
        explicit_bzero(login->p, login->cap);
    buf_fini(login);
    if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE)
        return 1;
    return id > 0 ? 0 : err_set(e, ERR_OTHER, "the request cannot be made: %s", nghttp2_strerror(id));
}

void h2_resume(struct h2 *h, const struct h2_stream *s)
{
    if (s->id > 0 && !s->cut && !s->ended && !s->closed)
        (void)nghttp2_session_resume_data(h->session, s->id);
}

int h2_taken(struct h2 *h, const struct h2_stream *s, size_t n, struct err *e)
{
    int rc = n == 0 || s->id <= 0 ? 0
             : h->use->many       ? nghttp2_session_consume_stream(h->session, s->id, n)
                                  : nghttp2_session_consume(h->session, s->id, n);
    return rc < 0 ? err_nomem(e) : 0;
}

void h2_reset(struct h2 *h, struct h2_stream *s, uint32_t code)
{
    if (s->id > 0 && !s->closed && !s->cut)
        (void)nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id, code);
    s->cut = true;
}

void h2_forget(struct h2 *h, struct h2_stream *s)
{
    if (s->id > 0 && !s->closed)
        (void)nghttp2_session_set_stream_user_data(h->session, s->id, NULL);
    challenges_fini(&s->challenges);
}

int h2_put_out(struct h2 *h, struct session_side *wire, struct err *e)
{
    for (;;) {
        size_t n = h->nframes > 0 ? buf_put(wire->out, h->frames, h->nframes) : 0;
        h->frames = n > 0 ? h->frames + n : h->frames;
        h->nframes -= n;
        if (h->nframes > 0)
            return 0;
        ssize_t more = nghttp2_session_mem_send(h->session, &h->frames);
        if (more < 0)
            return err_set(e, ERR_OTHER, "HTTP/2: %s", nghttp2_strerror((int)more));
        if (more == 0)
            return 0;
        h->nframes = (size_t)more;
    }
}

int h2_part(struct h2 *h, struct session_side *wire, bool *out, struct err *e)
{
    if (!h->parting && nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR) < 0)
        return err_nomem(e);
    h->parting = true;
    if (h2_put_out(h, wire, e) < 0)
        return -1;
    *out = h->nframes == 0;
    return 0;
}

int h2_why_closed(const struct h2_stream *s, const char *where, struct err *e)
{
    const char *to = where ? " to " : "";
    where = where ? where : "";
    if (s->closed && s->code != NGHTTP2_NO_ERROR)
        return err_set(e, s->code == NGHTTP2_REFUSED_STREAM ? ERR_BUSY : ERR_REFUSED, "the proxy reset the stream%s%s: %s", to,
                       where, nghttp2_http2_strerror(s->code));
    if (s->peer_ended && h2_stands(s))
        return err_set(e, ERR_REFUSED, "the proxy takes no more: it has closed the stream");
    return s->closed ? err_set(e, ERR_REFUSED, "the proxy closed the stream%s%s before its end", to, where)
                     : err_set(e, ERR_PROTOCOL, "the proxy closed the connection before the end of the stream");
}
