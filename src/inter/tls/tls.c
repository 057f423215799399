/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS as an inter address: the plain stream on the data side, records on the wire side. A session
 * only moves bytes between the engine's buffers. The two directions end independently: our
 * close_notify follows the last byte of data, the peer's ends what we give out, and neither stops
 * the other. */
#include "inter/tls/tls.h"

#include <openssl/err.h>

#include <stdlib.h>

#include "catena/diag.h"
#include "catena/renewed.h"
#include "inter/starttls/opts_starttls.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_kernel.h"
#include "inter/tls/tls_psk.h"
#include "inter/tls/tls_resume.h"

static void session_close(void *st)
{
    struct tls_session *s = st;
    if (!s)
        return;
    SSL_free(s->ssl);
    renewed_give(s->renewed, s->shared);
    sink_close(&s->key_log);
    buf_fini(&s->wire.waiting);
    tls_kernel_close(s);
    free(s->resume_key);
    free(s->psk_name);
    free(s->expect);
    free(s->why);
    free(s);
}

static int session_open(const struct addr *a, struct run *r, void *shared, void **st, struct err *e)
{
    struct tls_session *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    const struct tls_context *t = renewed_take(shared, r);
    s->renewed = shared;
    s->shared = t;
    s->run = r;
    if (tls_key_log_open(s, e) < 0) {
        session_close(s);
        return -1;
    }
    s->wire.packets = t->datagram;
    s->fragment = SSL3_RT_MAX_PLAIN_LENGTH;
    ERR_clear_error();
    s->ssl = SSL_new(t->ctx);
    BIO *wire = s->ssl ? tls_bio_new(t->bio, &s->wire) : NULL;
    if (!wire) {
        session_close(s);
        return tls_error(e, ERR_BUSY, "a new connection");
    }
    SSL_set_bio(s->ssl, wire, wire);
    (void)SSL_set_app_data(s->ssl, s);
    if (t->server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    if (tls_names(a, s, e) < 0 || tls_kernel_open(s, e) < 0) {
        session_close(s);
        return -1;
    }
    tls_resume_offer(a, s);
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
        return s->ready ? err_set(s->e, ERR_CUT,
                                  "the peer ended the %s stream without close_notify (truncated)",
                                  tls_word(s))
                        : err_set(s->e, ERR_CUT,
                                  "the peer closed the connection during the %s handshake", tls_word(s));
    char key[400];
    const char *blame = tls_psk_blame(s, key, sizeof key);
    if (s->e->kind == ERR_NONE) /* else the verification has said it already */
        (void)tls_error(s->e, ERR_TLS, "%s%s", tls_word(s), doing);
    return blame ? err_wrap(s->e, "%s", blame) : -1;
}

static int shake_hands(struct tls_session *s, const struct session_side *wire)
{
    int rc = s->shared->datagram ? dtls_begin(s, wire) : 1;
    if (rc <= 0)
        return rc;
    rc = SSL_do_handshake(s->ssl);
    if (rc != 1)
        return stopped(s, wire, rc, " handshake");
    if (tls_verify_peer(s, s->e) != 0)
        return -1;
    s->ready = true;
    return 0;
}

/* Once we have said all, nobody has to be there; and behind our goodbye the library drops what is left of a
 * handshake, a record at a time. */
static bool is_over(const struct tls_session *s, const struct session_side *wire)
{
    return s->shared->datagram && s->said_bye && wire->in_eof && wire->in->len == 0;
}

static bool was_dropped(const struct tls_session *s)
{
    return s->shared->datagram && s->said_bye && SSL_get_error(s->ssl, 0) == SSL_ERROR_SYSCALL;
}

/* Records from the wire become data, straight in data->out: one of them where they become packets. */
static int receive(struct tls_session *s, struct session_side *data, struct session_side *wire)
{
    bool one = data->records || s->shared->datagram;
    while (!s->got_bye) {
        unsigned char *at;
        size_t n, room = buf_room(data->out, &at);
        if (room == 0 || (one && data->out->len > 0))
            return 0; /* what waits on the wire waits there */
        if (SSL_read_ex(s->ssl, at, room, &n) == 1)
            buf_commit(data->out, n);
        else if (SSL_get_error(s->ssl, 0) == SSL_ERROR_ZERO_RETURN || is_over(s, wire))
            s->got_bye = data->out_eof = true;
        else if (!was_dropped(s))
            return stopped(s, wire, 0, "");
        else if (wire->in->len == 0 && !SSL_has_pending(s->ssl))
            return 0;
    }
    buf_consume(wire->in, wire->in->len); /* nothing counts behind a goodbye */
    return 0;
}

static int say_goodbye(struct tls_session *s, const struct session_side *wire)
{
    int rc = SSL_shutdown(s->ssl);
    /* 0 says that the peer's goodbye is to come, and, called again, that ours waits for room */
    if (rc < 0 || (rc == 0 && SSL_get_error(s->ssl, rc) == SSL_ERROR_WANT_WRITE))
        return stopped(s, wire, rc, " close");
    s->said_bye = s->wire.closed = true;
    return 0;
}

/* How many bytes to make records of; 0 none now: each packet goes out before the next is made. */
static size_t next_piece(struct tls_session *s, const struct session_side *data,
                         const struct session_side *wire)
{
    size_t n = data->in->len, most = s->fragment;
    if (!s->shared->datagram)
        return n;
    if (!tls_bio_flush(&s->wire) || wire->out->len > 0)
        return 0;
    if (!data->packets && data->piece < most)
        most = data->piece;
    return n < most ? n : most;
}

/* Data become records on the wire; behind the last of them our goodbye. A record that found only
 * part of its room stays half in the SSL and its bytes stay in data->in, so the call is repeated
 * with at least the same bytes, as SSL_write() demands. */
static int send_data(struct tls_session *s, struct session_side *data, const struct session_side *wire)
{
    if (data->packets && data->in->len > s->fragment && !s->told_split) {
        diag(DIAG_WARN, "a packet of %zu bytes becomes several %s records of up to %zu", data->in->len,
             tls_word(s), s->fragment);
        s->told_split = true;
    }
    if (tls_kernel_waits(s, data) || (tls_kernel_seals(s) && !tls_kernel_send(s, data->in, wire->out)))
        return 0;
    while (data->in->len > 0) {
        size_t n = next_piece(s, data, wire);
        if (n == 0)
            return 0;
        tls_resume_give(s);
        if (SSL_write_ex(s->ssl, buf_data(data->in), n, &n) != 1)
            return stopped(s, wire, 0, "");
        buf_consume(data->in, n);
    }
    return data->in_eof && !s->said_bye ? say_goodbye(s, wire) : 0;
}

/* A failure is told when everything before it has been handed on: data that arrived whole, and
 * the alert that lets the peer know. */
static bool may_tell(const struct tls_session *s, const struct session_side *data,
                     const struct session_side *wire)
{
    bool alert = wire->out->len > 0 || s->wire.waiting.len > 0;
    return data->out->len == 0 && (s->ready || wire->in_eof || !alert);
}

static int tell_now(const struct tls_session *s, const struct session_side *data,
                    const struct session_side *wire)
{
    if (!may_tell(s, data, wire))
        return 0;
    *s->e = *s->why;
    return -1;
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
    (void)tls_bio_flush(&s->wire);
    ERR_clear_error();
    int rc = s->ready ? 0 : shake_hands(s, wire);
    if (rc == 0 && s->ready)
        rc = receive(s, data, wire);
    if (rc == 0 && s->ready)
        rc = send_data(s, data, wire);
    if (tls_kernel_seals(s)) /* a goodbye, or an alert */
        (void)tls_kernel_say(s, wire->out);
    wire->out_eof |= s->said_bye && tls_bio_flush(&s->wire) && tls_kernel_has_said_all(s);
    return rc;
}

static int session_step(void *st, struct session_side *data, struct session_side *wire,
                        struct err *e)
{
    struct tls_session *s = st;
    s->wire.in = wire->in;
    s->wire.out = wire->out;
    if (s->why)
        (void)tls_bio_flush(&s->wire);
    e->kind = ERR_NONE;
    s->e = e;
    int rc = s->why ? tell_now(s, data, wire) : step(s, data, wire);
    if (rc < 0 && !s->why && !may_tell(s, data, wire))
        rc = tell_later(s);
    s->e = NULL;
    s->wire.in = s->wire.out = NULL;
    return rc;
}

static bool session_ready(const void *st)
{
    const struct tls_session *s = st;
    return s->ready;
}

/* The most bytes that one record we send may carry: our own limit, or what was agreed upon if that
 * is less. */
static size_t fragment_of(const struct tls_session *s, const struct addr *a)
{
    unsigned agreed = SSL_SESSION_get_max_fragment_length(SSL_get0_session(s->ssl));
    long long own = opt_int(a, &opt_tls_maxsendfrag, SSL3_RT_MAX_PLAIN_LENGTH);
    /* codes 1 to 4 stand for 512 to 4096 bytes */
    long long limit = agreed >= 1 && agreed <= 4 ? 256LL << agreed : own;
    return (size_t)(own < limit ? own : limit);
}

static void tell_fragments(const struct tls_session *s, const struct addr *a)
{
    if (opt_find(a, &opt_tls_maxsendfrag) ||
        SSL_SESSION_get_max_fragment_length(SSL_get0_session(s->ssl)))
        diag(DIAG_INFO, "%s: records carry at most %zu bytes", tls_word(s),
             s->fragment);
}

static int session_opened(void *st, const struct addr *a, struct run *r, struct err *e)
{
    struct tls_session *s = st;
    const X509 *cert = SSL_get0_peer_certificate(s->ssl);
    char text[512];
    if (cert && diag_shows(DIAG_INFO)) {
        tls_subject(X509_get_subject_name(cert), text, sizeof text);
        diag(DIAG_INFO, "SSL peer cert subject: \"%s\"", text);
        tls_subject(X509_get_issuer_name(cert), text, sizeof text);
        diag(DIAG_INFO, "SSL peer cert issuer: \"%s\"", text);
    }
    if (!tls_psk_opened(s))
        tls_tell_trust(s);
    diag(DIAG_NOTICE, "SSL proto version used: %s", SSL_get_version(s->ssl));
    diag(DIAG_NOTICE, "SSL connection using %s", SSL_get_cipher_name(s->ssl));
    tls_tell_agreed(s);
    tls_resume_opened(s);
    s->fragment = fragment_of(s, a);
    tell_fragments(s, a);
    return tls_check_spoken(s, a, e) < 0 ? -1 : tls_tell_facts(s, a, r, e);
}

#define SESSION                                                                                    \
    .records = true, .common = {tls_shares, tls_prepare, renewed_free, renewed_look},                             \
    .open = session_open, .step = session_step, .ready = session_ready, .opened = session_opened,  \
    .seal = tls_kernel_seal, .sealed = tls_kernel_sealed, .close = session_close

static const struct session_ops tls_ops = {SESSION};
const struct session_ops dtls_ops = {SESSION, .over_records = true, .due = dtls_due};
static const struct tls_role client = {.server = false}, server = {.server = true};

/* The v1 spellings: one implementation, two ways to write it. */
static const struct compound client_over_tcp = {
    .inter = "OPENSSL-CLIENT",
    .endpoint = "TCP-CONNECT",
    .endpoint_params = {1, 2},
    .between = "STARTTLS",
    .between_option = &opt_starttls,
};
static const struct compound server_over_tcp = {
    .inter = "OPENSSL-SERVER",
    .endpoint = "TCP-LISTEN",
    .endpoint_params = {1},
    .between = "STARTTLS-SERVER",
    .between_option = &opt_starttls,
};
#define OVER_TCP                                                                                   \
    (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_TCP |     \
     GROUP_OPENSSL)

extern const struct form forms_tls[];
const struct form forms_tls[] = {
    {
        .keyword = "OPENSSL-CLIENT",
        .aliases = "OPENSSL SSL OPENSSL-CONNECT TLS TLS-CLIENT TLS-CONNECT",
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
        .untold = tls_untold,
        .arg = &client,
    },
    {
        .keyword = "OPENSSL-SERVER",
        .aliases = "OPENSSL-LISTEN SSL-L SSL-S TLS-L TLS-LISTEN TLS-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_OPENSSL,
        .help = "speaks TLS as server with what is on its right",
        .check = tls_check_server,
        .heavy = true,
        .kind = FORM_SESSION,
        .ops.session = &tls_ops,
        .role = ROLE_SERVER,
        .admits = tls_admits,
        .gives = "sni openssl_psk_identity " GIVES_TLS,
        .untold = tls_untold,
        .arg = &server,
    },
    {
        .keyword = "OPENSSL",
        .aliases = "OPENSSL-CONNECT OPENSSL-CLIENT SSL TLS TLS-CLIENT TLS-CONNECT",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .groups = OVER_TCP,
        .options = options_starttls_short,
        .target = 1,
        .help = "connects to a TLS server over TCP",
        .kind = FORM_COMPOUND,
        .ops.compound = &client_over_tcp,
    },
    {
        .keyword = "OPENSSL-LISTEN",
        .aliases = "OPENSSL-SERVER SSL-L SSL-S TLS-L TLS-LISTEN TLS-SERVER",
        .params = ":<port>",
        .min_params = 1,
        .max_params = 1,
        .left = CTX_RWB,
        .groups = OVER_TCP | GROUP_LISTEN | GROUP_RANGE,
        .options = options_starttls_server_short,
        .help = "waits for TLS clients on a TCP port",
        .kind = FORM_COMPOUND,
        .ops.compound = &server_over_tcp,
    },
    {0},
};
