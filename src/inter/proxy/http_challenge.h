/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a proxy asks for that wants to know its clients: the fields Proxy-Authenticate of an answer. */
#ifndef CATENA_INTER_HTTP_CHALLENGE_H
#define CATENA_INTER_HTTP_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

/* Schemes, weaker ones first. */
enum scheme { SCHEME_NONE, SCHEME_BASIC, SCHEME_DIGEST, SCHEME_NTLM, SCHEME_NEGOTIATE, SCHEMES };
const char *scheme_name(enum scheme s);

/* In the order of their strength. */
enum digest_algorithm { DIGEST_MD5, DIGEST_MD5_SESS, DIGEST_SHA256, DIGEST_SHA256_SESS, DIGEST_SHA512_256,
                        DIGEST_SHA512_256_SESS, DIGEST_UNKNOWN };

struct digest_challenge {
    enum digest_algorithm algorithm;
    const char *word; /* the algorithm as it is called; NULL: it was not named */
    char realm[256], nonce[512], opaque[512];
    bool auth;     /* qop has "auth" ... */
    bool qop;      /* ... or there is one at all */
    bool stale;    /* the password was right, the nonce too old */
    bool userhash, utf8;
};

struct challenges {
    unsigned offered; /* 1 << scheme */
    struct digest_challenge digest; /* the strongest that can be answered */
    char *token[SCHEMES]; /* of NTLM and Negotiate: what their dialog goes on with; or NULL */
    char names[100];      /* of all that is offered, for messages */
};

/* The value of one field: a list, which may have several challenges. 0, or -1 without memory. What is no challenge
 * ends the list. */
int challenges_add(struct challenges *c, const char *value);
void challenges_fini(struct challenges *c);

#endif
