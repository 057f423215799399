/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for editing lines. */
#include "catena/option_row.h"

NAMED_OPTION(opt_history, "history-file", "history", GROUP_READLINE, LATE, STRING,
             "read the history from this file and write it back at the end");
NAMED_OPTION(opt_noecho, "noecho", NULL, GROUP_READLINE, LATE, STRING,
             "regular expression: lines typed at a matching prompt are not shown");
NAMED_OPTION(opt_noprompt, "noprompt", NULL, GROUP_READLINE, LATE, BOOL, "show no prompt");
NAMED_OPTION(opt_prompt, "prompt", NULL, GROUP_READLINE, LATE, STRING, "show this prompt");

OPTION_TABLE(readline) = {
    &opt_history, &opt_noecho, &opt_noprompt, &opt_prompt,
    OPTIONS_END,
};
