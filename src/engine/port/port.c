/* SPDX-License-Identifier: GPL-2.0-or-later
 * The common port, a pair of descriptors: see catena/port.h. Nothing here blocks. Descriptors of our
 * own are made non-blocking; those that came with the process keep their mode, because others share it:
 * sockets are used with MSG_DONTWAIT, pipes and terminals are opened once more through /proc. */
#include "catena/port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "catena/wait.h"

static const struct port_ops fd_ops = {.read = port_fd_read, .write = port_fd_write,
                                       .shutdown = port_fd_shutdown, .close = port_fd_close,
                                       .edges = true};

/* ---- making ---- */

/* A second, non-blocking description of the same pipe or terminal; -1 if that is not possible (or
 * would be something else: a pty master, a cloning device). */
static int reopen(int fd, const struct stat *st, int access)
{
    char path[40];
    int flags = fcntl(fd, F_GETFL); /* a pipe's end is used only the way it was opened */
    if (flags < 0 || ((flags & O_ACCMODE) != O_RDWR && (flags & O_ACCMODE) != access))
        return -1;
    if (!S_ISFIFO(st->st_mode) && !(isatty(fd) && major(st->st_rdev) != 5))
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int socket_int(int fd, int name, int otherwise)
{
    int value = otherwise;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : otherwise;
}

static bool is_ip(int fd)
{
    int family = socket_int(fd, SO_DOMAIN, AF_UNSPEC);
    return family == AF_INET || family == AF_INET6;
}

/* What a socket of that type is, for one direction. Of a connection of messages an empty one looks like its end. */
static unsigned socket_flags(int fd, int type, bool reading)
{
    bool messages = type != SOCK_STREAM;
    if (!reading)
        return PORT_SOCKET_W | (!messages ? PORT_FINAL_W : type == SOCK_DGRAM ? PORT_MSG_W | PORT_EMPTY_W : PORT_MSG_W);
    return PORT_SOCKET_R | (messages ? PORT_MSG_R | (is_ip(fd) ? 0U : PORT_LONG_R) : 0U);
}

/* Whoever comes to a FIFO finds it by its name. */
static bool is_nameless(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

static int set_nonblocking(int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || ((flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return err_sys(e, "fcntl(%d, F_SETFL, O_NONBLOCK)", fd);
    return 0;
}

static int prepare(struct port *p, int *fd, bool reading, struct err *e)
{
    struct stat st;
    if (*fd < 0)
        return 0;
    if (!reading && *fd == p->rfd && p->flags & PORT_SOCKET_R) { /* known already */
        int type = p->flags & PORT_MSG_R ? socket_int(*fd, SO_TYPE, SOCK_RAW) : SOCK_STREAM;
        p->flags |= socket_flags(*fd, type, false) | (p->flags & PORT_BORROWED ? 0U : PORT_OWN_W);
        return 0;
    }
    int type = p->flags & PORT_ORDINARY ? SOCK_STREAM : socket_int(*fd, SO_TYPE, -1);
    if (type < 0 && fstat(*fd, &st) < 0)
        return err_sys(e, "file descriptor %d", *fd);
    bool borrowed = p->flags & PORT_BORROWED;
    if (!borrowed)
        p->flags |= reading ? PORT_OWN_R : PORT_OWN_W;
    if (type >= 0) {
        p->flags |= socket_flags(*fd, type, reading);
        return 0;
    }
    if (!reading && S_ISFIFO(st.st_mode) && is_nameless(*fd))
        p->flags |= PORT_FINAL_W;
    if (reading && isatty(*fd))
        p->flags |= PORT_TTY;
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        return 0;
    /* Whoever reads a pipe learns its end by nothing but this. */
    if (!reading && !borrowed && S_ISFIFO(st.st_mode) && p->rfd != *fd && p->shut == PORT_SHUT_NONE)
        p->shut = PORT_SHUT_CLOSE;
    if (!borrowed)
        return set_nonblocking(*fd, e);
    int again = reopen(*fd, &st, reading ? O_RDONLY : O_WRONLY);
    if (again >= 0) {
        *fd = again;
        p->flags |= reading ? PORT_OWN_R : PORT_OWN_W;
    } else if (!reading) {
        p->flags |= PORT_SLOW_W;
    }
    return 0;
}

int port_open_fds(int rfd, int wfd, unsigned flags, enum port_shut shut, const char *label,
                  struct port **out, struct err *e)
{
    struct port *p = malloc(sizeof *p); /* a listener's is soon free: calloc() would not take it again */
    if (!p) {
        if (!(flags & PORT_BORROWED)) {
            if (rfd >= 0)
                close(rfd);
            if (wfd >= 0 && wfd != rfd)
                close(wfd);
        }
        return err_nomem(e);
    }
    *p = (struct port){.ops = &fd_ops, .rfd = rfd, .wfd = wfd, .given = {rfd, wfd},
                       .flags = flags, .shut = shut, .label = label, .wlabel = label,
                       .notice_fd = -1, .writer_fd = -1};
    if (prepare(p, &p->rfd, true, e) < 0 || prepare(p, &p->wfd, false, e) < 0) {
        p->flags |= flags & PORT_BORROWED ? 0U : PORT_OWN_R | PORT_OWN_W;
        port_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

/* ---- reading and writing ---- */

/* EIO on a terminal may pass (login closes and reopens its side): "nothing yet", for some time. */
static bool sits_out(struct port *p)
{
    int64_t now = wait_now();
    if (p->sitout_eio <= 0)
        return false;
    if (!p->eio_until)
        p->eio_until = now + wait_ms(p->sitout_eio);
    return now < p->eio_until;
}

int port_message_fits(struct port *p, size_t cap)
{
    if (!(p->flags & PORT_LONG_R))
        return 0;
    ssize_t n = recv(p->rfd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (n < 0) /* not every family can be asked */
        return errno == EOPNOTSUPP || errno == EINVAL ? 0 : -1;
    if ((size_t)n <= cap)
        return 0;
    p->need = (size_t)n;
    errno = EMSGSIZE;
    return -1;
}

ssize_t port_fd_read(struct port *p, void *buf, size_t cap)
{
    if (port_message_fits(p, cap) < 0)
        return -1;
    ssize_t n = p->flags & PORT_SOCKET_R ? recv(p->rfd, buf, cap, MSG_DONTWAIT)
                                         : read(p->rfd, buf, cap);
    if (n < 0 && errno == EIO && p->flags & PORT_EIO_EOF) {
        if (!sits_out(p))
            return 0;
        errno = EAGAIN;
    } else if (p->eio_until) {
        p->eio_until = 0;
    }
    p->heard_end |= n == 0 && cap > 0;
    return n;
}

ssize_t port_fd_write(struct port *p, const void *buf, size_t n)
{
    if (p->flags & PORT_SOCKET_W)
        return send(p->wfd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (p->flags & PORT_SLOW_W) {
        /* what poll() promises room for does not block; more might */
        struct pollfd pfd = {.fd = p->wfd, .events = POLLOUT};
        if (poll(&pfd, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (n > PIPE_BUF)
            n = PIPE_BUF;
    }
    return write(p->wfd, buf, n);
}

ssize_t port_read(struct port *p, void *buf, size_t cap)
{
    if (p->pending.len > cap && p->flags & PORT_MSG_R && !(p->flags & PORT_SPLIT_R)) {
        p->need = p->pending.len;
        errno = EMSGSIZE;
        return -1;
    }
    if (p->pending.len > 0) {
        size_t n = p->pending.len < cap ? p->pending.len : cap;
        memcpy(buf, buf_data(&p->pending), n);
        buf_consume(&p->pending, n);
        if (p->pending.len == 0)
            buf_fini(&p->pending);
        return (ssize_t)n;
    }
    return p->ops->read(p, buf, cap);
}

ssize_t port_write(struct port *p, const void *buf, size_t n)
{
    return p->ops->write(p, buf, n);
}

int port_control(struct port *p, const struct control *c)
{
    return p->ops->control ? p->ops->control(p, c) : 0;
}

bool port_ready(struct port *p, bool in, bool out)
{
    return (in && port_has_more(p)) || (p->ops->ready && p->ops->ready(p, in, out));
}

bool port_awaits_room(const struct port *p)
{
    if (p->ops->ready || p->flags & (PORT_STALL_W | PORT_SOCKET_W))
        return true;
    int flags = p->wfd < 0 ? -1 : fcntl(p->wfd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

void port_settle(struct port *p)
{
    if (p->due)
        p->ops->settle(p);
    p->due = false;
}

short port_events(const struct port *p, bool in, bool out)
{
    if (p->ops->ready)
        return POLLIN;
    return (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
}

size_t port_message_most(const struct port *p)
{
    enum { IP_MOST = 65535, IP4_HEADER = 20, UDP_HEADER = 8, UNIX_HEADER = 32 };
    if (!(p->flags & PORT_SOCKET_W))
        return 0;
    int udp = socket_int(p->wfd, SO_TYPE, SOCK_RAW) == SOCK_DGRAM ? UDP_HEADER : 0;
    switch (socket_int(p->wfd, SO_DOMAIN, AF_UNSPEC)) {
    case AF_INET: return (size_t)(IP_MOST - IP4_HEADER - udp);
    case AF_INET6: return (size_t)(IP_MOST - udp);
    case AF_UNIX: return (size_t)(socket_int(p->wfd, SO_SNDBUF, UNIX_HEADER) - UNIX_HEADER);
    default: return 0;
    }
}

size_t port_message_whole(const struct port *p)
{
    enum { IP4_UDP = 28, IP6_UDP = 48 }; /* bytes of headers */
    int mtu = 0;
    if (p->flags & PORT_SOCKET_W && socket_int(p->wfd, SO_TYPE, 0) == SOCK_DGRAM) {
        bool six = socket_int(p->wfd, SO_DOMAIN, AF_UNSPEC) == AF_INET6;
        socklen_t len = sizeof mtu;
        if (getsockopt(p->wfd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &len) == 0)
            return mtu > IP6_UDP ? (size_t)(mtu - (six ? IP6_UDP : IP4_UDP)) : 0;
    }
    return 0;
}

size_t port_held(const struct port *p)
{
    size_t n = 0;
    for (; p; p = p->inner[0])
        n += p->pending.len;
    return n;
}

int port_unread(struct port *p, const void *data, size_t n, struct err *e)
{
    struct buf b;
    if (n == 0)
        return 0;
    if (buf_init(&b, n + p->pending.len) < 0)
        return err_nomem(e);
    buf_put(&b, data, n);
    if (p->pending.len > 0)
        buf_move(&b, &p->pending);
    buf_fini(&p->pending);
    p->pending = b;
    return 0;
}

/* ---- has the other end gone? ---- */

int port_write_error(const struct port *p)
{
    struct pollfd pfd = {.fd = p->wfd};
    int sys = 0;
    socklen_t len = sizeof sys;
    if (!(p->flags & PORT_FINAL_W) || p->wfd < 0)
        return 0;
    if (p->flags & PORT_SOCKET_W && getsockopt(p->wfd, SOL_SOCKET, SO_ERROR, &sys, &len) == 0 && sys)
        return sys;
    /* a socket has POLLERR for news of other kinds, too */
    const short gone = p->flags & PORT_SOCKET_W ? POLLHUP : POLLHUP | POLLERR;
    return poll(&pfd, 1, 0) > 0 && pfd.revents & gone ? EPIPE : 0;
}

size_t port_unheard(const struct port *p)
{
    int protocol = 0, n = 0;
    socklen_t len = sizeof protocol;
    bool tcp = p->flags & PORT_SOCKET_W && getsockopt(p->wfd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
               protocol == IPPROTO_TCP;
    return tcp && ioctl(p->wfd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

enum { PROBE_S = 10, PROBES = 6 }; /* seconds before the first and between them; how many */

void port_probe(const struct port *p)
{
    static const struct {
        int level, name, value;
    } opts[] = {{IPPROTO_TCP, TCP_KEEPIDLE, PROBE_S},
                {IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S},
                {IPPROTO_TCP, TCP_KEEPCNT, PROBES},
                {SOL_SOCKET, SO_KEEPALIVE, 1}};
    int on = 0;
    socklen_t len = sizeof on;
    if (!(p->flags & PORT_SOCKET_R) || p->flags & (PORT_MSG | PORT_JOINT) || p->rfd != p->wfd ||
        getsockopt(p->rfd, SOL_SOCKET, SO_KEEPALIVE, &on, &len) < 0 || on)
        return;
    for (size_t i = 0; i < sizeof opts / sizeof opts[0]; i++)
        if (setsockopt(p->rfd, opts[i].level, opts[i].name, &opts[i].value, sizeof(int)) < 0)
            return; /* none of TCP's */
}

/* ---- ending ---- */

static void close_wfd(struct port *p)
{
    if (p->rfd == p->wfd) {
        if (p->flags & PORT_OWN_R)
            close(p->rfd);
        p->rfd = -1;
    } else if (p->flags & PORT_OWN_W) {
        close(p->wfd);
    }
    p->wfd = -1;
}

int port_fd_shutdown(struct port *p, struct err *e)
{
    if (p->wfd < 0)
        return 0;
    switch (p->shut) {
    case PORT_SHUT_NONE:
        return 0;
    case PORT_SHUT_DOWN:
        if (shutdown(p->wfd, SHUT_WR) < 0 && errno != ENOTCONN && errno != ENOTSOCK)
            return err_sys(e, "shutdown(%d, SHUT_WR)", p->wfd);
        p->told_end = true;
        return 0;
    case PORT_SHUT_CLOSE:
        close_wfd(p);
        return 0;
    case PORT_SHUT_NULL:
        while (p->ops->write(p, "", 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
            if (errno != EINTR)
                return err_sys(e, "write(%d, \"\", 0)", p->wfd);
        return 0;
    }
    return 0;
}

int port_shutdown(struct port *p, struct err *e)
{
    return ERR_ASKED(e, p->ops->shutdown(p, e));
}

void port_fd_close(struct port *p)
{
    bool over = p->heard_end && p->told_end;
    if (p->flags & PORT_SHUT_BOTH && !(p->flags & PORT_END_CLOSE) && p->wfd >= 0 && !over)
        (void)shutdown(p->wfd, SHUT_RDWR);
    if (p->rfd >= 0 && p->flags & PORT_OWN_R)
        close(p->rfd);
    if (p->wfd >= 0 && p->wfd != p->rfd && p->flags & PORT_OWN_W)
        close(p->wfd);
    p->rfd = p->wfd = -1;
}

static bool lingers(int fd)
{
    struct linger l = {0};
    socklen_t n = sizeof l;
    return getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &n) == 0 && l.l_onoff && l.l_linger > 0;
}

bool port_close_may_wait(const struct port *p)
{
    if (p->flags & PORT_ORDINARY)
        return false;
    bool drains = p->flags & PORT_TTY || (!(p->flags & PORT_SOCKET_W) && p->wfd >= 0 && isatty(p->wfd));
    return drains || (p->flags & PORT_SOCKET_W && lingers(p->wfd)) ||
           (p->flags & PORT_SOCKET_R && p->rfd != p->wfd && lingers(p->rfd));
}

void port_close(struct port *p)
{
    if (!p)
        return;
    p->ops->close(p);
    if (p->notice_fd >= 0)
        close(p->notice_fd);
    if (p->writer_fd >= 0)
        close(p->writer_fd);
    buf_fini(&p->pending);
    free(p);
}

void port_stop_reading(struct port *p)
{
    if (p->rfd < 0 || !(p->flags & PORT_JOINT))
        return; /* outside peers keep their connection: they may still be answered */
    if (p->ops->stop_reading) {
        p->ops->stop_reading(p);
        return;
    }
    if (p->rfd == p->wfd) {
        (void)shutdown(p->rfd, SHUT_RD);
    } else if (p->flags & PORT_OWN_R) {
        close(p->rfd);
        p->rfd = -1;
    }
}

void port_abandon(struct port *p)
{
    port_share(p);
    port_close(p);
}

bool port_is_one(const struct port *p)
{
    struct stat r, w;
    return p->rfd == p->wfd ||
           (p->flags & PORT_SOCKET_R && p->flags & PORT_SOCKET_W && fstat(p->rfd, &r) == 0 &&
            fstat(p->wfd, &w) == 0 && r.st_dev == w.st_dev && r.st_ino == w.st_ino);
}

void port_share(struct port *p)
{
    if (!p)
        return;
    p->flags |= PORT_END_CLOSE | PORT_SHARED;
    p->shut = PORT_SHUT_NONE;
    port_share(p->inner[0]);
    port_share(p->inner[1]);
}
