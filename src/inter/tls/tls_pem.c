/* SPDX-License-Identifier: GPL-2.0-or-later
 * What PEM files hold, and the pass phrase for it. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_certs.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

#include "catena/options.h"
#include "catena/secret.h"

/* ---- the pass phrase ---- */

struct tls_phrase {
    struct secret_value value;
    bool given;
    bool again; /* it will be needed once more, when there is nobody to ask */
    struct run *run;
    struct err why; /* kind != ERR_NONE: asking for it failed */
};

struct tls_phrase *tls_phrase_new(const struct addr *a, struct run *r, struct err *e)
{
    struct tls_phrase *p = calloc(1, sizeof *p);
    if (!p) {
        (void)err_nomem(e);
        return NULL;
    }
    p->run = r;
    p->again = opt_find(a, &opt_reload) != NULL;
    int rc = secret_value(a, &opt_tls_passphrase, r, -1, &p->value, e);
    p->given = rc > 0;
    if (rc >= 0)
        return p;
    tls_phrase_free(p);
    return NULL;
}

void tls_phrase_free(struct tls_phrase *p)
{
    if (p)
        secret_value_wipe(&p->value);
    free(p);
}

/* The library tries one format after the other, and asks each time. */
const char *tls_phrase_get(struct tls_phrase *p, const char *question, struct err *e)
{
    if (!p->given && p->again)
        (void)err_set(&p->why, ERR_TLS_FILE, "with reload nobody can be asked for the pass phrase: passphrase-file=<file> or "
                                          "passphrase-env=<variable> has it");
    if (p->why.kind == ERR_NONE && (p->given || secret_ask(p->run, question, &p->value, &p->why) > 0))
        return p->value.text;
    if (e && p->why.kind != ERR_NONE)
        *e = p->why;
    return NULL;
}

void tls_phrase_reason(const struct tls_phrase *p, struct err *e)
{
    if (p->why.kind != ERR_NONE)
        *e = p->why;
}

/* OpenSSL itself would ask on standard input, which is data here, and no signal would end its question. */
static int give_phrase(char *text, int size, int writing, void *phrase)
{
    const char *value = tls_phrase_get(phrase, "Enter PEM pass phrase:", NULL);
    size_t n = value ? strlen(value) : 0;
    (void)writing;
    if (!value || n > (size_t)size)
        return -1;
    memcpy(text, value, n);
    return (int)n;
}

/* ---- files ---- */

/* The authorities behind the certificate, up to the end of the file. */
static int read_others(BIO *b, struct tls_identity *id, struct tls_phrase *p)
{
    for (X509 *ca; (ca = PEM_read_bio_X509(b, NULL, give_phrase, p));) {
        if (!id->chain)
            id->chain = sk_X509_new_null();
        if (!id->chain || !sk_X509_push(id->chain, ca)) {
            X509_free(ca);
            return -1;
        }
    }
    unsigned long last = ERR_peek_last_error();
    if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return 0;
}

int tls_pem_chain(const char *path, struct tls_identity *id, struct tls_phrase *p)
{
    BIO *b = BIO_new_file(path, "r");
    id->cert = b ? PEM_read_bio_X509_AUX(b, NULL, give_phrase, p) : NULL;
    int rc = id->cert ? read_others(b, id, p) : -1;
    BIO_free(b);
    return rc;
}

EVP_PKEY *tls_pem_key(const char *path, struct tls_phrase *p)
{
    BIO *b = BIO_new_file(path, "r");
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, give_phrase, p) : NULL;
    BIO_free(b);
    return key;
}
