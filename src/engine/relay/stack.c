/* SPDX-License-Identifier: GPL-2.0-or-later
 * Layers and seams: see stack.h. */
#include "engine/relay/stack.h"

#include <stdlib.h>

#include "catena/diag.h"
#include "engine/relay/border.h"
#include "engine/relay/engine.h"

/* ---- places ---- */

struct seam *layer_from(const struct engine *e, const struct layer *l, int source)
{
    return &e->seam[l->at + (source == LEFT ? 0 : 1)];
}

struct seam *layer_to(const struct engine *e, const struct layer *l, int source)
{
    return layer_from(e, l, !source);
}

/* The layer in front of that seam, or behind it, as that flow goes; NULL: the port. */
static const struct layer *before(const struct engine *e, const struct seam *at, int source)
{
    size_t i = (size_t)(at - e->seam);
    return source == LEFT ? (i > 0 ? &e->layer[i - 1] : NULL) : (i < e->nlayers ? &e->layer[i] : NULL);
}

static const struct layer *behind(const struct engine *e, const struct seam *at, int source)
{
    return before(e, at, !source);
}

bool layer_keeps(const struct layer *l, int source)
{
    if (l->session)
        return false;
    return !l->lane[source].ops || l->lane[source].ops->looks;
}

const struct layer *stack_meets(const struct engine *e, int side, int source)
{
    for (size_t i = 0; i < e->nlayers; i++) {
        const struct layer *l = &e->layer[side == LEFT ? i : e->nlayers - 1 - i];
        if (!layer_keeps(l, source))
            return l;
    }
    return NULL;
}

const struct layer *stack_wire(const struct engine *e, int side)
{
    const struct layer *l = stack_meets(e, side, side);
    return l && l->session && l->link->wire == side ? l : NULL;
}

bool stack_is_plain(const struct engine *e, int source)
{
    return !stack_meets(e, source, source);
}

bool stack_is_bare(const struct engine *e, int source)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (!e->layer[i].kind->may_pass || !e->layer[i].kind->may_pass(&e->layer[i], source))
            return false;
    return true;
}

void stack_passed(struct engine *e, int source, size_t n)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (e->layer[i].kind->passed)
            e->layer[i].kind->passed(&e->layer[i], source, n);
}

const struct layer *stack_unopened(const struct engine *e)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (e->layer[i].session && !e->layer[i].opened && !e->layer[i].dead)
            return &e->layer[i];
    return NULL;
}

const struct layer *stack_awaits_goodbye(const struct engine *e)
{
    for (size_t i = 0; i < e->nlayers; i++) {
        const struct layer *l = &e->layer[i];
        if (l->session && !l->dead && !layer_from(e, l, l->link->wire)->end[l->link->wire] &&
            !layer_to(e, l, l->link->wire)->end[l->link->wire])
            return l;
    }
    return NULL;
}

bool stack_has_said_all(const struct engine *e, int side)
{
    for (size_t i = 0; i < e->nlayers; i++) {
        const struct layer *l = &e->layer[i];
        if (l->session && !l->dead && l->link->wire == side && l->session->said_all && l->session->said_all(l->session_st))
            return true;
    }
    return false;
}

/* Who takes what goes on from there; NULL: the port, or nobody yet. */
static const struct layer *taker(const struct engine *e, const struct seam *at, int source)
{
    const struct layer *l;
    while ((l = behind(e, at, source)) && layer_keeps(l, source))
        at = layer_to(e, l, source);
    return l;
}

bool stack_is_open_ended(const struct engine *e, const struct seam *at, int source)
{
    return !taker(e, at, source) && !e->side[!source].port;
}

bool stack_gives_records(const struct engine *e, const struct seam *at, int source)
{
    const struct layer *l = taker(e, at, source);
    if (l && !l->session)
        return l->lane[source].ops->takes_records;
    if (l)
        return l->session->over_records;
    const struct port *p = e->side[!source].port;
    return !p || p->flags & PORT_MSG_W; /* a side that is not there yet may turn out to take records */
}

size_t stack_portion(const struct engine *e, const struct buf *b)
{
    size_t most = engine_piece(e);
    return b->record || b->len <= most ? b->len : most;
}

size_t stack_whole(const struct engine *e, const struct seam *at, int source)
{
    const struct port *p = taker(e, at, source) ? NULL : e->side[!source].port;
    return p ? port_message_whole(p) : 0;
}

size_t stack_held(const struct engine *e, int source)
{
    size_t n = 0;
    for (size_t i = 0; i <= e->nlayers; i++)
        n += e->seam[i].buf[source].len;
    for (size_t i = 0; i < e->nlayers; i++) {
        const struct layer_lane *lane = &e->layer[i].lane[source];
        n += lane->st && lane->ops->held && !lane->ended ? lane->ops->held(lane->st) : 0;
    }
    return n;
}

bool stack_is_empty(const struct engine *e, int source)
{
    for (size_t i = 0; i <= e->nlayers; i++)
        if (buf_holds(&e->seam[i].buf[source]))
            return false;
    return true;
}

/* ---- making ---- */

int stack_init(struct engine *e, const struct plan_item *item, struct err *err)
{
    e->seam = calloc(1, sizeof *e->seam);
    if (!e->seam)
        return err_nomem(err);
    e->seam->has[LEFT] = item->to_right;
    e->seam->has[RIGHT] = item->to_left;
    return 0;
}

/* Room for one more layer and seam, at that end. Gives its number. */
static int widen(struct engine *e, int inner, struct err *err)
{
    size_t n = e->nlayers, at = inner == LEFT ? 0 : n;
    struct seam *seams = reallocarray(e->seam, n + 2, sizeof *seams);
    if (!seams)
        return err_nomem(err);
    e->seam = seams;
    struct layer *layers = reallocarray(e->layer, n + 1, sizeof *layers);
    if (!layers)
        return err_nomem(err);
    e->layer = layers;
    for (size_t i = n; inner == LEFT && i > 0; i--) {
        layers[i] = layers[i - 1];
        layers[i].at = i;
    }
    for (size_t i = n + 1; inner == LEFT && i > 0; i--)
        seams[i] = seams[i - 1];
    layers[at] = (struct layer){.at = at};
    e->nlayers = n + 1;
    return (int)at;
}

/* Both flows of a session's wire exist, whatever is used of its data. */
static void lay_seam(struct engine *e, const struct layer *l, int inner)
{
    struct seam *beyond = &e->seam[l->at + (inner == LEFT ? 1 : 0)], *laid = &e->seam[l->at + (inner == LEFT ? 0 : 1)];
    bool talks = l->session && l->link->wire == inner;
    *laid = (struct seam){.wire = l->session ? talks : beyond->wire};
    for (int d = 0; d < 2; d++)
        laid->has[d] = laid->wire || (l->session ? e->used[d] : beyond->has[d]);
    if (l->session && !talks && !beyond->wire) { /* up to the port */
        for (size_t i = inner == LEFT ? l->at + 1 : 0; i <= (inner == LEFT ? e->nlayers : l->at); i++)
            e->seam[i].wire = e->seam[i].has[LEFT] = e->seam[i].has[RIGHT] = true;
        e->side[!inner].out = OUT_OPEN;
    }
    e->side[inner].out = engine_has_out(e, inner) ? OUT_OPEN : OUT_SHUT;
}

int stack_push(struct engine *e, int outer, const struct plan_link *link, struct err *err)
{
    int at = widen(e, !outer, err);
    if (at < 0)
        return -1;
    struct layer *l = &e->layer[at];
    l->link = link;
    l->label = link ? link->fwd->label : NULL;
    l->traffic = link && e->run->links ? &e->run->links[link - e->run->plan->links] : NULL;
    l->border = link ? NULL : e->border;
    bool session = link && link->fwd->form->kind == FORM_SESSION;
    l->kind = !link ? &border_layer : session ? &session_layer : &codec_layer;
    l->session = session ? link->fwd->form->ops.session : NULL;
    lay_seam(e, l, !outer);
    return !link ? 0 : session ? session_layer_init(e, l, err) : codec_layer_init(e, l, err);
}

/* What flows to the right lies in the left one's seam, and the other way round. */
static void meet(struct seam *left, struct seam *right)
{
    buf_swap(&left->buf[RIGHT], &right->buf[RIGHT]);
    buf_fini(&right->buf[LEFT]);
    buf_fini(&right->buf[RIGHT]);
    left->end[RIGHT] = right->end[RIGHT];
    left->wire |= right->wire;
    for (int d = 0; d < 2; d++) {
        left->has[d] |= right->has[d];
        left->refused[d] |= right->refused[d];
    }
}

int stack_merge(struct engine *left, struct engine *right, struct err *err)
{
    size_t n = left->nlayers, more = right->nlayers;
    struct seam *seams = reallocarray(left->seam, n + more + 1, sizeof *seams);
    if (!seams)
        return err_nomem(err);
    left->seam = seams;
    struct layer *layers = reallocarray(left->layer, n + more + 1, sizeof *layers);
    if (!layers)
        return err_nomem(err);
    left->layer = layers;
    meet(&seams[n], right->seam);
    for (size_t i = 0; i < more; i++) {
        layers[n + i] = right->layer[i];
        layers[n + i].at = n + i;
        seams[n + i + 1] = right->seam[i + 1];
    }
    left->nlayers = n + more;
    free(right->layer);
    free(right->seam);
    return 0;
}

void stack_fini(struct engine *e)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (e->layer[i].kind->fini)
            e->layer[i].kind->fini(&e->layer[i]);
    for (size_t i = 0; e->seam && i <= e->nlayers; i++)
        for (int d = 0; d < 2; d++)
            buf_fini(&e->seam[i].buf[d]);
    buf_fini(&e->spare);
    free(e->layer);
    free(e->seam);
    e->layer = NULL;
    e->seam = NULL;
    e->nlayers = 0;
}

/* ---- working ---- */

void stack_end(const struct engine *e, struct seam *at, int source, enum flow_end how, const char *why)
{
    if (at->end[source] == how)
        return;
    at->end[source] = (unsigned char)how;
    diag(DIAG_DEBUG, "flow %s, seam %zu of %zu: %s: %s", source == LEFT ? "to the right" : "to the left",
         (size_t)(at - e->seam), e->nlayers, how == FLOW_CUT ? "cut" : "ended", why);
}

int stack_make_room(struct engine *e, struct seam *to, int source, struct err *err)
{
    size_t block = e->lane[source].block > e->block ? e->lane[source].block : e->block;
    /* what a session makes of a full block is a little more, and is to leave at once */
    return buf_grow(&to->buf[source], block + block / 16) < 0 ? err_nomem(err) : 0;
}

/* It does no more; what it has made already goes on, but is not the whole. */
static int failed(struct engine *e, struct layer *l, struct err *err)
{
    l->dead = true;
    for (int d = 0; d < 2; d++) {
        stack_end(e, layer_to(e, l, d), d, FLOW_CUT, "a layer has failed");
        stack_refuse(e, layer_from(e, l, d), d);
    }
    return l->link ? err_wrap(err, "%s", l->label) : -1;
}

static int step_layer(struct engine *e, struct layer *l, bool *moved, struct err *err)
{
    return l->dead || l->kind->step(e, l, moved, err) == 0 ? 0 : failed(e, l, err);
}

int stack_step(struct engine *e, bool *moved, struct err *err)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (step_layer(e, &e->layer[i], moved, err) < 0)
            return -1;
    for (size_t i = e->nlayers; i-- > 1;) /* and what flows to the left */
        if (step_layer(e, &e->layer[i - 1], moved, err) < 0)
            return -1;
    return 0;
}

static bool delays(const struct engine *e, const struct layer *l, int source)
{
    return !l->dead && l->kind->delays && l->kind->delays(e, l, source);
}

bool stack_delays(const struct engine *e, int source)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (delays(e, &e->layer[i], source))
            return true;
    return false;
}

/* A layer that the flow meets before that one keeps what would come to it. */
static bool is_kept_waiting(const struct engine *e, const struct layer *l, int source)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if ((source == LEFT ? i < l->at : i > l->at) && delays(e, &e->layer[i], source))
            return true;
    return false;
}

int64_t stack_due(const struct engine *e)
{
    int64_t first = -1;
    for (size_t i = 0; i < e->nlayers; i++) {
        const struct layer *l = &e->layer[i];
        int64_t t = l->dead || !l->kind->due ? -1 : l->kind->due(e, l);
        if (t >= 0 && (first < 0 || t < first))
            first = t;
    }
    return first;
}

/* A layer may hold something back, nothing comes to it, and there is room to give it out. */
static bool holds(const struct engine *e, const struct layer *l, int source, bool dry)
{
    return !l->dead && l->kind->holds && l->kind->holds(l, source) &&
           !buf_holds(&layer_from(e, l, source)->buf[source]) && !buf_holds(&layer_to(e, l, source)->buf[source]) &&
           (dry || is_kept_waiting(e, l, source));
}

bool stack_holds(const struct engine *e, int source, bool dry)
{
    for (size_t i = 0; i < e->nlayers; i++)
        if (holds(e, &e->layer[i], source, dry))
            return true;
    return false;
}

int stack_release(struct engine *e, int source, bool dry, struct err *err)
{
    for (size_t i = 0; i < e->nlayers; i++) {
        struct layer *l = &e->layer[source == LEFT ? i : e->nlayers - 1 - i];
        if (!holds(e, l, source, dry))
            continue;
        if (l->kind->release(e, l, source, err) < 0)
            return failed(e, l, err);
    }
    return 0;
}

void stack_refuse(struct engine *e, struct seam *at, int source)
{
    for (;;) {
        const struct layer *l = before(e, at, source);
        at->refused[source] = true;
        buf_consume(&at->buf[source], at->buf[source].len);
        if (!l) {
            engine_end_input(e, source, "nobody takes it any more");
            return;
        }
        if (l->session && l->link->wire == source && !e->closing)
            return; /* its wire goes on: there is a goodbye to say */
        e->layer[l->at].lane[source].ended = true; /* no codec is asked for an end that nobody gets */
        at = layer_from(e, l, source);
    }
}

void stack_rest(struct engine *e, int source, bool keeps)
{
    if (!stack_is_empty(e, source))
        return;
    for (size_t i = 0; i <= e->nlayers; i++) {
        struct buf *b = &e->seam[i].buf[source];
        if (keeps && !e->spare.p)
            buf_swap(b, &e->spare);
        buf_fini(b);
    }
}
