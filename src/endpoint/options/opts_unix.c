/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for UNIX domain sockets. */
#include "catena/option_row.h"

NAMED_OPTION(opt_bind_tempname, "unix-bind-tempname", "bind-tempname", GROUP_UNIX, PREOPEN,
             STRING_NULL, "bind to a new name made from this pattern, default /tmp/fileXXXXXX");
NAMED_OPTION(opt_tightsocklen, "unix-tightsocklen", "tightsocklen", GROUP_UNIX, PREBIND, BOOL,
             "address length covers the name only, not the whole structure");

OPTION_TABLE(unix) = {
    &opt_bind_tempname, &opt_tightsocklen,
    OPTIONS_END,
};
