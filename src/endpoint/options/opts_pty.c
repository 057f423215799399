/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for pseudo terminals. */
#include "catena/option_row.h"

NAMED_OPTION(opt_openpty, "openpty", NULL, GROUP_PTY, BIGEN, BOOL,
             "make the pseudo terminal with openpty()");
NAMED_OPTION(opt_ptmx, "ptmx", NULL, GROUP_PTY, BIGEN, BOOL,
             "make the pseudo terminal by opening /dev/ptmx");
NAMED_OPTION(opt_pty_interval, "pty-interval", "pty-intervall", GROUP_PTY, EARLY, TIMESPEC,
             "seconds between looks for the slave side, default 1");
NAMED_OPTION(opt_pty_wait_slave, "pty-wait-slave", "wait-slave waitslave", GROUP_PTY, EARLY, BOOL,
             "wait until a process has opened the slave side");
NAMED_OPTION(opt_sitout_eio, "sitout-eio", NULL, GROUP_PTY, OFFSET, TIMEVAL,
             "bear so many seconds without an open slave side");
NAMED_OPTION(opt_pty_link, "symbolic-link", "link", GROUP_PTY, LATE, STRING,
             "make a symbolic link that leads to the slave side");

NAMED_OPTION(opt_track_line, "track-line", NULL, GROUP_PTY, OFFSET, BOOL,
             "tell the other side when a program on the slave side changes the line's settings");

OPTION_TABLE(pty) = {
    &opt_openpty, &opt_ptmx, &opt_pty_interval, &opt_pty_wait_slave, &opt_sitout_eio, &opt_pty_link,
    &opt_track_line,
    OPTIONS_END,
};
