/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an address is given: the options that it takes or hands on to the right, converted, and which of
 * its texts facts will complete. */
#include "engine/plan/bind.h"

#include <string.h>

#include "catena/option.h"
#include "catena/registry.h"
#include "engine/plan/template.h"

/* ---- holes ---- */

/* Programs have the environment, and their text is theirs. */
static bool takes_holes(const struct binder *b, const struct form *f)
{
    return !b->plan->no_holes && f->kind != FORM_PROGRAM && !(f->groups & GROUP_EXEC);
}

static bool ends_in(const char *s, size_t n, const char *word)
{
    size_t w = strlen(word);
    return n >= w && memcmp(s + n - w, word, w) == 0;
}

static enum hole_in kind_of(const char *name, size_t n, enum hole_in otherwise)
{
    return ends_in(name, n, "uri") || ends_in(name, n, "origin") || ends_in(name, n, "alpn") ? IN_URI
           : ends_in(name, n, "host") || ends_in(name, n, "server") ? IN_HOST
           : ends_in(name, n, "port")                              ? IN_PORT
                                                                   : otherwise;
}

/* The name of a parameter, from what help shows: ":<host>:<port>". */
static const char *param_name(const struct form *f, size_t index, size_t *n)
{
    const char *p = f->params;
    for (size_t i = 0; p && (p = strchr(p, '<')); i++, p++) {
        *n = strcspn(p + 1, ">");
        if (i == index)
            return p + 1;
    }
    *n = strlen("value");
    return "value";
}

/* *out stays NULL if the text has no holes. */
static int find_holes(const struct binder *b, const struct text *t, enum hole_in in,
                      const char *what, const struct template **out, struct err *e)
{
    struct err nomem = {.kind = ERR_NONE};
    struct template *made = template_parse(&b->plan->arena, t->s, t->braces, t->nbraces, &nomem);
    if (nomem.kind != ERR_NONE || !what)
        return err_nomem(e);
    if (!made)
        return 0;
    made->in = in;
    made->what = what;
    made->at = t->at;
    *out = made;
    return 0;
}

int bind_holes(const struct binder *b, const struct single_spec *s, struct addr *a,
                            const char **params, struct err *e)
{
    const struct template **holes = NULL;
    for (size_t i = 0; i < s->nparams && takes_holes(b, a->form); i++) {
        size_t n;
        const struct template *t = NULL;
        if (s->params[i].nbraces == 0)
            continue;
        const char *name = param_name(a->form, i, &n);
        const char *what = arena_printf(&b->plan->arena, "<%.*s>", (int)n, name);
        if (find_holes(b, &s->params[i], kind_of(name, n, IN_NAME), what, &t, e) < 0)
            return -1;
        if (!t)
            continue;
        if (!holes && !(holes = arena_alloc(&b->plan->arena, (s->nparams + 1) * sizeof *holes)))
            return err_nomem(e);
        holes[i] = t;
        if (template_sample(&b->plan->arena, t, &params[i], e) < 0)
            return err_wrap(e, "%s", a->label);
    }
    a->holes = holes;
    a->varies = holes != NULL;
    return 0;
}

static bool is_number(const struct option_desc *d)
{
    return d->type < VALUE_STRING && d->type != VALUE_UID && d->type != VALUE_GID;
}

/* What the planner itself goes by, and what secret variables are called, is text. */
static bool value_takes_holes(const struct option_desc *d)
{
    bool settled = d->type == VALUE_CONST || d->type == VALUE_TIMEVAL ||
                   d->type == VALUE_TIMESPEC || d->type == VALUE_LINGER;
    bool planned = d->groups & (GROUP_APPL | GROUP_RETRY | GROUP_CHILD | GROUP_FORK | GROUP_LISTEN);
    return d->secret != SECRET_ENV && !settled && !(is_number(d) && planned);
}

static int find_value_holes(const struct binder *b, const struct opt_spec *o, const struct form *f,
                            struct opt *out, struct err *e)
{
    const struct option_desc *d = out->desc;
    if (!takes_holes(b, f) || o->value.nbraces == 0 || !value_takes_holes(d))
        return 0;
    const char *what = arena_printf(&b->plan->arena, "option \"%s\"", d->name);
    enum hole_in otherwise = d->file || d->secret == SECRET_FILE ? IN_NAME : IN_WORD;
    enum hole_in in = is_number(d) ? IN_NUMBER : kind_of(d->name, strlen(d->name), otherwise);
    return find_holes(b, &o->value, in, what, &out->hole, e);
}

/* ---- options ---- */

static int unknown_option(const struct registry *known, const struct opt_spec *o, const char *label,
                          const struct form *f, struct err *e)
{
    char near[64];
    if (option_nearest(known, o->name.s, f, near, sizeof near))
        return err_at(e, o->name.at, "%s: unknown option \"%.100s\"; did you mean \"%s\"?", label,
                      o->name.s, near);
    return err_at(e, o->name.at, "%s: unknown option \"%.100s\"", label, o->name.s);
}

/* With -g: what acts on any descriptor, or on the opening of any address, is tried. What an address
 * asks for by itself means nothing to one that does not. */
static bool can_be_tried(const struct form *f, const struct option_desc *d)
{
    return !form_is_inter(f) && (d->apply || d->tio || d->groups & GROUP_RETRY);
}

static int not_for_this(const struct binder *b, const struct opt_spec *o, const char *label,
                        const struct form *f, struct err *e)
{
    const struct option_desc *d = option_lookup(b->plan->known, o->name.s);
    char belongs[512], has[512];
    option_owners(b->plan->known, d, belongs, sizeof belongs);
    group_list(f->groups & ~GROUPS_EVERY, has, sizeof has);
    if (b->plan->settings->no_group_check)
        return err_at(e, o->name.at, "%s: option \"%.100s\" could not be used: only addresses of %s "
                                     "know what to do with it", label, o->name.s, belongs);
    return err_at(e, o->name.at,
                  "%s: option \"%.100s\" is not for this address: it belongs to %s, the address "
                  "has the groups %s (-g switches this check off)",
                  label, o->name.s, belongs, has[0] ? has : "(none)");
}

/* Gives 1 when bound, 0 when left out (-s), -1. */
static int bind_option(const struct binder *b, const struct opt_spec *o, const char *label,
                       const struct form *f, const struct option_desc *d, struct opt *out,
                       struct err *e)
{
    *out = (struct opt){.desc = d,
                        .at = o->has_value ? o->value.at : o->name.at,
                        .sloppy = b->plan->settings->sloppy};
    if (find_value_holes(b, o, f, out, e) < 0)
        return -1;
    if (out->hole ? opt_sample(&b->plan->arena, b->plan->settings->catena, out, e) == 0
                  : value_convert(&b->plan->arena, b->plan->settings->catena, d,
                                  o->has_value ? o->value.s : NULL, out->at, &out->v, e) == 0)
        return 1;
    (void)err_wrap(e, "%s", label);
    if (!out->sloppy)
        return -1;
    return note_add(&b->plan->arena, &b->out->notes, DIAG_ERROR, err_code_of(e), e->where, "%s", e->text) < 0
               ? err_nomem(e)
               : 0;
}

/* An option that stands at an address to the left, and that none between held. */
static int adopt(struct binder *b, const struct stray *s, const char *label, struct addr *a,
                 struct opt *opts, struct err *e)
{
    const struct option_desc *d = option_lookup_at(b->plan->known, a->form, s->spec->name.s);
    int rc = bind_option(b, s->spec, s->label, a->form, d, &opts[a->nopts], e);
    if (rc < 0)
        return -1;
    a->varies |= rc > 0 && opts[a->nopts].hole;
    a->nopts += (size_t)rc;
    return note_add(&b->plan->arena, &b->out->notes, DIAG_NOTICE, ERR_NONE, s->spec->name.at,
                    "%s: option \"%.100s\" is not for this address, but for what it leads to: it "
                    "goes to %s", s->label, s->spec->name.s, label) < 0
               ? err_nomem(e)
               : 0;
}

static int adopt_strays(struct binder *b, const char *label, struct addr *a, struct opt *opts,
                        struct err *e)
{
    size_t left = 0;
    for (size_t i = 0; i < b->nstrays; i++) {
        const struct stray *s = &b->strays[i];
        bool ours = s->link < b->link &&
                    form_takes(a->form, option_lookup_at(b->plan->known, a->form, s->spec->name.s));
        if (!ours)
            b->strays[left++] = *s;
        else if (adopt(b, s, label, a, opts, e) < 0)
            return -1;
    }
    b->nstrays = left;
    return 0;
}

static int bind_own(struct binder *b, const struct opt_spec *o, const char *label, struct addr *a,
                    struct opt *opts, struct err *e)
{
    const struct form *f = a->form;
    const struct option_desc *d = option_lookup_at(b->plan->known, f, o->name.s);
    if (!d)
        return unknown_option(b->plan->known, o, label, f, e), err_called(e, ERR_UNKNOWN_OPTION);
    if (form_takes(f, d) || (b->plan->settings->no_group_check && can_be_tried(f, d))) {
        int rc = bind_option(b, o, label, f, d, &opts[a->nopts], e);
        a->varies |= rc > 0 && opts[a->nopts].hole;
        a->nopts += rc > 0;
        return rc < 0 ? -1 : 0;
    }
    if (b->last)
        return not_for_this(b, o, label, f, e), err_called(e, ERR_WRONG_OPTION);
    b->strays[b->nstrays++] = (struct stray){.spec = o, .form = f, .label = label, .link = b->link};
    return 0;
}

int bind_names(const struct binder *b, const char *label, struct opt *opts, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct plan_name *name;
        if (opts[i].hole || !value_is_name(opts[i].desc, &opts[i].v))
            continue;
        name = arena_alloc(&b->plan->arena, sizeof *name);
        if (!name)
            return err_nomem(e);
        *name = (struct plan_name){.opt = &opts[i], .label = label, .next = b->out->names};
        b->out->names = name;
    }
    return 0;
}

/* What is typed at the address itself comes last, and so wins. */
int bind_options(struct binder *b, const struct single_spec *s, struct addr *a, struct err *e)
{
    struct opt *opts = arena_alloc(&b->plan->arena, (b->nstrays + s->nopts + 1) * sizeof *opts);
    if (!opts)
        return err_nomem(e);
    a->opts = opts;
    if (adopt_strays(b, a->label, a, opts, e) < 0)
        return -1;
    for (size_t i = 0; i < s->nopts; i++)
        if (bind_own(b, &s->opts[i], a->label, a, opts, e) < 0)
            return -1;
    bool shared_out = a->form->kind == FORM_COMPOUND;
    return shared_out ? 0 : bind_names(b, a->label, opts, a->nopts, e);
}

int bind_finish(const struct binder *b, struct err *e)
{
    const struct stray *s = b->strays;
    if (b->nstrays == 0)
        return 0;
    (void)not_for_this(b, s->spec, s->label, s->form, e);
    return err_called(e, ERR_WRONG_OPTION);
}
