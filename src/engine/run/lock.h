/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lock files (-L, -W, lockfile, waitlock): it is the file's existence that locks. */
#ifndef CATENA_LOCK_H
#define CATENA_LOCK_H

#include <stdbool.h>

#include "catena/run.h"

/* Creates the lock file with our pid in it; it is removed when the run ends. wait: look again each
 * second while it exists, else that is an error. */
int lock_take(struct run *r, const char *path, bool wait, struct err *e);

#endif
