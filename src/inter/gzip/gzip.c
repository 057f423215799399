/* SPDX-License-Identifier: GPL-2.0-or-later
 * GZIP, ZLIB, DEFLATE and what undoes them: the format on one side, the plain stream on the other. Two
 * transforms over zlib, deflater and inflater; which of them is which direction's, and the format, is all
 * the addresses differ in. */
#include "inter/gzip/gzip.h"

#include <limits.h>
#include <zlib.h>

#include "inter/compress/opts_compress.h"
#include "inter/gzip/formats.h"

unsigned gzip_portion(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

int gzip_settings(const struct addr *a, struct gzip_settings *s, struct err *e)
{
    if (pack_flush_policy(a, &s->flush, e) < 0)
        return -1;
    s->threads = pack_threads(a);
    s->format = deflate_format(a);
    s->level = (int)opt_int(a, &opt_level, Z_DEFAULT_COMPRESSION);
    return 0;
}

static const struct codec_pair packs = {.encode = &gzip_deflater, .decode = &gzip_inflater};
static const struct codec_pair unpacks = {.encode = &gzip_inflater, .decode = &gzip_deflater};

#define HEAVY(format) .heavy = true, .arg = &(format)

extern const struct form forms_gzip[];
const struct form forms_gzip[] = {
    CODEC_FORM("GZIP", options_gzip, pack_check, packs,
               "compresses from left to right, expands on the way back (gzip format)", HEAVY(format_gzip)),
    CODEC_FORM("GUNZIP", options_gzip, pack_check, unpacks,
               "expands from left to right, compresses on the way back (gzip format)", HEAVY(format_gzip)),
    CODEC_FORM("ZLIB", options_gzip, pack_check, packs,
               "compresses from left to right, expands on the way back (zlib format)", HEAVY(format_zlib)),
    CODEC_FORM("UNZLIB", options_gzip, pack_check, unpacks,
               "expands from left to right, compresses on the way back (zlib format)", HEAVY(format_zlib)),
    CODEC_FORM("DEFLATE", options_gzip, pack_check, packs,
               "compresses from left to right, expands on the way back (bare deflate)", HEAVY(format_deflate)),
    CODEC_FORM("UNDEFLATE", options_gzip, pack_check, unpacks,
               "expands from left to right, compresses on the way back (bare deflate)", HEAVY(format_deflate),
               .aliases = "INFLATE"),
    {0},
};
