/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the files of streams share: stream.c (a stream, and its line's half), stream_trunk.c (the trunk's half). */
#ifndef CATENA_STREAM_INSIDE_H
#define CATENA_STREAM_INSIDE_H

#include "engine/port/stream.h"

enum asked { NOT_ASKED, ASKED, ANSWERED, REFUSED };

struct half { /* all of a stream */
    struct stream s;
    struct trunk *trunk;
    struct half *next, **at; /* of all */
    struct half *after;      /* in the news */
    bool is_news;
    bool line_left, trunk_left;
    enum asked asked;
    int64_t asked_at;
    bool woken;              /* who has asked is to look */
    struct buf out, in;      /* from the line, to it */
    bool out_ended, in_ended, deaf; /* deaf: nothing that comes is wanted */
    size_t took;
    bool failed;
    struct err *why;
    int read_fd, write_fd;   /* eventfds: readable, writable when the line can */
    bool readable, writable;
    void (*forget)(void *);
    max_align_t state[];
};

static inline struct half *half_of(struct stream *s) { return (struct half *)s; }

/* All under the trunk's lock. The descriptors of the line, and the trunk, hear of what is new. */
void half_tell_line(struct half *h);
void half_tell_trunk(struct half *h);
void half_drop_news(struct half *h);
void half_part(struct half *h);  /* The trunk has no more to do with it. */
void half_leave(struct half *h); /* Frees it if both have left it. Gives the lock back. */
int half_append(struct buf *b, const void *data, size_t n);

#endif
