/* SPDX-License-Identifier: GPL-2.0-or-later
 * Texts and addresses with holes, and what becomes of them: see catena/facts.h. */
#include "catena/facts.h"

#include <string.h>

#include "catena/addr.h"
#include "engine/plan/template.h"

/* ---- texts ---- */

struct template *template_parse(struct arena *a, const char *text, const size_t *braces,
                                size_t nbraces, struct err *e)
{
    const struct fact_desc *fact;
    struct template *t = NULL;
    for (size_t i = 0; i < nbraces; i++) {
        size_t len = hole_at(text + braces[i], &fact);
        if (len == 0)
            continue;
        if (!t) {
            t = arena_alloc(a, sizeof *t);
            struct hole *holes = t ? arena_alloc(a, nbraces * sizeof *holes) : NULL;
            if (!holes) {
                (void)err_nomem(e);
                return NULL;
            }
            *t = (struct template){.text = text, .holes = holes};
        }
        t->holes[t->nholes++] = (struct hole){fact, braces[i], len};
    }
    return t;
}

static int ask_all(const struct template *t, unsigned place, fact_source *ask, void *arg,
                   struct saying *said, size_t *total, struct err *e)
{
    *total = strlen(t->text);
    for (size_t i = 0; i < t->nholes; i++) {
        const struct fact_desc *f = t->holes[i].fact;
        if (!ask(arg, place, f, &said[i]))
            return err_set(e, ERR_UNFIT, "nobody has said what {%s} is, which %s needs", f->name,
                           t->what);
        if (fact_check(f, &said[i], t->in, e) < 0)
            return err_wrap(e, "%s", t->what);
        *total += said[i].len - t->holes[i].len;
    }
    return 0;
}

int template_fill(struct arena *a, const struct template *t, unsigned place, fact_source *ask,
                  void *arg, const char **out, struct err *e)
{
    size_t total, from = 0, n = 0;
    struct saying *said = arena_alloc(a, t->nholes * sizeof *said);
    if (!said)
        return err_nomem(e);
    if (ask_all(t, place, ask, arg, said, &total, e) < 0)
        return -1;
    char *s = arena_alloc(a, total + 1);
    if (!s)
        return err_nomem(e);
    for (size_t i = 0; i <= t->nholes; i++) {
        size_t to = i < t->nholes ? t->holes[i].off : strlen(t->text);
        memcpy(s + n, t->text + from, to - from);
        n += to - from;
        if (i == t->nholes)
            break;
        memcpy(s + n, said[i].value, said[i].len);
        n += said[i].len;
        from = to + t->holes[i].len;
    }
    *out = s;
    return 0;
}

/* ---- values ---- */

static int opt_fill(struct arena *a, const struct catena *c, struct opt *o, unsigned place,
                    fact_source *ask, void *arg, struct err *e)
{
    const char *text;
    if (template_fill(a, o->hole, place, ask, arg, &text, e) < 0) {
        e->where = o->at;
        return -1;
    }
    return value_convert(a, c, o->desc, text, o->at, &o->v, e);
}

/* ---- samples ---- */

int template_sample(struct arena *a, const struct template *t, const char **out, struct err *e)
{
    struct err other;
    for (unsigned i = 0; i < FACT_SAMPLES; i++)
        if (template_fill(a, t, 0, fact_sample, &i, out, i == 0 ? e : &other) == 0)
            return 0;
    e->where = t->at;
    return err_as(e, ERR_USAGE);
}

int opt_sample(struct arena *a, const struct catena *c, struct opt *o, struct err *e)
{
    struct err other;
    for (unsigned i = 0; i < FACT_SAMPLES; i++)
        if (opt_fill(a, c, o, 0, fact_sample, &i, i == 0 ? e : &other) == 0)
            return 0;
    return err_as(e, ERR_USAGE);
}

/* ---- addresses ---- */

static int fill_params(struct arena *a, const struct addr *t, fact_source *ask, void *arg,
                       struct addr *out, struct err *e)
{
    const char **params = arena_alloc(a, (t->nparams + 1) * sizeof *params);
    if (!params)
        return err_nomem(e);
    for (size_t i = 0; i < t->nparams; i++) {
        const struct template *hole = t->holes ? t->holes[i] : NULL;
        params[i] = t->params[i];
        if (hole && template_fill(a, hole, t->place, ask, arg, &params[i], e) < 0) {
            e->where = hole->at;
            return -1;
        }
    }
    out->params = params;
    return 0;
}

static int fill_opts(struct arena *a, const struct addr *t, fact_source *ask, void *arg,
                     struct addr *out, struct err *e)
{
    struct opt *opts = arena_alloc(a, (t->nopts + 1) * sizeof *opts);
    if (!opts)
        return err_nomem(e);
    for (size_t i = 0; i < t->nopts; i++) {
        opts[i] = t->opts[i];
        if (opts[i].hole && opt_fill(a, t->catena, &opts[i], t->place, ask, arg, e) < 0)
            return -1;
    }
    out->opts = opts;
    return 0;
}

int addr_fill(struct arena *a, const struct addr *t, const char *host, fact_source *ask, void *arg,
              struct addr *out, struct err *e)
{
    *out = *t;
    if (host)
        out->host = host;
    if (fill_params(a, t, ask, arg, out, e) < 0 || fill_opts(a, t, ask, arg, out, e) < 0)
        return -1;
    return t->form->check ? ERR_ASKED(e, t->form->check(out, e)) : 0;
}
