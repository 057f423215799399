/* SPDX-License-Identifier: GPL-2.0-or-later
 * A wire is what a dialog talks over: blocking reads and writes with one deadline for the whole of it
 * (for each half, if it has two). Bytes read too far stay in it and are delivered first later on. */
#ifndef CATENA_WIRE_H
#define CATENA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/api.h"
#include "catena/buf.h"
#include "catena/err.h"

struct port;
struct run;
struct wire;

/* What carries the wire: a port, or a station that is not running yet. Both wait until something
 * moved, the deadline passed (ERR_TIMEOUT), or a signal came (ERR_INTERRUPTED). */
struct wire_ops {
    /* Adds at least one byte to w->in, or sets *eof. */
    int (*fill)(struct wire *w, int *eof, struct err *e);
    int (*write)(struct wire *w, const void *data, size_t n, struct err *e);
};

enum {
    WIRE_AHEAD = 8192,      /* bytes read ahead at most, unless the dialog expects more ... */
    WIRE_AHEAD_MAX = 65536, /* ... but never more than these */
};

struct wire {
    const struct wire_ops *ops;
    void *carrier;
    struct run *run;
    struct buf in;
    struct buf on;    /* wire_hand_on() */
    int64_t since;    /* wait_now() when the dialog began */
    int64_t patience; /* milliseconds for the whole dialog, -1 for ever: wire_patience() */
    int64_t deadline; /* wait_now() milliseconds, -1 none */
    unsigned unasked; /* reads and writes, without a look at what else is to be heard */
    bool rests; /* nothing has been read or written since it was set: then a read finds nothing there, instead of waiting, */
    bool left;  /* ... fails (ERR_INTERRUPTED), and says so here: the dialog is to be held later */
    int end_fd;          /* where the line ends in this direction, to ask for addresses; borrowed; -1 none */
    struct port *beside; /* set by the dialog: when all has been said the line goes on with this port, which gets
                            what carried the wire (beside.h) */
};

int wire_init(struct wire *w, const struct wire_ops *ops, void *carrier, struct run *run,
              int64_t patience, struct err *e);
void wire_fini(struct wire *w);
/* The dialog has so many milliseconds from its beginning, -1: for ever. */
void wire_patience(struct wire *w, int64_t ms) CATENA_API(wire_patience);
/* All n bytes, or an error. */
int wire_write(struct wire *w, const void *data, size_t n, struct err *e) CATENA_API(wire_write);
/* Exactly n bytes; end of file before is ERR_PROTOCOL. */
int wire_read(struct wire *w, void *data, size_t n, struct err *e) CATENA_API(wire_read);
/* Reads up to and including the line feed; gives the line without "\n" or "\r\n", NUL-terminated.
 * A line that does not fit cap (NUL included), or that holds a NUL, is ERR_PROTOCOL. */
int wire_read_line(struct wire *w, char *line, size_t cap, struct err *e) CATENA_API(wire_read_line);

/* So many bytes at least are there and stay in the wire: *at says where, w->in.len how many. End of file
 * before is ERR_PROTOCOL; what came until then, or until the deadline, is in w->in all the same. More
 * than WIRE_AHEAD are to be expected first. */
int wire_look(struct wire *w, size_t n, const unsigned char **at, struct err *e)
    CATENA_API(wire_look);
/* The dialog may want to look at so many bytes at once; at most WIRE_AHEAD_MAX. */
int wire_expect(struct wire *w, size_t n, struct err *e) CATENA_API(wire_expect);
/* Puts bytes in front of what the wire has: whoever reads next, the data side in the end, gets them as if
 * they had just come. */
int wire_hand_back(struct wire *w, const void *data, size_t n, struct err *e)
    CATENA_API(wire_hand_back);
/* These come out where the next session on the data side has its own (STARTTLS: the greeting that came
 * before TLS is for who talks through it), before all it gives; without a session where the line ends. */
int wire_hand_on(struct wire *w, const void *data, size_t n, struct err *e)
    CATENA_API(wire_hand_on);

extern const struct wire_ops wire_over_port; /* carrier: struct port * */

#endif
