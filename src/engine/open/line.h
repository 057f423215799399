/* SPDX-License-Identifier: GPL-2.0-or-later
 * The line of one run: its stations (engines and programs), the joints between them, the dialogs
 * held at open time. Built from both ends towards the middle; see ARCHITECTURE.md, "Opening". */
#ifndef CATENA_LINE_H
#define CATENA_LINE_H

#include <pthread.h>

#include "engine/relay/border.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/comm.h"
#include "engine/relay/driver.h"

struct station {
    const struct plan_item *item;
    bool made;    /* engine initialised */
    bool program; /* all or one flow of it is a child process */
    struct engine engine;
    struct comm_ends ends[2]; /* program: its descriptors on either side */
    bool attached[2];
    bool due; /* a thread for it may start */
    bool started, joined;
    atomic_bool ended; /* its thread has nothing more to do */
    pthread_t thread;
    int stop_fd, done_fd; /* done_fd is the line's */
};
void station_stop(struct station *s); /* its thread, if there is one, ends at once */
void station_join(struct station *s); /* waits for that */

struct dialog { /* which has learnt what its peer wants */
    const struct plan_link *link; /* NULL: there is none */
    const struct addr *addr;
    int side;
    void *state;
    int64_t since, deadline; /* wait_now(), of learn(), which rests; since 0 it has not begun */
};

struct line {
    struct run *run;
    const struct plan *plan;
    struct border border;
    struct station *stations;  /* one each item; dialogs leave theirs unused */
    size_t next[2];            /* first item not yet handled by the left / right cursor (exclusive) */
    struct port *port[2];      /* what the cursor has reached: a port ... */
    struct station *pending[2]; /* ... or a station whose inner side is open */
    struct dialog waiting;     /* on the left, for the right chain; the cursor waits behind it */
    struct dialog resting;     /* its peer is to say something, and the cursor waits in front of it */
    struct buf on[2];          /* what a dialog has handed on, for the next session of that cursor */
    int fds[2][2];             /* of the end ports, for messages */
    struct buf spare;       /* of the border's engine, where it was made ahead */
    bool defers;            /* somebody else may see to the handshake of who connected, or wait for what he says ... */
    struct engine *proving; /* ... namely of this engine, or to that dialog, and then the opening goes on */
    bool bare;              /* what the right chain ends with is wanted as a port: no engine has it yet */
    bool shakes_later;      /* what the right chain ends with may shake hands while it relays */
    const struct plan_link *failed; /* the link that could not be opened; NULL: the endpoint */
    int done_fd;
};

int line_init(struct line *l, struct run *r, struct err *e);
/* Of another plan with the same left chain, of which nothing but dialogs has been opened, and nothing of the right
 * one. */
int line_become(struct line *l, const struct plan *p, struct err *e);
/* The port of that end; the line takes it. */
void line_put_end(struct line *l, int side, struct port *p);
/* Handles the items of that end's own chain: dialogs, handshakes, engines. This and line_prove() give 1
 * where `proving` has to shake hands first, or who connected has to say something (line_rests_at): they are
 * called again when he has. */
int line_open_chain(struct line *l, int side, struct err *e);
/* Where that is to be read, and until when (wait_now(), -1 for ever); -1: he is not waited for. */
int line_rests_at(const struct line *l, int64_t *deadline);
/* Forked children go on with what that side has opened, all with the same. */
void line_share(struct line *l, int side);
/* The left chain is open: whoever connected there and has to prove who he is to an address of the
 * right chain (^openssl-server) does so before anything of that is opened. */
int line_prove(struct line *l, struct err *e);
/* The listener has the first block of all its children: one takes of it what it fills, and no pages for a
 * heap of its own. */
int line_make_ahead(struct line *l, struct err *e);
/* Undoes what was opened on that side, for another attempt. quietly: a forked child goes on with
 * the connection. */
void line_reset_side(struct line *l, int side, bool quietly);
/* Both ends are there: handles what is left and joins them. */
int line_join(struct line *l, struct err *e);
/* It could not be opened as a whole: who waits on the left hears why, if somebody does. */
void line_refuse(struct line *l, const struct err *why);
/* Starts the engines that are complete, all but the border's. While the line is being opened only
 * when something is to be said through them: what a peer sends is to be looked at by a process that
 * has confined itself, if it is to. */
int line_start(struct line *l, struct err *e);
/* All that is left of the line is the engine at its border: no thread, no program; and nothing it does
 * may wait, so that others can share its thread. */
bool line_is_one_engine(const struct line *l);
/* Relaying begins; gives the engine at the border. */
struct engine *line_begin(struct line *l);
/* Relays at the border until the run has ended, then waits for all others. */
void line_relay(struct line *l);
void line_fini(struct line *l);
/* In a process that was forked off, in which it has no threads: closes what it has, without a word. */
void line_leave(struct line *l);

#endif
