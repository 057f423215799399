/* SPDX-License-Identifier: GPL-2.0-or-later
 * Transfer statistics. */
#include "engine/run/stats.h"

#include <stdio.h>
#include <stdlib.h>

#include "catena/amount.h"
#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/wait.h"

static const char *const ways[] = {"left to right", "right to left"};

/* ---- adding up ---- */

static void add_links(struct link_traffic *to, struct run *r)
{
    pthread_mutex_lock(&r->lock); /* while its line becomes another one */
    size_t n = to && r->links ? r->plan->nlinks : 0;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < 2; d++) {
            traffic_add(&to[i].in[d], atomic_load(&r->links[i].in[d]));
            traffic_add(&to[i].out[d], atomic_load(&r->links[i].out[d]));
        }
}

void stats_add(struct traffic *t, struct run *r)
{
    for (int d = 0; d < 2; d++) {
        t->blocks[d] += atomic_load(&r->blocks[d]);
        t->bytes[d] += atomic_load(&r->bytes[d]);
    }
    add_links(t->links, r);
}

void stats_keep(struct run *parent, struct run *r)
{
    for (int d = 0; d < 2; d++) {
        atomic_fetch_add(&parent->blocks[d], atomic_load(&r->blocks[d]));
        atomic_fetch_add(&parent->bytes[d], atomic_load(&r->bytes[d]));
    }
    add_links(parent->links, r);
}

/* ---- telling ---- */

static void tell_v1(const struct traffic *t)
{
    for (int d = 0; d < 2; d++)
        diag_forced(DIAG_INFO, "STATISTICS: %s: %llu packets(s), %llu byte(s)", ways[d],
                    (unsigned long long)t->blocks[d], (unsigned long long)t->bytes[d]);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void tell_border(const struct traffic *t, double seconds)
{
    char rate[AMOUNT_MAX];
    for (int d = 0; d < 2; d++)
        diag_forced(DIAG_INFO, "STATISTICS: %s: %llu packet%s, %llu byte%s in %.3f s, %s/s", ways[d],
                    (unsigned long long)t->blocks[d], plural(t->blocks[d]), (unsigned long long)t->bytes[d],
                    plural(t->bytes[d]), seconds,
                    amount_text(seconds > 0 ? (double)t->bytes[d] / seconds : 0, rate));
}

/* One way of a link, from the data to the wire or back. */
static void tell_link(const struct plan_link *l, const struct link_traffic *t, int d)
{
    uint64_t in = atomic_load(&t->in[d]), out = atomic_load(&t->out[d]);
    bool forward = d != l->wire;
    uint64_t data = forward ? in : out, wire = forward ? out : in;
    char ratio[48] = "";
    if (in == 0 && out == 0)
        return;
    if (wire > 0)
        (void)snprintf(ratio, sizeof ratio, ", ratio %.3f", (double)data / (double)wire);
    diag_forced(DIAG_INFO, "STATISTICS: %s: %s: %llu byte%s of data, %llu on the wire%s",
                (forward || !l->back ? l->fwd : l->back)->label, ways[d], (unsigned long long)data, plural(data),
                (unsigned long long)wire, ratio);
}

void stats_print(struct run *r)
{
    const bool v1 = r->settings->v1_name;
    size_t n = r->plan && !v1 ? r->plan->nfigures : 0;
    struct traffic t = {.links = n > 0 ? calloc(n, sizeof *t.links) : NULL};
    if (!atomic_load(&r->transferring)) {
        diag_forced(DIAG_WARN, "transfer engine not yet started, statistics not available");
        free(t.links);
        return;
    }
    if (r->add_served)
        r->add_served(r->add_served_arg, &t);
    else
        stats_add(&t, r);
    if (v1 && !r->settings->experimental)
        diag_forced(DIAG_WARN, "statistics are experimental");
    if (v1)
        tell_v1(&t);
    else
        tell_border(&t, (double)(wait_now() - atomic_load(&r->began)) / 1000);
    for (size_t i = 0; t.links && i < r->plan->nlinks; i++)
        for (int d = 0; d < 2; d++)
            tell_link(&r->plan->links[i], &t.links[i], d);
    free(t.links);
}
