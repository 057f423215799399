/* SPDX-License-Identifier: GPL-2.0-or-later
 * The pcapng format of a tap: what it sees becomes packets of a connection, in a file that all taps of
 * that name share. */
#ifndef CATENA_INTER_CAPTURE_H
#define CATENA_INTER_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/buf.h"
#include "catena/inter.h"
#include "catena/run.h"
#include "catena/sink.h"
#include "inter/tap/frames.h"

struct capture { /* one connection at one tap */
    struct run *run;
    struct sink sink;
    struct frames frames;
    uint32_t interface;
    int outward;         /* frames for that end leave us */
    unsigned flows;      /* that are still there */
    bool has[2], looks[2];
    bool datagrams;      /* it is the packets of a socket, even if what becomes one is not marked as such */
    bool streams;        /* no records on the whole line: the connection is shown before its first byte */
    bool faces[2];       /* that flow goes to a session which has a handshake to do */
    bool held_enough;    /* and will not be held again */
    int64_t hold_until, look; /* 0: nothing is held */
    struct buf held;     /* whole blocks that secrets have to precede */
    const struct run_secret *secret; /* the last that was written */
    size_t nsecrets;
    char comment[320];
};

/* tap.c: is it in this format? */
bool tap_is_capture(const struct addr *a);
/* Do both write to the same file, as far as their names say? */
bool tap_shares_file(const struct addr *a, const struct addr *other);

/* codec_pair.prepare and .release */
int capture_prepare(const struct addr *a, struct run *r, void **shared, struct err *e);
void capture_release(void *shared);

/* For each flow of c, which is zeroed before. */
int capture_start(struct capture *c, const struct codec_place *where, bool looks, struct err *e);
void capture_block(struct capture *c, int source, const struct buf *b);
void capture_end(struct capture *c, int source);
/* To be called whenever something can have changed: what is held may be due. */
void capture_turn(struct capture *c);
int64_t capture_due(const struct capture *c); /* as codec_ops.due */
void capture_fini(struct capture *c);

#endif
