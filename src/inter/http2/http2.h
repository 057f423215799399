/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY over HTTP/2, where a connection to the proxy is for one tunnel: its ends are the ends of the flows, each for
 * itself; what the proxy sends is taken in no faster than somebody takes it from us. (Shared by many: shared.c.) */
#ifndef CATENA_INTER_HTTP2_H
#define CATENA_INTER_HTTP2_H

#include "catena/trunk.h"
#include "inter/http2/session.h"
#include "inter/proxy/http_auth.h"
#include "inter/proxy/target.h"

enum { HTTP2_WINDOW = 1 << 20, HTTP2_TURNS = 8 }; /* bytes that may be on their way to us; requests for one tunnel */

struct tunnel {
    struct h2 h2;
    struct h2_stream stream;
    const struct addr *addr;
    struct target target;
    struct auth auth;
    struct buf got;  /* from the tunnel, not taken yet */
    struct buf *give; /* of the data side, while the session asks for it */
    bool give_ends;
    bool heard;      /* its answer has been judged */
    unsigned turns;  /* how often it was asked anew */
};

/* Appends to a buffer what the window has let in. -1 without memory. */
int http2_keep(struct buf *b, const uint8_t *data, size_t n);
/* Why the proxy did not give a tunnel. */
int http2_refuse(const struct target *t, const struct auth *u, int status, const struct challenges *c, struct err *e);
int http2_check(const struct addr *a, struct err *e); /* form.check */
/* Where it is shared (shared.c): stream_state(), what a line asks, and hears. */
struct http2_asking {
    char target[HOST_MAX + 16];
    struct buf login;
    int status;
    struct challenges challenges;
};
extern const struct trunk_form http2_shared;

#endif
