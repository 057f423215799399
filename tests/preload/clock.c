/* SPDX-License-Identifier: GPL-2.0-or-later
 * Another time for a program under test, through LD_PRELOAD:
 *
 *   CLOCK_FASTER=<n>   its seconds are n times as short: waits with a timeout end sooner and the
 *                      monotonic clock runs faster, so that a deadline of minutes is seen in seconds
 *   CLOCK_JUMPS=<s>    the wall clock jumps by s seconds, forward and back, at each reading */
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text && atol(text) > 0 ? atol(text) : otherwise;
}

static long jump(void)
{
    static atomic_int count;
    return (atomic_fetch_add(&count, 1) & 1 ? 1 : -1) * number("CLOCK_JUMPS", 0);
}

static int shorter(int ms)
{
    long factor = number("CLOCK_FASTER", 1);
    return ms <= 0 ? ms : (int)((ms + factor - 1) / factor);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    if (syscall(SYS_clock_gettime, id, ts))
        return -1;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        ts->tv_sec += jump();
    } else {
        long long ns = (ts->tv_sec * 1000000000LL + ts->tv_nsec) * number("CLOCK_FASTER", 1);
        ts->tv_sec = ns / 1000000000;
        ts->tv_nsec = ns % 1000000000;
    }
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    if (syscall(SYS_gettimeofday, tv, NULL))
        return -1;
    tv->tv_sec += jump();
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &now))
        return -1;
    now.tv_sec += jump();
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    int (*real)(struct pollfd *, nfds_t, int);
    *(void **)&real = dlsym(RTLD_NEXT, "poll");
    return real(fds, n, shorter(ms));
}

int epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
    int (*real)(int, struct epoll_event *, int, int);
    *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
    return real(fd, events, max, shorter(ms));
}
