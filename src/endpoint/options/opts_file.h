/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_file.c that code asks for by name. */
#ifndef OPTS_FILE_H
#define OPTS_FILE_H

#include "catena/option.h"

extern const struct option_desc opt_group_early, opt_perm_early, opt_user_early, opt_unlink,
    opt_unlink_close, opt_unlink_early, opt_unlink_late;

#endif
