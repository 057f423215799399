/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a connection would look like on a wire: frames of IP with TCP, for a stream, and UDP, for records.
 * Pure: whoever wants them is handed one after the other. */
#ifndef CATENA_INTER_FRAMES_H
#define CATENA_INTER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAMES_HEAD = 40 + 8 + 28, /* bytes, at most, of a frame's headers: IPv6, a fragment, TCP with options */
    FRAMES_SEGMENT = 65000,    /* bytes of a stream in one */
};

struct frames_end {
    bool v6;
    unsigned char addr[16];
    uint16_t port;
};

struct frame {
    int source; /* which end it comes from */
    unsigned char head[FRAMES_HEAD];
    size_t nhead;
    const unsigned char *data;
    size_t n;
    const char *comment; /* or NULL */
};

struct frames {
    struct frames_end end[2]; /* of one family */
    int client;         /* the end that says SYN */
    size_t most;        /* bytes behind the headers of a frame; a multiple of 8 */
    const char *comment; /* of the first frame; NULL when it has been said */
    void (*take)(void *arg, const struct frame *f);
    void *arg;

    uint32_t next[2];   /* by source: the number of the next byte, and what has been acknowledged of it */
    uint32_t heard[2];
    bool open, fin[2];  /* of the stream; records need none */
    uint32_t id;        /* of the next packet */
};

/* The end that sends, its port and so on are set; seq: the number that each end begins with. */
void frames_init(struct frames *f, const uint32_t seq[2]);
void frames_open(struct frames *f); /* SYN and its answers, once */
void frames_stream(struct frames *f, int source, const unsigned char *data, size_t n);
void frames_record(struct frames *f, int source, const unsigned char *data, size_t n);
void frames_fin(struct frames *f, int source); /* once */
/* The stream is over: what has not ended by itself is reset. */
void frames_close(struct frames *f);

#endif
