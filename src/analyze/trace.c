/* SPDX-License-Identifier: GPL-2.0-or-later
 * The program's own system calls as log lines (-d -d -d, -d -d -d -d). The linker sends the calls of
 * trace.def here first (--wrap), so nobody who calls the system knows of it; linked into the program
 * alone. What the C library and other libraries call on their own does not come this way. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/features.h"
#include "catena/sockaddr.h"
#if HAVE_SINGLE_THREADED
#include <sys/single_threaded.h>
#else
#define __libc_single_threaded 0
#endif

enum { TEXT = 1024, ROOM = SOCKNAME_TEXT };

static const char *name_of(const void *a, socklen_t n, char room[static ROOM])
{
    struct sockname name = {.len = n};
    if (!a || n > sizeof name.u)
        return "";
    memcpy(&name.u, a, n);
    return sockname_text(&name, room);
}

static const char *bytes_of(const void *v, socklen_t n, char room[static ROOM])
{
    const unsigned char *bytes = v;
    int number = 0;
    if (n == sizeof number) {
        memcpy(&number, v, n);
        (void)snprintf(room, ROOM, "0x%x", (unsigned)number);
        return room;
    }
    size_t at = (size_t)snprintf(room, ROOM, "x");
    for (socklen_t i = 0; i < n && at + 3 < ROOM; i++)
        at += (size_t)snprintf(room + at, ROOM - at, "%02x", bytes[i]);
    return room;
}

static bool has_argument(int what)
{
    return what != F_GETFL && what != F_GETFD && what != F_GETPIPE_SZ;
}

/* The descriptors and events asked for. */
static const char *waits_of(const struct pollfd *p, nfds_t n, char room[static ROOM])
{
    size_t at = 0;
    room[0] = '\0';
    for (nfds_t i = 0; i < n && at + 32 < ROOM; i++)
        if (p[i].fd >= 0)
            at += (size_t)snprintf(room + at, ROOM - at, "%s%d:0x%x", at ? "," : "", p[i].fd,
                                   (unsigned)p[i].events);
    return room;
}

static bool is_told(enum diag_level level)
{
    return diag_shows(level) && !diag_is_writing();
}

static void tell_call(const char *name, const char *arguments)
{
    int sys = errno;
    diag(DIAG_DEBUG, "%s(%s)", name, arguments);
    errno = sys;
}

static void tell_result(enum diag_level level, const char *name, const char *arguments, long result)
{
    int sys = errno;
    /* the child of a process with threads: one of them may have held what a log line needs */
    if (result == 0 && !__libc_single_threaded && strcmp(name, "fork") == 0)
        return;
    const char *why = result < 0 ? strerrorname_np(sys) : NULL;
    diag(level, "%s(%s) -> %ld%s%s", name, arguments, result, why ? " " : "", why ? why : "");
    errno = sys;
}

/* A call as the linker sees it: the parameters are those of the C library as far as their kinds go. What tells it has room
 * for texts on its stack, which nobody pays for whom it does not tell. */
#define WRAP(shown, level, type, name, parameters, arguments, before, ...)                         \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    __attribute__((noinline, cold)) static type told_##name parameters                             \
    {                                                                                              \
        char text[TEXT], room[ROOM] = "";                                                          \
        type rc = 0;                                                                               \
        (void)room;                                                                                \
        if (before) {                                                                              \
            (void)snprintf(text, sizeof text, __VA_ARGS__);                                        \
            tell_call(shown, text);                                                                \
        }                                                                                          \
        rc = __real_##name arguments;                                                              \
        if (!before)                                                                               \
            (void)snprintf(text, sizeof text, __VA_ARGS__);                                        \
        tell_result(DIAG_##level, shown, text, (long)rc);                                          \
        return rc;                                                                                 \
    }                                                                                              \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_told(DIAG_##level) ? told_##name arguments : __real_##name arguments;            \
    }
#define CALL(shown, level, type, name, parameters, arguments, ...)                                 \
    WRAP(shown, level, type, name, parameters, arguments, true, __VA_ARGS__)
#define GIVE(shown, level, type, name, parameters, arguments, ...)                                 \
    WRAP(shown, level, type, name, parameters, arguments, false, __VA_ARGS__)

/* With 32 bits those that know of large files have other names; CMake reads them here, too. */
#if HAVE_LARGE_NAMES
#define open open64
#define __open_2 __open64_2
#define lseek lseek64
#define ftruncate ftruncate64
#define fcntl fcntl64
#define sendfile sendfile64
#endif
#include "analyze/trace.def"
