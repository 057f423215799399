/* SPDX-License-Identifier: GPL-2.0-or-later
 * A connection of HTTP/2 with a proxy (RFC 9113), from the client's side, as libnghttp2 has it: streams that are asked
 * for, each with a tunnel behind it (8.5). What becomes of their bytes is for whoever uses it to say. */
#ifndef CATENA_INTER_HTTP2_SESSION_H
#define CATENA_INTER_HTTP2_SESSION_H

#include <nghttp2/nghttp2.h>

#include "catena/inter.h"
#include "inter/proxy/http_challenge.h"

struct h2_stream {
    int32_t id;    /* what has been asked for last; 0 nothing */
    int status;    /* of the answer to that, as it comes; 0 none */
    bool answered; /* that was the last one, no announcement */
    bool peer_ended, closed; /* it says no more; nobody does */
    bool ended, cut;         /* our end has been said; that there is none */
    uint32_t code;           /* why it was closed */
    struct challenges challenges;
};

struct h2;
struct h2_use {
    /* Something has come for that stream, or it has been closed. May be NULL. */
    void (*touched)(struct h2 *h, struct h2_stream *s);
    /* Bytes of a tunnel: kept until they are taken, no more than the window. -1 without memory. */
    int (*take)(struct h2 *h, struct h2_stream *s, const uint8_t *data, size_t n);
    /* As many for it as there are, and fit; *ends: none follow. */
    size_t (*give)(struct h2 *h, struct h2_stream *s, uint8_t *to, size_t n, bool *ends);
    uint32_t window; /* bytes of a stream that may be on their way to us ... */
    uint32_t whole;  /* ... and of all together */
    bool many;       /* streams do not wait for each other: what comes makes room for all, what is taken for its own */
};

struct h2 {
    const struct h2_use *use;
    nghttp2_session *session;
    const uint8_t *frames; /* made, and not put out yet */
    size_t nframes;
    bool greeted;  /* the proxy speaks HTTP/2 */
    bool settled;  /* ... and has said how */
    bool leaves;   /* it takes no more streams */
    bool parting;  /* our goodbye has been said */
    size_t most;   /* streams at a time that it takes */
};

/* The callbacks, and settings that go out first. */
int h2_open(struct h2 *h, const struct h2_use *use, struct err *e);
void h2_close(struct h2 *h);
/* A tunnel to there. login: with a name and a colon in front, as in HTTP/1; or empty. It is wiped. Gives 0, 1 where the
 * connection takes no more, -1. */
int h2_ask(struct h2 *h, struct h2_stream *s, const char *authority, struct buf *login, struct err *e);
/* It has to give, or its end. */
void h2_resume(struct h2 *h, const struct h2_stream *s);
/* So many bytes of it have been taken. */
int h2_taken(struct h2 *h, const struct h2_stream *s, size_t n, struct err *e);
void h2_reset(struct h2 *h, struct h2_stream *s, uint32_t code);
/* Nobody wants to hear of it any more. */
void h2_forget(struct h2 *h, struct h2_stream *s);
int h2_receive(struct h2 *h, struct session_side *wire, struct err *e);
int h2_put_out(struct h2 *h, struct session_side *wire, struct err *e);
/* Says goodbye; true: it is out. */
int h2_part(struct h2 *h, struct session_side *wire, bool *out, struct err *e);

static inline bool h2_stands(const struct h2_stream *s) { return s->answered && s->status / 100 == 2; }
/* Why a stream that was closed is an error. where: what was asked for, or NULL where it stood. */
int h2_why_closed(const struct h2_stream *s, const char *where, struct err *e);

#endif
