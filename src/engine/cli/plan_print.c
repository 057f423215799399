/* SPDX-License-Identifier: GPL-2.0-or-later
 * catena -n: the plan for people. What each piece of the line is, how it is used, which options it
 * got, what becomes of it, and the order of opening. Secrets stay out. */
#include <ctype.h>
#include <string.h>

#include "catena/endpoint.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/routes.h"
#include "engine/open/joint.h"

static const char *ctx_text(enum ctx c)
{
    return c == CTX_R ? "r" : c == CTX_W ? "w" : "b";
}

static void print_lower(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(tolower((unsigned char)*s), f);
}

/* Who fills the holes: what is known is the nearest who may. */
static void print_hole(const struct plan *p, const struct addr *a, const struct template *t, FILE *f)
{
    for (size_t i = 0; t && i < t->nholes; i++) {
        const struct addr *who = plan_teller(p, a->place, t->holes[i].fact);
        fprintf(f, "      {%s} in %s: told by %s\n", t->holes[i].fact->name, t->what,
                who ? who->label : "the caller");
    }
}

static void print_holes(const struct plan *p, const struct addr *a, FILE *f)
{
    for (size_t i = 0; a->holes && i < a->nparams; i++)
        print_hole(p, a, a->holes[i], f);
    for (size_t i = 0; i < a->nopts; i++)
        print_hole(p, a, a->opts[i].hole, f);
}

static void print_details(const struct plan *p, const struct addr *a, FILE *f)
{
    if (a->form->show && !a->varies)
        a->form->show(a, f);
    print_holes(p, a, f);

    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        fprintf(f, "%s%s", i ? ", " : "      options: ", o->desc->name);
        if (!o->v.given)
            continue;
        if (o->desc->secret == SECRET_TEXT)
            fprintf(f, "=***");
        else
            fprintf(f, "=%.*s", (int)o->at.len, o->at.text + o->at.off);
    }
    if (a->nopts > 0)
        fputc('\n', f);
}

static void print_addr(const struct addr *a, FILE *f)
{
    print_lower(f, a->form->keyword);
    for (size_t i = 0; i < a->nparams; i++)
        fprintf(f, ":%s", a->holes && a->holes[i] ? a->holes[i]->text : a->params[i]);
}

static void print_form(const struct addr *a, FILE *f)
{
    if (a->form->right == RIGHT_NONE)
        fprintf(f, "endpoint, %zu parameter%s, used %s", a->nparams, a->nparams == 1 ? "" : "s",
                ctx_text(a->left));
    else
        fprintf(f, "inter, %zu parameter%s, left %s, right %s", a->nparams,
                a->nparams == 1 ? "" : "s", ctx_text(a->left), ctx_text(a->right));
}

static void print_merged(FILE *f)
{
    fprintf(f, "      packets: their boundaries end here\n");
}

static void print_end(const struct plan *p, int side, FILE *f)
{
    const struct plan_end *end = &p->end[side];
    fprintf(f, "  ");
    print_addr(end->fwd, f);
    if (end->back) {
        fprintf(f, " %% ");
        print_addr(end->back, f);
    }
    fprintf(f, "\n      %s chain, ", side == LEFT ? "left" : "right");
    print_form(end->fwd, f);
    if (end->back)
        fprintf(f, "; read from the other half");
    if (end->fwd->form->ops.endpoint->listen)
        fprintf(f, "; waits for connections%s",
                opt_true(end->fwd, &opt_fork)     ? ", a process for each"
                : opt_true(end->fwd, &opt_thread) ? ", a thread for each"
                                                 : "");
    fputc('\n', f);
    print_details(p, end->fwd, f);
    if (end->back)
        print_details(p, end->back, f);
    if (p->merged[side] == end->fwd)
        print_merged(f);
}

static bool is_station(const struct plan_item *it) { return it->kind == ITEM_STATION; }

static void print_joint(const struct plan *p, size_t item, FILE *f)
{
    struct err e;
    enum comm_type type;
    size_t before = item;
    while (before-- > 0 && !is_station(&p->items[before]))
        ;
    if (before >= item || !is_station(&p->items[item]) ||
        (p->items[item].engine && p->items[item].engine == p->items[before].engine))
        return;
    if (joint_in_memory(p, p->items[before].link, p->items[item].link))
        fprintf(f, "    -- memory --\n");
    else if (joint_type(p, p->items[before].link, p->items[item].link, &type, &e) == 0)
        fprintf(f, "    -- %s --\n", comm_info(type)->name);
}

static bool is_shared(const struct plan *p, unsigned engine)
{
    int n = 0;
    for (size_t i = 0; i < p->nitems; i++)
        n += is_station(&p->items[i]) && p->items[i].engine == engine;
    return n > 1;
}

/* One engine is all there is of a connection. */
static bool is_seat(const struct plan *p)
{
    bool programs = false;
    for (size_t i = 0; i < p->nitems; i++)
        programs |= is_station(&p->items[i]) && !p->items[i].engine;
    return opt_true(p->end[LEFT].fwd, &opt_thread) && p->nengines == 1 && !programs;
}

/* Does its answer wait for something that is not open when it has learnt what is wanted? */
static bool waits(const struct plan *p, size_t item)
{
    return item + 1 == p->nproofs && plan_item_waits(p, item);
}

static void print_fate(const struct plan *p, size_t item, FILE *f)
{
    const struct plan_item *it = &p->items[item];
    if (it->kind == ITEM_DIALOG)
        fprintf(f, "      becomes: a dialog at open time, %sthen %s\n",
                waits(p, item) ? "answers when the right chain is open, " : "",
                addr_leaves(it->link->fwd) ? "what stays of it, if that is needed" : "nothing");
    else if (it->link && it->link->fate == FATE_PROGRAM)
        fprintf(f, "      becomes: a program%s\n",
                it->link->back ? " (or engine) for each direction" : "");
    else
        fprintf(f, "      becomes: %sengine %u, %s\n", is_shared(p, it->engine) ? "a layer of " : "", it->engine,
                it->engine != p->items[p->border].engine ? "in a thread of its own"
                : p->is_trunk ? "in the thread of what is shared"
                : is_seat(p) ? "which shares a thread with those of other connections"
                             : "in the main thread (border of the two chains)");
}

static bool merges(const struct plan *p, const struct addr *a)
{
    return a && (a == p->merged[LEFT] || a == p->merged[RIGHT]);
}

static void print_link(const struct plan *p, const struct plan_link *l, FILE *f)
{
    fprintf(f, "  %s", l->reversed ? "^" : "");
    fprintf(f, "%s", l->back && l->fwd_swapped ? "^" : "");
    print_addr(l->fwd, f);
    if (l->back) {
        fprintf(f, " %% %s", l->back_swapped ? "^" : "");
        print_addr(l->back, f);
    }
    fprintf(f, "\n      %s chain, ", l->chain == LEFT ? "left" : "right");
    print_form(l->fwd, f);
    if (l->back)
        fprintf(f, "; a dual: each half for one direction");
    fprintf(f, "; wire side %s\n", l->wire == LEFT ? "left" : "right");
    if (l->fwd->host)
        fprintf(f, "      host: %s\n", l->fwd->host_place ? "as where it leads" : l->fwd->host);
    if (l->fwd->speaks)
        fprintf(f, "      speaks inside: %s\n", l->fwd->speaks);
    print_details(p, l->fwd, f);
    if (l->back)
        print_details(p, l->back, f);
    if (merges(p, l->fwd) || merges(p, l->back))
        print_merged(f);
}

/* What a dialog leaves behind. */
static bool is_left_over(const struct plan_item *it)
{
    return is_station(it) && it->link && it->link->fate == FATE_DIALOG;
}

static size_t item_of(const struct plan *p, const struct plan_link *l)
{
    size_t i = 0;
    while (i < p->nitems && (p->items[i].link != l || is_left_over(&p->items[i])))
        i++;
    return i;
}

static void print_relay(const struct plan *p, size_t i, FILE *f)
{
    print_joint(p, i, f);
    fprintf(f, is_left_over(&p->items[i]) ? "  (what stays of it)\n" : "  (relay)\n");
    print_fate(p, i, f);
}

/* Items and links in line order: plain relays stand between links. */
static void print_line(const struct plan *p, FILE *f)
{
    size_t item = 0;
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        size_t at = item_of(p, l);
        for (; item < p->nitems && item < at && (!p->items[item].link || is_left_over(&p->items[item])); item++)
            print_relay(p, item, f);
        if (at < p->nitems)
            print_joint(p, at, f);
        print_link(p, l, f);
        if (at == p->nitems) {
            fprintf(f, "      becomes: nothing\n");
            continue;
        }
        print_fate(p, at, f);
        item = at + 1;
    }
    for (; item < p->nitems; item++)
        print_relay(p, item, f);
}

static void print_opened(const struct addr *a, int *n, FILE *f)
{
    if (!a)
        return;
    fprintf(f, "  %d. ", (*n)++);
    print_addr(a, f);
    fputc('\n', f);
}

static void print_opened_link(const struct plan_link *l, int *n, FILE *f)
{
    if (l->fate == FATE_NOTHING)
        return;
    fprintf(f, "  %d. ", (*n)++);
    print_addr(l->fwd, f);
    if (l->back) {
        fprintf(f, " %% ");
        print_addr(l->back, f);
    }
    fprintf(f, "%s\n",
            l->fate == FATE_DIALOG               ? " (dialog)"
            : l->fwd->form->kind == FORM_SESSION ? " (handshake)"
            : l->fate == FATE_PROGRAM            ? " (started when both sides are there)"
                                                 : "");
}

/* Links that the left cursor reaches before the right chain is opened; behind a dialog that waits for that,
 * those of the left chain follow when it has answered. */
static size_t early_links(const struct plan *p)
{
    size_t early = 0;
    while (early < p->nlinks &&
           (p->links[early].fate == FATE_NOTHING || item_of(p, &p->links[early]) < p->nproofs))
        early++;
    return early;
}

/* So many links, from the left, come when he who waits has his answer, for it is him they talk to. */
static size_t late_links(const struct plan *p, size_t right)
{
    for (size_t i = p->nlinks; p->nproofs > 0 && waits(p, p->nproofs - 1) && i-- > right;) {
        const struct plan_link *l = &p->links[i];
        bool talks = l->fate == FATE_DIALOG || l->fwd->form->kind == FORM_SESSION;
        if (talks && (l->wire == LEFT || (l->fate == FATE_DIALOG && l->fwd->form->ops.negotiator->talks_beyond)))
            return i + 1;
    }
    return right;
}

static void print_opening(const struct plan *p, FILE *f)
{
    size_t early = early_links(p), right = early > p->nleft ? early : p->nleft, late = late_links(p, right);
    int n = 1;
    fprintf(f, "opening order:\n");
    print_opened(p->end[LEFT].back, &n, f);
    print_opened(p->end[LEFT].fwd, &n, f);
    for (size_t i = 0; i < early; i++)
        print_opened_link(&p->links[i], &n, f);
    print_opened(p->end[RIGHT].back, &n, f);
    print_opened(p->end[RIGHT].fwd, &n, f);
    for (size_t i = p->nlinks; i-- > late;)
        print_opened_link(&p->links[i], &n, f);
    if (p->nproofs > 0 && waits(p, p->nproofs - 1)) {
        fprintf(f, "  %d. ", n++);
        print_addr(p->items[p->nproofs - 1].link->fwd, f);
        fprintf(f, " (answers)\n");
    }
    for (size_t i = early; i < p->nleft; i++)
        print_opened_link(&p->links[i], &n, f);
    for (size_t i = right; i < late; i++)
        if (p->links[i].wire == LEFT)
            print_opened_link(&p->links[i], &n, f);
    for (size_t i = late; i-- > right;)
        if (p->links[i].wire == RIGHT)
            print_opened_link(&p->links[i], &n, f);
    if (p->settings->sandbox)
        fprintf(f, "  %d. (--sandbox: nothing is opened from here)\n", n);
}

/* Of a chain its addresses: what stands behind them may be secret. */
static void print_route(const struct route *to, FILE *f)
{
    const struct addr *a;
    fprintf(f, "  %s: ", to->pattern);
    if (to->host)
        fprintf(f, "%s:%s", to->host, to->port);
    for (size_t i = 0; !to->host && to->plan && (a = plan_chain_addr(to->plan, RIGHT, i)); i++)
        fprintf(f, "%s%s", i > 0 ? "|" : "", a->keyword);
    fprintf(f, "\n");
}

static void print_routes(const struct plan *p, FILE *f)
{
    for (const struct routes *of = p->routes; of; of = of->next) {
        fprintf(f, "the first line of %s that fits leads there:\n", of->file);
        for (size_t i = 0; i < of->n; i++)
            print_route(&of->v[i], f);
    }
}

void plan_print(const struct plan *p, FILE *f)
{
    size_t engines = p->nengines, programs = 0;
    for (size_t i = 0; i < p->nitems; i++)
        programs += is_station(&p->items[i]) && !p->items[i].engine;
    fprintf(f, "line, left to right:\n");
    print_end(p, LEFT, f);
    print_line(p, f);
    print_end(p, RIGHT, f);
    fprintf(f, "%zu engine%s, %zu thread%s, %zu program link%s\n", engines, engines == 1 ? "" : "s",
            engines, engines == 1 ? "" : "s", programs, programs == 1 ? "" : "s");
    print_opening(p, f);
    if (p->trunk) {
        fprintf(f, "where it ends is shared: this is opened for the first connection, and has a thread of its own:\n\n");
        plan_print(p->trunk, f);
    }
    print_routes(p, f);
    if (p->missing)
        fprintf(f, "not there by now:\n");
    for (const struct plan_note *n = p->missing; n; n = n->next)
        fprintf(f, "  %s\n", n->what.text);
}
