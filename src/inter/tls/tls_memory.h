/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory that forked children and threads share, with a lock in it. */
#ifndef CATENA_INTER_TLS_MEMORY_H
#define CATENA_INTER_TLS_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_memory { /* the first member of what is in it */
    pthread_mutex_t lock;
    size_t size; /* bytes, all of it */
};

/* Zeroed; NULL without memory. What nobody touches costs nothing. No core has it. */
void *tls_memory_new(size_t size);
void tls_memory_free(struct tls_memory *m); /* of this process alone; NULL is fine */
/* Waits for the others. Who died with the lock may have left anything: then all behind m is zeroed. */
void tls_memory_lock(struct tls_memory *m);
void tls_memory_unlock(struct tls_memory *m);

#endif
