/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_records.c that code asks for by name. */
#ifndef OPTS_RECORDS_H
#define OPTS_RECORDS_H

#include "catena/option.h"

extern const struct option_desc opt_max_size, opt_line_end, opt_little_endian, opt_include, opt_accm;
extern const struct option_desc *const options_frames[], *const options_lines[], *const options_length[],
    *const options_hdlc[];

#endif
