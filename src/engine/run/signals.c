/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a signal means: see signals.h. */
#include "engine/run/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/reaper.h"
#include "catena/routes.h"
#include "catena/run.h"
#include "engine/run/stats.h"

static enum diag_level level_of(int sig)
{
    switch (sig) {
    case SIGHUP:
    case SIGINT: return DIAG_NOTICE;
    case SIGTERM: return DIAG_WARN;
    default: return DIAG_ERROR;
    }
}

/* sighup, sigint, sigquit: the program gets the signal, we go on. */
static bool passed_on(struct run *r, int sig)
{
    bool passed = false;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nchildren; i++) {
        if (r->children[i].passes & 1U << sig)
            passed |= run_signal_child(r, &r->children[i], sig);
    }
    pthread_mutex_unlock(&r->lock);
    return passed;
}

/* Somebody on one of the lines does. */
static bool reloads(const struct plan *p)
{
    bool any = p->reloads;
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++)
            any |= of->v[i].plan && of->v[i].plan->reloads;
    return any;
}

/* A terminal that hangs up (SI_KERNEL) still ends it all. Children of a listener are deaf to it. */
static bool asks_for_files(const struct run *r, const struct signalfd_siginfo *info)
{
    return info->ssi_signo == SIGHUP && info->ssi_code != SI_KERNEL && r->plan && reloads(r->plan);
}

bool signals_take(struct run *r)
{
    struct signalfd_siginfo info;
    while (read(r->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        int sig = (int)info.ssi_signo;
        if (sig == SIGCHLD) {
            reaper_collect(r->reaper);
        } else if (sig == SIGUSR1 && !(r->settings->signals & UINT64_C(1) << SIGUSR1)) {
            atomic_fetch_add(&r->settings->catena->asked, 1);
            stats_print(r);
        } else if (sig > 0 && sig < 32 && passed_on(r, sig)) {
            diag(DIAG_INFO, "signal %d passed on to child process", sig);
        } else if (asks_for_files(r, &info)) {
            atomic_fetch_add(&r->settings->catena->hups, 1);
            diag(DIAG_INFO, "SIGHUP: the next connection has files read again");
        } else {
            diag_hurry();
            diag(level_of(sig), "exiting on signal %d", sig);
            r->ended_signal = sig;
            r->from_terminal = info.ssi_code == SI_KERNEL;
            return true;
        }
    }
    return false;
}
