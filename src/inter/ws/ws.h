/* SPDX-License-Identifier: GPL-2.0-or-later
 * WebSocket, private to src/inter/ws: what all connections of an address share, and one connection. Each
 * direction has a struct of its own; what one wants of the other (a pong, a Close) stands in the other's. */
#ifndef CATENA_INTER_WS_H
#define CATENA_INTER_WS_H

#include <stdint.h>

#include "catena/inter.h"
#include "catena/run.h"
#include "inter/proxy/logins.h"
#include "inter/ws/frame.h"
#include "inter/ws/head.h"

struct z_stream_s;

struct ws_role { /* addr.form->arg */
    bool server;
};

/* Made by prepare(), read-only afterwards. */
struct ws_config {
    const struct addr *addr;
    bool server, text, half_close;
    char *request;   /* client: all of it but the key */
    char *fields;    /* server: more fields for the answer */
    char *authority; /* client: base64 of <user>:<password>, or NULL */
    struct logins logins; /* server: none: anybody may come */
    size_t max_size; /* bytes of a message; SIZE_MAX no limit */
    size_t max_record; /* ... that becomes a record */
    int64_t ping_ms, pong_ms; /* -1: never, for ever */
    int level;        /* of deflate; 0: not used */
    unsigned char *page; /* what other requests get */
    size_t page_size;
    bool page_absent; /* they get 404 */
};

/* permessage-deflate, as it was agreed upon */
struct ws_packing {
    bool agreed, resets_out, resets_in; /* each message is compressed for itself */
    int bits; /* of the window that may be used to compress; less than 9: nothing is compressed */
};

enum { KEY_LENGTH = 24, MASKS = 64, PIECE = 16384 };

struct ws_in { /* from the wire */
    unsigned char head[FRAME_HEAD];
    size_t nhead;
    bool inside; /* of a frame, of which so many bytes are to come */
    struct frame frame;
    uint64_t left;
    unsigned char control[CONTROL_MOST];
    size_t ncontrol;
    unsigned message; /* the kind of the one under way; 0: there is none */
    bool packed, tail_given;
    struct utf8 utf8;
    uint64_t size;  /* bytes of it so far */
    struct buf record; /* what of it has come, where messages become records */
    bool whole;        /* ... which is all */
    struct buf piece;  /* compressed bytes, unmasked */
    struct z_stream_s *z;
};

struct ws_out { /* to the wire */
    struct frame frame;
    uint64_t left; /* bytes of it that are to be written, and from where */
    struct buf *from;
    struct buf text; /* what is to be sent as such, up to the end of a character */
    struct utf8 utf8;
    struct ws_message {
        struct buf *from;
        size_t left; /* bytes that are to be compressed */
        bool begun;  /* a frame of it is out */
    } packing; /* from NULL: none is under way */
    struct buf packed;
    struct z_stream_s *z;
    unsigned char masks[MASKS][4];
    size_t nmasks; /* that are left */
    unsigned char pong[CONTROL_MOST];
    size_t npong;
    bool wants_pong, wants_ping;
    bool said_close;
};

struct ws_session {
    struct renewed *renewed; /* whose */
    const struct ws_config *config;
    char key[KEY_LENGTH + 1];
    struct head head;
    bool asked;       /* client: the request is out; server: it has been judged */
    struct buf reply; /* server: what is still to be said to it */
    bool refuses;     /* ... and then it is over */
    bool ready;
    bool peer_waits; /* it keeps its Close back until all it has to say is said, as we do */
    struct ws_packing packing;
    char *uri, *origin, *subprotocol; /* facts; of a client: what was agreed upon */
    struct ws_in in;
    struct ws_out out;
    bool got_close;
    unsigned got_code;
    bool sent, sent_since; /* data: ever, since the peer said Close */
    bool heard;            /* ... from the peer, since we last sent any */
    int64_t heard_at;      /* wait_now(); of peers that do not wait */
    bool spoke_last;       /* as we said Close, there may well have been an answer on its way */
    bool awaits_pong, ping_leaves;
    int64_t last_heard, pinged, due; /* wait_now() */
    int64_t patience_ends;           /* for a peer that is to take our last word */
    struct err *why; /* it is broken, and that is still to be told */
};

/* config.c */
int ws_check(const struct addr *a, struct err *e);
int ws_foresee(const struct addr *a, struct err *e);
enum admits ws_admits(const struct addr *a);
int ws_prepare(const struct addr *a, struct run *r, void **shared, struct err *e); /* a struct renewed */
const char *ws_uri(const struct addr *a); /* as it was given; NULL: it was not */
/* Calls f with each value of that option, or each word of it, until it gives true. */
typedef bool ws_visit(const char *word, size_t n, void *arg);
bool ws_each_value(const struct addr *a, const struct option_desc *row, ws_visit *f, void *arg);
bool ws_each_word(const struct addr *a, const struct option_desc *row, ws_visit *f, void *arg);

/* client.c, server.c: 1 it is done, 0 to be called again, -1. */
int ws_ask(struct ws_session *s, struct session_side *wire, struct err *e);
int ws_answer(struct ws_session *s, struct session_side *wire, struct err *e);
/* The answer to a key, which proves that it has been understood. */
enum { ACCEPT_ROOM = 32 };
int ws_accept_of(const char *key, char accept[ACCEPT_ROOM], struct err *e);
#define WS_WAITS "X-WebSocket-Half-Close" /* a field that both say, who keep their Close back for their data */

/* receive.c, send.c */
int ws_receive(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e);
int ws_send(struct ws_session *s, struct session_side *data, struct session_side *wire, struct err *e);
/* Says Close, if no frame is under way and there is room. */
bool ws_say_close(struct ws_session *s, struct session_side *wire, unsigned code);
/* The connection is broken: says so to the peer, and later (ws.c) to the engine. Gives -1. */
int ws_fail(struct ws_session *s, struct session_side *wire, unsigned code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* pack.c: RFC 7692 */
void ws_offer(char *to, size_t cap); /* what a client asks for */
/* Server: takes the first offer that it can serve; to: what is answered, if anything. */
void ws_take_offer(struct ws_session *s, char *to, size_t cap);
/* Client: is it what was offered? */
int ws_take_answer(struct ws_session *s, struct err *e);
bool ws_packs(const struct ws_session *s); /* what it sends */
/* Compresses of the message that is under way, into s->out.packed: 1 that is all, 0 it is full; -1. */
int ws_pack(struct ws_session *s, struct err *e);
enum { TAIL = 4 }; /* bytes of it that stay there until more has come */
/* Expands s->in.piece into room bytes at to. Gives how many, -1 when it cannot be; all it had is used up: *dry. */
int ws_unpack_begin(struct ws_session *s, struct err *e); /* a message */
ptrdiff_t ws_unpack(struct ws_session *s, unsigned char *to, size_t room, bool *dry);
void ws_pack_fini(struct ws_session *s);

#endif
