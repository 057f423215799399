/* SPDX-License-Identifier: GPL-2.0-or-later
 * A library to be preloaded: the first THREADS_MOST threads are started, any more fail with EAGAIN. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
    static atomic_int started;
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    const char *most = getenv("THREADS_MOST");

    if (most && atomic_fetch_add(&started, 1) >= atoi(most))
        return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(t, attr, f, arg);
}
