/* SPDX-License-Identifier: GPL-2.0-or-later
 * Open proxies: an address that connects its clients to wherever they want, behind a door that lets
 * everybody in. Hardly anybody means that, and it is found within hours. */
#include "engine/plan/checks.h"

#include <string.h>

/* A proxy on this host brings others; and if anybody may say who comes, that he may is only what he says. */
static enum admits admits_of(const struct addr *a)
{
    enum admits who = a->form->admits ? a->form->admits(a) : ADMITS_ANYBODY;
    bool open = who == ADMITS_THIS_HOST || a->introducer == ADMITS_ANYBODY;
    return a->introduced && open ? ADMITS_ANYBODY : who;
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

static bool ends_with_hole(const struct template *t, const struct fact_desc *f)
{
    for (size_t i = 0; t && t->in == IN_HOST && i < t->nholes; i++)
        if (t->holes[i].fact == f && t->text[t->holes[i].off + t->holes[i].len] == '\0')
            return true;
    return false;
}

static bool reaches_by(const struct plan *p, const struct addr *a, const struct addr *teller, const struct fact_desc *f)
{
    for (size_t i = 0; a && a->holes && i < a->nparams; i++)
        if (ends_with_hole(a->holes[i], f) && plan_teller(p, a->place, f) == teller)
            return true;
    return false;
}

/* Does what it has learnt say which host is reached, and all of it? Who was chosen by his name said no other. */
static bool says_where(const struct plan *p, const struct addr *teller)
{
    const char *name = teller->form->serves_by;
    const struct fact_desc *f = name ? fact_lookup(name, strlen(name)) : NULL;
    const struct addr *a;
    if (!f)
        return true;
    if (p->is_route && p->route_of[strspn(p->route_of, "*.")])
        return false;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            if (reaches_by(p, a, teller, f))
                return true;
    return false;
}

static bool has_range(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (strcmp(a->opts[i].desc->name, "range") == 0)
            return true;
    return false;
}

/* What would help there, and is not there already. */
static const char *ways(const struct addr *end)
{
    static const char *const list[][2] = {
        {"range or bind=127.0.0.1 there", "a narrower range or bind=127.0.0.1 there"},
        {"range there", "a narrower range there"},
        {"range there with from=<proxies>, as anybody may say now who comes",
         "from=<proxies>, as anybody may say now that range lets him in"},
    };
    return list[!end->introduced ? 0 : end->introducer == ADMITS_ANYBODY ? 2 : 1][has_range(end)];
}

int plan_check_open(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct addr *a = p->links[i].fwd, *end = p->end[p->links[i].wire].fwd;
        if (!a->form->serves_anybody || !a->form->serves_anybody(a) || end->form->role != ROLE_SERVER ||
            !says_where(p, a) || is_guarded(p, i))
            continue;
        return err_at(e, a->at, "%s: whoever reaches %s would be connected to anything; say who may come "
                                "(auth, auth-file, or %s) or where to (allow), or that it is to be so (open)",
                      a->label, end->label, ways(end)), err_called(e, ERR_OPEN);
    }
    return 0;
}
