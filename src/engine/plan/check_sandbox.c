/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which lines get by with what a process confined by --sandbox may do. */
#include "catena/endpoint.h"
#include "catena/options.h"
#include "engine/plan/checks.h"

/* Options that need more than relaying does once the transfer has begun. */
static const struct {
    const struct option_desc *row;
    const char *why;
} needs_more[] = {
    {&opt_thread, "the process goes on opening addresses for new connections while others are "
                  "relayed; use \"fork\", whose children are confined each on its own"},
    {&opt_nofork, "the program replaces this process, and nothing of it would be left to confine; "
                  "leave out \"nofork\""},
    {&opt_history,
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
    const struct opt *o = opt_find(a, &opt_tcpwrap);
    if (!o || a->form->kind != FORM_ENDPOINT || a->form->ops.endpoint->listen)
        return 0;
    return not_here(a, o, "files are consulted for each packet, when they can no longer be opened; "
                          "use \"range\"", e);
}

static int check_address(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < sizeof needs_more / sizeof needs_more[0]; i++) {
        const struct opt *o = opt_find(a, needs_more[i].row);
        if (o && (o->v.i != 0 || o->v.s))
            return not_here(a, o, needs_more[i].why, e);
    }
    return check_tcpwrap(a, e);
}

int plan_check_sandbox(const struct plan *p, struct err *e)
{
    const struct addr *a;
    if (!p->settings->sandbox)
        return 0;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            if (check_address(a, e) < 0)
                return -1;
    return 0;
}
