/* SPDX-License-Identifier: GPL-2.0-or-later
 * Forked children: see brood.h. */
#include "engine/serve/brood.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

#include "catena/diag.h"
#include "catena/reaper.h"
#include "catena/wait.h"
#include "engine/run/ended.h"

struct brood_child {
    struct brood *brood;
    struct diag_peer peer; /* whom it serves; owns the name */
    struct brood_child *next, **at;
};

void brood_init(struct brood *b, struct run *r, long long max)
{
    *b = (struct brood){.run = r, .max = max > 0 ? (size_t)max : 0};
}

static void tell(const struct brood *b, const siginfo_t *how)
{
    char words[120];
    bool v1 = b->run->settings->v1_name;
    enum diag_level level = ended_well(how) ? DIAG_INFO : DIAG_WARN;
    ended_words(how, false, words, sizeof words);
    if (!v1)
        diag(level, "child %d %s", (int)how->si_pid, words);
    else if (how->si_code == CLD_EXITED)
        diag(level, "waitpid(): child %d exited with status %d", (int)how->si_pid, how->si_status);
    else
        diag(level, "waitpid(): child %d exited on signal %d", (int)how->si_pid, how->si_status);
}

static void free_child(struct brood_child *c)
{
    free((char *)(uintptr_t)atomic_load(&c->peer.name));
    free(c);
}

static void enter(struct brood *b, struct brood_child *c)
{
    c->next = b->youngest;
    c->at = &b->youngest;
    if (c->next)
        c->next->at = &c->next;
    b->youngest = c;
    b->n++;
}

static void leave(struct brood_child *c)
{
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    c->brood->n--;
    free_child(c);
}

static void ended(void *arg, const siginfo_t *how)
{
    struct brood_child *c = arg;
    const struct diag_peer *before = diag_about(&c->peer);
    tell(c->brood, how);
    (void)diag_about(before);
    leave(c);
}

/* In the child all of them, itself too, are left as they are, in pages that it shares. What calloc() gives
 * is, once freed, not what it takes again: the heap would become one of small holes. */
pid_t brood_fork(struct brood *b)
{
    struct brood_child *c = malloc(sizeof *c);
    pid_t pid = c ? reaper_fork(b->run->reaper, ended, c, NULL) : -1;
    if (pid > 0) {
        *c = (struct brood_child){.brood = b, .peer.catena = b->run->settings->catena};
        enter(b, c);
    } else if (pid < 0) {
        free(c); /* which leaves errno alone */
    } else {
        b->youngest = NULL;
        b->n = 0;
    }
    return pid;
}

void brood_name(struct brood *b, char *peer)
{
    if (b->youngest)
        atomic_store(&b->youngest->peer.name, peer);
    else
        free(peer);
}

int brood_wait_for_room(struct brood *b, struct err *e)
{
    struct run *r = b->run;
    bool told = false;
    while (b->max > 0 && b->n >= b->max) {
        if (!told)
            diag(DIAG_NOTICE, "maxchildren are active, waiting");
        told = true;
        /* the end of one is a signal: when it shows it has been acted on, but it may have been no time for that */
        if (wait_fd(r, r->signal_fd, POLLIN, wait_now() + 1000, e) < 0)
            return -1;
        reaper_collect(r->reaper);
    }
    return 0;
}

void brood_fini(struct brood *b)
{
    for (struct brood_child *c = b->youngest, *next; c; c = next) {
        next = c->next;
        reaper_forget_all(b->run->reaper, c);
        free_child(c);
    }
    b->youngest = NULL;
    b->n = 0;
}
