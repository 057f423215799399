/* SPDX-License-Identifier: GPL-2.0-or-later
 * WebSocket (RFC 6455) as an inter address: bytes or records on the data side; on the wire side a request of
 * HTTP, then frames. WebSocket knows no half of a connection; but a Close may wait for what is still to be said,
 * and so ours does: the peer's ends what we give out, ours follows the last byte of data. Peers that answer at
 * once lose what they had to say, and what we had to say to them: that is told. */
#include "inter/ws/ws.h"

#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/renewed.h"
#include "catena/wait.h"
#include "inter/ws/opts_ws.h"

enum { LAST_WORD_MS = 2000 };

/* ---- one connection ---- */

static void session_close(void *st)
{
    struct ws_session *s = st;
    if (!s)
        return;
    ws_pack_fini(s);
    head_fini(&s->head);
    buf_fini(&s->reply);
    buf_fini(&s->in.record);
    buf_fini(&s->out.text);
    free(s->uri);
    free(s->origin);
    free(s->subprotocol);
    free(s->why);
    renewed_give(s->renewed, s->config);
    free(s);
}

static int session_open(const struct addr *a, struct run *r, void *shared, void **st, struct err *e)
{
    struct ws_session *s = calloc(1, sizeof *s);
    (void)a;
    if (!s)
        return err_nomem(e);
    s->renewed = shared;
    s->config = renewed_take(shared, r);
    s->due = -1;
    *st = s;
    return 0;
}

/* ---- is the peer there? ---- */

/* A missing answer counts from when the question has left us; and who does not listen need not hear. */
static int look_after_peer(struct ws_session *s, struct session_side *wire, bool heard)
{
    const struct ws_config *c = s->config;
    s->due = -1;
    if (c->ping_ms < 0 || s->got_close || s->out.said_close)
        return 0;
    int64_t now = wait_now();
    if (heard || s->last_heard == 0) {
        s->last_heard = now;
        s->awaits_pong = s->ping_leaves = false;
    }
    if (s->ping_leaves && wire->out->len == 0) {
        s->pinged = now;
        s->ping_leaves = false;
        s->awaits_pong = true;
    }
    if (s->awaits_pong && c->pong_ms >= 0 && now >= s->pinged + c->pong_ms)
        return ws_fail(s, wire, CLOSE_AWAY, "the peer has not answered a ping for %.3g s", (double)c->pong_ms / 1000);
    bool asks = s->awaits_pong || s->ping_leaves || s->out.wants_ping;
    if (!asks && now >= s->last_heard + c->ping_ms)
        asks = s->out.wants_ping = true;
    s->due = !asks            ? s->last_heard + c->ping_ms
             : s->awaits_pong ? (c->pong_ms < 0 ? -1 : s->pinged + c->pong_ms)
                              : -1;
    return 0;
}

/* ---- the end ---- */

/* A failure is told when what came whole before it has been handed on, and our last word has had its time. */
static int tell(struct ws_session *s, const struct session_side *data, const struct session_side *wire, struct err *e)
{
    if (s->patience_ends == 0)
        s->patience_ends = wait_now() + LAST_WORD_MS;
    bool speaks = wire->out->len > 0 && !wire->in_eof && wait_now() < s->patience_ends;
    s->due = speaks ? s->patience_ends : -1;
    if (speaks || buf_holds(data->out))
        return 0;
    *e = *s->why;
    return -1;
}

/* It has answered our Close at once, and nobody knows whether it had more to say. */
static void tell_of_haste(const struct ws_session *s)
{
    diag(s->spoke_last && !s->config->server ? DIAG_WARN : DIAG_NOTICE,
         "the peer has answered Close; if it had more to say that is lost, for it is not known to keep its Close back "
         "until all is said (half-close=0 keeps ours back until it has said its own)");
}

static void take_leave(struct ws_session *s, const struct session_side *data, struct session_side *wire, bool was_last)
{
    if (was_last && s->sent && !s->peer_waits && !data->unwanted)
        tell_of_haste(s);
    wire->out_eof |= s->out.said_close;
}

/* ---- both ---- */

static int shake_hands(struct ws_session *s, struct session_side *wire, struct err *e)
{
    int rc = s->config->server ? ws_answer(s, wire, e) : ws_ask(s, wire, e);
    s->ready = rc > 0;
    return rc < 0 ? -1 : 0;
}

static int relay(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e)
{
    bool heard = wire->in->len > 0, had_close = s->got_close, said_close = s->out.said_close;
    if (ws_receive(s, data, wire, e) < 0 || look_after_peer(s, wire, heard) < 0 || ws_send(s, data, wire, e) < 0)
        return -1;
    take_leave(s, data, wire, said_close && s->got_close && !had_close);
    return 0;
}

static int session_step(void *st, struct session_side *data, struct session_side *wire, struct err *e)
{
    struct ws_session *s = st;
    e->kind = ERR_NONE;
    if (s->ready && s->why)
        return tell(s, data, wire, e);
    if (!s->ready && shake_hands(s, wire, e) < 0)
        return -1;
    if (s->ready && relay(s, data, wire, e) < 0)
        return s->why ? tell(s, data, wire, e) : e->kind == ERR_NONE ? err_nomem(e) : -1;
    return 0;
}

static bool session_ready(const void *st)
{
    const struct ws_session *s = st;
    return s->ready;
}

static int64_t session_due(const void *st)
{
    const struct ws_session *s = st;
    return s->due;
}

static int session_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    struct ws_session *s = st;
    head_fini(&s->head);
    buf_fini(&s->reply);
    diag(DIAG_INFO, "WebSocket%s%s%s%s", s->packing.agreed ? ", compressed" : "",
         s->subprotocol ? ", subprotocol " : "", s->subprotocol ? s->subprotocol : "",
         s->peer_waits ? ", whose peer keeps its Close back" : "");
    return (s->uri && run_set_fact(r, a, "wsuri", s->uri, e) < 0) ||
                   (s->origin && run_set_fact(r, a, "wsorigin", s->origin, e) < 0) ||
                   (s->subprotocol && run_set_fact(r, a, "wssubprotocol", s->subprotocol, e) < 0)
               ? -1
               : 0;
}

static const struct session_ops ws_ops = {
    .records = true, .empty_records = true, .common = {.prepare = ws_prepare, .release = renewed_free, .renew = renewed_look},
    .open = session_open, .step = session_step, .ready = session_ready, .opened = session_opened,
    .due = session_due, .close = session_close};

/* ---- forms ---- */

static const struct ws_role client = {.server = false}, server = {.server = true};

/* Over TCP, or over what is itself written in one word. */
#define COMBINED(name, link, below, first, second, third)                                          \
    static const struct compound name = {.inter = link, .inter_params = {third}, .endpoint = below, \
                                         .endpoint_params = {first, second}, .cut = second ? 2 : 1}
COMBINED(client_over_tcp, "WS", "TCP-CONNECT", 1, 2, 3);
COMBINED(client_over_tls, "WS", "OPENSSL-CONNECT", 1, 2, 3);
COMBINED(server_over_tcp, "WS-SERVER", "TCP-LISTEN", 1, 0, 2);
COMBINED(server_over_tls, "WS-SERVER", "OPENSSL-LISTEN", 1, 0, 2);
#define OVER_TCP                                                                                   \
    (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_TCP)
#define OVER_LISTENER (OVER_TCP | GROUP_LISTEN | GROUP_RANGE)

#define LINK(name, table, part, place, who, words)                                                 \
    {                                                                                              \
        .keyword = name, .params = "[:<uri>]", .max_params = 1, .left = CTX_RWB,                   \
        .right = RIGHT_BOTH, .groups = GROUP_CHILD | GROUP_RETRY, .options = table, .role = part,  \
        .gives = "wsuri wsorigin wssubprotocol", .help = words, .check = ws_check,                 \
        .foresee = ws_foresee, .admits = who, .kind = FORM_SESSION, .ops.session = &ws_ops,        \
        .arg = place                                                                               \
    }
#define SHORT(name, other, shown, n, table, group, where, words, how)                              \
    {                                                                                              \
        .keyword = name, .aliases = other, .params = shown, .min_params = n, .max_params = n,      \
        .left = CTX_RWB, .options = table, .groups = group, .target = where, .help = words,        \
        .kind = FORM_COMPOUND, .ops.compound = &how                                                \
    }

extern const struct form forms_ws[];
const struct form forms_ws[] = {
    LINK("WS", options_ws, ROLE_CLIENT, &client, NULL,
         "speaks WebSocket as client with what is on its right"),
    LINK("WS-SERVER", options_ws_server, ROLE_SERVER, &server, ws_admits,
         "speaks WebSocket as server with what is on its right"),
    SHORT("WS", "WS-CONNECT", ":<host>:<port>[/<uri>]", 2, options_ws, OVER_TCP, 1,
          "connects to a WebSocket server over TCP", client_over_tcp),
    SHORT("WSS", "WSS-CONNECT", ":<host>:<port>[/<uri>]", 2, options_ws, OVER_TCP | GROUP_OPENSSL, 1,
          "connects to a WebSocket server over TLS", client_over_tls),
    SHORT("WS-LISTEN", "WS-L", ":<port>[/<uri>]", 1, options_ws_server, OVER_LISTENER, 0,
          "waits for WebSocket clients on a TCP port", server_over_tcp),
    SHORT("WSS-LISTEN", "WSS-L", ":<port>[/<uri>]", 1, options_ws_server, OVER_LISTENER | GROUP_OPENSSL, 0,
          "waits for WebSocket clients, over TLS, on a TCP port", server_over_tls),
    {0},
};
