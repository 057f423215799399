/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of the addresses that compress: gzip and others. */
#include "inter/compress/opts_compress.h"

#include "catena/option_row.h"
#include "inter/compress/packing.h"

/* Of each format other numbers are accepted; code asks for the first. */
#define LEVEL(from, to)                                                                            \
    OPTION_FIELDS("level", NULL, 0, SPECIFIC, INT,                                                 \
                  "effort: gzip, zlib, deflate 0 (none) to 9, zstd -100 to 22, lz4 0 to 12, "      \
                  "brotli 0 to 11", FROM_TO(from, to), .same_as = &opt_level)
#define WINDOW(from, to)                                                                           \
    OPTION_FIELDS("window", NULL, 0, SPECIFIC, INT,                                                \
                  "how far back matches are, and may be, as a power of 2: zstd 10 to 30, brotli "  \
                  "10 to 24", FROM_TO(from, to), .same_as = &opt_window)

NAMED_OPTION(opt_flush, "flush", NULL, 0, SPECIFIC, STRING,
             "when encoded data is passed on: idle (default), always or never");
const struct option_desc opt_level = LEVEL(0, 9), opt_window = WINDOW(10, 30);
static const struct option_desc level_zstd = LEVEL(-100, 22), level_lz4 = LEVEL(0, 12), level_brotli = LEVEL(0, 11),
                                window_brotli = WINDOW(10, 24);
NAMED_OPTION(opt_long, "long", NULL, 0, SPECIFIC, BOOL,
             "looks for matches far back, in a window of 2^27 bytes unless window= says another");
NAMED_OPTION(opt_max_ratio, "max-ratio", NULL, 0, SPECIFIC, INT,
             "how many times as large as what came an expanded stream may be, beyond its first MiB",
             FROM_TO(1, 1000000000));
NAMED_OPTION(opt_threads, "threads", NULL, 0, SPECIFIC, INT,
             "threads that compress, 1 (default) to 64; 0: one for each processor", FROM_TO(0, PACK_MOST_THREADS));

OPTION_TABLE(gzip) = {
    &opt_flush, &opt_level, &opt_max_ratio, &opt_threads,
    OPTIONS_END,
};
OPTION_TABLE(zstd) = {
    &opt_flush, &level_zstd, &opt_long, &opt_max_ratio, &opt_threads, &opt_window,
    OPTIONS_END,
};
OPTION_TABLE(lz4) = {
    &opt_flush, &level_lz4, &opt_max_ratio,
    OPTIONS_END,
};
OPTION_TABLE(brotli) = {
    &opt_flush, &level_brotli, &opt_max_ratio, &window_brotli,
    OPTIONS_END,
};
