/* SPDX-License-Identifier: GPL-2.0-or-later
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), made in memory: pure. Numbers are in the machine's
 * order, which the section's header tells. */
#ifndef CATENA_INTER_PCAPNG_H
#define CATENA_INTER_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "catena/buf.h"

enum {
    PCAPNG_TEXT = 512,     /* bytes of a name or comment; what is longer is cut */
    PCAPNG_HEAD = 28,      /* of a packet, in front of it */
    PCAPNG_TAIL = 8 + 4 + PCAPNG_TEXT + 4 + 4 + 4, /* at most, behind it */
    PCAPNG_HEADER = 128,   /* at most, of a section */
    PCAPNG_INTERFACE = 64 + 2 * PCAPNG_TEXT,
};

/* Where a section begins: its header, and behind it its interfaces (raw IP, nanoseconds), counted from 0.
 * They are appended to b, which has room for all of them. */
void pcapng_section(struct buf *b, const char *program);
void pcapng_interface(struct buf *b, const char *name, const char *comment);
/* Lines of a TLS key log; b has room for PCAPNG_HEADER + n. */
void pcapng_secrets(struct buf *b, const char *lines, size_t n);

struct pcapng_packet {
    uint32_t interface;
    uint64_t time; /* nanoseconds */
    size_t len;
    int outward;         /* it leaves us, else it comes in */
    const char *comment; /* or NULL */
};
/* What stands in front of a packet and behind it; gives the bytes of what is behind. */
size_t pcapng_packet(const struct pcapng_packet *p, unsigned char head[PCAPNG_HEAD],
                     unsigned char tail[PCAPNG_TAIL]);

#endif
