/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that concern more than their address: the chain's (fork, thread, the ends of lines), and what the whole line
 * is asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/endpoint.h"
#include "catena/options.h"
#include "engine/plan/checks.h"

const struct addr *plan_chain_addr(const struct plan *p, int chain, size_t index)
{
    size_t n = chain == LEFT ? p->nleft : p->nlinks - p->nleft, i = 0;
    for (size_t k = 0; k < n; k++) {
        const struct plan_link *l = &p->links[chain == LEFT ? p->nleft - 1 - k : p->nleft + k];
        if (i++ == index)
            return l->fwd;
        if (l->back && i++ == index)
            return l->back;
    }
    if (i++ == index)
        return p->end[chain].fwd;
    return p->end[chain].back && i == index ? p->end[chain].back : NULL;
}

const struct opt *plan_chain_opt(const struct plan *p, int chain, const struct option_desc *row)
{
    const struct addr *a;
    for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++) {
        const struct opt *o = opt_find(a, row);
        if (o)
            return o;
    }
    return NULL;
}

static int settle_eol(struct plan *p, int chain, struct err *e)
{
    struct plan_border *b = &p->eol[chain];
    const struct opt *limit = plan_chain_opt(p, chain, &opt_readbytes);
    const struct opt *escape = plan_chain_opt(p, chain, &opt_escape);
    *b = (struct plan_border){.eol = plan_chain_opt(p, chain, &opt_crnl) ? EOL_CRNL
                                     : plan_chain_opt(p, chain, &opt_cr) ? EOL_CR
                                                                        : EOL_KEEP,
                              .readbytes = limit && limit->v.i > 0 ? (unsigned long long)limit->v.i
                                                                   : 0,
                              .escape = escape ? (int)escape->v.i : -1};
    if (escape && (escape->v.i < 0 || escape->v.i > 255))
        return err_at(e, escape->at, "escape=%lld: must be a character code from 0 to 255",
                      escape->v.i);
    return 0;
}

static bool forks(const struct plan *p, int chain, const struct option_desc *row)
{
    const struct opt *o = plan_chain_opt(p, chain, row);
    return o && o->v.i != 0;
}

/* A run in a thread shares the process with the others: nothing may change the process. */
static int check_thread(const struct plan *p, struct err *e)
{
    const struct addr *a;
    if (!forks(p, LEFT, &opt_thread) && !forks(p, RIGHT, &opt_thread))
        return 0;
    for (int chain = LEFT; chain <= RIGHT; chain++) {
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++) {
            bool child = (a->form->groups & GROUP_EXEC) != 0 && !opt_true(a, &opt_nofork);
            bool listener = a->form->kind == FORM_ENDPOINT && opt_true(a, &opt_thread);
            for (size_t k = 0; k < a->nopts; k++) {
                const struct option_desc *d = a->opts[k].desc;
                bool process = d->groups & GROUP_PROCESS || option_is(d, &opt_nofork);
                bool opening = option_is(d, &opt_umask) || option_is(d, &opt_chdir) ||
                               option_is(d, &opt_netns);
                if ((process && !child && !(opening && listener)) || (opening && !listener && !child))
                    return err_at(e, a->opts[k].at, "%s: option \"%s\" changes the whole process, "
                                                    "so \"thread\" cannot be used; use \"fork\"",
                                  a->label, d->name);
            }
            if (opt_true(a, &opt_fork))
                return err_at(e, a->at, "%s: \"fork\" and \"thread\" exclude each other", a->label);
        }
    }
    return 0;
}

/* Programs, and engines that have a layer of that chain. */
static size_t stations_of(const struct plan *p, int chain)
{
    size_t n = 0;
    unsigned last = 0;
    for (size_t i = 0; i < p->nitems; i++) {
        const struct plan_item *it = &p->items[i];
        if (it->kind != ITEM_STATION || !it->link || it->link->chain != chain)
            continue;
        n += !it->engine || it->engine != last;
        last = it->engine;
    }
    return n;
}

static bool is_passive(const struct plan_end *end)
{
    return !end->back && end->fwd->form->ops.endpoint->listen;
}

/* A connecting address with fork connects, shakes hands, then forks: no engine may run by then. */
static int check_fork(const struct plan *p, struct err *e)
{
    for (int chain = LEFT; chain <= RIGHT; chain++) {
        const struct opt *fork = plan_chain_opt(p, chain, &opt_fork);
        const struct opt *thread = plan_chain_opt(p, chain, &opt_thread);
        if (thread && thread->v.i && (chain == RIGHT || !is_passive(&p->end[chain])))
            return err_at(e, thread->at, "option thread is for the listening address of the first "
                                         "chain");
        if (!fork || !fork->v.i || (is_passive(&p->end[chain]) && chain == LEFT))
            continue;
        if ((!is_passive(&p->end[chain]) && stations_of(p, chain) > 1) ||
            (chain == RIGHT && stations_of(p, LEFT) > 1))
            return err_at(e, fork->at, "option fork: here the line would already have engines at "
                                       "work when it forks; let the listening address of the first "
                                       "chain fork instead");
    }
    return 0;
}

/* An answer is given once, and for one rest of the line. */
static int check_answers(const struct plan *p, struct err *e)
{
    const struct opt *fork = plan_chain_opt(p, RIGHT, &opt_fork);
    size_t last = p->nproofs > 0 ? p->nproofs - 1 : 0;
    if (!fork || !fork->v.i || p->nproofs == 0 || !plan_item_waits(p, last))
        return 0;
    return err_at(e, fork->at, "option fork: %s has one client who waits for one answer; let the listening "
                               "address of the first chain fork instead", p->items[last].link->fwd->label);
}

/* A limit is for those who come while others are served. */
static int check_max_children(const struct plan *p, struct err *e)
{
    for (int chain = LEFT; chain <= RIGHT; chain++) {
        const struct opt *o = plan_chain_opt(p, chain, &opt_max_children);
        if (o && o->v.i > 0 && !forks(p, chain, &opt_fork) && !forks(p, chain, &opt_thread))
            return err_at(e, o->at, "option max-children not allowed without option fork or thread");
    }
    return 0;
}

static int check_nofork(const struct plan *p, struct err *e)
{
    for (int chain = LEFT; chain <= RIGHT; chain++) {
        const struct opt *o = plan_chain_opt(p, chain, &opt_nofork);
        if (!o || !o->v.i)
            continue;
        if (chain == LEFT || p->nlinks > 0 || p->end[RIGHT].back)
            return err_at(e, o->at, "option nofork is not allowed here: the program replaces this "
                                    "process, so it must be the whole second address, and there "
                                    "may be no inter addresses");
    }
    return 0;
}

static bool names_facts(const char *file)
{
    return file && strpbrk(file, "${");
}

void plan_settle_facts(struct plan *p)
{
    const struct addr *a;
    p->wants_facts = names_facts(p->settings->raw_left_right) ||
                     names_facts(p->settings->raw_right_left);
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++) {
            p->wants_facts |= a->varies || a->form->kind == FORM_PROGRAM || a->form->groups & GROUP_EXEC ||
                              (a->form->wants_facts && a->form->wants_facts(a));
            p->reloads |= opt_find(a, &opt_reload) != NULL;
            p->wants_secrets |= a->form->wants_secrets && a->form->wants_secrets(a);
        }
    for (size_t i = 0; i < p->nlinks; i++)
        p->wants_facts |= p->links[i].fate == FATE_DIALOG &&
                          p->links[i].fwd->form->ops.negotiator->answers_for_rest;
    p->reloads |= p->trunk && p->trunk->reloads;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        p->has_peers |= forks(p, chain, &opt_fork) || forks(p, chain, &opt_thread);
}

static const struct addr *nth(const struct plan *p, size_t n)
{
    return n % 2 ? p->links[n / 2].back : p->links[n / 2].fwd;
}

static int check_pairs(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < 2 * p->nlinks; i++)
        for (size_t k = 0; k < i; k++) {
            const struct addr *a = nth(p, i), *other = nth(p, k);
            if (a && other && a->form == other->form && a->form->beside &&
                ERR_ASKED(e, a->form->beside(a, other, e)) < 0)
                return err_wrap(e, "%s", a->label);
        }
    return 0;
}

int plan_check_options(struct plan *p, struct err *e)
{
    return settle_eol(p, LEFT, e) < 0 || settle_eol(p, RIGHT, e) < 0 ||
                   check_thread(p, e) < 0 || check_fork(p, e) < 0 || check_answers(p, e) < 0 ||
                   check_nofork(p, e) < 0 || check_max_children(p, e) < 0 || check_pairs(p, e) < 0 ||
                   plan_check_open(p, e) < 0 || plan_check_sandbox(p, e) < 0 || plan_check_guest(p, e) < 0
               ? -1
               : 0;
}
