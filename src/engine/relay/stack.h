/* SPDX-License-Identifier: GPL-2.0-or-later
 * The stack of an engine: the layers that its bytes go through, left to right, and the seams between
 * them. With n layers there are n + 1 seams; the outermost are those of the ports:
 *
 *     left port | seam 0 | layer 0 | seam 1 | ... | layer n-1 | seam n | right port
 *
 * A flow is named by the side it comes from: LEFT goes left to right. At each seam it has a buffer, and
 * an end when nothing follows what is in that. No layer knows what stands beside it. */
#ifndef CATENA_STACK_H
#define CATENA_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/buf.h"
#include "catena/err.h"
#include "catena/inter.h"
#include "catena/plan.h"

struct border;
struct engine;

enum flow_end {
    FLOW_OPEN,
    FLOW_ENDED, /* nothing follows */
    FLOW_CUT,   /* nor here, but that was not its end: nothing made of it may look whole */
};

struct seam {
    struct buf buf[2]; /* by flow; memory is there only while something is in it, or was lately */
    unsigned char end[2]; /* enum flow_end */
    bool has[2];     /* that flow exists here */
    bool refused[2]; /* nobody takes it any more: what still comes is dropped */
    bool wire;       /* a session's talk goes through: both flows exist whatever the line's use */
};

struct layer;

struct layer_kind {
    /* Moves what can be moved, both ways. *moved is set when a buffer or an end has changed. */
    int (*step)(struct engine *e, struct layer *l, bool *moved, struct err *err);
    /* It may hold something of that flow back, which is to be given out as nothing more comes for now. */
    bool (*holds)(const struct layer *l, int source);
    int (*release)(struct engine *e, struct layer *l, int source, struct err *err);
    void (*fini)(struct layer *l);
    int64_t (*due)(const struct engine *e, const struct layer *l); /* wait_now() when step is to be called again; -1 not */
    /* Bytes of that flow may go by the kernel's express way (NULL: never), and it is told of them. */
    bool (*may_pass)(const struct layer *l, int source);
    void (*passed)(struct layer *l, int source, size_t n);
    /* It keeps something of that flow by the clock; NULL: it never does. */
    bool (*delays)(const struct engine *e, const struct layer *l, int source);
};

struct layer_lane { /* a codec's flow */
    const struct codec_ops *ops; /* NULL: passes through */
    void *st;
    bool ended, holds;
    const char *label; /* of its address */
    struct err *why; /* it has failed, and says so when what it had made has been handed on; owned */
};

struct layer {
    const struct layer_kind *kind;
    const struct plan_link *link; /* NULL: the border's features */
    struct link_traffic *traffic; /* of that link; NULL: it is not counted */
    size_t at;                    /* its place in the stack */
    bool dead;                    /* it has failed */
    const char *label;            /* of what is at work, for messages: the half of a dual */
    struct layer_lane lane[2];    /* codec */
    void *pair[2];                /* ... what its lanes have in common; of a dual each its own */
    const struct session_ops *session;
    void *session_st;
    struct run *run; /* session: whose .shaking counts it until it has shaken hands */
    bool opened;     /* ... which it has */
    bool measured;
    size_t whole; /* ... of its wire: see struct session_side */
    struct border *border;
};

/* ---- places ---- */
/* The seams of a layer as that flow meets them. */
struct seam *layer_from(const struct engine *e, const struct layer *l, int source);
struct seam *layer_to(const struct engine *e, const struct layer *l, int source);
/* The first layer from that side that changes the flow from there, or from its other end to there; NULL
 * none does. */
const struct layer *stack_meets(const struct engine *e, int side, int source);
/* ... is a session, and that side is its wire. */
const struct layer *stack_wire(const struct engine *e, int side);
/* Nothing changes that flow on its way: it may be looked at. */
bool stack_is_plain(const struct engine *e, int source);
/* ... and nothing has to look: the kernel may move it, so many bytes of it. */
bool stack_is_bare(const struct engine *e, int source);
void stack_passed(struct engine *e, int source, size_t n);
bool layer_keeps(const struct layer *l, int source);
/* A session that has not shaken hands; whose peer owes a goodbye; NULL none. */
const struct layer *stack_unopened(const struct engine *e);
const struct layer *stack_awaits_goodbye(const struct engine *e);
/* The flow to that side has ended there, though its wire goes on. */
bool stack_has_said_all(const struct engine *e, int side);
/* What flows out of that seam is taken as messages. (What comes as one says so itself: buf.record.) */
bool stack_gives_records(const struct engine *e, const struct seam *at, int source);
/* ... which is a guess there: who takes it is not there yet. */
bool stack_is_open_ended(const struct engine *e, const struct seam *at, int source);
/* What flows out of there is a packet at that end, and the system need not cut it if it has no more bytes;
 * 0 not known. */
size_t stack_whole(const struct engine *e, const struct seam *at, int source);
/* How much of what is in such a buffer goes on as one message. One that came as such stays one; a stream
 * is cut into packets that every receiver has room for. */
size_t stack_portion(const struct engine *e, const struct buf *b);
/* Bytes of that flow in all its buffers, and that layers keep; there is nothing in the buffers, not even an
 * empty message. */
size_t stack_held(const struct engine *e, int source);
bool stack_is_empty(const struct engine *e, int source);

/* ---- making ---- */
int stack_init(struct engine *e, const struct plan_item *item, struct err *err);
/* Lays a layer on its inner side (the one away from `outer`): what link says, or, NULL, the features of
 * the border. */
int stack_push(struct engine *e, int outer, const struct plan_link *link, struct err *err);
/* Appends the right one's, whose left seam becomes one with the left one's right seam. */
int stack_merge(struct engine *left, struct engine *right, struct err *err);
void stack_fini(struct engine *e);

/* ---- working ---- */
int stack_step(struct engine *e, bool *moved, struct err *err);
/* A layer keeps something of that flow by the clock. */
bool stack_delays(const struct engine *e, int source);
int64_t stack_due(const struct engine *e); /* wait_now() when it has something to do without input; -1 not */
/* stack_release() has something to do: gives out what layers hold that nothing comes to for now. dry: nothing comes
 * into the engine; else those behind one that keeps the rest. */
bool stack_holds(const struct engine *e, int source, bool dry);
int stack_release(struct engine *e, int source, bool dry, struct err *err);
/* Nothing more of that flow is taken at that seam: what makes it learns, up to its source. */
void stack_refuse(struct engine *e, struct seam *at, int source);
/* Room in that seam for what becomes of what is in front of it. */
int stack_make_room(struct engine *e, struct seam *to, int source, struct err *err);
void stack_rest(struct engine *e, int source, bool keeps); /* gives back memory, but for a spare block */
/* How a flow comes to its end at a seam; the one place that sets it. */
void stack_end(const struct engine *e, struct seam *at, int source, enum flow_end how, const char *why);

/* ---- the kinds ---- */
extern const struct layer_kind codec_layer, session_layer, border_layer;
int codec_layer_init(struct engine *e, struct layer *l, struct err *err);
int session_layer_init(struct engine *e, struct layer *l, struct err *err);

#endif
