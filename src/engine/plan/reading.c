/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an argument means: a chain, or one address with | % ^ in its text, as v1 reads it. Each
 * reading is bound for itself; both that work are given, the one that counts first. */
#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/options.h"
#include "engine/plan/bind.h"
#include "catena/registry.h"

/* ---- one reading ---- */

static enum ctx first_context(const struct settings *s, int chain)
{
    if (s->to_right && s->to_left)
        return CTX_B;
    return s->to_right == (chain == LEFT) ? CTX_R : CTX_W;
}

static int bind_dual(struct binder *b, const struct piece_spec *p, enum ctx left,
                     struct plan_link *l, struct err *e)
{
    if (p->kind == PIECE_V1DUAL)
        return err_at(e, p->at, "\"!!\" joins endpoint addresses and must end the chain; two inter "
                                "addresses are joined by \"%%\""), err_called(e, ERR_PLACE);
    if (left != CTX_B)
        return err_at(e, p->at, "a dual address carries both directions, but only one is used here; "
                                "write the half that is needed"), err_called(e, ERR_PLACE);
    l->fwd_swapped = p->fwd.reverse;
    l->back_swapped = p->back.reverse;
    return bind_inter(b, &p->fwd, CTX_W, true, &l->fwd, e) < 0 ||
                   bind_inter(b, &p->back, CTX_W, true, &l->back, e) < 0
               ? -1
               : 0;
}

static int bind_link(struct binder *b, const struct piece_spec *p, enum ctx *left,
                     struct plan_link *l, struct err *e)
{
    *l = (struct plan_link){.chain = b->chain};
    if (p->kind != PIECE_SINGLE)
        return bind_dual(b, p, *left, l, e);
    if (bind_inter(b, &p->fwd, *left, false, &l->fwd, e) < 0)
        return -1;
    l->reversed = p->fwd.reverse;
    *left = ctx_mirror(l->fwd->right);
    return 0;
}

int read_progress(struct plan *p, struct plan_link *l, struct err *e)
{
    struct chain_spec spec;
    struct chain none = {0};
    struct binder b = {.plan = p, .out = &none, .chain = RIGHT, .chained = true, .link = 1};
    enum ctx left = first_context(p->settings, RIGHT);
    struct addr *a = arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    if (chain_parse(&p->arena, "meter|-", 0, &spec, e) < 0 || bind_link(&b, &spec.pieces[0], &left, l, e) < 0)
        return -1;
    *a = *l->fwd;
    a->label = "--progress";
    l->fwd = a;
    return 0;
}

static int bind_end(struct binder *b, const struct piece_spec *p, enum ctx left, struct err *e)
{
    struct chain *c = b->out;
    const struct addr *inter[INTERS_MAX];
    size_t n;
    if (p->kind == PIECE_SINGLE) {
        if (bind_endpoint(b, &p->fwd, left, inter, &n, &c->end.fwd, e) < 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            c->links[c->nlinks++] = (struct plan_link){.chain = b->chain, .fwd = inter[i]};
        return 0;
    }
    const struct single_spec *halves[2] = {&p->fwd, &p->back};
    const struct addr **ends[2] = {&c->end.fwd, &c->end.back};
    for (int i = 0; i < 2; i++) {
        if (bind_endpoint(b, halves[i], i == 0 ? CTX_W : CTX_R, inter, &n, ends[i], e) < 0)
            return -1;
        if (n > 0)
            return err_at(e, halves[i]->at, "%s: stands for a chain of its own and cannot be half of "
                                            "a dual address", (*ends[i])->label), err_called(e, ERR_PLACE);
    }
    /* used one way, only that half is opened: the other would create, truncate or bind something */
    if (left == CTX_R)
        c->end.fwd = c->end.back;
    if (left != CTX_B)
        c->end.back = NULL;
    return 0;
}

static int bind_pieces(struct binder *b, const struct chain_spec *spec, struct err *e)
{
    enum ctx left = first_context(b->plan->settings, b->chain);
    struct chain *c = b->out;
    for (size_t i = 0; i < spec->npieces; i++) {
        b->link = i + 1;
        b->last = b->link == spec->npieces;
        if (b->last)
            return bind_end(b, &spec->pieces[i], left, e) < 0 ? -1 : bind_finish(b, e);
        if (bind_link(b, &spec->pieces[i], &left, &c->links[c->nlinks], e) < 0)
            return -1;
        c->nlinks++;
    }
    return 0;
}

static size_t count_options(const struct chain_spec *spec)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->npieces; i++)
        n += spec->pieces[i].fwd.nopts + spec->pieces[i].back.nopts;
    return n;
}

/* Who has the host its wire leads to: the nearest address to the right that has a target. */
static const struct addr *target_behind(const struct chain *c, size_t link)
{
    for (size_t i = link + 1; i <= c->nlinks; i++) {
        const struct addr *a = i < c->nlinks ? c->links[i].fwd : c->end.fwd;
        if (a && addr_target(a))
            return a;
    }
    return NULL;
}

static int settle_host(struct plan *p, struct chain *c, size_t link, struct err *e)
{
    struct plan_link *l = &c->links[link];
    const struct form *f = l->fwd->form;
    bool asks = f->kind == FORM_NEGOTIATOR && f->role == ROLE_CLIENT && f->target == 0;
    if ((f->kind != FORM_SESSION && !asks) || l->reversed)
        return 0;
    struct addr *a = arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    *a = *l->fwd;
    const struct addr *there = target_behind(c, link);
    if (asks && there && there->holes && there->holes[there->form->target - 1])
        there = NULL; /* a dialog that varies with it says so itself */
    a->host = there ? addr_target(there) : NULL;
    a->port = there ? addr_target_port(there) : NULL;
    l->fwd = a;
    return 0;
}

/* Who has entered another network namespace has to be allowed to come back. */
static int check_way_back(const struct addr *a, struct err *e)
{
    if (a->form->groups & GROUP_EXEC || !opt_find(a, &opt_netns))
        return 0;
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->phase == PHASE_EARLY && a->opts[i].desc->type == VALUE_UID)
            return err_at(e, a->opts[i].at, "option \"%s\" cannot be used together with netns: only "
                                            "root can leave the network namespace again; change the "
                                            "user later, with setuid or su", a->opts[i].desc->name);
    return 0;
}

/* With holes what holds for one typical value will do: others are looked at when they are there. */
static int check_form(struct arena *mem, const struct addr *a, struct err *e)
{
    struct addr other;
    struct err ignored;
    unsigned second = 1;
    if (!a->form->check || ERR_ASKED(e, a->form->check(a, e)) == 0)
        return 0;
    return a->varies && addr_fill(mem, a, NULL, fact_sample, &second, &other, &ignored) == 0 ? 0 : -1;
}

static bool same_place(const struct span *a, const struct span *b)
{
    return a->text == b->text && a->off == b->off && a->len == b->len;
}

/* What an option was given, or a parameter. */
static bool is_value(const struct addr *a, const struct span *at)
{
    for (size_t i = 0; a->param_at && i < a->nparams; i++)
        if (same_place(at, &a->param_at[i]))
            return true;
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].v.given && same_place(at, &a->opts[i].at))
            return true;
    return false;
}

static int check_address(struct arena *mem, const struct addr *a, struct err *e)
{
    if (!a || (check_way_back(a, e) == 0 && check_form(mem, a, e) == 0))
        return 0;
    if (e->kind == ERR_USAGE && is_value(a, &e->where))
        (void)err_more_precisely(e, ERR_BAD_VALUE);
    if (!e->where.text)
        e->where = a->at;
    return err_wrap(e, "%s", a->label);
}

static int check_addresses(struct arena *mem, const struct chain *c, struct err *e)
{
    for (size_t i = 0; i < c->nlinks; i++)
        if (check_address(mem, c->links[i].fwd, e) < 0 ||
            check_address(mem, c->links[i].back, e) < 0)
            return -1;
    return check_address(mem, c->end.fwd, e) < 0 || check_address(mem, c->end.back, e) < 0 ? -1 : 0;
}

static int bind_spec(struct plan *p, int chain, const struct chain_spec *spec, struct chain *c,
                     struct err *e)
{
    struct binder b = {.plan = p, .out = c, .chain = chain, .chained = spec->chained};
    *c = (struct chain){.links = arena_alloc(&p->arena, (spec->npieces + INTERS_MAX) * sizeof *c->links)};
    b.strays = arena_alloc(&p->arena, (count_options(spec) + 1) * sizeof *b.strays);
    if (!c->links || !b.strays)
        return err_nomem(e);
    if (bind_pieces(&b, spec, e) < 0)
        return -1;
    for (size_t i = 0; i < c->nlinks; i++)
        if (settle_host(p, c, i, e) < 0)
            return -1;
    return check_addresses(&p->arena, c, e);
}

/* ---- which of two ---- */

static bool any_guess(const struct chain_spec *c)
{
    for (size_t i = 0; i < c->npieces; i++)
        if (single_is_guess(&c->pieces[i].fwd) ||
            (c->pieces[i].kind != PIECE_SINGLE && single_is_guess(&c->pieces[i].back)))
            return true;
    return false;
}

/* Does the first | or % stand in what would be text without it? */
static bool operator_in_text(const struct chain_spec *c)
{
    const struct piece_spec *p = &c->pieces[0];
    return single_carries_text(&p->fwd) || (p->kind == PIECE_V1DUAL && single_carries_text(&p->back));
}

/* Of two readings that work the chain counts when the program is called by its own name, unless it is
 * only guessed. */
static bool chain_counts(const struct plan *p, const struct chain_spec *c)
{
    return !p->settings->v1_name && !(operator_in_text(c) && any_guess(c));
}

static int say_which(struct plan *p, int side, struct chain *c, bool chained, struct err *e)
{
    const char *which = chain_called(p->settings, side);
    struct span all = {.text = p->text[side], .len = strlen(p->text[side])};
    int rc = chained ? note_add(&p->arena, &c->notes, DIAG_NOTICE, ERR_NONE, all,
                                "%s: taken for a chain; it could be a single address with "
                                "that text, too, which --v1 or a backslash before each \"|\", "
                                "\"%%\" and \"^\" makes of it", which)
                     : note_add(&p->arena, &c->notes, DIAG_NOTICE, ERR_NONE, all,
                                "%s: taken for a single address, as v1 does; it could be a "
                                "chain, too", which);
    return rc < 0 ? err_nomem(e) : 0;
}

static bool has_form(const struct registry *known, const struct single_spec *s, bool inter)
{
    return bind_find_form(known, s->keyword.s, inter, s->nparams) != NULL;
}

bool chain_in_place(const struct registry *known, const struct chain_spec *c)
{
    for (size_t i = 0; i < c->npieces; i++) {
        const struct piece_spec *p = &c->pieces[i];
        const struct single_spec *halves[2] = {&p->fwd, &p->back};
        for (int k = 0; k < (p->kind == PIECE_SINGLE ? 1 : 2); k++)
            if (single_is_guess(halves[k]) ? i + 1 < c->npieces || operator_in_text(c)
                                    : !has_form(known, halves[k], i + 1 < c->npieces))
                return false;
    }
    return true;
}

/* Whoever meant text learns how to say so. */
static int explain(struct err *e)
{
    char hint[] = "; if \"|\", \"%\" or \"^\" is meant as text here, put a backslash before it, or "
                  "switch chains off with --v1";
    size_t n = strlen(e->text);
    if (e->kind != ERR_USAGE)
        return -1;
    if (n + sizeof hint > sizeof e->text)
        n = sizeof e->text - sizeof hint;
    memcpy(e->text + n, hint, sizeof hint);
    return -1;
}

/* An argument with operators as a chain; *spec is what it is then, unless not even that. With care
 * first: %20 in a value of a link is text. */
static bool read_chain(struct plan *p, int side, struct chain_spec *spec, struct chain *c,
                       struct err *e)
{
    struct chain_spec careful;
    struct err ignored;
    bool chained = chain_parse(&p->arena, p->text[side], PARSE_CAREFUL, &careful, &ignored) == 0 &&
                   careful.chained;
    if (chained && bind_spec(p, side, &careful, c, e) == 0) {
        *spec = careful;
        return true;
    }
    if (spec->npieces > 0 && bind_spec(p, side, spec, c, chained ? &ignored : e) == 0)
        return true;
    if (chained)
        *spec = careful;
    return false;
}

static int read_operators(struct plan *p, int side, struct chain_spec *spec, struct readings *out,
                          struct err *e)
{
    struct chain_spec v1;
    struct chain chain, single;
    struct err ignored;
    bool chain_works = read_chain(p, side, spec, &chain, e);
    bool readable = chain_parse(&p->arena, p->text[side], PARSE_V1, &v1, &ignored) == 0;
    bool single_works = readable && bind_spec(p, side, &v1, &single, &ignored) == 0;
    if (chain_works && single_works) {
        bool chain_first = chain_counts(p, spec);
        if (say_which(p, side, &chain, true, e) < 0 || say_which(p, side, &single, false, e) < 0)
            return -1;
        *out = (struct readings){{chain_first ? chain : single, chain_first ? single : chain}, 2};
    } else if (chain_works || single_works) {
        *out = (struct readings){.of = {chain_works ? chain : single}, .n = 1};
    } else {
        bool sure = spec->npieces > 0 ? chain_in_place(p->known, spec) : !readable;
        return sure || !catena_owns_process(p->settings->catena) ? -1 : explain(e); /* a host has no --v1 */
    }
    return 0;
}

int read_argument(struct plan *p, int side, struct readings *out, struct err *e)
{
    struct chain_spec spec;
    bool v1 = p->settings->v1_only;
    int rc = chain_parse(&p->arena, p->text[side], v1 ? PARSE_V1 : 0, &spec, e);
    if (!v1 && (rc < 0 || spec.chained)) {
        if (rc < 0)
            spec = (struct chain_spec){0};
        return read_operators(p, side, &spec, out, e);
    }
    *out = (struct readings){.n = 1};
    return rc < 0 || bind_spec(p, side, &spec, &out->of[0], e) < 0 ? -1 : 0;
}
