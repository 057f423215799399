/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for compression, and which formats take which of them. */
#include "inter/compress/opts_compress.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_flush, "flush", NULL, 0, SPECIFIC, STRING,
             "when encoded data is passed on: idle (default), always or never");
NAMED_OPTION(opt_level, "level", NULL, 0, SPECIFIC, INT,
             "effort: gzip, zlib, deflate 0 (none) to 9, zstd -100 to 22, lz4 0 to 12, brotli 0 to 11");
NAMED_OPTION(opt_long, "long", NULL, 0, SPECIFIC, BOOL,
             "looks for matches far back, in a window of 2^27 bytes unless window= says another");
NAMED_OPTION(opt_max_ratio, "max-ratio", NULL, 0, SPECIFIC, INT,
             "how many times as large as what came an expanded stream may be, beyond its first MiB");
NAMED_OPTION(opt_threads, "threads", NULL, 0, SPECIFIC, INT,
             "threads that compress, 1 (default) to 64; 0: one for each processor");
NAMED_OPTION(opt_window, "window", NULL, 0, SPECIFIC, INT,
             "how far back matches are, and may be, as a power of 2: zstd 10 to 30, brotli 10 to 24");

OPTION_TABLE(gzip) = {
    &opt_flush, &opt_level, &opt_max_ratio, &opt_threads,
    OPTIONS_END,
};
OPTION_TABLE(zstd) = {
    &opt_flush, &opt_level, &opt_long, &opt_max_ratio, &opt_threads, &opt_window,
    OPTIONS_END,
};
OPTION_TABLE(lz4) = {
    &opt_flush, &opt_level, &opt_max_ratio,
    OPTIONS_END,
};
OPTION_TABLE(brotli) = {
    &opt_flush, &opt_level, &opt_max_ratio, &opt_window,
    OPTIONS_END,
};
