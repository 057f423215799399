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
    if (pack_in_range(a, &opt_level, "compression level", 0, 9, e) < 0 ||
        pack_threads(a, &s->threads, e) < 0 || pack_flush_policy(a, &s->flush, e) < 0)
        return -1;
    s->format = deflate_format(a);
    s->level = (int)opt_int(a, &opt_level, Z_DEFAULT_COMPRESSION);
    return 0;
}

static int gzip_check(const struct addr *a, struct err *e)
{
    struct gzip_settings s;
    struct pack_growth g;

    return gzip_settings(a, &s, e) < 0 ? -1 : pack_growth_init(&g, s.format->name, a, e);
}

static const struct codec_pair packs = {.encode = &gzip_deflater, .decode = &gzip_inflater};
static const struct codec_pair unpacks = {.encode = &gzip_inflater, .decode = &gzip_deflater};

extern const struct form forms_gzip[];
const struct form forms_gzip[] = {
    {
        .keyword = "GZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "compresses from left to right, expands on the way back (gzip format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &packs,
        .arg = &format_gzip,
    },
    {
        .keyword = "GUNZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "expands from left to right, compresses on the way back (gzip format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &unpacks,
        .arg = &format_gzip,
    },
    {
        .keyword = "ZLIB",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "compresses from left to right, expands on the way back (zlib format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &packs,
        .arg = &format_zlib,
    },
    {
        .keyword = "UNZLIB",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "expands from left to right, compresses on the way back (zlib format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &unpacks,
        .arg = &format_zlib,
    },
    {
        .keyword = "DEFLATE",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "compresses from left to right, expands on the way back (bare deflate)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &packs,
        .arg = &format_deflate,
    },
    {
        .keyword = "UNDEFLATE",
        .aliases = "INFLATE",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "expands from left to right, compresses on the way back (bare deflate)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &unpacks,
        .arg = &format_deflate,
    },
    {0},
};
