/* SPDX-License-Identifier: GPL-2.0-or-later
 * The threads that serve a listener with option thread. One of them leads: it accepts a connection
 * and opens the rest of its line; when that would keep it waiting, another takes the lead. Lines of
 * a single engine are then relayed in a hub, others by the thread that opened them. */
#ifndef CATENA_CREW_H
#define CATENA_CREW_H

#include "catena/run.h"
#include "engine/open/line.h"

struct crew;

struct crew_ops {
    /* Waits for a connection; gives it to the line. */
    int (*accept)(void *arg, struct run *r, struct line *l, struct err *e);
    /* All that comes before relaying. Gives 1 where the line's `proving` has to shake hands first, or its peer to say
     * something (line_rests_at); it is called again when that is done. */
    int (*open)(void *arg, struct run *r, struct line *l, struct err *e);
    /* After relaying, or after open() has failed (rc -1): the end of the run. */
    void (*finish)(void *arg, struct run *r, struct line *l, int rc, struct err *e);
};

/* Runs are like `parent`, whose thread goes on with crew_lead() and crew_wait(). max: runs at a
 * time, 0 any. */
struct crew *crew_new(const struct crew_ops *ops, void *arg, struct run *parent, long long max,
                      struct err *e);
int crew_lead(struct crew *c, struct err *e); /* a thread begins to accept */
/* Waits until accept() fails, which ends the lead (1), or a signal comes (-1); e says what. */
int crew_wait(struct crew *c, struct err *e);
/* From now on nobody is accepted; the runs go on. */
void crew_quit(struct crew *c);
size_t crew_runs(struct crew *c); /* how many there are */
/* Quits, waits until all runs have ended (now, or a signal: they are told to), frees. */
void crew_free(struct crew *c, bool now);

#endif
