/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the files of a crew share: crew.c (the threads, and whose thread waits for signals), lead.c (who accepts),
 * errand.c (a connection on its way). */
#ifndef CATENA_CREW_INSIDE_H
#define CATENA_CREW_INSIDE_H

#include <pthread.h>

#include "engine/relay/hub.h"
#include "engine/serve/crew.h"
#include "engine/serve/lookout.h"

enum duty { NONE, LEAD, RESUME, DUTIES };

struct member { /* a thread */
    struct crew *crew;
    struct member *others;
    pthread_t thread;
    enum duty duty;
    struct errand *next; /* while it accepts: for whom */
};

struct errand { /* a connection, from accept() to the end of its run */
    struct crew *crew;
    struct run run;
    struct line line;
    struct seat seat;
    struct guest guest;
    struct errand *next, **at; /* in the crew's list; at NULL: not counted */
    struct errand *after;      /* in the queue of those who have proved themselves */
};

struct crew {
    const struct crew_ops *ops;
    void *arg;
    struct run *parent;
    struct hubs *hubs;
    size_t max;
    int stop_fd;   /* readable: everything is to end */
    int quit_fd;   /* readable: nobody is accepted any more */
    int report_fd; /* accept() has failed */
    int room_fd;   /* a run has ended; stopping: or an accept() */

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct member *members, *ended; /* ended: to be joined */
    struct errand *errands; /* those that are counted in nruns */
    struct errand *proved, **proved_end; /* their opening is to go on */
    struct lookout lookout;              /* those whose dialog is to go on when they have said something */
    size_t nfree, nruns;
    bool is_free[DUTIES]; /* and somebody is called for it */
    bool resuming;        /* that duty is somebody's, or free */
    bool accepting, stopping, closed, reported;
    struct err why;
};

/* Somebody takes that duty. Under the lock. Gives an error number where no thread can be started: then the first one
 * that gets free takes it. */
int crew_offer(struct crew *c, enum duty duty);
/* Member: the run this thread is opening has to wait; somebody else does its duty meanwhile. */
void crew_pass_duty(void *member);
void crew_end_accepting(struct crew *c); /* Under the lock. */
/* Serves connections as long as it leads. */
void crew_accept(struct member *m);
/* Nobody accepts any more, or for some time, and so nobody looks out: whoever waits there is gone on with, and waited
 * for where that is. */
void crew_disperse(struct crew *c);
bool crew_is_stopping(struct crew *c);

struct errand *errand_new(struct crew *c, struct err *e);
void errand_free(struct errand *t);
void errand_count_in(struct errand *t); /* These two under the lock. */
/* What it has moved stays in the parent's counters. */
void errand_count_out(struct errand *t);
/* Opens what is to be opened, and has it relayed; passes the duty when one of that has to wait. It is gone then. */
void errand_serve(struct member *m, struct errand *t);
/* Goes on with those who have proved themselves, as long as that is its duty. */
void errand_resume(struct member *m);
/* The same in the thread of somebody else, which it may keep waiting: no other can be started. */
void errand_resume_here(struct crew *c);
/* That one is to go on, too. Gives true when errand_resume_here() has to see to it. Under the lock. */
bool errand_enqueue(struct crew *c, struct errand *t);
void errand_add_served(void *crew, struct traffic *t); /* run.add_served */

#endif
