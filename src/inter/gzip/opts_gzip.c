/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for compression. */
#include "inter/gzip/opts_gzip.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_flush, "flush", NULL, 0, SPECIFIC, STRING,
             "when compressed data is passed on: idle (default), always or never");
NAMED_OPTION(opt_level, "level", NULL, 0, SPECIFIC, INT, "0 (none) to 9 (best)");
NAMED_OPTION(opt_threads, "threads", NULL, 0, SPECIFIC, INT,
             "threads that compress, 1 (default) to 64; 0: one for each processor");

OPTION_TABLE(gzip) = {
    &opt_flush, &opt_level, &opt_threads,
    OPTIONS_END,
};
