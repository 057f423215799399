/* SPDX-License-Identifier: GPL-2.0-or-later
 * Becoming a program: what is prepared before the fork, what the child does with it, and how that tells what
 * went wrong. */
#ifndef CATENA_ENDPOINT_LAUNCH_H
#define CATENA_ENDPOINT_LAUNCH_H

#include "endpoint/program/process.h"

enum launch_step {
    STEP_OPTION, /* worded by the option itself */
    STEP_NETNS,
    STEP_CHDIR,
    STEP_DUP,
    STEP_CLOSE,
    STEP_CTTY,
    STEP_EXEC,
};

struct launch_report { /* at most PIPE_BUF bytes, so it arrives whole */
    enum launch_step step;
    int sys;
    bool warning; /* the program runs all the same */
    struct err err;
};
_Static_assert(sizeof(struct launch_report) <= 4096, "a report must be written in one piece");

/* PATH, a user's LOGNAME, USER, HOME and SHELL, and the SHELL of an option. */
enum { ENV_OVERRIDES = 6 };

/* All that the child needs. */
struct launch {
    const struct process *p;
    struct addr addr; /* p's, without option ctty, which may fail */
    struct opt *opts; /* owned; of addr */
    char **env, **shown; /* shown: owned copy of the run's environment */
    char *owned[ENV_OVERRIDES]; /* what is overridden in env */
    int null_fd, netns_fd;
    int report_fd; /* -1: no child, the process itself is replaced */
    struct launch_report report;
};

int launch_init(struct launch *l, const struct process *p, struct run *r, struct err *e);
void launch_fini(struct launch *l);
/* In the child, or the process that is replaced. Returns only on failure; the report says why. */
int launch_become(struct launch *l);
/* What it says, in words. Gives -1. */
int launch_error(const struct process *p, const struct launch_report *rep, struct err *e);
enum { LAUNCH_TEXT = 512 };
/* "tr", "tr", "a-z", "A-Z" */
const char *launch_text(const struct command *c, char text[static LAUNCH_TEXT]);

#endif
