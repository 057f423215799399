/* SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogs and what stands around them: whom they wait for, whom they have to hear, what has to follow. */
#include "engine/plan/checks.h"

#include <stddef.h>

const struct plan_link *plan_session_behind(const struct plan *p, const struct plan_link *dialog)
{
    ptrdiff_t step = dialog->wire == RIGHT ? -1 : 1;
    for (const struct plan_link *l = dialog + step; l >= p->links && l < p->links + p->nlinks; l += step)
        if (l->fwd->form->kind == FORM_SESSION || l->fate == FATE_PROGRAM)
            return l->fate != FATE_PROGRAM && l->wire == dialog->wire ? l : NULL;
    return NULL;
}

static const struct negotiator_ops *ops_of(const struct plan_link *l)
{
    return l->fate == FATE_DIALOG ? l->fwd->form->ops.negotiator : NULL;
}

static int check_session(const struct plan *p, const struct plan_link *l, struct err *e)
{
    const char *session = l->fwd->form->role == ROLE_SERVER ? "openssl-server" : "openssl";
    if (!ops_of(l) || !ops_of(l)->needs_session || plan_session_behind(p, l))
        return 0;
    return err_at(e, l->fwd->at, "%s: it prepares its peer for a session, which has to stand on its %s side: \"%s%s%s\"",
                  l->fwd->label, l->reversed ? "right" : "left", l->reversed ? "...|^" : "", session,
                  l->reversed ? "" : "|...");
}

/* What it leaves beyond the session reads what passes there, which has to be as that peer says it. */
static int check_beyond(const struct plan *p, const struct plan_link *l, struct err *e)
{
    const struct plan_link *session = ops_of(l) && ops_of(l)->leaves_beyond ? plan_session_behind(p, l) : NULL;
    ptrdiff_t step = l->wire == RIGHT ? -1 : 1;
    for (const struct plan_link *k = session ? session + step : p->links + p->nlinks;
         k >= p->links && k < p->links + p->nlinks && k->wire == l->wire; k += step)
        for (int source = LEFT; source <= RIGHT; source++) {
            const struct addr *a;
            const struct codec_ops *codec = k->fate == FATE_ENGINE ? plan_codec(k, source, &a) : NULL;
            if (codec && !codec->looks)
                return err_at(e, k->fwd->at, "this changes what goes through the session, which has to stay as it is for %s",
                              l->fwd->label);
        }
    return 0;
}

/* Each wants to hear first what the other one's peer says. */
static int check_listeners(const struct plan_link *a, const struct plan_link *b, struct err *e)
{
    if (a->wire != LEFT || b->wire != RIGHT || !ops_of(a) || !ops_of(b) || !ops_of(a)->talks_beyond ||
        !ops_of(b)->talks_beyond)
        return 0;
    return err_at(e, b->fwd->at, "%s and %s cannot be in one line: each has to hear first what the other one's peer "
                                 "says", a->fwd->label, b->fwd->label);
}

static bool talks(const struct plan_link *l)
{
    enum form_kind k = l->fwd->form->kind;
    return l->fate != FATE_NOTHING && k != FORM_CODEC && k != FORM_PROGRAM;
}

/* Two dialogs that wait for each other: each talks towards the other, nobody answers. */
static int check_facing(const struct plan_link *a, const struct plan_link *b, struct err *e)
{
    if (a->wire != RIGHT || b->wire != LEFT || !talks(a) || !talks(b) || (a->fate != FATE_DIALOG && b->fate != FATE_DIALOG))
        return 0;
    return err_at(e, b->fwd->at, "%s and %s talk towards each other at open time, so neither would get an answer",
                  a->fwd->label, b->fwd->label);
}

int plan_check_dialogs(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        if (check_session(p, &p->links[i], e) < 0 || check_beyond(p, &p->links[i], e) < 0)
            return -1;
        for (size_t j = i + 1; j < p->nlinks; j++)
            if (check_facing(&p->links[i], &p->links[j], e) < 0 || check_listeners(&p->links[i], &p->links[j], e) < 0)
                return -1;
    }
    return 0;
}
