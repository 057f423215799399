/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of BASE64 and HEX. */
#include "inter/text/opts_text.h"

#include "catena/option_row.h"
#include "inter/compress/opts_compress.h"

NAMED_OPTION(opt_case, "case", NULL, 0, SPECIFIC, STRING, "of hexadecimal digits: lower (default) or upper");
NAMED_OPTION(opt_line_length, "line-length", NULL, 0, SPECIFIC, INT,
             "characters in a line of text, each ended by a newline; 0 (default): no lines", FROM_TO(0, 1000000));
NAMED_OPTION(opt_padding, "padding", NULL, 0, SPECIFIC, STRING,
             "of base64: optional (default), strict, or none");
NAMED_OPTION(opt_separator, "separator", NULL, 0, SPECIFIC, STRING,
             "what is written between bytes in hexadecimal, and skipped when reading; any of :-, is by default");
NAMED_OPTION(opt_url, "url", NULL, 0, SPECIFIC, BOOL, "base64 with - and _ for + and /");

OPTION_TABLE(base64) = {
    &opt_flush, &opt_line_length, &opt_padding, &opt_url,
    OPTIONS_END,
};
OPTION_TABLE(hex) = {
    &opt_case, &opt_line_length, &opt_separator,
    OPTIONS_END,
};
