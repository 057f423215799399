/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of SHA256. */
#include "inter/sum/opts_sum.h"

#include "catena/option_row.h"
#include "inter/tap/opts_tap.h"

NAMED_OPTION(opt_expect, "expect", NULL, 0, SPECIFIC, STRING,
             "the sum in hexadecimal digits that has to come out, else the run fails");

OPTION_TABLE(sum) = {
    &opt_direction, &opt_expect, &opt_label,
    OPTIONS_END,
};
