/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of DIALOG. */
#include "inter/dialog/opts_dialog.h"

#include "catena/option_row.h"
#include "catena/options.h"

NAMED_OPTION(opt_await, "expect", NULL, 0, SPECIFIC, STRING,
             "what a dialog waits for next: a text, or /regular expression/");
NAMED_SECRET(opt_send, "send", NULL, NULL, NULL, 0, SPECIFIC, "what a dialog says next");
NAMED_OPTION(opt_abort, "abort", NULL, 0, SPECIFIC, STRING, "a dialog fails at once if this text comes");
NAMED_OPTION(opt_timeout, "timeout", NULL, 0, SPECIFIC, TIMEVAL,
             "seconds for each text that a dialog waits for, default 30, 0 for ever", FROM_TO(0, 1000000));
NAMED_OPTION(opt_on_fail, "on-fail", NULL, 0, SPECIFIC, STRING,
             "what a dialog that fails does: fail (default), pass (the line is opened all the same), or "
             "send:<text> and fail");
NAMED_OPTION(opt_say_end, "line-end", NULL, 0, SPECIFIC, STRING,
             "what ends each text that a dialog says: cr (default), lf, crlf or none");

OPTION_TABLE(dialog) = {
    &opt_await,
    NAMED_SECRET_ROWS(opt_send),
    &opt_abort, &opt_timeout, &opt_on_fail, &opt_say_end,
    &opt_handshake_timeout,
    OPTIONS_END,
};
