/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the opened sides of a run have learnt, who said it, and the environment that children get of it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/facts.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/catena.h"
#include "catena/run.h"
#include "catena/version.h"

void run_forget(struct run *r)
{
    while (r->facts) {
        struct fact *f = r->facts;
        r->facts = f->next;
        free(f);
    }
}

void run_take_back(struct run *r, const struct addr *who, bool to_right, const char *name)
{
    pthread_mutex_lock(&r->lock);
    for (struct fact **at = &r->facts; *at;) {
        struct fact *f = *at;
        bool there = f->place > 0 && (to_right ? f->place > who->place : f->place < who->place);
        if (!there || strcasecmp(f->name, name) != 0) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        free(f);
    }
    pthread_mutex_unlock(&r->lock);
}

static struct fact *new_fact(const char *name, const void *value, size_t len)
{
    size_t n = strlen(name) + 1;
    struct fact *f = malloc(sizeof *f + n + len + 1);
    if (!f)
        return NULL;
    *f = (struct fact){.len = len};
    memcpy(f->text, name, n);
    memcpy(f->text + n, value, len);
    f->text[n + len] = '\0';
    f->name = f->text;
    f->value = f->text + n;
    return f;
}

static bool is_same(const struct fact *f, unsigned place, const char *name)
{
    return f->place == place && strcasecmp(f->name, name) == 0;
}

/* In the order of the first telling; what somebody says again takes its old place. */
int run_tell(struct run *r, const struct addr *who, const char *name, const void *value, size_t len,
             struct err *e)
{
    struct fact *f = new_fact(name, value, len);
    if (!f)
        return err_nomem(e);
    f->place = who ? who->place : 0;
    f->who = who ? who->label : NULL;
    pthread_mutex_lock(&r->lock);
    struct fact **at = &r->facts;
    while (*at && !is_same(*at, f->place, name))
        at = &(*at)->next;
    struct fact *old = *at;
    f->next = old ? old->next : NULL;
    f->behind = old && old->behind;
    *at = f;
    pthread_mutex_unlock(&r->lock);
    free(old);
    return 0;
}

int run_set_fact(struct run *r, const struct addr *who, const char *name, const char *value,
                 struct err *e)
{
    return run_tell(r, who, name, value, strlen(value), e);
}

void run_stay_behind(struct run *r, const struct addr *who)
{
    unsigned place = who ? who->place : 0;
    pthread_mutex_lock(&r->lock);
    bool other = false;
    for (struct fact *f = r->facts; f; f = f->next)
        other |= f->place != place && !f->behind && strcasecmp(f->name, "peeraddr") == 0;
    for (struct fact *f = r->facts; f; f = f->next)
        if (f->place == place)
            f->behind = other;
    pthread_mutex_unlock(&r->lock);
}

/* What holds a NUL cannot be a variable. */
static bool is_shown(const struct fact *f)
{
    return !f->behind && strlen(f->value) == f->len;
}

char *run_get_fact(struct run *r, const char *name)
{
    const struct fact *found = NULL;
    pthread_mutex_lock(&r->lock);
    for (const struct fact *f = r->facts; f; f = f->next)
        if (is_shown(f) && strcasecmp(f->name, name) == 0)
            found = f;
    char *value = found ? strdup(found->value) : NULL;
    pthread_mutex_unlock(&r->lock);
    if (!found)
        errno = ENOENT;
    return value;
}

/* Under the lock. The nearest on the left of who asks, else on the right. */
static const struct fact *nearest(const struct run *r, unsigned place, const char *name)
{
    const struct fact *best = NULL;
    for (const struct fact *f = r->facts; f; f = f->next) {
        bool left = f->place < place, best_left = best && best->place < place;
        if (f->place == place || strcasecmp(f->name, name) != 0)
            continue;
        if (!best || (left && (!best_left || f->place > best->place)) ||
            (!left && !best_left && f->place < best->place))
            best = f;
    }
    return best;
}

bool run_knows(struct run *r, unsigned place, const struct fact_desc *desc, struct arena *a,
               struct saying *out)
{
    pthread_mutex_lock(&r->lock);
    const struct fact *f = nearest(r, place, desc->name);
    const char *value = f ? arena_strndup(a, f->value, f->len) : NULL;
    if (value)
        *out = (struct saying){value, f->len, f->who ? f->who : "the caller"};
    pthread_mutex_unlock(&r->lock);
    return value != NULL;
}

bool run_told(struct run *r, const struct addr *who, const char *name, char *value, size_t cap)
{
    const struct fact *f;
    pthread_mutex_lock(&r->lock);
    for (f = r->facts; f && !is_same(f, who->place, name); f = f->next)
        ;
    bool fits = f && f->len < cap && strlen(f->value) == f->len;
    if (fits)
        memcpy(value, f->value, f->len + 1);
    pthread_mutex_unlock(&r->lock);
    return fits;
}

/* Of what lies on one side of it. */
bool outcome_told(const struct outcome *o, const char *name, char *value, size_t cap)
{
    const struct fact *best = NULL;
    pthread_mutex_lock(&o->run->lock);
    for (const struct fact *f = o->run->facts; f; f = f->next)
        if (strcasecmp(f->name, name) == 0 &&
            (o->to_right ? f->place > o->place && (!best || f->place < best->place)
                         : f->place > 0 && f->place < o->place && (!best || f->place > best->place)))
            best = f;
    bool fits = best && best->len < cap && strlen(best->value) == best->len;
    if (fits)
        memcpy(value, best->value, best->len + 1);
    pthread_mutex_unlock(&o->run->lock);
    return fits;
}

bool run_wants_facts(const struct run *r)
{
    return !r->plan || r->plan->wants_facts;
}

int run_copy_facts(struct run *r, struct run *from, struct err *e)
{
    for (const struct fact *f = from->facts; f; f = f->next) {
        const struct addr who = {.place = f->place, .label = f->who};
        if (run_tell(r, &who, f->name, f->value, f->len, e) < 0)
            return -1;
    }
    return 0;
}

static size_t count_facts(const struct run *r)
{
    size_t n = 0;
    for (const struct fact *f = r->facts; f; f = f->next)
        n++;
    return n;
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
    char *const *given = r->settings->catena ? r->settings->catena->environment : NULL;
    while (given && given[count])
        count++;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    (void)snprintf(ppid, sizeof ppid, "%ld", (long)(r->forked ? getppid() : getpid()));
    pthread_mutex_lock(&r->lock);
    char **env = calloc(count + count_facts(r) + 4, sizeof *env);
    bool ok = env != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = (env[n] = strdup(given[i])) && ++n;
    ok = ok && put(env, &n, variable(prefix, "VERSION", catena_version)) &&
         put(env, &n, variable(prefix, "PID", pid)) && put(env, &n, variable(prefix, "PPID", ppid));
    for (const struct fact *f = r->facts; ok && f; f = f->next)
        ok = !is_shown(f) || put(env, &n, variable(prefix, f->name, f->value));
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
