/* SPDX-License-Identifier: GPL-2.0-or-later
 * Proving to an HTTP proxy who we are: which scheme, and what is said. Basic is said unasked, as ever, unless
 * something else is wanted; whatever the proxy asks for then is answered with the strongest of what it offers. What
 * it has asked for once it is told at once on the next connection to it. */
#ifndef CATENA_INTER_HTTP_AUTH_H
#define CATENA_INTER_HTTP_AUTH_H

#include "catena/addr.h"
#include "catena/inter.h"
#include "catena/secret.h"
#include "inter/proxy/http_challenge.h"

enum { AUTH_PROXY_SIZE = 600 };

struct auth {
    const struct addr *addr;
    struct run *run;
    int64_t deadline;
    struct auth_memory *memory; /* what all connections of the address know; NULL: nothing, or nothing of this proxy */
    char proxy[AUTH_PROXY_SIZE]; /* what tells it from other proxies of the address */
    struct secret_value credentials;
    struct helper *helper;
    char *token; /* what is said next in NTLM or Negotiate */
    enum scheme scheme; /* what is said next */
    struct digest_challenge digest;
    unsigned count, refused; /* of the nonce; 1 << scheme */
    bool known, proven; /* credentials are there; what is said has been taken by the proxy before */
    bool bound; /* the dialog of NTLM or Negotiate is under way, and belongs to the connection */
};

bool auth_memory_shares(const struct addr *a);
int auth_memory_prepare(const struct addr *a, struct run *r, void **shared, struct err *e);
void auth_memory_release(void *shared);
#define AUTH_COMMON {.shares = auth_memory_shares, .prepare = auth_memory_prepare, .release = auth_memory_release}
int auth_check(const struct addr *a, struct err *e);
int auth_begin(struct auth *u, const struct addr *a, struct run *r, int64_t deadline, struct err *e);
/* Appends the field with its line end, if there is something to be said. */
int auth_write(struct auth *u, const char *uri, struct buf *out, struct err *e);
/* The proxy wants more or something else. Gives 1 when there is something to be said again, 0 when not: then it
 * refuses for good; -1. */
int auth_go_on(struct auth *u, const struct challenges *c, struct err *e);
/* It is content: the next connection begins so. */
void auth_granted(struct auth *u);
/* What would be said next is left to another connection; false: that cannot be. */
bool auth_leave(struct auth *u);
void auth_end(struct auth *u);
/* After a refusal: what is missing, or has been tried. */
void auth_hint(const struct auth *u, const struct challenges *c, char *to, size_t cap);
/* More than one request may be needed. */
bool auth_may_take_turns(const struct auth *u);

#endif
