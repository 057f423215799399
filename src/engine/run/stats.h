/* SPDX-License-Identifier: GPL-2.0-or-later
 * What has crossed the border of the two chains, and what links have made of it. */
#ifndef CATENA_STATS_H
#define CATENA_STATS_H

#include <stdint.h>

struct link_traffic;
struct run;

struct traffic { /* by source: what came from the left, from the right */
    uint64_t blocks[2], bytes[2];
    struct link_traffic *links; /* by number; NULL: not asked for */
};

void stats_add(struct traffic *t, struct run *r);
/* A run of its own is over: its traffic is the parent's. */
void stats_keep(struct run *parent, struct run *r);
/* Forced I lines (SIGUSR1, --statistics): the two of v1, and under our own name with time and rates, and for each link
 * that changes something a line each way. Or a W that there is nothing yet. */
void stats_print(struct run *r);

#endif
