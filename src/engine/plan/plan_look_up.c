/* SPDX-License-Identifier: GPL-2.0-or-later
 * Between planning and opening: the names in options get their numbers. In a dry run, what is
 * missing by now, names or files, is shown: whether it matters then is for the caller to say. */
#include <unistd.h>

#include "engine/plan/bind.h"
#include "engine/plan/plan_trunk.h"
#include "engine/plan/routes_plan.h"

/* What could not be looked up and is left out (-s). */
static const struct option_desc left_out = {.name = "(left out)"};

static int keep(struct plan *p, struct plan_note **list, const struct err *what, struct err *e)
{
    return note_add(&p->arena, list, DIAG_ERROR, err_code_of(what), what->where, "%s", what->text) < 0 ? err_nomem(e)
                                                                                     : 0;
}

static int look_up_names(struct plan *p, struct err *e)
{
    for (const struct plan_name *n = p->names; n; n = n->next) {
        struct opt *o = n->opt;
        struct err why;
        if (value_look_up(&p->arena, o->desc, o->at, &o->v, &why) == 0)
            continue;
        (void)err_wrap(&why, "%s", n->label);
        *e = why;
        if (!o->sloppy && !p->settings->dry_run)
            return -1;
        if (keep(p, p->settings->dry_run ? &p->missing : &p->notes, &why, e) < 0)
            return -1;
        if (o->sloppy)
            o->desc = &left_out;
    }
    return 0;
}

/* ---- a dry run ---- */

static int miss(struct plan *p, const struct addr *a, struct err *why, struct err *e)
{
    (void)err_wrap(why, "%s", a->label);
    return keep(p, &p->missing, why, e);
}

static int foresee_files(struct plan *p, const struct addr *a, struct err *e)
{
    struct err why;
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        if (o->hole || !o->desc->file || !o->v.s || !*o->v.s || access(o->v.s, R_OK) == 0)
            continue;
        (void)err_sys(&why, "option \"%s\": \"%.300s\"", o->desc->name, o->v.s);
        if (miss(p, a, &why, e) < 0)
            return -1;
    }
    return 0;
}

/* Whether there is what a sample names says nothing. */
static bool names_sample(const struct addr *a)
{
    for (size_t i = 0; a->holes && i < a->nparams; i++)
        if (a->holes[i] && a->holes[i]->in == IN_NAME)
            return true;
    return false;
}

static int foresee(struct plan *p, struct err *e)
{
    const struct addr *a;
    struct err why;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            if (foresee_files(p, a, e) < 0 ||
                (a->form->foresee && !names_sample(a) && ERR_ASKED(&why, a->form->foresee(a, &why)) < 0 &&
                 miss(p, a, &why, e) < 0))
                return -1;
    return 0;
}

int plan_look_up(struct plan *p, struct err *e)
{
    return look_up_names(p, e) < 0 || routes_read(p, e) < 0 || (p->settings->dry_run && foresee(p, e) < 0) ||
                   plan_look_up_trunk(p, e) < 0
               ? -1
               : 0;
}
