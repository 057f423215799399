/* SPDX-License-Identifier: GPL-2.0-or-later
 * What has crossed the border of the two chains. */
#ifndef CATENA_STATS_H
#define CATENA_STATS_H

#include <stdint.h>

struct run;

struct traffic { /* by source: what came from the left, from the right */
    uint64_t blocks[2], bytes[2];
};

void stats_add(struct traffic *t, struct run *r);
/* Two forced I lines (SIGUSR1, --statistics), or a W that there is nothing yet. */
void stats_print(struct run *r);

#endif
