/* SPDX-License-Identifier: GPL-2.0-or-later
 * The children of the process, of all its runs: whoever ends is collected at once, also those that
 * nobody here has started, as process 1 of a container and a subreaper get them, or who was there
 * before an exec. How a child ended is kept for who started it. */
#ifndef CATENA_REAPER_H
#define CATENA_REAPER_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "catena/err.h"

/* What to do when a child ends, instead of keeping how; called where the process collects. */
typedef void reaper_ended(void *arg, const siginfo_t *how);

struct born {
    pid_t pid;
    reaper_ended *ended;
    void *arg;
    bool over;
    int code, status; /* si_code, si_status when it is over. A siginfo_t would be four times all this */
};

/* Lies beside the run: parent and child write both after each fork, and each page of their own costs both. */
struct reaper {
    pthread_mutex_t lock; /* guards what follows */
    struct born *born;
    size_t n, cap;
    struct born first[24];
};

/* Collects who has ended already. Stays where it is until reaper_fini(), which lets children live on. r may be NULL. */
int reaper_init(struct reaper *r, struct err *e);
void reaper_fini(struct reaper *r);
/* fork(). ended may be NULL: reaper_status() will be asked. r may be NULL, then nobody collects but
 * who asks. pidfd: NULL, or gets one of the child, the caller's; -1 not possible. The child has no
 * children. */
pid_t reaper_fork(struct reaper *r, reaper_ended *ended, void *arg, int *pidfd);
/* Has it ended? 1 yes, and *how is told once; 0 not yet; -1 nothing is known of it. */
int reaper_status(struct reaper *r, pid_t pid, siginfo_t *how);
/* The same, but waits for it. */
void reaper_await(struct reaper *r, pid_t pid);
/* Nobody asks any more how that one ends, or those whose end was to be told to arg. */
void reaper_forget(struct reaper *r, pid_t pid);
void reaper_forget_all(struct reaper *r, const void *arg);
void reaper_collect(struct reaper *r); /* SIGCHLD has come */

#endif
