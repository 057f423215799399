/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS as an inter address: the plain stream on the data side, records on the wire side. A session
 * only moves bytes between the engine's buffers. The two directions end independently: our
 * close_notify follows the last byte of data, the peer's ends what we give out, and neither stops
 * the other. */
#include "inter/tls/tls.h"

#include <openssl/err.h>

#include <stdlib.h>

#include "catena/diag.h"
#include "inter/tls/opts_tls.h"

static void session_close(void *st)
{
    struct tls_session *s = st;
    if (!s)
        return;
    SSL_free(s->ssl);
    free(s->expect);
    free(s->why);
    free(s);
}

static int session_open(const struct addr *a, struct run *r, void *shared, void **st, struct err *e)
{
    const struct tls_context *t = shared;
    struct tls_session *s = calloc(1, sizeof *s);
    (void)r;
    if (!s)
        return err_nomem(e);
    s->shared = t;
    s->fragment = SSL3_RT_MAX_PLAIN_LENGTH;
    ERR_clear_error();
    s->ssl = SSL_new(t->ctx);
    BIO *wire = s->ssl ? tls_bio_new(t->bio, &s->wire) : NULL;
    if (!wire) {
        SSL_free(s->ssl);
        free(s);
        return tls_error(e, ERR_BUSY, "a new TLS connection");
    }
    SSL_set_bio(s->ssl, wire, wire);
    (void)SSL_set_app_data(s->ssl, s);
    if (t->server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    if (tls_names(a, s, e) < 0) {
        session_close(s);
        return -1;
    }
    *st = s;
    return 0;
}

/* What an SSL call that did not succeed means: 0, it waits for the wire; else the session is broken
 * and says why. */
static int stopped(struct tls_session *s, const struct session_side *wire, int result,
                   const char *doing)
{
    int reason = SSL_get_error(s->ssl, result);
    bool ended = wire->in_eof && wire->in->len == 0;
    if (reason == SSL_ERROR_WANT_WRITE || (reason == SSL_ERROR_WANT_READ && !ended))
        return 0;
    if (reason == SSL_ERROR_WANT_READ)
        return s->ready ? err_set(s->e, ERR_PROTOCOL,
                                  "the peer ended the TLS stream without close_notify (truncated)")
                        : err_set(s->e, ERR_PROTOCOL,
                                  "the peer closed the connection during the TLS handshake");
    if (s->e->kind == ERR_NONE) /* else the verification has said it already */
        (void)tls_error(s->e, ERR_PROTOCOL, "%s", doing);
    return -1;
}

static int shake_hands(struct tls_session *s, const struct session_side *wire)
{
    int rc = SSL_do_handshake(s->ssl);
    if (rc != 1)
        return stopped(s, wire, rc, "TLS handshake");
    if (tls_verify_peer(s, s->e) != 0)
        return -1;
    s->ready = true;
    return 0;
}

/* Records from the wire become data, straight in data->out: one of them where they become packets. */
static int receive(struct tls_session *s, struct session_side *data, struct session_side *wire)
{
    while (!s->got_bye) {
        unsigned char *at;
        size_t n, room = buf_room(data->out, &at);
        if (room == 0 || (data->records && data->out->len > 0))
            return 0; /* what waits on the wire waits there */
        if (SSL_read_ex(s->ssl, at, room, &n) == 1)
            buf_commit(data->out, n);
        else if (SSL_get_error(s->ssl, 0) != SSL_ERROR_ZERO_RETURN)
            return stopped(s, wire, 0, "TLS");
        else
            s->got_bye = data->out_eof = true;
    }
    buf_consume(wire->in, wire->in->len); /* nothing counts behind a goodbye */
    return 0;
}

/* Data become records on the wire; behind the last of them our goodbye. A record that found only
 * part of its room stays half in the SSL and its bytes stay in data->in, so the call is repeated
 * with at least the same bytes, as SSL_write() demands. */
static int send_data(struct tls_session *s, struct session_side *data, struct session_side *wire)
{
    if (data->packets && data->in->len > s->fragment && !s->told_split) {
        diag(DIAG_WARN, "a packet of %zu bytes becomes several TLS records of up to %zu", data->in->len,
             s->fragment);
        s->told_split = true;
    }
    while (data->in->len > 0) {
        size_t n;
        if (SSL_write_ex(s->ssl, buf_data(data->in), data->in->len, &n) != 1)
            return stopped(s, wire, 0, "TLS");
        buf_consume(data->in, n);
    }
    if (!data->in_eof || s->said_bye)
        return 0;
    int rc = SSL_shutdown(s->ssl);
    /* 0 says that the peer's goodbye is to come, and, called again, that ours waits for room */
    if (rc < 0 || (rc == 0 && SSL_get_error(s->ssl, rc) == SSL_ERROR_WANT_WRITE))
        return stopped(s, wire, rc, "TLS close");
    s->said_bye = s->wire.closed = wire->out_eof = true;
    return 0;
}

/* A failure is told when everything before it has been handed on: data that arrived whole, and
 * the alert that lets the peer know. */
static bool may_tell(const struct tls_session *s, const struct session_side *data,
                     const struct session_side *wire)
{
    return data->out->len == 0 && (s->ready || wire->in_eof || wire->out->len == 0);
}

static int tell_later(struct tls_session *s)
{
    s->why = malloc(sizeof *s->why);
    if (!s->why)
        return -1; /* then now */
    *s->why = *s->e;
    return 0;
}

static int step(struct tls_session *s, struct session_side *data, struct session_side *wire)
{
    s->wire.in = wire->in;
    s->wire.out = wire->out;
    ERR_clear_error();
    int rc = s->ready ? 0 : shake_hands(s, wire);
    if (rc == 0 && s->ready)
        rc = receive(s, data, wire);
    if (rc == 0 && s->ready)
        rc = send_data(s, data, wire);
    s->wire.in = s->wire.out = NULL;
    return rc;
}

static int session_step(void *st, struct session_side *data, struct session_side *wire,
                        struct err *e)
{
    struct tls_session *s = st;
    if (s->why) {
        if (!may_tell(s, data, wire))
            return 0;
        *e = *s->why;
        return -1;
    }
    e->kind = ERR_NONE;
    s->e = e;
    int rc = step(s, data, wire);
    if (rc < 0 && !may_tell(s, data, wire))
        rc = tell_later(s);
    s->e = NULL;
    return rc;
}

static bool session_ready(const void *st)
{
    const struct tls_session *s = st;
    return s->ready;
}

size_t tls_fragment(const struct tls_session *s, const struct addr *a)
{
    unsigned agreed = SSL_SESSION_get_max_fragment_length(SSL_get0_session(s->ssl));
    long long own = opt_int(a, &opt_tls_maxsendfrag, SSL3_RT_MAX_PLAIN_LENGTH);
    /* codes 1 to 4 stand for 512 to 4096 bytes */
    long long limit = agreed >= 1 && agreed <= 4 ? 256LL << agreed : own;
    return (size_t)(own < limit ? own : limit);
}

static void log_fragments(const struct tls_session *s, const struct addr *a)
{
    if (opt_find(a, &opt_tls_maxsendfrag) ||
        SSL_SESSION_get_max_fragment_length(SSL_get0_session(s->ssl)))
        diag(DIAG_INFO, "TLS: records carry at most %zu bytes", tls_fragment(s, a));
}

int tls_opened(const struct tls_session *s, const struct addr *a, struct run *r, struct err *e)
{
    const X509 *cert = SSL_get0_peer_certificate(s->ssl);
    char text[512];
    if (cert && diag_shows(DIAG_INFO)) {
        tls_subject(X509_get_subject_name(cert), text, sizeof text);
        diag(DIAG_INFO, "SSL peer cert subject: \"%s\"", text);
        tls_subject(X509_get_issuer_name(cert), text, sizeof text);
        diag(DIAG_INFO, "SSL peer cert issuer: \"%s\"", text);
    }
    if (!s->shared->verify)
        diag(DIAG_NOTICE, "verify=0: the peer's certificate was not verified");
    else if (s->expect)
        diag(DIAG_NOTICE, "the peer's certificate is trusted and for \"%s\"", s->expect);
    else
        diag(DIAG_NOTICE, "the peer's certificate is trusted, its name was not verified");
    diag(DIAG_NOTICE, "SSL proto version used: %s", SSL_get_version(s->ssl));
    diag(DIAG_NOTICE, "SSL connection using %s", SSL_get_cipher_name(s->ssl));
    log_fragments(s, a);
    return tls_tell_facts(s, a, r, e);
}

static int session_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    struct tls_session *s = st;
    s->fragment = tls_fragment(s, a);
    return tls_opened(s, a, r, e);
}

static const struct session_ops tls_ops = {
    .records = true,
    .shares = tls_shares,
    .prepare = tls_prepare,
    .release = tls_release,
    .open = session_open,
    .step = session_step,
    .ready = session_ready,
    .opened = session_opened,
    .close = session_close,
};
static const struct tls_role client = {.server = false}, server = {.server = true};

/* The v1 spellings: one implementation, two ways to write it. */
static const struct compound client_over_tcp = {
    .inter = "OPENSSL-CLIENT",
    .endpoint = "TCP-CONNECT",
    .endpoint_params = {1, 2},
};
static const struct compound server_over_tcp = {
    .inter = "OPENSSL-SERVER",
    .endpoint = "TCP-LISTEN",
    .endpoint_params = {1},
};
#define OVER_TCP                                                                                   \
    (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_TCP |     \
     GROUP_OPENSSL)

extern const struct form forms_tls[];
const struct form forms_tls[] = {
    {
        .keyword = "OPENSSL-CLIENT",
        .aliases = "OPENSSL SSL OPENSSL-CONNECT",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_OPENSSL,
        .help = "speaks TLS as client with what is on its right",
        .check = tls_check_client,
        .heavy = true,
        .kind = FORM_SESSION,
        .ops.session = &tls_ops,
        .role = ROLE_CLIENT,
        .gives = GIVES_TLS,
        .arg = &client,
    },
    {
        .keyword = "OPENSSL-SERVER",
        .aliases = "OPENSSL-LISTEN SSL-L SSL-S",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_OPENSSL,
        .help = "speaks TLS as server with what is on its right",
        .heavy = true,
        .kind = FORM_SESSION,
        .ops.session = &tls_ops,
        .role = ROLE_SERVER,
        .gives = "sni " GIVES_TLS,
        .arg = &server,
    },
    {
        .keyword = "OPENSSL",
        .aliases = "OPENSSL-CONNECT OPENSSL-CLIENT SSL",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .groups = OVER_TCP,
        .target = 1,
        .help = "connects to a TLS server over TCP",
        .kind = FORM_COMPOUND,
        .ops.compound = &client_over_tcp,
    },
    {
        .keyword = "OPENSSL-LISTEN",
        .aliases = "OPENSSL-SERVER SSL-L SSL-S",
        .params = ":<port>",
        .min_params = 1,
        .max_params = 1,
        .left = CTX_RWB,
        .groups = OVER_TCP | GROUP_LISTEN | GROUP_RANGE,
        .help = "waits for TLS clients on a TCP port",
        .kind = FORM_COMPOUND,
        .ops.compound = &server_over_tcp,
    },
    {0},
};
