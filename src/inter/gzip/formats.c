/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stands around deflated bytes: the three formats, and what threads have to make of it themselves. */
#include <zlib.h>

#include "inter/gzip/formats.h"

enum { FROM_UNIX = 3, WRAPPED_IN_GZIP = 16, ZLIB_32K = 0x78, FDICT_AND_CHECK = 31 };

/* ---- gzip ---- */

static unsigned long crc_add(unsigned long sum, unsigned long next, size_t n)
{
    return crc32_combine(sum, next, (z_off_t)n);
}

static unsigned long crc_of(const unsigned char *p, size_t n) { return crc32_z(0, p, n); }

/* As zlib writes it: no name, no time. */
static void gzip_header(unsigned char *to, int level)
{
    unsigned char effort = level == 9 ? 2 : level == 0 || level == 1 ? 4 : 0;
    const unsigned char header[] = {0x1f, 0x8b, Z_DEFLATED, 0, 0, 0, 0, 0, effort, FROM_UNIX};
    for (size_t i = 0; i < sizeof header; i++)
        to[i] = header[i];
}

static void gzip_trailer(unsigned char *to, unsigned long sum, unsigned long total)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (unsigned char)(sum >> 8 * i);
        to[4 + i] = (unsigned char)(total >> 8 * i);
    }
}

static bool gzip_follows(unsigned char first) { return first == 0x1f; }

const struct deflate_format format_gzip = {
    .name = "gzip", .window_bits = MAX_WBITS + WRAPPED_IN_GZIP, .header = 10, .trailer = 8, .add = crc_add,
    .sum_of = crc_of, .make_header = gzip_header, .make_trailer = gzip_trailer, .follows = gzip_follows,
    .padding = true};

/* ---- zlib ---- */

static unsigned long adler_add(unsigned long sum, unsigned long next, size_t n)
{
    return adler32_combine(sum, next, (z_off_t)n);
}

static unsigned long adler_of(const unsigned char *p, size_t n) { return adler32_z(1, p, n); }

static void zlib_header(unsigned char *to, int level)
{
    unsigned effort = level == 0 || level == 1 ? 0 : level >= 2 && level <= 5 ? 1 : level == 6 || level < 0 ? 2 : 3;
    unsigned header = ZLIB_32K << 8 | effort << 6;
    header += FDICT_AND_CHECK - header % FDICT_AND_CHECK;
    to[0] = (unsigned char)(header >> 8);
    to[1] = (unsigned char)header;
}

static void zlib_trailer(unsigned char *to, unsigned long sum, unsigned long total)
{
    (void)total;
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(sum >> 8 * (3 - i));
}

static bool zlib_follows(unsigned char first) { return (first & 0x8f) == Z_DEFLATED; }

const struct deflate_format format_zlib = {
    .name = "zlib", .window_bits = MAX_WBITS, .header = 2, .trailer = 4, .sum = 1, .add = adler_add,
    .sum_of = adler_of, .make_header = zlib_header, .make_trailer = zlib_trailer, .follows = zlib_follows};

/* ---- deflate ---- */

const struct deflate_format format_deflate = {.name = "deflate", .window_bits = -MAX_WBITS};

const struct deflate_format *deflate_format(const struct addr *a)
{
    return a->form && a->form->arg ? a->form->arg : &format_gzip;
}
