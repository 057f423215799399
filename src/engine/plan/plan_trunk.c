/* SPDX-License-Identifier: GPL-2.0-or-later
 * Cutting a line in two where a trunk begins: see plan_trunk.h. */
#include "engine/plan/plan_trunk.h"

#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/endpoint.h"
#include "catena/options.h"
#include "catena/trunk.h"
#include "engine/plan/checks.h"
#include "engine/plan/plan_warn.h"

/* Its left end: all the lines, of which the session knows more. */
static const struct endpoint_ops no_ops;
static const struct form lines_form = {
    .keyword = "LINES", .left = CTX_RWB, .help = "the connections that share it", .kind = FORM_ENDPOINT, .ops.endpoint = &no_ops,
};

static const struct opt *asks(const struct addr *a)
{
    const struct trunk_form *f = a ? a->form->shares : NULL;
    const struct opt *o = f ? opt_find(a, f->option) : NULL;
    return o && (!o->v.given || o->v.i >= 0) ? o : NULL;
}

/* Who serves many, of the links and the end of a chain. */
static const struct opt *chain_option(const struct chain *c, const struct option_desc *row)
{
    const struct opt *found = NULL;
    for (size_t i = 0; !found && i <= c->nlinks; i++) {
        const struct addr *a[2] = {i < c->nlinks ? c->links[i].fwd : c->end.fwd, i < c->nlinks ? c->links[i].back : c->end.back};
        for (int k = 0; !found && k < 2; k++)
            found = a[k] ? opt_find(a[k], row) : NULL;
    }
    return found && found->v.i != 0 ? found : NULL;
}

/* ---- what cannot be ---- */

static int check_left(const struct chain *c, bool threads, struct err *e)
{
    for (size_t i = 0; threads && i < c->nlinks; i++) {
        const struct opt *o = asks(c->links[i].fwd);
        if (o)
            return err_at(e, o->at, "%s: each connection of the listener is another one there, and nothing to be shared; it "
                                    "is for the second address", c->links[i].fwd->label);
    }
    return 0;
}

/* What it is about happens to each connection, and right of there is one for all. */
static int check_behind(const struct chain *c, size_t at, struct err *e)
{
    static const struct option_desc *const rows[] = {&opt_cr, &opt_crnl, &opt_escape, &opt_readbytes};
    const struct chain behind = {.links = c->links + at + 1, .nlinks = c->nlinks - at - 1, .end = c->end};
    const char *by = c->links[at].fwd->label;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct opt *o = chain_option(&behind, rows[i]);
        if (o)
            return err_at(e, o->at, "option \"%s\" is about each connection, but what is right of %s is shared by all; give it "
                                    "there, or left of it", o->desc->name, by);
    }
    return 0;
}

static int check_shared(const struct chain *c, size_t at, struct err *e)
{
    const struct plan_link *l = &c->links[at];
    const struct opt *o = asks(l->fwd);
    if (l->reversed)
        return err_at(e, o->at, "%s: reversed, it talks to who connects, which is another one each time, and nothing to be shared",
                      l->fwd->label);
    return check_behind(c, at, e);
}

/* ---- cutting ---- */

/* Trying again is the line's business. */
static int take_options(struct plan *t, struct addr *to, const struct addr *from, struct err *e)
{
    struct opt *opts = arena_alloc(&t->arena, (from->nopts + 1) * sizeof *opts);
    if (!opts)
        return err_nomem(e);
    to->opts = opts;
    to->nopts = 0;
    for (size_t i = 0; i < from->nopts; i++)
        if (!(from->opts[i].desc->groups & GROUP_RETRY) && !from->opts[i].hole)
            opts[to->nopts++] = from->opts[i];
    return 0;
}

static int begin_trunk(struct plan *t, const struct addr *shared, const struct addr **left, const struct addr **session,
                       struct err *e)
{
    struct addr *lines = arena_alloc(&t->arena, sizeof *lines), *a = arena_alloc(&t->arena, sizeof *a);
    if (!lines || !a)
        return err_nomem(e);
    *lines = (struct addr){.form = &lines_form, .catena = shared->catena, .keyword = "lines", .left = CTX_B, .label = "the connections",
                           .at = shared->at};
    *a = *shared;
    a->form = shared->form->shares->session;
    a->nparams = 0;
    a->holes = NULL;
    a->varies = false;
    a->left = a->right = CTX_B;
    *left = lines;
    *session = a;
    return take_options(t, a, shared, e);
}

/* What is shared by all has no use for what is said of each: dumps, -t, -T. */
static const struct settings *own_settings(struct plan *t, const struct settings *s)
{
    struct settings *own = arena_alloc(&t->arena, sizeof *own);
    if (!own)
        return NULL;
    *own = *s;
    own->to_right = own->to_left = true;
    own->linger = own->idle = -1;
    own->text_dump = own->hex_dump = own->show_fds = own->statistics = own->progress = false;
    own->raw_left_right = own->raw_right_left = NULL;
    return own;
}

static int make_trunk(struct plan *p, const struct chain *right, size_t at,
                      int (*make)(struct plan *, const struct chain[2], struct err *), struct err *e)
{
    struct plan *t = p->trunk = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    struct chain c[2] = {{.nlinks = 0}, {.nlinks = right->nlinks - at, .end = right->end}};
    const struct addr *session = NULL;
    t->is_trunk = true;
    t->known = p->known;
    t->text[LEFT] = p->text[LEFT];
    t->text[RIGHT] = p->text[RIGHT];
    t->no_holes = p->no_holes;
    t->settings = own_settings(t, p->settings);
    c[RIGHT].links = arena_alloc(&t->arena, c[RIGHT].nlinks * sizeof *c[RIGHT].links);
    if (!t->settings || !c[RIGHT].links)
        return err_nomem(e);
    if (begin_trunk(t, right->links[at].fwd, &c[LEFT].end.fwd, &session, e) < 0)
        return -1;
    memcpy(c[RIGHT].links, right->links + at, c[RIGHT].nlinks * sizeof *c[RIGHT].links);
    c[RIGHT].links[0].fwd = session;
    if (make(t, c, e) < 0 || plan_warn(t, e) < 0)
        return -1;
    plan_settle_facts(t);
    t->nfigures = t->nlinks;
    return 0;
}

static int end_line(struct plan *p, struct chain *c, size_t at, struct err *e)
{
    struct addr *a = arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    *a = *c->links[at].fwd;
    a->form = a->form->shares->end;
    a->right = 0;
    c->end = (struct plan_end){.fwd = a};
    c->nlinks = at;
    return 0;
}

int plan_split(struct plan *p, struct chain c[2], int (*make)(struct plan *, const struct chain[2], struct err *), struct err *e)
{
    struct chain *right = &c[RIGHT];
    size_t at = 0;
    plan_free_trunk(p);
    while (at < right->nlinks && !asks(right->links[at].fwd))
        at++;
    bool threads = chain_option(&c[LEFT], &opt_thread);
    const struct opt *fork = chain_option(&c[LEFT], &opt_fork);
    if (check_left(&c[LEFT], threads, e) < 0)
        return -1;
    if (at == right->nlinks)
        return 0;
    if (!fork)
        fork = chain_option(right, &opt_fork);
    if (fork)
        return err_at(e, asks(right->links[at].fwd)->at, "%s: with \"fork\" each connection has a process of its own, and nothing "
                                                          "to be shared; use \"thread\"", right->links[at].fwd->label);
    if (!threads) /* one connection has it for itself */
        return 0;
    return check_shared(right, at, e) < 0 || make_trunk(p, right, at, make, e) < 0 ? -1 : end_line(p, right, at, e);
}

/* ---- as part of a line's plan ---- */

static void move_notes(struct plan_note **to, struct plan_note **from)
{
    while (*to)
        to = &(*to)->next;
    *to = *from;
    *from = NULL;
}

int plan_look_up_trunk(struct plan *p, struct err *e)
{
    if (!p->trunk)
        return 0;
    int rc = plan_look_up(p->trunk, e);
    move_notes(&p->missing, &p->trunk->missing);
    move_notes(&p->notes, &p->trunk->notes);
    return rc;
}

void plan_free_trunk(struct plan *p)
{
    plan_free(p->trunk);
    p->trunk = NULL;
}
