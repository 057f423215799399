/* SPDX-License-Identifier: GPL-2.0-or-later
 * The steps of one run, from its chains to its end: see passage.h. */
#include "engine/open/dialog.h"
#include "engine/serve/passage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/fdtable.h"
#include "catena/options.h"
#include "catena/routes.h"
#include "catena/wait.h"
#include "engine/confine/sandbox.h"
#include "engine/run/stats.h"
#include "engine/serve/many.h"
#include "engine/serve/trunk.h"

enum { ANEW_MAX = 3 };

/* ---- the last step ---- */

int passage_join(struct passage *s, struct err *e)
{
    struct line *l = s->line;
    const char *wait = catena_variable(s->run->settings->catena, "SOCAT_TRANSFER_WAIT");
    if (line_join(l, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "starting data transfer loop with FDs [%d,%d] and [%d,%d]", l->fds[LEFT][0],
         l->fds[LEFT][1], l->fds[RIGHT][0], l->fds[RIGHT][1]);
    diag_transferring();
    if (s->run->settings->show_fds)
        fdtable_print(l->fds[0], 4);
    if (wait && wait_seconds(s->run, atof(wait), e) < 0)
        return -1;
    return sandbox_enter(s->run, e) < 0 || line_start(l, e) < 0 ? -1 : 0;
}

int passage_relay(struct passage *s, struct err *e)
{
    if (passage_join(s, e) < 0)
        return -1;
    line_relay(s->line);
    return 0;
}

static int replace(struct passage *s, struct err *e)
{
    const struct addr *a = s->plan->end[RIGHT].fwd;
    if (!a->form->ops.endpoint->replace)
        return err_at(e, a->at, "%s: option nofork is not allowed here", a->label);
    return ERR_ASKED(e, a->form->ops.endpoint->replace(a, s->run, s->line->port[LEFT], &s->status, e));
}

static bool may_retry(const struct plan *p, int side)
{
    const struct opt *times = plan_chain_opt(p, side, &opt_retry), *ever = plan_chain_opt(p, side, &opt_forever);
    return (times && times->v.i > 0) || (ever && ever->v.i != 0);
}

/* Who connected has said by what name he goes on: the line becomes another one from there. */
static int take_route(struct passage *s, struct err *e)
{
    const struct route *to = routes_chosen(s->run);
    if (!to || !to->plan)
        return err_set(e, ERR_OTHER, "nobody has chosen a chain");
    s->plan = to->plan;
    s->run->shared = to->shared;
    if (line_become(s->line, to->plan, e) < 0)
        return -1;
    int rc = line_open_chain(s->line, LEFT, e);
    return rc != 0 ? rc : line_prove(s->line, e);
}

int passage_go_on(struct passage *s, int side, struct err *e)
{
    if (side == RIGHT)
        return s->last(s, e);
    int rc = line_prove(s->line, e);
    if (rc == 0 && s->plan->end[RIGHT].fwd->form->routed)
        rc = take_route(s, e);
    if (rc != 0)
        return rc;
    const struct addr *a = s->plan->end[RIGHT].fwd;
    if (opt_true(a, &opt_nofork))
        return replace(s, e);
    s->line->shakes_later = s->last == passage_join && !may_retry(s->plan, RIGHT) && !run_wants_facts(s->run);
    return passage_open(s, RIGHT, e);
}

/* ---- retry ---- */

/* The address whose retry options cover the place that failed: itself or left of it. */
static const struct addr *covering(const struct plan *p, int side, const struct plan_link *failed,
                                   size_t *index)
{
    const struct addr *a, *found = NULL;
    for (size_t i = 0; (a = plan_chain_addr(p, side, i)); i++) {
        if (opt_true(a, &opt_retry) || opt_true(a, &opt_forever)) {
            found = a;
            *index = i;
        }
        if (failed && (a == failed->fwd || a == failed->back))
            break;
    }
    return found;
}

int passage_try_again(struct passage *s, int side, struct retries *t, struct err *e)
{
    size_t i = 0;
    const struct addr *a = covering(s->plan, side, s->line->failed, &i);
    if (!a || e->kind == ERR_USAGE || e->kind == ERR_UNFIT || err_is_end(e))
        return 0;
    if (!t->used && !(t->used = calloc(s->plan->nlinks * 2 + 2, sizeof *t->used))) {
        (void)err_nomem(e);
        return -1;
    }
    bool enough = t->used[i] >= (unsigned long long)opt_int(a, &opt_retry, 0);
    if (!opt_true(a, &opt_forever) && (enough || !err_may_pass(e)))
        return 0;
    t->used[i]++;
    diag_err(DIAG_NOTICE, e);
    struct err interrupted;
    if (s->run->ended_signal) { /* taken while the attempt's programs were collected */
        (void)err_set(e, ERR_INTERRUPTED, "ended by signal %d", s->run->ended_signal);
        return -1;
    }
    if (wait_seconds(s->run, opt_time(a, &opt_interval, 1), &interrupted) < 0) {
        *e = interrupted;
        return -1;
    }
    return 1;
}

static int attempt(struct passage *s, int side, bool dialogs, struct err *e)
{
    struct port *p = s->brought[side];
    s->line->failed = NULL;
    s->run->anew = false;
    s->brought[side] = NULL;
    if (!p && open_port(&s->end[side], s->run, &p, e) < 0)
        return -1;
    line_put_end(s->line, side, p);
    return dialogs ? line_open_chain(s->line, side, e) : 0;
}

static int listen_with_retry(struct passage *s, int side, struct retries *t, struct err *e)
{
    while (open_prepare(&s->end[side], &s->plan->end[side], s->run, e) < 0) {
        s->line->failed = NULL;
        if (passage_try_again(s, side, t, e) <= 0)
            return -1;
    }
    return 0;
}

/* Who waits for what the right chain becomes hears that it listens. */
static int tell_place(struct passage *s, int side, struct err *e)
{
    if (side == LEFT || !s->line->waiting.link)
        return 0;
    int rc = open_tell_place(&s->end[side], s->run, e);
    return rc > 0 ? dialog_meanwhile(s->line, e) : rc;
}

/* A dialog goes on over another connection: no failure, and no retry. */
static bool goes_on_anew(struct passage *s, unsigned *times, const struct err *e)
{
    if (!s->run->anew || err_is_end(e) || s->run->ended_signal || ++*times > ANEW_MAX)
        return false;
    diag_err(DIAG_INFO, e);
    return true;
}

int passage_attempts(struct passage *s, int side, bool dialogs, struct retries *t, struct err *e)
{
    for (unsigned anew = 0;;) {
        size_t children = s->run->nchildren;
        if (attempt(s, side, dialogs, e) == 0)
            return 0;
        line_reset_side(s->line, side, false);
        run_drop_children(s->run, children);
        if (goes_on_anew(s, &anew, e))
            continue;
        if (passage_try_again(s, side, t, e) <= 0)
            return -1;
    }
}

/* ---- one chain ---- */

static bool wants(const struct passage *s, int side, const struct option_desc *row)
{
    const struct opt *o = plan_chain_opt(s->plan, side, row);
    return o && o->v.i != 0;
}

int passage_open(struct passage *s, int side, struct err *e)
{
    const struct opt *max = plan_chain_opt(s->plan, side, &opt_max_children);
    struct brood brood;
    long long most = max ? max->v.i : 0;
    struct retries t = {NULL};
    int rc = -1;
    brood_init(&brood, s->run, most);
    if (listen_with_retry(s, side, &t, e) < 0 || tell_place(s, side, e) < 0) {
        rc = -1;
    } else if (wants(s, side, &opt_thread)) {
        rc = many_in_threads(s, &t, most, e);
    } else if (wants(s, side, &opt_fork)) {
        rc = many_forked(s, side, &t, &brood, e);
    } else {
        rc = passage_attempts(s, side, true, &t, e);
        open_release(&s->end[side], false);
        if (rc == 0)
            rc = open_process_options(&s->end[side], s->run, s->line->fds[side][0], e);
        if (rc == 0)
            rc = passage_go_on(s, side, e);
    }
    brood_fini(&brood);
    open_release(&s->end[side], s->run->forked);
    free(t.used);
    return rc;
}

/* ---- before and after ---- */

static const struct addr *sharer(const struct plan *p, size_t slot)
{
    return slot == plan_slot_of_end(p) ? p->end[RIGHT].fwd
           : slot < p->nlinks          ? p->links[slot].fwd
                                       : p->links[slot - p->nlinks].back;
}

/* What that one has in common, if it is one of the links from there on or the end; NULL: nothing. */
static const struct sharing *sharing_at(const struct plan *p, size_t slot, size_t from)
{
    bool counts = slot == plan_slot_of_end(p) || slot % p->nlinks >= from;
    const struct addr *a = counts ? sharer(p, slot) : NULL;
    return a ? form_common(a->form) : NULL;
}

void **passage_slots(const struct plan *p)
{
    return calloc(plan_nslots(p), sizeof(void *));
}

static int prepare(const struct plan *p, struct run *r, void **shared, size_t from, struct err *e)
{
    for (size_t i = 0; i <= plan_slot_of_end(p); i++) {
        const struct sharing *common = sharing_at(p, i, from);
        if (common && sharing_holds(common, sharer(p, i)) &&
            ERR_ASKED(e, common->prepare(sharer(p, i), r, &shared[i], e)) < 0)
            return e->where.text ? -1 : err_wrap(e, "%s", sharer(p, i)->label);
    }
    return p->trunk ? trunks_prepare(p->trunk, r, &shared[plan_slot_of_trunks(p)], e) : 0;
}

static void release(const struct plan *p, void **shared, size_t from)
{
    if (!shared)
        return;
    trunks_release(shared[plan_slot_of_trunks(p)]);
    for (size_t i = 0; i <= plan_slot_of_end(p); i++) {
        const struct sharing *common = shared[i] ? sharing_at(p, i, from) : NULL;
        if (common)
            common->release(shared[i]);
    }
}

/* The left chain is the same for all. */
static int prepare_route(const struct plan *p, struct run *r, void **shared, struct route *to, struct err *e)
{
    size_t n = to->plan->nlinks;
    if (!(to->shared = passage_slots(to->plan)))
        return err_nomem(e);
    for (size_t i = 0; i < p->nleft; i++) {
        to->shared[i] = shared[i];
        to->shared[n + i] = shared[p->nlinks + i];
    }
    r->shared = to->shared;
    int rc = prepare(to->plan, r, to->shared, p->nleft, e);
    r->shared = shared;
    return rc;
}

int passage_prepare(const struct plan *p, struct run *r, void **shared, struct err *e)
{
    if (!shared)
        return err_nomem(e);
    r->shared = shared;
    if (prepare(p, r, shared, 0, e) < 0)
        return -1;
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++)
            if (of->v[i].plan && prepare_route(p, r, shared, &of->v[i], e) < 0)
                return err_wrap(e, "%s, line %u", of->file, of->v[i].line);
    return 0;
}

void passage_release(const struct plan *p, void **shared)
{
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++) {
            if (of->v[i].plan)
                release(of->v[i].plan, of->v[i].shared, p->nleft);
            free(of->v[i].shared);
            of->v[i].shared = NULL;
        }
    release(p, shared, 0);
}

static void renew(const struct plan *p, void *const *shared, struct run *r, size_t from)
{
    for (size_t i = 0; i <= plan_slot_of_end(p); i++) {
        const struct sharing *common = shared[i] ? sharing_at(p, i, from) : NULL;
        if (common && common->renew)
            common->renew(shared[i], r);
    }
}

void passage_renew(const struct plan *p, struct run *r)
{
    renew(p, r->shared, r, 0);
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++)
            if (of->v[i].plan)
                renew(of->v[i].plan, of->v[i].shared, r, p->nleft);
}

static int exit_status(const struct passage *s, int rc, const struct err *e)
{
    const struct run *r = s->run;
    return r->ended_signal                     ? 128 + r->ended_signal
           : rc < 0 && e->kind == ERR_NOBODY   ? 0
           : r->failed || r->child_failed      ? 1
                                               : s->status;
}

int passage_finish(struct passage *s, int rc, struct err *e)
{
    struct run *r = s->run;
    if (rc < 0 && !err_is_end(e))
        run_fail(r, e);
    if (rc < 0)
        line_refuse(s->line, e);
    line_fini(s->line);
    run_collect_children(r, rc < 0 || r->ended_signal || atomic_load(&r->stop) ||
                                atomic_load(&r->over));
    run_judge_losses(r);
    if (r->settings->statistics && !r->threaded && atomic_load(&r->transferring))
        stats_print(r);
    int status = exit_status(s, rc, e);
    run_tell_end(r, r->failed);
    if (!r->threaded)
        diag(DIAG_NOTICE, "exiting with status %d", status);
    return status;
}
