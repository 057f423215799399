/* SPDX-License-Identifier: GPL-2.0-or-later
 * --sandbox: the moment of confinement. See sandbox.h. */
#include "engine/confine/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "catena/diag.h"

static bool is_queue(const char *removal)
{
    return strncmp(removal, RUN_QUEUE, strlen(RUN_QUEUE)) == 0;
}

/* The process itself (abort()), and the programs that still run. n->pids is to be freed. */
static int find_needs(struct run *r, struct sandbox_needs *n, struct err *e)
{
    uint32_t *pids = calloc(r->nchildren + 1, sizeof *pids);
    *n = (struct sandbox_needs){.pids = pids};
    if (!pids)
        return err_nomem(e);
    pids[n->npids++] = (uint32_t)getpid();
    for (size_t i = 0; i < r->nchildren; i++)
        if (!r->children[i].done)
            pids[n->npids++] = (uint32_t)r->children[i].pid;
    for (size_t i = 0; i < r->nremovals; i++) {
        bool queue = is_queue(r->removals[i].what);
        n->removes_queues |= queue;
        n->removes |= !queue;
    }
    return 0;
}

static int confine(struct run *r, const struct sandbox_needs *n, struct err *e)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
        return err_sys(e, "--sandbox: prctl(PR_SET_NO_NEW_PRIVS)");
    if (sandbox_landlock(r->removals, r->nremovals) < 0) {
        if (errno != ENOSYS && errno != EOPNOTSUPP)
            return err_sys(e, "--sandbox: Landlock");
        diag(DIAG_NOTICE, "--sandbox: this kernel has no Landlock, so the filter of system calls "
                          "has to do alone");
    }
    return sandbox_filter(n, e);
}

int sandbox_enter(struct run *r, struct err *e)
{
    struct sandbox_needs n;
    if (!r->settings->sandbox)
        return 0;
    diag_settle();
    int rc = find_needs(r, &n, e) < 0 ? -1 : confine(r, &n, e);
    free((void *)(uintptr_t)n.pids);
    if (rc == 0)
        diag(DIAG_NOTICE, "confined: no more files, sockets or programs from here");
    return rc;
}
