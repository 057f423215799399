/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_posixmq.c that code asks for by name. */
#ifndef OPTS_POSIXMQ_H
#define OPTS_POSIXMQ_H

#include "catena/option.h"

extern const struct option_desc opt_mq_flush, opt_mq_maxmsg, opt_mq_msgsize, opt_mq_priority;

#endif
