/* SPDX-License-Identifier: GPL-2.0-or-later
 * Building the line and taking it down: see line.h. */
#include "engine/open/line.h"

#include <stdlib.h>
#include <unistd.h>

#include "catena/endpoint.h"
#include "engine/open/dialog.h"
#include "engine/open/joint.h"
#include "engine/plan/plan_records.h"

static int make_stations(struct line *l, struct err *e)
{
    const struct plan *p = l->plan;
    l->stations = calloc(p->nitems, sizeof *l->stations);
    if (!l->stations)
        return err_nomem(e);
    for (size_t i = 0; i < p->nitems; i++) {
        struct station *s = &l->stations[i];
        s->item = &p->items[i];
        s->stop_fd = -1;
        s->ends[LEFT] = s->ends[RIGHT] = (struct comm_ends){-1, -1};
        s->program = s->item->link && s->item->link->fate == FATE_PROGRAM;
    }
    return 0;
}

int line_init(struct line *l, struct run *r, struct err *e)
{
    const struct plan *p = r->plan;
    *l = (struct line){.run = r, .plan = p, .next = {0, p->nitems}, .done_fd = -1};
    for (int i = 0; i < 2; i++)
        l->fds[i][0] = l->fds[i][1] = -1;
    border_init(&l->border, r);
    return make_stations(l, e);
}

int line_become(struct line *l, const struct plan *p, struct err *e)
{
    free(l->stations);
    l->stations = NULL;
    pthread_mutex_lock(&l->run->lock);
    l->run->plan = l->plan = p;
    pthread_mutex_unlock(&l->run->lock);
    l->next[RIGHT] = p->nitems;
    l->failed = NULL;
    border_fini(&l->border);
    border_init(&l->border, l->run);
    return make_stations(l, e);
}

void line_put_end(struct line *l, int side, struct port *p)
{
    l->port[side] = p;
    run_measure(l->run, side, p->flags & PORT_SOCKET_R ? -1 : p->rfd); /* no socket knows how much comes */
    l->fds[side][0] = p->given[p->given[0] < 0];
    l->fds[side][1] = p->given[p->given[1] >= 0];
}

/* ---- stations ---- */

static bool is_border(const struct line *l, const struct station *s)
{
    return s->item == &l->plan->items[l->plan->border];
}

static void put_at_border(struct line *l, struct engine *e)
{
    e->border = &l->border;
    e->border_side = l->plan->border >= l->plan->nleft_items ? LEFT : RIGHT;
}

/* What is opened now knows what it learns from those opened before: to be found by run_addr(). */
static int know_addrs(struct line *l, const struct plan_link *link, struct err *e)
{
    const struct addr *made;
    return link && (run_instance(l->run, link->fwd, &made, e) < 0 ||
                    (link->back && run_instance(l->run, link->back, &made, e) < 0))
               ? -1
               : 0;
}

static int make(struct line *l, struct station *s, struct err *e)
{
    if (s->made)
        return 0;
    if (is_border(l, s))
        put_at_border(l, &s->engine);
    s->made = true;
    return know_addrs(l, s->item->link, e) < 0 ? -1 : engine_init(&s->engine, l->run, s->item, e);
}

static bool share_engine(const struct station *a, const struct station *b)
{
    return a && b && a->item->engine && a->item->engine == b->item->engine;
}

/* One more layer for an engine that waits for what is inside of it. */
static int lay_on(struct line *l, int side, struct station *outer, const struct station *s, struct err *e)
{
    if (is_border(l, s))
        put_at_border(l, &outer->engine);
    return know_addrs(l, s->item->link, e) < 0
               ? -1
               : engine_push(&outer->engine, side, s->item, is_border(l, s), e);
}

/* Both sides are there: a program is spawned, an engine may start; the border's engine runs later. */
static int complete(struct line *l, struct station *s, struct err *e)
{
    if (!s->attached[LEFT] || !s->attached[RIGHT])
        return 0;
    if (s->program && joint_spawn(l, s, e) < 0)
        return -1;
    s->due = !s->engine.border && (s->engine.side[LEFT].port || s->engine.side[RIGHT].port);
    return 0;
}

static int give_port(struct line *l, struct station *s, int side, struct port *p, struct err *e)
{
    /* a descriptor that was opened one way is used that way, as with -u or -U */
    bool plain = stack_is_plain(&s->engine, LEFT) && stack_is_plain(&s->engine, RIGHT);
    bool alone = l->plan->nitems == 1 && plain && p->flags & PORT_BORROWED;
    s->engine.side[side].port = p;
    s->engine.side[side].has_room = !port_awaits_room(p);
    if (p->rfd < 0 && alone)
        engine_has_no_flow(&s->engine, side);
    else if (p->rfd < 0 && !(p->flags & PORT_STALL_R))
        stack_end(&s->engine, stack_seam(&s->engine, side), side, FLOW_ENDED, "it is for writing only");
    if (p->wfd < 0 && alone)
        engine_has_no_flow(&s->engine, !side);
    else if (p->wfd < 0 && !(p->flags & PORT_STALL_W) && engine_has_out(&s->engine, side))
        engine_drops(&s->engine, side);
    s->attached[side] = true;
    if (alone && !engine_has_in(&s->engine, LEFT) && !engine_has_in(&s->engine, RIGHT))
        return err_set(e, ERR_OTHER, "nothing can flow: no side gives what the other one takes");
    return complete(l, s, e);
}

/* What a program takes and gives is seen by the engines beside it. */
static void count_program(const struct line *l, const struct station *program, struct engine_side *beside)
{
    const struct plan_link *link = program->item->link;
    if (!program->program || !l->run->links)
        return;
    beside->beyond = &l->run->links[link - l->plan->links];
    for (int d = LEFT; d <= RIGHT; d++) {
        const struct addr *a;
        (void)plan_codec(link, d, &a);
        beside->of_program[d] = a->form->kind == FORM_PROGRAM;
    }
}

/* Joins a station's open inner side to its inner neighbour. */
static int join_stations(struct line *l, struct station *outer, struct station *inner, int side,
                         struct err *e)
{
    struct port *ports[2] = {NULL, NULL}; /* outer's, inner's; NULL for programs */
    if (joint_make(l, outer, inner, side, ports, e) < 0)
        return -1;
    outer->attached[!side] = inner->attached[side] = true;
    outer->engine.side[!side].port = ports[0];
    inner->engine.side[side].port = ports[1];
    count_program(l, outer, &inner->engine.side[side]);
    count_program(l, inner, &outer->engine.side[!side]);
    const struct port *beyond = outer->engine.side[side].port;
    if (beyond && ports[1]) /* where nothing tells an end behind the joint, none comes through it */
        ports[1]->flags |= beyond->flags & PORT_ENDLESS;
    return complete(l, outer, e);
}

/* ---- the cursors ---- */

static bool is_last(const struct line *l) { return l->next[RIGHT] == l->next[LEFT] + 1; }

/* What sits over another engine needs threads anyway. */
static int shake_hands(struct line *l, int side, struct station *s, struct err *e)
{
    if (line_start(l, e) < 0)
        return -1;
    bool port = !(s->engine.side[side].port->flags & PORT_JOINT) && l->on[side].len == 0;
    if (side == RIGHT && l->shakes_later && port && is_last(l) && !l->waiting.link)
        return 0;
    if (side != LEFT || !l->defers || !port)
        return engine_handshake(&s->engine, e) < 0 ? -1 : dialog_hand_on(l, side, e);
    l->proving = &s->engine;
    return 1;
}

static int attach(struct line *l, int side, struct station *s, struct err *e)
{
    struct station *outer = l->pending[side];
    bool shares = share_engine(outer, s);
    if (shares ? lay_on(l, side, outer, s, e) < 0 : make(l, s, e) < 0)
        return -1;
    if (shares) {
        s = outer;
    } else if (outer) {
        l->pending[side] = NULL;
        if (join_stations(l, outer, s, side, e) < 0)
            return -1;
    } else {
        struct port *p = l->port[side];
        l->port[side] = NULL;
        if (give_port(l, s, side, p, e) < 0)
            return -1;
    }
    l->pending[side] = s;
    return stack_wire(&s->engine, side) && engine_shakes_hands(&s->engine) ? shake_hands(l, side, s, e) : 0;
}

/* A program needs real descriptors: so has whoever talks to it while the line is being opened. */
int line_face_program(struct line *l, int side, struct err *e)
{
    struct station *s = l->pending[side];
    struct port *ports[2] = {NULL, NULL};
    if (!s || !s->program)
        return 0;
    l->pending[side] = NULL;
    if (joint_make(l, s, NULL, side, ports, e) < 0)
        return -1;
    l->port[side] = ports[1];
    s->attached[!side] = true;
    return complete(l, s, e);
}

int line_face_descriptors(struct line *l, int side, struct err *e)
{
    struct station *s = l->pending[side];
    if (!s)
        return 0;
    l->pending[side] = NULL;
    s->attached[!side] = true;
    return joint_face(s, side, &l->port[side], e) < 0 || complete(l, s, e) < 0 ? -1 : line_start(l, e);
}

static bool keeps_records(const struct plan_link *k)
{
    return link_records(k, LEFT) & link_records(k, RIGHT) & LINK_KEEPS;
}

bool line_carries_records(const struct line *l, int side, const struct plan_link *from)
{
    const struct plan *p = l->plan;
    size_t i = (size_t)(from - p->links), end = side == LEFT ? 0 : p->nlinks;
    const bool *planned = p->hops[side == LEFT ? i : i + 1].records;
    bool keeps = true;
    for (size_t k = side == LEFT ? 0 : i + 1; k < (side == LEFT ? i : end); k++)
        keeps = keeps && keeps_records(&p->links[k]);
    const struct port *port = l->pending[side] ? l->pending[side]->engine.side[side].port : l->port[side];
    unsigned both = PORT_MSG_R | PORT_MSG_W;
    return (planned[LEFT] && planned[RIGHT]) || (keeps && port && (port->flags & both) == both);
}

/* Its session talks to the other side, and a dialog that comes first there has not been held. */
static bool awaits_dialog(const struct line *l, int side, size_t i)
{
    const struct plan_item *it = &l->plan->items[i];
    size_t from = side == LEFT ? i + 1 : l->next[LEFT], to = side == LEFT ? l->next[RIGHT] : i;
    if (it->kind != ITEM_STATION || !it->link || it->link->fwd->form->kind != FORM_SESSION || it->link->wire == side)
        return false;
    for (size_t k = from; k < to; k++)
        if (l->plan->items[k].kind == ITEM_DIALOG && l->plan->items[k].link->wire != side)
            return true;
    return false;
}

/* Moves that side's cursor on, at most to (not including) `limit`; stops before a dialog that talks to the
 * other side and before the session behind that, and behind one that owes its answer: its peer waits for that. */
static int advance(struct line *l, int side, size_t limit, struct err *e)
{
    while (side == LEFT ? l->next[LEFT] < limit : l->next[RIGHT] > limit) {
        size_t i = side == LEFT ? l->next[LEFT] : l->next[RIGHT] - 1;
        const struct plan_item *it = &l->plan->items[i];
        if ((it->kind == ITEM_DIALOG && it->link->wire != side) || awaits_dialog(l, side, i))
            return 0;
        l->failed = it->link;
        int rc = it->kind == ITEM_DIALOG ? dialog_hold(l, side, i, e)
                                         : attach(l, side, &l->stations[i], e);
        if (rc < 0 || l->resting.link)
            return rc;
        l->next[side] = side == LEFT ? i + 1 : i;
        if (rc > 0)
            return rc;
    }
    return 0;
}

/* Who waits on the left for an answer gets it when all that talks to the right end has been heard; what is
 * behind him talks to him, and later, as does what has to hear him. */
static size_t right_limit(const struct line *l)
{
    size_t limit = l->waiting.link ? l->next[RIGHT] : l->bare ? l->plan->border + 1 : l->next[LEFT];
    for (size_t i = l->next[RIGHT]; l->waiting.link && i-- > l->next[LEFT];) {
        const struct plan_item *it = &l->plan->items[i];
        bool talks = it->kind == ITEM_DIALOG || (it->link && it->link->fwd->form->kind == FORM_SESSION);
        if (talks && (it->link->wire == LEFT || dialog_talks_beyond(it)))
            break;
        if (talks)
            limit = i;
    }
    return limit;
}

static size_t left_limit(const struct line *l)
{
    const struct plan *p = l->plan;
    return p->nproofs < p->nleft_items ? p->nproofs : p->nleft_items;
}

int line_open_chain(struct line *l, int side, struct err *e)
{
    size_t limit = side == LEFT ? left_limit(l) : right_limit(l);
    return advance(l, side, limit, e);
}

int line_rests_at(const struct line *l, int64_t *deadline)
{
    *deadline = l->resting.deadline;
    return l->resting.link ? l->port[l->resting.side]->rfd : -1;
}

void line_share(struct line *l, int side)
{
    size_t from = side == LEFT ? 0 : l->next[RIGHT], to = side == LEFT ? l->next[LEFT] : l->plan->nitems;
    port_share(l->port[side]);
    for (size_t i = from; i < to; i++)
        for (int k = 0; k < 2; k++) {
            struct port *p = l->stations[i].engine.side[k].port;
            if (p && !(p->flags & PORT_JOINT))
                port_share(p);
        }
}

int line_make_ahead(struct line *l, struct err *e)
{
    return l->spare.p || lane_first_block(l->run, &l->spare) == 0 ? 0 : err_nomem(e);
}

int line_prove(struct line *l, struct err *e)
{
    return advance(l, LEFT, l->plan->nproofs, e);
}

int line_join(struct line *l, struct err *e)
{
    l->defers = false;
    if (border_open(&l->border, e) < 0 || dialog_answer(l, e) < 0)
        return -1;
    if (advance(l, LEFT, l->next[RIGHT], e) < 0 || advance(l, RIGHT, l->next[LEFT], e) < 0 ||
        dialog_hand_on(l, LEFT, e) < 0 || dialog_hand_on(l, RIGHT, e) < 0)
        return -1;
    struct station *a = l->pending[LEFT], *b = l->pending[RIGHT];
    l->pending[LEFT] = l->pending[RIGHT] = NULL;
    if (share_engine(a, b)) {
        if (engine_merge(&a->engine, &b->engine, e) < 0)
            return -1;
        b->made = false;
        a->attached[RIGHT] = true;
        return complete(l, a, e);
    }
    if (a && b)
        return join_stations(l, a, b, LEFT, e) < 0 ? -1 : complete(l, b, e);
    int side = a ? RIGHT : LEFT;
    struct port *p = l->port[side];
    l->port[side] = NULL;
    return give_port(l, a ? a : b, side, p, e);
}

/* ---- the end ---- */

static void station_fini(struct station *s)
{
    station_join(s);
    if (s->made)
        engine_fini(&s->engine);
    comm_close(&s->ends[LEFT]);
    comm_close(&s->ends[RIGHT]);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    *s = (struct station){.item = s->item, .program = s->program, .stop_fd = -1,
                          .ends = {{-1, -1}, {-1, -1}}};
}

static bool any_failed(const struct line *l, size_t from, size_t to)
{
    bool any = false;
    for (size_t i = from; i < to; i++)
        any |= atomic_load(&l->stations[i].engine.failed);
    return any;
}

void line_reset_side(struct line *l, int side, bool quietly)
{
    size_t n = l->plan->nitems, from = side == LEFT ? 0 : l->next[RIGHT];
    size_t to = side == LEFT ? l->next[LEFT] : n;
    bool cut[2] = {atomic_load(&l->run->cut[0]), atomic_load(&l->run->cut[1])};
    run_cut(l->run); /* an attempt that failed loses nothing */
    if (side == RIGHT && from > l->next[LEFT])
        from--; /* the one whose opening failed */
    else if (side == LEFT && to < l->plan->nleft_items)
        to++;
    for (size_t i = from; i < to; i++)
        station_stop(&l->stations[i]);
    for (size_t i = from; i < to; i++)
        station_join(&l->stations[i]);
    if (any_failed(l, from, to) && !any_failed(l, 0, from) && !any_failed(l, to, n))
        run_forget_failure(l->run);
    for (size_t i = from; i < to; i++) {
        for (int k = 0; quietly && k < 2; k++) {
            port_abandon(l->stations[i].engine.side[k].port);
            l->stations[i].engine.side[k].port = NULL;
        }
        station_fini(&l->stations[i]);
    }
    if (quietly)
        port_abandon(l->port[side]);
    else
        port_close(l->port[side]);
    l->port[side] = NULL;
    l->pending[side] = NULL;
    l->next[side] = side == LEFT ? 0 : n;
    dialog_drop(l, side);
    atomic_store(&l->run->cut[0], cut[0]);
    atomic_store(&l->run->cut[1], cut[1]);
}

void line_fini(struct line *l)
{
    for (size_t i = 0; l->stations && i < l->plan->nitems; i++)
        station_stop(&l->stations[i]);
    for (size_t i = 0; l->stations && i < l->plan->nitems; i++)
        station_fini(&l->stations[i]);
    free(l->stations);
    l->stations = NULL;
    for (int i = 0; i < 2; i++) {
        port_close(l->port[i]);
        l->port[i] = NULL;
        dialog_drop(l, i);
    }
    if (l->done_fd >= 0)
        close(l->done_fd);
    l->done_fd = -1;
    buf_fini(&l->spare);
    border_fini(&l->border);
}

/* What is in memory is left as it is: who was at work at it is not here. */
void line_leave(struct line *l)
{
    for (int i = 0; i < 2; i++)
        port_abandon(l->port[i]);
    for (size_t i = 0; i < l->plan->nitems; i++) {
        struct station *s = &l->stations[i];
        for (int k = 0; k < 2; k++)
            if (s->engine.side[k].port && !s->engine.side[k].port->ops->give)
                port_abandon(s->engine.side[k].port);
        if (s->stop_fd >= 0)
            close(s->stop_fd);
    }
    if (l->done_fd >= 0)
        close(l->done_fd);
}
