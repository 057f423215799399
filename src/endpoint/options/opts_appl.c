/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options about the data of any address, whatever it is; the engine asks for them. */
#include "catena/option_row.h"

NAMED_OPTION(opt_cr, "cr", NULL, GROUP_APPL, LATE, CONST,
             "line ends are LF on this side of the relay and CR at the address");
NAMED_OPTION(opt_crnl, "crnl", "crlf", GROUP_APPL, LATE, CONST,
             "line ends are LF on this side of the relay and CR LF at the address");
NAMED_OPTION(opt_escape, "escape", NULL, GROUP_APPL, INIT, INT,
             "code of a character that ends the input like end of file");
NAMED_OPTION(opt_ignoreeof, "ignoreeof", "ignoreof", GROUP_APPL, LATE, BOOL,
             "at end of file wait for more data, like tail -f");
NAMED_OPTION(opt_lockfile, "lockfile", NULL, GROUP_APPL, INIT, STRING,
             "fail if this file exists, else create it and remove it at exit");
NAMED_OPTION(opt_readbytes, "readbytes", "bytes", GROUP_APPL, LATE, SIZE,
             "deliver so many bytes, then end of file");
NAMED_OPTION(opt_waitlock, "waitlock", NULL, GROUP_APPL, INIT, STRING,
             "wait while this file exists, then create it and remove it at exit");

OPTION_TABLE(appl) = {
    &opt_cr, &opt_crnl, &opt_escape, &opt_ignoreeof, &opt_lockfile, &opt_readbytes, &opt_waitlock,
    OPTIONS_END,
};
