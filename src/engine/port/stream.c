/* SPDX-License-Identifier: GPL-2.0-or-later
 * Streams, and what a line does with one: see stream.h. */
#include "engine/port/stream_inside.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/handshake.h"
#include "catena/wait.h"

enum { FIRST = 4096, KEPT_MAX = 65536, TAKEN_MANY = 32768 }; /* bytes; so many are news */

/* ---- telling; under the lock ---- */

/* An eventfd is not writable while it is full. */
static void set_writable(struct half *h, bool can)
{
    if (can == h->writable)
        return;
    h->writable = can;
    if (can)
        (void)eventfd_read(h->write_fd, &(eventfd_t){0});
    else
        (void)eventfd_write(h->write_fd, UINT64_MAX - 1);
}

static void set_readable(struct half *h, bool can)
{
    if (can == h->readable)
        return;
    h->readable = can;
    if (can)
        (void)eventfd_write(h->read_fd, 1);
    else
        (void)eventfd_read(h->read_fd, &(eventfd_t){0});
}

void half_tell_line(struct half *h)
{
    if (h->line_left)
        return;
    bool data = h->asked != ASKED && (h->in.len > 0 || h->in_ended); /* which is nothing to who waits for an answer */
    set_readable(h, data || h->failed || h->woken);
    set_writable(h, h->failed || h->out.len < STREAM_AHEAD);
}

void half_tell_trunk(struct half *h)
{
    struct trunk *t = h->trunk;
    if (h->is_news || h->trunk_left)
        return;
    if (!t->news)
        (void)eventfd_write(t->look_fd, 1);
    h->is_news = true;
    h->after = NULL;
    *t->news_end = h;
    t->news_end = &h->after;
}

void half_drop_news(struct half *h)
{
    struct trunk *t = h->trunk;
    struct half **at = &t->news;
    if (!h->is_news)
        return;
    while (*at != h)
        at = &(*at)->after;
    *at = h->after;
    if (!*at)
        t->news_end = at;
    h->is_news = false;
}

int half_append(struct buf *b, const void *data, size_t n)
{
    size_t wanted = b->len + n, cap = b->cap ? b->cap : FIRST;
    while (cap < wanted)
        cap *= 2;
    if (buf_grow(b, cap) < 0)
        return -1;
    buf_put(b, data, n);
    return 0;
}

/* ---- making and freeing ---- */

static void half_free(struct half *h)
{
    if (h->read_fd >= 0)
        close(h->read_fd);
    if (h->write_fd >= 0)
        close(h->write_fd);
    if (h->forget)
        h->forget(h->state);
    buf_fini(&h->s.said);
    buf_fini(&h->out);
    buf_fini(&h->in);
    free(h->why);
    free(h);
}

/* Both have left it. Under the lock, which is given back. */
void half_leave(struct half *h)
{
    struct trunk *t = h->trunk;
    bool last = h->line_left && h->trunk_left;
    if (last) {
        half_drop_news(h);
        *h->at = h->next;
        if (h->next)
            h->next->at = h->at;
    }
    pthread_mutex_unlock(&t->lock);
    if (last) {
        half_free(h);
        trunk_drop(t);
    }
}

struct stream *stream_new(struct trunk *t, size_t state_size, void (*forget)(void *), struct err *e)
{
    struct half *h = calloc(1, sizeof *h + state_size);
    if (!h) {
        (void)err_nomem(e);
        return NULL;
    }
    h->read_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->writable = true;
    h->trunk = t;
    if (h->read_fd < 0 || h->write_fd < 0) {
        (void)err_sys(e, "eventfd()");
        half_free(h);
        return NULL;
    }
    h->forget = forget;
    pthread_mutex_lock(&t->lock);
    bool room = t->state <= TRUNK_OPEN && t->n < t->most;
    if (room) {
        t->n++;
        t->refs++;
        h->next = t->all;
        h->at = &t->all;
        if (h->next)
            h->next->at = &h->next;
        t->all = h;
    }
    pthread_mutex_unlock(&t->lock);
    if (room)
        return &h->s;
    half_free(h);
    return NULL;
}

/* ---- the line ---- */

void *stream_state(struct stream *s) { return half_of(s)->state; }

/* What it has said meanwhile is no news any more. */
void half_part(struct half *h)
{
    if (!h->trunk_left)
        h->trunk->n--;
    h->trunk_left = true;
    half_drop_news(h);
}

void stream_leave(struct stream *s)
{
    struct half *h = s ? half_of(s) : NULL;
    if (!h)
        return;
    pthread_mutex_lock(&h->trunk->lock);
    h->line_left = true;
    if (h->asked == NOT_ASKED)
        half_part(h);
    half_tell_trunk(h);
    half_leave(h);
}

/* What there is to be said to who has asked: 2 nothing by now. Under the lock. */
static int outcome(struct half *h, struct err *e)
{
    h->woken = false;
    half_tell_line(h);
    if (h->asked == ANSWERED || h->asked == REFUSED)
        return h->asked == REFUSED;
    if (!h->failed)
        return 2;
    if (h->why)
        *e = *h->why;
    return h->why ? -1 : err_nomem(e);
}

/* Nothing at all has come since then: others are not to wait for it, too. */
static int late(struct half *h, int64_t patience, struct err *e)
{
    struct trunk *t = h->trunk;
    pthread_mutex_lock(&t->lock);
    if (t->heard_at <= h->asked_at && t->state == TRUNK_OPEN)
        t->state = TRUNK_LEAVING;
    pthread_mutex_unlock(&t->lock);
    return handshake_late(patience, e);
}

int stream_ask(struct stream *s, struct run *r, int64_t patience, struct err *e)
{
    struct half *h = half_of(s);
    struct trunk *t = h->trunk;
    int64_t deadline = -1;
    pthread_mutex_lock(&t->lock);
    if (h->failed || t->state >= TRUNK_LEAVING) {
        int rc = h->failed ? outcome(h, e) : 1;
        pthread_mutex_unlock(&t->lock);
        return rc;
    }
    h->asked = ASKED;
    h->asked_at = wait_now();
    half_tell_trunk(h);
    for (;;) {
        if (deadline < 0 && t->state == TRUNK_OPEN)
            deadline = handshake_deadline(patience);
        pthread_mutex_unlock(&t->lock);
        int rc = wait_fd(r, h->read_fd, POLLIN, deadline, e);
        if (rc <= 0)
            return rc < 0 ? -1 : late(h, patience, e);
        pthread_mutex_lock(&t->lock);
        rc = outcome(h, e);
        if (rc < 2) {
            pthread_mutex_unlock(&t->lock);
            return rc;
        }
    }
}

/* ---- ... has it as a port ---- */

static ssize_t failed(struct port *p, const struct half *h, int sys)
{
    p->why = h->why;
    errno = sys;
    return -1;
}

static ssize_t line_read(struct port *p, void *buf, size_t cap)
{
    struct half *h = p->state;
    ssize_t n = 0;
    pthread_mutex_lock(&h->trunk->lock);
    if (h->in.len > 0) {
        n = (ssize_t)(h->in.len < cap ? h->in.len : cap);
        memcpy(buf, buf_data(&h->in), (size_t)n);
        buf_consume(&h->in, (size_t)n);
        h->took += (size_t)n;
        if (h->took >= TAKEN_MANY || h->in.len == 0)
            half_tell_trunk(h);
        if (h->in.len == 0 && h->in.cap > KEPT_MAX)
            buf_fini(&h->in);
    } else if (!h->in_ended) {
        n = h->failed ? failed(p, h, ECONNRESET) : -1;
        errno = h->failed ? ECONNRESET : EAGAIN;
    }
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return n;
}

static ssize_t line_write(struct port *p, const void *buf, size_t n)
{
    struct half *h = p->state;
    ssize_t done = -1;
    pthread_mutex_lock(&h->trunk->lock);
    size_t room = STREAM_AHEAD - h->out.len;
    n = n < room ? n : room;
    int sys = room == 0 ? EAGAIN : ENOMEM;
    if (h->failed || h->trunk_left) {
        (void)failed(p, h, sys = EPIPE);
    } else if (room > 0 && half_append(&h->out, buf, n) == 0) {
        done = (ssize_t)n;
        half_tell_trunk(h);
    }
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    errno = sys;
    return done;
}

static int line_shutdown(struct port *p, struct err *e)
{
    struct half *h = p->state;
    (void)e;
    pthread_mutex_lock(&h->trunk->lock);
    h->out_ended = true;
    half_tell_trunk(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return 0;
}

static void line_stop_reading(struct port *p)
{
    struct half *h = p->state;
    pthread_mutex_lock(&h->trunk->lock);
    h->deaf = true;
    h->took += h->in.len;
    buf_fini(&h->in);
    half_tell_trunk(h);
    half_tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
}

static void line_close(struct port *p) { stream_leave(p->state); }

static const struct port_ops line_ops = {.read = line_read, .write = line_write, .shutdown = line_shutdown, .close = line_close,
                                         .stop_reading = line_stop_reading};

int stream_port(struct stream *s, const char *label, struct port **out, struct err *e)
{
    const struct half *h = half_of(s);
    struct port *p = calloc(1, sizeof *p);
    if (!p) {
        stream_leave(s);
        return err_nomem(e);
    }
    *p = (struct port){.ops = &line_ops, .rfd = h->read_fd, .wfd = h->write_fd, .given = {h->read_fd, h->write_fd},
                       .shut = PORT_SHUT_DOWN, .label = label, .wlabel = label, .state = s,
                       .notice_fd = -1, .writer_fd = -1};
    *out = p;
    return 0;
}
