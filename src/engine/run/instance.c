/* SPDX-License-Identifier: GPL-2.0-or-later
 * Addresses with holes become instances when they are opened: see run.h. An instance stays until its
 * address is opened again, or the run ends. */
#include <stdlib.h>

#include "catena/facts.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"

struct instance {
    struct instance *next;
    struct arena arena;
    struct addr addr;
    void *shared; /* what it prepared for itself alone */
};

static void drop(struct instance *i)
{
    const struct sharing *common = form_common(i->addr.form);
    if (common && i->shared)
        common->release(i->shared);
    arena_free(&i->arena);
    free(i);
}

void run_drop_instances(struct run *r)
{
    while (r->instances) {
        struct instance *i = r->instances;
        r->instances = i->next;
        drop(i);
    }
}

/* Under the lock. */
static struct instance **find(struct run *r, unsigned place)
{
    struct instance **at = &r->instances;
    while (*at && (*at)->addr.place != place)
        at = &(*at)->next;
    return at;
}

static struct instance *instance_of(struct run *r, unsigned place)
{
    pthread_mutex_lock(&r->lock);
    struct instance *i = *find(r, place);
    pthread_mutex_unlock(&r->lock);
    return i;
}

const struct addr *run_addr(struct run *r, const struct addr *a)
{
    const struct instance *i = a->varies ? instance_of(r, a->place) : NULL;
    return i ? &i->addr : a;
}

/* ---- making ---- */

struct asking {
    struct run *run;
    struct arena *arena;
};

static bool ask(void *arg, unsigned place, const struct fact_desc *f, struct saying *out)
{
    const struct asking *q = arg;
    return run_knows(q->run, place, f, q->arena, out);
}

/* Users and groups, which may have holes as well. */
static int look_up(struct instance *i, struct err *e)
{
    struct opt *opts = (struct opt *)(uintptr_t)i->addr.opts; /* made by addr_fill() */
    for (size_t k = 0; k < i->addr.nopts; k++)
        if (opts[k].hole && value_is_name(opts[k].desc, &opts[k].v) &&
            value_look_up(&i->arena, opts[k].desc, opts[k].at, &opts[k].v, e) < 0)
            return -1;
    return 0;
}

static int prepare(struct instance *i, struct run *r, const struct instance *there, struct err *e)
{
    const struct addr *a = &i->addr;
    const struct sharing *common = form_common(a->form);
    if (there)
        i->addr.port = addr_target_port(&there->addr);
    return common && !sharing_holds(common, a) ? ERR_ASKED(e, common->prepare(a, r, &i->shared, e)) : 0;
}

/* What a peer said was no good: no mistake of the command line, and no caret. */
static int refuse(const struct addr *a, struct err *e)
{
    if (e->kind == ERR_USAGE)
        (void)err_as(e, ERR_UNFIT);
    e->where = (struct span){0};
    return err_wrap(e, "%s", a->label);
}

int run_instance(struct run *r, const struct addr *a, const struct addr **out, struct err *e)
{
    *out = a;
    if (!a->varies)
        return 0;
    struct instance *i = calloc(1, sizeof *i);
    if (!i)
        return err_nomem(e);
    struct asking q = {r, &i->arena};
    const struct instance *there = a->host_place ? instance_of(r, a->host_place) : NULL;
    const char *host = there ? addr_target(&there->addr) : NULL;
    if (addr_fill(&i->arena, a, host, ask, &q, &i->addr, e) < 0 || look_up(i, e) < 0 ||
        prepare(i, r, there, e) < 0) {
        drop(i);
        return refuse(a, e);
    }
    pthread_mutex_lock(&r->lock);
    struct instance **at = find(r, a->place), *old = *at;
    i->next = old ? old->next : NULL;
    *at = i;
    pthread_mutex_unlock(&r->lock);
    if (old)
        drop(old);
    *out = &i->addr;
    return 0;
}

/* Of address a, which has slot i. */
static void *shared_of(struct run *r, const struct addr *a, size_t i)
{
    const struct instance *own = a->varies ? instance_of(r, a->place) : NULL;
    return own && own->shared ? own->shared : r->shared[i];
}

void *run_shared(struct run *r, size_t link)
{
    return shared_of(r, r->plan->links[link].fwd, link);
}

void *run_shared_of(struct run *r, const struct addr *a)
{
    const struct plan *p = r->plan;
    for (size_t i = 0; r->shared && p && i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        if (l->fwd->place == a->place)
            return run_shared(r, i);
        if (l->back && l->back->place == a->place)
            return shared_of(r, l->back, p->nlinks + i);
    }
    const struct addr *end = r->shared && p ? p->end[RIGHT].fwd : NULL;
    return end && end->place == a->place ? shared_of(r, end, plan_slot_of_end(p)) : NULL;
}
