/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two tables: the sessions themselves, for all threads of the process that made the table; and, for children
 * that it forks, what they are as bytes, in memory that they share: see tls_kept.h. */
#include "inter/tls/tls_sessions.h"

#include <openssl/err.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inter/tls/tls_kept.h"

enum { PLACES = 64 };

struct place {
    char *key; /* NULL: free */
    SSL_SESSION *session;
    uint64_t turn; /* of its coming */
};
struct sessions {
    pid_t owner;
    struct kept *kept;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t turn;
    struct place places[PLACES];
};

struct sessions *sessions_new(void)
{
    struct sessions *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->owner = getpid();
    s->kept = kept_new();
    if (s->kept && pthread_mutex_init(&s->lock, NULL) == 0)
        return s;
    kept_free(s->kept);
    free(s);
    return NULL;
}

static void clear(struct place *p)
{
    SSL_SESSION_free(p->session);
    free(p->key);
    *p = (struct place){0};
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    for (struct place *p = s->places; p < s->places + PLACES; p++)
        if (p->key)
            clear(p);
    kept_free(s->kept);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- themselves ---- */

static void put(struct sessions *s, const char *key, SSL_SESSION *session)
{
    struct place *oldest = s->places;
    char *copy = strdup(key);
    if (!copy)
        return;
    for (struct place *p = s->places; p < s->places + PLACES; p++)
        if (p->turn < oldest->turn)
            oldest = p;
    clear(oldest);
    (void)SSL_SESSION_up_ref(session);
    *oldest = (struct place){copy, session, ++s->turn};
}

static SSL_SESSION *take(struct sessions *s, const char *key)
{
    struct place *youngest = NULL;
    for (struct place *p = s->places; p < s->places + PLACES; p++)
        if (p->key && (!youngest || p->turn > youngest->turn) && strcmp(p->key, key) == 0)
            youngest = p;
    SSL_SESSION *session = youngest ? youngest->session : NULL;
    if (youngest) {
        free(youngest->key);
        *youngest = (struct place){0};
    }
    return session;
}

/* ---- bytes ---- */

static void put_bytes(struct kept *k, const char *key, SSL_SESSION *session)
{
    unsigned char bytes[KEPT_MAX], *at = bytes;
    int n = i2d_SSL_SESSION(session, NULL);
    if (n <= 0 || (size_t)n > sizeof bytes)
        return;
    n = i2d_SSL_SESSION(session, &at);
    kept_put(k, key, bytes, n > 0 ? (size_t)n : 0);
    explicit_bzero(bytes, (size_t)(at - bytes));
}

static SSL_SESSION *take_bytes(struct kept *k, const char *key)
{
    unsigned char bytes[KEPT_MAX];
    const unsigned char *at = bytes;
    size_t n = kept_take(k, key, bytes);
    SSL_SESSION *session = n > 0 ? d2i_SSL_SESSION(NULL, &at, (long)n) : NULL;
    explicit_bzero(bytes, n);
    ERR_clear_error();
    return session;
}

void sessions_put(struct sessions *s, const char *key, SSL_SESSION *session)
{
    if (getpid() != s->owner) {
        put_bytes(s->kept, key, session);
        return;
    }
    pthread_mutex_lock(&s->lock);
    put(s, key, session);
    pthread_mutex_unlock(&s->lock);
}

SSL_SESSION *sessions_take(struct sessions *s, const char *key)
{
    if (getpid() != s->owner)
        return take_bytes(s->kept, key);
    pthread_mutex_lock(&s->lock);
    SSL_SESSION *session = take(s, key);
    pthread_mutex_unlock(&s->lock);
    return session;
}
