/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pre-shared keys in TLS 1.3, 1.2 and DTLS: see tls_psk.h. OpenSSL asks in the manner of 1.2 in all of them. */
#include "inter/tls/tls_psk.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/secret.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/psk.h"

bool tls_psk_given(const struct addr *a)
{
    return opt_find(a, &opt_tls_psk) || opt_find(a, &opt_tls_psk_file);
}

int tls_psk_check(const struct addr *a, struct err *e)
{
    static const struct option_desc *const idle[] = {&opt_tls_cafile, &opt_tls_capath, &opt_tls_crlfile,
                                                    &opt_tls_crlpath, &opt_tls_ocsp, &opt_tls_pin};
    for (size_t i = 0; tls_psk_given(a) && i < sizeof idle / sizeof idle[0]; i++) {
        const struct opt *o = opt_find(a, idle[i]);
        if (o)
            return err_at(e, o->at, "%s: a server that has to have the key shows no certificate", o->desc->name);
    }
    return 0;
}

/* ---- the handshake ---- */

static unsigned give(const struct psk *k, unsigned char *key, unsigned size)
{
    if (!k || k->n > size)
        return 0;
    memcpy(key, k->key, k->n);
    return (unsigned)k->n;
}

static unsigned ask_client(SSL *ssl, const char *hint, char *name, unsigned nname, unsigned char *key, unsigned size)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    const struct psk *k = &s->shared->psks->v[0];
    (void)hint;
    if (strlen(k->name) >= nname)
        return 0;
    strcpy(name, k->name);
    return give(k, key, size);
}

bool tls_psk_met(struct tls_session *s, const char *name)
{
    free(s->psk_name);
    s->psk_name = strdup(name);
    return s->psk_name != NULL;
}

static unsigned ask_server(SSL *ssl, const char *name, unsigned char *key, unsigned size)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    const struct psk *k = psk_find(s->shared->psks, name);
    s->psk_known = k != NULL;
    return tls_psk_met(s, name) ? give(k, key, size) : 0;
}

/* Without a certificate: in TLS 1.3 only a session, or a key that is taken for one, is reused. */
bool tls_psk_used(const struct tls_session *s)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);
    if (!s->shared->psks || SSL_get0_peer_certificate(s->ssl))
        return false;
    return SSL_version(s->ssl) == TLS1_3_VERSION ? SSL_session_reused(s->ssl)
                                                 : cipher && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

int tls_psk_require(const struct tls_session *s, struct err *e)
{
    if (s->shared->server || !s->shared->psks || tls_psk_used(s))
        return 0;
    return err_set(e, ERR_TLS_UNTRUSTED, "the server shows a certificate, and does not know the key \"%s\"",
                   s->shared->psks->v[0].name);
}

static bool is_about_keys(unsigned long code)
{
    static const int reasons[] = {
        SSL_R_BINDER_DOES_NOT_VERIFY, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DIGEST_CHECK_FAILED,
        SSL_R_PSK_IDENTITY_NOT_FOUND, SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
        SSL_AD_REASON_OFFSET + SSL_AD_BAD_RECORD_MAC, SSL_AD_REASON_OFFSET + SSL_AD_HANDSHAKE_FAILURE,
        SSL_AD_REASON_OFFSET + SSL_AD_ILLEGAL_PARAMETER, SSL_AD_REASON_OFFSET + SSL_AD_DECRYPT_ERROR,
        SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_PSK_IDENTITY,
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reasons[i])
            return true;
    return false;
}

const char *tls_psk_blame(const struct tls_session *s, char *text, size_t size)
{
    const struct psks *p = s->shared->psks;
    if (!p || s->ready || (!is_about_keys(ERR_peek_error()) && !is_about_keys(ERR_peek_last_error())))
        return NULL;
    if (!s->shared->server)
        (void)snprintf(text, size, "the server does not know the key \"%s\", or has another one of that name", p->v[0].name);
    else if (!s->psk_name)
        (void)snprintf(text, size, "the client has no key");
    else if (s->psk_known)
        (void)snprintf(text, size, "the client has another key \"%s\"", s->psk_name);
    else
        (void)snprintf(text, size, "the client's key \"%s\" is not known here", s->psk_name);
    return text;
}

const char *tls_psk_name(const struct tls_session *s)
{
    return tls_psk_used(s) ? s->psk_name : NULL;
}

bool tls_psk_opened(const struct tls_session *s)
{
    if (!tls_psk_used(s))
        return false;
    diag(DIAG_NOTICE, "the %s knows the key \"%s\"", tls_peer_word(s->shared),
         s->psk_name ? s->psk_name : s->shared->psks->v[0].name);
    return true;
}

/* ---- the context ---- */

static int load_file(struct psks *p, const struct opt *o, struct run *r, struct err *e)
{
    struct secret_file file;
    if (secret_file_read(o, r, &file, e) < 0)
        return -1;
    int rc = strlen(file.text) != file.len ? err_set(e, ERR_TLS_FILE, "it has a NUL byte in it")
                                           : psk_add_lines(p, file.text, e);
    if (rc == 0 && p->n == 0)
        rc = err_set(e, ERR_TLS_FILE, "it has no key in it");
    if (rc == 0 && file.exposed)
        diag(DIAG_WARN, "%s \"%s\" has keys in it, and anybody may read it", o->desc->name, o->v.s);
    secret_file_free(&file);
    if (rc < 0)
        (void)err_wrap(e, "%s \"%s\"", o->desc->name, o->v.s);
    return rc;
}

static int load_one(struct psks *p, const struct addr *a, struct run *r, struct err *e)
{
    struct secret_value value;
    int rc = secret_value(a, &opt_tls_psk, r, -1, &value, e);
    if (rc > 0)
        rc = psk_add(p, value.text, e) < 0 ? err_wrap(e, "psk") : 0;
    secret_value_wipe(&value);
    return rc;
}

static int load(struct psks *p, const struct addr *a, struct run *r, struct err *e)
{
    const struct opt *file = opt_find(a, &opt_tls_psk_file);
    return file && load_file(p, file, r, e) < 0 ? -1 : load_one(p, a, r, e);
}

/* A key goes with ciphers of SHA-256 alone, and a server chooses the cipher first: so those come first, or there are
 * no others; and in TLS 1.2 it would choose one with a certificate if it has that as well. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

static bool serve(struct tls_context *t)
{
    SSL_CTX_set_psk_server_callback(t->ctx, ask_server);
    (void)SSL_CTX_set_options(t->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    return SSL_CTX_set_ciphersuites(t->ctx, SUITES ":TLS_AES_256_GCM_SHA384") == 1;
}

static bool show(struct tls_context *t)
{
    t->verify = false; /* whatever the server shows: it has to have the key */
    SSL_CTX_set_psk_client_callback(t->ctx, ask_client);
    return SSL_CTX_set_ciphersuites(t->ctx, SUITES) == 1 &&
           SSL_CTX_set_cipher_list(t->ctx, "kECDHEPSK+CHACHA20:kDHEPSK+AESGCM:kDHEPSK+CHACHA20:"
                                           "kECDHEPSK:kDHEPSK:kPSK+AESGCM:kPSK") == 1;
}

int tls_psk_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *file = opt_find(a, &opt_tls_psk_file), *o = file ? file : opt_find(a, &opt_tls_psk);
    if (!tls_psk_given(a))
        return 0;
    t->psks = calloc(1, sizeof *t->psks);
    if (!t->psks)
        return err_nomem(e);
    int rc = load(t->psks, a, r, e);
    if (rc == 0 && !t->server && t->psks->n > 1)
        rc = err_set(e, ERR_TLS_FILE, "a client has one key, and here are %zu", t->psks->n);
    if (rc < 0) {
        e->where = o ? o->at : a->at;
        return -1;
    }
    return (t->server ? serve(t) : show(t)) ? 0 : tls_error(e, ERR_TLS_CIPHER, "ciphers with keys");
}

void tls_psk_release(struct tls_context *t)
{
    if (t->psks)
        psk_free(t->psks);
    free(t->psks);
}
