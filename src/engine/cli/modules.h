/* SPDX-License-Identifier: GPL-2.0-or-later
 * Contributed addresses: modules (catena/module.h), loaded once the switches are known. */
#ifndef CATENA_MODULES_H
#define CATENA_MODULES_H

#include "engine/cli/cmdline.h"

/* What --module and the variable CATENA_MODULES name, files or directories, and what is in the module directory, comes
 * on top of what is known. One that was named and cannot be had is an error, in the directory it is left out. */
int modules_load(struct cmdline *c, struct err *e);

#endif
