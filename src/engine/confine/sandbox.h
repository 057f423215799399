/* SPDX-License-Identifier: GPL-2.0-or-later
 * --sandbox: once everything of a run is open, its process confines itself to what relaying needs,
 * for good: a filter of system calls, and Landlock where the kernel has it. Programs that the run
 * has started stay as they are; the parent of a forking address is not confined, its children
 * are. */
#ifndef CATENA_SANDBOX_H
#define CATENA_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/err.h"
#include "catena/plan.h"
#include "catena/run.h"

/* Between open and relay, in the run's own thread; confines all threads of the process. Does
 * nothing without --sandbox. */
int sandbox_enter(struct run *r, struct err *e);

/* What a run needs beyond moving bytes. */
struct sandbox_needs {
    const uint32_t *pids; /* of the programs it may have to end, and its own */
    size_t npids;
    bool removes, removes_queues; /* at the end */
};

/* Whether the filter knows this kind of processor. */
bool sandbox_filter_available(void);
/* From now on a call that is neither permitted nor refused ends the process with a message. Needs
 * no_new_privs. */
int sandbox_filter(const struct sandbox_needs *n, struct err *e);
/* No file is opened and no TCP port bound or connected any more; what is listed can be removed.
 * Needs no_new_privs. Gives 0, or -1 with errno (ENOSYS, EOPNOTSUPP: the kernel has no
 * Landlock). */
int sandbox_landlock(const struct removal *removals, size_t n);
long sandbox_landlock_version(void); /* or -1 */

#endif
