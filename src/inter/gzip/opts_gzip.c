/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for compression. */
#include "catena/option_row.h"

OPTION_TABLE(gzip) = {
    OPTION("flush", NULL, GROUP_GZIP, SPECIFIC, STRING,
           "when compressed data is passed on: idle (default), always or never", .id = OPT_FLUSH),
    OPTION("level", NULL, GROUP_GZIP, SPECIFIC, INT, "0 (none) to 9 (best)", .id = OPT_LEVEL),
    OPTION("threads", NULL, GROUP_GZIP, SPECIFIC, INT,
           "threads that compress, 1 (default) to 64; 0: one for each processor",
           .id = OPT_THREADS),
    OPTIONS_END,
};
