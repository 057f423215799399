/* SPDX-License-Identifier: GPL-2.0-or-later
 * A connection on its way. The program may not wait for it, but wait by poll() and the like: so its descriptor
 * becomes a gate, our end of the pair on which the helper answers. That is full, and can be written to when the
 * helper has emptied the other end, after the answer was sent; if all came to nothing, it hangs up. Whoever comes
 * by the gate then, and looks, replaces it by what has been opened. The answer stays there, for other processes
 * that have the same gate since a fork. */
#ifndef CATENA_PRELOAD_GATE_H
#define CATENA_PRELOAD_GATE_H

#include <stdbool.h>

#include "preload/slots.h"

/* connect() as the program sees it: of a stream, and of packets. */
int gate_connect(int fd, const struct sockaddr *to, socklen_t len);

/* Has it been opened by now? wait: it is waited for. Afterwards the state tells; errno is left alone. */
void gate_look(int fd, bool wait);
/* The same for all that are pending. */
void gates_look(void);
/* For calls that move data: is there anything to be said before? Then it is errno, and the call has failed. */
bool gate_stops(int fd);

/* What is waited for at a gate: to who wants to write, too, the answer is nothing to read. */
static inline struct epoll_event gate_event(struct epoll_event e)
{
    const uint32_t reads = EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
    if (e.events & EPOLLOUT)
        e.events &= ~reads;
    return e;
}

static inline bool gate_is_open(int fd)
{
    return atomic_load_explicit(&slots_waiting, memory_order_relaxed) == 0 || !gate_stops(fd);
}

#endif
