/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who may fill which hole: places on the line, and the order of opening. */
#include <limits.h>
#include <string.h>

#include "catena/facts.h"
#include "engine/plan/checks.h"

/* ---- places ---- */

/* Of two halves the one that is read is opened first. */
static unsigned place_of_end(const struct plan *p, int side, bool back)
{
    return (side == LEFT ? 1 : 4 + 2 * (unsigned)p->nlinks) + !back;
}

static unsigned place_of_link(const struct plan *p, size_t i, bool back)
{
    return (i < p->nleft ? 3 : 4) + 2 * (unsigned)i + back;
}

static int put(struct plan *p, const struct addr **a, unsigned place, struct err *e)
{
    struct addr *there;
    if (!*a)
        return 0;
    if (!(there = arena_alloc(&p->arena, sizeof *there)))
        return err_nomem(e);
    *there = **a;
    there->place = place;
    *a = there;
    return 0;
}

/* The host of a session varies with the address that leads there. */
static int follow_host(struct plan *p, size_t link, struct err *e)
{
    struct plan_link *l = &p->links[link];
    size_t step = l->chain == LEFT ? (size_t)-1 : 1, end = l->chain == LEFT ? 0 : p->nlinks;
    if (l->fwd->form->kind != FORM_SESSION || l->reversed)
        return 0;
    for (size_t i = link;;) {
        bool last = l->chain == LEFT ? i == end : i + 1 == end;
        i += step;
        const struct addr *a = last ? p->end[l->chain].fwd : p->links[i].fwd;
        if (!addr_target(a) && !last)
            continue;
        if (!addr_target(a) || !a->holes || !a->holes[a->form->target - 1])
            return 0;
        struct addr *s = arena_alloc(&p->arena, sizeof *s);
        if (!s)
            return err_nomem(e);
        *s = *l->fwd;
        s->host_place = a->place;
        s->varies = true;
        l->fwd = s;
        return 0;
    }
}

int plan_settle_places(struct plan *p, struct err *e)
{
    p->seam = 3 + 2 * (unsigned)p->nleft;
    for (int side = LEFT; side <= RIGHT; side++)
        if (put(p, &p->end[side].back, place_of_end(p, side, true), e) < 0 ||
            put(p, &p->end[side].fwd, place_of_end(p, side, false), e) < 0)
            return -1;
    for (size_t i = 0; i < p->nlinks; i++)
        if (put(p, &p->links[i].fwd, place_of_link(p, i, false), e) < 0 ||
            put(p, &p->links[i].back, place_of_link(p, i, true), e) < 0)
            return -1;
    for (size_t i = 0; i < p->nlinks; i++)
        if (follow_host(p, i, e) < 0)
            return -1;
    return 0;
}

/* ---- who tells ---- */

/* Items that stand before the right chain is opened. */
static bool is_early(const struct plan *p, const struct plan_link *l)
{
    for (size_t i = 0; i < p->nproofs; i++)
        if (p->items[i].link == l)
            return true;
    return false;
}

/* It stands in the left chain behind a dialog that waits for the right one. (What that leaves behind does, too.) */
static bool is_put_off(const struct plan *p, const struct plan_link *l)
{
    for (size_t i = p->nproofs; i < p->nleft_items && !is_early(p, l); i++)
        if (p->items[i].link == l)
            return true;
    return false;
}

static const struct plan_link *link_at(const struct plan *p, unsigned place)
{
    bool is_end = place < 3 || place == p->seam || place >= place_of_end(p, RIGHT, true);
    return is_end ? NULL : &p->links[(place - (place < p->seam ? 3 : 4)) / 2];
}

/* When is what stands at a place opened? Larger is later. */
static unsigned turn_of(const struct plan *p, unsigned place)
{
    unsigned n = 2 * (unsigned)p->nlinks + 6;
    const struct plan_link *l = link_at(p, place);
    if (place == p->seam)
        return 3 * n;
    if (l && is_put_off(p, l))
        return 3 * n + place;
    if (l && l->chain == RIGHT)
        return is_early(p, l) ? place : 3 * n - place;
    return place < p->seam ? place : n + place;
}

/* When has it told all? What talks to the other end of the line does so when everything is open. */
static unsigned tells_at(const struct plan *p, unsigned place)
{
    const struct plan_link *l = link_at(p, place);
    bool late = l && l->wire != l->chain && !(l->chain == RIGHT && is_early(p, l));
    return late ? UINT_MAX : turn_of(p, place);
}

/* What it would tell with another option; NULL: it tells. */
static const char *untold(const struct addr *a, const struct fact_desc *f)
{
    return a->form->untold ? a->form->untold(a, f) : NULL;
}

/* would: it is looked for who would tell, with another option. */
static void look_at(const struct plan *p, const struct addr *a, unsigned place,
                    const struct fact_desc *f, bool would, const struct addr **best)
{
    if (!a || a->place == place || !fact_in(a->form->gives, f) || (untold(a, f) != NULL) != would ||
        tells_at(p, a->place) >= turn_of(p, place))
        return;
    bool left = a->place < place, best_left = *best && (*best)->place < place;
    if (!*best || (left && (!best_left || a->place > (*best)->place)) ||
        (!left && !best_left && a->place < (*best)->place))
        *best = a;
}

static const struct addr *find_teller(const struct plan *p, unsigned place,
                                      const struct fact_desc *f, bool would)
{
    const struct addr *best = NULL;
    for (int side = LEFT; side <= RIGHT; side++) {
        look_at(p, p->end[side].back, place, f, would, &best);
        look_at(p, p->end[side].fwd, place, f, would, &best);
    }
    for (size_t i = 0; i < p->nlinks; i++) {
        look_at(p, p->links[i].fwd, place, f, would, &best);
        look_at(p, p->links[i].back, place, f, would, &best);
    }
    return best;
}

const struct addr *plan_teller(const struct plan *p, unsigned place, const struct fact_desc *f)
{
    return find_teller(p, place, f, false);
}

/* ---- holes without anybody ---- */

/* The caller of the library may tell some. */
static bool is_told(const struct plan *p, unsigned place, const struct fact_desc *f)
{
    return fact_in(p->settings->facts, f) || plan_teller(p, place, f);
}

/* Where the hole was typed, quoted or not. */
static struct span hole_span(const struct template *t, const struct hole *h)
{
    const char *from = t->at.text + t->at.off;
    const char *found = memmem(from, t->at.len, t->text + h->off, h->len);
    return found ? (struct span){t->at.text, (size_t)(found - t->at.text), h->len} : t->at;
}

static int nobody_tells(const struct plan *p, unsigned place, struct span at,
                        const struct fact_desc *f, struct err *e)
{
    const struct addr *a = find_teller(p, place, f, true);
    if (a)
        return err_at(e, at, "{%s} stands for the %s, which %s tells only %s; a backslash before the "
                             "brace makes it text", f->name, f->help, a->label, untold(a, f));
    return err_at(e, at, "{%s} stands for the %s, but nobody who is opened before tells that; a "
                         "backslash before the brace makes it text", f->name, f->help);
}

static int check_template(const struct plan *p, const struct addr *a, const struct template *t,
                          struct err *e)
{
    for (size_t i = 0; t && i < t->nholes; i++)
        if (!is_told(p, a->place, t->holes[i].fact)) {
            (void)nobody_tells(p, a->place, hole_span(t, &t->holes[i]), t->holes[i].fact, e);
            (void)err_called(e, ERR_UNFIT);
            return err_wrap(e, "%s", a->label);
        }
    return 0;
}

static int check_holes(const struct plan *p, const struct addr *a, struct err *e)
{
    for (size_t i = 0; a && a->holes && i < a->nparams; i++)
        if (check_template(p, a, a->holes[i], e) < 0)
            return -1;
    for (size_t i = 0; a && i < a->nopts; i++)
        if (check_template(p, a, a->opts[i].hole, e) < 0)
            return -1;
    return 0;
}

static int check_dump(const struct plan *p, const char *name, struct err *e)
{
    const struct fact_desc *f;
    for (const char *s = name; !p->no_holes && s && *s; s++) {
        size_t n = s > name && strchr("\\$", s[-1]) ? 0 : hole_at(s, &f);
        if (n > 0 && !is_told(p, p->seam, f))
            return nobody_tells(p, p->seam, (struct span){name, (size_t)(s - name), n}, f, e);
    }
    return 0;
}

int plan_check_holes(const struct plan *p, struct err *e)
{
    for (int side = LEFT; side <= RIGHT; side++)
        if (check_holes(p, p->end[side].back, e) < 0 || check_holes(p, p->end[side].fwd, e) < 0)
            return -1;
    for (size_t i = 0; i < p->nlinks; i++)
        if (check_holes(p, p->links[i].fwd, e) < 0 || check_holes(p, p->links[i].back, e) < 0)
            return -1;
    return check_dump(p, p->settings->raw_left_right, e) < 0 ||
                   check_dump(p, p->settings->raw_right_left, e) < 0
               ? -1
               : 0;
}
