/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records in frames: what all formats share (records.c), and what a format is: how a record is written into
 * a frame, and what comes is read out of frames, a record at a time, however it was cut on its way. */
#ifndef CATENA_RECORDS_H
#define CATENA_RECORDS_H

#include <stdint.h>

#include "catena/inter.h"

struct framer;

struct framing {
    const char *unit; /* what a frame is called in messages */
    size_t most;      /* bytes of a record that its frames hold; 0 no limit */
    bool no_empty;    /* an empty record leaves no trace */
    size_t (*bound)(size_t n); /* bytes that a frame of n bytes has at most */
    /* Writes the frame of a record where there is room for bound(n). Gives its length, or -1. */
    ptrdiff_t (*put)(struct framer *f, const unsigned char *p, size_t n, unsigned char *at, struct err *e);
    /* Takes from in until it is empty, or f->record is whole: then it gives 1. Else 0, or -1. */
    int (*take)(struct framer *f, struct buf *in, struct err *e);
    /* Nothing comes any more, and a frame has begun: the error. 0: none has. */
    int (*cut)(const struct framer *f, struct err *e);
};

struct framer { /* one direction */
    const struct framing *how;
    size_t max;
    struct buf record; /* what of it has come */
    bool packets;      /* records of its data side are: what cannot be sent is lost, and nothing else */
    bool told;         /* a warning */
    /* options of one format or another */
    bool little, include;
    uint32_t accm;
    const char *eol;
    size_t neol;
    /* where in a frame it is */
    unsigned char head[24];
    size_t nhead;
    size_t want; /* bytes of the record */
    bool known;  /* ... that is */
    bool begun, escaped, spoilt;
    uint16_t fcs;
    unsigned code, group; /* COBS: of the group that is being read; bytes of it that are to come */
};

extern const struct framing framing_netstring, framing_length16, framing_length32, framing_varint;
extern const struct framing framing_lines, framing_slip, framing_hdlc, framing_cobs;

/* Puts n bytes behind what there is of the record, of which so many may turn out to be the frame's; an error if
 * that is more than it may have. */
int record_add(struct framer *f, const unsigned char *p, size_t n, size_t others, struct err *e);
/* A record of so many bytes is more than there may be; exactly: not at least. Gives -1. */
int record_too_large(const struct framer *f, size_t n, bool exactly, struct err *e);

#endif
