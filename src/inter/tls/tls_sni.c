/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which of several certificates a server shows: those of the name that the client asks for. They are chosen when its
 * hello has been read and nothing follows from it yet. */
#include "inter/tls/tls_certs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_NAME = 255 }; /* bytes */

/* ---- the index ---- */

struct indexing {
    struct tls_certs *certs;
    size_t of;
    bool failed;
};

static bool add_name(const char *name, void *arg)
{
    struct indexing *x = arg;
    struct tls_certs *c = x->certs;
    struct tls_name *v = reallocarray(c->names, c->nnames + 1, sizeof *v);
    if (v) {
        c->names = v;
        v[c->nnames] = (struct tls_name){strdup(name), x->of};
    }
    x->failed = !v || !v[c->nnames].text;
    c->nnames += !x->failed;
    return x->failed;
}

int tls_certs_index(struct tls_certs *c, struct err *e)
{
    struct indexing x = {.certs = c};
    for (x.of = 0; x.of < c->n && !x.failed; x.of++)
        tls_each_name(c->v[x.of].cert, add_name, &x);
    return x.failed ? err_nomem(e) : 0;
}

/* ---- looking up ---- */

/* A wildcard stands for one label. */
static bool covers(const char *pattern, const char *name)
{
    const char *dot = strchr(name, '.');
    return strncmp(pattern, "*.", 2) == 0 && dot && dot > name && strcasecmp(pattern + 1, dot) == 0;
}

static bool equals(const char *pattern, const char *name)
{
    return strcasecmp(pattern, name) == 0;
}

static bool has_kind(const struct tls_picks *picks, const struct tls_identity *id)
{
    for (size_t i = 0; i < picks->n; i++)
        if (EVP_PKEY_get_base_id(picks->v[i]->key) == EVP_PKEY_get_base_id(id->key))
            return true;
    return false;
}

static void add(struct tls_picks *picks, const struct tls_identity *id)
{
    if (picks->n < sizeof picks->v / sizeof picks->v[0] && !has_kind(picks, id))
        picks->v[picks->n++] = id;
}

static void collect(const struct tls_certs *c, const char *name, bool (*fits)(const char *, const char *),
                    struct tls_picks *out)
{
    for (size_t i = 0; i < c->nnames; i++)
        if (fits(c->names[i].text, name))
            add(out, &c->v[c->names[i].of]);
}

void tls_certs_find(const struct tls_certs *c, const char *name, struct tls_picks *out)
{
    out->n = 0;
    collect(c, name, equals, out);
    if (out->n == 0)
        collect(c, name, covers, out);
}

void tls_certs_default(const struct tls_certs *c, struct tls_picks *out)
{
    out->n = 0;
    if (c->n > 0)
        add(out, &c->v[0]);
    if (c->nnames > 0 && c->names[0].of == 0)
        collect(c, c->names[0].text, equals, out);
}

/* ---- the hello ---- */

/* RFC 6066: a list of names with their type, of which 0 is the only one; no address, no dot at its end, which some
 * send all the same. */
bool tls_sni_parse(const unsigned char *ext, size_t n, char *name, size_t size)
{
    enum { HEAD = 5 }; /* length of the list, type, length of the name */
    if (n < HEAD || (size_t)(ext[0] << 8 | ext[1]) != n - 2 || ext[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t len = (size_t)(ext[3] << 8 | ext[4]);
    if (len == 0 || len > n - HEAD || len >= size || memchr(ext + HEAD, '\0', len))
        return false;
    len -= len > 1 && ext[HEAD + len - 1] == '.';
    memcpy(name, ext + HEAD, len);
    name[len] = '\0';
    return true;
}

static int refuse(const struct tls_session *s, const char *name, int *alert)
{
    char shown[HOST_NAME + 1];
    tls_shown(shown, sizeof shown, name, strlen(name));
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (*name)
        (void)err_set(s->e, ERR_TLS_NAME, "the client asks for \"%s\", and no certificate here is for that name "
                                        "(strict-sni)", shown);
    else
        (void)err_set(s->e, ERR_TLS_NAME, "the client asks for no name (strict-sni)");
    return SSL_CLIENT_HELLO_ERROR;
}

int tls_sni_choose(SSL *ssl, int *alert, void *arg)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    const struct tls_certs *c = s->shared->certs;
    const unsigned char *ext;
    size_t n, used = 0;
    char name[HOST_NAME + 1] = "";
    struct tls_picks picks = {.n = 0};
    (void)arg;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &n) == 1 &&
        tls_sni_parse(ext, n, name, sizeof name))
        tls_certs_find(c, name, &picks);
    if (picks.n == 0)
        return c->strict ? refuse(s, name, alert) : SSL_CLIENT_HELLO_SUCCESS;
    SSL_certs_clear(ssl);
    for (size_t i = 0; i < picks.n; i++)
        used += SSL_use_cert_and_key(ssl, picks.v[i]->cert, picks.v[i]->key, picks.v[i]->chain, 1) == 1;
    if (used == picks.n)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}
