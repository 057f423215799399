/* SPDX-License-Identifier: GPL-2.0-or-later
 * One run on its way through the steps: "open the left chain, open the right chain, relay, end". The same
 * steps go on in this process, in a forked child, in a thread of a crew, and behind a handle of libxio. */
#ifndef CATENA_PASSAGE_H
#define CATENA_PASSAGE_H

#include <stdbool.h>

#include "engine/open/line.h"
#include "engine/open/open.h"

struct passage {
    struct run *run;
    struct line *line;
    const struct plan *plan;
    struct opened_end end[2];
    struct port *brought[2]; /* what whoever uses us has open as that end already; taken */
    /* What becomes of the line when both chains are open: passage_relay(); passage_join(), where somebody
     * else lets it relay. */
    int (*last)(struct passage *, struct err *);
    int status; /* of a program that was called in the relay's place */
};

/* Room for what all connections have in common, for passage_prepare(); to be freed. NULL without memory. */
void **passage_slots(const struct plan *p);
/* That is made before there is any connection. shared NULL: there was no memory. */
int passage_prepare(const struct plan *p, struct run *r, void **shared, struct err *e);
void passage_release(const struct plan *p, void **shared);
/* A connection has come: what was made of files that have changed is made again. */
void passage_renew(const struct plan *p, struct run *r);

/* Opens that side's chain, again and again where fork, thread or retry say so, and goes on from there. */
int passage_open(struct passage *s, int side, struct err *e);
/* That side is open: what comes next. 1: the line waits for somebody who proves himself. */
int passage_go_on(struct passage *s, int side, struct err *e);
int passage_join(struct passage *s, struct err *e);
int passage_relay(struct passage *s, struct err *e);
/* Ends a run: reports, collects its programs, gives the exit status. rc < 0: e is why it failed. */
int passage_finish(struct passage *s, int rc, struct err *e);

/* ---- attempts ---- */

struct retries {
    unsigned *used; /* one each address of the chain; NULL: none yet */
};

/* Opens that side until it is, or may not be tried again. */
int passage_attempts(struct passage *s, int side, bool dialogs, struct retries *t, struct err *e);
/* After a failed attempt: 1 try again (the pause is over), 0 not, -1 interrupted. */
int passage_try_again(struct passage *s, int side, struct retries *t, struct err *e);

#endif
