/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the addresses GZIP and GUNZIP are made of: their options, and a codec for each direction. */
#ifndef CATENA_INTER_GZIP_H
#define CATENA_INTER_GZIP_H

#include "catena/inter.h"

enum { GZIP_FORMAT = 16, GZIP_MEM_LEVEL = 8 };

enum gzip_flush { FLUSH_IDLE, FLUSH_ALWAYS, FLUSH_NEVER };

struct gzip_settings {
    int level;
    enum gzip_flush flush;
    unsigned threads; /* 1: whoever calls does it himself */
};

int gzip_settings(const struct addr *a, struct gzip_settings *s, struct err *e);

/* zlib counts in unsigned int; a buffer beyond that is taken in parts. */
unsigned gzip_portion(size_t n);

extern const struct codec_ops gzip_deflater, gzip_inflater;

#endif
