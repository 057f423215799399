/* SPDX-License-Identifier: GPL-2.0-or-later
 * Hubs: a few threads that drive the engines of many connections, so that an open connection costs
 * neither a thread nor, while it rests, a buffer. For lines that are a single engine; what waits in
 * a hub is the connection, never the hub. Functions may be called from any thread. */
#ifndef CATENA_HUB_H
#define CATENA_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/err.h"
#include "engine/relay/engine.h"

struct hubs;

/* An engine in a hub. Memory of who adds it, for as long as the hub has it. */
struct hub_seat {
    struct engine *engine;
    void (*ended)(struct hub_seat *); /* called in the hub's thread; the seat is free again */
    uint32_t number;
    struct hub_seat *after; /* in the queue of those with work to do */
    bool queued;
    bool readable[2];
};

struct hubs *hubs_new(struct err *e); /* NULL on failure; no thread is started yet */
/* Takes an engine whose ports are there. False: not possible (a regular file, no memory); it is the
 * caller's still. */
bool hubs_add(struct hubs *h, struct hub_seat *seat);
/* Makes the engines that are still there end at once, then ends the threads. */
void hubs_free(struct hubs *h);

#endif
