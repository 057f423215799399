/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of DIALOG. What is waited for is sum's expect, what ends a line is records'. */
#include "inter/dialog/opts_dialog.h"

#include "catena/option_row.h"
#include "catena/options.h"
#include "inter/records/opts_records.h"
#include "inter/sum/opts_sum.h"

NAMED_SECRET(opt_send, "send", NULL, NULL, NULL, 0, SPECIFIC, "what a dialog says next");
NAMED_OPTION(opt_abort, "abort", NULL, 0, SPECIFIC, STRING, "a dialog fails at once if this text comes");
NAMED_OPTION(opt_timeout, "timeout", NULL, 0, SPECIFIC, TIMEVAL,
             "seconds for each text that a dialog waits for, default 30, 0 for ever");
NAMED_OPTION(opt_on_fail, "on-fail", NULL, 0, SPECIFIC, STRING,
             "what a dialog that fails does: fail (default), pass (the line is opened all the same), or "
             "send:<text> and fail");

OPTION_TABLE(dialog) = {
    &opt_expect,
    NAMED_SECRET_ROWS(opt_send),
    &opt_abort, &opt_timeout, &opt_on_fail, &opt_line_end,
    &opt_handshake_timeout,
    OPTIONS_END,
};
