/* SPDX-License-Identifier: GPL-2.0-or-later
 * The way to the helper: the lease that xiorun has left us, or that of a helper of our own, which is started when
 * it is needed first. */
#ifndef CATENA_PRELOAD_LEASE_H
#define CATENA_PRELOAD_LEASE_H

#include <stdbool.h>

#include "preload/protocol.h"

/* Sends a request; gives the descriptor on which the answers come, or -1: the user has been told. */
int lease_ask(struct preload_request *q);
/* The next answer, with up to two descriptors (-1: none). keep: it stays for those who share the socket. 1, 0 not
 * yet, -1 there is none, and errno says of what. EINTR is left to the caller, as 0 with errno. */
int lease_answer(int fd, int flags, struct preload_answer *a, int given[2]);
/* A question and its only answer. False: nobody has answered. */
bool lease_question(struct preload_request *q, struct preload_answer *a);

/* Is it the lease? Programs that close all they do not know are not to close that. */
bool lease_is(int fd);
int lease_number(void);

#endif
