/* SPDX-License-Identifier: GPL-2.0-or-later
 * DTLS is the TLS session over a wire of packets, which get lost: what was said is said again after a
 * while, and a server does nothing for a client that has not proved to be where its packets say. */
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <string.h>
#include <sys/time.h>

#include "catena/wait.h"

enum {
    WHOLE_OTHERWISE = 1200, /* bytes of a packet, where the way is not known */
    WHOLE_LEAST = 256,      /* a handshake needs some room */
};

/* ---- the cookie ---- */

/* Random, and known to nobody else. A client that says its hello again because the answer was slow gets the same
 * one: it may take either answer. */
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    if (!s->has_cookie && RAND_bytes(s->cookie, sizeof s->cookie) != 1)
        return 0;
    s->has_cookie = true;
    memcpy(cookie, s->cookie, sizeof s->cookie);
    *len = sizeof s->cookie;
    return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    return s->has_cookie && len == sizeof s->cookie && memcmp(cookie, s->cookie, len) == 0;
}

void dtls_prepare(const struct tls_context *t)
{
    (void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_cookie_generate_cb(t->ctx, make_cookie);
    SSL_CTX_set_cookie_verify_cb(t->ctx, check_cookie);
}

/* A flood of anything else is to cost next to nothing. */
static bool is_hello(const struct buf *in)
{
    return in->len > DTLS1_RT_HEADER_LENGTH && buf_data(in)[0] == SSL3_RT_HANDSHAKE &&
           buf_data(in)[DTLS1_RT_HEADER_LENGTH] == SSL3_MT_CLIENT_HELLO;
}

/* Whatever comes without the cookie, garbage or a guess, gets at most a cookie and changes nothing. */
static bool prove(struct tls_session *s, struct buf *in)
{
    if (!is_hello(in)) {
        buf_consume(in, in->len);
        return false;
    }
    BIO_ADDR *from = BIO_ADDR_new(); /* nobody asks for it: all packets are of the same peer */
    s->proved = from && DTLSv1_listen(s->ssl, from) == 1;
    BIO_ADDR_free(from);
    ERR_clear_error();
    return s->proved;
}

/* ---- the handshake ---- */

static void measure(struct tls_session *s, size_t whole)
{
    if (whole == 0)
        whole = WHOLE_OTHERWISE;
    (void)SSL_set_mtu(s->ssl, whole < WHOLE_LEAST ? WHOLE_LEAST : (long)whole);
    s->measured = true;
}

int dtls_begin(struct tls_session *s, const struct session_side *wire)
{
    if (!s->measured)
        measure(s, wire->whole);
    if (s->shared->server && !s->proved && !prove(s, wire->in))
        return 0;
    if (DTLSv1_handle_timeout(s->ssl) < 0)
        return tls_error(s->e, ERR_TIMEOUT, "DTLS handshake");
    return 1;
}

int64_t dtls_due(const void *st)
{
    const struct tls_session *s = st;
    struct timeval left;
    if (s->ready || s->why || DTLSv1_get_timeout(s->ssl, &left) != 1)
        return -1;
    return wait_now() + (int64_t)left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
}

/* ---- forms ---- */

static const struct tls_role client = {.server = false, .datagram = true};
static const struct tls_role server = {.server = true, .datagram = true};

static const struct compound client_over_udp = {
    .inter = "OPENSSL-DTLS-CLIENT",
    .endpoint = "UDP-CONNECT",
    .endpoint_params = {1, 2},
};
static const struct compound server_over_udp = {
    .inter = "OPENSSL-DTLS-SERVER",
    .endpoint = "UDP-LISTEN",
    .endpoint_params = {1},
};
#define OVER_UDP                                                                                   \
    (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_UDP |     \
     GROUP_OPENSSL)
#define CLIENT .keyword = "OPENSSL-DTLS-CLIENT",                                                   \
               .aliases = "DTLS DTLS-C DTLS-CLIENT DTLS-CONNECT OPENSSL-DTLS-CONNECT"
#define SERVER .keyword = "OPENSSL-DTLS-SERVER",                                                   \
               .aliases = "DTLS-L DTLS-LISTEN DTLS-SERVER OPENSSL-DTLS-LISTEN"

extern const struct form forms_dtls[];
const struct form forms_dtls[] = {
    {CLIENT, .left = CTX_RWB, .right = RIGHT_BOTH, .heavy = true,
     .groups = GROUP_CHILD | GROUP_RETRY | GROUP_OPENSSL, .role = ROLE_CLIENT, .gives = GIVES_TLS,
     .untold = tls_untold,
     .help = "speaks DTLS as client with what is on its right, in packets",
     .check = tls_check_client, .kind = FORM_SESSION, .ops.session = &dtls_ops, .arg = &client},
    {SERVER, .left = CTX_RWB, .right = RIGHT_BOTH, .heavy = true,
     .groups = GROUP_CHILD | GROUP_RETRY | GROUP_OPENSSL, .role = ROLE_SERVER,
     .check = tls_check_server, .admits = tls_admits, .gives = "sni openssl_psk_identity " GIVES_TLS,
     .untold = tls_untold,
     .help = "speaks DTLS as server with what is on its right, in packets",
     .kind = FORM_SESSION, .ops.session = &dtls_ops, .arg = &server},
    {CLIENT, .params = ":<host>:<port>", .min_params = 2, .max_params = 2, .left = CTX_RWB,
     .groups = OVER_UDP, .target = 1, .help = "connects to a DTLS server over UDP",
     .kind = FORM_COMPOUND, .ops.compound = &client_over_udp},
    {SERVER, .params = ":<port>", .min_params = 1, .max_params = 1, .left = CTX_RWB,
     .groups = OVER_UDP | GROUP_LISTEN | GROUP_RANGE, .help = "waits for DTLS clients on a UDP port",
     .kind = FORM_COMPOUND, .ops.compound = &server_over_udp},
    {0},
};
