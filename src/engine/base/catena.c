/* SPDX-License-Identifier: GPL-2.0-or-later
 * An instance's surroundings: see catena/catena.h. */
#include "catena/catena.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void catena_fini(struct catena *c)
{
    for (size_t i = 0; c->own_environment && c->own_environment[i]; i++)
        free(c->own_environment[i]);
    free(c->own_environment);
    c->own_environment = NULL;
    c->environment = NULL;
}

const struct catena_limits *catena_limits(const struct catena *c)
{
    static const struct catena_limits none;
    return c ? &c->limits : &none;
}

/* ---- the environment ---- */

static size_t find(char *const *variables, const char *name)
{
    size_t n = strlen(name), i = 0;
    while (variables[i] && !(strncmp(variables[i], name, n) == 0 && variables[i][n] == '='))
        i++;
    return i;
}

const char *catena_variable(const struct catena *c, const char *name)
{
    if (!c || !c->environment)
        return NULL;
    const char *found = c->environment[find(c->environment, name)];
    return found ? found + strlen(name) + 1 : NULL;
}

/* Room for one more. */
static int own(struct catena *c, struct err *e)
{
    size_t n = 0;
    while (c->environment && c->environment[n])
        n++;
    char **copy = calloc(n + 2, sizeof *copy);
    if (!copy)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        if (!(copy[i] = strdup(c->environment[i]))) {
            while (i-- > 0)
                free(copy[i]);
            free(copy);
            return err_nomem(e);
        }
    }
    catena_fini(c);
    c->environment = c->own_environment = copy;
    return 0;
}

int catena_set_variable(struct catena *c, const char *name, const char *value, struct err *e)
{
    char *text;
    if (own(c, e) < 0)
        return -1;
    if (asprintf(&text, "%s=%s", name, value) < 0)
        return err_nomem(e);
    char **at = &c->own_environment[find(c->environment, name)];
    free(*at);
    *at = text;
    return 0;
}

/* ---- visits ---- */

static const int hidden[] = {SIGPIPE, SIGXFSZ};
enum { NHIDDEN = sizeof hidden / sizeof hidden[0] };

void catena_enter(struct catena_visit *v, const struct diag_peer *about)
{
    sigset_t set;
    v->before = diag_about(about);
    v->guest = about->catena && !about->catena->owns_process;
    if (!v->guest)
        return;
    sigemptyset(&set);
    for (size_t i = 0; i < NHIDDEN; i++)
        sigaddset(&set, hidden[i]);
    (void)sigpending(&v->pending);
    (void)pthread_sigmask(SIG_BLOCK, &set, &v->mask);
}

/* What has come in between was ours. */
static void swallow(const sigset_t *before, int sig)
{
    sigset_t now, one;
    sigemptyset(&one);
    sigaddset(&one, sig);
    if (sigpending(&now) == 0 && sigismember(&now, sig) && !sigismember(before, sig))
        (void)sigtimedwait(&one, NULL, &(struct timespec){0});
}

void catena_leave(struct catena_visit *v)
{
    (void)diag_about(v->before);
    if (!v->guest)
        return;
    for (size_t i = 0; i < NHIDDEN; i++)
        swallow(&v->pending, hidden[i]);
    (void)pthread_sigmask(SIG_SETMASK, &v->mask, NULL);
}
