/* SPDX-License-Identifier: GPL-2.0-or-later
 * Runs of their own for each connection, forked or in threads: see many.h. */
#include "engine/serve/many.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "engine/serve/crew.h"

static const char *variable(const struct run *r, const char *name)
{
    return catena_variable(r->settings->catena, name);
}

/* ---- forked ---- */

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
    if (line_make_ahead(s->line, e) < 0)
        return -1;
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

int many_forked(struct passage *s, int side, struct retries *t, struct brood *b, struct err *e)
{
    bool passive = s->end[side].listening;
    if (passive)
        diag_transferring(); /* -lm: what follows is service */
    for (;;) {
        if (brood_wait_for_room(b, e) < 0 ||
            passage_attempts(s, side, !passive, t, e) < 0)
            return -1;
        passage_renew(s->plan, s->run);
        int rc = fork_run(s, side, b, e);
        if (rc < 0 || (rc == 0 && !passive && pause_between(s, side, e) < 0))
            return -1;
        if (rc == 0)
            continue;
        if ((passive && line_open_chain(s->line, side, e) < 0) ||
            open_process_options(&s->end[side], s->run, s->line->fds[side][0], e) < 0)
            return -1;
        return passage_go_on(s, side, e);
    }
}

/* ---- in threads ---- */

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
    struct passage s = {.run = r, .line = l, .plan = r->plan, .last = passage_join};
    (void)listener;
    int rc = line_open_chain(l, LEFT, e);
    return rc != 0 ? rc : passage_go_on(&s, LEFT, e);
}

static void thread_finish(void *listener, struct run *r, struct line *l, int rc, struct err *e)
{
    struct passage s = {.run = r, .line = l, .plan = r->plan};
    (void)listener;
    (void)passage_finish(&s, rc, e);
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

int many_in_threads(struct passage *s, struct retries *t, long long max, struct err *e)
{
    struct crew *c = crew_new(&threads, s, s->run, max, e);
    if (!c)
        return -1;
    diag_transferring();
    int rc = crew_lead(c, e);
    while (rc == 0 && crew_wait(c, e) > 0) {
        if (passage_try_again(s, LEFT, t, e) <= 0)
            break;
        rc = crew_lead(c, e);
    }
    end_threads(s, c);
    return -1;
}
