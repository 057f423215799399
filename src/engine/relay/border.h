/* SPDX-License-Identifier: GPL-2.0-or-later
 * What has to see all bytes at the border of the two chains: dumps, raw copies, statistics,
 * line-end conversion, readbytes, escape, and the run's timers -t and -T. */
#ifndef CATENA_BORDER_H
#define CATENA_BORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/buf.h"
#include "catena/err.h"
#include "catena/plan.h"
#include "catena/sink.h"

struct run;

struct border_flow { /* one direction; named by the chain its bytes come from */
    struct dump raw, shown;       /* -r, -R; -v, -x */
    unsigned long long left;      /* what readbytes still allows, if limited */
    bool limited, ended;
};

struct border {
    struct run *run;
    bool active; /* something has to look at the bytes */
    struct border_flow flow[2]; /* LEFT: left to right */
};

void border_init(struct border *b, struct run *r);
/* Opens the raw dumps: their names may speak of the connection. */
int border_open(struct border *b, struct err *e);
void border_fini(struct border *b);
/* How much may be read from that source at once, at most n. */
size_t border_may_read(const struct border *b, int source, size_t n);
/* Moves a block of that flow on, converted, as far as `to` has room, and shows it to the taps. Sets
 * flow[source].ended when readbytes or escape says so; what is left of the block then is dropped. */
void border_move(struct border *b, int source, struct buf *from, struct buf *to);
/* The same accounting for bytes nobody has to look at. */
void border_count(struct border *b, int source, size_t n);

#endif
