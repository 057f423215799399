/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for editing lines. */
#include "catena/option_row.h"

OPTION_TABLE(readline) = {
    OPTION("history-file", "history", GROUP_READLINE, LATE, STRING,
           "read the history from this file and write it back at the end", .id = OPT_HISTORY),
    OPTION("noecho", NULL, GROUP_READLINE, LATE, STRING,
           "regular expression: lines typed at a matching prompt are not shown", .id = OPT_NOECHO),
    OPTION("noprompt", NULL, GROUP_READLINE, LATE, BOOL, "show no prompt", .id = OPT_NOPROMPT),
    OPTION("prompt", NULL, GROUP_READLINE, LATE, STRING, "show this prompt", .id = OPT_PROMPT),
    OPTIONS_END,
};
