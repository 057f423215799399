/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where lines and the thread of their trunk meet: see catena/trunk.h. One lock guards what both use; each end is told
 * by descriptors that are readable, or writable, exactly when there is something to be done, so a stream is a port like
 * any other. */
#ifndef CATENA_STREAM_H
#define CATENA_STREAM_H

#include <pthread.h>

#include "catena/port.h"
#include "catena/trunk.h"

enum trunk_state {
    TRUNK_OPENING,
    TRUNK_OPEN,
    TRUNK_LEAVING, /* it takes no more streams */
    TRUNK_OVER,    /* and has none */
};

struct half;
struct trunk {
    pthread_mutex_t lock; /* guards what follows */
    int look_fd;          /* readable: there is news, or it is to end */
    struct half *news, **news_end, *all;
    size_t n, most; /* streams that the trunk has not parted from; that are possible */
    enum trunk_state state;
    bool stops;       /* it ends when its streams have */
    int64_t heard_at; /* wait_now() */
    unsigned refs;    /* of streams, and of who has made it */
    void (*free)(struct trunk *);
};

/* most: streams that may be possible, as far as is known; SIZE_MAX it is not. */
int trunk_init(struct trunk *t, size_t most, void (*release)(struct trunk *), struct err *e);
void trunk_drop(struct trunk *t); /* one of refs */
/* Its left end: a port that gives nothing until it is told to end. */
int trunk_port(struct trunk *t, struct port **out, struct err *e);
void trunk_opened(struct trunk *t);
bool trunk_stop(struct trunk *t); /* false: it is not open yet, and does not hear of it */
/* Nothing comes of what has been asked by now; or, if why is NULL, it may be asked elsewhere. Whoever had an answer
 * fails: why, or that the connection has ended. */
void trunk_over(struct trunk *t, bool opened, const struct err *why);

/* One more; NULL: it has no room, if *e is ERR_NONE. */
struct stream *stream_new(struct trunk *t, size_t state_size, void (*forget)(void *), struct err *e);

#endif
