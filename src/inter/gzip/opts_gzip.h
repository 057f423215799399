/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_gzip.c that code asks for by name. */
#ifndef OPTS_GZIP_H
#define OPTS_GZIP_H

#include "catena/option.h"

extern const struct option_desc opt_flush, opt_level, opt_threads;
/* What GZIP and GUNZIP bring along. */
extern const struct option_desc *const options_gzip[];

#endif
