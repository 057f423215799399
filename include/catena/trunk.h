/* SPDX-License-Identifier: GPL-2.0-or-later
 * A trunk is what is right of an address that the lines of a listener share: opened by the first of them that needs it,
 * driven by a thread of its own, and used by all. Each line has a stream of it, and that is where its own right chain
 * ends; what streams are on the wire is for the session to say that the trunk begins with.
 *
 *     client ─ line ─ stream ╮
 *     client ─ line ─ stream ┼ session ─ TLS ─ port          (one engine, the trunk's)
 *     client ─ line ─ stream ╯
 *
 * An address that can be shared names what it is for either (form.shares): an endpoint for lines, whose open() asks
 * for a stream, and a session for the trunk, which has no data side but its streams. */
#ifndef CATENA_TRUNK_H
#define CATENA_TRUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/buf.h"
#include "catena/err.h"

struct form;
struct option_desc;
struct port;
struct run;
struct trunk;

struct trunk_form {
    const struct option_desc *option; /* asks for it */
    const struct form *end;     /* an endpoint, with the parameters and options of the address */
    const struct form *session; /* has none of its parameters, and its options but for those about trying again */
};

/* Half of it is the line's, half the trunk's; each leaves it when it has no more to do with it. Bytes wait in it, from
 * the line STREAM_AHEAD at most, to it as many as the session gives: its protocol bounds them. */
enum { STREAM_AHEAD = 65536 };
struct stream {
    /* For the trunk's thread, as of when trunk_next() gave it: */
    void *own;       /* the session's */
    struct buf said; /* by the line; the session consumes it, and gets more with stream_more() */
    bool ended;      /* by the line: nothing follows that, and what it has given in */
    bool left;       /* by the line ... */
    bool cut;        /* ... without having ended it: nothing made of it may look whole */
    size_t taken;    /* bytes that the line has taken of what it was given; the session sets it to 0 */
};

/* ---- for a line ---- */

/* A stream of a trunk that is open and has room, or of a new one, which is opened meanwhile. state_size bytes, zeroed,
 * are for what is asked with it and what comes of it (stream_state): whoever has the word may use them, the line until
 * it asks and when it has an answer. forget: what is in there goes; may be NULL. NULL: there is none. */
struct stream *trunk_stream(struct run *r, size_t state_size, void (*forget)(void *), struct err *e);
void *stream_state(struct stream *s);
/* Asks with it, and waits: without limit for the trunk to be opened, then so many milliseconds for an answer. Gives 0
 * when there is one; 1 if the other side has done nothing of it: another stream may be asked for; -1. */
int stream_ask(struct stream *s, struct run *r, int64_t patience, struct err *e);
/* The line goes on with it as a port, which leaves it when it is closed. Takes it, also on failure. */
int stream_port(struct stream *s, const char *label, struct port **out, struct err *e);
void stream_leave(struct stream *s); /* NULL is fine */

/* ---- for the session, in the trunk's thread; the trunk is its run's ---- */

/* A stream of which something is new: it is asked for (own is NULL then), has said something, or its end, has taken
 * something, or been left. NULL: none. */
struct stream *trunk_next(struct trunk *t);
/* So many streams at a time are possible. */
void trunk_has_room(struct trunk *t, size_t most);
/* The other side has been heard. */
void trunk_heard(struct trunk *t);
/* No more streams; those that are there go on. */
void trunk_leaves(struct trunk *t);
/* The same, if there is none and nobody is about to ask for one. */
bool trunk_may_close(struct trunk *t);

/* What the line has said since, or its end. False: nothing. said is empty by now. */
bool stream_more(struct stream *s);
/* For the line; -1 without memory. */
int stream_give(struct stream *s, const void *data, size_t n);
void stream_end(struct stream *s); /* nothing follows that */
void stream_answer(struct stream *s); /* what there is to say is in its state */
void stream_refuse(struct stream *s); /* the other side has done nothing of it */
/* The line can say no more, and gets nothing after what it has been given, without an end. */
void stream_fail(struct stream *s, const struct err *why);
/* The session has no more to do with it. */
void stream_part(struct stream *s);

#endif
