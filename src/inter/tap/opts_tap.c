/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of TAP. */
#include "inter/tap/opts_tap.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_format, "format", NULL, 0, SPECIFIC, STRING,
             "how a tap shows the data: text (default), hex, both, raw, pcapng; a meter: bar, line, json");
NAMED_OPTION(opt_direction, "direction", NULL, 0, SPECIFIC, STRING,
             "which way a tap looks at: both (default), right or left");
NAMED_OPTION(opt_label, "label", NULL, 0, SPECIFIC, STRING,
             "a word in the header of each block that a tap shows");

OPTION_TABLE(tap) = {
    &opt_format, &opt_direction, &opt_label,
    OPTIONS_END,
};
