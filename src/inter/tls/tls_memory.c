/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory of several processes: see tls_memory.h. */
#include "inter/tls/tls_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static bool lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t how;
    if (pthread_mutexattr_init(&how) != 0)
        return false;
    (void)pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
    bool made = pthread_mutex_init(lock, &how) == 0;
    (void)pthread_mutexattr_destroy(&how);
    return made;
}

void *tls_memory_new(size_t size)
{
    struct tls_memory *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return NULL;
    (void)madvise(m, size, MADV_DONTDUMP);
    m->size = size;
    if (lock_init(&m->lock))
        return m;
    (void)munmap(m, size);
    return NULL;
}

void tls_memory_free(struct tls_memory *m)
{
    if (m)
        (void)munmap(m, m->size);
}

void tls_memory_lock(struct tls_memory *m)
{
    if (pthread_mutex_lock(&m->lock) != EOWNERDEAD)
        return;
    memset(m + 1, 0, m->size - sizeof *m);
    (void)pthread_mutex_consistent(&m->lock);
}

void tls_memory_unlock(struct tls_memory *m)
{
    (void)pthread_mutex_unlock(&m->lock);
}
