/* SPDX-License-Identifier: GPL-2.0-or-later
 * The calls that copy and close descriptors: what is known goes with a copy, and the lease stays. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>

#include "preload/gate.h"
#include "preload/lease.h"
#include "preload/real.h"

static void forget(int fd)
{
    struct slots_hold h;
    int sys = errno;
    if (slots_peek(fd) != SLOT_NONE && slots_ours()) {
        slots_lock(&h);
        slot_drop(fd);
        slots_unlock(&h);
    }
    errno = sys;
}

HOOK int close(int fd)
{
    if (lease_is(fd)) { /* for all the program knows it is not there */
        errno = EBADF;
        return -1;
    }
    forget(fd);
    return REAL(close)(fd);
}

/* On both sides of the lease. */
static int close_around(unsigned from, unsigned to, int flags)
{
    int held = lease_number(), rc = 0;
    if (held < 0 || (unsigned)held < from || (unsigned)held > to)
        return REAL(close_range)(from, to, flags);
    if ((unsigned)held > from)
        rc = REAL(close_range)(from, (unsigned)held - 1, flags);
    if (rc == 0 && (unsigned)held < to)
        rc = REAL(close_range)((unsigned)held + 1, to, flags);
    return rc;
}

HOOK int close_range(unsigned from, unsigned to, int flags)
{
    if (from <= to && !((unsigned)flags & CLOSE_RANGE_CLOEXEC))
        for (unsigned fd = from; fd <= to && fd < 65536; fd++)
            forget((int)fd);
    return from > to ? REAL(close_range)(from, to, flags) : close_around(from, to, flags);
}

HOOK void closefrom(int from)
{
    unsigned low = from < 0 ? 0 : (unsigned)from;
    if (close_range(low, UINT_MAX, 0) < 0) /* an old kernel */
        for (unsigned fd = low, end = (unsigned)sysconf(_SC_OPEN_MAX); fd < end; fd++)
            (void)close((int)fd);
}

/* ---- copies ---- */

static int copied(int from, int to)
{
    struct slots_hold h;
    if (to < 0 || !slots_ours() || (slots_peek(from) == SLOT_NONE && slots_peek(to) == SLOT_NONE))
        return to;
    slots_lock(&h);
    slot_copy(from, to);
    slots_unlock(&h);
    return to;
}

HOOK int dup(int fd)
{
    return copied(fd, REAL(dup)(fd));
}

/* Nothing takes the lease's place. */
HOOK int dup2(int fd, int to)
{
    if (lease_is(to) && fd != to) {
        errno = EBADF;
        return -1;
    }
    return copied(fd, REAL(dup2)(fd, to));
}

HOOK int dup3(int fd, int to, int flags)
{
    if (lease_is(to) && fd != to) {
        errno = EBADF;
        return -1;
    }
    return copied(fd, REAL(dup3)(fd, to, flags));
}

static int control(int fd, int command, long argument)
{
    bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (lease_is(fd)) {
        errno = EBADF;
        return -1;
    }
    int rc = REAL(fcntl)(fd, command, argument);
    return copies ? copied(fd, rc) : rc;
}

HOOK int fcntl(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    long argument = va_arg(more, long);
    va_end(more);
    return control(fd, command, argument);
}

HOOK int fcntl64(int fd, int command, ...);
HOOK int fcntl64(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    long argument = va_arg(more, long);
    va_end(more);
    return control(fd, command, argument);
}
