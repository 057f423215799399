/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is spoken inside of a session is known where the address on its data side says so: the session may have to
 * agree upon it with its peer (ALPN). */
#include "engine/plan/checks.h"

/* It changes nothing that anybody behind it would notice. */
static bool looks_only(const struct plan_link *l)
{
    const struct codec_pair *c = l->fwd->form->kind == FORM_CODEC && !l->back ? l->fwd->form->ops.codec : NULL;
    return c && (c->passes || (c->encode && c->encode->looks && c->decode && c->decode->looks));
}

/* Who stands next on the data side, and talks the same way. */
static const struct plan_link *speaker(const struct plan *p, const struct plan_link *session)
{
    ptrdiff_t step = session->wire == RIGHT ? -1 : 1;
    for (const struct plan_link *l = session + step; l >= p->links && l < p->links + p->nlinks; l += step)
        if (!looks_only(l))
            return l->wire == session->wire && l->chain == session->chain ? l : NULL;
    return NULL;
}

int plan_settle_spoken(struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        struct plan_link *l = &p->links[i];
        const struct plan_link *by = l->fwd->form->kind == FORM_SESSION ? speaker(p, l) : NULL;
        struct addr *a;
        if (!by || !by->fwd->form->speaks)
            continue;
        if (!(a = arena_alloc(&p->arena, sizeof *a)))
            return err_nomem(e);
        *a = *l->fwd;
        a->speaks = by->fwd->form->speaks;
        l->fwd = a;
    }
    return 0;
}
