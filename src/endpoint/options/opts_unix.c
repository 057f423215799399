/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for UNIX domain sockets. */
#include "catena/option_row.h"

OPTION_TABLE(unix) = {
    OPTION("unix-bind-tempname", "bind-tempname", GROUP_UNIX, PREOPEN, STRING_NULL,
           "bind to a new name made from this pattern, default /tmp/fileXXXXXX",
           .id = OPT_BIND_TEMPNAME),
    OPTION("unix-tightsocklen", "tightsocklen", GROUP_UNIX, PREBIND, BOOL,
           "address length covers the name only, not the whole structure", .id = OPT_TIGHTSOCKLEN),
    OPTIONS_END,
};
