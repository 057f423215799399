/* SPDX-License-Identifier: GPL-2.0-or-later
 * Compounds that say themselves what they are made of: see struct compound. */
#include "engine/plan/bind.h"

#include <string.h>

struct making {
    const struct binder *b;
    const struct addr *whole;
    const struct made_part *parts;
    struct addr *made[MADE_PARTS];
    size_t n;
};

static int make_params(const struct making *m, size_t i, struct err *e)
{
    const struct made_part *p = &m->parts[i];
    struct arena *ar = &m->b->plan->arena;
    const char **params = arena_alloc(ar, (p->nparams + 1) * sizeof *params);
    struct span *at = arena_alloc(ar, (p->nparams + 1) * sizeof *at);
    const struct template **holes = arena_alloc(ar, (p->nparams + 1) * sizeof *holes);
    if (!params || !at || !holes)
        return err_nomem(e);
    for (size_t k = 0; k < p->nparams; k++) {
        unsigned from = p->from[k];
        params[k] = from ? m->whole->params[from - 1] : p->params[k];
        at[k] = from ? m->whole->param_at[from - 1] : m->whole->at;
        holes[k] = from && m->whole->holes ? m->whole->holes[from - 1] : NULL;
    }
    m->made[i]->params = params;
    m->made[i]->param_at = at;
    m->made[i]->holes = holes;
    m->made[i]->nparams = p->nparams;
    return 0;
}

/* Who waits for connections, and what any address takes, belongs to the endpoint. */
static bool takes(const struct addr *a, const struct option_desc *d)
{
    bool inter = a->form->kind != FORM_ENDPOINT;
    return inter ? (d->groups & a->form->groups & ~GROUP_CHILD) || form_brings(a->form, d) : form_takes(a->form, d);
}

/* Names are looked up by the dialog as the endpoint does. */
static bool is_for(const struct making *m, size_t i, const struct option_desc *d)
{
    bool resolves = d->groups == (GROUP_IP4 | GROUP_IP6) && !d->apply && m->made[i]->form->kind == FORM_NEGOTIATOR;
    for (size_t k = 0; k < i; k++)
        if (takes(m->made[k], d))
            return false;
    return resolves || takes(m->made[i], d);
}

/* It stands nowhere but in itself. */
static struct span text_of(const char *value) { return value ? (struct span){value, 0, strlen(value)} : (struct span){0}; }

static int make_options(const struct making *m, size_t i, struct err *e)
{
    const struct made_part *p = &m->parts[i];
    struct addr *a = m->made[i];
    struct opt *opts = arena_alloc(&m->b->plan->arena, (p->nopts + m->whole->nopts + 1) * sizeof *opts);
    if (!opts)
        return err_nomem(e);
    a->opts = opts;
    a->nopts = 0;
    for (size_t k = 0; k < p->nopts; k++)
        opts[a->nopts++] = (struct opt){.desc = p->opts[k].row, .at = text_of(p->opts[k].value),
                                        .v = {.given = p->opts[k].value != NULL, .i = 1, .s = p->opts[k].value}};
    for (size_t k = 0; k < m->whole->nopts; k++)
        if (is_for(m, i, m->whole->opts[k].desc))
            opts[a->nopts++] = m->whole->opts[k];
    bind_settle_varies(a);
    return bind_names(m->b, m->whole->label, opts, a->nopts, e);
}

static int make_part(struct making *m, size_t i, struct err *e)
{
    const struct made_part *p = &m->parts[i];
    struct addr *a = arena_alloc(&m->b->plan->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    *a = *m->whole;
    m->made[i] = a;
    a->form = bind_find_form(m->b->plan->known, p->keyword, i + 1 < m->n, p->nparams);
    if (!a->form)
        return err_at(e, m->whole->at, "%s: %s is not available in this build", m->whole->label, p->keyword);
    a->keyword = a->form->keyword;
    return make_params(m, i, e);
}

int bind_made(const struct binder *b, const struct addr *whole, enum ctx left, const struct addr *inter[INTERS_MAX],
              size_t *ninter, const struct addr **out, struct err *e)
{
    struct made_part parts[MADE_PARTS] = {{0}};
    struct making m = {.b = b, .whole = whole, .parts = parts};
    if (ERR_ASKED(e, whole->form->ops.compound->make(whole, &b->plan->arena, parts, &m.n, e)) < 0)
        return e->where.text ? err_wrap(e, "%s", whole->label) : -1;
    for (size_t i = 0; i < m.n; i++)
        if (make_part(&m, i, e) < 0)
            return -1;
    for (size_t i = 0; i < m.n; i++) {
        if (make_options(&m, i, e) < 0)
            return -1;
        bind_become(m.made[i]);
        bool last = i + 1 == m.n;
        m.made[i]->left = i == 0 ? left : CTX_B;
        m.made[i]->right = last ? whole->right : CTX_B;
        if (!last)
            inter[(*ninter)++] = m.made[i];
    }
    *out = m.made[m.n - 1];
    return 0;
}
