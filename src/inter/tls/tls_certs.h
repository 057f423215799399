/* SPDX-License-Identifier: GPL-2.0-or-later
 * Certificates that are ours, each with its key and the authorities between; of several a server takes those of
 * the name that its client asks for. Made by tls_set_identity(), const afterwards. */
#ifndef CATENA_INTER_TLS_CERTS_H
#define CATENA_INTER_TLS_CERTS_H

#include "inter/tls/tls.h"

struct tls_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) *chain; /* NULL: none between */
    struct {
        unsigned char *der; /* an OCSP response about it, or NULL */
        size_t len;
        ASN1_TIME *until; /* NULL: for ever */
    } staple;
};

struct tls_name {
    char *text;
    size_t of; /* which identity */
};

struct tls_certs {
    struct tls_identity *v; /* the first is the default */
    size_t n, nnames;
    struct tls_name *names;
    bool strict; /* who asks for another name is refused */
    struct tls_memory *said; /* tls_staple.c: what has been said of each; NULL */
};

/* What one connection may use: one of a kind of key. */
struct tls_picks {
    const struct tls_identity *v[8];
    size_t n;
};

void tls_certs_free(struct tls_certs *c);
void tls_identity_free(struct tls_identity *id);

/* ---- tls_pem.c, tls_p12.c: files ---- */

/* The pass phrase of keys: what the options say, or who sits at the terminal. */
struct tls_phrase;
struct tls_phrase *tls_phrase_new(const struct addr *a, struct run *r, struct err *e);
void tls_phrase_free(struct tls_phrase *p);
/* NULL: there is none, and e says why, if that is not for somebody else to say. */
const char *tls_phrase_get(struct tls_phrase *p, const char *question, struct err *e);
/* If asking has failed, that is the reason: it becomes *e. */
void tls_phrase_reason(const struct tls_phrase *p, struct err *e);

/* -1: the library's error queue says why. */
int tls_pem_chain(const char *path, struct tls_identity *id, struct tls_phrase *p);
EVP_PKEY *tls_pem_key(const char *path, struct tls_phrase *p);
int tls_p12_read(const struct opt *o, struct tls_identity *id, struct tls_phrase *p, struct run *r, struct err *e);

/* ---- tls_dh.c ---- */

/* Diffie-Hellman parameters, beside whatever else is there; NULL: none. */
EVP_PKEY *tls_dh_read(const char *path);
/* dhparam=, or what a certificate's file holds, which is then taken, or what suits the key. */
int tls_dh_set(const struct addr *a, struct tls_context *t, EVP_PKEY **found, struct run *r, struct err *e);

/* ---- tls_sni.c: by name ---- */

int tls_certs_index(struct tls_certs *c, struct err *e);
/* Those of that name, or else those whose wildcard has it; none: n is 0. */
void tls_certs_find(const struct tls_certs *c, const char *name, struct tls_picks *out);
/* The first, and what there is of other kinds under its name. */
void tls_certs_default(const struct tls_certs *c, struct tls_picks *out);
/* The name in the extension of a client's hello, as the client wrote it; false: none, or none that makes sense. */
bool tls_sni_parse(const unsigned char *ext, size_t n, char *name, size_t size);
/* For SSL_CTX_set_client_hello_cb(). */
int tls_sni_choose(SSL *ssl, int *alert, void *arg);

#endif
