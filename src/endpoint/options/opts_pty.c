/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for pseudo terminals. */
#include "catena/option_row.h"

OPTION_TABLE(pty) = {
    OPTION("openpty", NULL, GROUP_PTY, BIGEN, BOOL, "make the pseudo terminal with openpty()",
           .id = OPT_OPENPTY),
    OPTION("ptmx", NULL, GROUP_PTY, BIGEN, BOOL, "make the pseudo terminal by opening /dev/ptmx",
           .id = OPT_PTMX),
    OPTION("pty-interval", "pty-intervall", GROUP_PTY, EARLY, TIMESPEC,
           "seconds between looks for the slave side, default 1", .id = OPT_PTY_INTERVAL),
    OPTION("pty-wait-slave", "wait-slave waitslave", GROUP_PTY, EARLY, BOOL,
           "wait until a process has opened the slave side", .id = OPT_PTY_WAIT_SLAVE),
    OPTION("sitout-eio", NULL, GROUP_PTY, OFFSET, TIMEVAL,
           "bear so many seconds without an open slave side", .id = OPT_SITOUT_EIO),
    OPTION("symbolic-link", "link", GROUP_PTY, LATE, STRING,
           "make a symbolic link that leads to the slave side", .id = OPT_PTY_LINK),
    OPTIONS_END,
};
