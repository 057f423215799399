/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the compressing formats have in common: their options, when compressed data is passed on, and
 * how the ends of streams are judged. A format is a few functions over its library; a packer and an
 * unpacker make codecs (catena/inter.h) of them. */
#ifndef CATENA_INTER_PACKING_H
#define CATENA_INTER_PACKING_H

#include "catena/inter.h"

enum pack_flush { FLUSH_IDLE, FLUSH_ALWAYS, FLUSH_NEVER };
enum { PACK_MOST_THREADS = 64 };

int pack_flush_policy(const struct addr *a, enum pack_flush *policy, struct err *e);
int pack_check(const struct addr *a, struct err *e); /* form.check of all formats */
/* How many threads are to compress; 1: whoever calls does it himself. */
unsigned pack_threads(const struct addr *a);

/* ---- how large a stream may become ---- */

struct pack_growth {
    const char *name; /* of the format */
    unsigned long long in, out, most; /* bytes, and how many times; 0: whatever comes */
};
void pack_growth_init(struct pack_growth *g, const char *name, const struct addr *a);
int pack_growth_count(struct pack_growth *g, size_t in, size_t out, struct err *e);

/* ---- from the plain stream ---- */

enum pack_op { PACK_ON, PACK_FLUSH, PACK_FINISH };

struct packer { /* the first member of the state of a codec that compresses */
    /* Takes from in and gives to out, as far as both allow. 1: what op wants is done, and all of in
     * taken; 0: it wants more room; -1. What has begun to be flushed is flushed on. */
    int (*step)(void *st, struct buf *in, struct buf *out, enum pack_op op, struct err *e);
    enum pack_flush policy;
    bool dirty;    /* it took input that no flush has brought out yet */
    bool flushing; /* a flush has begun and has to be carried through */
    bool ended;    /* all is out */
};
int packer_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e);

/* ---- to the plain stream ---- */

enum unpacked { UNPACK_FAILED = -1, UNPACK_MORE, UNPACK_FRAME_ENDS };

struct unpacker { /* the first member of the state of a codec that expands */
    /* Takes from in and gives to out, as far as both allow. */
    enum unpacked (*step)(void *st, struct buf *in, struct buf *out, struct err *e);
    struct pack_growth growth;
    bool one;         /* nothing may follow behind a frame */
    bool within, any; /* within a frame; one has ended */
};
int unpacker_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e);
/* What is there begins no frame: nonsense, or something behind the last one. Gives UNPACK_FAILED. */
enum unpacked unpacker_stray(const struct unpacker *u, struct err *e);
enum unpacked unpacker_damaged(const struct unpacker *u, const char *why, struct err *e);

#endif
