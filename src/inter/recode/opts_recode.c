/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of RECODE. */
#include "inter/recode/opts_recode.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_on_error, "on-error", NULL, 0, SPECIFIC, STRING,
             "what to do about bytes that are no character, and characters that the other set lacks: fail "
             "(default), replace or skip");

OPTION_TABLE(recode) = {
    &opt_on_error,
    OPTIONS_END,
};
