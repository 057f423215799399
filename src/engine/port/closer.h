/* SPDX-License-Identifier: GPL-2.0-or-later
 * Closing that may wait (port_close_may_wait(): a socket that lingers, a terminal that drains) in threads
 * of its own, for who must not wait. Functions may be called from any thread. */
#ifndef CATENA_CLOSER_H
#define CATENA_CLOSER_H

#include "catena/port.h"

struct closer;

/* At most so many ports are being closed at a time. No thread is started yet; NULL on failure. */
struct closer *closer_new(unsigned most, struct err *e);
/* Takes the port. Waits only while the most are being closed, or if no thread can be started: then it
 * closes the port itself. Afterwards closed(arg) is called, if it is not NULL, mostly in another thread.
 * When the end is forced it does nothing more: the system closes what is left. */
void closer_take(struct closer *c, struct port *p, void (*closed)(void *arg), void *arg);
/* Waits until all are closed and joins the threads. A signal or a stop of the run forces the end: what
 * still waits is left to the end of the process. Nothing is handed over after this. NULL is fine. */
void closer_end(struct closer *c, struct run *r);

#endif
