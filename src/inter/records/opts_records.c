/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of the addresses that put records into frames. */
#include "inter/records/opts_records.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_max_size, "max-size", NULL, 0, SPECIFIC, INT,
             "bytes that a record may have, up to 16777216; default as the frames are made", FROM_TO(1, 16777216));
NAMED_OPTION(opt_line_end, "line-end", NULL, 0, SPECIFIC, STRING, "what ends a line: lf (default), crlf or nul");
NAMED_OPTION(opt_little_endian, "little-endian", "le", 0, SPECIFIC, BOOL,
             "the least byte of the length comes first");
NAMED_OPTION(opt_include, "include", NULL, 0, SPECIFIC, BOOL, "the length counts its own bytes, too");
NAMED_OPTION(opt_accm, "accm", NULL, 0, SPECIFIC, LONG,
             "the control characters that are escaped, a bit for each: all (0xffffffff) by default",
             FROM_TO(0, UINT32_MAX));

OPTION_TABLE(frames) = {&opt_max_size, OPTIONS_END};
OPTION_TABLE(lines) = {&opt_max_size, &opt_line_end, OPTIONS_END};
OPTION_TABLE(length) = {&opt_max_size, &opt_little_endian, &opt_include, OPTIONS_END};
OPTION_TABLE(hdlc) = {&opt_max_size, &opt_accm, OPTIONS_END};
