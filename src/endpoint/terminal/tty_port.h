/* SPDX-License-Identifier: GPL-2.0-or-later
 * A port over a terminal as somebody who gives and takes controls: the window of a user's, the line of a
 * serial device, a pseudo terminal that stands for either. */
#ifndef CATENA_TTY_PORT_H
#define CATENA_TTY_PORT_H

#include "catena/addr.h"
#include "catena/port.h"
#include "catena/run.h"

/* Lays a layer over *p if that leads to a terminal and the plan says that somebody wants it. */
int tty_port(struct port **p, const struct addr *a, struct run *r, struct err *e);

/* struct form.controls: of what may turn out to be a terminal. */
unsigned tty_perhaps(const struct addr *a);

#endif
