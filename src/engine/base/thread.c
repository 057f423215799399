/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting threads: see catena/thread.h. */
#include "catena/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "catena/catena.h"

struct start {
    void *(*f)(void *);
    void *arg;
    const struct diag_peer *about;
    struct catena *home; /* may be NULL */
};

static bool enter(struct catena *c)
{
    if (!c)
        return true;
    size_t n = atomic_fetch_add(&c->threads, 1);
    bool room = c->limits.threads == 0 || n < c->limits.threads;
    if (!room)
        atomic_fetch_sub(&c->threads, 1);
    return room;
}

static void leave(struct catena *c)
{
    void (*unused)(struct catena *) = c ? c->unused : NULL;
    if (c && atomic_fetch_sub(&c->threads, 1) == 1 && unused)
        unused(c);
}

static void *begin(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    (void)diag_about(s.about);
    void *result = s.f(s.arg);
    leave(s.home); /* the last touch: whoever left us behind may free it now */
    return result;
}

static int create(pthread_t *thread, size_t stack, struct start *s)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    pthread_attr_t attr;
    sigset_t others, before;
    int rc = pthread_attr_init(&attr);
    if (rc != 0)
        return rc;
    if (stack > 0)
        (void)pthread_attr_setstacksize(&attr, stack);
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&others, own[i]);
    (void)pthread_sigmask(SIG_BLOCK, &others, &before);
    rc = pthread_create(thread, &attr, begin, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return rc;
}

int thread_start(pthread_t *thread, size_t stack, const struct diag_peer *about,
                 void *(*f)(void *), void *arg)
{
    struct catena *home = about ? about->catena : NULL;
    struct start *s = malloc(sizeof *s);
    if (!s)
        return ENOMEM;
    *s = (struct start){f, arg, about, home};
    if (!enter(home)) {
        free(s);
        return EAGAIN;
    }
    int rc = create(thread, stack, s);
    if (rc != 0) {
        leave(home);
        free(s);
    }
    return rc;
}
