/* SPDX-License-Identifier: GPL-2.0-or-later
 * An engine relays between a left and a right port: plainly, through a codec for each direction, or
 * through a session. One thread at a time drives it. See ARCHITECTURE.md, "The path of a byte". */
#ifndef CATENA_ENGINE_H
#define CATENA_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/port.h"
#include "catena/run.h"
#include "engine/relay/stack.h"

struct border;
struct express;

/* How far writing to a port has come. */
enum out_state {
    OUT_OPEN,
    OUT_FIN_DUE, /* no more is written, but its peer is told only when the other direction has ended, too */
    OUT_SHUT,    /* no more is written; or there is nothing to write to */
};

struct engine_side {
    struct port *port;
    struct link_traffic *beyond; /* of the program that it leads to, and which flows are that one's; or NULL */
    bool of_program[2];
    enum out_state out;
    bool has_room;        /* it has been seen that something can be written */
    bool gone;            /* the peer takes nothing any more (POLLERR, POLLHUP) */
    bool looked_last;     /* ignoreeof: there will be no other look, the run is about to end */
    bool told_dropped;    /* that packets are too large for it */
    int64_t look_again;   /* ... wait_now() of the next try, 0 none */
    int64_t probe_at;     /* it has said its end: when the system is to look whether it is still there, 0 never */
    int64_t write_again;  /* the next try of a write that found no room, where poll() cannot tell */
};

struct engine_lane { /* one direction: how it is read */
    size_t block;            /* bytes read at once; grows while reads fill it */
    unsigned full, small;    /* reads in a row that did, or took next to nothing of it */
    bool settled;            /* as fast as it gets */
    bool told_cut;           /* that -b cuts packets */
    struct express *express; /* the kernel moves the bytes; NULL: we copy */
};

struct engine {
    struct run *run;
    bool used[2];         /* by flow: the line uses it */
    size_t nlayers;
    struct layer *layer;  /* left to right; stack.h */
    struct seam *seam;    /* one more of them */
    struct engine_side side[2];   /* LEFT, RIGHT */
    struct engine_lane lane[2];   /* by source side: lane[LEFT] carries left to right */
    struct border *border; /* the engine at the border: taps, conversions, timers */
    int border_side;       /* which of its sides faces the border */
    size_t block;          /* bytes read at once */
    struct buf spare;      /* of an engine alone: what one flow has left is the next one's block */
    bool has_more;         /* it could go on, but it was time to look around */
    bool closing;          /* nothing is read any more, what is inside drains */
    int64_t closing_since;
    int64_t parting_since; /* all has been said but a peer's goodbye; 0: not so */
    int64_t patience, shake_until; /* its session's handshake: how long, and until when; -1 for ever */
    bool proving; /* so far its peer is only to shake hands; the rest of the line is opened when it has */
    bool told_broken; /* another engine of the run has failed, and this one knows */
    atomic_bool failed; /* this one has */
};

/* The seam at that side's port; what is in it on its way in, and out. */
static inline struct seam *stack_seam(const struct engine *e, int side)
{
    return &e->seam[side == LEFT ? 0 : e->nlayers];
}
static inline struct buf *stack_in(const struct engine *e, int side)
{
    return &stack_seam(e, side)->buf[side];
}
static inline struct buf *stack_out(const struct engine *e, int side)
{
    return &stack_seam(e, side)->buf[!side];
}

static inline bool engine_has_in(const struct engine *e, int side)
{
    return stack_seam(e, side)->has[side];
}
static inline bool engine_has_out(const struct engine *e, int side)
{
    return stack_seam(e, side)->has[!side];
}
/* Nothing is read there any more. */
static inline bool engine_in_ended(const struct engine *e, int side)
{
    return stack_seam(e, side)->end[side] != FLOW_OPEN;
}
/* Nothing follows what is to be written there. */
static inline bool engine_out_ended(const struct engine *e, int side)
{
    return stack_seam(e, side)->end[!side] != FLOW_OPEN;
}
static inline bool engine_out_shut(const struct engine *e, int side)
{
    return e->side[side].out != OUT_OPEN;
}

/* engine.c: making, working, the end */
/* e->border and e->border_side say before whether it is the one at the border. */
int engine_init(struct engine *e, struct run *r, const struct plan_item *item, struct err *err);
/* Lays what that item is on its inner side, the one away from `outer`. */
int engine_push(struct engine *e, int outer, const struct plan_item *item, bool at_border, struct err *err);
/* The right one's layers and port become the left one's: they have met. */
int engine_merge(struct engine *left, struct engine *right, struct err *err);
size_t engine_piece(const struct engine *e); /* bytes of a stream that make a packet */
/* The border's features have to look at its bytes. */
bool engine_is_seen(const struct engine *e);
void engine_fini(struct engine *e); /* closes ports that are still open, frees */
/* Moves what can be moved without waiting. True: both directions have ended. Errors go to
 * run_fail(); err is only room for them: a forked child pays for each page of stack. */
bool engine_work(struct engine *e, struct err *err);
bool engine_idle_due(const struct engine *e, int source, bool dry); /* stack_release() has something to do */
bool engine_awaits_goodbye(const struct engine *e);
/* Nothing more is read there, by order. */
void engine_end_input(struct engine *e, int side, const char *why);
void engine_start_closing(struct engine *e);
void engine_drop(struct engine *e); /* ends at once: what waits is counted as lost */
void engine_failed(struct engine *e, const struct err *err);
/* What is given to it is one way by nature: nothing comes from that side, as if with -u or -U. */
void engine_has_no_flow(struct engine *e, int source);
/* The line does not use what flows to that side (-u, -U): a dialog has its links both ways all the same. It is
 * dropped, and nobody misses it. */
void engine_drops(struct engine *e, int side);
/* Another engine has failed: nothing more comes in from outside, and what is inside drains. */
void engine_take_no_more(struct engine *e);
/* Nothing is to be done for a while: buffers that are empty are given back, but for one if it keeps that. */
void engine_rest(struct engine *e, bool keeps);
void engine_close(struct engine *e); /* its ports */

/* engine_clock.c: when it has to be looked at although nothing came, -1 never; and that look */
int64_t engine_deadline(struct engine *e);
void engine_act_on_time(struct engine *e);
/* The pauses of ignoreeof and the like that are over, however busy the other direction is. */
void engine_end_pauses(struct engine *e);

/* pump.c: one round without waiting: transform and write, until nothing moves any more. */
int engine_turn(struct engine *e, struct err *err);
/* The same, but no longer than until then, wait_now(), if a layer takes that long; e->has_more says so. */
int engine_turn_until(struct engine *e, int64_t until, struct err *err);
/* Reads once from a side. Gives 1 something (or end of file) came, ENGINE_AGAIN nothing, but there may
 * be more, 0 nothing, -1. */
enum { ENGINE_AGAIN = 2 };
int engine_read(struct engine *e, int side, struct err *err);
int engine_end_of_input(struct engine *e, int side); /* 1 it has ended, 0 it is to be ignored */
bool engine_wants_input(const struct engine *e, int side);
bool engine_wants_output(const struct engine *e, int side);
/* ... and has not to wait for a while first, as where poll() does not tell when there is room. */
bool engine_may_write(const struct engine *e, int side);
/* Nothing is read for that side before it was seen to have room: it waits for that. */
bool engine_wants_room(const struct engine *e, int side);
/* Bytes on their way out at that side. */
size_t engine_waiting(const struct engine *e, int side);
/* All of that flow that is still in the engine, and what a file that is being sent still has. */
size_t engine_owed(const struct engine *e, int side);
/* Nobody reads at that side any more, and no read there would tell: as the next write would. */
int engine_notice_gone(struct engine *e, int side, struct err *err);
/* What was taken and cannot be written to that side is lost, unless its end was ordered. */
void engine_count_lost(struct engine *e, int side);
/* Nothing more can be written to that side: drops what waits, tells the source. */
void engine_end_flow_to(struct engine *e, int side);

/* lane.c: how much is read at once, and the express way of a plain flow */
void lane_init(struct engine *e, int source);
/* A block as flows of that run begin with: to be had before there is an engine (engine.spare). */
int lane_first_block(const struct run *r, struct buf *b);
bool lane_is_plain(const struct engine *e, int source);
/* Messages are read as they are, whatever the size of blocks. */
bool lane_takes_whole(const struct engine *e, int source);
/* The room that the next read needs, unless it says that it needs more; and its making. */
size_t lane_room(const struct engine *e, int source);
int lane_make_room(struct engine *e, int source, struct buf *b, size_t n, struct err *err);
/* A packet was read into b: -b cuts it, as in v1. Gives what is left of it. */
size_t lane_cut(struct engine *e, int source, struct buf *b);
/* A read gave n of `room` bytes: is more at once, or another way, worth it? */
void lane_learn(struct engine *e, int source, size_t n, size_t room);
/* It has shown that it needs a large buffer again soon. */
bool lane_is_busy(const struct engine_lane *lane);
void lane_leave_express(struct engine_lane *lane);

/* engine_wire.c: using an engine that is not running yet */
int engine_handshake(struct engine *e, struct err *err); /* of the session that has not been opened yet */
/* The same while it relays: its session has yet to shake hands; from now on the peer's time runs; it
 * is over, and the engine has failed. */
bool engine_shakes_hands(const struct engine *e);
bool engine_has_proved(const struct engine *e);
void engine_await_peer(struct engine *e);
void engine_peer_is_late(struct engine *e);
struct engine_wire {
    struct engine *engine;
    int side; /* the side the dialog talks to */
};
extern const struct wire_ops wire_over_engine; /* carrier: struct engine_wire * */

#endif
