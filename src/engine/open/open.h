/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening the endpoint of one chain. */
#ifndef CATENA_OPEN_H
#define CATENA_OPEN_H

#include "catena/endpoint.h"
#include "catena/plan.h"

/* An endpoint in use: for a dual its two halves, for a passive one what listen() gave. */
struct opened_end {
    const struct plan_end *end;
    const struct addr *addr[2]; /* back, fwd: as opened */
    void *state;
    bool listening;
    bool early[2]; /* back, fwd: what changes the process before opening has done so */
};

bool open_is_passive(const struct plan_end *end);
/* Passive: binds and listens. Others: nothing. */
int open_prepare(struct opened_end *o, const struct plan_end *end, struct run *r, struct err *e);
/* Connects, accepts or opens; gives the port. */
int open_port(struct opened_end *o, struct run *r, struct port **out, struct err *e);
/* Readable when somebody has come; -1 not known. */
int open_waits_at(const struct opened_end *o);
/* Tells where that is. Gives 1, 0 it waits for nobody, or -1. */
int open_tell_place(const struct opened_end *o, struct run *r, struct err *e);
void open_release(struct opened_end *o, bool forked);
/* What changes the process (user, root, session) once the address is open and forked. */
int open_process_options(const struct opened_end *o, struct run *r, int fd, struct err *e);

#endif
