/* SPDX-License-Identifier: GPL-2.0-or-later
 * One loop for fork, thread and retry around "open the left chain, open the right chain, relay".
 * The same steps go on in this process, in a forked child, or in a thread: see serve.h. */
#include "engine/serve/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/fdtable.h"
#include "catena/options.h"
#include "catena/reaper.h"
#include "catena/wait.h"
#include "engine/serve/brood.h"
#include "engine/serve/crew.h"
#include "engine/open/line.h"
#include "engine/run/lock.h"
#include "engine/open/open.h"
#include "engine/confine/sandbox.h"
#include "engine/run/stats.h"

struct passage { /* one run on its way through the steps */
    struct run *run;
    struct line *line;
    const struct plan *plan;
    struct opened_end end[2];
    bool opens_only; /* somebody else lets the line relay */
    int status;      /* of a program that was called in the relay's place */
};

static int open_side(struct passage *s, int side, struct err *e);

static const char *variable(const struct run *r, const char *name)
{
    return catena_variable(r->settings->catena, name);
}

/* ---- the last step ---- */

static int relay(struct passage *s, struct err *e)
{
    struct line *l = s->line;
    const char *wait = variable(s->run, "SOCAT_TRANSFER_WAIT");
    if (line_join(l, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "starting data transfer loop with FDs [%d,%d] and [%d,%d]", l->fds[LEFT][0],
         l->fds[LEFT][1], l->fds[RIGHT][0], l->fds[RIGHT][1]);
    diag_transferring();
    if (s->run->settings->show_fds)
        fdtable_print(l->fds[0], 4);
    if (wait && wait_seconds(s->run, atof(wait), e) < 0)
        return -1;
    if (sandbox_enter(s->run, e) < 0 || line_start(l, e) < 0)
        return -1;
    if (!s->opens_only)
        line_relay(l);
    return 0;
}

static int replace(struct passage *s, struct err *e)
{
    const struct addr *a = s->plan->end[RIGHT].fwd;
    if (!a->form->ops.endpoint->replace)
        return err_at(e, a->at, "%s: option nofork is not allowed here", a->label);
    return a->form->ops.endpoint->replace(a, s->run, s->line->port[LEFT], &s->status, e);
}

static bool may_retry(const struct plan *p, int side)
{
    const struct opt *times = plan_chain_opt(p, side, &opt_retry), *ever = plan_chain_opt(p, side, &opt_forever);
    return (times && times->v.i > 0) || (ever && ever->v.i != 0);
}

static int next_step(struct passage *s, int side, struct err *e)
{
    if (side == RIGHT)
        return relay(s, e);
    const struct addr *a = s->plan->end[RIGHT].fwd;
    int rc = line_prove(s->line, e);
    if (rc != 0)
        return rc;
    if (opt_true(a, &opt_nofork))
        return replace(s, e);
    s->line->shakes_later = s->opens_only && !may_retry(s->plan, RIGHT) && !run_wants_facts(s->run);
    return open_side(s, RIGHT, e);
}

/* ---- retry ---- */

struct retries {
    unsigned *used; /* one each address of the chain */
};

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

/* After a failed attempt: 1 try again (the pause is over), 0 not, -1 interrupted. */
static int try_again(struct passage *s, int side, struct retries *t, struct err *e)
{
    size_t i = 0;
    const struct addr *a = covering(s->plan, side, s->line->failed, &i);
    if (!a || e->kind == ERR_USAGE || e->kind == ERR_UNFIT || err_is_end(e))
        return 0;
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
    struct port *p;
    s->line->failed = NULL;
    if (open_port(&s->end[side], s->run, &p, e) < 0)
        return -1;
    line_put_end(s->line, side, p);
    return dialogs ? line_open_chain(s->line, side, e) : 0;
}

static int listen_with_retry(struct passage *s, int side, struct retries *t, struct err *e)
{
    while (open_prepare(&s->end[side], &s->plan->end[side], s->run, e) < 0) {
        s->line->failed = NULL;
        if (try_again(s, side, t, e) <= 0)
            return -1;
    }
    return 0;
}

static int open_with_retry(struct passage *s, int side, bool dialogs, struct retries *t,
                           struct err *e)
{
    for (;;) {
        size_t children = s->run->nchildren;
        if (attempt(s, side, dialogs, e) == 0)
            return 0;
        line_reset_side(s->line, side, false);
        run_drop_children(s->run, children);
        if (try_again(s, side, t, e) <= 0)
            return -1;
    }
}

/* ---- a run of its own: forked ---- */

static void forked_child(struct passage *s, int side)
{
    const struct opt *quiet = plan_chain_opt(s->plan, side, &opt_children_shutup);
    run_after_fork(s->run);
    run_serves(s->run, side);
    if (side == RIGHT)
        line_share(s->line, LEFT);
    open_release(&s->end[side], true);
    if (quiet)
        s->run->settings->catena->log.lowered = (int)quiet->v.i;
}

static int fork_wait(struct run *r, struct err *e)
{
    const char *wait = variable(r, "SOCAT_FORK_WAIT");
    return wait ? wait_seconds(r, atof(wait), e) : 0;
}

/* Gives 1 in the child, 0 in the parent. A fork() that fails loses this connection, not the rest. */
static int fork_run(struct passage *s, int side, struct brood *b, struct err *e)
{
    diag_transferring(); /* -lm: a client that forks has been connected once */
    pid_t pid = brood_fork(b);
    if (pid < 0) {
        (void)err_sys(e, "fork()");
        run_warn_lost(s->run, e, "");
        line_reset_side(s->line, side, false);
        return wait_seconds(s->run, 0.2, e);
    }
    if (pid == 0) {
        forked_child(s, side);
        return fork_wait(s->run, e) < 0 ? -1 : 1;
    }
    diag(DIAG_NOTICE, "forked off child process %d", (int)pid);
    line_reset_side(s->line, side, true);
    brood_name(b, run_give_met(s->run));
    return fork_wait(s->run, e);
}

/* ---- runs of their own: in threads ---- */

static int finish(struct passage *s, int rc, struct err *e);

static int thread_accept(void *listener, struct run *r, struct line *l, struct err *e)
{
    struct passage *s = listener;
    struct port *p;
    if (open_port(&s->end[LEFT], r, &p, e) < 0)
        return -1;
    line_put_end(l, LEFT, p);
    run_serves(r, LEFT);
    return 0;
}

static int thread_open(void *listener, struct run *r, struct line *l, struct err *e)
{
    struct passage s = {.run = r, .line = l, .plan = r->plan, .opens_only = true};
    (void)listener;
    int rc = line_open_chain(l, LEFT, e);
    return rc != 0 ? rc : next_step(&s, LEFT, e);
}

static void thread_finish(void *listener, struct run *r, struct line *l, int rc, struct err *e)
{
    struct passage s = {.run = r, .line = l, .plan = r->plan};
    (void)listener;
    (void)finish(&s, rc, e);
}

static const struct crew_ops threads = {thread_accept, thread_open, thread_finish};

/* As with fork: a signal to the listener ends nobody's connection, but one from the terminal goes to
 * all; a second one ends all. */
static void end_threads(struct passage *s, struct crew *c)
{
    bool all = s->run->ended_signal && s->run->from_terminal;
    crew_quit(c);
    open_release(&s->end[LEFT], false);
    if (s->run->ended_signal)
        run_remove(s->run);
    size_t n = crew_runs(c);
    if (s->run->ended_signal && !all && n > 0)
        diag(DIAG_NOTICE, "connections still at work: %zu; another signal ends them", n);
    crew_free(c, all);
}

static int serve_threads(struct passage *s, struct retries *t, long long max, struct err *e)
{
    struct crew *c = crew_new(&threads, s, s->run, max, e);
    if (!c)
        return -1;
    diag_transferring();
    int rc = crew_lead(c, e);
    while (rc == 0 && crew_wait(c, e) > 0) {
        if (try_again(s, LEFT, t, e) <= 0)
            break;
        rc = crew_lead(c, e);
    }
    end_threads(s, c);
    return -1;
}

/* ---- one chain ---- */

/* A client that forks connects again and again: so often. v1 knows no pause after a success, but for a
 * queue, which is always there. */
static int pause_between(const struct passage *s, int side, struct err *e)
{
    const struct opt *interval = plan_chain_opt(s->plan, side, &opt_interval);
    bool queue = s->plan->end[side].fwd->form->groups & GROUP_POSIXMQ;
    if (s->run->settings->v1_name && !queue)
        return 0;
    return wait_seconds(s->run, interval ? interval->v.t : 1, e);
}

static int serve_forks(struct passage *s, int side, struct retries *t, struct brood *b,
                       struct err *e)
{
    bool passive = s->end[side].listening;
    if (passive)
        diag_transferring(); /* -lm: what follows is service */
    for (;;) {
        if (brood_wait_for_room(b, e) < 0 ||
            open_with_retry(s, side, !passive, t, e) < 0)
            return -1;
        int rc = fork_run(s, side, b, e);
        if (rc < 0 || (rc == 0 && !passive && pause_between(s, side, e) < 0))
            return -1;
        if (rc == 0)
            continue;
        if ((passive && line_open_chain(s->line, side, e) < 0) ||
            open_process_options(&s->end[side], s->run, s->line->fds[side][0], e) < 0)
            return -1;
        return next_step(s, side, e);
    }
}

static bool wants(const struct passage *s, int side, const struct option_desc *row)
{
    const struct opt *o = plan_chain_opt(s->plan, side, row);
    return o && o->v.i != 0;
}

static int open_side(struct passage *s, int side, struct err *e)
{
    const struct opt *max = plan_chain_opt(s->plan, side, &opt_max_children);
    struct brood brood;
    long long most = max ? max->v.i : 0;
    struct retries t = {calloc(s->plan->nlinks * 2 + 2, sizeof(unsigned))};
    int rc = -1;
    if (!t.used)
        return err_nomem(e);
    brood_init(&brood, s->run, most);
    if (listen_with_retry(s, side, &t, e) < 0) {
        rc = -1;
    } else if (wants(s, side, &opt_thread)) {
        rc = serve_threads(s, &t, most, e);
    } else if (wants(s, side, &opt_fork)) {
        rc = serve_forks(s, side, &t, &brood, e);
    } else {
        rc = open_with_retry(s, side, true, &t, e);
        open_release(&s->end[side], false);
        if (rc == 0)
            rc = open_process_options(&s->end[side], s->run, s->line->fds[side][0], e);
        if (rc == 0)
            rc = next_step(s, side, e);
    }
    brood_fini(&brood);
    open_release(&s->end[side], s->run->forked);
    free(t.used);
    return rc;
}

/* ---- all of it ---- */

/* What all connections have in common, one slot each link, is made before there is any. */
static int prepare_shared(const struct plan *p, struct run *r, void **shared, struct err *e)
{
    if (!shared)
        return err_nomem(e);
    r->shared = shared;
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct addr *a = p->links[i].fwd;
        if (a->form->kind == FORM_SESSION && a->form->ops.session->prepare && a->form->ops.session->shares(a) &&
            a->form->ops.session->prepare(a, r, &shared[i], e) < 0)
            return e->where.text ? -1 : err_wrap(e, "%s", a->label);
    }
    return 0;
}

static void release_shared(const struct plan *p, void **shared)
{
    for (size_t i = 0; shared && i < p->nlinks; i++)
        if (shared[i])
            p->links[i].fwd->form->ops.session->release(shared[i]);
}

static int exit_status(const struct passage *s, int rc, const struct err *e)
{
    const struct run *r = s->run;
    return r->ended_signal                     ? 128 + r->ended_signal
           : rc < 0 && e->kind == ERR_NOBODY   ? 0
           : r->failed || r->child_failed      ? 1
                                               : s->status;
}

/* Ends a run: reports, collects its programs, gives the exit status. */
static int finish(struct passage *s, int rc, struct err *e)
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

static int serve_plan(const struct settings *st, const struct plan *p, int signal_fd, bool *forked)
{
    struct run run;
    struct line line;
    struct err e;
    struct passage s = {.run = &run, .line = &line, .plan = p};
    const char *wait = catena_variable(st->catena, "SOCAT_MAIN_WAIT");
    struct reaper *reaper = NULL;
    bool collects = catena_owns_process(st->catena); /* a host collects its children itself */
    if ((collects && !(reaper = reaper_new(&e))) || run_init(&run, st, p, signal_fd, &e) < 0) {
        reaper_free(reaper);
        diag_err(DIAG_ERROR, &e);
        return 1;
    }
    const struct diag_peer *nobody = diag_about(&run.peer);
    run.reaper = reaper;
    int rc = line_init(&line, &run, &e);
    if (rc == 0 && wait)
        rc = wait_seconds(&run, atof(wait), &e);
    if (rc == 0 && st->lockfile)
        rc = lock_take(&run, st->lockfile, st->lock_wait, &e);
    void **shared = calloc(p->nlinks + 1, sizeof *shared);
    if (rc == 0)
        rc = prepare_shared(p, &run, shared, &e);
    if (rc == 0)
        rc = open_side(&s, LEFT, &e);
    int status = finish(&s, rc, &e);
    *forked = run.forked;
    if (!run.forked)
        release_shared(p, shared);
    free(shared);
    (void)diag_about(nobody);
    reaper_free(reaper);
    run_fini(&run);
    return status;
}

int serve(const struct settings *st, const struct plan *p, int signal_fd, bool *forked)
{
    struct diag_peer nobody = {.catena = st->catena};
    struct catena_visit visit;
    catena_enter(&visit, &nobody);
    int status = serve_plan(st, p, signal_fd, forked);
    catena_leave(&visit);
    return status;
}
