/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who we are: certificate, key, and what a file may hold beside them. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

#include "catena/diag.h"
#include "catena/key_file.h"
#include "catena/secret.h"

static bool has_anonymous_cipher(const SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(list, i)) == NID_auth_null)
            return true;
    return false;
}

struct pass_phrase {
    struct secret_value value;
    bool given;
    struct run *run;
    struct err why; /* kind != ERR_NONE: asking for it failed */
};

/* What the options say; else asks, but only where there is somebody to ask: OpenSSL itself would
 * fall back to standard input, which is data here, and no signal would end its question. */
static int give_pass_phrase(char *text, int size, int writing, void *arg)
{
    struct pass_phrase *p = arg;
    (void)writing;
    if (p->why.kind != ERR_NONE) /* OpenSSL tries one format after the other, and asks each time */
        return -1;
    if (!p->given && secret_ask(p->run, "Enter PEM pass phrase:", &p->value, &p->why) <= 0)
        return -1;
    size_t n = strlen(p->value.text);
    if (n > (size_t)size)
        return -1;
    memcpy(text, p->value.text, n);
    return (int)n;
}

/* There are ciphers that do without. Version 1 leaves it to the client to find none. */
static int do_without(const struct addr *a, const struct tls_context *t, const struct run *r,
                      struct err *e)
{
    if (r->settings->v1_name)
        diag(DIAG_WARN, "no certificate given; consider option \"cert\"");
    else if (!has_anonymous_cipher(t->ctx))
        return err_at(e, a->at,
                      "a TLS server needs a certificate: cert=<file> (PEM, with the "
                      "private key in it or in key=<file>)");
    return 0;
}

static int load_certificate(const struct addr *a, struct tls_context *t,
                            const struct tls_file *cert, const struct tls_file *key,
                            const struct run *r, struct err *e)
{
    const struct tls_file *from = key->path ? key : cert;
    if (!cert->path && t->server && do_without(a, t, r, e) < 0)
        return -1;
    if (cert->path && SSL_CTX_use_certificate_chain_file(t->ctx, cert->path) != 1)
        return tls_option_error(cert->option, e);
    if (!from->path)
        return 0;
    if (SSL_CTX_use_PrivateKey_file(t->ctx, from->path, SSL_FILETYPE_PEM) != 1) {
        (void)tls_option_error(from->option, e);
        return err_wrap(e, from == key ? "no private key"
                                       : "no private key, and key=<file> is not given");
    }
    if (cert->path && key->path && !SSL_CTX_check_private_key(t->ctx))
        return tls_option_error(key->option, e);
    return 0;
}

/* The same with the pass phrase at hand. */
static int unlock_certificate(const struct addr *a, struct tls_context *t,
                              const struct tls_file *cert, const struct tls_file *key,
                              struct run *r, struct err *e)
{
    struct pass_phrase phrase = {.run = r};
    int rc = secret_value(a, &opt_tls_passphrase, r, -1, &phrase.value, e);
    phrase.given = rc > 0;
    if (rc >= 0) {
        SSL_CTX_set_default_passwd_cb(t->ctx, give_pass_phrase);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, &phrase);
        rc = load_certificate(a, t, cert, key, r, e);
        /* a key of another kind is taken, and then has no certificate: say whose it is not */
        if (rc < 0 && phrase.why.kind != ERR_NONE)
            *e = phrase.why;
        else if (rc < 0 && cert->path && SSL_CTX_get0_privatekey(t->ctx) &&
                 !SSL_CTX_get0_certificate(t->ctx))
            rc = err_wrap(e, "the key is not the one of the certificate in cert=%s",
                          cert->option->v.s);
        SSL_CTX_set_default_passwd_cb(t->ctx, NULL);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, NULL);
    }
    secret_value_wipe(&phrase.value);
    return rc;
}

static int set_certificate(const struct addr *a, struct tls_context *t,
                           const struct tls_file *cert, struct run *r, struct err *e)
{
    struct tls_file key;
    if (tls_file_open(&key, tls_text_option(a, &opt_tls_key), r, e) < 0)
        return -1;
    int rc = unlock_certificate(a, t, cert, &key, r, e);
    tls_file_close(&key);
    return rc;
}

/* Reads Diffie-Hellman parameters from a PEM file that may hold other things too; NULL if there are
 * none. */
static EVP_PKEY *read_dh(const char *path)
{
    BIO *b = BIO_new_file(path, "r");
    EVP_PKEY *p = NULL;
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long n = 0;
    while (b && !p && PEM_read_bio(b, &name, &header, &data, &n)) {
        if (strcmp(name, PEM_STRING_DHPARAMS) == 0 || strcmp(name, PEM_STRING_DHXPARAMS) == 0) {
            BIO *block = BIO_new(BIO_s_mem());
            if (block && PEM_write_bio(block, name, "", data, n) > 0)
                p = PEM_read_bio_Parameters(block, NULL);
            BIO_free(block);
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(b);
    return p;
}

/* dhparam=, or what the certificate file holds, or what suits the key. */
static int set_dh(const struct addr *a, struct tls_context *t, const struct tls_file *cert,
                  struct run *r, struct err *e)
{
    struct tls_file own;
    if (!t->server)
        return 0;
    if (tls_file_open(&own, tls_text_option(a, &opt_tls_dhparam), r, e) < 0)
        return -1;
    const struct tls_file *from = own.path ? &own : cert;
    EVP_PKEY *dh = from->path ? read_dh(from->path) : NULL;
    tls_file_close(&own);
    if (!dh && own.option)
        return tls_option_error(own.option, e);
    ERR_clear_error();
    if (!dh) {
        (void)SSL_CTX_set_dh_auto(t->ctx, 1);
        return 0;
    }
    if (SSL_CTX_set0_tmp_dh_pkey(t->ctx, dh) == 1)
        return 0;
    EVP_PKEY_free(dh);
    return tls_option_error(from->option, e);
}

/* The certificate's file may also hold its key and parameters. */
int tls_set_identity(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    struct tls_file cert;
    if (tls_file_open(&cert, tls_text_option(a, &opt_tls_cert), r, e) < 0)
        return -1;
    int rc = set_certificate(a, t, &cert, r, e) < 0 ? -1 : set_dh(a, t, &cert, r, e);
    tls_file_close(&cert);
    return rc;
}
