/* SPDX-License-Identifier: GPL-2.0-or-later
 * The run object: failures, facts, removals. Children are in children.c. */
#include "catena/run.h"

#include <ctype.h>
#include <errno.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/wait.h"

extern char **environ;

int run_init(struct run *r, const struct settings *s, const struct plan *p, int signal_fd,
             struct err *e)
{
    *r = (struct run){.settings = s, .plan = p, .signal_fd = signal_fd, .stop_fd = -1,
                      .broken_fd = -1};
    if (pthread_mutex_init(&r->lock, NULL) != 0)
        return err_set(e, ERR_OTHER, "pthread_mutex_init() failed");
    run_touch(r);
    return 0;
}

void run_touch(struct run *r)
{
    atomic_store_explicit(&r->last_activity, wait_now(), memory_order_relaxed);
}

static void free_facts(struct run *r)
{
    for (size_t i = 0; i < r->nfacts; i++) {
        free(r->facts[i].name);
        free(r->facts[i].value);
    }
    free(r->facts);
    r->facts = NULL;
    r->nfacts = 0;
}

static int remove_entry(const struct removal *m)
{
    const size_t n = strlen(RUN_QUEUE);
    struct stat st;
    if (strncmp(m->what, RUN_QUEUE, n) == 0)
        return mq_unlink(m->what + n);
    if (lstat(m->what, &st) < 0)
        return -1;
    if (st.st_dev == m->dev && st.st_ino == m->ino)
        return unlink(m->what);
    diag(DIAG_INFO, "\"%s\" is another one by now and stays", m->what);
    return 0;
}

static void removal_failed(const struct removal *m)
{
    struct err e;
    (void)err_sys(&e, "cannot remove \"%s\"", m->what);
    (void)err_call(&e, "unlink(\"%s\")", m->what);
    diag_err(e.sys == ENOENT ? DIAG_INFO : DIAG_WARN, &e);
}

static void free_removals(struct run *r, bool act)
{
    for (size_t i = r->nremovals; i-- > 0;) {
        const struct removal *m = &r->removals[i];
        if (act && remove_entry(m) < 0)
            removal_failed(m);
        free(m->what);
    }
    free(r->removals);
    r->removals = NULL;
    r->nremovals = 0;
}

void run_remove(struct run *r)
{
    free_removals(r, true);
}

void run_fini(struct run *r)
{
    run_remove(r);
    free_facts(r);
    free(r->met);
    free((void *)(uintptr_t)atomic_load(&r->peer.name));
    if (r->broken_fd >= 0)
        close(r->broken_fd);
    r->broken_fd = -1;
    for (size_t i = 0; i < r->nchildren; i++)
        if (r->children[i].pidfd >= 0)
            close(r->children[i].pidfd);
    free(r->children);
    r->children = NULL;
    r->nchildren = 0;
    (void)pthread_mutex_destroy(&r->lock);
}

void run_after_fork(struct run *r)
{
    free_removals(r, false);
    for (size_t i = 0; i < r->nchildren; i++)
        r->children[i].done = true; /* somebody else's children now */
    r->forked = true;
}

void run_fail(struct run *r, const struct err *e)
{
    pthread_mutex_lock(&r->lock);
    bool is_first = !r->failed;
    r->failed = true;
    pthread_mutex_unlock(&r->lock);
    diag_err(is_first ? DIAG_ERROR : DIAG_INFO, e);
}

void run_experimental(const struct run *r, const char *what)
{
    if (!r->settings->experimental)
        diag(DIAG_WARN, "%s is experimental; --experimental switches this warning off", what);
}

/* Both store their own before they look at the other's: one of them tells. */
void run_broken(struct run *r)
{
    atomic_store(&r->broken, true);
    if (atomic_load(&r->transferring) && r->broken_fd >= 0)
        (void)eventfd_write(r->broken_fd, 1);
}

void run_transferring(struct run *r)
{
    atomic_store(&r->transferring, true);
    if (atomic_load(&r->broken) && r->broken_fd >= 0)
        (void)eventfd_write(r->broken_fd, 1);
}

void run_forget_failure(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    r->failed = false;
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->broken, false);
    for (int i = 0; i < 2; i++) {
        atomic_store(&r->lost[i], 0);
        atomic_store(&r->refuser[i], NULL);
    }
}

void run_cut(struct run *r)
{
    atomic_store(&r->cut[0], true);
    atomic_store(&r->cut[1], true);
}

/* ---- peers ---- */

bool run_wants_peer(const struct run *r)
{
    return r->plan && r->plan->has_peers && !atomic_load(&r->peer.name);
}

void run_meet(struct run *r, const char *who)
{
    if (!run_wants_peer(r))
        return;
    free(r->met);
    r->met = strdup(who);
}

char *run_give_met(struct run *r)
{
    char *who = r->met;
    r->met = NULL;
    return who;
}

void run_serves(struct run *r, int side)
{
    r->peer_side = side;
    r->peer_since = wait_now();
    atomic_store(&r->peer.name, run_give_met(r));
}

void run_warn_lost(struct run *r, const struct err *e, const char *then)
{
    struct diag_peer met;
    atomic_init(&met.name, r->met);
    const struct diag_peer *before = diag_about(&met);
    diag(DIAG_WARN, "%s%s", diag_words(e), then);
    (void)diag_about(before);
}

void run_ends(struct run *r, enum run_end why)
{
    int unknown = END_UNKNOWN;
    if (why == END_IDLE)
        atomic_store(&r->end, why);
    else
        (void)atomic_compare_exchange_strong(&r->end, &unknown, (int)why);
}

static const char *why_ended(const struct run *r, bool failed, char *room, size_t cap)
{
    int end = atomic_load(&r->end);
    const char *who = end == (r->peer_side == LEFT ? END_LEFT : END_RIGHT) ? "it" : "our side";
    if (r->ended_signal)
        (void)snprintf(room, cap, "signal %d ended it", r->ended_signal);
    else if (failed)
        return "an error ended it";
    else if (end == END_IDLE)
        return "nothing came within -T";
    else if (end == END_STOPPED)
        return "the listener has ended";
    else if (end == END_UNKNOWN)
        return "it was ended by order";
    else
        (void)snprintf(room, cap, "%s ended first%s", who,
                       atomic_load(&r->over) ? ", the other not within -t" : "");
    return room;
}

void run_tell_end(struct run *r, bool failed)
{
    char room[64];
    const char *who = atomic_load(&r->peer.name);
    if (!who || !diag_shows(DIAG_NOTICE))
        return;
    const struct diag_peer *before = diag_about(NULL); /* it is in the text, under every name */
    diag(DIAG_NOTICE,
         "connection with %s ended after %.3f s: %llu bytes from it, %llu bytes to it; %s", who,
         (double)(wait_now() - r->peer_since) / 1000,
         (unsigned long long)atomic_load(&r->bytes[r->peer_side]),
         (unsigned long long)atomic_load(&r->bytes[!r->peer_side]),
         why_ended(r, failed, room, sizeof room));
    (void)diag_about(before);
}

/* ---- facts ---- */

static struct fact *find_fact(struct run *r, const char *name)
{
    for (size_t i = 0; i < r->nfacts; i++)
        if (strcmp(r->facts[i].name, name) == 0)
            return &r->facts[i];
    return NULL;
}

int run_set_fact(struct run *r, const char *name, const char *value, struct err *e)
{
    int rc = -1;
    char *v = strdup(value), *n = NULL;
    pthread_mutex_lock(&r->lock);
    struct fact *f = find_fact(r, name);
    if (f && v) {
        free(f->value);
        f->value = v;
        rc = 0;
    } else if (v) {
        struct fact *more = reallocarray(r->facts, r->nfacts + 1, sizeof *more);
        n = strdup(name);
        if (more)
            r->facts = more;
        if (more && n) {
            r->facts[r->nfacts++] = (struct fact){n, v};
            rc = 0;
        }
    }
    pthread_mutex_unlock(&r->lock);
    if (rc == 0)
        return 0;
    free(v);
    free(n);
    return err_nomem(e);
}

char *run_get_fact(struct run *r, const char *name)
{
    pthread_mutex_lock(&r->lock);
    struct fact *f = find_fact(r, name);
    char *value = f ? strdup(f->value) : NULL;
    pthread_mutex_unlock(&r->lock);
    return value;
}

bool run_wants_facts(const struct run *r)
{
    return !r->plan || r->plan->wants_facts;
}

int run_copy_facts(struct run *r, struct run *from, struct err *e)
{
    for (size_t i = 0; i < from->nfacts; i++)
        if (run_set_fact(r, from->facts[i].name, from->facts[i].value, e) < 0)
            return -1;
    return 0;
}

/* ---- the environment of children ---- */

static char *variable(const char *prefix, const char *name, const char *value)
{
    char *s = NULL;
    if (asprintf(&s, "%s_%s=%s", prefix, name, value) < 0)
        return NULL;
    for (char *c = s; *c && *c != '='; c++)
        *c = (char)toupper((unsigned char)*c);
    return s;
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n + 1) == 0;
}

static bool put(char **env, size_t *n, char *s)
{
    if (!s)
        return false;
    for (size_t i = 0; i < *n; i++) {
        if (same_name(env[i], s)) {
            free(env[i]);
            env[i] = s;
            return true;
        }
    }
    env[(*n)++] = s;
    return true;
}

char **run_environment(struct run *r, struct err *e)
{
    const char *prefix = r->settings->env_prefix;
    char pid[24], ppid[24];
    size_t n = 0, count = 0;
    while (environ[count])
        count++;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    (void)snprintf(ppid, sizeof ppid, "%ld", (long)(r->forked ? getppid() : getpid()));
    pthread_mutex_lock(&r->lock);
    char **env = calloc(count + r->nfacts + 4, sizeof *env);
    bool ok = env != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = (env[n] = strdup(environ[i])) != NULL && ++n;
    ok = ok && put(env, &n, variable(prefix, "VERSION", CATENA_VERSION)) &&
         put(env, &n, variable(prefix, "PID", pid)) && put(env, &n, variable(prefix, "PPID", ppid));
    for (size_t i = 0; ok && i < r->nfacts; i++)
        ok = put(env, &n, variable(prefix, r->facts[i].name, r->facts[i].value));
    pthread_mutex_unlock(&r->lock);
    if (!ok) {
        run_free_environment(env);
        (void)err_nomem(e);
        return NULL;
    }
    return env;
}

void run_free_environment(char **env)
{
    for (size_t i = 0; env && env[i]; i++)
        free(env[i]);
    free(env);
}
