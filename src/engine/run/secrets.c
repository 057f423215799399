/* SPDX-License-Identifier: GPL-2.0-or-later
 * The secrets of a run's sessions, for whoever records what they make of the stream: see catena/run.h. */
#include <stdlib.h>
#include <string.h>

#include "catena/plan.h"
#include "catena/run.h"

void run_tell_secret(struct run *r, const char *line)
{
    size_t n = strlen(line);
    struct run_secret *s = r->plan && r->plan->wants_secrets ? malloc(sizeof *s + n + 1) : NULL;
    if (!s) /* without memory the record stays closed, and nothing else is the worse for it */
        return;
    *s = (struct run_secret){.len = n + 1};
    memcpy(s->line, line, n);
    s->line[n] = '\n';
    pthread_mutex_lock(&r->lock);
    *(r->secrets_end ? r->secrets_end : &r->secrets) = s;
    r->secrets_end = &s->next;
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_add(&r->nsecrets, 1);
}

const struct run_secret *run_next_secret(struct run *r, const struct run_secret *after)
{
    pthread_mutex_lock(&r->lock);
    const struct run_secret *s = after ? after->next : r->secrets;
    pthread_mutex_unlock(&r->lock);
    return s;
}

void run_forget_secrets(struct run *r)
{
    while (r->secrets) {
        struct run_secret *s = r->secrets;
        r->secrets = s->next;
        explicit_bzero(s->line, s->len);
        free(s);
    }
    r->secrets_end = NULL;
}
