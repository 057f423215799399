/* SPDX-License-Identifier: GPL-2.0-or-later
 * All waiting of the opening code, so that a signal or a stop request ends it at once. */
#ifndef CATENA_WAIT_H
#define CATENA_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/api.h"
#include "catena/err.h"

struct run;

int64_t wait_now(void) CATENA_API(wait_now); /* milliseconds of a clock that only goes forward */
/* The nearest number of them: 0.3 s are 300 ms, however the processor computes. */
static inline int64_t wait_ms(double seconds)
{
    return seconds > 1e12 ? INT64_C(1000000000000000) : (int64_t)(seconds * 1000 + 0.5);
}
/* Waits until fd shows one of the poll(2) events; 1 yes, 0 deadline passed, -1 (ERR_INTERRUPTED or
 * a system error). fd -1: only the time. deadline in wait_now() milliseconds, -1 for ever. */
int wait_fd(struct run *r, int fd, short events, int64_t deadline, struct err *e)
    CATENA_API(wait_fd);
/* Can anything end a wait of that run without a deadline, but what is waited for? */
bool wait_may_end(const struct run *r);
/* What is left to be waited for when the run has been told to end, too: as wait_fd(), for fd to be readable; only
 * another signal ends it. */
int wait_rest(struct run *r, int fd, int64_t deadline);
int wait_seconds(struct run *r, double seconds, struct err *e) CATENA_API(wait_seconds); /* 0, or -1 interrupted */
/* e says why something could not be had. If it is what others may give back (descriptors, memory),
 * warns, waits a while and gives 0: try again. Otherwise -1, with e as it was, or interrupted. */
int wait_for_more(struct run *r, struct err *e) CATENA_API(wait_for_more);
/* Runs f(arg) where it may block (a helper thread) and waits for its end or a signal. Gives 0 when
 * f returned. -1: arg is not the caller's any more, who must only unwind; f may still be running, and
 * drop(arg) is called when it has returned, if it ever does. */
int wait_call(struct run *r, void (*f)(void *), void (*drop)(void *), void *arg, struct err *e)
    CATENA_API(wait_call);

#endif
