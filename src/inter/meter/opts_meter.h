/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_meter.c that code asks for by name. */
#ifndef OPTS_METER_H
#define OPTS_METER_H

#include "catena/option.h"

extern const struct option_desc opt_meter_fd, opt_meter_size;
extern const struct option_desc *const options_meter[];

#endif
