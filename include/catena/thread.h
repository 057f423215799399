/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads of an instance: they count against its limit, and leave all signals to others, but for those
 * that a thread's own fault sends. */
#ifndef CATENA_THREAD_H
#define CATENA_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "catena/api.h"
#include "catena/diag.h"

/* As pthread_create(), with a stack of so many bytes, 0 the usual. about: on whose behalf it is at work
 * (diag_about). Gives 0 or errno. */
int thread_start(pthread_t *thread, size_t stack, const struct diag_peer *about,
                 void *(*f)(void *), void *arg) CATENA_API(thread_start);

#endif
