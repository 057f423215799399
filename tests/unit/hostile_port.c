/* SPDX-License-Identifier: GPL-2.0-or-later
 * See hostile_port.h. */
#include "hostile_port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct hostile {
    struct hostility is;
    struct port_ops ops;
    unsigned luck, foreign;
};

static unsigned chance(struct hostile *h, unsigned of)
{
    h->luck = h->luck * 1103515245U + 12345U;
    return (h->luck >> 16) % of;
}

static int say(int error)
{
    errno = error;
    return -1;
}

static ssize_t hostile_read(struct port *p, void *buf, size_t cap)
{
    struct hostile *h = p->state;
    if (h->foreign > 0) {
        h->foreign--;
        return say(EINTR);
    }
    switch (chance(h, 16)) {
    case 0: return say(EINTR);
    case 1: h->foreign = h->is.foreign > 0 ? chance(h, 100) : 0; return say(EINTR);
    case 2: return say(EAGAIN);
    default: break;
    }
    return recv(p->rfd, buf, 1 + chance(h, (unsigned)cap), MSG_DONTWAIT);
}

static ssize_t hostile_write(struct port *p, const void *buf, size_t n)
{
    struct hostile *h = p->state;
    switch (chance(h, 32)) {
    case 0: return say(EINTR);
    case 1: return say(ENOBUFS);
    case 2: return say(EAGAIN);
    default: break;
    }
    size_t some = chance(h, 2) ? n : n > 0 ? 1 + chance(h, (unsigned)n) : 0;
    return send(p->wfd, buf, some, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int hostile_shutdown(struct port *p, struct err *e)
{
    return shutdown(p->wfd, SHUT_WR) < 0 ? err_sys(e, "shutdown()") : 0;
}

static void hostile_close(struct port *p)
{
    struct hostile *h = p->state;
    struct timespec t = {.tv_sec = h->is.close_ms / 1000, .tv_nsec = h->is.close_ms % 1000 * 1000000L};
    if (h->is.close_gate > 0)
        (void)poll(&(struct pollfd){.fd = h->is.close_gate, .events = POLLIN}, 1, -1);
    else if (h->is.close_ms > 0)
        (void)nanosleep(&t, NULL);
    close(p->rfd);
    p->rfd = p->wfd = -1;
    free(h);
}

/* What it says of itself when it is asked whether its close may wait. */
static int linger(int fd)
{
    struct linger l = {.l_onoff = 1, .l_linger = 1};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

int hostile_port(const struct hostility *is, struct port **out, int *other_end)
{
    struct err e;
    int fds[2];
    bool slow = is->close_ms > 0 || is->close_gate > 0;
    struct hostile *h = calloc(1, sizeof *h);
    if (!h || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        free(h);
        return -1;
    }
    *h = (struct hostile){.is = *is, .luck = is->seed, .foreign = is->foreign,
                          .ops = {hostile_read, hostile_write, hostile_shutdown, hostile_close}};
    if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 || (slow && linger(fds[0]) < 0) ||
        port_open_fds(fds[0], fds[0], 0, PORT_SHUT_DOWN, "hostile", out, &e) < 0) {
        close(fds[0]);
        close(fds[1]);
        free(h);
        return -1;
    }
    (*out)->ops = &h->ops;
    (*out)->state = h;
    *other_end = fds[1];
    return 0;
}
