/* SPDX-License-Identifier: GPL-2.0-or-later
 * The TLS steps of peer.c, a server that breaks the rules on demand.
 *
 *   tls:<pem>[:<highest version>]   handshake; all further bytes go through TLS. 1.0 and 1.1 bring
 *                                   weak ciphers along
 *   notify         says close_notify and closes nothing
 *   raw            further bytes go past TLS again
 *   renegotiate    asks for another handshake (up to TLS 1.2); the answer to the report
 *   keyupdate:<n>  new keys, so many times (TLS 1.3) */
#ifndef PEER_TLS_H
#define PEER_TLS_H

#include <openssl/err.h>

static void die_tls(const char *what)
{
    fprintf(stderr, "peer: %s: %s\n", what, ERR_reason_error_string(ERR_peek_error()));
    exit(1);
}

static int version_of(const char *text)
{
    static const struct {
        const char *text;
        int version;
    } versions[] = {
        {"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(versions[i].text, text) == 0)
            return versions[i].version;
    return 0;
}

static void tls_start(struct peer *p, const char *arg)
{
    char pem[4096];
    snprintf(pem, sizeof pem, "%s", arg);
    char *colon = strchr(pem, ':');
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        die_tls("SSL_CTX_new");
    if (colon) {
        *colon = '\0';
        SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, version_of(colon + 1));
        SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, pem) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1)
        die_tls(pem);
    p->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (!p->ssl || SSL_set_fd(p->ssl, p->in) != 1 || SSL_accept(p->ssl) != 1)
        die_tls("handshake");
}

static void tls_renegotiate(struct peer *p)
{
    unsigned char byte;
    /* The request goes out; the client's answer, if any, comes with what it sends. */
    if (SSL_renegotiate(p->ssl) != 1 || SSL_do_handshake(p->ssl) != 1)
        die_tls("renegotiation");
    int rc = SSL_peek(p->ssl, &byte, 1);
    fprintf(p->report, "renegotiation: %s\n",
            rc > 0 ? "done" : ERR_reason_error_string(ERR_peek_error()));
    fflush(p->report);
}

static void tls_keyupdate(struct peer *p, unsigned long n)
{
    while (n-- > 0)
        if (SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(p->ssl) != 1)
            die_tls("key update");
}

/* Is it one of these steps? Then it is done. */
static bool step_tls(struct peer *p, const char *step, size_t n, const char *arg)
{
#define IS(word) (n == sizeof word - 1 && strncmp(step, word, n) == 0)
    if (IS("tls"))
        tls_start(p, arg);
    else if (IS("notify"))
        (void)SSL_shutdown(p->ssl);
    else if (IS("raw"))
        SSL_free(p->ssl), p->ssl = NULL; /* which says nothing */
    else if (IS("renegotiate"))
        tls_renegotiate(p);
    else if (IS("keyupdate"))
        tls_keyupdate(p, strtoul(arg, NULL, 10));
    else
        return false;
    return true;
#undef IS
}

#endif
