/* SPDX-License-Identifier: GPL-2.0-or-later
 * The calls that wait for descriptors. A gate is ready when the answer is there: then it is looked at, and where
 * it has become the end of a chain, that is asked what it is ready for. */
#include <errno.h>
#include <time.h>

#include "preload/gate.h"
#include "preload/real.h"

static bool nothing_waits(void)
{
    return atomic_load_explicit(&slots_waiting, memory_order_relaxed) == 0;
}

/* ---- what is left of a time ---- */

static struct timespec now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

/* NULL stays: without end. */
static const struct timespec *left(const struct timespec *whole, const struct timespec *began, struct timespec *out)
{
    struct timespec t = now();
    if (!whole)
        return NULL;
    out->tv_sec = whole->tv_sec - (t.tv_sec - began->tv_sec);
    out->tv_nsec = whole->tv_nsec - (t.tv_nsec - began->tv_nsec);
    while (out->tv_nsec < 0) {
        out->tv_nsec += 1000000000;
        out->tv_sec--;
    }
    while (out->tv_nsec >= 1000000000) {
        out->tv_nsec -= 1000000000;
        out->tv_sec++;
    }
    if (out->tv_sec < 0)
        *out = (struct timespec){0};
    return out;
}

/* ---- poll ---- */

static bool look_at_polled(const struct pollfd *p, nfds_t n)
{
    bool looked = false;
    for (nfds_t i = 0; i < n; i++)
        if (p[i].revents && slots_peek(p[i].fd) == SLOT_PENDING) {
            gate_look(p[i].fd, false);
            looked |= slots_peek(p[i].fd) != SLOT_PENDING;
        }
    return looked;
}

HOOK int ppoll(struct pollfd *p, nfds_t n, const struct timespec *limit, const sigset_t *mask)
{
    struct timespec began = now(), rest;
    int ready = REAL(ppoll)(p, n, limit, mask);
    while (ready > 0 && !nothing_waits() && look_at_polled(p, n))
        if ((ready = REAL(poll)(p, n, 0)) == 0)
            ready = REAL(ppoll)(p, n, left(limit, &began, &rest), mask);
    return ready;
}

HOOK int poll(struct pollfd *p, nfds_t n, int ms)
{
    struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
    if (nothing_waits())
        return REAL(poll)(p, n, ms);
    return ppoll(p, n, ms < 0 ? NULL : &limit, NULL);
}

HOOK int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t cap);
HOOK int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t cap)
{
    (void)cap;
    return poll(p, n, ms);
}

HOOK int __ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *limit, const sigset_t *mask, size_t cap);
HOOK int __ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *limit, const sigset_t *mask, size_t cap)
{
    (void)cap;
    return ppoll(p, n, limit, mask);
}

/* ---- select ---- */

static bool is_in(int fd, const fd_set *set)
{
    return set && FD_ISSET(fd, set);
}

static bool look_at_selected(int n, fd_set *const set[3])
{
    bool looked = false;
    for (int fd = 0; fd < n && fd < FD_SETSIZE; fd++)
        if (slots_peek(fd) == SLOT_PENDING && (is_in(fd, set[0]) || is_in(fd, set[1]) || is_in(fd, set[2]))) {
            gate_look(fd, false);
            looked |= slots_peek(fd) != SLOT_PENDING;
        }
    return looked;
}

HOOK int pselect(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x,
                 const struct timespec *restrict limit, const sigset_t *restrict mask)
{
    const struct timespec at_once = {0};
    struct timespec began, rest;
    fd_set *const set[3] = {r, w, x};
    fd_set wanted[3];
    if (nothing_waits() || n > FD_SETSIZE)
        return REAL(pselect)(n, r, w, x, limit, mask);
    for (int i = 0; i < 3; i++)
        if (set[i])
            wanted[i] = *set[i];
    began = now();
    int ready = REAL(pselect)(n, r, w, x, limit, mask);
    while (ready > 0 && look_at_selected(n, set))
        for (int k = 0; k < 2 && (k == 0 || ready == 0); k++) {
            for (int i = 0; i < 3; i++)
                if (set[i])
                    *set[i] = wanted[i];
            ready = REAL(pselect)(n, r, w, x, k == 0 ? &at_once : left(limit, &began, &rest), mask);
        }
    return ready;
}

HOOK int select(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x, struct timeval *restrict limit)
{
    struct timespec t, began, rest;
    if (nothing_waits())
        return REAL(select)(n, r, w, x, limit);
    if (limit)
        t = (struct timespec){limit->tv_sec, limit->tv_usec * 1000L};
    began = now();
    int ready = pselect(n, r, w, x, limit ? &t : NULL, NULL);
    if (limit && left(&t, &began, &rest)) /* Linux tells what is left */
        *limit = (struct timeval){rest.tv_sec, rest.tv_nsec / 1000};
    return ready;
}

/* ---- epoll ---- */

HOOK int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    enum slot_state state = slots_peek(fd);
    struct epoll_event gate = event && state == SLOT_PENDING ? gate_event(*event) : (struct epoll_event){0};
    struct slots_hold h;
    int rc = REAL(epoll_ctl)(epoll, op, fd, event && state == SLOT_PENDING ? &gate : event);
    if (rc < 0 || state == SLOT_NONE || state == SLOT_SERVED)
        return rc;
    slots_lock(&h);
    struct slot *s = slot_known(fd);
    if (s)
        slot_watch(s, op, epoll, event);
    slots_unlock(&h);
    return rc;
}

/* What was ready stays so: events that come once are not to be asked for twice. */
HOOK int epoll_wait(int epoll, struct epoll_event *events, int max, int ms)
{
    int ready = REAL(epoll_wait)(epoll, events, max, ms);
    if (ready > 0 && !nothing_waits())
        gates_look();
    return ready;
}

HOOK int epoll_pwait(int epoll, struct epoll_event *events, int max, int ms, const sigset_t *mask)
{
    int ready = REAL(epoll_pwait)(epoll, events, max, ms, mask);
    if (ready > 0 && !nothing_waits())
        gates_look();
    return ready;
}

HOOK int epoll_pwait2(int epoll, struct epoll_event *events, int max, const struct timespec *limit, const sigset_t *mask)
{
    int ready = REAL(epoll_pwait2)(epoll, events, max, limit, mask);
    if (ready > 0 && !nothing_waits())
        gates_look();
    return ready;
}
