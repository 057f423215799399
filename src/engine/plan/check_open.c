/* SPDX-License-Identifier: GPL-2.0-or-later
 * Open proxies: an address that connects its clients to wherever they want, behind a door that lets
 * everybody in. Hardly anybody means that, and it is found within hours. */
#include "engine/plan/checks.h"

/* A proxy on this host brings others. */
static enum admits admits_of(const struct addr *a)
{
    enum admits who = a->form->admits ? a->form->admits(a) : ADMITS_ANYBODY;
    return who == ADMITS_THIS_HOST && a->introduced ? ADMITS_ANYBODY : who;
}

/* Somebody on the way there, or the listening address itself, looks who comes. */
static bool is_guarded(const struct plan *p, size_t link)
{
    const struct plan_link *l = &p->links[link];
    size_t step = l->wire == RIGHT ? 1 : (size_t)-1;
    for (size_t i = link + step; i < p->nlinks; i += step)
        if (p->links[i].wire == l->wire && p->links[i].fwd->form->role == ROLE_SERVER &&
            admits_of(p->links[i].fwd) != ADMITS_ANYBODY)
            return true;
    return admits_of(p->end[l->wire].fwd) != ADMITS_ANYBODY;
}

int plan_check_open(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct addr *a = p->links[i].fwd, *end = p->end[p->links[i].wire].fwd;
        if (!a->form->serves_anybody || !a->form->serves_anybody(a) || end->form->role != ROLE_SERVER ||
            is_guarded(p, i))
            continue;
        return err_at(e, a->at, "%s: whoever reaches %s would be connected to anything; say who may come "
                                "(auth, auth-file, or range or bind=127.0.0.1 there) or where to (allow), "
                                "or that it is to be so (open)", a->label, end->label);
    }
    return 0;
}
