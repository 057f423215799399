/* SPDX-License-Identifier: GPL-2.0-or-later
 * The wire of a dialog: exact reads, lines and writes over whatever carries it, under one
 * deadline. What was read too far stays in w->in. */
#include "catena/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "catena/handshake.h"
#include "catena/port.h"
#include "catena/wait.h"

int wire_init(struct wire *w, const struct wire_ops *ops, void *carrier, struct run *run,
              int64_t patience, struct err *e)
{
    *w = (struct wire){.ops = ops, .carrier = carrier, .run = run, .since = wait_now(), .end_fd = -1};
    wire_patience(w, patience);
    return buf_init(&w->in, WIRE_AHEAD) == 0 ? 0 : err_nomem(e);
}

void wire_patience(struct wire *w, int64_t ms)
{
    w->patience = ms;
    w->deadline = ms < 0 ? -1 : w->since + ms;
}

void wire_fini(struct wire *w)
{
    buf_fini(&w->in);
    buf_fini(&w->on);
    port_close(w->beside);
    w->beside = NULL;
}

int wire_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    return n == 0 ? 0 : w->ops->write(w, data, n, e);
}

/* At least one byte in w->in, or an error. */
static int wire_need(struct wire *w, struct err *e)
{
    int eof = 0;

    while (w->in.len == 0) {
        if (eof)
            return err_set(e, ERR_CUT, "the peer closed the connection during the dialog");
        if (w->ops->fill(w, &eof, e) < 0)
            return -1;
    }
    return 0;
}

int wire_read(struct wire *w, void *data, size_t n, struct err *e)
{
    unsigned char *to = data;

    while (n > 0) {
        size_t part;

        if (wire_need(w, e) < 0)
            return -1;
        part = w->in.len < n ? w->in.len : n;
        memcpy(to, buf_data(&w->in), part);
        buf_consume(&w->in, part);
        to += part;
        n -= part;
    }
    return 0;
}

int wire_read_line(struct wire *w, char *line, size_t cap, struct err *e)
{
    const unsigned char *nl = NULL;
    size_t have = 0;

    while (!nl) {
        size_t part;

        if (wire_need(w, e) < 0)
            return -1;
        nl = memchr(buf_data(&w->in), '\n', w->in.len);
        part = !nl ? w->in.len : (size_t)(nl - buf_data(&w->in)) + 1;
        /* The NUL takes the place of the line feed: a line of cap bytes with it fits. */
        if (part > cap - have)
            return err_set(e, ERR_PROTOCOL, "the peer sent a line of more than %zu bytes", cap - 1);
        memcpy(line + have, buf_data(&w->in), part);
        have += part;
        buf_consume(&w->in, part);
    }
    if (memchr(line, '\0', have))
        return err_set(e, ERR_PROTOCOL, "the peer sent a line with a NUL byte in it");
    line[--have] = '\0';
    if (have > 0 && line[have - 1] == '\r')
        line[have - 1] = '\0';
    return 0;
}

int wire_expect(struct wire *w, size_t n, struct err *e)
{
    if (n > WIRE_AHEAD_MAX)
        return err_set(e, ERR_PROTOCOL, "%zu bytes are to be looked at at once; at most %d are possible",
                       n, WIRE_AHEAD_MAX);
    return buf_grow(&w->in, n) < 0 ? err_nomem(e) : 0;
}

int wire_look(struct wire *w, size_t n, const unsigned char **at, struct err *e)
{
    int eof = 0;
    if (n > w->in.cap)
        return err_set(e, ERR_PROTOCOL, "the peer has sent more than %zu bytes", w->in.cap);
    while (w->in.len < n) {
        if (w->ops->fill(w, &eof, e) < 0)
            return -1;
        if (eof && w->in.len < n)
            return err_set(e, ERR_CUT, "the peer closed the connection during the dialog");
    }
    *at = buf_data(&w->in);
    return 0;
}

int wire_hand_back(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct buf b;
    if (n == 0)
        return 0;
    size_t cap = n + w->in.len;
    if (buf_init(&b, cap > w->in.cap ? cap : w->in.cap) < 0)
        return err_nomem(e);
    buf_put(&b, data, n);
    buf_move(&b, &w->in);
    buf_swap(&b, &w->in);
    buf_fini(&b);
    return 0;
}

int wire_hand_on(struct wire *w, const void *data, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (buf_grow(&w->on, w->on.len + n) < 0)
        return err_nomem(e);
    buf_put(&w->on, data, n);
    return 0;
}

/* A port as the carrier. Ports never block, but those over borrowed descriptors can only keep that
 * promise after poll(2), so it comes first. */
static int port_wait(struct wire *w, int fd, short events, const char *what, struct err *e)
{
    int rc;

    if (fd < 0)
        return err_set(e, ERR_OTHER, "the connection cannot be %s", what);
    rc = handshake_is_late(w->deadline) ? 0 : wait_fd(w->run, fd, events, w->deadline, e);
    if (rc == 0)
        return handshake_late(w->patience, e);
    return rc < 0 ? -1 : 0;
}

/* There may be more to read, for which nobody waits, but not for ever, either. */
static int port_go_on(struct wire *w, struct err *e)
{
    return handshake_is_late(w->deadline) ? handshake_late(w->patience, e)
                                          : wait_fd(w->run, -1, 0, 0, e);
}

enum { UNASKED = 8 };

/* A socket of ours says at once that nothing is there. But whoever goes on sending is not to keep signals unheard. */
static bool answers_at_once(struct wire *w, const struct port *p)
{
    return port_lives_with_edges(p) && p->flags & PORT_SOCKET_R && !handshake_is_late(w->deadline) &&
           ++w->unasked % UNASKED != 0;
}

/* Who has others to serve comes back when the peer has said something. */
static int leave(struct wire *w, struct err *e)
{
    w->left = true;
    return err_set(e, ERR_INTERRUPTED, "the peer has not said anything yet");
}

static int port_fill(struct wire *w, int *eof, struct err *e)
{
    struct port *p = w->carrier;
    unsigned char *at;
    size_t room = buf_room(&w->in, &at);
    bool again = port_has_more(p), asked = again || !answers_at_once(w, p);

    for (;;) {
        ssize_t n;

        if (asked && (again ? port_go_on(w, e) : port_wait(w, p->rfd, POLLIN, "read", e)) < 0)
            return -1;
        asked = true;
        n = port_read(p, at, room);
        if (n == 0 && p->control.kind) { /* a dialog knows none */
            p->control.kind = CONTROL_NONE;
            again = true;
            continue;
        }
        if (n >= 0) {
            buf_commit(&w->in, (size_t)n);
            *eof = n == 0;
            w->rests = false;
            return 0;
        }
        if (errno != EAGAIN && errno != EINTR)
            return err_sys(e, "reading from the peer");
        if (errno == EAGAIN && w->rests && w->in.len == 0 && !handshake_is_late(w->deadline))
            return leave(w, e);
        again = errno == EINTR || port_has_more(p);
    }
}

static int port_send(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct port *p = w->carrier;
    const unsigned char *from = data;
    bool asks = !(p->flags & PORT_SOCKET_W && answers_at_once(w, p));

    w->rests = false;
    while (n > 0) {
        size_t part = (p->flags & PORT_SLOW_W) && n > PIPE_BUF ? PIPE_BUF : n;
        ssize_t done;

        if (asks && port_wait(w, p->wfd, POLLOUT, "written to", e) < 0)
            return -1;
        asks = true;
        done = port_write(p, from, part);
        if (done >= 0) {
            from += done;
            n -= (size_t)done;
        } else if (errno != EAGAIN && errno != EINTR) {
            return err_sys(e, "writing to the peer");
        }
    }
    return 0;
}

const struct wire_ops wire_over_port = {.fill = port_fill, .write = port_send};
