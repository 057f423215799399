/* SPDX-License-Identifier: GPL-2.0-or-later
 * What has crossed the border of the two chains. */
#ifndef CATENA_STATS_H
#define CATENA_STATS_H

struct run;

/* Two forced I lines (SIGUSR1, --statistics), or a W that there is nothing yet. */
void stats_print(struct run *r);

#endif
