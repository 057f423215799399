/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_transport.c that code asks for by name. */
#ifndef OPTS_TRANSPORT_H
#define OPTS_TRANSPORT_H

#include "catena/option.h"

extern const struct option_desc opt_lowport;

#endif
