/* SPDX-License-Identifier: GPL-2.0-or-later
 * Hubs: a few threads, each a driver with the engines of many connections, so that an open connection costs
 * neither a thread nor, while it rests, a buffer. For lines that are a single engine; what waits in
 * a hub is the connection, never the hub. Functions may be called from any thread. */
#ifndef CATENA_HUB_H
#define CATENA_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/err.h"
#include "engine/relay/driver.h"

struct hubs;

struct hubs *hubs_new(struct err *e); /* NULL on failure; no thread is started yet */
/* Takes an engine whose ports are there. False: not possible (a regular file, no memory); it is the
 * caller's still. */
bool hubs_add(struct hubs *h, struct seat *seat);
/* Makes the engines that are still there end at once, then ends the threads; what is slow to close is waited
 * for, until a signal of that run comes. */
void hubs_free(struct hubs *h, struct run *r);

#endif
