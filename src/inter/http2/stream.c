/* SPDX-License-Identifier: GPL-2.0-or-later
 * The stream of a tunnel, as libnghttp2 tells of it: see http2.h. */
#include "inter/http2/http2.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inter/libraries/libraries.h"

enum { FRAME_BYTES_MAX = 16384, TEXT_MAX = 8192 };

static bool is_field(const uint8_t *name, size_t n, const char *what)
{
    return n == strlen(what) && memcmp(name, what, n) == 0;
}

/* ---- what comes ---- */

static int take_challenge(struct tunnel *t, const uint8_t *value, size_t n)
{
    char text[TEXT_MAX];
    if (n >= sizeof text || memchr(value, '\0', n))
        return 0;
    memcpy(text, value, n);
    text[n] = '\0';
    return challenges_add(&t->challenges, text);
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

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t nname, const uint8_t *value,
                     size_t nvalue, uint8_t flags, void *arg)
{
    struct tunnel *t = arg;
    (void)s;
    (void)flags;
    if (f->hd.stream_id != t->stream || t->answered)
        return 0;
    if (is_field(name, nname, ":status"))
        t->status = status_of(value, nvalue);
    if (is_field(name, nname, "proxy-authenticate") && take_challenge(t, value, nvalue) < 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *arg)
{
    struct tunnel *t = arg;
    (void)s;
    if (f->hd.stream_id != t->stream || t->stream == 0)
        return 0;
    if (f->hd.type == NGHTTP2_HEADERS && t->status >= 200)
        t->answered = true;
    if ((f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && f->hd.flags & NGHTTP2_FLAG_END_STREAM)
        t->peer_ended = true;
    return 0;
}

/* What belongs to a refusal is nobody's. The window bounds what is kept. */
static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg)
{
    struct tunnel *t = arg;
    (void)flags;
    if (id != t->stream || t->status / 100 != 2)
        return nghttp2_session_consume(s, id, n) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    size_t wanted = t->got.len + n;
    if (wanted > t->got.cap && buf_grow(&t->got, wanted < FRAME_BYTES_MAX ? FRAME_BYTES_MAX : 2 * wanted) < 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    buf_put(&t->got, data, n);
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t code, void *arg)
{
    struct tunnel *t = arg;
    (void)s;
    if (id != t->stream)
        return 0;
    t->closed = true;
    t->code = code;
    return 0;
}

int tunnel_open(struct tunnel *t, struct err *e)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_WINDOW},
    };
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_option *options = NULL;
    if (libraries_load_nghttp2(e) < 0)
        return -1;
    bool good = nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&options) == 0;
    if (good) {
        nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
        nghttp2_option_set_no_auto_window_update(options, 1);
        nghttp2_option_set_no_http_messaging(options, 1); /* it knows better what a 204 has, even of CONNECT */
        good = nghttp2_session_client_new2(&t->session, calls, t, options) == 0;
    }
    if (calls)
        nghttp2_session_callbacks_del(calls);
    if (options)
        nghttp2_option_del(options);
    good = good && nghttp2_submit_settings(t->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(t->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW) == 0;
    return good ? 0 : err_nomem(e);
}

/* ---- what goes ---- */

/* As much of the data side as fits into a frame; nothing there: it is asked again when there is. */
static ssize_t give_data(nghttp2_session *s, int32_t id, uint8_t *to, size_t n, uint32_t *flags, nghttp2_data_source *source,
                         void *arg)
{
    struct tunnel *t = arg;
    (void)s;
    (void)source;
    if (id != t->stream || t->status / 100 != 2 || !t->give) /* not before there is a tunnel */
        return NGHTTP2_ERR_DEFERRED;
    if (n > t->give->len)
        n = t->give->len;
    memcpy(to, n ? buf_data(t->give) : to, n);
    if (n > 0)
        buf_consume(t->give, n);
    if (t->give->len == 0 && t->give_ends) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        t->ended = true;
        return (ssize_t)n;
    }
    return n > 0 ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
}

static nghttp2_nv field(const char *name, const char *value, size_t n, uint8_t flags)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), n, flags};
}

int tunnel_ask(struct tunnel *t, struct err *e)
{
    static const char prefix[] = "Proxy-authorization: ";
    const nghttp2_data_provider give = {.read_callback = give_data};
    struct buf login = {0};
    size_t n = 0;
    nghttp2_nv fields[3];
    if (auth_write(&t->auth, t->target.text, &login, e) < 0) {
        buf_fini(&login);
        return -1;
    }
    fields[n++] = field(":method", "CONNECT", 7, NGHTTP2_NV_FLAG_NONE);
    fields[n++] = field(":authority", t->target.text, strlen(t->target.text), NGHTTP2_NV_FLAG_NONE);
    if (login.len > 0)
        fields[n++] = field("proxy-authorization", (char *)buf_data(&login) + sizeof prefix - 1, login.len - sizeof prefix - 1,
                            NGHTTP2_NV_FLAG_NO_INDEX);
    challenges_fini(&t->challenges);
    t->status = 0;
    t->answered = t->peer_ended = t->closed = false;
    t->stream = nghttp2_submit_request(t->session, NULL, fields, n, &give, NULL);
    if (login.p)
        explicit_bzero(login.p, login.cap);
    buf_fini(&login);
    return t->stream > 0 ? 0 : err_set(e, ERR_OTHER, "the request cannot be made: %s", nghttp2_strerror(t->stream));
}
