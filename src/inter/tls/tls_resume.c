/* SPDX-License-Identifier: GPL-2.0-or-later
 * Session resumption. A server gives tickets, which carry all there is to know; of TLS 1.3 in front of its first
 * data: a peer that only writes would never read them, and its close would become a reset. A client keeps what
 * it is given by target and names, and uses each once. */
#include "inter/tls/tls_resume.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/psk.h"
#include "inter/tls/tls_psk.h"
#include "inter/tls/tls_sessions.h"
#include "inter/tls/tls_tickets.h"

static const double LIFE_S = 7200;
enum {
    PROOF_S = 24 * 3600, /* after so long a peer has to show once more that it has the key */
    LIFE_MAX = 7 * 24 * 3600,
};

/* ---- until when ---- */

/* The verdict on the peer's certificates depends on nothing but them, the options, which are the context's, and
 * time: it holds until the first of them expires. Where lists or others are asked as well nothing is resumed. */
static int64_t expiry_of(const STACK_OF(X509) *chain, int64_t until)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int days, seconds;
        if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(sk_X509_value(chain, i))))
            return 0;
        int64_t end = time(NULL) + days * INT64_C(86400) + seconds;
        if (end < until)
            until = end;
    }
    return until;
}

/* What goes with a session: until when it holds, and the name of the key that the client has shown. */
struct mark {
    int64_t until;
    char name[PSK_NAME_MAX + 1];
};

enum { MARK_LEAST = offsetof(struct mark, name) };

/* false: it has none. */
static bool read_mark(SSL_SESSION *session, struct mark *m)
{
    void *marked;
    size_t n = 0;
    if (SSL_SESSION_get0_ticket_appdata(session, &marked, &n) != 1 || n < MARK_LEAST || n >= sizeof *m)
        return false;
    *m = (struct mark){0};
    memcpy(m, marked, n);
    return true;
}

/* Marks a session, unless it goes on from an earlier one, whose mark it has. */
static bool mark(const struct tls_session *s, SSL_SESSION *session)
{
    struct mark m;
    if (read_mark(session, &m))
        return true;
    m = (struct mark){.until = time(NULL) + PROOF_S};
    if (s->psk_name && tls_psk_used(s))
        (void)snprintf(m.name, sizeof m.name, "%s", s->psk_name);
    if (s->shared->verify && !tls_psk_used(s)) {
        const STACK_OF(X509) *chain = SSL_get0_verified_chain(s->ssl);
        m.until = sk_X509_num(chain) > 0 ? expiry_of(chain, m.until) : 0;
    }
    return SSL_SESSION_set1_ticket_appdata(session, &m, MARK_LEAST + strlen(m.name)) == 1;
}

/* If not there is a whole handshake, which says what stands against the peer. */
static bool still_holds(const struct tls_context *t, SSL_SESSION *session, struct mark *m)
{
    int64_t now = time(NULL), age = now - SSL_SESSION_get_time(session);
    return read_mark(session, m) && now < m->until && age >= 0 && age < t->resume_life &&
           age < SSL_SESSION_get_timeout(session);
}

/* A pre-shared key is taken for a session, too, but has no mark. */
bool tls_resumed(const struct tls_session *s)
{
    struct mark m;
    return SSL_session_reused(s->ssl) && read_mark(SSL_get_session(s->ssl), &m);
}

/* ---- a server: tickets ---- */

static int mark_ticket(SSL *ssl, void *arg)
{
    (void)arg;
    return mark(SSL_get_app_data(ssl), SSL_get_session(ssl));
}

static SSL_TICKET_RETURN check_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t n,
                                      SSL_TICKET_STATUS status, void *arg)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    struct mark m;
    (void)name;
    (void)n;
    (void)arg;
    if ((status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) || !still_holds(s->shared, session, &m))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (m.name[0] && !tls_psk_met(s, m.name))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static bool start(const struct ticket_key *k, EVP_CIPHER_CTX *cipher, const unsigned char *iv, EVP_MAC_CTX *mac,
                  int sealing)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->mac, sizeof k->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, sealing) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int use_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                   int sealing)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    struct tickets *t = s->shared->tickets;
    struct ticket_key k;
    bool found = sealing ? tickets_seal(t, wait_now(), &k) && RAND_bytes(iv, TICKET_IV) == 1
                         : tickets_open(t, wait_now(), name, &k);
    if (found && sealing)
        memcpy(name, k.name, sizeof k.name);
    int rc = !found ? -sealing : start(&k, cipher, iv, mac, sealing) ? 1 : -1;
    explicit_bzero(&k, sizeof k);
    return rc;
}

void tls_resume_give(struct tls_session *s)
{
    if (!s->shared->tickets || s->gave_ticket)
        return;
    s->gave_ticket = true;
    (void)SSL_new_session_ticket(s->ssl); /* 0 where the protocol is older, and gives them by itself */
}

/* ---- a client: sessions kept ---- */

/* Host and port of the address, and the names it verifies and sends. */
static char *key_of(const struct addr *a, const struct tls_session *s)
{
    const char *sni = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    char *key;
    return asprintf(&key, "%s\n%s\n%s\n%s", a->host ? a->host : "", a->port ? a->port : "",
                    s->expect ? s->expect : "", sni ? sni : "") < 0 ? NULL : key;
}

static int keep(SSL *ssl, SSL_SESSION *session)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    if (s->resume_key && mark(s, session))
        sessions_put(s->shared->sessions, s->resume_key, session);
    return 0; /* it has its reference */
}

void tls_resume_offer(const struct addr *a, struct tls_session *s)
{
    if (!s->shared->sessions || !(s->resume_key = key_of(a, s)))
        return;
    SSL_SESSION *session = sessions_take(s->shared->sessions, s->resume_key);
    struct mark m;
    if (session && still_holds(s->shared, session, &m))
        (void)SSL_set_session(s->ssl, session);
    SSL_SESSION_free(session);
    ERR_clear_error();
}

/* A session of TLS 1.3 is good for one connection, an older one for many. */
void tls_resume_opened(const struct tls_session *s)
{
    if (s->shared->sessions && tls_resumed(s) && SSL_version(s->ssl) != TLS1_3_VERSION)
        (void)keep(s->ssl, SSL_get_session(s->ssl));
}

/* ---- the context ---- */

static int serve(struct tls_context *t, struct err *e)
{
    t->tickets = tickets_new(t->resume_life * 1000LL);
    if (!t->tickets)
        return err_nomem(e);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(t->ctx, use_key);
    (void)SSL_CTX_set_session_ticket_cb(t->ctx, mark_ticket, check_ticket, NULL);
    return 0;
}

static int remember(struct tls_context *t, struct err *e)
{
    t->sessions = sessions_new();
    if (!t->sessions)
        return err_nomem(e);
    (void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(t->ctx, keep);
    return 0;
}

/* Who may be revoked at any time is asked for a proof each time; and what is made for one connection alone has no
 * other to go on from. */
static double life_of(const struct addr *a)
{
    bool alone = a->varies && !tls_shares(a);
    bool asks = opt_find(a, &opt_tls_crlfile) || opt_find(a, &opt_tls_crlpath) || opt_find(a, &opt_tls_ocsp);
    return alone || asks ? 0 : opt_time(a, &opt_tls_resume, LIFE_S);
}

int tls_resume_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)r;
    const struct opt *o = opt_find(a, &opt_tls_resume);
    double life = life_of(a);
    if (life < 0 || life > LIFE_MAX)
        return err_at(e, o->at, "%s=%g: give 0 (none) to %d seconds", o->desc->name, life, (int)LIFE_MAX);
    if (o && o->v.t > 0 && life == 0)
        diag(DIAG_WARN, "%s has no effect: no session is resumed where revocation is asked for, or options have holes",
             o->desc->name);
    if (t->server) /* any will do, as the keys are the context's own; a pre-shared key wants it, too */
        (void)SSL_CTX_set_session_id_context(t->ctx, (const unsigned char *)"catena", 6);
    (void)SSL_CTX_set_num_tickets(t->ctx, 0);
    (void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    if (life == 0) {
        (void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET);
        return 0;
    }
    t->resume_life = life < 1 ? 1 : (long)life;
    (void)SSL_CTX_set_timeout(t->ctx, t->resume_life);
    return t->server ? serve(t, e) : remember(t, e);
}

void tls_resume_release(struct tls_context *t)
{
    tickets_free(t->tickets);
    sessions_free(t->sessions);
}
