/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY over HTTP/2 (RFC 9113, 8.5): one stream of a connection to the proxy is the tunnel. Its ends are the ends of the
 * flows, each for itself; what the proxy sends is taken in no faster than somebody takes it from us. */
#ifndef CATENA_INTER_HTTP2_H
#define CATENA_INTER_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "catena/inter.h"
#include "inter/proxy/http_auth.h"
#include "inter/proxy/target.h"

enum { HTTP2_WINDOW = 1 << 20 }; /* bytes that may be on their way to us */

struct tunnel {
    const struct addr *addr;
    struct target target;
    struct auth auth;
    nghttp2_session *session;
    int32_t stream;  /* the tunnel, or what has been asked for last; 0 nothing */
    int status;      /* of the answer to that, as it comes; 0 none */
    bool answered;   /* that was the last one, no announcement */
    bool refused;    /* with something else than 2xx */
    bool peer_ended, closed; /* it says no more; nobody does */
    bool ended;      /* our end has been said */
    bool parting;    /* the connection's goodbye has been said */
    bool cut;        /* our flow came without its end */
    uint32_t code;   /* why it was closed */
    struct challenges challenges;
    struct buf got;  /* from the tunnel, not taken yet */
    struct buf *give; /* of the data side, while nghttp2 asks for it */
    bool give_ends;
    const uint8_t *frames; /* made, and not put out yet */
    size_t nframes;
    bool greeted;    /* it speaks HTTP/2 */
    bool heard;      /* its answer has been judged */
    unsigned turns;  /* how often it was asked anew */
};

/* The callbacks, and settings that go out first. */
int tunnel_open(struct tunnel *t, struct err *e);
/* Asks for the tunnel, with what the proxy is to be told of us. */
int tunnel_ask(struct tunnel *t, struct err *e);

#endif
