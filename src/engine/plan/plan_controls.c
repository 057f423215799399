/* SPDX-License-Identifier: GPL-2.0-or-later
 * Controls, as the planner sees them: see plan_controls.h. */
#include "engine/plan/plan_controls.h"

#include "catena/comm.h"
#include "engine/plan/bind.h"

static unsigned end_controls(const struct addr *a)
{
    return a->form->controls ? a->form->controls(a) : CONTROLS_NONE;
}

static const struct addr *reads(const struct plan_end *end)
{
    return end->back ? end->back : end->fwd;
}

/* Whoever looks after them; he takes them all. */
static const struct addr *link_controls(const struct plan_link *l, int source)
{
    const struct addr *a;
    const struct codec_ops *codec = plan_codec(l, source, &a);
    if (l->fate != FATE_ENGINE)
        return NULL;
    bool does = a->form->kind == FORM_SESSION ? a->form->ops.session->controls : codec && codec->controls;
    return does ? a : NULL;
}

/* A session takes them on its data side, and there gives its own. */
static bool means(const struct plan_link *l, const struct addr *a, int source, bool gives)
{
    return a->form->kind != FORM_SESSION || (l->wire == source) == gives;
}

/* Does a link take what the flow's first end gives; or give what its last end takes? */
static bool any_link(const struct plan *p, int source, bool from_end)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[(source == LEFT) == from_end ? i : p->nlinks - 1 - i];
        const struct addr *a = link_controls(l, source);
        if (a)
            return means(l, a, source, !from_end);
    }
    return false;
}

/* Under the name socat terminals keep to themselves, as v1's do, but where an address is about controls. */
static bool meet(const struct plan *p, int source)
{
    unsigned gives = end_controls(reads(&p->end[source])), takes = end_controls(p->end[!source].fwd);
    for (size_t i = 0; i < p->nlinks; i++)
        if (link_controls(&p->links[i], source))
            return false;
    return !p->settings->v1_name && gives & CONTROLS_GIVES && takes & CONTROLS_TAKES;
}

static int mark(struct plan *p, const struct addr **at, bool tells, bool told, struct err *e)
{
    struct addr *a = tells || told ? arena_alloc(&p->arena, sizeof *a) : NULL;
    if (!tells && !told)
        return 0;
    if (!a)
        return err_nomem(e);
    *a = **at;
    a->tells |= tells;
    a->told |= told;
    *at = a;
    return 0;
}

static int settle_end(struct plan *p, int side, struct err *e)
{
    struct plan_end *end = &p->end[side];
    const struct addr **reading = end->back ? &end->back : &end->fwd;
    bool flows[2] = {p->settings->to_right, p->settings->to_left}; /* by source */
    bool tells = flows[side] && end_controls(*reading) & CONTROLS_GIVES && (any_link(p, side, true) || meet(p, side));
    bool told = flows[!side] && end_controls(end->fwd) & CONTROLS_TAKES && (any_link(p, !side, false) || meet(p, !side));
    return mark(p, reading, tells, false, e) < 0 ? -1 : mark(p, &end->fwd, false, told, e);
}

int plan_settle_controls(struct plan *p, struct err *e)
{
    return settle_end(p, LEFT, e) < 0 ? -1 : settle_end(p, RIGHT, e);
}

/* ---- where they are lost ---- */

/* Descriptors stand between two stations. */
static bool drops(const struct plan *p, const struct plan_item *a, const struct plan_item *b)
{
    struct err ignored;
    enum comm_type type;
    if (!a->engine || !b->engine)
        return true;
    if (a->engine == b->engine || !p->settings->comm_given)
        return false;
    return comm_by_letter(p->settings->comm, &type, &ignored) < 0 || (type != COMM_PTY && type != COMM_PTYS);
}

static int note_lost(struct plan *p, const struct addr *from, const struct addr *to, bool perhaps, struct err *e)
{
    return note_add(&p->arena, &p->notes, perhaps ? DIAG_NOTICE : DIAG_WARN, ERR_WARN_CONTROLS, to->at,
                    "%s: what %s tells beside the data (a window's size, breaks, line settings) does not come "
                    "through what joins them, a program or descriptors%s", to->label, from->label,
                    p->settings->comm_given ? "; without -c it would pass between engines" : "") < 0
               ? err_nomem(e)
               : 0;
}

static int warn_flow(struct plan *p, int source, struct err *e)
{
    const struct addr *first = reads(&p->end[source]), *last = p->end[!source].fwd;
    unsigned gives = end_controls(first), takes = end_controls(last);
    const struct addr *from = gives & CONTROLS_GIVES ? first : NULL;
    bool perhaps = gives & CONTROLS_PERHAPS, lost = false;
    const struct plan_item *before = NULL;
    for (size_t i = 0; i < p->nitems; i++) {
        const struct plan_item *it = &p->items[source == LEFT ? i : p->nitems - 1 - i];
        if (it->kind != ITEM_STATION)
            continue;
        lost |= before && drops(p, before, it);
        before = it;
        const struct addr *a = it->link ? link_controls(it->link, source) : NULL;
        if (!a)
            continue;
        if (from && lost && means(it->link, a, source, false))
            return note_lost(p, from, a, perhaps, e);
        from = means(it->link, a, source, true) ? a : NULL;
        perhaps = lost = false;
    }
    if (!from || !lost || !(takes & CONTROLS_TAKES))
        return 0;
    return note_lost(p, from, last, perhaps || takes & CONTROLS_PERHAPS, e);
}

int plan_warn_controls(struct plan *p, struct err *e)
{
    return (p->settings->to_right && warn_flow(p, LEFT, e) < 0) || (p->settings->to_left && warn_flow(p, RIGHT, e) < 0)
               ? -1
               : 0;
}
