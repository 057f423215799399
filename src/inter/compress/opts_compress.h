/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_compress.c that code asks for by name. */
#ifndef OPTS_COMPRESS_H
#define OPTS_COMPRESS_H

#include "catena/option.h"

extern const struct option_desc opt_flush, opt_level, opt_long, opt_max_ratio, opt_threads, opt_window;
/* What the formats bring along; those of gzip are zlib's and deflate's, too. */
extern const struct option_desc *const options_gzip[], *const options_zstd[], *const options_lz4[],
    *const options_brotli[];

#endif
