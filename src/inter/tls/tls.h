/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS, private to tls*.c: what all connections of an address share, and one connection. */
#ifndef CATENA_INTER_TLS_H
#define CATENA_INTER_TLS_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>

#include "catena/addr.h"
#include "catena/err.h"
#include "catena/inter.h"
#include "catena/run.h"
#include "catena/sink.h"

struct tls_role { /* addr.form->arg */
    bool server;
    bool datagram; /* DTLS */
};

struct tls_certs;

enum tls_ocsp { TLS_OCSP_NONE, TLS_OCSP_STAPLE, TLS_OCSP_REQUIRE };

/* Made by prepare(), read-only afterwards, so that threads and forked children may share it. */
struct tls_context {
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    bool server, datagram, verify;
    bool common_name; /* counts even beside alternative names */
    struct sink key_log;
    long resume_life;        /* seconds for which a session may be resumed; 0 none may */
    struct tickets *tickets; /* a server's: tls_tickets.h; NULL there are none */
    struct sessions *sessions; /* a client's: tls_sessions.h */
    struct psks *psks;         /* psk.h; of a client it is one; NULL there is none */
    struct tls_certs *certs;
    unsigned char *alpn; /* protocols, each behind its length; NULL: none */
    size_t nalpn;        /* bytes */
    unsigned char *pins; /* digests, one behind the other */
    size_t npins;
    const char *revoked; /* crlpath=, or NULL */
    enum tls_ocsp ocsp;
    bool in_kernel; /* what is sent is to be sealed there: tls_kernel.h */
};

/* What the BIO moves bytes in and out of; in and out are there during a step only. */
struct tls_wire {
    struct buf *in, *out;
    bool closed;  /* our goodbye is out: nothing may follow it */
    bool packets; /* one read is one, and one write another */
    struct buf waiting; /* packets that out has no room for, each behind its length (a size_t) */
};

struct tls_session {
    struct renewed *renewed; /* whose */
    const struct tls_context *shared;
    struct run *run;
    struct sink key_log;
    SSL *ssl;
    char *expect; /* the name the peer's certificate has to hold; NULL any */
    struct tls_wire wire;
    bool ready;     /* handshake done, peer accepted */
    bool said_bye;  /* our close_notify is in wire->out */
    bool got_bye;   /* the peer's close_notify was read */
    bool told_split; /* that a packet does not fit a record */
    size_t fragment; /* the most bytes in a record that we send, once it is known */
    struct err *e;   /* what the step, or the handshake, that is under way has to say; ERR_NONE so far */
    struct err *why; /* this connection is broken, and that is still to be told; NULL */
    bool has_cookie, proved;  /* DTLS server: the client is where its packets say */
    bool measured;            /* DTLS: the size of packets is settled */
    unsigned char cookie[16];
    char *resume_key;  /* under which a client keeps the session */
    bool gave_ticket;
    struct tls_kernel *kernel; /* tls_kernel.h; NULL: it has nothing to do with it */
    char *psk_name; /* the key that a client has named, */
    bool psk_known; /* and that is here */
};

/* tls.c */
extern const struct session_ops dtls_ops;
static inline const char *tls_word(const struct tls_session *s)
{
    return s->shared->datagram ? "DTLS" : "TLS";
}

/* tls_context.c */
int tls_prepare(const struct addr *a, struct run *r, void **shared, struct err *e); /* a struct renewed */
/* An option of which only the text counts, NULL when it is not given or empty. */
const struct opt *tls_text_option(const struct addr *a, const struct option_desc *row);
/* The OpenSSL error queue as an error about an option. */
int tls_option_error(const struct opt *o, struct err *e);

/* tls_certs.c: who we are. */
int tls_set_identity(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);

/* tls_options.c: form.check of both: what can be said of the options before anything is opened. */
int tls_check_client(const struct addr *a, struct err *e);
int tls_check_server(const struct addr *a, struct err *e);
/* What version 1 passes over in silence: empty values that nothing asks for, names that nobody is asked for. */
int tls_check_silent(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);

/* tls_alpn.c */
int tls_set_alpn(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_check_alpn(const struct addr *a, struct err *e); /* the option */
size_t tls_agreed(const struct tls_session *s, const char **name); /* length; 0: upon nothing */
int tls_check_agreed(const struct tls_session *s, struct err *e);
int tls_check_spoken(const struct tls_session *s, const struct addr *a, struct err *e); /* what goes through it */

/* tls_pin.c */
int tls_set_pins(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_check_pins(const struct addr *a, struct err *e); /* the option */
int tls_check_pin(const struct tls_session *s, X509 *cert, struct err *e);

/* tls_ocsp.c for clients, tls_staple.c for servers */
int tls_set_ocsp(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_check_ocsp(const struct addr *a, struct err *e); /* the option */
int tls_check_staple(const struct tls_session *s, struct err *e);
/* What is wrong with that response about the first of a chain that was verified; NULL: nothing. */
const char *tls_judge_staple(const unsigned char *der, long n, STACK_OF(X509) *chain, X509_STORE *trusted);
int tls_set_staples(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);

/* tls_trust.c: whom we trust, and what of that is revoked. */
int tls_set_trust(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_set_revoked(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);

/* tls_key_log.c: the secrets of connections, for the file that keylog= names and for the run. */
int tls_key_log_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e);
int tls_key_log_open(struct tls_session *s, struct err *e);

/* tls_bio.c: a BIO between an SSL and the bufs of a struct tls_wire. */
BIO_METHOD *tls_bio_method(void);                            /* NULL without memory */
BIO *tls_bio_new(BIO_METHOD *method, struct tls_wire *wire); /* borrows wire; NULL without memory */
/* The next packet that waits, if there is room for it now. True: none waits any more. */
bool tls_bio_flush(struct tls_wire *wire);

/* dtls.c: what differs where the wire is of packets */
void dtls_prepare(const struct tls_context *t);
/* Before each step of a handshake: what time and the size of packets have to do with it. 1 it may go on, 0 the
 * client has to prove first that it is where its packets say, -1 and s->e. */
int dtls_begin(struct tls_session *s, const struct session_side *wire);
int64_t dtls_due(const void *st); /* session_ops.due */

/* tls_names.c */
int tls_check_host(const struct addr *a, struct err *e); /* of a client: is the name to expect known? */
/* Calls f for each host name and address in the certificate, until it says true. */
bool tls_each_name(X509 *cert, bool (*f)(const char *name, void *arg), void *arg);
/* Do names alone differ from connection to connection? */
bool tls_shares(const struct addr *a);
enum admits tls_admits(const struct addr *a); /* form.admits of servers */
/* Settles which name to verify and which to send from the options and a->host, for a new connection. */
int tls_names(const struct addr *a, struct tls_session *s, struct err *e);
/* Is the certificate, which that chain vouches for, one for the name to expect, if there is one? */
int tls_check_name(const struct tls_session *s, X509 *cert, const STACK_OF(X509) *chain,
                   struct err *e);

/* tls_constraints.c: may the authorities of that chain certify this host, or address if ip->n > 0? */
struct tls_ip {
    unsigned char bytes[16];
    size_t n; /* 4 or 16, 0: none */
};
bool tls_may_certify(const STACK_OF(X509) *chain, const char *host, const struct tls_ip *ip);

/* tls_verify.c */
const char *tls_peer_word(const struct tls_context *t); /* "client" or "server" */
/* For SSL_CTX_set_verify(): writes what it objects to into the session's e. */
int tls_verify_callback(int ok, X509_STORE_CTX *store);
/* After the handshake: is the peer who it has to be? */
int tls_verify_peer(const struct tls_session *s, struct err *e);
/* What of a peer's bytes can be shown: printable ASCII, NUL-terminated. Gives its length. */
size_t tls_shown(char *to, size_t size, const char *from, size_t n);
/* "C = XY, CN = localhost, issued by CN = some CA, valid from 2026-11-30 18:00:00 UTC to ..." */
void tls_describe(const X509 *cert, char *text, size_t size);
enum { TLS_DESCRIPTION = 600 };
/* "C = XY, CN = localhost" in the certificate's order, cut off if it is longer. */
void tls_subject(const X509_NAME *name, char *text, size_t size);

/* tls_tell.c: "2026-11-30 18:00:00 UTC"; and what came of a handshake, for the log */
enum { TLS_TIME = 32 };
void tls_time(const ASN1_TIME *when, char text[TLS_TIME]);
void tls_tell_agreed(const struct tls_session *s);
void tls_tell_trust(const struct tls_session *s);

/* tls_facts.c: OPENSSL_* facts of the connection and of the peer's certificate. */
int tls_tell_facts(const struct tls_session *s, const struct addr *a, struct run *r,
                   struct err *e);
/* form.untold */
const char *tls_untold(const struct addr *a, const struct fact_desc *f);

/* tls_error.c: takes the OpenSSL error queue and makes one sentence of it, "what: reason (way
 * out)". fallback: the kind unless the reason says better. Returns -1. */
int tls_error(struct err *e, enum err_kind fallback, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
