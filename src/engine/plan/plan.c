/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two arguments, read (reading.c), to one line: pass the directions along, mirror the left chain,
 * settle `^` and `%`, and decide what becomes of each link. See catena/plan.h. */
#include "catena/catena.h"
#include "catena/options.h"
#include "catena/plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/endpoint.h"
#include "engine/plan/bind.h"
#include "engine/plan/checks.h"
#include "engine/plan/plan_controls.h"
#include "engine/plan/plan_records.h"
#include "engine/plan/plan_trunk.h"
#include "engine/plan/plan_warn.h"
#include "engine/plan/routes_plan.h"

/* ---- the line ---- */

static bool passes(const struct addr *a)
{
    return !a || (a->form->kind == FORM_CODEC && a->form->ops.codec->passes);
}

static bool is_kind(const struct plan_link *l, enum form_kind k)
{
    return l->fwd->form->kind == k || (l->back && l->back->form->kind == k);
}

/* Each link in a thread of its own, as the talk has it. */
static bool apart(const struct plan *p)
{
    return p->settings->unfused || p->settings->comm_given;
}

static enum link_fate fate_of(const struct plan *p, const struct plan_link *l)
{
    if (is_kind(l, FORM_NEGOTIATOR))
        return FATE_DIALOG;
    if (is_kind(l, FORM_PROGRAM))
        return FATE_PROGRAM;
    return passes(l->fwd) && passes(l->back) && !apart(p) ? FATE_NOTHING : FATE_ENGINE;
}

/* Directions of the line from the contexts of the chain, which is mirrored on the left. */
static void settle_link(struct plan *p, struct plan_link *l)
{
    enum ctx left = l->back ? CTX_B : l->fwd->left;
    int away = l->chain == LEFT ? LEFT : RIGHT; /* where the chain's right end is on the line */
    bool outward = left != CTX_R, inward = left != CTX_W;
    l->to_right = away == RIGHT ? outward : inward;
    l->to_left = away == RIGHT ? inward : outward;
    l->wire = l->reversed ? !away : away;
    l->fate = fate_of(p, l);
}

/* A session writes its own small messages between the data, and its peer answers only some. So it is with
 * frames. */
static int settle_prompt(struct plan *p, const struct plan_link *l, struct err *e)
{
    struct plan_end *end = &p->end[l->wire];
    bool session = l->fwd->form->kind == FORM_SESSION;
    bool frames = (link_records(l, LEFT) | link_records(l, RIGHT)) & LINK_TAKES;
    if (!session && !frames)
        return 0;
    struct addr *a = arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    *a = *end->fwd;
    a->prompt = true;
    a->sealed |= session && l->fwd->form->ops.session->over_records;
    end->fwd = a;
    return 0;
}

/* Who its peers are somebody on the way says. */
static int settle_introduced(struct plan *p, const struct plan_link *l, struct err *e)
{
    struct addr *a;
    const struct addr *end = p->end[l->wire].fwd;
    if (!l->fwd->form->introduces)
        return 0;
    enum admits who = l->fwd->form->introduces(l->fwd);
    if (!(a = arena_alloc(&p->arena, sizeof *a)))
        return err_nomem(e);
    *a = *end;
    a->introducer = end->introduced && end->introducer < who ? end->introducer : who;
    a->introduced = true;
    p->end[l->wire].fwd = a;
    return 0;
}

/* Who connects to a dialog that hears first need not be accepted before there is something to be heard. */
static int settle_heard_first(struct plan *p, int side, struct err *e)
{
    const struct plan_link *l = p->nlinks == 0 ? NULL : side == LEFT ? &p->links[0] : &p->links[p->nlinks - 1];
    struct plan_end *end = &p->end[side];
    if (!l || l->wire != side || l->fate != FATE_DIALOG || !l->fwd->form->ops.negotiator->hears_first)
        return 0;
    struct addr *a = arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return err_nomem(e);
    *a = *end->fwd;
    a->heard_first = true;
    end->fwd = a;
    return 0;
}

/* A meter where the two chains meet, behind those dialogs of the right one that are held before there is
 * anything to count. */
static int add_progress(struct plan *p, bool without, struct err *e)
{
    size_t at = p->nleft;
    if (!p->settings->progress || without)
        return 0;
    while (at < p->nlinks && p->links[at].fate == FATE_DIALOG && p->links[at].wire == LEFT)
        at++;
    memmove(&p->links[at + 1], &p->links[at], (p->nlinks - at) * sizeof *p->links);
    p->nlinks++;
    if (read_progress(p, &p->links[at], e) < 0)
        return -1;
    settle_link(p, &p->links[at]);
    return 0;
}

static int make_line(struct plan *p, const struct chain c[2], struct err *e)
{
    p->nleft = c[LEFT].nlinks;
    p->nlinks = p->nleft + c[RIGHT].nlinks;
    p->links = arena_alloc(&p->arena, (p->nlinks + 2) * sizeof *p->links);
    if (!p->links)
        return err_nomem(e);
    for (size_t i = 0; i < p->nlinks; i++) {
        p->links[i] = i < p->nleft ? c[LEFT].links[p->nleft - 1 - i] : c[RIGHT].links[i - p->nleft];
        settle_link(p, &p->links[i]);
    }
    const struct addr *end = c[RIGHT].end.fwd;
    if (add_progress(p, opt_true(end, &opt_nofork) || end->form->routed, e) < 0)
        return -1;
    p->end[LEFT] = c[LEFT].end;
    p->end[RIGHT] = c[RIGHT].end;
    for (size_t i = 0; i < p->nlinks; i++)
        if (settle_prompt(p, &p->links[i], e) < 0 || settle_introduced(p, &p->links[i], e) < 0)
            return -1;
    if (settle_heard_first(p, LEFT, e) < 0 || settle_heard_first(p, RIGHT, e) < 0 || plan_settle_spoken(p, e) < 0)
        return -1;
    return plan_settle_places(p, e);
}

/* ---- stations ---- */

static void add_item(struct plan *p, enum item_kind kind, const struct plan_link *l, size_t hop, bool to_right,
                     bool to_left)
{
    p->items[p->nitems++] = (struct plan_item){kind, l, to_right, to_left, 0, hop};
}

/* What a dialog leaves in its own place, or beyond the session that follows. */
static bool leaves(const struct plan_link *l, bool beyond)
{
    return l->fate == FATE_DIALOG && addr_leaves(l->fwd) &&
           l->fwd->form->ops.negotiator->leaves_beyond == beyond;
}

/* The data side of a dialog has a station: what it leaves behind, or a relay. */
static bool has_station(const struct plan *p, const struct plan_link *l)
{
    return l->fate == FATE_DIALOG && (apart(p) || leaves(l, false));
}

/* A program wants real descriptors on both sides, made for it. Where the line ends without another
 * station, a plain relay stands between it and the endpoint. */
static bool station_beyond(const struct plan *p, size_t link, int step)
{
    for (size_t i = link + (size_t)step; i < p->nlinks; i += (size_t)step)
        if (p->links[i].fate == FATE_ENGINE || p->links[i].fate == FATE_PROGRAM ||
            has_station(p, &p->links[i]))
            return true;
    return false;
}

/* On that side of a session: what dialogs on its wire have left for there. */
static void add_items_beyond(struct plan *p, size_t session, int side)
{
    const struct plan_link *s = &p->links[session];
    for (size_t i = 0; i < p->nlinks && s->fwd->form->kind == FORM_SESSION && s->wire != side; i++)
        if (leaves(&p->links[i], true) && plan_session_behind(p, &p->links[i]) == s)
            add_item(p, ITEM_STATION, &p->links[i], side == LEFT ? session : session + 1, true, true);
}

static void add_link_items(struct plan *p, size_t i)
{
    const struct plan_link *l = &p->links[i];
    bool station = has_station(p, l);
    const struct plan_link *left = leaves(l, false) ? l : NULL;
    add_items_beyond(p, i, LEFT);
    if (l->fate == FATE_PROGRAM && !station_beyond(p, i, -1))
        add_item(p, ITEM_STATION, NULL, i, l->to_right, l->to_left);
    if (station && l->wire == RIGHT)
        add_item(p, ITEM_STATION, left, i, true, true);
    if (l->fate == FATE_DIALOG)
        add_item(p, ITEM_DIALOG, l, i + 1, true, true);
    if (station && l->wire == LEFT)
        add_item(p, ITEM_STATION, left, i + 1, true, true);
    if (l->fate == FATE_ENGINE || l->fate == FATE_PROGRAM)
        add_item(p, ITEM_STATION, l, i + 1, l->to_right, l->to_left);
    if (l->fate == FATE_PROGRAM && !station_beyond(p, i, 1))
        add_item(p, ITEM_STATION, NULL, i + 1, l->to_right, l->to_left);
    add_items_beyond(p, i, RIGHT);
}

static bool can_be_border(const struct plan_item *it)
{
    return !it->link || it->link->fate == FATE_ENGINE || it->link->fate == FATE_DIALOG;
}

static bool talks_to_left(const struct plan_item *it)
{
    return it->kind == ITEM_DIALOG && it->link->wire == LEFT;
}

static bool speaks_to(const struct plan_item *it, int side)
{
    bool speaks = it->kind == ITEM_DIALOG || (it->link && it->link->fwd->form->kind == FORM_SESSION);
    return speaks && it->link->wire == side;
}

/* The nearest from there on, away from the border; nitems: there is none. */
static size_t next_station(const struct plan *p, size_t i, int side)
{
    while (i < p->nitems && p->items[i].kind != ITEM_STATION)
        i = side == RIGHT ? i + 1 : i - 1;
    return i < p->nitems ? i : p->nitems;
}

/* A relay beside a dialog changes nothing, and cannot be the border while somebody behind it talks across it: the
 * border's engine does not run by then. */
static size_t behind_relays(const struct plan *p, size_t at, int side)
{
    size_t step = side == RIGHT ? 1 : (size_t)-1;
    while (at < p->nitems && !p->items[at].link) {
        size_t next = next_station(p, at + step, side);
        bool through = false;
        for (size_t i = at + step; i < p->nitems; i += step) {
            through |= speaks_to(&p->items[i], !side);
            if (i == next)
                break;
        }
        if (!through || next == p->nitems || !can_be_border(&p->items[next]))
            break;
        at = next;
    }
    return at;
}

/* The border's features and the run's timers live in one engine: the nearest to the border, right
 * of it if there is one, else left, else a plain relay made for it, behind dialogs that are to be held
 * before the right chain is opened. */
static void settle_border(struct plan *p)
{
    size_t right = behind_relays(p, next_station(p, p->nleft_items, RIGHT), RIGHT);
    size_t left = behind_relays(p, next_station(p, p->nleft_items - 1, LEFT), LEFT);
    if (right < p->nitems && can_be_border(&p->items[right])) {
        p->border = right;
        return;
    }
    if (left < p->nleft_items && can_be_border(&p->items[left])) {
        p->border = left;
        return;
    }
    p->border = p->nleft_items;
    while (p->border < p->nitems && talks_to_left(&p->items[p->border]))
        p->border++;
    memmove(p->items + p->border + 1, p->items + p->border,
            (p->nitems - p->border) * sizeof *p->items);
    p->items[p->border] = (struct plan_item){ITEM_STATION, NULL, p->settings->to_right,
                                             p->settings->to_left, 0, p->nleft};
    p->nitems++;
}

/* ---- what shares an engine ---- */

static bool has_threads(const struct plan *p)
{
    const struct opt *o = plan_chain_opt(p, LEFT, &opt_thread);
    return o && o->v.i;
}

static bool is_heavy(const struct addr *a)
{
    return a && a->form->heavy;
}

static bool same_flows(const struct plan_item *a, const struct plan_item *b)
{
    return a->to_right == b->to_right && a->to_left == b->to_left;
}

/* Heavy layers (TLS, compression) get an engine each, so that a pipeline uses the processors; light ones ride with
 * a neighbour. A line of a listener with threads is one engine with all its layers, which shares a thread
 * with those of other connections. */
static void settle_engines(struct plan *p)
{
    const struct plan_item *last = NULL; /* in the engine that may take one more */
    bool loaded = false;
    for (size_t i = 0; i < p->nitems; i++) {
        struct plan_item *it = &p->items[i];
        bool program = it->link && it->link->fate == FATE_PROGRAM;
        if (it->kind != ITEM_STATION)
            continue;
        bool heavy = it->link && !program && (is_heavy(it->link->fwd) || is_heavy(it->link->back));
        bool joins = last && !program && !apart(p) && same_flows(last, it) &&
                     (has_threads(p) || !(heavy && loaded));
        if (!program && !joins)
            p->nengines++;
        it->engine = program ? 0 : p->nengines;
        loaded = heavy || (joins && loaded);
        if (joins && i >= p->nleft_items && (size_t)(last - p->items) < p->nleft_items)
            p->border_inside = true;
        last = program ? NULL : it;
    }
}

static bool answers_for_rest(const struct plan_item *it)
{
    return talks_to_left(it) && it->link->fwd->form->ops.negotiator->answers_for_rest;
}

/* Of several the last one does: it is what those before were asked for, and it is there. But who has to talk to
 * what was opened cannot do so before. */
bool plan_item_waits(const struct plan *p, size_t i)
{
    if (!answers_for_rest(&p->items[i]))
        return false;
    for (size_t k = i + 1; k < p->nitems && (k < p->nleft_items || talks_to_left(&p->items[k])); k++)
        if (answers_for_rest(&p->items[k]))
            return p->items[i].link->fwd->form->ops.negotiator->talks_beyond;
    return true;
}

/* Who connected proves who he is before anything behind is opened: behind the last address of the right
 * chain that talks to the left, if nothing between needs what is right of it. The border's engine does
 * not run by then. Who waits for an answer that depends on the rest says nothing before he has it. */
static void settle_proofs(struct plan *p)
{
    p->nproofs = p->nleft_items;
    for (size_t i = 0; i < p->nleft_items; i++)
        if (plan_item_waits(p, i)) {
            p->nproofs = i + 1;
            return;
        }
    for (size_t i = p->nleft_items; i < p->nitems && p->items[i].link; i++) {
        const struct plan_link *l = p->items[i].link;
        bool talks = p->items[i].kind == ITEM_DIALOG || l->fwd->form->kind == FORM_SESSION;
        bool behind_border = i > p->border && p->border >= p->nleft_items &&
                             p->items[i].engine != p->items[p->border].engine;
        if (behind_border || (talks && l->wire != LEFT))
            break;
        if (talks)
            p->nproofs = i + 1;
        if (plan_item_waits(p, i))
            break;
    }
}

/* Whoever chooses the right chain does so before anything stands that depends on it. */
static int settle_routed(struct plan *p, struct err *e)
{
    const struct addr *end = p->end[RIGHT].fwd;
    if (!end->form->routed)
        return 0;
    if (p->is_route)
        return err_at(e, end->at, "%s: a map leads to no other map", end->label);
    if (p->nlinks > p->nleft)
        return err_at(e, end->at, "%s: the whole right chain is what the map says, links stand there", end->label);
    for (size_t i = p->nleft_items; i-- > 0;)
        if (p->items[i].kind == ITEM_DIALOG && opt_find(p->items[i].link->fwd, &opt_to)) {
            for (size_t k = 0; k < i; k++)
                if (p->items[k].kind == ITEM_STATION || plan_item_waits(p, k))
                    return err_at(e, end->at, "%s: %s cannot choose a chain, for what connects stands behind something else by "
                                              "then; TLS can stand left of it, or in the chains of the map as ^openssl-server",
                                  end->label, p->items[i].link->fwd->label);
            p->nproofs = i + 1;
            return 0;
        }
    return err_at(e, end->at, "%s: nobody in the left chain chooses (sni-peek or sniff with option to)", end->label);
}

static int make_items(struct plan *p, struct err *e)
{
    p->items = arena_alloc(&p->arena, (3 * p->nlinks + 1) * sizeof *p->items);
    if (!p->items)
        return err_nomem(e);
    p->nitems = p->nengines = 0;
    p->border_inside = false;
    for (size_t i = 0; i < p->nlinks; i++) {
        if (i == p->nleft)
            p->nleft_items = p->nitems;
        add_link_items(p, i);
    }
    if (p->nleft == p->nlinks)
        p->nleft_items = p->nitems;
    settle_border(p);
    settle_engines(p);
    settle_proofs(p);
    if (settle_routed(p, e) < 0)
        return -1;
    return plan_settle_records(p, e) < 0 || plan_settle_controls(p, e) < 0 ? -1 : plan_check_dialogs(p, e);
}

/* ---- the whole ---- */

static void notes_append(struct plan *p, struct plan_note *more)
{
    struct plan_note **end = &p->notes;
    while (*end)
        end = &(*end)->next;
    *end = more;
}

static void names_append(struct plan *p, struct plan_name *more)
{
    struct plan_name **end = &p->names;
    while (*end)
        end = &(*end)->next;
    *end = more;
}

static int make(struct plan *p, const struct chain chains[2], struct err *e)
{
    struct chain c[2] = {chains[LEFT], chains[RIGHT]};
    return plan_split(p, c, make, e) < 0 || make_line(p, c, e) < 0 || make_items(p, e) < 0 || plan_check_holes(p, e) < 0 ||
                   plan_check_options(p, e) < 0
               ? -1
               : 0;
}

/* The line of the readings that count; where these are no line, of the others. */
static int make_of_readings(struct plan *p, const struct readings r[2], struct err *e)
{
    struct err other;
    for (size_t i = 0; i < r[LEFT].n * r[RIGHT].n; i++) {
        struct chain c[2] = {r[LEFT].of[i / r[RIGHT].n], r[RIGHT].of[i % r[RIGHT].n]};
        if (make(p, c, i == 0 ? e : &other) < 0)
            continue;
        notes_append(p, c[LEFT].notes);
        notes_append(p, c[RIGHT].notes);
        names_append(p, c[LEFT].names);
        names_append(p, c[RIGHT].names);
        return plan_warn(p, e);
    }
    return -1;
}

static int make_plan(struct plan *p, struct err *e)
{
    struct readings r[2];
    return read_argument(p, LEFT, &r[LEFT], e) < 0 || read_argument(p, RIGHT, &r[RIGHT], e) < 0 ||
                   make_of_readings(p, r, e) < 0
               ? -1
               : 0;
}

/* Under the name socat what cannot be a hole is text, as ever. */
static int make_plan_as_v1(struct plan *p, struct err *e)
{
    struct err ignored;
    if (p->no_holes || !p->settings->v1_name)
        return -1;
    p->no_holes = true;
    return make_plan(p, &ignored) < 0 ? -1 : (*e = (struct err){.kind = ERR_NONE}, 0);
}

int plan_make_route(const struct settings *s, const char *left, const char *right, const char *pattern, struct plan **out,
                    struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->known = s->catena->known;
    p->settings = s;
    p->text[LEFT] = left;
    p->text[RIGHT] = right;
    p->no_holes = s->v1_only;
    p->route_of = pattern;
    p->is_route = pattern != NULL;
    if (make_plan(p, e) < 0 && make_plan_as_v1(p, e) < 0) {
        plan_free(p);
        return -1;
    }
    plan_settle_facts(p);
    p->nfigures = p->nlinks;
    *out = p;
    return 0;
}

int plan_make(const struct settings *s, const char *left, const char *right, struct plan **out,
              struct err *e)
{
    return plan_make_route(s, left, right, NULL, out, e);
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    routes_free(p);
    plan_free_trunk(p);
    arena_free(&p->arena);
    free(p);
}
