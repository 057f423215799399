/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tortured program and the driver share: a page of memory with every place that calls
 * something, how often it did, and which of the calls is to fail. It outlives forks and crashes. */
#ifndef CATENA_TESTS_FAULTS_H
#define CATENA_TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

enum { FAULT_SITES = 2048, FAULT_ERRORS = 6 };
enum fault_mode {
    FAULT_NONE,    /* only counts */
    FAULT_ONCE,    /* the n-th call of that place */
    FAULT_ONWARDS, /* it and all that come after it there */
    FAULT_SHORT,   /* whatever moves bytes moves one */
    FAULT_EINTR,   /* every second call that waits or moves bytes */
    FAULT_EAGAIN,
};

struct fault_site {
    _Atomic uintptr_t at; /* offset of the return address in the program, 0: free */
    const char *name;     /* where the program runs; the driver reads `call` */
    char call[32];
    _Atomic unsigned count;
    int errors[FAULT_ERRORS];
    int nerrors, soft; /* soft: EINTR and EAGAIN change nothing */
};

struct faults {
    int mode;
    uintptr_t at; /* ONCE, ONWARDS: the place, the call (from 1), the error */
    unsigned nth;
    int error;
    atomic_int fired;
    atomic_int open_fds; /* at the end of the first process */
    _Atomic unsigned turn;
    struct fault_site sites[FAULT_SITES];
};

#define FAULT_THEIRS ((uintptr_t)1 << 30) /* places in libraries: this, and a number for each */
#define FAULT_VARIABLE "CATENA_TORTURE" /* names the file that holds it */

#endif
