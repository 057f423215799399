/* SPDX-License-Identifier: GPL-2.0-or-later
 * Transfer statistics. */
#include "engine/run/stats.h"

#include "catena/diag.h"
#include "catena/run.h"

void stats_add(struct traffic *t, struct run *r)
{
    for (int d = 0; d < 2; d++) {
        t->blocks[d] += atomic_load(&r->blocks[d]);
        t->bytes[d] += atomic_load(&r->bytes[d]);
    }
}

void stats_print(struct run *r)
{
    struct traffic t = {0};
    if (!atomic_load(&r->transferring)) {
        diag_forced(DIAG_WARN, "transfer engine not yet started, statistics not available");
        return;
    }
    if (r->add_served)
        r->add_served(r->add_served_arg, &t);
    else
        stats_add(&t, r);
    if (!r->settings->experimental)
        diag_forced(DIAG_WARN, "statistics are experimental");
    for (int d = 0; d < 2; d++)
        diag_forced(DIAG_INFO, "STATISTICS: %s: %llu packets(s), %llu byte(s)",
                    d == 0 ? "left to right" : "right to left",
                    (unsigned long long)t.blocks[d], (unsigned long long)t.bytes[d]);
}
