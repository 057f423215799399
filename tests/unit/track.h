/* SPDX-License-Identifier: GPL-2.0-or-later
 * A line between two sockets of the test's own, from a plan: its ends are opened as the program does
 * it, step by step where a test wants that, and traffic goes through it both ways. */
#ifndef CATENA_TESTS_TRACK_H
#define CATENA_TESTS_TRACK_H

#include <pthread.h>

#include "engine/open/line.h"
#include "unit.h"

struct track {
    struct settings settings;
    struct plan *plan;
    struct run run;
    struct line line;
    void **shared;
    int outside[2]; /* where the peers are; -1 none (any more) */
    int inside[2];  /* copies of what the line has there, as others have them after a fork; -1 none */
    pthread_t thread;
    bool relays;
    struct unit_count before;
};

/* The plan of these arguments, whose endpoints stand for the sockets; nothing is opened. */
void track_plan(struct track *t, struct settings s, const char *left, const char *right);
/* The end of that side comes: a new pair of sockets. */
void track_put_end(struct track *t, int side, unsigned flags);
/* Both ends, and all that stands between them. Gives false when that fails (e). */
bool track_open(struct track *t, struct err *e);
/* All of that; it has to work. */
void track_lay(struct track *t, struct settings s, const char *left, const char *right);
void track_start(struct track *t); /* relays in a thread */
void track_join(struct track *t);  /* it has to end by itself */
/* Ends what there is; and nothing may be left over. */
void track_close(struct track *t);
void track_free(struct track *t);

void track_hang_up(struct track *t, int side); /* that peer goes */
void track_say(struct track *t, int side, const char *text);
void track_end(struct track *t, int side); /* that peer has said all */
/* What comes out there next: exactly that text; or the end. */
void track_hear(struct track *t, int side, const char *text);
void track_hear_end(struct track *t, int side);
/* So many random bytes each way at the same time, and then the ends. */
void track_exchange(struct track *t, size_t left_to_right, size_t right_to_left);

/* Writes certificate and key of "localhost" to a file. */
void track_certificate(const char *path);

#endif
