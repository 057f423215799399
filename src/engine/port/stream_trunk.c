/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a trunk does with its streams: see stream.h. */
#include "engine/port/stream_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/wait.h"

int trunk_init(struct trunk *t, size_t most, void (*release)(struct trunk *), struct err *e)
{
    *t = (struct trunk){.look_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .most = most, .refs = 1, .free = release};
    t->news_end = &t->news;
    if (t->look_fd < 0)
        return err_sys(e, "eventfd()");
    (void)pthread_mutex_init(&t->lock, NULL);
    return 0;
}

void trunk_drop(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    bool last = --t->refs == 0;
    pthread_mutex_unlock(&t->lock);
    if (!last)
        return;
    close(t->look_fd);
    (void)pthread_mutex_destroy(&t->lock);
    t->free(t);
}

static ssize_t trunk_read(struct port *p, void *buf, size_t cap)
{
    struct trunk *t = p->state;
    (void)buf;
    (void)cap;
    pthread_mutex_lock(&t->lock);
    (void)eventfd_read(t->look_fd, &(eventfd_t){0});
    bool ends = t->stops, more = t->news != NULL;
    pthread_mutex_unlock(&t->lock);
    errno = more ? EINTR : EAGAIN; /* again, when the session has looked */
    return ends ? 0 : -1;
}

static int nothing_to_shut(struct port *p, struct err *e)
{
    (void)p;
    (void)e;
    return 0;
}

static void nothing_to_close(struct port *p) { (void)p; }

static const struct port_ops trunk_port_ops = {.read = trunk_read, .shutdown = nothing_to_shut, .close = nothing_to_close};

int trunk_port(struct trunk *t, struct port **out, struct err *e)
{
    struct port *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    *p = (struct port){.ops = &trunk_port_ops, .rfd = t->look_fd, .wfd = -1, .given = {t->look_fd, -1}, .flags = PORT_JOINT,
                       .label = "the connections", .wlabel = "the connections", .state = t, .notice_fd = -1, .writer_fd = -1};
    *out = p;
    return 0;
}

void trunk_opened(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->state == TRUNK_OPENING)
        t->state = TRUNK_OPEN;
    t->heard_at = wait_now();
    for (struct half *h = t->all; h; h = h->next) {
        h->woken |= h->asked == ASKED; /* who has been answered already knows that by now, or will */
        half_tell_line(h);
    }
    pthread_mutex_unlock(&t->lock);
}

bool trunk_stop(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    bool hears = t->state != TRUNK_OPENING;
    t->stops = true;
    (void)eventfd_write(t->look_fd, 1);
    pthread_mutex_unlock(&t->lock);
    return hears;
}

static void fail_locked(struct half *h, const struct err *why)
{
    if (!h->failed && (h->why = malloc(sizeof *h->why)))
        *h->why = *why;
    h->failed = true;
    half_tell_line(h);
}

static void refuse_locked(struct half *h)
{
    h->asked = REFUSED;
    h->woken = true;
    half_tell_line(h);
}

/* Who has not asked where it was open asks elsewhere. */
static struct half *concerned(const struct trunk *t, bool opened)
{
    struct half *h = t->all;
    while (h && (h->trunk_left || (opened && h->asked == NOT_ASKED)))
        h = h->next;
    return h;
}

void trunk_over(struct trunk *t, bool opened, const struct err *why)
{
    struct err ended = {.kind = ERR_REFUSED, .text = "the connection that is shared has ended"};
    pthread_mutex_lock(&t->lock);
    t->state = TRUNK_OVER;
    for (struct half *h; (h = concerned(t, opened));) {
        if (opened && h->asked == ASKED && !h->failed)
            refuse_locked(h);
        else
            fail_locked(h, why ? why : &ended);
        half_part(h);
        half_leave(h);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
}

struct stream *trunk_next(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    struct half *h = t->news;
    if (h) {
        half_drop_news(h);
        if (h->s.said.len == 0)
            buf_swap(&h->s.said, &h->out);
        h->s.ended = h->out_ended && h->out.len == 0;
        h->s.left = h->line_left;
        h->s.cut = h->line_left && !h->out_ended;
        h->s.taken += h->took;
        h->took = 0;
        half_tell_line(h);
    }
    pthread_mutex_unlock(&t->lock);
    return h ? &h->s : NULL;
}

bool stream_more(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    buf_swap(&s->said, &h->out);
    if (s->said.len == 0) { /* who is quiet keeps nothing */
        buf_fini(&s->said);
        buf_fini(&h->out);
    }
    s->ended = h->out_ended;
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return s->said.len > 0 || s->ended;
}

int stream_give(struct stream *s, const void *data, size_t n)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    bool wanted = !h->line_left && !h->deaf;
    int rc = wanted ? half_append(&h->in, data, n) : 0;
    if (!wanted) {
        h->took += n;
        half_tell_trunk(h);
    }
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return rc;
}

void stream_end(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    h->in_ended = true;
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
}

void stream_answer(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    h->asked = ANSWERED;
    h->woken = true;
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
}

void stream_refuse(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    refuse_locked(h);
    pthread_mutex_unlock(&h->trunk->lock);
}

void stream_fail(struct stream *s, const struct err *why)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    fail_locked(h, why);
    pthread_mutex_unlock(&h->trunk->lock);
}

void stream_part(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    half_part(h);
    half_leave(h);
}

void trunk_has_room(struct trunk *t, size_t most)
{
    pthread_mutex_lock(&t->lock);
    t->most = most;
    pthread_mutex_unlock(&t->lock);
}

void trunk_heard(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    t->heard_at = wait_now();
    pthread_mutex_unlock(&t->lock);
}

void trunk_leaves(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->state < TRUNK_LEAVING)
        t->state = TRUNK_LEAVING;
    pthread_mutex_unlock(&t->lock);
}

bool trunk_may_close(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    bool may = t->n == 0;
    if (may && t->state < TRUNK_LEAVING)
        t->state = TRUNK_LEAVING;
    pthread_mutex_unlock(&t->lock);
    return may;
}
