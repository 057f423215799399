/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting programs. */
#ifndef CATENA_ENDPOINT_PROCESS_H
#define CATENA_ENDPOINT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "endpoint/program/argv.h"
#include "catena/addr.h"
#include "catena/run.h"

enum { PROCESS_LANES_MAX = 6 };

struct process {
    const struct addr *addr;       /* whose options act in the program's process */
    const struct command *command;
    struct lane {
        int from, to; /* our descriptor becomes the program's; -1: that is /dev/null there */
    } lanes[PROCESS_LANES_MAX];    /* 0, 1 and 2 are inherited when not among them */
    size_t nlanes;
    int tty;       /* becomes the controlling terminal with option ctty; -1 none */
    bool endpoint;
    bool placed; /* chdir, umask and netns hold already, entered by whoever opens the address */
};

void process_init(struct process *p, const struct addr *a, const struct command *c, bool endpoint);
/* The program's descriptor `to` is our `from`, which stays the caller's. The last one counts. */
void process_lane(struct process *p, int from, int to);
/* One side of the program: it reads `in` and writes `out` (-1: not), under the numbers that the
 * options leftin, leftout, leftfd, rightin ... give, otherwise 0 and 1 (left), 3 and 4 (right). */
enum process_side { PROCESS_LEFT, PROCESS_RIGHT };
int process_side(struct process *p, enum process_side side, int in, int out, struct err *e);
/* form.check: are the numbers that these options give possible? */
int process_check(const struct addr *a, struct err *e);
/* Option stderr: its descriptor 2 is the same as its output channel, our descriptor `from`. */
void process_stderr(struct process *p, int from);

/* Starts the program and enters it into the run. Fails when it could not be executed, too; then
 * nothing of it is left. Descriptors other than lanes and 0 to 2 do not reach it. */
int process_spawn(const struct process *p, struct run *r, struct err *e);
/* Runs the program and waits for its end; *status is then what a shell would call its status. */
int process_call(const struct process *p, struct run *r, int *status, struct err *e);
/* Becomes the program. Returns only on failure. */
int process_replace(const struct process *p, struct run *r, struct err *e);

#endif
