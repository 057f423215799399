/* SPDX-License-Identifier: GPL-2.0-or-later
 * ALPN (RFC 7301): which protocol is to be spoken inside, agreed upon in the handshake. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 2048, PROTOCOL_NAME = 255 }; /* bytes; a name has a byte for its length */

/* As the wire has it: each name behind its length. out may be NULL, to look only. */
static int read_option(const struct opt *o, unsigned char *out, size_t *len, struct err *e)
{
    static const char between[] = " \t,";
    const char *s = o->v.s ? o->v.s : "";
    if (s[strspn(s, between)] == '\0')
        return err_at(e, o->at, "%s: no protocol is named, as h2 or http/1.1", o->desc->name);
    for (s += strspn(s, between); *s;) {
        size_t n = strcspn(s, between);
        if (n > PROTOCOL_NAME)
            return err_at(e, o->at, "%s: a protocol has at most %d letters", o->desc->name, PROTOCOL_NAME);
        if (*len + 1 + n > LIST_MAX)
            return err_at(e, o->at, "%s: too many protocols, at most %d bytes", o->desc->name, LIST_MAX);
        out[*len] = (unsigned char)n;
        memcpy(out + *len + 1, s, n);
        *len += 1 + n;
        s += n + strspn(s + n, between);
    }
    return 0;
}

static int read_options(const struct addr *a, unsigned char list[LIST_MAX], size_t *len, struct err *e)
{
    *len = 0;
    for (size_t i = 0; i < a->nopts; i++)
        if (option_is(a->opts[i].desc, &opt_tls_alpn) && read_option(&a->opts[i], list, len, e) < 0)
            return -1;
    return 0;
}

/* Who knows what is spoken inside need not be told. */
static int read_list(const struct addr *a, bool server, unsigned char list[LIST_MAX], size_t *len, struct err *e)
{
    if (read_options(a, list, len, e) < 0)
        return -1;
    if (*len == 0 && a->speaks && !server) {
        *len = 1 + strlen(a->speaks);
        list[0] = (unsigned char)(*len - 1);
        memcpy(list + 1, a->speaks, *len - 1);
    }
    return 0;
}

int tls_check_alpn(const struct addr *a, struct err *e)
{
    unsigned char list[LIST_MAX];
    size_t len;
    return read_options(a, list, &len, e);
}

/* "h2, http/1.1" */
static void show_list(const unsigned char *list, size_t len, char *text, size_t size)
{
    size_t at = 0;
    *text = '\0';
    for (size_t i = 0; i < len && i + 1 + list[i] <= len && at + 3 < size; i += 1U + list[i]) {
        if (at > 0) {
            memcpy(text + at, ", ", 3);
            at += 2;
        }
        at += tls_shown(text + at, size - at, (const char *)list + i + 1, list[i]);
    }
}

/* The first of ours that the client offers. One that offers others only is turned away (alert 120), as whatever was
 * said then would not be understood. */
static int choose(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *theirs, unsigned ntheirs,
                  void *arg)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    const struct tls_context *t = s->shared;
    unsigned char *found;
    char offered[200], known[200];
    (void)arg;
    if (SSL_select_next_proto(&found, n, t->alpn, (unsigned)t->nalpn, theirs, ntheirs) == OPENSSL_NPN_NEGOTIATED) {
        *out = found;
        return SSL_TLSEXT_ERR_OK;
    }
    show_list(theirs, ntheirs, offered, sizeof offered);
    show_list(t->alpn, t->nalpn, known, sizeof known);
    (void)err_set(s->e, ERR_TLS_ALPN, "the client wants to speak %s, here is only %s (alpn)", offered, known);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_set_alpn(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    unsigned char list[LIST_MAX];
    (void)r;
    if (read_list(a, t->server, list, &t->nalpn, e) < 0)
        return -1;
    if (t->nalpn == 0)
        return 0;
    t->alpn = malloc(t->nalpn);
    if (!t->alpn)
        return err_nomem(e);
    memcpy(t->alpn, list, t->nalpn);
    if (t->server)
        SSL_CTX_set_alpn_select_cb(t->ctx, choose, NULL);
    else if (SSL_CTX_set_alpn_protos(t->ctx, t->alpn, (unsigned)t->nalpn) != 0)
        return tls_error(e, ERR_OTHER, "alpn");
    return 0;
}

static bool is_ours(const struct tls_context *t, const unsigned char *name, size_t n)
{
    for (size_t i = 0; i < t->nalpn; i += 1U + t->alpn[i])
        if (t->alpn[i] == n && memcmp(t->alpn + i + 1, name, n) == 0)
            return true;
    return false;
}

size_t tls_agreed(const struct tls_session *s, const char **name)
{
    unsigned n = 0;
    SSL_get0_alpn_selected(s->ssl, (const unsigned char **)name, &n);
    return n;
}

/* The library takes whatever a server says. */
int tls_check_agreed(const struct tls_session *s, struct err *e)
{
    const char *name;
    char text[200];
    size_t n = tls_agreed(s, &name);
    if (n == 0 || is_ours(s->shared, (const unsigned char *)name, n))
        return 0;
    tls_shown(text, sizeof text, name, n);
    return err_set(e, ERR_TLS_ALPN, "the server wants to speak \"%s\", which was not offered (alpn)", text);
}

/* One that chooses nothing may be of the kind that speaks only that. */
int tls_check_spoken(const struct tls_session *s, const struct addr *a, struct err *e)
{
    const char *name;
    char text[200];
    size_t n = tls_agreed(s, &name);
    if (n == 0 || !a->speaks || (n == strlen(a->speaks) && memcmp(name, a->speaks, n) == 0))
        return 0;
    tls_shown(text, sizeof text, name, n);
    return err_set(e, ERR_PROTOCOL, "the %s chose to speak \"%s\", but what goes through this session is \"%s\" (alpn)",
                   tls_peer_word(s->shared), text, a->speaks);
}
