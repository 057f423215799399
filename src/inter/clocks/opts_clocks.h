/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_clocks.c that code asks for by name. */
#ifndef OPTS_CLOCKS_H
#define OPTS_CLOCKS_H

#include "catena/option.h"

extern const struct option_desc opt_to_right, opt_to_left, opt_burst, opt_jitter, opt_buffer, opt_seed, opt_bits,
    opt_char_delay, opt_line_delay, opt_loss, opt_duplicate, opt_reorder, opt_corrupt;
extern const struct option_desc *const options_throttle[], *const options_delay[], *const options_pace[],
    *const options_netem[];

#endif
