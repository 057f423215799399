/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the addresses of the deflate family are made of: gzip (RFC 1952), zlib (RFC 1950) and deflate (RFC
 * 1951), which differ in what stands around the same bytes. */
#ifndef CATENA_INTER_GZIP_H
#define CATENA_INTER_GZIP_H

#include "inter/compress/packing.h"

enum { GZIP_MEM_LEVEL = 8 };

/* form.arg of these addresses. */
struct deflate_format {
    const char *name;
    int window_bits; /* as zlib wants it, which says the format */
    size_t header, trailer; /* bytes */
    unsigned long sum; /* of nothing */
    unsigned long (*add)(unsigned long sum, unsigned long next, size_t n); /* the sum goes on; NULL none */
    unsigned long (*sum_of)(const unsigned char *p, size_t n);
    void (*make_header)(unsigned char *to, int level);
    void (*make_trailer)(unsigned char *to, unsigned long sum, unsigned long total);
    /* May a stream that begins so follow another one? NULL: nothing may. */
    bool (*follows)(unsigned char first);
    bool padding; /* zeros may stand behind the last one */
};
const struct deflate_format *deflate_format(const struct addr *a); /* of that address, or gzip's */

struct gzip_settings {
    const struct deflate_format *format;
    int level;
    enum pack_flush flush;
    unsigned threads; /* 1: whoever calls does it himself */
};

int gzip_settings(const struct addr *a, struct gzip_settings *s, struct err *e);

/* zlib counts in unsigned int; a buffer beyond that is taken in parts. */
unsigned gzip_portion(size_t n);

extern const struct codec_ops gzip_deflater, gzip_inflater;

#endif
