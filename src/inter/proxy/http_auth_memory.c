/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is known of proxies: see http_auth_memory.h. */
#include "inter/proxy/http_auth_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "catena/endpoint.h"
#include "catena/plan.h"
#include "catena/run.h"

enum { PROXIES = 8 };

struct known {
    char proxy[AUTH_PROXY_SIZE];
    enum scheme scheme; /* of what it wanted last; SCHEME_NONE: not known */
    struct digest_challenge digest;
    unsigned count; /* requests made with its nonce */
    bool proven;    /* one of them was granted */
};

struct auth_memory {
    pthread_mutex_t lock;
    struct known of[PROXIES];
    size_t n; /* all that there ever were: the oldest makes room */
};

int auth_memory_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    struct auth_memory *m = calloc(1, sizeof *m);
    (void)a;
    (void)r;
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return err_nomem(e);
    }
    *shared = m;
    return 0;
}

void auth_memory_release(void *shared)
{
    struct auth_memory *m = shared;
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

/* It is by proxy, wherever the connection goes. */
bool auth_memory_shares(const struct addr *a) { return a != NULL; }

/* ---- which proxy ---- */

/* Each text with its end, so that two of them are not taken for another two. */
static bool add(struct auth *u, size_t *n, const char *text)
{
    size_t len = strlen(text) + 1;
    if (len > sizeof u->proxy - *n)
        return false;
    memcpy(u->proxy + *n, text, len);
    *n += len;
    return true;
}

/* Part of the way to the proxy, as it has become in this run. What options make of it is not looked into. */
static bool add_part(struct auth *u, size_t *n, const struct addr *planned)
{
    if (!planned || !planned->varies)
        return true;
    for (size_t i = 0; i < planned->nopts; i++)
        if (planned->opts[i].hole)
            return false;
    const struct addr *a = run_addr(u->run, planned);
    for (size_t i = 0; i < a->nparams; i++)
        if (!add(u, n, a->params[i] ? a->params[i] : ""))
            return false;
    return true;
}

static bool add_link(struct auth *u, size_t *n, const struct plan_link *l)
{
    return add_part(u, n, l->fwd) && add_part(u, n, l->back);
}

/* Who connects to us is another one each time. */
static bool add_end(struct auth *u, size_t *n, const struct plan_end *end)
{
    return !end->fwd->form->ops.endpoint->listen && add_part(u, n, end->fwd) && add_part(u, n, end->back);
}

static bool is_of(const struct plan_link *l, const struct addr *a)
{
    return l->fwd->place == a->place || (l->back && l->back->place == a->place);
}

/* Fills u->proxy; false: this proxy cannot be told from others. Where lines share the way to it there is but one. */
static bool find_proxy(struct auth *u, const struct addr *a)
{
    const struct plan *p = u->run->plan;
    size_t n = 0, at = 0;
    memset(u->proxy, 0, sizeof u->proxy);
    if (p->trunk && p->end[RIGHT].fwd->place == a->place)
        return true;
    while (at < p->nlinks && !is_of(&p->links[at], a))
        at++;
    if (at == p->nlinks)
        return false;
    const int side = p->links[at].wire;
    for (size_t i = side == RIGHT ? at + 1 : 0; i < (side == RIGHT ? p->nlinks : at); i++)
        if (!add_link(u, &n, &p->links[i]))
            return false;
    return add_end(u, &n, &p->end[side]);
}

/* ---- what is known of it ---- */

/* Locked; NULL: nothing. */
static struct known *find(struct auth_memory *m, const struct auth *u)
{
    for (size_t i = 0; i < PROXIES && i < m->n; i++)
        if (memcmp(m->of[i].proxy, u->proxy, sizeof u->proxy) == 0)
            return &m->of[i];
    return NULL;
}

static struct known *find_or_make(struct auth_memory *m, const struct auth *u)
{
    struct known *k = find(m, u);
    if (k)
        return k;
    k = &m->of[m->n++ % PROXIES];
    *k = (struct known){.scheme = SCHEME_NONE};
    memcpy(k->proxy, u->proxy, sizeof k->proxy);
    return k;
}

void auth_recall(struct auth *u)
{
    struct auth_memory *m = run_shared_of(u->run, u->addr);
    if (!m || !find_proxy(u, u->addr))
        return;
    u->memory = m;
    pthread_mutex_lock(&m->lock);
    struct known *k = find(m, u);
    if (k && k->scheme != SCHEME_NONE) {
        u->scheme = k->scheme;
        u->digest = k->digest;
        u->count = ++k->count;
        u->proven = k->proven;
    }
    pthread_mutex_unlock(&m->lock);
}

void auth_remember(struct auth *u)
{
    struct auth_memory *m = u->memory;
    u->count = 1;
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    struct known *k = find_or_make(m, u);
    k->scheme = u->scheme;
    k->digest = u->digest;
    k->count = u->count;
    k->proven = false;
    pthread_mutex_unlock(&m->lock);
}

void auth_forget(struct auth *u)
{
    struct auth_memory *m = u->memory;
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    struct known *k = find(m, u);
    if (k)
        k->scheme = SCHEME_NONE;
    pthread_mutex_unlock(&m->lock);
}

void auth_granted(struct auth *u)
{
    struct auth_memory *m = u->memory;
    if (!m || u->scheme == SCHEME_NONE)
        return;
    pthread_mutex_lock(&m->lock);
    struct known *k = find_or_make(m, u);
    k->scheme = u->scheme;
    if (u->scheme == SCHEME_DIGEST && strcmp(k->digest.nonce, u->digest.nonce) == 0) {
        k->proven = true;
        k->count = k->count > u->count ? k->count : u->count;
    }
    pthread_mutex_unlock(&m->lock);
}

bool auth_leave(struct auth *u)
{
    struct auth_memory *m = u->memory;
    if (!m || u->bound)
        return false;
    pthread_mutex_lock(&m->lock);
    struct known *k = find(m, u);
    if (k && k->count == u->count && strcmp(k->digest.nonce, u->digest.nonce) == 0)
        k->count--; /* it was not said */
    pthread_mutex_unlock(&m->lock);
    return true;
}
