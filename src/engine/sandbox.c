/* SPDX-License-Identifier: GPL-2.0-or-later
 * --sandbox: which lines it fits, and the moment of confinement. See sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"

/* Options that need more than relaying does once the transfer has begun. */
static const struct {
    enum option_id id;
    const char *why;
} needs_more[] = {
    {OPT_THREAD, "the process goes on opening addresses for new connections while others are "
                 "relayed; use \"fork\", whose children are confined each on its own"},
    {OPT_NOFORK, "the program replaces this process, and nothing of it would be left to confine; "
                 "leave out \"nofork\""},
    {OPT_HISTORY,
     "the file is written at the end, when files can no longer be opened; leave it out"},
};

static int not_here(const struct addr *a, const struct opt *o, const char *why, struct err *e)
{
    return err_at(e, o->at, "%s: option \"%s\" does not go with --sandbox: %s", a->label,
                  o->desc->name, why);
}

/* Who waits for connections looks at each before it is relayed; who only receives, at each
 * packet. */
static int check_tcpwrap(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, OPT_TCPWRAP);
    if (!o || a->form->kind != FORM_ENDPOINT || a->form->ops.endpoint->listen)
        return 0;
    return not_here(a, o, "files are consulted for each packet, when they can no longer be opened; "
                          "use \"range\"", e);
}

static int check_address(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < sizeof needs_more / sizeof needs_more[0]; i++) {
        const struct opt *o = opt_find(a, needs_more[i].id);
        if (o && (o->v.i != 0 || o->v.s))
            return not_here(a, o, needs_more[i].why, e);
    }
    return check_tcpwrap(a, e);
}

int sandbox_check(const struct plan *p, struct err *e)
{
    const struct addr *a;
    if (!p->settings->sandbox)
        return 0;
    if (!sandbox_filter_available())
        return err_set(e, ERR_USAGE, "option --sandbox: system calls cannot be filtered on this "
                                     "kind of processor; leave it out");
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            if (check_address(a, e) < 0)
                return -1;
    return 0;
}

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
