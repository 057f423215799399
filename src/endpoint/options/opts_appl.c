/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options about the data of any address, whatever it is; the engine asks for them. */
#include "catena/option_row.h"

OPTION_TABLE(appl) = {
    OPTION("cr", NULL, GROUP_APPL, LATE, CONST,
           "line ends are LF on this side of the relay and CR at the address", .id = OPT_CR),
    OPTION("crnl", "crlf", GROUP_APPL, LATE, CONST,
           "line ends are LF on this side of the relay and CR LF at the address", .id = OPT_CRNL),
    OPTION("escape", NULL, GROUP_APPL, INIT, INT,
           "code of a character that ends the input like end of file", .id = OPT_ESCAPE),
    OPTION("ignoreeof", "ignoreof", GROUP_APPL, LATE, BOOL,
           "at end of file wait for more data, like tail -f", .id = OPT_IGNOREEOF),
    OPTION("lockfile", NULL, GROUP_APPL, INIT, STRING,
           "fail if this file exists, else create it and remove it at exit", .id = OPT_LOCKFILE),
    OPTION("readbytes", "bytes", GROUP_APPL, LATE, SIZE, "deliver so many bytes, then end of file",
           .id = OPT_READBYTES),
    OPTION("waitlock", NULL, GROUP_APPL, INIT, STRING,
           "wait while this file exists, then create it and remove it at exit", .id = OPT_WAITLOCK),
    OPTIONS_END,
};
