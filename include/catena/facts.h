/* SPDX-License-Identifier: GPL-2.0-or-later
 * Facts: what an opened side has learnt, who connected there, what he asked for. Their names are a table
 * (fact.c); `{name}` in a parameter or a value is a hole that one of them fills when the address is
 * opened. What a peer said fills nothing but its hole: it is never read again as text of a chain. */
#ifndef CATENA_FACTS_H
#define CATENA_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/arena.h"
#include "catena/err.h"

enum fact_type {
    FACT_TEXT,    /* anything that can be printed */
    FACT_ADDRESS, /* of a socket: IPv6 in brackets, a UNIX socket's path */
    FACT_PORT,
    FACT_HOST,    /* a name, or a number in its place */
    FACT_NUMBER,
};

struct fact_desc {
    const char *name; /* small letters; as a variable: in capitals, behind the program's prefix */
    enum fact_type type;
    const char *help;
};

/* The table, ended by a row without name. Const: thread-safe. */
extern const struct fact_desc fact_table[];
const struct fact_desc *fact_lookup(const char *name, size_t n);

/* Lists of facts that a form gives (struct form.gives). */
#define GIVES_NAMES "peeraddr sockaddr"
#define GIVES_PROCESS GIVES_NAMES " peerpid peeruid"
#define GIVES_PEER  "peeraddr peerport sockaddr sockport"
#define GIVES_PACKET                                                                               \
    " timestamp ip_ttl ip_tos ip_options ip_if ip_locaddr ip_dstaddr ipv6_if ipv6_dstaddr "         \
    "ipv6_hoplimit ipv6_tclass"
#define GIVES_TLS                                                                                  \
    "alpn openssl_cipher openssl_proto_version openssl_x509_subject openssl_x509_issuer "          \
    "openssl_x509_commonname openssl_x509_countryname openssl_x509_localityname "                  \
    "openssl_x509_organizationalunitname openssl_x509_organizationname "                           \
    "openssl_x509_stateorprovincename openssl_x509_emailaddress openssl_x509v3_dns"
bool fact_in(const char *list, const struct fact_desc *f);

/* What a hole is part of, which says what may fill it. */
enum hole_in {
    IN_NAME,   /* of a file, of anything: gives one component of a path, never more */
    IN_WORD,   /* a value: neither does it give more of what colons separate there */
    IN_HOST,
    IN_PORT,
    IN_NUMBER,
    IN_URI,    /* goes to a peer, and is the name of nothing here */
};

struct hole {
    const struct fact_desc *fact;
    size_t off, len; /* of "{name}" in the text */
};

/* A parameter or value with holes. */
struct template {
    const char *text;
    const char *what; /* for messages: parameter "host", option "bind" */
    struct span at;   /* where it stood */
    enum hole_in in;
    size_t nholes;
    struct hole *holes;
};

/* The holes of a text; NULL: there are none, or no memory (then *e is filled). braces: offsets of the
 * opening braces that count. */
struct template *template_parse(struct arena *a, const char *text, const size_t *braces,
                                size_t nbraces, struct err *e);
/* Is there one in text, for those that know nothing of a parser: "{name}" at s? Gives its length, 0 no. */
size_t hole_at(const char *s, const struct fact_desc **fact);

/* Somebody's word for a fact. */
struct saying {
    const char *value;
    size_t len;
    const char *who; /* a label; NULL: nobody, it is a sample */
};
/* Who knows? Gives false when nobody has said it. */
typedef bool fact_source(void *arg, unsigned place, const struct fact_desc *f, struct saying *out);
/* A source that answers with a typical value; arg: unsigned *, which of several. */
fact_source fact_sample;
enum { FACT_SAMPLES = 2 };

/* May that value stand in such a place? Errors say what it is and why not. Pure. */
int fact_check(const struct fact_desc *f, const struct saying *s, enum hole_in in, struct err *e);
/* The text with its holes filled for an address of that place on the line; memory from a. */
int template_fill(struct arena *a, const struct template *t, unsigned place, fact_source *ask,
                  void *arg, const char **out, struct err *e);

struct addr;
/* The instance of an address with holes: parameters and values filled, converted, and checked as what
 * they are. host: what t->host_place has become, or NULL. Memory from a; what has no hole is shared
 * with t. */
int addr_fill(struct arena *a, const struct addr *t, const char *host, fact_source *ask, void *arg,
              struct addr *out, struct err *e);

#endif
