/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of METER. */
#include "inter/meter/opts_meter.h"

#include "catena/option_row.h"
#include "catena/options.h"
#include "inter/tap/opts_tap.h"

NAMED_OPTION(opt_meter_fd, "fd", NULL, 0, SPECIFIC, INT, "descriptor that a meter writes to; 2 (default) is standard error",
             FROM_TO(0, 1048575));
NAMED_OPTION(opt_meter_size, "size", NULL, 0, SPECIFIC, STRING,
             "bytes that are expected, such as 700M; a file says so by itself");

OPTION_TABLE(meter) = {
    &opt_meter_fd, &opt_format, &opt_interval, &opt_meter_size,
    OPTIONS_END,
};
