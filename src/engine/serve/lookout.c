/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who is to say something: see lookout.h. */
#include "engine/serve/lookout.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "catena/wait.h"

enum { AT_ONCE = 16 };

static int enter(int epoll_fd, int fd, void *who)
{
    struct epoll_event what = {.events = EPOLLIN, .data.ptr = who};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &what);
}

int lookout_init(struct lookout *l, int other, struct err *e)
{
    *l = (struct lookout){.fd = epoll_create1(EPOLL_CLOEXEC),
                          .timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                          .rings = INT64_MAX};
    l->heard_end = &l->heard;
    if (l->fd >= 0 && l->timer_fd >= 0 && enter(l->fd, other, NULL) == 0 && enter(l->fd, l->timer_fd, NULL) == 0)
        return 0;
    (void)err_sys(e, "cannot look out for clients");
    lookout_fini(l);
    return -1;
}

void lookout_fini(struct lookout *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->timer_fd >= 0)
        close(l->timer_fd);
    l->fd = l->timer_fd = -1;
}

/* A timer that rings too early finds nobody late, and is set again: it is seldom set for somebody who is heard. */
static void set_timer(struct lookout *l, int64_t when)
{
    int64_t left = when - wait_now();
    if (when >= l->rings)
        return;
    l->rings = when;
    left = left > 0 ? left : 1;
    struct itimerspec at = {.it_value = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000}};
    (void)timerfd_settime(l->timer_fd, 0, &at, NULL);
}

/* Most have as long as those before them. */
static void line_up(struct lookout *l, struct guest *g)
{
    struct guest *before = l->last;
    while (before && before->deadline > g->deadline)
        before = before->prev;
    g->prev = before;
    g->next = before ? before->next : l->first;
    *(g->prev ? &g->prev->next : &l->first) = g;
    *(g->next ? &g->next->prev : &l->last) = g;
}

bool lookout_add(struct lookout *l, struct guest *g, int fd, int64_t deadline)
{
    *g = (struct guest){.fd = fd, .deadline = deadline < 0 ? INT64_MAX : deadline};
    if (enter(l->fd, fd, g) < 0)
        return false;
    line_up(l, g);
    set_timer(l, g->deadline);
    l->n++;
    return true;
}

static void step_out(struct lookout *l, struct guest *g)
{
    (void)epoll_ctl(l->fd, EPOLL_CTL_DEL, g->fd, NULL);
    *(g->prev ? &g->prev->next : &l->first) = g->next;
    *(g->next ? &g->next->prev : &l->last) = g->prev;
    g->next = NULL;
}

static void hear(struct lookout *l, struct guest *g)
{
    step_out(l, g);
    *l->heard_end = g;
    l->heard_end = &g->next;
}

/* The timer stays readable until it is read, or set again. */
static void hear_the_late(struct lookout *l)
{
    uint64_t times;
    if (read(l->timer_fd, &times, sizeof times) < 0)
        return; /* a millisecond too early */
    l->rings = INT64_MAX;
    while (l->first && l->first->deadline <= wait_now())
        hear(l, l->first);
    if (l->first)
        set_timer(l, l->first->deadline);
}

void lookout_look(struct lookout *l)
{
    struct epoll_event heard[AT_ONCE];
    if (l->n == 0 && l->rings > wait_now())
        return;
    int n = epoll_wait(l->fd, heard, AT_ONCE, 0);
    for (int i = 0; i < n; i++)
        if (heard[i].data.ptr)
            hear(l, heard[i].data.ptr);
    if (l->rings <= wait_now())
        hear_the_late(l);
}

struct guest *lookout_take(struct lookout *l)
{
    struct guest *g = l->heard;
    if (!g)
        return NULL;
    if (!(l->heard = g->next))
        l->heard_end = &l->heard;
    l->n--;
    return g;
}

struct guest *lookout_remove(struct lookout *l)
{
    if (l->heard)
        return lookout_take(l);
    if (!l->first)
        return NULL;
    hear(l, l->first);
    return lookout_take(l);
}
