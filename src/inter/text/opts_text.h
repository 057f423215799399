/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_text.c that code asks for by name. */
#ifndef OPTS_TEXT_H
#define OPTS_TEXT_H

#include "catena/option.h"

extern const struct option_desc opt_case, opt_line_length, opt_padding, opt_separator, opt_url;
extern const struct option_desc *const options_base64[], *const options_hex[];

#endif
