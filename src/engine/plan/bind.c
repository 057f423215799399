/* SPDX-License-Identifier: GPL-2.0-or-later
 * From a parsed sub-address to a bound one: the keyword's form that fits place, parameters and
 * context, and its options, checked against the form's groups and converted. Every way this can go
 * wrong is one sentence that says what stood there and what would be accepted. */
#include "engine/plan/bind.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "catena/option.h"
#include "catena/registry.h"

enum ctx ctx_mirror(enum ctx c)
{
    return c == CTX_R ? CTX_W : c == CTX_W ? CTX_R : CTX_B;
}

static const char *ctx_words(enum ctx c)
{
    return c == CTX_R ? "read-only" : c == CTX_W ? "write-only" : "read-write";
}

static const char *keyword_of(const struct single_spec *s)
{
    switch (s->shortened) {
    case SHORT_FD: return "FD";
    case SHORT_PATH: return "GOPEN";
    default: return s->keyword.s;
    }
}

const char *chain_called(const struct settings *s, int chain)
{
    return s->called[chain] ? s->called[chain] : chain == LEFT ? "first address" : "second address";
}

static const char *label_of(const struct binder *b, const char *typed)
{
    const char *which = chain_called(b->plan->settings, b->chain);
    char word[64];
    size_t n = 0;
    for (; typed[n] && n < sizeof word - 1; n++)
        word[n] = (char)tolower((unsigned char)typed[n]);
    word[n] = '\0';
    return b->chained ? arena_printf(&b->plan->arena, "%s, link %zu \"%s\"", which, b->link,
                                     word)
                      : arena_printf(&b->plan->arena, "%s \"%s\"", which, word);
}

int note_add(struct arena *a, struct plan_note **list, enum diag_level level, enum err_kind code, struct span where,
             const char *fmt, ...)
{
    struct plan_note *n = arena_alloc(a, sizeof *n);
    va_list ap;
    if (!n)
        return -1;
    *n = (struct plan_note){.level = level, .what = {.code = code, .where = where}};
    va_start(ap, fmt);
    (void)vsnprintf(n->what.text, sizeof n->what.text, fmt, ap);
    va_end(ap);
    while (*list)
        list = &(*list)->next;
    *list = n;
    return 0;
}

/* ---- forms ---- */

/* What is a chain is read as v1's text, too, and then its operators stand in the keyword: nothing is near that. */
static bool could_be_name(const char *keyword)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return !keyword[strspn(keyword, characters)];
}

/* Names that are near are no help where it is one of another kind. */
static bool is_option(const struct registry *known, const struct single_spec *s)
{
    return s->nparams == 0 && option_lookup(known, s->keyword.s);
}

static int unknown_keyword(const struct registry *known, const struct single_spec *s,
                           struct err *e)
{
    char near[64];
    struct span at = s->keyword.at.len ? s->keyword.at : s->at;
    if (s->keyword.s[0] == '\0')
        return err_at(e, at, "unknown device/address \"\": there is no address here"), err_called(e, ERR_SYNTAX);
    if (!could_be_name(s->keyword.s))
        return err_at(e, at, "unknown device/address \"%.200s\"", s->keyword.s);
    if (registry_misses(known, s->keyword.s, e))
        return err_points_at(e, at);
    if (is_option(known, s))
        return err_at(e, at, "unknown device/address \"%.200s\": that is an option, which stands behind an "
                             "address: \"address,%.200s\"", s->keyword.s, s->keyword.s);
    if (registry_nearest(known, s->keyword.s, near, sizeof near))
        return err_at(e, at, "unknown device/address \"%.200s\"; did you mean \"%s\"?",
                      s->keyword.s, near);
    return err_at(e, at, "unknown device/address \"%.200s\"", s->keyword.s);
}

/* Does the form, used as asked, accept that context on its left? Gives the right one. */
static bool context_fits(const struct form *f, enum ctx left, bool reverse, enum ctx *right)
{
    if (!reverse) {
        *right = f->right == RIGHT_BOTH ? CTX_B : ctx_mirror(left);
        return (f->left & left) != 0;
    }
    /* the form's right side faces left: it must be used as that side wants to be used */
    if (f->right == RIGHT_BOTH) {
        *right = CTX_B;
        return left == CTX_B && (f->left & CTX_B);
    }
    *right = ctx_mirror(left);
    return (f->left & *right) != 0;
}

struct choice {
    bool known, placed; /* the keyword exists; it exists for this place */
    unsigned params;    /* bit n: a form takes n parameters */
    unsigned contexts;  /* what the forms with that many parameters accept */
    const struct form *usage;
    const struct form *found;
};

static struct choice choose(const struct registry *known, const char *keyword, bool inter,
                            size_t nparams, enum ctx left, bool reverse)
{
    struct choice c = {0};
    for (const struct form *f = registry_called(known, keyword, NULL); f; f = registry_called(known, keyword, f)) {
        enum ctx right;
        c.known = true;
        if (form_is_inter(f) != inter)
            continue;
        c.placed = true;
        c.usage = c.usage ? c.usage : f;
        for (unsigned n = f->min_params; n <= f->max_params && n < 31; n++)
            c.params |= 1U << n;
        if (nparams < f->min_params || nparams > f->max_params)
            continue;
        c.usage = f;
        c.contexts |= f->left;
        if (context_fits(f, left, reverse, &right) && !c.found)
            c.found = f;
    }
    return c;
}

static void list_params(unsigned set, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < 31 && n < cap; i++)
        if (set & 1U << i)
            n += (size_t)snprintf(out + n, cap - n, "%s%u", n ? " or " : "", i);
}

static int wrong_place(const struct single_spec *s, const char *label, bool inter, struct err *e)
{
    struct span at = s->keyword.at.len ? s->keyword.at : s->at;
    if (inter)
        (void)err_at(e, at, "%s: this is an endpoint address and can only be the last of a chain; "
                            "what stands before \"|\" must be an inter address", label);
    else
        (void)err_at(e, at, "%s: this is an inter address and cannot be the last of a chain; "
                            "an endpoint has to follow: \"%.100s|tcp:host:port\", in quotes: a bare | is the shell's", label,
                     s->keyword.s);
    return err_called(e, ERR_PLACE);
}

/* With something behind it, it would make sense. */
static bool could_be_inter(const struct registry *known, const struct single_spec *s)
{
    return bind_find_form(known, s->keyword.s, true, s->nparams) != NULL;
}

static int wrong_params(const struct registry *known, const struct single_spec *s, const char *label,
                        const struct choice *c, struct err *e)
{
    char wanted[64];
    list_params(c->params, wanted, sizeof wanted);
    (void)err_at(e, s->at, "%s: wrong number of parameters (%zu instead of %s); usage: %s%s", label,
                 s->nparams, wanted, c->usage->keyword, c->usage->params ? c->usage->params : "");
    if (!form_is_inter(c->usage) && could_be_inter(known, s))
        (void)err_hint(e, "or, as an inter address, with | and an endpoint behind it, all in quotes: a bare | is the shell's");
    return -1;
}

static int wrong_context(const struct single_spec *s, const char *label, enum ctx left,
                         const struct choice *c, struct err *e)
{
    if (s->reverse && c->usage->right == RIGHT_BOTH)
        return err_at(e, s->at, "%s: reversed, it needs both directions on its left side, but it is "
                                "used %s here", label, ctx_words(left));
    unsigned set = s->reverse ? (c->contexts & CTX_B) | (c->contexts & CTX_R ? CTX_W : 0U) |
                                    (c->contexts & CTX_W ? CTX_R : 0U)
                              : c->contexts;
    char wanted[64] = "";
    int n = 0;
    for (unsigned k = CTX_R; k <= CTX_B; k <<= 1)
        if (set & k)
            n += snprintf(wanted + n, sizeof wanted - (size_t)n, "%s%s", n ? " and " : "",
                          ctx_words((enum ctx)k));
    bool dual = left == CTX_B && form_is_inter(c->usage);
    return err_at(e, s->at, "%s: is used %s here, but supports only %s%s", label, ctx_words(left),
                  wanted, dual ? "; for both ways join two of them: \"a%b\"" : "");
}

static int choose_or_explain(const struct registry *known, const struct single_spec *s,
                             const char *label, bool inter, enum ctx left, struct choice *c,
                             struct err *e)
{
    *c = choose(known, keyword_of(s), inter, s->nparams, left, s->reverse);
    if (!c->known)
        return unknown_keyword(known, s, e), err_more_precisely(e, ERR_UNKNOWN_ADDRESS);
    if (!c->placed)
        return wrong_place(s, label, inter, e);
    if (!c->contexts)
        return wrong_params(known, s, label, c, e), err_called(e, ERR_PARAMETERS);
    return 0;
}

/* ---- addresses ---- */

const struct form *bind_find_form(const struct registry *known, const char *keyword, bool inter, size_t nparams)
{
    for (const struct form *f = registry_called(known, keyword, NULL); f; f = registry_called(known, keyword, f))
        if (form_is_inter(f) == inter && nparams >= f->min_params && nparams <= f->max_params)
            return f;
    return NULL;
}

void bind_become(struct addr *a)
{
    if (a->form->becomes)
        a->form = a->form->becomes(a);
}

static struct addr *new_addr(const struct binder *b, const struct form *f,
                             const struct single_spec *s, const char *label, struct err *e)
{
    struct addr *a = arena_alloc(&b->plan->arena, sizeof *a);
    const char **params = arena_alloc(&b->plan->arena, (s->nparams + 1) * sizeof *params);
    struct span *at = arena_alloc(&b->plan->arena, (s->nparams + 1) * sizeof *at);
    if (!a || !params || !at) {
        (void)err_nomem(e);
        return NULL;
    }
    for (size_t i = 0; i < s->nparams; i++) {
        params[i] = s->params[i].s;
        at[i] = s->params[i].at;
    }
    *a = (struct addr){.form = f,
                       .keyword = s->shortened ? f->keyword : s->keyword.s,
                       .params = params,
                       .param_at = at,
                       .catena = b->plan->settings->catena,
                       .nparams = s->nparams,
                       .label = label,
                       .at = s->at};
    return bind_holes(b, s, a, params, e) < 0 ? NULL : a;
}

int bind_inter(struct binder *b, const struct single_spec *s, enum ctx left, bool lane,
               const struct addr **out, struct err *e)
{
    const char *label = label_of(b, s->shortened ? keyword_of(s) : s->keyword.s);
    struct choice c;
    if (!label)
        return err_nomem(e);
    if (s->shortened != SHORT_NONE)
        return wrong_place(s, label, true, e);
    struct single_spec used = *s;
    used.reverse = s->reverse && !lane; /* a lane has one flow: nothing to swap but its transform */
    if (choose_or_explain(b->plan->known, &used, label, true, left, &c, e) < 0)
        return -1;
    if (lane && c.found && c.found->right != RIGHT_MIRROR)
        return err_at(e, s->at, "%s: needs both directions and cannot be one half of a dual", label),
               err_called(e, ERR_PLACE);
    if (!c.found)
        return wrong_context(&used, label, left, &c, e), err_called(e, ERR_PLACE);
    struct addr *a = new_addr(b, c.found, s, label, e);
    if (!a || bind_options(b, s, a, e) < 0)
        return -1;
    bind_become(a);
    a->left = left;
    context_fits(c.found, left, used.reverse, &a->right);
    *out = a;
    return 0;
}

/* How an address alone is used is v1's business: one that carries both ways carries one as well, one
 * that has only the other direction warns and goes on, and fails when it is used. In a chain it is
 * an error. */
static int tolerate_context(const struct binder *b, const struct single_spec *s, const char *label,
                            enum ctx left, struct choice *c, struct err *e)
{
    if (b->chained || c->usage->left == 0)
        return wrong_context(s, label, left, c, e), err_called(e, ERR_PLACE);
    c->found = c->usage;
    if (c->usage->left & CTX_B)
        return 0;
    return note_add(&b->plan->arena, &b->out->notes, DIAG_WARN, ERR_PLACE, (struct span){0},
                    "%s: address is opened in %s mode but only supports %s", label, ctx_words(left),
                    ctx_words(c->usage->left & CTX_R ? CTX_R : CTX_W)) < 0
               ? err_nomem(e)
               : 0;
}

struct parts { /* of a compound, for one of its two addresses */
    const char *params[5];
    struct span at[5];
    const struct template *holes[5];
};

static size_t pick_params(const struct addr *whole, const unsigned char *which, struct parts *to)
{
    size_t n = 0;
    for (; n < 4 && which[n]; n++) {
        bool there = which[n] <= whole->nparams;
        to->params[n] = there ? whole->params[which[n] - 1] : "";
        to->at[n] = there ? whole->param_at[which[n] - 1] : whole->at;
        to->holes[n] = there && whole->holes ? whole->holes[which[n] - 1] : NULL;
    }
    return n;
}

void bind_settle_varies(struct addr *a)
{
    a->varies = false;
    for (size_t i = 0; i < a->nparams; i++)
        a->varies |= a->holes[i] != NULL;
    for (size_t i = 0; i < a->nopts; i++)
        a->varies |= a->opts[i].hole != NULL;
}

static bool is_resolver_option(const struct option_desc *d)
{
    return d->groups == (GROUP_IP4 | GROUP_IP6) && !d->apply;
}

/* Options that only what would stand between them has. */
static int refuse_between(const struct addr *whole, const struct option_desc *wanted, struct err *e)
{
    for (size_t i = 0; i < whole->nopts; i++)
        for (const struct option_desc *const *row = whole->form->options; row && *row; row++)
            if (option_is(whole->opts[i].desc, *row))
                return err_at(e, whole->opts[i].at, "%s counts with %s= only", (*row)->name, wanted->name);
    return 0;
}

/* What an option of a compound puts between its two addresses; *made NULL: nothing. */
static int put_between(const struct binder *b, const struct addr *whole, struct addr **made, struct err *e)
{
    const struct compound *k = whole->form->ops.compound;
    const struct opt *asked = k->between ? opt_find(whole, k->between_option) : NULL;
    struct arena *ar = &b->plan->arena;
    if (!asked)
        return k->between ? refuse_between(whole, k->between_option, e) : 0;
    struct addr *a = *made = arena_alloc(ar, sizeof *a);
    struct parts *parts = arena_alloc(ar, sizeof *parts);
    struct opt *opts = arena_alloc(ar, (whole->nopts + 1) * sizeof *opts);
    if (!a || !parts || !opts)
        return err_nomem(e);
    *parts = (struct parts){{asked->v.s}, {asked->at}, {asked->hole}};
    *a = *whole;
    a->form = bind_find_form(b->plan->known, k->between, true, 1);
    if (!a->form)
        return err_at(e, asked->at, "%s: %s is not available in this build", whole->label, k->between);
    a->params = parts->params;
    a->param_at = parts->at;
    a->holes = parts->holes;
    a->nparams = 1;
    a->opts = opts;
    a->nopts = 0;
    for (size_t i = 0; i < whole->nopts; i++)
        if (form_brings(a->form, whole->opts[i].desc))
            opts[a->nopts++] = whole->opts[i];
    bind_settle_varies(a);
    bind_become(a);
    a->left = a->right = CTX_B;
    return bind_names(b, whole->label, opts, a->nopts, e);
}

/* What any address takes, and who waits for connections, belongs to the endpoint. */
static void share_option(const struct addr *whole, const struct opt *o, struct addr *const a[2], struct opt *const shares[2])
{
    uint64_t inter_groups = a[0]->form->groups & ~GROUP_CHILD;
    int to = o->desc->groups & inter_groups || form_brings(a[0]->form, o->desc) ? 0 : 1;
    if (to && form_brings(whole->form, o->desc) && whole->form->ops.compound->between)
        return; /* of what stands between */
    shares[to][a[to]->nopts++] = *o;
    if (a[0]->form->kind == FORM_NEGOTIATOR && is_resolver_option(o->desc)) /* names in both */
        shares[0][a[0]->nopts++] = *o;
    if (form_brings(a[0]->form, o->desc) && a[1]->form->kind == FORM_COMPOUND && form_takes(a[1]->form, o->desc))
        shares[1][a[1]->nopts++] = *o;
}

/* v1's combined spelling: an inter address over an endpoint, the options shared out. */
static int expand(const struct binder *b, const struct single_spec *s, const struct addr *whole, enum ctx left,
                  const struct addr **inter, size_t *ninter, const struct addr **out, struct err *e)
{
    const struct compound *k = whole->form->ops.compound;
    if (k->make)
        return bind_made(b, whole, left, inter, ninter, out, e);
    struct arena *ar = &b->plan->arena;
    struct addr *a[2] = {arena_alloc(ar, sizeof *a[0]), arena_alloc(ar, sizeof *a[0])}, *between = NULL;
    struct opt *opts = arena_alloc(ar, 2 * (whole->nopts + 1) * sizeof *opts);
    struct parts *parts = arena_alloc(ar, 2 * sizeof *parts);
    if (!a[0] || !a[1] || !opts || !parts)
        return err_nomem(e);
    *a[0] = *a[1] = *whole;
    for (int i = 0; i < 2; i++) {
        a[i]->params = parts[i].params;
        a[i]->param_at = parts[i].at;
        a[i]->holes = parts[i].holes;
    }
    a[0]->nparams = pick_params(whole, k->inter_params, &parts[0]);
    a[1]->nparams = pick_params(whole, k->endpoint_params, &parts[1]);
    if (k->port_default) {
        const struct opt *port = opt_find(whole, k->port_option);
        size_t n = a[1]->nparams++;
        parts[1].at[n] = port ? port->at : whole->at;
        parts[1].holes[n] = port ? port->hole : NULL;
        parts[1].params[n] = opt_string(whole, k->port_option, k->port_default);
    }
    a[0]->form = bind_find_form(b->plan->known, k->inter, true, a[0]->nparams);
    a[1]->form = bind_find_form(b->plan->known, k->endpoint, false, a[1]->nparams);
    if (!a[0]->form || !a[1]->form)
        return err_at(e, s->at, "%s: not available in this build", whole->label);
    struct opt *shares[2] = {opts, opts + whole->nopts + 1};
    for (int i = 0; i < 2; i++) {
        a[i]->opts = shares[i];
        a[i]->nopts = 0;
    }
    for (size_t i = 0; i < whole->nopts; i++)
        share_option(whole, &whole->opts[i], a, shares);
    if (bind_names(b, whole->label, shares[0], a[0]->nopts, e) < 0 ||
        bind_names(b, whole->label, shares[1], a[1]->nopts, e) < 0)
        return -1;
    if (put_between(b, whole, &between, e) < 0)
        return -1;
    bind_become(a[0]);
    bind_settle_varies(a[0]);
    bind_settle_varies(a[1]);
    a[0]->left = left;
    a[0]->right = a[1]->left = CTX_B;
    inter[(*ninter)++] = a[0];
    if (between)
        inter[(*ninter)++] = between;
    *out = a[1];
    return a[1]->form->kind == FORM_COMPOUND ? expand(b, s, a[1], CTX_B, inter, ninter, out, e) : 0;
}

/* "8080/chat" are two parameters of who has it so. */
static int cut_param(const struct binder *b, unsigned n, struct single_spec *s, struct err *e)
{
    const char *slash = n > 0 && n <= s->nparams ? strchr(s->params[n - 1].s, '/') : NULL;
    if (!slash)
        return 0;
    struct text *params = arena_alloc(&b->plan->arena, (s->nparams + 2) * sizeof *params);
    if (!params)
        return err_nomem(e);
    for (size_t i = 0; i < s->nparams; i++)
        params[i < n ? i : i + 1] = s->params[i];
    struct text *before = &params[n - 1], *behind = &params[n];
    size_t len = (size_t)(slash - before->s);
    *behind = *before;
    behind->s = slash;
    if (!(before->s = arena_printf(&b->plan->arena, "%.*s", (int)len, before->s)))
        return err_nomem(e);
    for (before->nbraces = 0; before->nbraces < behind->nbraces && before->braces[before->nbraces] < len;)
        before->nbraces++;
    size_t left = behind->nbraces - before->nbraces, *braces = arena_alloc(&b->plan->arena, (left + 1) * sizeof *braces);
    if (!braces)
        return err_nomem(e);
    for (size_t i = 0; i < left; i++)
        braces[i] = behind->braces[before->nbraces + i] - len;
    behind->braces = braces;
    behind->nbraces = left;
    s->params = params;
    s->nparams++;
    return 0;
}

int bind_endpoint(struct binder *b, const struct single_spec *typed, enum ctx left, const struct addr *inter[INTERS_MAX],
                  size_t *ninter, const struct addr **out, struct err *e)
{
    struct single_spec as_cut = *typed, *s = &as_cut;
    const char *label = label_of(b, s->shortened ? keyword_of(s) : s->keyword.s);
    struct choice c;
    *ninter = 0;
    if (!label)
        return err_nomem(e);
    if (choose_or_explain(b->plan->known, s, label, false, left, &c, e) < 0)
        return -1;
    if (s->reverse)
        return err_at(e, s->at, "%s: \"^\" swaps the two sides of an inter address; an endpoint has "
                                "only one", label), err_called(e, ERR_PLACE);
    if (!c.found && tolerate_context(b, s, label, left, &c, e) < 0)
        return -1;
    bool compound = c.found->kind == FORM_COMPOUND;
    if (compound && cut_param(b, c.found->ops.compound->cut, s, e) < 0)
        return -1;
    struct addr *a = new_addr(b, c.found, s, label, e);
    if (!a || bind_options(b, s, a, e) < 0)
        return -1;
    a->left = left;
    *out = a;
    return compound ? expand(b, s, a, left, inter, ninter, out, e) : 0;
}
