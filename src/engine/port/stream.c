/* SPDX-License-Identifier: GPL-2.0-or-later
 * Streams, from both ends: see stream.h. */
#include "engine/port/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/handshake.h"
#include "catena/wait.h"

enum asked { NOT_ASKED, ASKED, ANSWERED, REFUSED };

enum { FIRST = 4096, KEPT_MAX = 65536, TAKEN_MANY = 32768 }; /* bytes; so many are news */

struct half { /* all of a stream */
    struct stream s;
    struct trunk *trunk;
    struct half *next, **at; /* of all */
    struct half *after;      /* in the news */
    bool is_news;
    bool line_left, trunk_left;
    enum asked asked;
    int64_t asked_at;
    bool woken;              /* who has asked is to look */
    struct buf out, in;      /* from the line, to it */
    bool out_ended, in_ended, deaf; /* deaf: nothing that comes is wanted */
    size_t took;
    bool failed;
    struct err *why;
    int read_fd, write_fd;   /* eventfds: readable, writable when the line can */
    bool readable, writable;
    void (*forget)(void *);
    max_align_t state[];
};

static struct half *half_of(struct stream *s) { return (struct half *)s; }

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

static void tell_line(struct half *h)
{
    if (h->line_left)
        return;
    bool data = h->asked != ASKED && (h->in.len > 0 || h->in_ended); /* which is nothing to who waits for an answer */
    set_readable(h, data || h->failed || h->woken);
    set_writable(h, h->failed || h->out.len < STREAM_AHEAD);
}

static void tell_trunk(struct half *h)
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

static void drop_news(struct half *h)
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
static void leave_locked(struct half *h)
{
    struct trunk *t = h->trunk;
    bool last = h->line_left && h->trunk_left;
    if (last) {
        drop_news(h);
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
static void part_locked(struct half *h)
{
    if (!h->trunk_left)
        h->trunk->n--;
    h->trunk_left = true;
    drop_news(h);
}

void stream_leave(struct stream *s)
{
    struct half *h = s ? half_of(s) : NULL;
    if (!h)
        return;
    pthread_mutex_lock(&h->trunk->lock);
    h->line_left = true;
    if (h->asked == NOT_ASKED)
        part_locked(h);
    tell_trunk(h);
    leave_locked(h);
}

/* What there is to be said to who has asked: 2 nothing by now. Under the lock. */
static int outcome(struct half *h, struct err *e)
{
    h->woken = false;
    tell_line(h);
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
    tell_trunk(h);
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
            tell_trunk(h);
        if (h->in.len == 0 && h->in.cap > KEPT_MAX)
            buf_fini(&h->in);
    } else if (!h->in_ended) {
        n = h->failed ? failed(p, h, ECONNRESET) : -1;
        errno = h->failed ? ECONNRESET : EAGAIN;
    }
    tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return n;
}

static int append(struct buf *b, const void *data, size_t n)
{
    size_t wanted = b->len + n, cap = b->cap ? b->cap : FIRST;
    while (cap < wanted)
        cap *= 2;
    if (buf_grow(b, cap) < 0)
        return -1;
    buf_put(b, data, n);
    return 0;
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
    } else if (room > 0 && append(&h->out, buf, n) == 0) {
        done = (ssize_t)n;
        tell_trunk(h);
    }
    tell_line(h);
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
    tell_trunk(h);
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
    tell_trunk(h);
    tell_line(h);
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

/* ---- the trunk ---- */

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
        tell_line(h);
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
    tell_line(h);
}

static void refuse_locked(struct half *h)
{
    h->asked = REFUSED;
    h->woken = true;
    tell_line(h);
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
        part_locked(h);
        leave_locked(h);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
}

struct stream *trunk_next(struct trunk *t)
{
    pthread_mutex_lock(&t->lock);
    struct half *h = t->news;
    if (h) {
        drop_news(h);
        if (h->s.said.len == 0)
            buf_swap(&h->s.said, &h->out);
        h->s.ended = h->out_ended && h->out.len == 0;
        h->s.left = h->line_left;
        h->s.cut = h->line_left && !h->out_ended;
        h->s.taken += h->took;
        h->took = 0;
        tell_line(h);
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
    tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return s->said.len > 0 || s->ended;
}

int stream_give(struct stream *s, const void *data, size_t n)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    bool wanted = !h->line_left && !h->deaf;
    int rc = wanted ? append(&h->in, data, n) : 0;
    if (!wanted) {
        h->took += n;
        tell_trunk(h);
    }
    tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
    return rc;
}

void stream_end(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    h->in_ended = true;
    tell_line(h);
    pthread_mutex_unlock(&h->trunk->lock);
}

void stream_answer(struct stream *s)
{
    struct half *h = half_of(s);
    pthread_mutex_lock(&h->trunk->lock);
    h->asked = ANSWERED;
    h->woken = true;
    tell_line(h);
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
    part_locked(h);
    leave_locked(h);
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
